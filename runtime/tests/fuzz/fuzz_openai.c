/* SPDX-License-Identifier: Apache-2.0; module: providers */
/* fuzz_openai.c - anything at all, line by line, as server events of the Realtime API. What is told
 * to the call core is read to its last byte; a fifth of the inputs stop listening at some event, and of a
 * third the audio is PCM, in as many pieces as it comes. */
#include "media/base64.h"
#include "providers/openai/events.h"
#include "providers/openai/wire.h"

#include <stdlib.h>

struct listener {
    struct events events;
    struct openai_counts counts;
    unsigned told, stop_after;
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
    if (!l->events.up && l->stop_after)
        abort();
    if (++l->told == l->stop_after)
        l->events.up = NULL;
}

static void on_ready(void *arg)
{
    (void)arg;
    abort(); /* the session's to tell, not the events' */
}

static void on_audio(void *arg, const struct provider_item *it, const struct audio_span *a)
{
    if (a->n_bytes == 0 || a->n_bytes > a->n_b64 / 4 * 3)
        abort();
    if (base64_check(a->b64, a->n_b64) != a->n_bytes)
        abort();
    read_all(arg, it->response_id);
    read_all(arg, it->item_id);
    read_all(arg, (struct rd_str){a->b64, a->n_b64});
    told(arg);
}

static void on_audio_done(void *arg, const struct provider_item *it)
{
    read_all(arg, it->item_id);
    told(arg);
}

static void on_speech(void *arg, uint32_t at_ms, struct rd_str item_id)
{
    (void)at_ms;
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
    if (w->failed && !w->final)
        abort();
    read_all(arg, w->item_id);
    read_all(arg, w->text);
    told(arg);
}

static void on_tool_call(void *arg, const struct provider_tool_call *t)
{
    if (t->call_id.n == 0)
        abort();
    read_all(arg, t->call_id);
    read_all(arg, t->name);
    read_all(arg, t->arguments);
    told(arg);
}

static void on_response(void *arg, const struct provider_response *r)
{
    if (r->usage.text_in_cached > r->usage.text_in || r->usage.audio_in_cached > r->usage.audio_in)
        abort();
    read_all(arg, r->response_id);
    read_all(arg, r->raw_usage);
    read_all(arg, r->error_code);
    read_all(arg, r->error_message);
    told(arg);
}

static void on_usage(void *arg, const struct provider_usage *u, struct rd_str raw)
{
    if (!(u->seconds >= 0))
        abort();
    read_all(arg, raw);
    told(arg);
}

static void on_expiry(void *arg, uint64_t in_ms)
{
    (void)in_ms;
    told(arg);
}

static const struct provider_events core = {
    .on_ready = on_ready,
    .on_expiry = on_expiry,
    .on_audio = on_audio,
    .on_audio_done = on_audio_done,
    .on_speech_started = on_speech,
    .on_speech_stopped = on_speech,
    .on_committed = on_committed,
    .on_placed = on_placed,
    .on_words = on_words,
    .on_tool_call = on_tool_call,
    .on_response = on_response,
    .on_usage = on_usage,
};

static void on_session(void *arg, bool updated, struct rd_str id, uint64_t expires_unix_s)
{
    (void)updated, (void)expires_unix_s;
    read_all(arg, id);
}

static void on_error(void *arg, const struct openai_error *e)
{
    uint32_t tag = wire_respond_tag(e->event_id);
    struct verdict v = verdict_of_error(e, (e->message.n & 1) != 0);

    if (v.kind == VERDICT_FATAL && !v.fix)
        abort(); /* whoever is refused is told what to do */
    prompts_refused(&((struct listener *)arg)->events.prompts, tag);
    read_all(arg, e->message);
    read_all(arg, e->param);
    read_all(arg, rd_str(v.code));
}

static bool is_sane(const struct provider_limit *l)
{
    return l->remaining <= l->limit && l->reset_ms <= 3600000;
}

static void on_limits(void *arg, const struct provider_limits *l)
{
    (void)arg;
    if (!is_sane(&l->requests) || !is_sane(&l->tokens))
        abort();
}

static const struct events_owner owner = {
    .on_session = on_session,
    .on_limits = on_limits,
    .on_error = on_error,
    .on_failed = on_error,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct listener l = {.stop_after = n % 5 == 0 ? (unsigned)(n % 7) : 0};
    const char *p = (const char *)data, *end = p + n;

    if (n == 0 || events_init(&l.events, &owner, &l, &l.counts))
        return 0;
    l.events.pcm = n % 3 == 0 ? pcm_new() : NULL;
    l.events.up = &core;
    l.events.up_arg = &l;
    for (uint32_t tag = 1; tag <= 4; tag++)
        prompts_asked(&l.events.prompts, (struct prompt){tag, tag % 2 == 0});
    while (p < end) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        size_t line = nl ? (size_t)(nl - p) : (size_t)(end - p);
        char *copy = malloc(line + (line == 0)); /* exact, so that reading beyond it is seen */

        if (!copy)
            break;
        if (line > 0)
            memcpy(copy, p, line);
        (void)events_feed(&l.events, (struct rd_str){copy, line});
        free(copy);
        p += line + (nl ? 1 : 0);
    }
    pcm_free(l.events.pcm);
    events_fini(&l.events);
    return 0;
}
