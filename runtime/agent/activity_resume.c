/* SPDX-License-Identifier: Apache-2.0 */
/* activity_resume.c - a caller who is with somebody else, and how their call goes on after that.
 *
 * - AGENT_AWAY: the VM stays, for as long as a <Dial> may last.
 * - MSG_RESUME: job RESUME; the library says "stream" (with a new brief: back to the agent), "twiml",
 *   "hang_up" or "fallback". The hooks that begin a call do not run again.
 *
 * Failure: whatever goes wrong is answered with "fallback"; the webhook does not wait for it longer
 * than its own deadline anyway. */
#include "agent/activity.h"

#include "agent/brief.h"

enum { AWAY_MAX_MS = 260 * 60000 }; /* a little longer than the directory keeps it */

static void answer(struct script_thread *t, call_handle call, const struct job *j,
                   const struct rd_str s[MESSAGE_STRINGS], struct brief *brief)
{
    struct message *m = message_new(MSG_RESUMED, call, s, MESSAGE_STRINGS);

    if (!m)
        return; /* the webhook's own deadline answers */
    m->number = j->number;
    m->aux = j->request;
    m->brief = brief_ref(brief);
    t->pool->opts.to_media(t->pool->opts.arg, j->number, m);
}

static void refuse(struct script_thread *t, call_handle call, const struct job *j, const char *why)
{
    answer(
        t, call, j,
        (struct rd_str[MESSAGE_STRINGS]){RD_STR("fallback"), rd_str(why), RD_STR(""), RD_STR("")},
        NULL);
}

void activity_away(struct activity *a, const struct message *m)
{
    a->noticed = m->number != 0;
    if (!a->ending)
        loop_timer_in(a->timer, AWAY_MAX_MS);
}

void activity_resume(struct script_thread *t, struct activity *a, const struct message *m)
{
    struct job nobody = {.number = m->number, .request = m->aux}, *j = NULL;
    lua_State *L;

    if (a && a->vm && a->opened && !a->ending && job_count(a) < JOBS_MAX)
        j = job_new(a, JOB_RESUME);
    if (!j) {
        refuse(t, m->call, &nobody, "script_gone");
        return;
    }
    j->number = m->number;
    j->request = m->aux;
    L = vm_lua(a->vm);
    lua_pushlstring(L, m->s[0].p, m->s[0].n);
    lua_pushlstring(L, m->s[1].p, m->s[1].n);
    lua_pushboolean(L, a->noticed);
    job_start(j, "resume", 3);
}

/* Results: how, a document, the brief as JSON, whom the transfer was to that is over, why it failed. */
void activity_resume_done(struct job *j)
{
    struct activity *a = j->activity;
    struct rd_str s[MESSAGE_STRINGS] = {job_result(j, 1), job_result(j, 2), job_result(j, 4),
                                        job_result(j, 5)};
    struct brief *brief = NULL;
    bool stream = rd_str_eq(s[0], RD_STR("stream"));

    if (stream && brief_from_json(&brief, job_result(j, 3), a->agent->name, a->agent->version)) {
        activity_log_failure(a, "resume", "the brief could not be read", "");
        activity_resume_failed(j);
        return;
    }
    if (stream) {
        a->returned = true;
        a->max_call_ms = brief->max_call_ms;
    }
    answer(a->thread, a->handle, j, s, brief);
    brief_unref(brief);
    job_free(j);
}

void activity_resume_failed(struct job *j)
{
    refuse(j->activity->thread, j->activity->handle, j, "script_failed");
    job_free(j);
}
