/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one call's leg to GPT-Live.
 *
 *   DIALLING --open, session.start--> ASKED --session.started--> READY --close--> CLOSING --closed--> freed
 *
 *   floor.c    tells who speaks and what is said
 *   events.c   reads what the service sends
 *   close()    asks for session.closed, which has the seconds that are billed, and waits for it 1.5 s at most
 *
 * There is one way out: leg_closed() is the only one to call on_end, always from the loop.
 *   - no session.started in time, a connection that breaks: LEG_LOST
 *   - GPT-Live failed too often lately (observe/targets.h): no dial, the call hears so at once
 *   - key, model, quota, settings refused: on_error with the remedy, then LEG_REFUSED
 *   - session.closed that we did not ask for: LEG_CLOSED_BY_PEER, and the call may have another session
 *   - after close() nothing is told but on_usage and on_end */
#include "providers/live/live.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "io/ws.h"
#include "observe/catalogue.h"
#include "observe/targets.h"
#include "providers/live/events.h"
#include "providers/live/floor.h"
#include "providers/live/pool.h"
#include "providers/live/wire.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CALL_CHARS = 64,
    CODE_CHARS = 64,
    MESSAGE_CHARS = 200,
    DEFAULT_TIMEOUT_MS = 4000,
    CLOSE_MS = 1500,  /* for session.closed */
    USAGE_MS = 30000, /* between two that are told */
    CONTINUED_MS =
        4000, /* the backend goes on with what a tool returned: nothing else is asked for */
    OUT_MAX = 512 * 1024,
    USUAL_OUT_BYTES = 4096,
    ERRORS_TOLD = 10
};

enum leg_state { LEG_DIALLING, LEG_ASKED, LEG_READY, LEG_CLOSING };

struct provider_leg {
    struct live_pool *pool; /* borrows; NULL once it is freed */
    struct live_link link;
    const struct provider_events *ev; /* borrows */
    void *arg;
    struct ws *ws;            /* owns; NULL: not dialled, or gone: the timer brings the end */
    struct loop_timer *timer; /* owns: the start's deadline, then that of floor.c, then the end's */
    uint32_t ticket;          /* of the dial, until the breaker was told how it went */
    enum leg_state state;
    enum leg_end end; /* why, once CLOSING */
    uint64_t armed_ms, continued_ms, usage_ms;
    double seconds, told_seconds; /* of the session, as the service says; and as the core knows */
    unsigned errors_told;
    char call[CALL_CHARS]; /* the carrier's id, for the log */
    char id[LIVE_ID_CHARS];
    struct buf start, out, past; /* own: session.start; the event being written; a text for it */
    struct floor floor;
    struct live_events events;
    struct live_counts counts; /* once the pool is gone */
};

struct live_link *live_leg_link(struct provider_leg *leg)
{
    return &leg->link;
}

const void *live_leg_arg(const struct provider_leg *leg)
{
    return leg->arg;
}

void live_leg_orphan(struct provider_leg *leg)
{
    leg->pool = NULL;
    leg->floor.counts = leg->events.counts = &leg->counts;
}

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* --- the end --- */

static void leg_free(struct provider_leg *leg)
{
    if (leg->pool)
        live_pool_leave(leg->pool, leg);
    loop_timer_free(leg->timer);
    live_events_fini(&leg->events);
    floor_fini(&leg->floor);
    buf_fini(&leg->start);
    buf_fini(&leg->out);
    buf_fini(&leg->past);
    free(leg);
}

static void leg_tell_target(struct provider_leg *leg, enum breaker_result r, const char *why)
{
    if (leg->ticket)
        target_tell(LIVE_TARGET, leg->ticket, r, why, now_ms());
    leg->ticket = 0;
}

/* What was not told yet of the seconds. */
static void tell_seconds(struct provider_leg *leg)
{
    struct provider_usage u = {.seconds = leg->seconds - leg->told_seconds};
    char raw[96];

    if (u.seconds <= 0)
        return;
    (void)snprintf(raw, sizeof(raw), "{\"seconds\":%.3f,\"session_seconds\":%.3f}", u.seconds,
                   leg->seconds);
    leg->told_seconds = leg->seconds;
    leg->usage_ms = now_ms();
    leg->ev->on_usage(leg->arg, &u, rd_str(raw));
}

/* From here on only the seconds and on_end are told. */
static void leg_stop(struct provider_leg *leg, enum leg_end end)
{
    leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
    leg->state = LEG_CLOSING;
    leg->end = end;
    leg->floor.up = NULL;
    loop_timer_stop(leg->timer);
}

/* Call with the connection gone, from the loop. */
static void leg_closed(struct provider_leg *leg)
{
    tell_seconds(leg);
    leg->ev->on_end(leg->arg, leg->end);
    leg_free(leg);
}

static void leg_end_soon(struct provider_leg *leg)
{
    if (leg->ws)
        ws_drop(leg->ws);
    else
        loop_timer_in(leg->timer, 0);
}

static const char *fix_of(const char *code)
{
    const char *fix = catalogue_fix("live.", code);

    return fix ? fix : catalogue_fix("openai.", code);
}

/* It could not be begun, or cannot go on. What is refused may be this agent's fault, which is no reason to
 * keep others from trying. */
static void leg_fail(struct provider_leg *leg, enum leg_end end, const char *code,
                     struct rd_str message)
{
    bool refused = end == LEG_REFUSED, quiet = strcmp(code, "invalid_api_key") == 0;
    struct provider_error e = {.code = rd_str(code),
                               .message = quiet ? RD_STR("") : message,
                               .fatal = refused,
                               .fix = fix_of(code)};
    char text[MESSAGE_CHARS];

    (void)rd_str_copy(text, sizeof(text), e.message);
    leg_tell_target(leg, refused ? BREAKER_UNKNOWN : BREAKER_FAILED, code);
    leg->floor.counts->errors++;
    LOG_(refused ? LOG_ERROR : LOG_WARN, refused ? "live.refused" : "live.lost", F_CALL(leg->call),
         F_STR("code", code), F_STR("session", leg->id), F_STR("message", text),
         F_FIX(e.fix ? e.fix : catalogue_fix("live.", refused ? "refused" : "lost")));
    leg_stop(leg, end);
    leg_end_soon(leg);
    leg->ev->on_error(leg->arg, &e);
}

/* --- time --- */

static void arm(struct provider_leg *leg)
{
    uint64_t at_ms = floor_due_ms(&leg->floor, now_ms());

    if (leg->state != LEG_READY || at_ms == leg->armed_ms)
        return;
    leg->armed_ms = at_ms;
    if (at_ms)
        loop_timer_at(leg->timer, at_ms);
    else
        loop_timer_stop(leg->timer);
}

static void on_timer(void *arg)
{
    struct provider_leg *leg = arg;

    leg->armed_ms = 0;
    if (leg->state == LEG_CLOSING) {
        if (!leg->ws)
            leg_closed(leg);
        else
            ws_close(leg->ws, 1000, "");
    } else if (leg->state == LEG_READY) {
        floor_tick(&leg->floor, now_ms());
        arm(leg);
    } else {
        leg_fail(leg, LEG_LOST, "timeout", RD_STR("no session.started in time"));
    }
}

/* --- what the service says of the session --- */

static void on_started(void *arg, struct rd_str id, uint64_t expires_unix_s)
{
    struct provider_leg *leg = arg;
    uint64_t now = (uint64_t)unix_ms();

    if (leg->state != LEG_ASKED)
        return;
    leg->state = LEG_READY;
    loop_timer_stop(leg->timer);
    (void)rd_str_copy(leg->id, sizeof(leg->id), id);
    buf_fini(&leg->start);
    leg_tell_target(leg, BREAKER_WORKED, NULL);
    leg->usage_ms = now_ms();
    log_debug("live.ready", F_CALL(leg->call), F_STR("session", leg->id));
    leg->ev->on_named(leg->arg, rd_str(leg->id));
    if (leg->state == LEG_READY && expires_unix_s > 0 && expires_unix_s < UINT64_MAX / 1000 &&
        expires_unix_s * 1000 > now)
        leg->ev->on_expiry(leg->arg, expires_unix_s * 1000 - now);
    if (leg->state == LEG_READY)
        leg->ev->on_ready(leg->arg);
}

/* They come as often as the service likes; a record of each would be too many. */
static void on_seconds(void *arg, double seconds)
{
    struct provider_leg *leg = arg;

    if (seconds > leg->seconds)
        leg->seconds = seconds;
    if (leg->state == LEG_READY && now_ms() - leg->usage_ms >= USAGE_MS)
        tell_seconds(leg);
}

static void on_over(void *arg, struct rd_str reason)
{
    struct provider_leg *leg = arg;
    bool lost =
        rd_str_eq(reason, RD_STR("connection_lost")) || rd_str_eq(reason, RD_STR("remote_hangup"));
    char why[LIVE_ID_CHARS];

    if (leg->state == LEG_CLOSING) {
        loop_timer_stop(leg->timer);
        if (leg->ws)
            ws_close(leg->ws, 1000, "");
        return;
    }
    (void)rd_str_copy(why, sizeof(why), reason);
    log_info("live.ended", F_CALL(leg->call), F_STR("session", leg->id), F_STR("reason", why));
    if (leg->state != LEG_READY) {
        leg_fail(leg, LEG_LOST, "ended", rd_str(why));
        return;
    }
    floor_over(&leg->floor, now_ms());
    if (leg->state == LEG_CLOSING)
        return; /* whoever was told has closed it */
    leg_stop(leg, lost ? LEG_LOST : LEG_CLOSED_BY_PEER);
    ws_close(leg->ws, 1000, "");
}

/* Trying again changes nothing. */
static bool is_fatal(struct rd_str code)
{
    static const char *const codes[] = {
        "invalid_api_key",
        "account_deactivated",
        "insufficient_quota",
        "billing_hard_limit_reached",
        "model_not_found",
        "invalid_model",
        "unsupported_country_region_territory",
    };

    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (rd_str_eq(code, rd_str(codes[i])))
            return true;
    return false;
}

static void on_error(void *arg, const struct live_error *told)
{
    struct provider_leg *leg = arg;
    struct provider_error e = {.code = told->code.n > 0   ? told->code
                                       : told->type.n > 0 ? told->type
                                                          : RD_STR("error"),
                               .message = told->message};
    bool theirs = rd_str_eq(told->type, RD_STR("server_error"));
    char code[CODE_CHARS], text[MESSAGE_CHARS];

    if (leg->state == LEG_CLOSING)
        return;
    (void)rd_str_copy(code, sizeof(code), e.code);
    if (is_fatal(e.code) || (leg->state != LEG_READY && !theirs)) {
        leg_fail(leg, LEG_REFUSED, code, told->message);
        return;
    }
    if (leg->state != LEG_READY) {
        leg_fail(leg, LEG_LOST, code, told->message);
        return;
    }
    leg->floor.counts->errors++;
    (void)rd_str_copy(text, sizeof(text), told->message);
    if (leg->errors_told++ < ERRORS_TOLD)
        log_warn("live.error", F_CALL(leg->call), F_STR("code", code), F_STR("message", text),
                 F_FIX(catalogue_fix("live.", "error")));
    leg->ev->on_error(leg->arg, &e);
}

/* Sends what live_wire_…() wrote, unless that failed. */
/* The socket may be gone while the call is still told what that ends. */
static int send_out(struct provider_leg *leg, int rc)
{
    if (!leg->ws)
        return RD_ESTATE;
    return rc ? rc : ws_send(leg->ws, leg->out.data, leg->out.n);
}

static void on_unusable(void *arg, struct rd_str call_id)
{
    struct provider_leg *leg = arg;

    if (leg->state == LEG_READY)
        (void)send_out(leg, live_wire_tool_result(&leg->out, call_id,
                                                  RD_STR("{\"error\":\"not carried out\"}")));
}

static void on_answered(void *arg)
{
    struct provider_leg *leg = arg;

    if (leg->state != LEG_READY)
        return;
    leg->continued_ms = now_ms();
    (void)send_out(leg, live_wire_continue(&leg->out));
}

static const struct live_events_owner leg_owner = {
    .on_started = on_started,
    .on_seconds = on_seconds,
    .on_closed = on_over,
    .on_error = on_error,
    .on_unusable = on_unusable,
    .on_answered = on_answered,
};

/* --- the connection --- */

static void on_open(struct ws *w, void *arg)
{
    struct provider_leg *leg = arg;

    if (leg->state != LEG_DIALLING)
        return;
    leg->state = LEG_ASKED;
    /* When it fails the connection ends by itself. */
    (void)ws_send(w, leg->start.data, leg->start.n);
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    (void)live_events_feed(&leg->events, (struct rd_str){msg, n}, now_ms());
    arm(leg);
}

/* The upgrade was answered with something else; the body often says why. */
static void leg_not_upgraded(struct provider_leg *leg, const struct ws_closed *c)
{
    struct json_value body, error, code, text;
    struct rd_str message = c->reason;
    char name[CODE_CHARS];

    (void)snprintf(name, sizeof(name), "http_%d", c->code);
    if (json_parse(c->reason, &body) == 0) {
        error = json_get(&body, "error");
        code = json_get(&error, "code");
        text = json_get(&error, "message");
        if (text.type == JSON_STRING)
            message = text.raw;
        if (code.type == JSON_STRING && is_fatal(code.raw))
            (void)rd_str_copy(name, sizeof(name), code.raw);
    }
    /* What a 401 says holds part of the key. */
    if (c->code == 401)
        message = RD_STR("");
    leg_fail(leg, c->code >= 500 || c->code == 408 ? LEG_LOST : LEG_REFUSED, name, message);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    leg->ws = NULL;
    if (leg->state == LEG_CLOSING) {
        leg_closed(leg);
        return;
    }
    if (leg->state == LEG_READY)
        floor_over(&leg->floor, now_ms());
    if (leg->state == LEG_CLOSING)
        leg_end_soon(leg); /* whoever was told has closed it */
    else if (c->why == WS_END_REFUSED)
        leg_not_upgraded(leg, c);
    else if (c->why == WS_END_PROTOCOL)
        leg_fail(leg, LEG_PROTOCOL, "protocol", c->reason);
    else
        leg_fail(leg, LEG_LOST, c->err == RD_ETLS ? "tls" : "connection_lost",
                 c->err ? rd_str(rd_strerror(c->err)) : c->reason);
}

static const struct ws_handlers leg_handlers = {
    .open = on_open,
    .text = on_text,
    .closed = on_closed,
};

/* --- the start --- */

static int leg_init(struct provider_leg *leg, const struct live_session *s)
{
    struct live_counts *counts = live_pool_own_counts(leg->pool);
    const char *backend = s->brief->backend;
    int rc;

    buf_init(&leg->start, OUT_MAX);
    buf_init(&leg->out, OUT_MAX);
    buf_init(&leg->past, OUT_MAX);
    floor_init(&leg->floor, s->number, counts);
    leg->floor.up = leg->ev;
    leg->floor.up_arg = leg->arg;
    rc = live_events_init(&leg->events, &leg->floor, counts);
    leg->events.owner = &leg_owner;
    leg->events.arg = leg;
    leg->events.call = leg->call;
    (void)rd_str_copy(leg->call, sizeof(leg->call), rd_str(s->call_sid));
    (void)rd_str_copy(leg->events.backend, sizeof(leg->events.backend),
                      rd_str(backend && *backend ? backend : LIVE_BACKEND));
    if (rc || (rc = buf_reserve(&leg->out, USUAL_OUT_BYTES)) ||
        (rc = loop_timer_new(&leg->timer, live_pool_opts(leg->pool)->loop, on_timer, leg)))
        return rc;
    return live_wire_start(&leg->start, s->brief);
}

/* A line break in a key would let it write headers of its own. */
static bool good_key(const char *key)
{
    const char *p = key;

    while (p && *p > ' ' && *p < 0x7F)
        p++;
    return p && p > key && !*p;
}

/* Given up for now: the call hears so from the loop. */
static int leg_dial(struct provider_leg *leg, unsigned timeout_ms)
{
    int rc;

    leg->ticket = target_ask(LIVE_TARGET, now_ms());
    if (!leg->ticket) {
        leg_stop(leg, LEG_LOST);
        loop_timer_in(leg->timer, 0);
        return 0;
    }
    rc = live_pool_dial(&leg->ws, leg->pool, timeout_ms, &leg_handlers, leg);
    if (!rc)
        loop_timer_in(leg->timer, timeout_ms);
    return rc;
}

int live_open(struct provider_leg **out, struct live_pool *p, const struct live_session *s,
              const struct provider_events *ev, void *arg)
{
    const struct live_opts *o = live_pool_opts(p);
    struct provider_leg *leg = NULL;
    int rc = good_key(o->key) ? 0 : RD_ECONFIG;

    if (!rc && !(leg = calloc(1, sizeof(*leg))))
        rc = -ENOMEM;
    if (!rc) {
        leg->pool = p;
        leg->ev = ev;
        leg->arg = arg;
        live_pool_join(p, leg);
        rc = leg_init(leg, s);
        if (!rc)
            rc = leg_dial(leg, o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS);
    }
    if (!rc) {
        *out = leg;
        return 0;
    }
    log_error("live.open_failed", F_CALL(s->call_sid), F_STR("agent", s->brief->agent), F_ERR(rc),
              F_FIX(catalogue_fix("live.", "open_failed")));
    if (leg) {
        leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
        leg_free(leg);
    }
    return rc;
}

/* --- provider_ops --- */

/* Per frame: nothing is decoded or allocated. */
static int live_audio(struct provider_leg *leg, const struct audio_span *a)
{
    struct iovec iov[] = {
        {(void *)(uintptr_t)LIVE_AUDIO_HEAD, sizeof(LIVE_AUDIO_HEAD) - 1},
        {(void *)(uintptr_t)a->b64, a->n_b64},
        {(void *)(uintptr_t)LIVE_AUDIO_TAIL, sizeof(LIVE_AUDIO_TAIL) - 1},
    };

    if (leg->state != LEG_READY || !leg->ws)
        return RD_ESTATE;
    floor_fed(&leg->floor, a->n_bytes);
    return ws_sendv(leg->ws, iov, 3);
}

static int append(struct provider_leg *leg, enum live_append kind, struct rd_str text)
{
    int rc = 0;

    for (bool first = true; !rc && text.n > 0; first = false)
        rc = send_out(leg, live_wire_append(&leg->out, kind, first, &text));
    return rc;
}

static int send_prompt(struct provider_leg *leg, const struct provider_prompt *p)
{
    if (p->exact_words.n > 0)
        return append(leg, LIVE_SAY_EXACTLY, p->exact_words);
    if (p->instructions.n > 0)
        return append(leg, LIVE_SAY, p->instructions);
    if (leg->continued_ms && now_ms() - leg->continued_ms < CONTINUED_MS)
        return 0;
    return append(leg, LIVE_SAY, RD_STR("Answer the caller now, from what you know."));
}

static int live_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    int rc;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    rc = send_prompt(leg, p);
    if (!rc)
        floor_asked(&leg->floor, p->tag, now_ms());
    return rc;
}

static int live_cancel(struct provider_leg *leg, struct rd_str response_id)
{
    return leg->state == LEG_READY ? floor_cancel(&leg->floor, response_id) : RD_ESTATE;
}

/* It cannot be told what was not heard. Nearly all was: it sends as fast as it speaks. */
static int live_truncate(struct provider_leg *leg, struct rd_str item_id, uint32_t content_index,
                         uint32_t audio_end_ms)
{
    (void)content_index, (void)audio_end_ms;
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    return floor_own_id(&leg->floor, item_id, &item_id) ? 0 : RD_EGONE;
}

static int live_tool_result(struct provider_leg *leg, struct rd_str call_id, struct rd_str output)
{
    int rc;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (!floor_own_id(&leg->floor, call_id, &call_id))
        return RD_EGONE;
    rc = send_out(leg, live_wire_tool_result(&leg->out, call_id, output));
    if (!rc)
        live_events_answered(&leg->events, call_id);
    return rc;
}

static int live_note(struct provider_leg *leg, struct rd_str text)
{
    return leg->state == LEG_READY ? append(leg, LIVE_KNOW, text) : RD_ESTATE;
}

static int live_remember(struct provider_leg *leg, const struct history_item *it)
{
    int rc;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (it->kind == HISTORY_TOOL && !it->has_output)
        return 0;
    rc = live_wire_past(&leg->past, it);
    return rc ? rc : append(leg, LIVE_KNOW, (struct rd_str){leg->past.data, leg->past.n});
}

static void live_set_events(struct provider_leg *leg, const struct provider_events *ev, void *arg)
{
    leg->ev = ev;
    leg->arg = arg;
    if (leg->floor.up)
        leg->floor.up = ev;
    leg->floor.up_arg = arg;
}

static void live_close(struct provider_leg *leg)
{
    bool ready = leg->state == LEG_READY;

    if (leg->state == LEG_CLOSING)
        return;
    leg_stop(leg, LEG_CLOSED_BY_US);
    if (ready && leg->ws && send_out(leg, live_wire_close(&leg->out)) == 0)
        loop_timer_in(leg->timer, CLOSE_MS);
    else
        leg_end_soon(leg);
}

static void live_abort(struct provider_leg *leg)
{
    if (leg->state != LEG_CLOSING)
        leg_stop(leg, LEG_CLOSED_BY_US);
    leg_end_soon(leg);
}

static void ignore_end(void *arg, enum leg_end why)
{
    (void)arg, (void)why;
}

static void ignore_usage(void *arg, const struct provider_usage *u, struct rd_str raw)
{
    (void)arg, (void)u, (void)raw;
}

static const struct provider_events nobody = {.on_end = ignore_end, .on_usage = ignore_usage};

void live_leg_disown(struct provider_leg *leg)
{
    leg->ev = &nobody;
    live_abort(leg);
}

bool live_leg_is_forgotten(const struct provider_leg *leg)
{
    return leg->ev == &nobody;
}

/* The call goes on with another session: what this one has cost so far is told while it can be. */
static void live_forget(struct provider_leg *leg)
{
    tell_seconds(leg);
    leg->ev = &nobody;
    live_close(leg);
}

const struct provider_ops live_provider = {
    .name = "openai_live",
    .caps = {.client_truncation = false,
             .turn_events = false,
             .exact_words = false,
             .own_voice = true,
             .resumable = true,
             .slow_start = true,
             .billing_unit = PROVIDER_BILLS_SECONDS,
             .formats = AUDIO_PCMU},
    .audio = live_audio,
    .respond = live_respond,
    .cancel = live_cancel,
    .truncate = live_truncate,
    .tool_result = live_tool_result,
    .note = live_note,
    .remember = live_remember,
    .set_events = live_set_events,
    .forget = live_forget,
    .close = live_close,
    .abort = live_abort,
};
