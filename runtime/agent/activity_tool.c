/* SPDX-License-Identifier: Apache-2.0 */
/* activity_tool.c - tool calls: each call id gets exactly one result.
 *
 * - The first time an id is seen it becomes a job; the job owes the result until it is freed.
 * - Done: what the script returned. Failed, late, VM gone: the tool's failed sentence, which the
 *   script left with host.deadline() before it began, else a general one.
 *
 * Failure: too many calls, or no memory, is answered at once. */
#include "agent/activity.h"

#include <stdlib.h>

static const char output_failed[] =
    "{\"failed\":true,\"say\":\"Tell the caller that this is not working right now.\"}";
static const char output_busy[] =
    "{\"failed\":true,\"say\":\"Too many things are being done at once; ask the caller to wait a "
    "moment, then try again.\"}";

static void send_result(struct activity *a, const char *id, struct rd_str output, bool go_on)
{
    activity_command(a, CMD_TOOL_RESULT, rd_str(id), output, go_on);
}

static uint64_t hash_id(struct rd_str id)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < id.n; i++)
        h = (h ^ (unsigned char)id.p[i]) * 0x100000001b3u;
    return h;
}

/* False when this call id has had its result or will get it. */
static bool first_time(struct activity *a, struct rd_str id)
{
    uint64_t h = hash_id(id);

    for (unsigned i = 0; i < a->n_seen; i++)
        if (a->seen[i] == h)
            return false;
    if (a->n_seen < SEEN_MAX)
        a->seen[a->n_seen++] = h;
    return true;
}

void activity_tool_call(struct activity *a, const struct message *m)
{
    struct job *j;
    lua_State *L;

    if (!first_time(a, m->s[0]))
        return;
    if (!a->vm || !a->opened) {
        send_result(a, m->s[0].p, rd_str(output_failed), true);
        return;
    }
    j = a->n_seen < SEEN_MAX && job_count(a) < JOBS_MAX ? job_new(a, JOB_TOOL) : NULL;
    if (j) {
        j->tool_id = strdup(m->s[0].p);
        j->tool_name = strdup(m->s[1].p);
    }
    if (!j || !j->tool_id || !j->tool_name) {
        send_result(a, m->s[0].p, rd_str(output_busy), true);
        if (j)
            job_free(j);
        return;
    }
    L = vm_lua(a->vm);
    lua_pushlstring(L, m->s[1].p, m->s[1].n);
    lua_pushlstring(L, m->s[2].p, m->s[2].n);
    job_start(j, "tool", 2);
}

/* Results: output, whether the model goes on, reason to hang up or nil, whom to transfer to or nil. */
void activity_tool_done(struct job *j)
{
    struct activity *a = j->activity;
    lua_State *L = task_lua(j->task);
    struct rd_str output = job_result(j, 1);

    send_result(a, j->tool_id, output.n ? output : rd_str(output_failed), lua_toboolean(L, 2));
    if (lua_type(L, 3) == LUA_TSTRING)
        activity_command(a, CMD_HANG_UP, job_result(j, 3), RD_STR(""), 0);
    if (lua_type(L, 4) == LUA_TSTRING)
        activity_command(a, CMD_TRANSFER, job_result(j, 4), RD_STR(""), 0);
    job_free(j);
}

void activity_tool_failed(struct job *j)
{
    send_result(j->activity, j->tool_id,
                rd_str(j->failed_output ? j->failed_output : output_failed), true);
    job_free(j);
}
