/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - one entry into a script: a task, a deadline, a filler for when it takes long.
 *
 * - job_start() runs the function of ringdown.runtime at once, for one share of time; what is not
 *   finished then takes its turn with the other calls of the thread, and so does what a call begins
 *   while it has unfinished jobs.
 * - A job that ends, in whatever way, goes to activity_job_done(); one that is late to
 *   activity_job_late(). Both free it.
 *
 * Failure: no memory for a task or a timer is a failed job like any other. */
#include "agent/activity.h"
#include "base/err.h"

#include <stdlib.h>

enum { SECOND_FILLER_MS = 6000, JOB_DEADLINE_MS = 10000 };

static void on_deadline(void *arg)
{
    activity_job_late(arg);
}

static void on_filler(void *arg)
{
    struct job *j = arg;

    if (!j->filler_words)
        return;
    activity_command(j->activity, CMD_SAY, rd_str(j->filler_words), RD_STR(""), 0);
    free(j->filler_words);
    j->filler_words = j->second_filler;
    j->second_filler = NULL;
    if (j->filler_words)
        loop_timer_in(j->filler, SECOND_FILLER_MS);
}

static void on_ready(struct task *t, void *arg)
{
    struct job *j = arg;

    (void)t;
    thread_queue(j->activity->thread, j);
}

struct job *job_of(lua_State *L)
{
    struct task *t = task_of(L);

    return t ? task_arg(t) : NULL;
}

struct job *job_new(struct activity *a, enum job_kind kind)
{
    struct job *j = calloc(1, sizeof(*j)), **link = &a->jobs;

    if (!j)
        return NULL;
    j->kind = kind;
    j->activity = a;
    if (loop_timer_new(&j->deadline, a->thread->loop, on_deadline, j) ||
        loop_timer_new(&j->filler, a->thread->loop, on_filler, j)) {
        loop_timer_free(j->deadline);
        free(j);
        return NULL;
    }
    while (*link)
        link = &(*link)->next;
    *link = j;
    return j;
}

struct rd_str job_result(struct job *j, int i)
{
    size_t n = 0;
    const char *text = lua_tolstring(task_lua(j->task), i, &n);

    return (struct rd_str){text ? text : "", n};
}

unsigned job_count(const struct activity *a)
{
    unsigned n = 0;

    for (struct job *j = a->jobs; j; j = j->next)
        n++;
    return n;
}

void job_set_deadline(struct job *j, uint32_t ms)
{
    loop_timer_in(j->deadline, ms);
}

void job_start(struct job *j, const char *function, int n_args)
{
    job_start_within(j, function, n_args, JOB_DEADLINE_MS);
}

void job_start_within(struct job *j, const char *function, int n_args, uint32_t deadline_ms)
{
    if (task_new_module(&j->task, j->activity->vm, "ringdown.runtime", function, n_args, on_ready,
                        j)) {
        activity_job_done(j);
        return;
    }
    job_set_deadline(j, deadline_ms);
    if (j->activity->ready_first) /* this call has had its share for now */
        thread_queue(j->activity->thread, j);
    else
        job_run(j);
}

void job_run(struct job *j)
{
    switch (task_run(j->task, SHARE_MS)) {
    case TASK_READY:
        thread_queue(j->activity->thread, j);
        break;
    case TASK_WAITING:
        break;
    case TASK_DONE:
    case TASK_FAILED:
        activity_job_done(j);
        break;
    }
}

void job_free(struct job *j)
{
    struct job **link = &j->activity->jobs;

    while (*link && *link != j)
        link = &(*link)->next;
    if (*link)
        *link = j->next;
    thread_unqueue(j->activity->thread, j);
    loop_timer_free(j->deadline);
    loop_timer_free(j->filler);
    task_free(j->task);
    free(j->tool_id);
    free(j->tool_name);
    free(j->text);
    free(j->failed_output);
    free(j->filler_words);
    free(j->second_filler);
    free(j);
}
