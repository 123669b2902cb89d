/* SPDX-License-Identifier: Apache-2.0; module: providers */
/* fuzz_live.c - anything at all, line by line, as what GPT-Live sends: a line that begins with '+' is time, one
 * with '!' a prompt, one with '=' a tool's output; another is a message. What is told to the call core is read
 * to its last byte and must make sense: one response at a time, its sound between its beginning and its end, a
 * caller who stops only after having begun. A fifth of the inputs stop listening at some event, another cancels
 * every response. */
#include "providers/live/events.h"

#include <stdlib.h>

struct listener {
    struct floor floor;
    struct live_events events;
    struct live_counts counts;
    unsigned told, stop_after;
    bool cancels, running, speaking;
    unsigned char sum;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void read_all(struct listener *l, struct rd_str s)
{
    for (size_t i = 0; i < s.n; i++)
        l->sum = (unsigned char)(l->sum + (unsigned char)s.p[i]);
}

static void must(bool good)
{
    if (!good)
        abort();
}

static void told(struct listener *l)
{
    must(l->floor.up != NULL);
    if (++l->told == l->stop_after)
        l->floor.up = NULL;
}

static void on_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    struct listener *l = arg;

    must(l->running && a->n_bytes > 0 && a->n_bytes <= a->n_b64 / 4 * 3);
    read_all(l, it->item_id);
    read_all(l, (struct rd_str){a->b64, a->n_b64});
    told(l);
}

static void on_audio_done(void *arg, const struct provider_item *it)
{
    read_all(arg, it->item_id);
    told(arg);
}

static void on_started(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    struct listener *l = arg;

    (void)at_ms;
    must(!l->speaking && item_id.n > 0);
    l->speaking = true;
    told(l);
}

static void on_stopped(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    struct listener *l = arg;

    (void)at_ms;
    must(l->speaking && item_id.n > 0);
    l->speaking = false;
    told(l);
}

static void on_committed(void *arg, struct rd_str item_id)
{
    read_all(arg, item_id);
    told(arg);
}

static void on_placed(void *arg, const struct provider_placed *p)
{
    must(p->item_id.n > 0);
    read_all(arg, p->item_id);
    read_all(arg, p->previous_id);
    told(arg);
}

static void on_words(void *arg, const struct provider_words *w)
{
    must((!w->failed || w->final) && w->item_id.n > 0);
    read_all(arg, w->text);
    told(arg);
}

static void on_tool_call(void *arg, const struct provider_tool_call *t)
{
    must(t->call_id.n > 0 && t->name.n > 0);
    read_all(arg, t->call_id);
    read_all(arg, t->name);
    read_all(arg, t->arguments);
    told(arg);
}

static void on_response(void *arg, const struct provider_response *r)
{
    struct listener *l = arg;
    bool starts = r->state == PROVIDER_RESPONSE_STARTED;

    must(starts != l->running && r->response_id.n > 0);
    l->running = starts;
    read_all(l, r->response_id);
    if (starts && l->cancels)
        (void)floor_cancel(&l->floor, r->response_id);
    told(l);
}

static void on_usage(void *arg, const struct provider_usage *u, struct rd_str raw)
{
    must(u->text_in_cached <= u->text_in);
    read_all(arg, rd_str(u->model));
    read_all(arg, raw);
    told(arg);
}

static const struct provider_events core = {
    .on_audio = on_audio,
    .on_audio_done = on_audio_done,
    .on_speech_started = on_started,
    .on_speech_stopped = on_stopped,
    .on_committed = on_committed,
    .on_placed = on_placed,
    .on_words = on_words,
    .on_tool_call = on_tool_call,
    .on_response = on_response,
    .on_usage = on_usage,
};

static void session_started(void *arg, struct rd_str id, uint64_t expires_unix_s)
{
    (void)expires_unix_s;
    read_all(arg, id);
}

static void session_seconds(void *arg, double seconds)
{
    (void)arg;
    must(seconds >= 0 && seconds < 1e9);
}

static void session_closed(void *arg, struct rd_str reason)
{
    read_all(arg, reason);
}

static void session_error(void *arg, const struct live_error *e)
{
    read_all(arg, e->type);
    read_all(arg, e->code);
    read_all(arg, e->message);
}

static void session_unusable(void *arg, struct rd_str call_id)
{
    must(call_id.n > 0);
    read_all(arg, call_id);
}

static void session_answered(void *arg)
{
    struct listener *l = arg;

    must(l->events.n_open == 0 && !l->events.backend_runs);
}

static const struct live_events_owner owner = {
    .on_started = session_started,
    .on_seconds = session_seconds,
    .on_closed = session_closed,
    .on_error = session_error,
    .on_unusable = session_unusable,
    .on_answered = session_answered,
};

static void feed(struct listener *l, const char *line, size_t n, uint64_t *now_ms)
{
    char c = n > 0 ? line[0] : '\0';
    uint64_t due;

    if (c == '+') {
        *now_ms += n * 100;
        floor_tick(&l->floor, *now_ms);
        due = floor_due_ms(&l->floor, *now_ms);
        must(due == 0 || due > *now_ms); /* or a timer would never rest */
    } else if (c == '!') {
        floor_asked(&l->floor, (uint32_t)n, *now_ms);
    } else if (c == '=') {
        live_events_answered(&l->events, (struct rd_str){line + 1, n - 1});
    } else {
        (void)live_events_feed(&l->events, (struct rd_str){line, n}, *now_ms);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct listener l = {.stop_after = n % 5 == 0 ? (unsigned)(n % 7) : 0, .cancels = n % 5 == 1};
    const char *p = (const char *)data, *end = p + n;
    uint64_t now_ms = 1000;

    if (n == 0)
        return 0;
    floor_init(&l.floor, 0, &l.counts);
    l.floor.up = &core;
    l.floor.up_arg = &l;
    if (live_events_init(&l.events, &l.floor, &l.counts) == 0) {
        l.events.owner = &owner;
        l.events.arg = &l;
        while (p < end) {
            const char *nl = memchr(p, '\n', (size_t)(end - p));
            size_t line = nl ? (size_t)(nl - p) : (size_t)(end - p);
            char *copy = malloc(line + (line == 0)); /* exact: reading beyond it is seen */

            if (!copy)
                break;
            if (line > 0)
                memcpy(copy, p, line);
            feed(&l, copy, line, &now_ms);
            free(copy);
            p += line + (nl ? 1 : 0);
        }
        floor_over(&l.floor, now_ms);
    }
    live_events_fini(&l.events);
    floor_fini(&l.floor);
    return 0;
}
