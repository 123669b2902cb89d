/* SPDX-License-Identifier: Apache-2.0 */
/* loop.h - one event loop per thread: timers, deferred work, and the once-per-turn flush that makes
 * one write of everything a turn produced. libuv stays behind this header. */
#ifndef IO_LOOP_H
#define IO_LOOP_H

#include "ports/clock.h"

#include <stdint.h>

struct loop;
struct loop_timer;

/* libuv error codes, -ENOMEM. The loop belongs to the thread that calls loop_run(). */
int loop_new(struct loop **out);

/* Runs until loop_stop() was called, or nothing is left that could wake it. Returns 0. What the
 * last turn produced is still flushed. */
int loop_run(struct loop *l);

/* Leaves loop_run() after the current turn even if handles are open. On the loop's thread. */
void loop_stop(struct loop *l);

/* Closes what is left, runs the close callbacks and frees. After loop_run() or instead of it. */
void loop_free(struct loop *l);

/* Monotonic clock of the loop; reads the clock anew each time. Any thread. */
const struct clock *loop_clock(void);

/* One-shot timers, on the loop's thread. Restarting moves the deadline; at_ms is absolute monotonic
 * time (loop_clock). Stopping an idle timer is fine. loop_timer_free(NULL) is fine and may be
 * called from the timer's own callback. */
typedef void(loop_timer_cb)(void *arg);
int loop_timer_new(struct loop_timer **out, struct loop *l, loop_timer_cb *cb, void *arg);
void loop_timer_at(struct loop_timer *t, uint64_t at_ms);
void loop_timer_in(struct loop_timer *t, uint64_t delay_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t);

/* Runs `work` on a helper thread (libuv's pool), then `done` on the loop. For what blocks: name
 * resolution, files, other programs. 0, or -ENOMEM and neither is called. */
typedef void(loop_work_fn)(void *arg);
int loop_work(struct loop *l, loop_work_fn *work, loop_work_fn *done, void *arg);

/* Signals, on the loop's thread (one thread only). */
typedef void(loop_signal_cb)(int signum, void *arg);
int loop_on_signal(struct loop *l, int signum, loop_signal_cb *cb, void *arg);

/* A loop that carries audio: with many frames a second it looks for them at most every 150 µs instead of
 * waking up for each (io/gather.h). Loop's thread, or before it runs. */
void loop_gather(struct loop *l);

/* Lag of the loop: worst and mean time a turn took since the last call, in µs (a turn = from waking
 * up to waiting again). Loop's thread. */
struct loop_lag {
    uint32_t worst_us, mean_us;
    uint64_t turns;
};
struct loop_lag loop_lag_take(struct loop *l);

/* The uv_loop_t, for io/ and store/ only. */
void *loop_uv(struct loop *l);

/* For io/ only: `flush` runs once, at the end of the current turn, before the loop waits. */
struct loop_flush {
    void (*flush)(struct loop_flush *self);
    struct loop_flush *next; /* owned by the loop while queued */
    int queued;
};
void loop_flush_later(struct loop *l, struct loop_flush *f);
void loop_flush_cancel(struct loop *l, struct loop_flush *f);

/* A shared scratch buffer of the thread, valid until the current callback returns. For io/ only. */
enum { LOOP_SCRATCH_BYTES = 65536 };
char *loop_scratch(struct loop *l);

#endif
