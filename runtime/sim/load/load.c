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

/* From 0 up to but without n; the same in each run. */
static unsigned some(unsigned n, uint32_t seed)
{
    seed = (seed ^ 61) ^ (seed >> 16);
    seed *= 9;
    seed ^= seed >> 4;
    seed *= 0x27d4eb2d;
    seed ^= seed >> 15;
    return n ? seed % n : 0;
}

/* Half as long to one and a half times as long as wanted. */
static void plan(struct load_call *c)
{
    const struct load_opts *o = &c->load->o;
    uint32_t seed = (uint32_t)c->life << 16 | c->number;
    unsigned frames = (o->duration_s ? o->duration_s : o->seconds) * LOAD_FRAMES_A_SECOND;

    if (o->duration_s)
        c->end_age = frames / 2 + some(frames, seed);
    if (some(100, seed ^ 0x5bd1e995) < o->drops)
        c->drop_age = 1 + some(c->end_age ? c->end_age : frames, seed ^ 0x1b873593);
}

static void place(struct load_call *c)
{
    plan(c);
    if (c->kind == LOAD_COUNTS)
        c->load->report.attempted++;
    if (load_call_place(c))
        load_call_over(c);
}

static void place_due(struct load *l, uint64_t now_us)
{
    uint64_t wanted = 1 + (now_us - l->started_us) * l->o.per_second / SECOND_US;

    while (l->n_placed < l->o.calls && l->n_placed < wanted)
        place(&l->calls[l->n_placed++]);
}

/* They begin together, in the middle of everybody else's conversation. */
static void place_unruly(struct load *l)
{
    l->unruly_placed = true;
    for (unsigned i = l->o.calls; i < l->o.calls + l->o.n_unruly; i++)
        place(&l->calls[i]);
}

/* Spread over the time that is measured. */
static void place_beyond(struct load *l, uint64_t now_us)
{
    uint64_t wanted = (now_us - l->measure_us) * l->o.n_beyond / (l->o.seconds * 800000ull) + 1;

    while (l->n_beyond < l->o.n_beyond && l->n_beyond < wanted) {
        l->report.beyond++;
        place(&l->calls[l->o.calls + l->o.n_unruly + l->n_beyond++]);
    }
}

static unsigned placed(const struct load *l)
{
    return l->unruly_placed ? l->o.calls + l->o.n_unruly + l->n_beyond : l->n_placed;
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
        l->report.setup_per_s = l->report.established * 1e6 / (double)(now_us - l->started_us + 1);
        place_unruly(l);
    }
    if (l->all_up_us && !l->measure_us && now_us - l->all_up_us >= l->o.warm_seconds * 1000000ull)
        begin_measuring(l, now_us);
    if (l->measuring)
        place_beyond(l, now_us);
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

/* Nobody to visit, and nothing else to do: not worth waking up for. */
static bool is_empty(const struct load *l, unsigned slot)
{
    unsigned n = placed(l);

    return slot % TENTH && slot >= n && (slot + SLOTS / 2) % SLOTS >= n;
}

static void turn(struct load *l)
{
    uint64_t next_us = l->started_us, second_us = l->started_us + SECOND_US;

    for (uint64_t slot = 0;; slot++, next_us += SLOT_US) {
        uint64_t now_us = monotonic_us();

        if (is_empty(l, (unsigned)(slot % SLOTS)))
            continue;
        while (now_us < next_us) {
            wire_poll(l->wire, (int64_t)(next_us - now_us));
            now_us = monotonic_us();
        }
        if (l->measuring)
            load_observe(&l->report.lag, now_us - next_us);
        load_observe(&l->report.lag_now, now_us - next_us);
        visit(l, (unsigned)(slot % SLOTS));
        if (slot % TENTH == 0 && move_on(l, now_us))
            return;
        if (now_us >= second_us) {
            second_us += SECOND_US;
            if (l->events.second)
                l->events.second(&l->report, l->events.arg);
            l->report.lag_now = (struct load_histogram){0};
        }
        if (slot % 4 == 3) /* however late we are, what came in is read */
            wire_poll(l->wire, 0);
    }
}

/* What became of its frames. */
static void account(struct load_call *c)
{
    struct load_report *r = &c->load->report;

    if (c->disturbed) {
        r->frames_sent -= c->up_seq;
        r->deltas_sent -= c->down_seq;
        return;
    }
    load_order_end(&c->up_order, c->up_seq);
    if (c->cut_seq == c->down_seq)
        load_order_forgive(&c->down_order, c->cut_seq);
    load_order_end(&c->down_order, c->down_seq);
    load_order_add(&r->up_order, &c->up_order);
    load_order_add(&r->down_order, &c->down_order);
    r->bytes_sent += c->bytes_sent;
    r->bytes_arrived += c->bytes_arrived;
}

void load_call_renew(struct load_call *c)
{
    struct load_call next = {.load = c->load,
                             .number = c->number,
                             .life = (uint16_t)(c->life + 1),
                             .profile = c->profile,
                             .to = c->to};

    account(c);
    *c = next;
    c->load->n_over--;
    place(c);
}

static int prepare(struct load *l, int model_fd)
{
    const struct load_opts *o = &l->o;
    unsigned n = o->calls + o->n_unruly + o->n_beyond;
    int rc = 0;

    l->calls = calloc(n, sizeof(*l->calls));
    if (!l->calls)
        return -ENOMEM;
    for (unsigned i = 0; i < n; i++) {
        struct load_call *c = &l->calls[i];
        unsigned unruly = i - o->calls;

        c->load = l;
        c->number = (uint16_t)i;
        c->to = o->to;
        c->profile = load_mix_of(&o->mix, i);
        if (i >= o->calls)
            c->kind = unruly < o->n_unruly ? LOAD_UNRULY : LOAD_BEYOND;
        if (c->kind == LOAD_UNRULY) {
            c->to = o->unruly[unruly];
            c->profile = LOAD_TALK;
        }
    }
    if (o->model_cert)
        rc = wire_tls_server(&l->model_tls, o->model_cert, o->model_key);
    if (!rc && o->carrier_tls)
        rc = wire_tls_client(&l->carrier_tls);
    if (!rc)
        rc = wire_new(&l->wire);
    return rc ? rc : load_model_start(l, model_fd);
}

int load_run(const struct load_opts *o, int model_fd, const struct load_events *events,
             struct load_report *out)
{
    struct load *l = calloc(1, sizeof(*l));
    int rc;

    if (!l)
        return -ENOMEM;
    l->o = *o;
    l->events = *events;
    rc = prepare(l, model_fd);
    if (rc)
        goto out;
    (void)prctl(PR_SET_TIMERSLACK, 1000ul);
    l->started_us = monotonic_us();
    turn(l);
    for (unsigned i = 0; i < l->n_placed; i++) /* not the unruly ones */
        account(&l->calls[i]);
    *out = l->report;
out:
    wire_free(l->wire);
    wire_tls_free(l->model_tls);
    wire_tls_free(l->carrier_tls);
    free(l->calls);
    free(l);
    return rc;
}
