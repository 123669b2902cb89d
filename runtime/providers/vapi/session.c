/* SPDX-License-Identifier: Apache-2.0 */
/* session.c - one call's leg to a Vapi assistant.
 *
 *   ASKING --POST /call--> DIALLING --open--> OPEN --first frame, or 500 ms--> READY
 *      READY --end-call, close--> CLOSING --closed--> freed
 *        \-- Vapi ends, and its words still play --> DRAINING --all handed on--/
 *
 *   speech.c   tells who speaks and what is said, and paces what is played
 *   events.c   reads the text messages
 *
 * There is one way out: leg_closed() is the only one to call on_end, always from the loop.
 *   - no socket, or none that answers, in time: LEG_LOST; refused (key, credit, slots, assistant):
 *     on_error with the remedy, then LEG_REFUSED
 *   - Vapi failed too often lately (observe/targets.h): not asked, the call hears so at once
 *   - Vapi ended the call because its assistant did: on_hang_up, then LEG_CLOSED_BY_PEER; because
 *     something broke: LEG_LOST
 *   - after close() nothing is told but on_end
 * The socket's address controls the call, and so does our key: neither is ever logged. */
#include "providers/vapi/vapi.h"

#include "base/err.h"
#include "base/log.h"
#include "io/ws.h"
#include "media/base64.h"
#include "observe/catalogue.h"
#include "observe/targets.h"
#include "providers/vapi/answer.h"
#include "providers/vapi/events.h"
#include "providers/vapi/pool.h"
#include "providers/vapi/speech.h"
#include "providers/vapi/wire.h"

#include <errno.h>
#include <stdlib.h>

enum {
    CALL_CHARS = 64,
    DEFAULT_TIMEOUT_MS = 4000,
    OPEN_MS = 500,        /* an open socket that says nothing is ready all the same */
    DIAL_MIN_MS = 1000,   /* what is left for the socket, however long the answer took */
    OUT_MAX = 512 * 1024, /* the history, and the caller's audio until now */
    MESSAGE_MAX = 1 << 20,
    USUAL_OUT_BYTES = 512,
    B64_AT_ONCE = 1024
};

enum leg_state { LEG_ASKING, LEG_DIALLING, LEG_OPEN, LEG_READY, LEG_DRAINING, LEG_CLOSING };

struct provider_leg {
    struct vapi_pool *pool; /* borrows; NULL once it is freed */
    struct vapi_link link;
    const struct provider_events *ev; /* borrows */
    void *arg;
    struct http_call *asking; /* owns; POST /call */
    struct ws *ws;            /* owns */
    struct loop_timer *timer; /* owns: the start's deadline, then that of speech.c, then the end */
    uint32_t ticket;          /* of the breaker, until it was told how it went */
    enum leg_state state;
    enum leg_end end; /* why, once DRAINING or CLOSING */
    uint64_t deadline_ms, armed_ms;
    char id[VAPI_CALL_ID];
    char call[CALL_CHARS]; /* the carrier's, for the log */
    bool began;            /* something was said or asked in this session */
    struct buf out;        /* owns: the message being written */
    struct speech speech;
    struct vapi_events events;
    struct vapi_counts counts; /* once the pool is gone */
};

struct vapi_link *vapi_leg_link(struct provider_leg *leg)
{
    return &leg->link;
}

const void *vapi_leg_arg(const struct provider_leg *leg)
{
    return leg->arg;
}

static uint64_t now_us(void)
{
    return clock_us(loop_clock());
}

/* --- the end --- */

static void leg_free(struct provider_leg *leg)
{
    if (leg->pool)
        vapi_pool_leave(leg->pool, leg);
    if (leg->asking)
        http_call_cancel(leg->asking);
    loop_timer_free(leg->timer);
    vapi_events_fini(&leg->events);
    speech_fini(&leg->speech);
    buf_fini(&leg->out);
    free(leg);
}

static void leg_tell_target(struct provider_leg *leg, enum breaker_result r, const char *why)
{
    if (leg->ticket)
        target_tell(VAPI_TARGET, leg->ticket, r, why, now_us() / 1000);
    leg->ticket = 0;
}

/* From here on only on_end is told. */
static void leg_stop(struct provider_leg *leg, enum leg_end end)
{
    leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
    leg->state = LEG_CLOSING;
    leg->end = end;
    leg->speech.up = NULL;
    loop_timer_stop(leg->timer);
}

/* Call with the connection gone, from the loop. */
static void leg_closed(struct provider_leg *leg)
{
    leg->ev->on_end(leg->arg, leg->end);
    leg_free(leg);
}

/* Nothing but the timer will bring the end: there is no connection that could. */
static void leg_end_soon(struct provider_leg *leg)
{
    if (leg->asking)
        http_call_cancel(leg->asking);
    leg->asking = NULL;
    if (leg->ws)
        ws_drop(leg->ws);
    else
        loop_timer_in(leg->timer, 0);
}

/* It could not be begun, or cannot go on. What is refused may be this agent's fault, which is no reason to
 * keep others from trying. */
static void leg_fail(struct provider_leg *leg, enum leg_end end, const char *code,
                     const char *message)
{
    bool refused = end == LEG_REFUSED;
    struct provider_error e = {.code = rd_str(code),
                               .message = rd_str(message),
                               .fatal = refused,
                               .fix = catalogue_fix("bridge.", code)};

    leg_tell_target(leg, refused ? BREAKER_UNKNOWN : BREAKER_FAILED, code);
    leg->speech.counts->errors++;
    LOG_(refused ? LOG_ERROR : LOG_WARN, refused ? "bridge.refused" : "bridge.lost",
         F_STR("code", code), F_STR("session", leg->id), F_STR("message", message), F_FIX(e.fix));
    leg_stop(leg, end);
    leg_end_soon(leg);
    leg->ev->on_error(leg->arg, &e);
}

void vapi_leg_orphan(struct provider_leg *leg)
{
    leg->pool = NULL;
    leg->speech.counts = leg->events.counts = &leg->counts;
    if (leg->state == LEG_ASKING) { /* its client goes with the pool */
        leg_stop(leg, LEG_LOST);
        leg_end_soon(leg);
    }
}

/* --- time --- */

static void arm(struct provider_leg *leg)
{
    uint64_t due_us = speech_due_us(&leg->speech);
    uint64_t at_ms = due_us ? (due_us + 999) / 1000 : 0;

    if (leg->state != LEG_READY && leg->state != LEG_DRAINING)
        return;
    if (leg->state == LEG_DRAINING && !speech_drains(&leg->speech))
        at_ms = now_us() / 1000;
    if (at_ms == leg->armed_ms)
        return;
    leg->armed_ms = at_ms;
    if (at_ms)
        loop_timer_at(leg->timer, at_ms);
    else
        loop_timer_stop(leg->timer);
}

static void leg_ready(struct provider_leg *leg)
{
    leg->state = LEG_READY;
    loop_timer_stop(leg->timer);
    leg_tell_target(leg, BREAKER_WORKED, NULL);
    log_debug("bridge.ready", F_CALL(leg->call), F_STR("session", leg->id));
    leg->ev->on_named(leg->arg, rd_str(leg->id));
    if (leg->state == LEG_READY)
        leg->ev->on_ready(leg->arg);
}

/* What was said is over, and so is the session. */
static void drained(struct provider_leg *leg)
{
    enum leg_end end = leg->end;

    speech_over(&leg->speech, end == LEG_CLOSED_BY_PEER, now_us());
    if (leg->state != LEG_DRAINING)
        return; /* whoever was told has closed it */
    leg_stop(leg, end);
    if (leg->ws)
        ws_close(leg->ws, 1000, "");
    else
        leg_closed(leg);
}

static void on_timer(void *arg)
{
    struct provider_leg *leg = arg;

    leg->armed_ms = 0;
    if (leg->state == LEG_CLOSING) {
        if (!leg->ws)
            leg_closed(leg);
    } else if (leg->state == LEG_OPEN) {
        leg_ready(leg);
    } else if (leg->state == LEG_READY || leg->state == LEG_DRAINING) {
        speech_tick(&leg->speech, now_us());
        if (leg->state == LEG_DRAINING && !speech_drains(&leg->speech))
            drained(leg);
        else
            arm(leg);
    } else {
        leg_fail(leg, LEG_LOST, "timeout", "no socket in time");
    }
}

/* --- the socket --- */

static void on_open(struct ws *w, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    if (leg->state != LEG_DIALLING)
        return;
    leg->state = LEG_OPEN;
    loop_timer_in(leg->timer, OPEN_MS);
}

static bool is_listening(struct provider_leg *leg)
{
    if (leg->state == LEG_OPEN)
        leg_ready(leg);
    return leg->state == LEG_READY;
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    if (is_listening(leg))
        (void)vapi_events_feed(&leg->events, (struct rd_str){msg, n}, now_us());
    arm(leg);
}

static void on_binary(struct ws *w, char *msg, size_t n, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    if (is_listening(leg))
        speech_sound(&leg->speech, (const uint8_t *)msg, n, now_us());
    arm(leg);
}

/* Vapi said why before it closed the socket. */
static void on_over(void *arg, struct rd_str reason)
{
    struct provider_leg *leg = arg;
    char why[VAPI_ID];

    if (leg->state != LEG_READY)
        return;
    (void)rd_str_copy(why, sizeof(why), reason);
    log_info("bridge.ended", F_CALL(leg->call), F_STR("session", leg->id), F_STR("reason", why));
    leg->state = LEG_DRAINING;
    leg->end = vapi_ended_well(reason) ? LEG_CLOSED_BY_PEER : LEG_LOST;
    speech_agent(&leg->speech, false, now_us());
    if (leg->end == LEG_CLOSED_BY_PEER && leg->state == LEG_DRAINING)
        leg->ev->on_hang_up(leg->arg);
}

static void end_of_dial(struct provider_leg *leg, const struct ws_closed *c)
{
    bool refused = c->why == WS_END_REFUSED && (c->code == 401 || c->code == 403);

    leg_fail(leg, refused ? LEG_REFUSED : LEG_LOST, refused ? "unauthorized" : "unreachable",
             c->why == WS_END_REFUSED ? "the socket was refused" : "the socket did not open");
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct provider_leg *leg = arg;

    (void)w;
    leg->ws = NULL;
    switch (leg->state) {
    case LEG_ASKING:
    case LEG_DIALLING:
    case LEG_OPEN:
        end_of_dial(leg, c);
        break;
    case LEG_READY: /* it did not say why; what it said plays on */
        leg->state = LEG_DRAINING;
        leg->end = c->why == WS_END_PROTOCOL ? LEG_PROTOCOL : LEG_LOST;
        speech_agent(&leg->speech, false, now_us());
        arm(leg);
        break;
    case LEG_DRAINING: /* the timer ends it */
        break;
    case LEG_CLOSING:
        leg_closed(leg);
        break;
    }
}

static const struct ws_handlers leg_handlers = {
    .open = on_open,
    .text = on_text,
    .binary = on_binary,
    .closed = on_closed,
};

/* --- the start --- */

static int dial(struct provider_leg *leg, const char *url)
{
    const struct vapi_opts *o = vapi_pool_opts(leg->pool);
    const char *header[] = {vapi_pool_authorization(leg->pool), NULL};
    uint64_t now_ms = now_us() / 1000;
    uint64_t left = leg->deadline_ms > now_ms ? leg->deadline_ms - now_ms : 0;
    struct ws_connect_opts c = {.loop = o->loop,
                                .url = url,
                                .header = header,
                                .tls = o->tls,
                                .max_message = MESSAGE_MAX,
                                .max_output = OUT_MAX,
                                .handlers = &leg_handlers,
                                .arg = leg};

    c.timeout_ms = (unsigned)(left > DIAL_MIN_MS ? left : DIAL_MIN_MS);
    loop_timer_in(leg->timer, c.timeout_ms);
    return ws_connect(&leg->ws, &c);
}

static void on_answer(const struct http_result *r, void *arg)
{
    struct provider_leg *leg = arg;
    struct vapi_answer a;

    leg->asking = NULL;
    if (leg->state != LEG_ASKING)
        return;
    if (!vapi_answer_read(&a, r, rd_str(vapi_pool_opts(leg->pool)->api))) {
        leg_fail(leg, a.end, a.code, a.message);
        return;
    }
    memcpy(leg->id, a.id, sizeof(leg->id));
    leg->state = LEG_DIALLING;
    if (dial(leg, a.url))
        leg_fail(leg, LEG_LOST, "unreachable", "the socket could not be dialled");
}

static int ask(struct provider_leg *leg, const struct vapi_session *s, unsigned timeout_ms)
{
    int rc = vapi_wire_call(&leg->out, s);

    if (rc)
        return rc;
    leg->ticket = target_ask(VAPI_TARGET, now_us() / 1000);
    if (!leg->ticket) { /* given up for now: the call hears it from the loop */
        leg_stop(leg, LEG_LOST);
        loop_timer_in(leg->timer, 0);
        return 0;
    }
    loop_timer_in(leg->timer, timeout_ms);
    return vapi_pool_ask(&leg->asking, leg->pool, (struct rd_str){leg->out.data, leg->out.n},
                         timeout_ms, on_answer, leg);
}

static int check(const struct vapi_pool *p, const struct vapi_session *s)
{
    const struct vapi_opts *o = vapi_pool_opts(p);

    return o->key && *o->key && s->brief->vapi_assistant && *s->brief->vapi_assistant ? 0
                                                                                      : RD_ECONFIG;
}

static int leg_init(struct provider_leg *leg, const struct vapi_session *s)
{
    struct vapi_counts *counts = vapi_pool_own_counts(leg->pool);
    int rc;

    buf_init(&leg->out, OUT_MAX);
    vapi_events_init(&leg->events, &leg->speech, counts);
    (void)rd_str_copy(leg->call, sizeof(leg->call), rd_str(s->call_sid));
    leg->events.call = leg->call;
    leg->events.runs_tools = vapi_runs_tools(s->brief);
    leg->events.on_over = on_over;
    leg->events.arg = leg;
    rc = speech_init(&leg->speech, s->number, counts);
    if (rc)
        return rc;
    leg->speech.up = leg->ev;
    leg->speech.up_arg = leg->arg;
    rc = buf_reserve(&leg->out, USUAL_OUT_BYTES);
    return rc ? rc : loop_timer_new(&leg->timer, vapi_pool_opts(leg->pool)->loop, on_timer, leg);
}

int vapi_open(struct provider_leg **out, struct vapi_pool *p, const struct vapi_session *s,
              const struct provider_events *ev, void *arg)
{
    unsigned timeout_ms = vapi_pool_opts(p)->timeout_ms;
    struct provider_leg *leg = NULL;
    int rc = check(p, s);

    if (!rc) {
        leg = calloc(1, sizeof(*leg));
        rc = leg ? 0 : -ENOMEM;
    }
    if (leg) {
        leg->pool = p;
        leg->ev = ev;
        leg->arg = arg;
        vapi_pool_join(p, leg);
        timeout_ms = timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS;
        leg->deadline_ms = now_us() / 1000 + timeout_ms;
        rc = leg_init(leg, s);
        if (!rc)
            rc = ask(leg, s, timeout_ms);
    }
    if (!rc) {
        *out = leg;
        return 0;
    }
    log_error("bridge.open_failed", F_CALL(s->call_sid), F_STR("agent", s->brief->agent), F_ERR(rc),
              F_FIX(rc == RD_ECONFIG ? "set VAPI_API_KEY (vapi.key) and the agent's vapi.assistant"
                                     : "check vapi.api and free memory"));
    if (leg) {
        leg_tell_target(leg, BREAKER_UNKNOWN, NULL);
        leg_free(leg);
    }
    return rc;
}

/* --- provider_ops --- */

/* Per frame: decoded on the stack. */
static int vapi_audio(struct provider_leg *leg, const struct audio_span *a)
{
    uint8_t ulaw[B64_AT_ONCE / 4 * 3];
    struct rd_str rest = {a->b64, a->n_b64};
    ssize_t n;
    int rc = 0;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    while (!rc && rest.n > 0) {
        size_t part = rest.n < B64_AT_ONCE ? rest.n : B64_AT_ONCE;

        n = base64_decode(ulaw, rest.p, part);
        if (n <= 0)
            return RD_EPROTO;
        speech_fed(&leg->speech, (size_t)n);
        rc = ws_send_binary(leg->ws, ulaw, (size_t)n);
        rest = (struct rd_str){rest.p + part, rest.n - part};
    }
    return rc;
}

/* Sends what vapi_wire_…() wrote, unless that failed. */
static int send_out(struct provider_leg *leg, int rc)
{
    return rc ? rc : ws_send(leg->ws, leg->out.data, leg->out.n);
}

static int wire_prompt(struct provider_leg *leg, const struct provider_prompt *p)
{
    if (p->exact_words.n > 0)
        return vapi_wire_say(&leg->out, p->exact_words);
    if (p->instructions.n > 0)
        return vapi_wire_note(&leg->out, p->instructions, true);
    return vapi_wire_answer(&leg->out, !leg->began);
}

static int vapi_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    int rc;

    if (leg->state != LEG_READY)
        return RD_ESTATE;
    rc = send_out(leg, wire_prompt(leg, p));
    leg->began = true;
    if (!rc)
        speech_asked(&leg->speech, p->tag, p->out_of_band, now_us());
    return rc;
}

static int vapi_cancel(struct provider_leg *leg, struct rd_str response_id)
{
    return leg->state == LEG_READY ? speech_cancel(&leg->speech, response_id) : RD_ESTATE;
}

static int vapi_truncate(struct provider_leg *leg, struct rd_str item_id, uint32_t content_index,
                         uint32_t audio_end_ms)
{
    (void)content_index, (void)audio_end_ms;
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    /* It heard the caller cut in on words of its own, and knows. */
    return speech_own_id(&leg->speech, item_id, &item_id) ? 0 : RD_EGONE;
}

static int vapi_tool_result(struct provider_leg *leg, struct rd_str call_id, struct rd_str output)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    if (!speech_own_id(&leg->speech, call_id, &call_id))
        return RD_EGONE;
    return send_out(leg, vapi_wire_tool_result(&leg->out, call_id, output));
}

static int vapi_note(struct provider_leg *leg, struct rd_str text)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    return send_out(leg, vapi_wire_note(&leg->out, text, false));
}

static int vapi_remember(struct provider_leg *leg, const struct history_item *it)
{
    if (leg->state != LEG_READY)
        return RD_ESTATE;
    leg->began = true;
    if (it->kind == HISTORY_TOOL && !it->has_output)
        return 0;
    return send_out(leg, vapi_wire_remember(&leg->out, it));
}

static void vapi_set_events(struct provider_leg *leg, const struct provider_events *ev, void *arg)
{
    leg->ev = ev;
    leg->arg = arg;
    if (leg->speech.up)
        leg->speech.up = ev;
    leg->speech.up_arg = arg;
}

static void vapi_close(struct provider_leg *leg)
{
    bool open = leg->ws && leg->state != LEG_DIALLING;

    if (leg->state == LEG_CLOSING)
        return;
    if (open && leg->state != LEG_DRAINING)
        (void)send_out(leg, vapi_wire_end(&leg->out));
    leg_stop(leg, LEG_CLOSED_BY_US);
    if (open)
        ws_close(leg->ws, 1000, "");
    else
        leg_end_soon(leg);
}

static void vapi_abort(struct provider_leg *leg)
{
    if (leg->state != LEG_CLOSING)
        leg_stop(leg, LEG_CLOSED_BY_US);
    leg_end_soon(leg);
}

static void ignore_end(void *arg, enum leg_end why)
{
    (void)arg, (void)why;
}

static const struct provider_events nobody = {.on_end = ignore_end};

void vapi_leg_disown(struct provider_leg *leg)
{
    leg->ev = &nobody;
    vapi_abort(leg);
}

bool vapi_leg_is_forgotten(const struct provider_leg *leg)
{
    return leg->ev == &nobody;
}

static void vapi_forget(struct provider_leg *leg)
{
    leg->ev = &nobody;
    vapi_close(leg);
}

const struct provider_ops vapi_provider = {
    .name = "vapi",
    .caps = {.client_truncation = true,
             .turn_events = true,
             .exact_words = true,
             .own_voice = true,
             .resumable = false,
             .slow_start = true,
             .billing_unit = PROVIDER_BILLS_SECONDS,
             .formats = AUDIO_PCMU},
    .audio = vapi_audio,
    .respond = vapi_respond,
    .cancel = vapi_cancel,
    .truncate = vapi_truncate,
    .tool_result = vapi_tool_result,
    .note = vapi_note,
    .remember = vapi_remember,
    .set_events = vapi_set_events,
    .forget = vapi_forget,
    .close = vapi_close,
    .abort = vapi_abort,
};
