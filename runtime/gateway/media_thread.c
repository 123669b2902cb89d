/* SPDX-License-Identifier: Apache-2.0 */
/* media_thread.c - the loop of one media thread and what its mailbox brings.
 *
 * - MSG_SOCKET: a connection to serve. MSG_CALL_OPENED, MSG_RESUMED: a script's answer to a webhook.
 * - MSG_CALL_COMMAND: what a script or an operator wants of a call that is here.
 * - MSG_SWEEP, and every ten seconds without: is everything here that should be, and nothing else?
 * - MSG_STOP: every line ends; when the last has let go, the thread leaves its loop. */
#include "gateway/media_thread.h"

#include "base/crash.h"
#include "base/err.h"
#include "base/log.h"
#include "base/urgent.h"
#include "gateway/accept.h"
#include "gateway/adopt.h"
#include "gateway/beat.h"
#include "gateway/claims.h"
#include "gateway/line.h"
#include "gateway/opening.h"
#include "gateway/resume.h"
#include "gateway/sweep.h"
#include "gateway/texts.h"
#include "gateway/triage.h"
#include "gateway/vapi/hooks.h"
#include "gateway/voice.h"
#include "gateway/webhook.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdlib.h>

enum {
    PULSE_MS = 1000,
    SWEEP_EVERY = 10,
    BEAT_EVERY = 2,
    BODY_MAX = 64 * 1024,
    REFUSALS_TOLD = 10
};

/* Room for every result and command a call can have under way, besides sockets and answers. */
static size_t mailbox_capacity(const struct node *n)
{
    return 2 * MEDIA_SOCKETS_WAITING + 32 * (size_t)n->settings->max_calls;
}

static void on_request(struct http_request *r, void *arg)
{
    webhook_request(arg, r);
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)arg;
    opening_gone(r);
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    return line_upgrade(arg, r, accept);
}

/* Only Vapi's reports are long. */
static size_t body_max(struct http_request *r, void *arg)
{
    return vapi_hooks_body_max(arg, r);
}

static const struct http_handlers http_handlers = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade, .body_max = body_max};

static void leave_if_done(struct media_thread *t)
{
    if (t->stopping && !t->lines)
        loop_stop(t->loop);
}

void media_thread_line_gone(struct media_thread *t)
{
    leave_if_done(t);
}

static void on_stop(struct media_thread *t)
{
    t->stopping = true;
    opening_end_all(t);
    line_end_all(t);
    leave_if_done(t);
}

static void receive(struct message *m, void *arg)
{
    struct media_thread *t = arg;

    switch (m->type) {
    case MSG_SOCKET:
        (void)http_server_adopt(t->http, m->fd);
        m->fd = -1;
        break;
    case MSG_CALL_OPENED:
        voice_opened(t, m);
        break;
    case MSG_ADOPTED:
        adopt_answered(t, m);
        break;
    case MSG_PINNED:
        voice_pinned(t, m);
        break;
    case MSG_ACCEPTED:
        accept_answered(t, m);
        break;
    case MSG_VAPI_KNOWN:
        vapi_hooks_known(t, m);
        break;
    case MSG_REPLIED:
        vapi_hooks_replied(t, m);
        break;
    case MSG_RESUMED:
        resume_answered(t, m);
        break;
    case MSG_CALL_COMMAND:
        line_command(t, m);
        break;
    case MSG_SWEEP:
        sweep_media(t);
        break;
    case MSG_STOP:
        on_stop(t);
        break;
    default:
        log_error("media.unknown_message", F_INT("type", m->type),
                  F_FIX("a fault of this program; report it"));
    }
    message_free(m);
}

bool media_thread_tells(struct media_thread *t)
{
    return t->refusals++ < REFUSALS_TOLD;
}

static void count_refusals(struct media_thread *t)
{
    struct http_counts now = http_server_counts(t->http);

    metric_add(M_REFUSED_BAD_REQUEST, now.refused - t->told.refused);
    metric_add(M_REFUSED_SLOW, now.timeouts - t->told.timeouts);
    metric_add(M_REFUSED_TOO_BIG, now.too_big - t->told.too_big);
    metric_add(M_REFUSED_NO_ROOM, now.no_room - t->told.no_room);
    metric_add(M_DISPLACED, now.displaced - t->told.displaced);
    t->told = now;
    if (t->refusals > REFUSALS_TOLD)
        log_warn("refusals.not_told", F_INT("n", t->refusals - REFUSALS_TOLD),
                 F_FIX("somebody knocks at the public listener; `ringdown status` has all counts"));
    t->refusals = 0;
}

static void on_pulse(void *arg)
{
    struct media_thread *t = arg;
    struct loop_lag lag = loop_lag_take(t->loop);

    count_refusals(t);
    atomic_store(&t->pulse_ms, clock_ms(loop_clock()));
    atomic_store(&t->lag_worst_us, lag.worst_us);
    metric_observe(H_LOOP_LAG_US, lag.worst_us);
    atomic_store(&t->warm, openai_pool_warm(t->openai));
    if (++t->pulses % SWEEP_EVERY == 0)
        sweep_media(t);
    if (t->index == 0)
        claims_look(t->node);
    if (t->index == 0)
        vapi_hooks_look(t->node);
    if (t->index == 0 && t->pulses % BEAT_EVERY == 0)
        beat_tell(t->node);
    if (t->index == 0 && t->pulses % TEXTS_DUE_EVERY == 0)
        texts_ask_due(t->node);
    if (t->index == 0 && t->pulses % SWEEP_EVERY == 0)
        triage_look_back(t->node);
    loop_timer_in(t->pulse, PULSE_MS);
}

static int start_http(struct media_thread *t)
{
    struct http_server_opts o = {.loop = t->loop,
                                 .tls = t->node->tls_server,
                                 .handlers = &http_handlers,
                                 .arg = t,
                                 .max_body = BODY_MAX,
                                 .max_connections = t->node->max_requests};

    return http_server_new(&t->http, &o);
}

static int start_openai(struct media_thread *t)
{
    const struct settings *s = t->node->settings;
    struct openai_opts o = {.loop = t->loop,
                            .tls = t->node->tls_client,
                            .url = s->openai_url,
                            .key = s->openai_key,
                            .model = s->openai_model,
                            .warm = 2};

    return openai_pool_new(&t->openai, &o);
}

static int start_vapi(struct media_thread *t)
{
    const struct settings *s = t->node->settings;
    struct vapi_opts o = {.loop = t->loop,
                          .tls = t->node->tls_client,
                          .ca_file = s->ca_file[0] ? s->ca_file : NULL,
                          .api = s->vapi_api,
                          .key = s->vapi_key};

    return vapi_pool_new(&t->vapi, &o);
}

static int start_live(struct media_thread *t)
{
    const struct settings *s = t->node->settings;
    struct live_opts o = {
        .loop = t->loop, .tls = t->node->tls_client, .url = s->live_url, .key = s->openai_key};

    return live_pool_new(&t->live, &o);
}

int media_thread_new(struct media_thread **out, struct node *n, unsigned index)
{
    struct media_thread *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    t->node = n;
    t->index = index;
    t->next_request = 1;
    rc = loop_new(&t->loop);
    if (!rc)
        loop_gather(t->loop);
    if (!rc)
        rc = mailbox_new(&t->mailbox, t->loop, mailbox_capacity(n), receive, t);
    if (!rc)
        rc = start_http(t);
    if (!rc)
        rc = start_openai(t);
    if (!rc)
        rc = start_vapi(t);
    if (!rc)
        rc = start_live(t);
    if (!rc)
        rc = loop_timer_new(&t->pulse, t->loop, on_pulse, t);
    if (rc) {
        media_thread_free(t);
        return rc;
    }
    loop_timer_in(t->pulse, PULSE_MS);
    atomic_store(&t->pulse_ms, clock_ms(loop_clock()));
    *out = t;
    return 0;
}

void *media_thread_run(void *arg)
{
    struct media_thread *t = arg;

    (void)pthread_setname_np(pthread_self(), "media");
    crash_thread();
    urgent_thread();
    (void)loop_run(t->loop);
    /* What still came in meanwhile has scripts to tell, and those end after us. */
    http_server_free(t->http);
    t->http = NULL;
    opening_end_all(t);
    return NULL;
}

void media_thread_free(struct media_thread *t)
{
    if (!t)
        return;
    http_server_free(t->http);
    if (t->openai)
        openai_pool_free(t->openai);
    vapi_pool_free(t->vapi);
    live_pool_free(t->live);
    loop_timer_free(t->pulse);
    if (t->mailbox)
        mailbox_free(t->mailbox);
    if (t->loop)
        loop_free(t->loop);
    free(t);
}
