/* SPDX-License-Identifier: Apache-2.0 */
/* activity_transfer.c - the carrier is asked to dial somebody else for the caller.
 *
 * The script's library knows the agent's people and the carrier's REST API; here the outcome is
 * passed on. When it worked there is nothing to tell: the carrier ends the stream.
 *
 * Failure: whatever goes wrong, the call hears that it goes on, and why; after a request without an
 * answer, that nobody knows. */
#include "agent/activity.h"

#include <stdlib.h>

static const char then_late[] =
    "The transfer did not work. Tell the caller so, and offer to take a message.";

/* `then`: what the model is told, when it was the model's idea. */
static void refuse(struct activity *a, const char *why, struct rd_str then, bool unknown)
{
    activity_command(a, CMD_TRANSFER_REFUSED, rd_str(why), then, unknown);
}

void activity_transfer(struct activity *a, const struct message *m)
{
    struct job *j;

    if (!a->vm || !a->opened || a->ending) {
        refuse(a, "the agent's script has failed; the call ends by itself", RD_STR(""), false);
        return;
    }
    j = job_count(a) < JOBS_MAX ? job_new(a, JOB_TRANSFER) : NULL;
    if (!j) {
        refuse(a, "the agent's script is too busy; try again", RD_STR(""), false);
        return;
    }
    lua_pushlstring(vm_lua(a->vm), m->s[2].p, m->s[2].n);
    job_start(j, "transfer", 1);
}

/* Results: was it asked for; why not; does nobody know; what the model is told. */
void activity_transfer_done(struct job *j)
{
    struct rd_str why = job_result(j, 2);

    if (!lua_toboolean(task_lua(j->task), 1))
        refuse(j->activity, why.n ? why.p : "no reason given", job_result(j, 4),
               lua_toboolean(task_lua(j->task), 3));
    job_free(j);
}

void activity_transfer_failed(struct job *j)
{
    refuse(j->activity, "Twilio did not answer in time; it may still transfer the call",
           rd_str(then_late), true);
    job_free(j);
}
