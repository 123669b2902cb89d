/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - places the calls at their rate, keeps the clock of all of them, and adds up.
 *
 * - one timer of 2 ms serves all calls: each has its own 20 ms phase, so frames do not come in
 * bursts.
 * - when all calls are up, audio runs for the wanted seconds; then half a second of silence lets
 * what is under way arrive, and everything hangs up.
 *
 * Failure modes: a call that cannot be placed or drops is counted; after 30 s without all calls up
 * the run goes on with those that are. */
#include "sim/load/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 2,
    UP_WAIT_S = 30,
    SETTLE_MS = 500,
    GONE_MS = 3000,
    FINE = 200,
    FINE_US = 10,
    COARSE_US = 250
};

void load_observe(struct load_histogram *h, uint64_t us)
{
    uint64_t i = us / FINE_US;

    if (i >= FINE)
        i = FINE + (us - FINE * FINE_US) / COARSE_US;
    if (i >= LOAD_BUCKETS)
        i = LOAD_BUCKETS - 1;
    h->counts[i]++;
    h->n++;
    if (us > h->max_us)
        h->max_us = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

uint32_t load_quantile_us(const struct load_histogram *h, double q)
{
    uint64_t wanted = (uint64_t)((double)h->n * q), seen = 0;

    for (uint32_t i = 0; i < LOAD_BUCKETS; i++) {
        uint32_t edge = i < FINE ? (i + 1) * FINE_US : FINE * FINE_US + (i - FINE + 1) * COARSE_US;

        seen += h->counts[i];
        if (seen > wanted)
            return edge < h->max_us ? edge : h->max_us;
    }
    return h->max_us;
}

/* --- stamps --- */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void load_stamp(char out[LOAD_STAMP_CHARS], uint32_t call, uint64_t now_us)
{
    uint8_t b[12] = {'R', 'D', (uint8_t)(call >> 8), (uint8_t)call};

    for (int i = 0; i < 8; i++)
        b[4 + i] = (uint8_t)(now_us >> (56 - 8 * i));
    for (int i = 0; i < 4; i++) {
        uint32_t v = (uint32_t)b[3 * i] << 16 | (uint32_t)b[3 * i + 1] << 8 | b[3 * i + 2];

        for (int k = 0; k < 4; k++)
            out[4 * i + k] = alphabet[(v >> (18 - 6 * k)) & 63];
    }
}

static int value_of(char c)
{
    const char *p = c ? strchr(alphabet, c) : NULL;

    return p ? (int)(p - alphabet) : -1;
}

bool load_read_stamp(const char *text, uint32_t *call, uint64_t *at_us)
{
    uint8_t b[12];

    for (int i = 0; i < 4; i++) {
        uint32_t v = 0;

        for (int k = 0; k < 4; k++) {
            int six = value_of(text[4 * i + k]);

            if (six < 0)
                return false;
            v = v << 6 | (uint32_t)six;
        }
        b[3 * i] = (uint8_t)(v >> 16);
        b[3 * i + 1] = (uint8_t)(v >> 8);
        b[3 * i + 2] = (uint8_t)v;
    }
    if (b[0] != 'R' || b[1] != 'D')
        return false;
    *call = (uint32_t)b[2] << 8 | b[3];
    *at_us = 0;
    for (int i = 0; i < 8; i++)
        *at_us = *at_us << 8 | b[4 + i];
    return true;
}

/* --- the run --- */

static void place_due(struct load *l, uint64_t now_us)
{
    uint64_t wanted = 1 + (now_us - l->started_us) * l->o.per_second / 1000000;

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

static void finish(struct load *l)
{
    loop_timer_stop(l->tick);
    for (unsigned i = 0; i < l->n_placed; i++) { /* not the unruly ones */
        l->report.bytes_sent += l->calls[i].bytes_sent;
        l->report.bytes_arrived += l->calls[i].bytes_arrived;
    }
    l->done(&l->report, l->arg);
}

static void count_lag(struct load *l)
{
    struct loop_lag lag = loop_lag_take(l->o.loop);

    if (l->all_up_us && lag.turns > 0)
        load_observe(&l->report.lag, lag.worst_us);
}

static bool all_up(const struct load *l, uint64_t now_us)
{
    return l->n_placed == l->o.calls &&
           (l->n_up + l->n_over == l->o.calls || now_us - l->started_us > UP_WAIT_S * 1000000ull);
}

/* True when the run is over. */
static bool move_on(struct load *l, uint64_t now_us)
{
    if (!l->all_up_us && all_up(l, now_us))
        l->all_up_us = now_us;
    if (l->all_up_us && !l->silent && now_us - l->all_up_us > l->o.seconds * 1000000ull) {
        l->silent = true;
        l->stop_us = now_us + SETTLE_MS * 1000;
    }
    if (l->silent && now_us > l->stop_us)
        for (unsigned i = 0; i < placed(l); i++)
            load_call_hang_up(&l->calls[i]);
    return l->silent && (l->n_over == l->n_placed || now_us > l->stop_us + GONE_MS * 1000);
}

static void on_tick(void *arg)
{
    struct load *l = arg;
    uint64_t now_us = clock_us(loop_clock());

    count_lag(l);
    place_due(l, now_us);
    if (l->all_up_us && !l->unruly_placed)
        place_unruly(l);
    for (unsigned i = 0; i < placed(l); i++) {
        load_call_tick(&l->calls[i], now_us);
        load_model_tick(&l->calls[i], now_us);
    }
    if (move_on(l, now_us))
        finish(l);
    else
        loop_timer_in(l->tick, TICK_MS);
}

int load_start(struct load **out, const struct load_opts *o, int model_fd, load_done_fn *done,
               void *arg)
{
    struct load *l = calloc(1, sizeof(*l));
    int rc = l ? 0 : -ENOMEM;

    if (!rc) {
        l->o = *o;
        l->done = done;
        l->arg = arg;
        l->calls = calloc(o->calls + o->n_unruly, sizeof(*l->calls));
        rc = l->calls ? 0 : -ENOMEM;
    }
    for (unsigned i = 0; !rc && i < o->calls + o->n_unruly; i++) {
        l->calls[i].load = l;
        l->calls[i].number = i;
        l->calls[i].unruly = i < o->calls ? NULL : o->unruly[i - o->calls];
    }
    if (!rc)
        rc = http_client_new(&l->http, o->loop, NULL);
    if (!rc)
        rc = load_model_start(l, model_fd);
    if (!rc)
        rc = loop_timer_new(&l->tick, o->loop, on_tick, l);
    if (rc) {
        load_stop(l);
        load_free(l);
        return rc;
    }
    l->started_us = clock_us(loop_clock());
    loop_timer_in(l->tick, TICK_MS);
    *out = l;
    return 0;
}

void load_stop(struct load *l)
{
    if (!l)
        return;
    loop_timer_free(l->tick);
    load_model_stop(l);
    if (l->http)
        http_client_free(l->http);
}

void load_free(struct load *l)
{
    if (!l)
        return;
    free(l->calls);
    free(l);
}

unsigned load_up(const struct load *l)
{
    return l->n_up;
}

const struct load_report *load_so_far(const struct load *l)
{
    return &l->report;
}
