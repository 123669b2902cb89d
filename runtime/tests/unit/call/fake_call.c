/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_call.h"

#include "base/err.h"
#include "media/base64.h"

#include <stdarg.h>
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

static void note(struct fake *f, const char *fmt, ...)
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

/* --- carrier --- */

static int carrier_audio(struct carrier_leg *leg, const struct audio_span *a)
{
    of_carrier(leg)->to_carrier_bytes += a->n_bytes;
    if (base64_check(a->b64, a->n_b64) != (ssize_t)a->n_bytes)
        note(of_carrier(leg), "BAD_BASE64");
    note(of_carrier(leg), "play:%u", a->n_bytes);
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
    note(of_carrier(leg), "clear");
    return 0;
}

static void carrier_close(struct carrier_leg *leg)
{
    struct fake *f = of_carrier(leg);

    note(f, "carrier_close");
    if (f->legs_close_at_once)
        call_carrier_events.on_end(f->call, LEG_CLOSED_BY_US);
}

static void carrier_abort(struct carrier_leg *leg)
{
    note(of_carrier(leg), "carrier_abort");
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
    size_t n = 0;

    while (n < a->n_b64 && a->b64[n] == '/')
        n++;
    return n == a->n_b64;
}

static int provider_audio(struct provider_leg *leg, const struct audio_span *a)
{
    of_provider(leg)->provider_hears_silence = is_silence(a);
    of_provider(leg)->to_provider_bytes += a->n_bytes;
    if (base64_check(a->b64, a->n_b64) != (ssize_t)a->n_bytes)
        note(of_provider(leg), "BAD_BASE64");
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
        note(f, "NO_TAG");
    if (words.n > 0)
        (void)rd_str_copy(f->last_text, sizeof(f->last_text), words);
    note(f, p->out_of_band      ? "aside"
            : p->exact_words.n  ? "say"
            : p->instructions.n ? "instruct"
                                : "respond");
    return 0;
}

static int provider_cancel(struct provider_leg *leg, struct rd_str id)
{
    note(of_provider(leg), "cancel:%.*s", (int)id.n, id.p);
    return 0;
}

static int provider_truncate(struct provider_leg *leg, struct rd_str item, uint32_t part,
                             uint32_t ms)
{
    (void)part;
    if (of_provider(leg)->sessions > 0 && (item.n < 2 || item.p[1] != '.'))
        return RD_EGONE;
    of_provider(leg)->truncated_at_ms = ms;
    note(of_provider(leg), "truncate:%.*s:%u", (int)item.n, item.p, ms);
    return 0;
}

static int provider_tool_result(struct provider_leg *leg, struct rd_str id, struct rd_str output)
{
    struct fake *f = of_provider(leg);

    (void)rd_str_copy(f->last_text, sizeof(f->last_text), output);
    note(f, "result:%.*s", (int)id.n, id.p);
    return 0;
}

static int provider_note(struct provider_leg *leg, struct rd_str text)
{
    struct fake *f = of_provider(leg);

    (void)rd_str_copy(f->last_text, sizeof(f->last_text), text);
    note(f, "note");
    return 0;
}

static int provider_remember(struct provider_leg *leg, const struct history_item *it)
{
    static const char *const who[] = {"caller", "agent", "tool"};
    struct fake *f = of_provider(leg);
    size_t n = strlen(f->told);

    if (it->kind == HISTORY_TOOL && it->outcome == HISTORY_RUNNING)
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
    note(of_provider(leg), "forget");
}

static struct provider_leg *reopen(void *arg, const struct provider_ops **ops,
                                   const struct provider_events *ev, struct call *c)
{
    struct fake *f = arg;

    (void)c;
    note(f, "open");
    *ops = &fake_provider;
    if (f->no_more_legs)
        return NULL;
    f->sessions++;
    f->next = ev;
    return (struct provider_leg *)(void *)f;
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

    note(f, "provider_close");
    if (f->legs_close_at_once)
        call_provider_events.on_end(f->call, LEG_CLOSED_BY_US);
}

static void provider_abort(struct provider_leg *leg)
{
    note(of_provider(leg), "provider_abort");
    call_provider_events.on_end(of_provider(leg)->call, LEG_CLOSED_BY_US);
}

const struct provider_ops fake_provider = {.name = "fake",
                                           .caps = {.client_truncation = true,
                                                    .turn_events = true,
                                                    .exact_words = true,
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
    note(f, "agent:%s", names[e->type]);
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
    if (r->type == RECORD_NOTICE) {
        (void)rd_str_copy(f->notice, sizeof(f->notice), r->text);
        note(f, "record:notice");
    }
    if (r->type == RECORD_PAUSE)
        note(f, "record:pause:%s:%.*s", r->on ? "on" : "off", (int)r->name.n, r->name.p);
    if (r->type == RECORD_DTMF)
        note(f, "record:dtmf:%.*s", (int)r->text.n, r->text.p);
    if (r->type == RECORD_RESUMED)
        note(f, "resumed:%.*s:%u:%u", (int)r->text.n, r->text.p, r->gap_ms, r->attempt);
    if (r->type == RECORD_ENDED) {
        f->totals = *r->totals;
        note(f, "record:ended");
    }
    if (r->type == RECORD_BARGE_IN)
        note(f, "record:barge_in");
    if (r->type == RECORD_TRANSFER)
        note(f, "transfer:%s:%.*s", r->id.p, (int)r->name.n, r->name.p);
    if (r->type == RECORD_TRANSFER)
        (void)rd_str_copy(f->last_text, sizeof(f->last_text), r->text);
}

/* --- the tap --- */

static void tap_begin(void *arg, uint32_t at_ms)
{
    (void)at_ms;
    note(arg, "tap:begin");
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
    note(arg, "tap:cleared");
}

static void tap_pause(void *arg, bool on)
{
    note(arg, on ? "tap:pause" : "tap:resume");
}

static void on_timer(void *arg, uint64_t at_ms)
{
    ((struct fake *)arg)->timer_ms = at_ms;
}

static void on_closing(void *arg, enum call_end_reason why)
{
    note(arg, "closing:%s", call_end_name(why));
}

static void on_ended(void *arg, enum call_end_reason why)
{
    struct fake *f = arg;

    note(f, "ended:%s", call_end_name(why));
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

struct audio_span fake_span(uint32_t n_bytes)
{
    static char whole[21600], text[21600];
    uint8_t bytes[300];
    uint32_t n_tail = n_bytes % 3;
    size_t n_head = n_bytes / 3 * 4;

    memset(bytes, 0x7F, sizeof(bytes));
    for (size_t i = 0; whole[sizeof(whole) - 1] == '\0' && i + 400 <= sizeof(whole); i += 400)
        (void)base64_encode(whole + i, bytes, 300);
    memcpy(text, whole, n_head);
    return (struct audio_span){.b64 = text,
                               .n_b64 = n_head + base64_encode(text + n_head, bytes, n_tail),
                               .n_bytes = n_bytes};
}

void fake_caller_frame(struct fake *f, uint32_t at_ms)
{
    struct audio_span a = fake_span(160);

    call_carrier_events.on_audio(f->call, &a, at_ms);
}

void fake_caller_starts(struct fake *f)
{
    call_provider_events.on_speech_started(f->call, 0, RD_STR("u"));
}

void fake_caller_stops(struct fake *f)
{
    call_provider_events.on_speech_stopped(f->call, 0, RD_STR("u"));
}

void fake_item(struct fake *f, const char *item, const char *previous, enum provider_role role)
{
    struct provider_placed p = {
        .item_id = rd_str(item), .previous_id = rd_str(previous), .role = role};

    call_provider_events.on_placed(f->call, &p);
}

void fake_caller_said(struct fake *f, const char *item, const char *previous, const char *words)
{
    struct provider_words w = {
        .item_id = rd_str(item), .role = PROVIDER_CALLER, .text = rd_str(words), .final = true};

    fake_item(f, item, previous, PROVIDER_CALLER);
    call_provider_events.on_words(f->call, &w);
}

static void response(struct fake *f, const char *id, enum provider_response_state s, uint32_t tag,
                     bool aside)
{
    struct provider_response r = {
        .response_id = rd_str(id), .tag = tag, .state = s, .out_of_band = aside};

    call_provider_events.on_response(f->call, &r);
}

void fake_response_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, f->asked_tag, false);
    f->asked_tag = 0;
}

void fake_own_turn_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, 0, false);
}

void fake_aside_starts(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_STARTED, f->aside_tag, true);
}

void fake_response_ends(struct fake *f, const char *id, enum provider_response_state s)
{
    response(f, id, s, 0, false);
}

void fake_limited(struct fake *f, const char *id)
{
    struct provider_response r = {.response_id = rd_str(id),
                                  .state = PROVIDER_RESPONSE_FAILED,
                                  .error_code = RD_STR("rate_limit_exceeded"),
                                  .limited = true};

    call_provider_events.on_response(f->call, &r);
}

void fake_aside_ends(struct fake *f, const char *id)
{
    response(f, id, PROVIDER_RESPONSE_COMPLETED, 0, true);
}

void fake_agent_audio(struct fake *f, const char *response_id, const char *item, uint32_t ms)
{
    struct provider_item it = {.response_id = rd_str(response_id), .item_id = rd_str(item)};
    struct audio_span a = fake_span(ms * 8);

    call_provider_events.on_audio(f->call, &it, &a);
}

void fake_agent_audio_done(struct fake *f, const char *response_id, const char *item)
{
    struct provider_item it = {.response_id = rd_str(response_id), .item_id = rd_str(item)};

    call_provider_events.on_audio_done(f->call, &it);
}

void fake_agent_words(struct fake *f, const char *item, const char *words, bool final)
{
    struct provider_words w = {
        .item_id = rd_str(item), .role = PROVIDER_AGENT, .text = rd_str(words), .final = final};

    call_provider_events.on_words(f->call, &w);
}

void fake_tool_call(struct fake *f, const char *id, const char *name, const char *arguments)
{
    struct provider_tool_call t = {
        .call_id = rd_str(id), .name = rd_str(name), .arguments = rd_str(arguments)};

    call_provider_events.on_tool_call(f->call, &t);
}

void fake_marks_return(struct fake *f, uint32_t n)
{
    while (n-- > 0 && f->n_marks > 0 && f->call) {
        struct carrier_mark m = f->marks[0];

        memmove(&f->marks[0], &f->marks[1], --f->n_marks * sizeof(m));
        call_carrier_events.on_mark(f->call, &m);
    }
}

void fake_carrier_ends(struct fake *f, enum leg_end why)
{
    call_carrier_events.on_end(f->call, why);
}

void fake_provider_ends(struct fake *f, enum leg_end why)
{
    call_provider_events.on_end(f->call, why);
}

void fake_error(struct fake *f, const char *code, bool busy, bool benign, bool fatal)
{
    struct provider_error e = {
        .code = rd_str(code), .busy = busy, .benign = benign, .fatal = fatal};

    call_provider_events.on_error(f->call, &e);
}

void fake_refused(struct fake *f, uint32_t tag, bool busy)
{
    struct provider_error e = {.code = RD_STR("refused"), .tag = tag, .busy = busy};

    call_provider_events.on_error(f->call, &e);
}

/* The opening was generated, played and heard; the caller's turn. */
void fake_greet(struct fake *f, struct brief *brief)
{
    fake_start_live(f, brief);
    fake_response_starts(f, "r1");
    fake_item(f, "a1", "", PROVIDER_AGENT);
    fake_agent_audio(f, "r1", "a1", 600);
    fake_agent_words(f, "a1", "Hello, this is a test.", true);
    fake_agent_audio_done(f, "r1", "a1");
    fake_response_ends(f, "r1", PROVIDER_RESPONSE_COMPLETED);
    fake_pass(f, 600);
    fake_marks_return(f, 100);
    fake_forget(f);
}

void fake_caller_asks(struct fake *f, const char *item, const char *previous, const char *words)
{
    fake_caller_starts(f);
    fake_caller_stops(f);
    fake_caller_said(f, item, previous, words);
}
