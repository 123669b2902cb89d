/* SPDX-License-Identifier: Apache-2.0 */
/* leaving.c - a node that drains, hands over, hands on.
 *
 * - a new binary takes over (control/handover.h): it accepts from now on; who had come to us stays, and
 *   what is asked about them is passed on to us
 * - drain_seconds are over (cli/drain.h): streams end, Twilio asks how the call goes on, and another
 *   process adopts it. Calls that somebody's life may hang on are left a minute more. With a socket that outlives us
 *   nothing is accepted any more, so that the question waits for our successor; with one of our own
 *   we stay for a moment, and who asks us after all gets the fallback
 * - processes before us that still have calls hear of them through us: we stay as long as they do
 *
 * The service manager hears READY, STOPPING, that it takes longer, and WATCHDOG while every media and
 * script thread comes round: a process that hangs is ended and started again. */
#include "cli/leaving.h"

#include "base/err.h"
#include "base/log.h"
#include "cli/drain.h"
#include "control/handover.h"
#include "io/mailbox.h"
#include "io/notify.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    LOOK_MS = 200,
    PEERS_EVERY = 10,  /* looks */
    EXTEND_EVERY = 25, /* looks; and each time for EXTEND_US */
    EXTEND_US = 30000000
};

struct leaving {
    struct leaving_opts o;
    struct loop_timer *look, *sign; /* own */
    struct mailbox *news;           /* owns: another process took over */
    struct handover *handover;      /* owns */
    struct drain drain;
    bool draining;
    bool given;    /* to another process */
    bool signaled; /* once: the next one ends us */
    unsigned looks, peers;
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* --- the last calls --- */

static void hand_on(struct leaving *l, bool all)
{
    unsigned n;

    if (node_inherited(l->o.node))
        node_close_doors(l->o.node);
    n = node_hand_on(l->o.node, all);
    if (n > 0)
        log_warn("serve.drain_over", F_INT("calls", n),
                 F_FIX(catalogue_fix("serve.", "drain_over")));
}

static void extend(struct leaving *l)
{
    char lines[128];

    (void)snprintf(lines, sizeof(lines), "EXTEND_TIMEOUT_USEC=%d\nSTATUS=%u calls are left",
                   EXTEND_US, node_calls(l->o.node));
    if (!l->given)
        (void)notify_send(lines);
}

static void on_look(void *arg)
{
    struct leaving *l = arg;
    enum drain_step step;

    if (l->looks % PEERS_EVERY == 0)
        l->peers = node_peers(l->o.node);
    if (l->looks++ % EXTEND_EVERY == 0)
        extend(l);
    step = drain_look(&l->drain, now_ms(),
                      (struct drain_left){node_calls(l->o.node), node_busy(l->o.node), l->peers});
    if (step == DRAIN_END) {
        loop_stop(l->o.loop);
        return;
    }
    if (step != DRAIN_WAIT)
        hand_on(l, step == DRAIN_HAND_ON_ALL);
    loop_timer_in(l->look, LOOK_MS);
}

static void drain(struct leaving *l)
{
    if (l->draining)
        return;
    l->draining = true;
    drain_begin(&l->drain, now_ms(), (unsigned)l->o.settings->drain_seconds);
    log_info(l->given ? "serve.handed_over" : "serve.drain", F_INT("calls", node_calls(l->o.node)),
             F_INT("at_most_s", l->o.settings->drain_seconds));
    on_look(l);
}

static void on_signal(int signum, void *arg)
{
    struct leaving *l = arg;

    if (l->signaled) {
        log_warn("serve.end_at_once", F_INT("signal", signum),
                 F_INT("calls", node_calls(l->o.node)));
        loop_stop(l->o.loop);
        return;
    }
    l->signaled = true;
    if (!l->given) {
        (void)notify_send("STOPPING=1");
        node_leave(l->o.node);
    }
    drain(l);
}

/* --- a new binary --- */

static int what_is_given(void *arg, int out[2])
{
    struct leaving *l = arg;

    out[0] = node_listen_fd(l->o.node);
    out[1] = control_lock_fd(l->o.control);
    return out[0] > 0 && out[1] > 0 ? 0 : RD_ESTATE;
}

/* The hand-over's thread: the rest is the loop's. */
static int give(void *arg)
{
    struct leaving *l = arg;
    struct message *m = message_new(MSG_STOP, 0, NULL, 0);
    int rc = m ? node_step_aside(l->o.node) : -ENOMEM;

    if (rc)
        message_free(m);
    else
        (void)mailbox_post(l->news, m);
    return rc;
}

static void on_given(struct message *m, void *arg)
{
    struct leaving *l = arg;
    int rc = control_step_aside(l->o.control);

    message_free(m);
    if (rc)
        log_warn("handover.no_control", F_ERR(rc), F_FIX(catalogue_fix("handover.", "no_control")));
    l->given = true;
    drain_given(&l->drain, now_ms());
    loop_timer_stop(l->sign);
    drain(l);
}

/* --- signs of life --- */

static void on_sign(void *arg)
{
    struct leaving *l = arg;

    if (node_is_alive(l->o.node))
        (void)notify_send("WATCHDOG=1");
    loop_timer_in(l->sign, l->o.watchdog_us / 3000);
}

void leaving_ready(struct leaving *l)
{
    char lines[128];

    (void)snprintf(lines, sizeof(lines), "READY=1\nMAINPID=%d\nSTATUS=answering calls",
                   (int)getpid());
    (void)notify_send(lines);
    if (l->o.watchdog_us >= 3000)
        on_sign(l);
}

/* --- life --- */

int leaving_new(struct leaving **out, const struct leaving_opts *o, char *why, size_t cap)
{
    struct leaving *l = calloc(1, sizeof(*l));
    struct handover_opts h = {.data = o->settings->data,
                              .fds = what_is_given,
                              .give = give,
                              .arg = l,
                              .watchdog_us = o->watchdog_us};
    int rc = l ? 0 : -ENOMEM;

    (void)snprintf(why, cap, "cannot start: not enough memory");
    if (rc)
        return rc;
    l->o = *o;
    rc = loop_timer_new(&l->look, o->loop, on_look, l);
    if (!rc)
        rc = loop_timer_new(&l->sign, o->loop, on_sign, l);
    if (!rc)
        rc = mailbox_new(&l->news, o->loop, 1, on_given, l);
    if (!rc)
        rc = loop_on_signal(o->loop, SIGTERM, on_signal, l);
    if (!rc)
        rc = loop_on_signal(o->loop, SIGINT, on_signal, l);
    if (!rc)
        rc = handover_offer(&l->handover, &h, why, cap);
    if (rc)
        leaving_free(l);
    else
        *out = l;
    return rc;
}

void leaving_free(struct leaving *l)
{
    if (!l)
        return;
    handover_free(l->handover);
    if (l->news)
        mailbox_free(l->news);
    loop_timer_free(l->look);
    loop_timer_free(l->sign);
    free(l);
}
