/* SPDX-License-Identifier: Apache-2.0 */
/* fake_legs.c - both legs of the fake call, in memory: what the core sends is written down, and closing
 * is answered at once unless a test says otherwise. */
#include "fake_call.h"

#include "base/err.h"
#include "media/base64.h"
#include "media/g711.h"

#include <stdio.h>
#include <string.h>

/* The legs are the fake itself, under the names the ports give them. */
static struct fake *of_carrier(struct carrier_leg *leg)
{
    return (struct fake *)(void *)leg;
}

static struct fake *of_provider(struct provider_leg *leg)
{
    return (struct fake *)(void *)leg;
}

/* --- carrier --- */

static int carrier_audio(struct carrier_leg *leg, const struct audio_span *a)
{
    of_carrier(leg)->to_carrier_bytes += a->n_bytes;
    if (base64_check(a->b64, a->n_b64) != (ssize_t)a->n_bytes)
        fake_note(of_carrier(leg), "BAD_BASE64");
    fake_note(of_carrier(leg), "play:%u", a->n_bytes);
    return 0;
}

static int carrier_mark(struct carrier_leg *leg, const struct carrier_mark *m)
{
    struct fake *f = of_carrier(leg);

    if (f->n_marks < FAKE_MARKS)
        f->marks[f->n_marks++] = *m;
    return 0;
}

static int carrier_clear(struct carrier_leg *leg)
{
    fake_note(of_carrier(leg), "clear");
    return 0;
}

static void carrier_close(struct carrier_leg *leg)
{
    struct fake *f = of_carrier(leg);

    fake_note(f, "carrier_close");
    if (f->legs_close_at_once)
        call_carrier_events.on_end(f->call, LEG_CLOSED_BY_US);
}

static void carrier_abort(struct carrier_leg *leg)
{
    fake_note(of_carrier(leg), "carrier_abort");
    call_carrier_events.on_end(of_carrier(leg)->call, LEG_CLOSED_BY_US);
}

const struct carrier_ops fake_carrier = {.name = "fake",
                                         .formats = AUDIO_PCMU,
                                         .audio = carrier_audio,
                                         .mark = carrier_mark,
                                         .clear = carrier_clear,
                                         .close = carrier_close,
                                         .abort = carrier_abort};

/* --- provider --- */

static bool is_silence(const struct audio_span *a)
{
    uint8_t bytes[1024];
    ssize_t n = a->n_bytes < sizeof(bytes) ? base64_decode(bytes, a->b64, a->n_b64) : 0;

    for (ssize_t i = 0; i < n; i++)
        if (bytes[i] != G711_ULAW_SILENCE)
            return false;
    return n > 0;
}

static int provider_audio(struct provider_leg *leg, const struct audio_span *a)
{
    of_provider(leg)->provider_hears_silence = is_silence(a);
    of_provider(leg)->to_provider_bytes += a->n_bytes;
    if (base64_check(a->b64, a->n_b64) != (ssize_t)a->n_bytes)
        fake_note(of_provider(leg), "BAD_BASE64");
    return 0;
}

static int provider_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    struct fake *f = of_provider(leg);
    struct rd_str words = p->exact_words.n ? p->exact_words : p->instructions;

    if (p->out_of_band)
        f->aside_tag = p->tag;
    else
        f->asked_tag = p->tag;
    if (p->tag == 0)
        fake_note(f, "NO_TAG");
    if (words.n > 0)
        (void)rd_str_copy(f->last_text, sizeof(f->last_text), words);
    fake_note(f, p->out_of_band      ? "aside"
                 : p->exact_words.n  ? "say"
                 : p->instructions.n ? "instruct"
                                     : "respond");
    return 0;
}

static int provider_cancel(struct provider_leg *leg, struct rd_str id)
{
    fake_note(of_provider(leg), "cancel:%.*s", (int)id.n, id.p);
    return 0;
}

static int provider_truncate(struct provider_leg *leg, struct rd_str item, uint32_t part,
                             uint32_t ms)
{
    (void)part;
    if (of_provider(leg)->sessions > 0 && (item.n < 2 || item.p[1] != '.'))
        return RD_EGONE;
    of_provider(leg)->truncated_at_ms = ms;
    fake_note(of_provider(leg), "truncate:%.*s:%u", (int)item.n, item.p, ms);
    return 0;
}

static int provider_tool_result(struct provider_leg *leg, struct rd_str id, struct rd_str output)
{
    struct fake *f = of_provider(leg);

    (void)rd_str_copy(f->last_text, sizeof(f->last_text), output);
    fake_note(f, "result:%.*s", (int)id.n, id.p);
    return 0;
}

static int provider_note(struct provider_leg *leg, struct rd_str text)
{
    struct fake *f = of_provider(leg);

    (void)rd_str_copy(f->last_text, sizeof(f->last_text), text);
    fake_note(f, "note");
    return 0;
}

static int provider_remember(struct provider_leg *leg, const struct history_item *it)
{
    static const char *const who[] = {"caller", "agent", "tool"};
    struct fake *f = of_provider(leg);
    size_t n = strlen(f->told);

    if (it->kind == HISTORY_TOOL && !it->has_output)
        return 0;
    (void)snprintf(f->told + n, sizeof(f->told) - n, "%s: %.*s%s%.*s|", who[it->kind],
                   (int)it->text.n, it->text.p, it->kind == HISTORY_TOOL ? " -> " : "",
                   (int)it->output.n, it->output.p ? it->output.p : "");
    return 0;
}

static void provider_set_events(struct provider_leg *leg, const struct provider_events *ev,
                                void *arg)
{
    (void)arg;
    of_provider(leg)->next = ev;
}

static void provider_forget(struct provider_leg *leg)
{
    fake_note(of_provider(leg), "forget");
}

static struct provider_leg *reopen(void *arg, const struct provider_ops **ops,
                                   const struct provider_events *ev, struct call *c)
{
    struct fake *f = arg;

    (void)c;
    fake_note(f, f->failed_over ? "open_other" : "open");
    *ops = f->failed_over ? &fake_other : &fake_provider;
    if (f->no_more_legs)
        return NULL;
    f->sessions++;
    f->next = ev;
    return (struct provider_leg *)(void *)f;
}

static struct provider_leg *other(void *arg, const struct provider_ops **ops,
                                  const struct provider_events *ev, struct call *c)
{
    struct fake *f = arg;

    if (f->failed_over)
        return NULL;
    f->failed_over = true;
    return reopen(arg, ops, ev, c);
}

void fake_can_fail_over(struct fake *f)
{
    f->call->o.reopen = reopen;
    f->call->o.other = other;
}

void fake_can_reopen(struct fake *f)
{
    f->call->o.reopen = reopen;
}

void fake_next_ready(struct fake *f)
{
    f->told[0] = '\0';
    f->next->on_ready(f->call);
}

void fake_next_expires(struct fake *f, uint64_t in_ms)
{
    f->next->on_expiry(f->call, in_ms);
}

static void provider_close(struct provider_leg *leg)
{
    struct fake *f = of_provider(leg);

    fake_note(f, "provider_close");
    if (f->legs_close_at_once)
        call_provider_events.on_end(f->call, LEG_CLOSED_BY_US);
}

static void provider_abort(struct provider_leg *leg)
{
    fake_note(of_provider(leg), "provider_abort");
    call_provider_events.on_end(of_provider(leg)->call, LEG_CLOSED_BY_US);
}

const struct provider_ops fake_provider = {.name = "fake",
                                           .caps = {.client_truncation = true,
                                                    .turn_events = true,
                                                    .exact_words = true,
                                                    .resumable = true,
                                                    .formats = AUDIO_PCMU | AUDIO_PCM16_24K},
                                           .audio = provider_audio,
                                           .respond = provider_respond,
                                           .cancel = provider_cancel,
                                           .truncate = provider_truncate,
                                           .tool_result = provider_tool_result,
                                           .note = provider_note,
                                           .remember = provider_remember,
                                           .set_events = provider_set_events,
                                           .forget = provider_forget,
                                           .close = provider_close,
                                           .abort = provider_abort};

const struct provider_ops fake_other = {.name = "other",
                                        .caps = {.client_truncation = true,
                                                 .turn_events = true,
                                                 .exact_words = true,
                                                 .own_voice = true,
                                                 .slow_start = true,
                                                 .billing_unit = PROVIDER_BILLS_SECONDS,
                                                 .formats = AUDIO_PCMU},
                                        .audio = provider_audio,
                                        .respond = provider_respond,
                                        .cancel = provider_cancel,
                                        .truncate = provider_truncate,
                                        .tool_result = provider_tool_result,
                                        .note = provider_note,
                                        .remember = provider_remember,
                                        .set_events = provider_set_events,
                                        .forget = provider_forget,
                                        .close = provider_close,
                                        .abort = provider_abort};
