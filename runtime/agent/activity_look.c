/* SPDX-License-Identifier: Apache-2.0 */
/* activity_look.c - somebody wants to see what a call remembers: job LOOK asks the library, CMD_LOOKED
 * has call.vars as JSON.
 *
 * Failure: a script that is over, broken or too busy shows nothing. */
#include "agent/activity.h"

void activity_look(struct activity *a)
{
    struct job *j = NULL;

    if (a->vm && a->opened && !a->ending && job_count(a) < JOBS_MAX)
        j = job_new(a, JOB_LOOK);
    if (j)
        job_start(j, "vars", 0);
}

void activity_look_done(struct job *j)
{
    activity_command(j->activity, CMD_LOOKED, job_result(j, 1), RD_STR(""), 0);
    job_free(j);
}
