/* SPDX-License-Identifier: Apache-2.0 */
/* script_thread.c - one loop that runs scripts in turns.
 *
 * - Messages arrive by mailbox and start jobs; a job runs at once for its share, then it queues.
 * Each turn of the loop gives queued jobs SHARE_MS in all, so that messages and timers come
 * between.
 * - nice +5, and they breathe: when cores are short, media threads win (base/urgent.h).
 *
 * Failure: a full mailbox cannot stop the thread (MSG_STOP has a reserved place). At the end every
 * activity is freed, and what it waited for is cancelled. */
#include "agent/script_thread.h"

#include "agent/activity.h"
#include "agent/api/api.h"
#include "agent/errand.h"
#include "agent/operation.h"
#include "base/crash.h"
#include "base/err.h"
#include "base/log.h"
#include "base/urgent.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { PULSE_MS = 1000 };

static struct activity **bucket_of(struct script_thread *t, call_handle handle)
{
    return &t->buckets[(handle * 0x9e3779b97f4a7c15u) >> 56];
}

static struct activity *thread_find(struct script_thread *t, call_handle handle)
{
    struct activity *a = *bucket_of(t, handle);

    while (a && a->handle != handle)
        a = a->next;
    return a;
}

void thread_add(struct script_thread *t, struct activity *a)
{
    struct activity **bucket = bucket_of(t, a->handle);

    a->next = *bucket;
    *bucket = a;
}

void thread_remove(struct script_thread *t, struct activity *a)
{
    struct activity **link = bucket_of(t, a->handle);

    while (*link && *link != a)
        link = &(*link)->next;
    if (*link)
        *link = a->next;
}

static void queue_activity(struct script_thread *t, struct activity *a)
{
    a->next_ready = NULL;
    *t->ready_last = a;
    t->ready_last = &a->next_ready;
    loop_timer_in(t->turn, 0);
}

static void unqueue_activity(struct script_thread *t, struct activity *a)
{
    struct activity **link = &t->ready_first;

    while (*link && *link != a)
        link = &(*link)->next_ready;
    if (!*link)
        return;
    *link = a->next_ready;
    if (t->ready_last == &a->next_ready)
        t->ready_last = link;
}

void thread_queue(struct script_thread *t, struct job *j)
{
    struct activity *a = j->activity;

    if (j->queued)
        return;
    if (!a->ready_first) {
        a->ready_last = &a->ready_first;
        queue_activity(t, a);
    }
    j->queued = true;
    j->next_ready = NULL;
    *a->ready_last = j;
    a->ready_last = &j->next_ready;
}

void thread_unqueue(struct script_thread *t, struct job *j)
{
    struct activity *a = j->activity;
    struct job **link = &a->ready_first;

    if (!j->queued)
        return;
    j->queued = false;
    while (*link && *link != j)
        link = &(*link)->next_ready;
    if (!*link)
        return;
    *link = j->next_ready;
    if (a->ready_last == &j->next_ready)
        a->ready_last = link;
    if (!a->ready_first)
        unqueue_activity(t, a);
}

/* The first job of the first activity, which goes to the end of the queue if it has more. */
static struct job *next_job(struct script_thread *t)
{
    struct activity *a = t->ready_first;
    struct job *j = a->ready_first;

    thread_unqueue(t, j);
    if (a->ready_first) {
        unqueue_activity(t, a);
        queue_activity(t, a);
    }
    return j;
}

static void on_turn(void *arg)
{
    struct script_thread *t = arg;
    uint64_t end_us = clock_us(loop_clock()) + (uint64_t)SHARE_MS * 1000;

    while (t->ready_first && clock_us(loop_clock()) < end_us)
        job_run(next_job(t));
    if (t->ready_first)
        loop_timer_in(t->turn, 0);
}

struct http_client *thread_http(struct script_thread *t)
{
    if (!t->http && http_client_new(&t->http, t->loop, t->pool->opts.ca_file))
        return NULL;
    return t->http;
}

struct http_client *thread_fetch(struct script_thread *t)
{
    const struct script_opts *o = &t->pool->opts;
    struct http_fence fence = {.resolve = o->http_resolve, .own_ports = o->own_ports};

    if (t->fetch)
        return t->fetch;
    if (http_client_new(&t->fetch, t->loop, o->ca_file))
        return NULL;
    http_client_fence(t->fetch, &fence);
    return t->fetch;
}

/* --- scripts without a call --- */

static void found(const struct activity *a)
{
    const char *fix = catalogue_fix("zombie.", "found");

    metric_add(M_ZOMBIE_VM, 1);
    log_error("zombie.found", F_CALL(a->sid), F_STR("kind", "vm"), F_FIX(fix));
    alarm_raise(ALARM_WARNING, "zombie", "vm", "something outlived its call: vm", fix);
}

/* The directory hears of an end a moment before the script does, so the second look counts. */
static bool is_forgotten(struct script_thread *t, struct activity *a)
{
    const struct script_opts *o = &t->pool->opts;
    bool before = a->unknown;

    a->unknown = !a->ending && !o->knows_call(o->arg, a->handle);
    return before && a->unknown;
}

static void sweep(struct script_thread *t)
{
    struct activity *next;

    for (size_t i = 0; t->pool->opts.knows_call && i < ACTIVITY_BUCKETS; i++) {
        for (struct activity *a = t->buckets[i]; a; a = next) {
            next = a->next;
            if (!is_forgotten(t, a))
                continue;
            found(a);
            activity_free(a);
        }
    }
    errand_sweep(t);
}

/* An errand of the call is asked first, unless it hands the question on. */
static void on_resume(struct script_thread *t, struct activity *a, const struct message *m)
{
    if (m->kind == RESUME_HANDED_ON || !errand_resume(t, m))
        activity_resume(t, a, m);
}

static void on_event(struct script_thread *t, struct activity *a, const struct message *m)
{
    bool over = m->kind == (int)AGENT_ENDED;

    if (a)
        activity_event(a, m);
    if (over)
        errand_call_ended(t, m->call, m->s[2]);
}

/* All calls ended before this, and told their scripts. */
static void end_all(struct script_thread *t)
{
    t->stopping = true;
    for (size_t i = 0; i < ACTIVITY_BUCKETS; i++) {
        while (t->buckets[i]) {
            if (t->pool->opts.knows_call && !t->buckets[i]->ending)
                found(t->buckets[i]);
            activity_free(t->buckets[i]);
        }
    }
    errand_free_all(t);
    operation_free_all(t);
    http_client_free(t->http);
    http_client_free(t->fetch);
    t->http = t->fetch = NULL;
    loop_stop(t->loop);
}

static void on_message(struct message *m, void *arg)
{
    struct script_thread *t = arg;
    struct activity *a = thread_find(t, m->call);

    switch (m->type) {
    case MSG_CALL_OPEN:
        if (!a && !t->stopping)
            activity_open(t, m);
        break;
    case MSG_CALL_ATTACHED:
        if (a)
            activity_attached(a, m->number);
        errand_attached(t, m->call, m->number);
        break;
    case MSG_CALL_EVENT:
        on_event(t, a, m);
        break;
    case MSG_RESUME:
        on_resume(t, a, m);
        break;
    case MSG_ERRAND:
        errand_open(t, m);
        break;
    case MSG_OPERATE:
        operation_open(t, m);
        break;
    case MSG_DURABLE:
        api_durable_arrived(t, m);
        break;
    case MSG_QUERIED:
        api_query_arrived(t);
        break;
    case MSG_SWEEP:
        sweep(t);
        break;
    case MSG_STOP:
        end_all(t);
        break;
    default: /* MSG_RELOAD: new calls look at the pool's set anyway */
        break;
    }
    message_free(m);
}

static size_t memory_of_calls(const struct script_thread *t)
{
    size_t sum = 0;

    for (int i = 0; i < ACTIVITY_BUCKETS; i++)
        for (const struct activity *a = t->buckets[i]; a; a = a->next)
            sum += a->vm ? vm_memory(a->vm) : 0;
    return sum;
}

static void on_pulse(void *arg)
{
    struct script_thread *t = arg;

    atomic_store(&t->pulse_ms, clock_ms(loop_clock()));
    atomic_store(&t->vm_bytes, memory_of_calls(t));
    loop_timer_in(t->pulse, PULSE_MS);
}

static void *run(void *arg)
{
    struct script_thread *t = arg;

    (void)pthread_setname_np(pthread_self(), t->aside ? "aside" : "script");
    crash_thread();
    if (t->aside)
        background_thread();
    else
        breathing_thread();
    (void)loop_run(t->loop);
    return NULL;
}

int script_thread_start(struct script_thread *t, struct script_pool *p, size_t mailbox_capacity)
{
    int rc;

    t->pool = p;
    t->ready_last = &t->ready_first;
    t->last_errand = p->started_s * ERRANDS_OF_A_PROCESS;
    rc = loop_new(&t->loop);
    if (!rc)
        rc = loop_timer_new(&t->turn, t->loop, on_turn, t);
    if (!rc)
        rc = loop_timer_new(&t->pulse, t->loop, on_pulse, t);
    if (!rc)
        on_pulse(t);
    if (!rc)
        rc = mailbox_new(&t->mailbox, t->loop, mailbox_capacity + 1, on_message, t);
    if (!rc)
        rc = credits_new(&t->stop_credit, t->mailbox, 1);
    if (!rc)
        rc = -pthread_create(&t->thread, NULL, run, t);
    t->running = rc == 0;
    return rc;
}

void script_thread_stop(struct script_thread *t)
{
    struct message *stop;

    if (t->running) {
        stop = message_new(MSG_STOP, 0, NULL, 0);
        while (!stop) { /* nothing else can end the thread: wait for memory */
            usleep(1000);
            stop = message_new(MSG_STOP, 0, NULL, 0);
        }
        (void)credits_post(t->stop_credit, stop, true);
        pthread_join(t->thread, NULL);
    }
    while (atomic_load(&t->n_tickets) > 0) /* journal and asker answer within a second */
        usleep(1000);
    api_query_free(t);
    credits_free(t->stop_credit);
    loop_timer_free(t->turn);
    loop_timer_free(t->pulse);
    mailbox_free(t->mailbox);
    if (t->loop)
        loop_free(t->loop);
}
