/* SPDX-License-Identifier: Apache-2.0; module: providers */
/* fuzz_vapi.c - anything at all, line by line, as what comes on Vapi's socket: a line that begins with '<' is
 * sound, one with '+' is time, another is text. What is told to the call core is read to its last byte and
 * must make sense: one response at a time, its end after its beginning, its sound between the two. A fifth of
 * the inputs stop listening at some event, another cancels every response. */
#include "providers/vapi/answer.h"
#include "providers/vapi/events.h"

#include <stdlib.h>
#include <strings.h>

struct listener {
    struct speech speech;
    struct vapi_events events;
    struct vapi_counts counts;
    unsigned told, stop_after;
    bool cancels, running;
    unsigned char sum;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(struct listener *l, struct rd_str s)
{
    for (size_t i = 0; i < s.n; i++)
        l->sum = (unsigned char)(l->sum + (unsigned char)s.p[i]);
}

static void told(struct listener *l)
{
    if (!l->speech.up)
        abort();
    if (++l->told == l->stop_after)
        l->speech.up = NULL;
}

static void on_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    struct listener *l = arg;

    if (!l->running || a->n_bytes == 0 || a->n_bytes > a->n_b64 / 4 * 3)
        abort();
    read_all(l, it->item_id);
    read_all(l, (struct rd_str){a->b64, a->n_b64});
    told(l);
}

static void on_audio_done(void *arg, const struct provider_item *it)
{
    read_all(arg, it->item_id);
    told(arg);
}

static void on_speech(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    (void)at_ms;
    if (item_id.n == 0)
        abort();
    read_all(arg, item_id);
    told(arg);
}

static void on_committed(void *arg, struct rd_str item_id)
{
    read_all(arg, item_id);
    told(arg);
}

static void on_placed(void *arg, const struct provider_placed *p)
{
    if (p->item_id.n == 0)
        abort();
    read_all(arg, p->item_id);
    read_all(arg, p->previous_id);
    told(arg);
}

static void on_words(void *arg, const struct provider_words *w)
{
    if ((w->failed && !w->final) || w->item_id.n == 0)
        abort();
    read_all(arg, w->text);
    told(arg);
}

static void on_tool_call(void *arg, const struct provider_tool_call *t)
{
    if (t->call_id.n == 0 || t->name.n == 0)
        abort();
    read_all(arg, t->call_id);
    read_all(arg, t->name);
    read_all(arg, t->arguments);
    told(arg);
}

static void on_response(void *arg, const struct provider_response *r)
{
    struct listener *l = arg;
    bool starts = r->state == PROVIDER_RESPONSE_STARTED;

    if (starts == l->running || r->response_id.n == 0)
        abort();
    l->running = starts;
    read_all(l, r->response_id);
    if (starts && l->cancels)
        (void)speech_cancel(&l->speech, r->response_id);
    told(l);
}

static const struct provider_events core = {
    .on_audio = on_audio,
    .on_audio_done = on_audio_done,
    .on_speech_started = on_speech,
    .on_speech_stopped = on_speech,
    .on_committed = on_committed,
    .on_placed = on_placed,
    .on_words = on_words,
    .on_tool_call = on_tool_call,
    .on_response = on_response,
};

static void on_over(void *arg, struct rd_str reason)
{
    struct listener *l = arg;

    read_all(l, reason);
    l->sum = (unsigned char)(l->sum + vapi_ended_well(reason));
}

/* What POST /call answered goes the same way. */
static void feed_answer(const char *line, size_t n)
{
    const struct http_result r = {.status = 201, .body = {line, n}};
    struct vapi_answer a;

    /* A scheme is the same in any case. */
    if (vapi_answer_read(&a, &r, RD_STR("https://api.vapi.ai")) &&
        strncasecmp(a.url, "wss://", 6) != 0)
        abort();
}

static void feed(struct listener *l, const char *line, size_t n, uint64_t *now_us)
{
    if (n > 0 && line[0] == '+') {
        *now_us += n * 100000;
        speech_tick(&l->speech, *now_us);
    } else if (n > 0 && line[0] == '<') {
        speech_sound(&l->speech, (const uint8_t *)line, n, *now_us);
    } else if (n > 0 && line[0] == '!') {
        speech_asked(&l->speech, (uint32_t)n, n % 2 == 0, *now_us);
    } else {
        (void)vapi_events_feed(&l->events, (struct rd_str){line, n}, *now_us);
        feed_answer(line, n);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct listener l = {.stop_after = n % 5 == 0 ? (unsigned)(n % 7) : 0, .cancels = n % 5 == 1};
    const char *p = (const char *)data, *end = p + n;
    uint64_t now_us = 1000000;

    if (n == 0 || speech_init(&l.speech, 0, &l.counts))
        return 0;
    vapi_events_init(&l.events, &l.speech, &l.counts);
    l.events.runs_tools = true;
    l.events.on_over = on_over;
    l.events.arg = &l;
    l.speech.up = &core;
    l.speech.up_arg = &l;
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t line = nl ? (size_t)(nl - p) : (size_t)(end - p);
        char *copy = malloc(line + (line == 0)); /* exact, so that reading beyond it is seen */

        if (!copy)
            break;
        if (line > 0)
            memcpy(copy, p, line);
        feed(&l, copy, line, &now_us);
        free(copy);
        p += line + (nl ? 1 : 0);
    }
    speech_over(&l.speech, n % 2 == 0, now_us);
    vapi_events_fini(&l.events);
    speech_fini(&l.speech);
    return 0;
}
