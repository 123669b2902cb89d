/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one call's leg to the Realtime API.
 *
 *   DIALLING --open--> ASKED --session.updated--> READY --close, error--> CLOSING --closed--> freed
 *                        ^ a warm connection starts here
 *
 *   openai_open()   writes session.update once, keeps it until it was answered
 *   session.updated on_ready: audio may flow, both formats are agreed
 *   pcm.c           where the agent wants the session in PCM, between its audio and the telephone's
 *   events.c        tells everything that the model says and hears
 *
 * There is one way out: leg_closed() is the only one to call on_end, always from the loop.
 *   - a warm connection that fails, or stays silent for a third of the time, before it answered: a
 *     fresh dial, nobody is told
 *   - no session.updated in time: LEG_LOST
 *   - OpenAI failed too often lately (observe/targets.h): no dial, the call hears so at once with
 *     the reason of that failure; one call at a time tries whether it is back
 *   - key, model, quota, settings refused: on_error with the remedy, then LEG_REFUSED
 *   - after close() nothing is told but on_end */
#include "providers/openai/session.h"
#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/quota.h"
#include "observe/targets.h"
#include "providers/openai/account.h"
#include "providers/openai/context.h"
#include "providers/openai/events.h"
#include "providers/openai/pool.h"
#include "providers/openai/verdict.h"
#include "providers/openai/wire.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CALL_CHARS = 64,
    DEFAULT_TIMEOUT_MS = 2500,
    OUT_MAX = 512 * 1024,
    USUAL_OUT_BYTES = 512,
    MODEL_CHARS = 128,
    MESSAGE_CHARS = 200,
    ERRORS_TOLD = 10 /* of one session, in the log; the others are counted */
};

enum leg_state { LEG_DIALLING, LEG_ASKED, LEG_READY, LEG_CLOSING };

struct provider_leg {
    struct openai_pool *pool; /* borrows; NULL once it is freed */
    struct leg_link link;
    const struct provider_events *ev; /* borrows */
    void *arg;
    struct ws *ws;            /* owns; NULL: not dialled, the timer brings the end */
    struct loop_timer *timer; /* owns: start-up only */
    uint32_t ticket;          /* of the dial, until OpenAI's breaker was told how it went */
    enum leg_state state;
    enum leg_end end; /* why, once CLOSING */
    bool warm;        /* a warm connection that has not answered yet */
    uint64_t deadline_ms;
    unsigned errors_told;
    uint64_t n_events; /* numbers of our event_ids, but those of responses */
    uint64_t expires_unix_s;
    char call[CALL_CHARS]; /* the carrier's id, for the log */
    char session_id[FIELD_ID_CHARS + 1];
    char model[MODEL_CHARS]; /* for a second dial; "": the pool's */
    char *instructions;      /* owns: in front of the instructions of single answers */
    struct buf update;       /* owns: session.update, until it is answered */
    struct buf out;          /* owns: the event being written */
    struct openai_pcm *pcm;  /* owns; NULL: the session hears and speaks µ-law, as the telephone */
    struct events events;
    struct openai_counts counts; /* once the pool is gone */
};

struct leg_link *leg_link(struct provider_leg *leg)
{
    return &leg->link;
}

void leg_orphan(struct provider_leg *leg)
{
    leg->pool = NULL;
    leg->events.counts = &leg->counts;
}

/* --- the end --------------------------------------------------------------------------------- */

static void leg_free(struct provider_leg *leg)
{
    if (!leg)
        return;
    if (leg->pool)
        pool_leave(leg->pool, leg);
    loop_timer_free(leg->timer);
    events_fini(&leg->events);
    buf_fini(&leg->update);
    buf_fini(&leg->out);
    pcm_free(leg->pcm);
    free(leg->instructions);
    free(leg);
}

/* The breaker hears once how a dial went. */
static void leg_tell_target(struct provider_leg *leg, enum breaker_result r, const char *why)
{
    if (leg->ticket)
        target_tell(POOL_TARGET, leg->ticket, r, why, clock_ms(loop_clock()));
    leg->ticket = 0;
}

/* A dial failed. What is refused may be this agent's fault, which is no reason to keep others from
 * trying; what the node's own key is refused, the pool finds out. */
static void leg_dial_failed(struct provider_leg *leg, const struct verdict *v)
{
    if (!leg->ticket)
        return;
    if (leg->pool && v->kind == VERDICT_LOST)
        pool_trouble_is(leg->pool, v);
    leg_tell_target(leg, v->kind == VERDICT_LOST ? BREAKER_FAILED : BREAKER_UNKNOWN, v->code);
}

/* From here on only on_end is told. */
static void leg_stop(struct provider_leg *leg, enum leg_end end)
{
    leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
    leg->state = LEG_CLOSING;
    leg->end = end;
    leg->events.up = NULL;
    loop_timer_stop(leg->timer);
}

/* Call with the connection gone, from the loop. */
static void leg_closed(struct provider_leg *leg)
{
    leg->ev->on_end(leg->arg, leg->end);
    leg_free(leg);
}

static void log_error_of(struct provider_leg *leg, const struct verdict *v, struct rd_str message)
{
    bool fatal = v->kind == VERDICT_FATAL;
    char text[MESSAGE_CHARS];

    leg->events.counts->errors++;
    account_refuses(v->code);
    if (!fatal && leg->errors_told++ >= ERRORS_TOLD)
        return;
    (void)rd_str_copy(text, sizeof(text), v->quiet_message ? RD_STR("") : message);
    LOG_(fatal ? LOG_ERROR : LOG_WARN, fatal ? "openai.refused" : "openai.error",
         F_STR("code", v->code), F_STR("session", leg->session_id), F_STR("message", text),
         F_FIX(v->fix ? v->fix : "nothing, unless it repeats: then see status.openai.com"));
}

static void tell_error(struct provider_leg *leg, const struct verdict *v, struct rd_str message,
                       uint32_t tag)
{
    struct provider_error e = {
        .code = rd_str(v->code),
        .message = v->quiet_message ? RD_STR("") : message,
        .tag = tag,
        .busy = v->kind == VERDICT_BUSY,
        .benign = v->kind == VERDICT_BENIGN,
        .fatal = v->kind == VERDICT_FATAL,
        .fix = v->fix,
    };

    if (e.busy || e.benign)
        leg->events.counts->benign++;
    else
        log_error_of(leg, v, message);
    leg->ev->on_error(leg->arg, &e);
}

/* The session cannot go on, although the connection stands. */
static void leg_fail(struct provider_leg *leg, const struct verdict *v, struct rd_str message,
                     uint32_t tag)
{
    leg_dial_failed(leg, v);
    leg_stop(leg, v->end);
    tell_error(leg, v, message, tag);
    ws_drop(leg->ws);
}

/* --- what OpenAI says about the session ------------------------------------------------------ */

static void tell_expiry(struct provider_leg *leg)
{
    uint64_t now = (uint64_t)unix_ms(), at = leg->expires_unix_s * 1000;

    /* What is over already says that the clocks differ. */
    if (at > now)
        leg->ev->on_expiry(leg->arg, at - now);
}

static void on_session(void *arg, bool updated, struct rd_str id, uint64_t expires_unix_s)
{
    struct provider_leg *leg = arg;

    if (leg->state == LEG_CLOSING)
        return;
    account_works();
    if (id.n > 0)
        (void)rd_str_copy(leg->session_id, sizeof(leg->session_id), id);
    if (expires_unix_s > 0)
        leg->expires_unix_s = expires_unix_s;
    leg->warm = leg->warm && !updated;
    if (!updated || leg->state != LEG_ASKED)
        return;
    leg->state = LEG_READY;
    loop_timer_stop(leg->timer);
    buf_fini(&leg->update);
    leg_tell_target(leg, BREAKER_WORKED, NULL);
    if (leg->pool)
        pool_served(leg->pool);
    log_debug("openai.ready", F_CALL(leg->call), F_STR("session", leg->session_id));
    tell_expiry(leg);
    leg->ev->on_ready(leg->arg);
}

static void on_error(void *arg, const struct openai_error *e)
{
    struct provider_leg *leg = arg;
    struct verdict v = verdict_of_error(e, leg->state != LEG_READY);
    uint32_t tag = wire_respond_tag(e->event_id);

    if (leg->state == LEG_CLOSING)
        return;
    prompts_refused(&leg->events.prompts, tag);
    if (v.kind == VERDICT_FATAL || (v.kind == VERDICT_LOST && leg->state != LEG_READY))
        leg_fail(leg, &v, e->message, tag);
    else if (!leg->warm) /* what ends an old connection is no news: a dial replaces it */
        tell_error(leg, &v, e->message, tag);
}

/* on_response told it; what makes every further response fail ends the leg. */
static void on_failed(void *arg, const struct openai_error *e)
{
    struct provider_leg *leg = arg;
    struct verdict v = verdict_of_response(e->code, e->type);

    if (leg->state == LEG_CLOSING)
        return;
    if (v.kind == VERDICT_FATAL)
        leg_fail(leg, &v, e->message, 0);
    else
        log_error_of(leg, &v, e->message);
}

static void on_limits(void *arg, const struct provider_limits *l)
{
    struct provider_leg *leg = arg;

    quota_told(QUOTA_OPENAI, l, clock_ms(loop_clock()));
    if (leg->state != LEG_CLOSING)
        leg->ev->on_limits(leg->arg, l);
}

static const struct events_owner leg_owner = {
    .on_session = on_session,
    .on_limits = on_limits,
    .on_error = on_error,
    .on_failed = on_failed,
};

/* --- the connection -------------------------------------------------------------------------- */

static int leg_dial(struct provider_leg *leg);

static void on_open(struct ws *w, void *arg)
{
    struct provider_leg *leg = arg;

    if (leg->state != LEG_DIALLING)
        return;
    leg->state = LEG_ASKED;
    /* When it fails the connection ends by itself. */
    (void)ws_send(w, leg->update.data, leg->update.n);
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    if (leg->state != LEG_CLOSING)
        (void)events_feed(&leg->events, (struct rd_str){msg, n});
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct provider_leg *leg = arg;
    struct rd_str message;
    struct verdict v;

    (void)w;
    leg->ws = NULL;
    if (leg->state == LEG_CLOSING) {
        leg_closed(leg);
        return;
    }
    v = verdict_of_closed(c, &message);
    /* Whatever an old connection died of: if it is more than its age, the dial will tell. */
    if (leg->warm && leg_dial(leg) == 0)
        return;
    if (leg->state != LEG_READY && v.end == LEG_CLOSED_BY_PEER)
        v.end = LEG_LOST;
    leg_dial_failed(leg, &v);
    leg_stop(leg, v.end);
    if (v.end != LEG_CLOSED_BY_PEER)
        tell_error(leg, &v, message, 0);
    leg_closed(leg);
}

static const struct ws_handlers leg_handlers = {
    .open = on_open,
    .text = on_text,
    .closed = on_closed,
};

/* RD_EREFUSED: not dialled, because OpenAI is given up for now. */
static int leg_dial(struct provider_leg *leg)
{
    int rc;

    if (!leg->pool)
        return RD_EGONE;
    leg->ticket = target_ask(POOL_TARGET, clock_ms(loop_clock()));
    if (!leg->ticket)
        return RD_EREFUSED;
    rc = pool_dial(&leg->ws, leg->pool, leg->model, &leg_handlers, leg);
    if (rc) {
        leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
        return rc;
    }
    leg->warm = false;
    leg->state = LEG_DIALLING;
    loop_timer_at(leg->timer, leg->deadline_ms);
    return 0;
}

/* A warm connection is asked as if it lived; if it does not, there is time for another. */
static bool leg_use_warm(struct provider_leg *leg, unsigned timeout_ms)
{
    struct ws *w = pool_take(leg->pool, leg->model, &leg->expires_unix_s);

    if (!w)
        return false;
    if (ws_send(w, leg->update.data, leg->update.n)) {
        pool_forget(w, false);
        return false;
    }
    ws_set_handlers(w, &leg_handlers, leg);
    leg->ws = w;
    leg->warm = true;
    leg->state = LEG_ASKED;
    loop_timer_at(leg->timer, leg->deadline_ms - timeout_ms + timeout_ms / 3);
    return true;
}

/* Nothing was dialled: the call hears why, and gets its fallback, without waiting. */
static void leg_not_dialled(struct provider_leg *leg)
{
    struct verdict v = pool_trouble(leg->pool);

    if (leg->state != LEG_CLOSING) {
        leg_stop(leg, v.end);
        tell_error(leg, &v, RD_STR("not dialled: it failed several times a moment ago"), 0);
    }
    leg_closed(leg);
}

static void on_timer(void *arg)
{
    static const struct verdict slow = {.kind = VERDICT_LOST,
                                        .end = LEG_LOST,
                                        .code = "timeout",
                                        .fix = "check openai.url and status.openai.com"};
    struct provider_leg *leg = arg;
    struct ws *w = leg->ws;

    if (!w) {
        leg_not_dialled(leg);
        return;
    }
    if (leg->state != LEG_DIALLING && leg->state != LEG_ASKED)
        return;
    if (leg->warm && leg_dial(leg) == 0) {
        pool_forget(w, false);
        return;
    }
    leg_fail(leg, &slow, RD_STR("no session.updated"), 0);
}

static uint32_t tokens_to_keep(const struct provider_leg *leg, const struct brief *b)
{
    const char *model = leg->model[0] ? leg->model : pool_opts(leg->pool)->model;
    struct quota account = quota_now(QUOTA_OPENAI, clock_ms(loop_clock()));

    return context_tokens(model, b->context_tokens, account.limit);
}

static int leg_init(struct provider_leg *leg, const struct openai_session *s)
{
    const struct brief *b = s->brief;
    struct openai_counts *counts = pool_counts(leg->pool);
    int rc;

    buf_init(&leg->update, OUT_MAX);
    buf_init(&leg->out, OUT_MAX);
    if ((rc = events_init(&leg->events, &leg_owner, leg, counts)) ||
        (rc = buf_reserve(&leg->out, USUAL_OUT_BYTES)) ||
        (rc = loop_timer_new(&leg->timer, pool_opts(leg->pool)->loop, on_timer, leg)))
        return rc;
    leg->events.up = leg->ev;
    leg->events.up_arg = leg->arg;
    leg->events.call = leg->call;
    (void)rd_str_copy(leg->call, sizeof(leg->call), rd_str(s->call_sid));
    events_number(&leg->events, s->number);
    if (wire_is_pcm(b) && !(leg->pcm = pcm_new()))
        return -ENOMEM;
    leg->events.pcm = leg->pcm;
    if (!rd_str_copy(leg->model, sizeof(leg->model), rd_str(b->model)))
        return RD_ECONFIG;
    leg->instructions = strdup(b->instructions ? b->instructions : "");
    if (!leg->instructions)
        return -ENOMEM;
    return wire_session_update(&leg->update, ++leg->n_events, b, tokens_to_keep(leg, b));
}

int openai_open(struct provider_leg **out, struct openai_pool *p, const struct openai_session *s,
                const struct provider_events *ev, void *arg)
{
    unsigned timeout_ms = pool_opts(p)->timeout_ms ? pool_opts(p)->timeout_ms : DEFAULT_TIMEOUT_MS;
    struct provider_leg *leg = calloc(1, sizeof(*leg));
    int rc;

    if (!leg)
        return -ENOMEM;
    leg->pool = p;
    leg->ev = ev;
    leg->arg = arg;
    pool_join(p, leg);
    rc = leg_init(leg, s);
    if (rc)
        goto fail;
    leg->deadline_ms = clock_ms(loop_clock()) + timeout_ms;
    if (!leg_use_warm(leg, timeout_ms)) {
        rc = leg_dial(leg);
        if (rc == RD_EREFUSED)
            loop_timer_in(leg->timer, 0);
        else if (rc)
            goto fail;
    }
    *out = leg;
    return 0;
fail:
    log_error("openai.open_failed", F_CALL(s->call_sid), F_STR("agent", s->brief->agent), F_ERR(rc),
              F_FIX(rc == RD_ECONFIG
                        ? "correct the agent's tools and model; `ringdown check` names them"
                        : "check openai.url and free memory"));
    leg_free(leg);
    return rc;
}

uint64_t openai_expires_unix_s(const struct provider_leg *leg)
{
    return leg->expires_unix_s;
}

/* --- provider_ops ---------------------------------------------------------------------------- */

static int send_append(struct provider_leg *leg, struct rd_str b64)
{
    struct iovec iov[] = {
        {(void *)(uintptr_t)WIRE_APPEND_HEAD, sizeof(WIRE_APPEND_HEAD) - 1},
        {(void *)(uintptr_t)b64.p, b64.n},
        {(void *)(uintptr_t)WIRE_APPEND_TAIL, sizeof(WIRE_APPEND_TAIL) - 1},
    };

    return ws_sendv(leg->ws, iov, 3);
}

static int send_transcoded(struct provider_leg *leg, struct rd_str b64)
{
    struct rd_str pcm;
    int rc = 0;

    while (!rc && pcm_up(leg->pcm, &b64, &pcm))
        rc = send_append(leg, pcm);
    return rc;
}

static int openai_audio(struct provider_leg *leg, const struct audio_span *a)
{
    struct rd_str b64 = {a->b64, a->n_b64};

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    return leg->pcm ? send_transcoded(leg, b64) : send_append(leg, b64);
}

/* Sends what wire_…() wrote, unless that failed. */
static int send_out(struct provider_leg *leg, int rc)
{
    return rc ? rc : ws_send(leg->ws, leg->out.data, leg->out.n);
}

static int openai_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    int rc;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    rc = send_out(leg, wire_respond(&leg->out, p, rd_str(leg->instructions)));
    if (!rc)
        prompts_asked(&leg->events.prompts, (struct prompt){p->tag, wire_is_aside(p)});
    return rc;
}

static int openai_cancel(struct provider_leg *leg, struct rd_str response_id)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (!events_own_id(&leg->events, response_id, &response_id))
        return RD_EGONE;
    return send_out(leg, wire_cancel(&leg->out, ++leg->n_events, response_id));
}

static int openai_truncate(struct provider_leg *leg, struct rd_str item_id, uint32_t content_index,
                           uint32_t audio_end_ms)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (leg->pcm)
        pcm_forget(leg->pcm, item_id, content_index);
    if (!events_own_id(&leg->events, item_id, &item_id))
        return RD_EGONE;
    return send_out(
        leg, wire_truncate(&leg->out, ++leg->n_events, item_id, content_index, audio_end_ms));
}

static int openai_tool_result(struct provider_leg *leg, struct rd_str call_id, struct rd_str output)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (!events_own_id(&leg->events, call_id, &call_id))
        return RD_EGONE;
    return send_out(leg, wire_tool_result(&leg->out, ++leg->n_events, call_id, output));
}

static int openai_note(struct provider_leg *leg, struct rd_str text)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    return send_out(leg, wire_note(&leg->out, ++leg->n_events, text));
}

static int remember_tool(struct provider_leg *leg, const struct history_item *it)
{
    int rc = send_out(leg, wire_remember(&leg->out, ++leg->n_events, it));

    if (rc)
        return rc;
    return send_out(leg, wire_tool_result(&leg->out, ++leg->n_events, it->id, it->output));
}

static int openai_remember(struct provider_leg *leg, const struct history_item *it)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (it->kind != HISTORY_TOOL)
        return send_out(leg, wire_remember(&leg->out, ++leg->n_events, it));
    return it->has_output ? remember_tool(leg, it) : 0;
}

static void openai_set_events(struct provider_leg *leg, const struct provider_events *ev, void *arg)
{
    leg->ev = ev;
    leg->arg = arg;
    if (leg->events.up)
        leg->events.up = ev;
    leg->events.up_arg = arg;
}

static void openai_close(struct provider_leg *leg)
{
    bool open = leg->state != LEG_DIALLING;

    if (leg->state == LEG_CLOSING)
        return;
    leg_stop(leg, LEG_CLOSED_BY_US);
    if (!leg->ws)
        loop_timer_in(leg->timer, 0);
    else if (open)
        ws_close(leg->ws, 1000, "");
    else
        ws_drop(leg->ws);
}

static void openai_abort(struct provider_leg *leg)
{
    if (leg->state != LEG_CLOSING)
        leg_stop(leg, LEG_CLOSED_BY_US);
    if (leg->ws)
        ws_drop(leg->ws);
}

const void *leg_arg(const struct provider_leg *leg)
{
    return leg->arg;
}

static void ignore_end(void *arg, enum leg_end why)
{
    (void)arg;
    (void)why;
}

static const struct provider_events nobody = {.on_end = ignore_end};

void leg_disown(struct provider_leg *leg)
{
    leg->ev = &nobody;
    openai_abort(leg);
}

bool leg_is_forgotten(const struct provider_leg *leg)
{
    return leg->ev == &nobody;
}

static void openai_forget(struct provider_leg *leg)
{
    leg->ev = &nobody;
    openai_close(leg);
}

const struct provider_ops openai_provider = {
    .name = "openai",
    .caps = {.client_truncation = true,
             .turn_events = true,
             .exact_words = true,
             .resumable = true,
             .billing_unit = PROVIDER_BILLS_TOKENS,
             .formats = AUDIO_PCMU},
    .audio = openai_audio,
    .respond = openai_respond,
    .cancel = openai_cancel,
    .truncate = openai_truncate,
    .tool_result = openai_tool_result,
    .note = openai_note,
    .remember = openai_remember,
    .set_events = openai_set_events,
    .forget = openai_forget,
    .close = openai_close,
    .abort = openai_abort,
};
