/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - libuv with a turn that has an end.
 *
 *   wait ─▶ sockets, mailboxes, finished work ─▶ close callbacks ─▶ timers ─▶ flush list ─▶ wait
 *
 * - Whoever produced output during a turn is in the flush list once, and is flushed once, right
 *   before the loop waits again (uv_prepare). So many small messages become one write.
 * - What must not happen inside a caller's stack (`closed` callbacks, freeing) uses the same list.
 *   An item queued while the list runs still runs in the same turn.
 * - Lag is measured from the first callback after waiting to the end of the flush list.
 * - A loop with very many frames lets a moment pass between two turns (gather.c).
 *
 * Failure modes: out of memory while making something is reported; nothing else can fail. Handles
 * that an owner forgot are closed by loop_free(), connections without an owner are asked to leave.
 */
#include "io/loop.h"

#include "io/gather.h"
#include "io/loop_private.h"
#include "io/tls.h"
#include "observe/turn.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RANDOM_BYTES = 4096 };

struct loop_signal {
    uv_signal_t handle;
    loop_signal_cb *cb;
    void *arg;
    struct loop *loop;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    struct loop_flush *first, **last;
    struct loop_guest guests; /* head of a ring */
    bool stopped, leaving;

    bool in_turn;
    uint64_t turn_began_us;
    uint64_t lag_sum_us, lag_turns;
    uint32_t lag_worst_us;

    bool gathers;
    struct gather gather;

    char *scratch; /* owns */
    char *wire;    /* owns; made when first needed */
    struct loop_slot tls;

    unsigned random_left;
    uint8_t random[RANDOM_BYTES];
};

struct loop_timer {
    uv_timer_t handle;
    loop_timer_cb *cb;
    void *arg;
    struct loop *loop;
};

struct loop_job {
    uv_work_t req;
    loop_work_fn *work, *done;
    void *arg;
    struct loop *loop;
    /* Passed along with the job. libuv's queue orders the threads already; this says so in words
     * that the thread sanitizer can read, because libuv itself is not instrumented. */
    _Atomic int stage;
};

/* --- turns ------------------------------------------------------------------------------------ */

static uint64_t now_us(void *arg)
{
    (void)arg;
    return uv_hrtime() / 1000;
}

const struct clock *loop_clock(void)
{
    static const struct clock clock = {.now_us = now_us};

    return &clock;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return uv_now(&l->uv);
}

void loop_woke(struct loop *l)
{
    gather_event(&l->gather);
    if (l->in_turn)
        return;
    l->in_turn = true;
    l->turn_began_us = now_us(NULL);
}

/* Returns when it is. */
static uint64_t turn_ends(struct loop *l)
{
    uint64_t now = now_us(NULL), us;

    us = now - l->turn_began_us;
    turn_over(us);
    l->in_turn = false;
    l->lag_turns++;
    l->lag_sum_us += us;
    if (us > l->lag_worst_us)
        l->lag_worst_us = us > UINT32_MAX ? UINT32_MAX : (uint32_t)us;
    return now;
}

/* Sockets are left alone for a moment; timers are that much later, too. */
static void gather(struct loop *l, uint64_t now)
{
    struct timespec pause = {0};
    uint32_t us = gather_pause_us(&l->gather, l->turn_began_us, now);

    if (us == 0)
        return;
    pause.tv_nsec = (long)us * 1000;
    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

void loop_gather(struct loop *l)
{
    l->gathers = true;
}

struct loop_lag loop_lag_take(struct loop *l)
{
    struct loop_lag lag = {.worst_us = l->lag_worst_us, .turns = l->lag_turns};

    if (l->lag_turns > 0)
        lag.mean_us = (uint32_t)(l->lag_sum_us / l->lag_turns);
    l->lag_worst_us = 0;
    l->lag_turns = 0;
    l->lag_sum_us = 0;
    return lag;
}

void loop_flush_later(struct loop *l, struct loop_flush *f)
{
    if (f->queued)
        return;
    f->queued = 1;
    f->next = NULL;
    *l->last = f;
    l->last = &f->next;
}

void loop_flush_cancel(struct loop *l, struct loop_flush *f)
{
    struct loop_flush **at = &l->first;

    if (!f->queued)
        return;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    if (!*at)
        l->last = at;
    f->queued = 0;
}

static void flush_all(struct loop *l)
{
    while (l->first) {
        struct loop_flush *f = l->first;

        l->first = f->next;
        if (!l->first)
            l->last = &l->first;
        f->queued = 0;
        f->flush(f);
    }
}

static void on_prepare(uv_prepare_t *h)
{
    struct loop *l = h->data;

    uint64_t now;

    if (l->first)
        loop_woke(l);
    flush_all(l);
    if (!l->in_turn)
        return;
    now = turn_ends(l);
    if (l->gathers && !l->stopped)
        gather(l, now);
}

/* --- the loop itself -------------------------------------------------------------------------- */

int loop_new(struct loop **out)
{
    struct loop *l = calloc(1, sizeof(*l));
    int rc = -ENOMEM;

    if (!l)
        return -ENOMEM;
    l->last = &l->first;
    l->guests.next = l->guests.prev = &l->guests;
    l->scratch = malloc(LOOP_SCRATCH_BYTES);
    if (!l->scratch)
        goto fail;
    rc = uv_loop_init(&l->uv);
    if (rc)
        goto fail;
    uv_prepare_init(&l->uv, &l->prepare);
    l->prepare.data = l;
    uv_prepare_start(&l->prepare, on_prepare);
    /* The list alone is no reason to stay: what is in it belongs to handles or to the owner. */
    uv_unref((uv_handle_t *)&l->prepare);
    *out = l;
    return 0;
fail:
    free(l->scratch);
    free(l);
    return rc;
}

int loop_run(struct loop *l)
{
    do {
        uv_run(&l->uv, UV_RUN_DEFAULT);
        /* The last words of a stopped loop still leave. */
        flush_all(l);
    } while (!l->stopped && uv_loop_alive(&l->uv));
    l->stopped = false;
    if (l->in_turn)
        (void)turn_ends(l);
    return 0;
}

void loop_stop(struct loop *l)
{
    l->stopped = true;
    uv_stop(&l->uv);
}

static void free_signal(uv_handle_t *h)
{
    free(h->data);
}

static void close_left_over(uv_handle_t *h, void *arg)
{
    (void)arg;
    if (!uv_is_closing(h))
        uv_close(h, h->type == UV_SIGNAL ? free_signal : NULL);
}

static void guests_leave(struct loop *l)
{
    while (l->guests.next != &l->guests) {
        struct loop_guest *g = l->guests.next;

        loop_guest_remove(g);
        g->leave(g);
    }
    flush_all(l);
}

void loop_free(struct loop *l)
{
    if (!l)
        return;
    l->leaving = true;
    guests_leave(l);
    uv_walk(&l->uv, close_left_over, NULL);
    do {
        uv_run(&l->uv, UV_RUN_DEFAULT);
        guests_leave(l);
    } while (uv_loop_close(&l->uv) == UV_EBUSY);
    if (l->tls.object)
        l->tls.free(l->tls.object);
    free(l->wire);
    free(l->scratch);
    free(l);
}

void *loop_uv(struct loop *l)
{
    return &l->uv;
}

bool loop_leaving(const struct loop *l)
{
    return l->leaving;
}

char *loop_scratch(struct loop *l)
{
    return l->scratch;
}

char *loop_wire(struct loop *l)
{
    if (!l->wire)
        l->wire = malloc(LOOP_WIRE_BYTES);
    return l->wire;
}

struct loop_slot *loop_tls_slot(struct loop *l)
{
    return &l->tls;
}

int loop_random32(struct loop *l, uint32_t *out)
{
    if (l->random_left < sizeof(*out)) {
        int rc = random_bytes(l->random, sizeof(l->random));

        if (rc)
            return rc;
        l->random_left = sizeof(l->random);
    }
    l->random_left -= (unsigned)sizeof(*out);
    memcpy(out, l->random + l->random_left, sizeof(*out));
    return 0;
}

void loop_guest_add(struct loop *l, struct loop_guest *g)
{
    g->prev = l->guests.prev;
    g->next = &l->guests;
    g->prev->next = g;
    g->next->prev = g;
}

void loop_guest_remove(struct loop_guest *g)
{
    if (!g->next)
        return;
    g->prev->next = g->next;
    g->next->prev = g->prev;
    g->prev = g->next = NULL;
}

/* --- timers ----------------------------------------------------------------------------------- */

static void on_timer(uv_timer_t *h)
{
    struct loop_timer *t = h->data;

    loop_woke(t->loop);
    t->cb(t->arg);
}

static void free_timer(uv_handle_t *h)
{
    free(h->data);
}

int loop_timer_new(struct loop_timer **out, struct loop *l, loop_timer_cb *cb, void *arg)
{
    struct loop_timer *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->cb = cb;
    t->arg = arg;
    t->loop = l;
    uv_timer_init(&l->uv, &t->handle);
    t->handle.data = t;
    *out = t;
    return 0;
}

void loop_timer_at(struct loop_timer *t, uint64_t at_ms)
{
    /* libuv adds the delay to its own idea of now, so taking that off hits at_ms exactly. */
    uint64_t now_ms = uv_now(&t->loop->uv);

    uv_timer_start(&t->handle, on_timer, at_ms > now_ms ? at_ms - now_ms : 0, 0);
}

void loop_timer_in(struct loop_timer *t, uint64_t delay_ms)
{
    loop_timer_at(t, clock_ms(loop_clock()) + delay_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    uv_timer_stop(&t->handle);
}

void loop_timer_free(struct loop_timer *t)
{
    if (t)
        uv_close((uv_handle_t *)&t->handle, free_timer);
}

/* --- work and signals ------------------------------------------------------------------------- */

static void on_job(uv_work_t *req)
{
    struct loop_job *job = (struct loop_job *)req; /* its first member */

    atomic_load_explicit(&job->stage, memory_order_acquire);
    job->work(job->arg);
    atomic_store_explicit(&job->stage, 2, memory_order_release);
}

static void on_job_done(uv_work_t *req, int status)
{
    struct loop_job *job = (struct loop_job *)req; /* its first member */

    (void)status;
    atomic_load_explicit(&job->stage, memory_order_acquire);
    loop_woke(job->loop);
    job->done(job->arg);
    free(job);
}

int loop_work(struct loop *l, loop_work_fn *work, loop_work_fn *done, void *arg)
{
    struct loop_job *job = malloc(sizeof(*job));
    int rc;

    if (!job)
        return -ENOMEM;
    *job = (struct loop_job){.work = work, .done = done, .arg = arg, .loop = l};
    atomic_store_explicit(&job->stage, 1, memory_order_release);
    rc = uv_queue_work(&l->uv, &job->req, on_job, on_job_done);
    if (rc)
        free(job);
    return rc;
}

static void on_signal(uv_signal_t *h, int signum)
{
    struct loop_signal *s = h->data;

    loop_woke(s->loop);
    s->cb(signum, s->arg);
}

int loop_on_signal(struct loop *l, int signum, loop_signal_cb *cb, void *arg)
{
    struct loop_signal *s = calloc(1, sizeof(*s));
    int rc;

    if (!s)
        return -ENOMEM;
    s->cb = cb;
    s->arg = arg;
    s->loop = l;
    rc = uv_signal_init(&l->uv, &s->handle);
    if (rc) {
        free(s);
        return rc;
    }
    s->handle.data = s;
    rc = uv_signal_start(&s->handle, on_signal, signum);
    if (rc) {
        uv_close((uv_handle_t *)&s->handle, free_signal);
        return rc;
    }
    uv_unref((uv_handle_t *)&s->handle);
    return 0;
}
