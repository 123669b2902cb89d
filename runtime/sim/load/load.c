/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - places the calls at their rate, keeps the clock of all of them, and adds up.
 *
 * - 20 ms are a wheel of 80 slots of 250 µs. A call is visited in its slot for the caller's frame,
 *   and half a turn of the wheel later for the model's: frames are spread evenly, no list is
 *   searched, and waiting is one epoll with a timeout in microseconds.
 * - when all calls are up and warm, audio is measured for the wanted seconds; then half a second of
 *   silence lets what is under way arrive, and everything hangs up.
 * - lag is how late a slot is begun. What is late on our side is late in every delay.
 *
 * Failure modes: a call that cannot be placed or drops is counted; after 30 s without all calls up
 * the run goes on with those that are. */
#include "base/err.h"
#include "sim/load/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

enum {
    SLOTS = 80,
    SLOT_US = 250,
    TENTH = 40, /* slots to look after the run itself: every 10 ms */
    UP_WAIT_S = 30,
    SETTLE_MS = 500,
    GONE_MS = 3000,
    SECOND_US = 1000000
};

static double cpu_s(void)
{
    return (double)now_of(CLOCK_PROCESS_CPUTIME_ID) / 1e6;
}

static void place_due(struct load *l, uint64_t now_us)
{
    uint64_t wanted = 1 + (now_us - l->started_us) * l->o.per_second / SECOND_US;

    while (l->n_placed < l->o.calls && l->n_placed < wanted) {
        struct load_call *c = &l->calls[l->n_placed++];

        l->report.attempted++;
        if (load_call_place(c))
            load_call_over(c);
    }
}

/* They begin together, in the middle of everybody else's conversation. */
static void place_unruly(struct load *l)
{
    l->unruly_placed = true;
    for (unsigned i = l->o.calls; i < l->o.calls + l->o.n_unruly; i++)
        if (load_call_place(&l->calls[i]))
            load_call_over(&l->calls[i]);
}

static unsigned placed(const struct load *l)
{
    return l->unruly_placed ? l->o.calls + l->o.n_unruly : l->n_placed;
}

static bool all_up(const struct load *l, uint64_t now_us)
{
    return l->n_placed == l->o.calls && (l->report.now_up + l->n_over == l->o.calls ||
                                         now_us - l->started_us > UP_WAIT_S * 1000000ull);
}

static void begin_measuring(struct load *l, uint64_t now_us)
{
    l->measuring = true;
    l->measure_us = now_us;
    l->report.harness_cpu_s = cpu_s();
    if (l->events.measuring)
        l->events.measuring(l->events.arg);
}

static void end_measuring(struct load *l, uint64_t now_us)
{
    l->measuring = false;
    l->silent_us = now_us;
    l->report.harness_cpu_s = cpu_s() - l->report.harness_cpu_s;
    l->report.seconds = (double)(now_us - l->measure_us) / 1e6;
    if (l->events.measured)
        l->events.measured(l->events.arg);
}

/* True when the run is over. */
static bool move_on(struct load *l, uint64_t now_us)
{
    place_due(l, now_us);
    if (!l->all_up_us && all_up(l, now_us)) {
        l->all_up_us = now_us;
        place_unruly(l);
    }
    if (l->all_up_us && !l->measure_us && now_us - l->all_up_us >= l->o.warm_seconds * 1000000ull)
        begin_measuring(l, now_us);
    if (l->measuring && now_us - l->measure_us >= l->o.seconds * 1000000ull)
        end_measuring(l, now_us);
    if (!l->silent_us || now_us < l->silent_us + SETTLE_MS * 1000ull)
        return false;
    for (unsigned i = 0; i < placed(l); i++)
        load_call_hang_up(&l->calls[i]);
    return l->n_over == l->n_placed || now_us > l->silent_us + GONE_MS * 1000ull;
}

/* --- the wheel --- */

static void visit(struct load *l, unsigned slot)
{
    unsigned n = placed(l);

    for (unsigned i = slot; i < n; i += SLOTS)
        load_call_visit(&l->calls[i], monotonic_us());
    for (unsigned i = (slot + SLOTS / 2) % SLOTS; i < n; i += SLOTS)
        load_model_visit(&l->calls[i], monotonic_us());
}

static void turn(struct load *l)
{
    uint64_t next_us = l->started_us, second_us = l->started_us + SECOND_US;

    for (uint64_t slot = 0;; slot++, next_us += SLOT_US) {
        uint64_t now_us = monotonic_us();

        while (now_us < next_us) {
            wire_poll(l->wire, (int64_t)(next_us - now_us));
            now_us = monotonic_us();
        }
        if (l->measuring)
            load_observe(&l->report.lag, now_us - next_us);
        visit(l, (unsigned)(slot % SLOTS));
        if (slot % TENTH == 0 && move_on(l, now_us))
            return;
        if (now_us >= second_us) {
            second_us += SECOND_US;
            if (l->events.second)
                l->events.second(&l->report, l->events.arg);
        }
        if (slot % 4 == 3) /* however late we are, what came in is read */
            wire_poll(l->wire, 0);
    }
}

static void add_up(struct load *l)
{
    for (unsigned i = 0; i < l->n_placed; i++) { /* not the unruly ones */
        struct load_call *c = &l->calls[i];

        load_order_end(&c->up_order, c->up_seq);
        if (c->cut_seq == c->down_seq)
            load_order_forgive(&c->down_order, c->cut_seq);
        load_order_end(&c->down_order, c->down_seq);
        load_order_add(&l->report.up_order, &c->up_order);
        load_order_add(&l->report.down_order, &c->down_order);
        l->report.bytes_sent += c->bytes_sent;
        l->report.bytes_arrived += c->bytes_arrived;
    }
}

int load_run(const struct load_opts *o, int model_fd, const struct load_events *events,
             struct load_report *out)
{
    struct load *l = calloc(1, sizeof(*l));
    int rc = -ENOMEM;

    if (!l)
        return rc;
    l->o = *o;
    l->events = *events;
    l->calls = calloc(o->calls + o->n_unruly, sizeof(*l->calls));
    if (!l->calls)
        goto out;
    for (unsigned i = 0; i < o->calls + o->n_unruly; i++) {
        l->calls[i].load = l;
        l->calls[i].number = (uint16_t)i;
        l->calls[i].unruly = i < o->calls ? NULL : o->unruly[i - o->calls];
    }
    rc = wire_new(&l->wire);
    if (!rc)
        rc = load_model_start(l, model_fd);
    if (rc)
        goto out;
    (void)prctl(PR_SET_TIMERSLACK, 1000ul);
    l->started_us = monotonic_us();
    turn(l);
    add_up(l);
    *out = l->report;
out:
    wire_free(l->wire);
    free(l->calls);
    free(l);
    return rc;
}
