/* SPDX-License-Identifier: Apache-2.0 */
/* fake_call.c - the call's surroundings (script, records, tap, clock), and what the tests ask of them. */
#include "fake_call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fake_note(struct fake *f, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(f->log + f->n_log, FAKE_LOG - f->n_log, fmt, ap);
    va_end(ap);
    if (n > 0 && f->n_log + (size_t)n + 1 < FAKE_LOG) {
        f->n_log += (size_t)n;
        f->log[f->n_log++] = ' ';
        f->log[f->n_log] = '\0';
    }
}

/* --- surroundings --- */

static uint64_t fake_now_us(void *arg)
{
    return ((struct fake *)arg)->now_us;
}

static int on_agent(void *arg, const struct agent_event *e)
{
    static const char *const names[] = {
        [AGENT_STARTED] = "started",   [AGENT_UTTERANCE] = "utterance",
        [AGENT_SAID] = "said",         [AGENT_TOOL_CALL] = "tool_call",
        [AGENT_DTMF] = "dtmf",         [AGENT_SILENCE] = "silence",
        [AGENT_TRANSFER] = "transfer", [AGENT_AWAY] = "away",
        [AGENT_LOOK] = "look",         [AGENT_ENDED] = "ended"};
    struct fake *f = arg;

    if (f->agent_rc && e->type != AGENT_ENDED && e->type != AGENT_AWAY)
        return f->agent_rc;
    if (e->type == AGENT_DTMF)
        (void)rd_str_copy(f->last_key, sizeof(f->last_key), e->text);
    fake_note(f, "agent:%s", names[e->type]);
    return 0;
}

static void on_record(void *arg, const struct record *r)
{
    struct fake *f = arg;
    size_t n = strlen(f->turns);

    if (r->type == RECORD_TURN)
        (void)snprintf(f->turns + n, sizeof(f->turns) - n, "%s: %.*s%s%s%s%.*s|",
                       r->role == PROVIDER_CALLER ? "caller" : "agent", (int)r->text.n, r->text.p,
                       r->withheld ? r->withheld : "", r->interrupted ? "-" : "",
                       r->said.n ? " said " : "", (int)r->said.n, r->said.p);
    if (r->type == RECORD_TURN && r->wait.known)
        f->wait = r->wait;
    if (r->type == RECORD_USAGE)
        f->billed_seconds += r->usage->seconds;
    if (r->type == RECORD_USAGE)
        (void)rd_str_copy(f->billed_item, sizeof(f->billed_item), r->id);
    if (r->type == RECORD_USAGE && r->said.n > 0)
        fake_note(f, "cut off:%.*s", (int)r->said.n, r->said.p);
    if (r->type == RECORD_NOTICE) {
        (void)rd_str_copy(f->notice, sizeof(f->notice), r->text);
        fake_note(f, "record:notice");
    }
    if (r->type == RECORD_PAUSE)
        fake_note(f, "record:pause:%s:%.*s", r->on ? "on" : "off", (int)r->name.n, r->name.p);
    if (r->type == RECORD_DTMF)
        fake_note(f, "record:dtmf:%.*s", (int)r->text.n, r->text.p);
    if (r->type == RECORD_RESUMED)
        fake_note(f, "resumed:%.*s:%u:%u", (int)r->text.n, r->text.p, r->gap_ms, r->attempt);
    if (r->type == RECORD_NAMED)
        fake_note(f, "named:%.*s:%.*s", (int)r->name.n, r->name.p, (int)r->id.n, r->id.p);
    if (r->type == RECORD_FAILOVER) {
        fake_note(f, "failover:%.*s:%.*s", (int)r->name.n, r->name.p, (int)r->id.n, r->id.p);
        (void)rd_str_copy(f->last_text, sizeof(f->last_text), r->text);
    }
    if (r->type == RECORD_ENDED) {
        f->totals = *r->totals;
        fake_note(f, "record:ended");
    }
    if (r->type == RECORD_BARGE_IN)
        fake_note(f, "record:barge_in");
    if (r->type == RECORD_TRANSFER)
        fake_note(f, "transfer:%s:%.*s", r->id.p, (int)r->name.n, r->name.p);
    if (r->type == RECORD_TRANSFER)
        (void)rd_str_copy(f->last_text, sizeof(f->last_text), r->text);
}

/* --- the tap --- */

static void tap_begin(void *arg, uint32_t at_ms)
{
    (void)at_ms;
    fake_note(arg, "tap:begin");
}

static void tap_caller(void *arg, uint32_t at_ms, const struct audio_span *a)
{
    (void)at_ms;
    ((struct fake *)arg)->kept_caller_bytes += a->n_bytes;
}

static void tap_agent(void *arg, const struct audio_span *a)
{
    ((struct fake *)arg)->kept_agent_bytes += a->n_bytes;
}

static void tap_cleared(void *arg)
{
    fake_note(arg, "tap:cleared");
}

static void tap_pause(void *arg, bool on)
{
    fake_note(arg, on ? "tap:pause" : "tap:resume");
}

static void on_timer(void *arg, uint64_t at_ms)
{
    ((struct fake *)arg)->timer_ms = at_ms;
}

static void on_closing(void *arg, enum call_end_reason why)
{
    fake_note(arg, "closing:%s", call_end_name(why));
}

static void on_ended(void *arg, enum call_end_reason why)
{
    struct fake *f = arg;

    fake_note(f, "ended:%s", call_end_name(why));
    f->call = NULL;
}

/* --- the story --- */

struct brief fake_brief(void)
{
    return (struct brief){.refs = 1,
                          .agent = "test",
                          .version = "v1",
                          .model = "",
                          .voice = "marin",
                          .instructions = "Be kind.",
                          .language = "en",
                          .tools_json = "[]",
                          .opening = "Hello, this is a test.",
                          .notice = "",
                          .still_there = "Are you still there?",
                          .silence_bye = "Goodbye then.",
                          .moment = "One moment, please.",
                          .time_up = "Our time is up.",
                          .silence_ms = 10000,
                          .silence_times = 1,
                          .max_call_ms = 600000};
}

void fake_start(struct fake *f, struct brief *brief)
{
    static struct clock clock;
    static struct call_tap tap;
    struct call_opts o = {.call_sid = "CAfake",
                          .brief = brief,
                          .clock = &clock,
                          .carrier_ops = &fake_carrier,
                          .carrier = (struct carrier_leg *)(void *)f,
                          .agent = on_agent,
                          .record = on_record,
                          .tap = &tap,
                          .timer = on_timer,
                          .closing = on_closing,
                          .ended = on_ended,
                          .arg = f};

    memset(f, 0, sizeof(*f));
    f->now_us = 1000000000;
    f->legs_close_at_once = true;
    clock = (struct clock){.now_us = fake_now_us, .arg = f};
    tap = (struct call_tap){.begin = tap_begin,
                            .caller = tap_caller,
                            .agent = tap_agent,
                            .cleared = tap_cleared,
                            .pause = tap_pause,
                            .arg = f};
    if (call_new(&f->call, &o) == 0)
        call_set_provider(f->call, &fake_provider, (struct provider_leg *)(void *)f);
}

void fake_start_live(struct fake *f, struct brief *brief)
{
    fake_start(f, brief);
    call_provider_events.on_ready(f->call);
}

void fake_stop(struct fake *f)
{
    f->legs_close_at_once = true;
    if (f->call)
        call_end(f->call, CALL_END_SHUTDOWN);
}

static const char *find_word(const char *log, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = log; (p = strstr(p, word)); p++)
        if ((p == log || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
            return p;
    return NULL;
}

bool fake_did(const struct fake *f, const char *word)
{
    return find_word(f->log, word) != NULL;
}

unsigned fake_times(const struct fake *f, const char *word)
{
    unsigned n = 0;

    for (const char *p = f->log; (p = find_word(p, word)); p++)
        n++;
    return n;
}

bool fake_before(const struct fake *f, const char *first, const char *second)
{
    const char *a = find_word(f->log, first), *b = find_word(f->log, second);

    return a && b && a < b;
}

void fake_forget(struct fake *f)
{
    f->n_log = 0;
    f->log[0] = '\0';
}

void fake_pass(struct fake *f, uint64_t ms)
{
    uint64_t until_us = f->now_us + ms * 1000;

    while (f->call && f->timer_ms && f->timer_ms * 1000 <= until_us) {
        if (f->timer_ms * 1000 > f->now_us)
            f->now_us = f->timer_ms * 1000;
        f->timer_ms = 0;
        call_tick(f->call);
    }
    f->now_us = until_us;
}
