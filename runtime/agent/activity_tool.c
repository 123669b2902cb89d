/* SPDX-License-Identifier: Apache-2.0 */
/* activity_tool.c - tool calls: each call id gets exactly one result.
 *
 * - The first time an id is seen it becomes a job; the job owes the result until it is freed.
 * - Done: what the script returned. Failed, late, VM gone: the tool's failed sentence, which the
 *   script left with host.deadline() before it began, else a general one.
 *
 * Failure: too many calls, or no memory, is answered at once. An emergency that the model reports then
 * goes to the desk all the same, which needs no script. */
#include "agent/activity.h"
#include "agent/desk.h"
#include "base/json.h"

#include <stdlib.h>

enum { KIND_MAX = 64, REPORTED_MAX = 2000 };

static const char output_failed[] =
    "{\"failed\":true,\"say\":\"Tell the caller that this is not working right now.\"}";
static const char output_busy[] =
    "{\"failed\":true,\"say\":\"Too many things are being done at once; ask the caller to wait a "
    "moment, then try again.\"}";

/* As scripts/ringdown/tools/plain.lua answers it. */
#define REPORTED(called)                                                                         \
    "{\"noted\":true,\"a_person_is_being_called\":" called                                       \
    ",\"say\":\"Stay with the caller. Tell them to leave if they are in danger and to call the " \
    "emergency services. Do not say that help is on its way.\"}"

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

static struct rd_str told(const struct json_value *args, const char *key, char *out, size_t cap,
                          const char *otherwise)
{
    struct json_value v = json_get(args, key);

    return json_copy(&v, out, cap) == 0 && *out ? rd_str(out) : rd_str(otherwise);
}

/* The script cannot take a call: is it one that needs none? What is missing in it is taken at its
 * worst. */
static bool reported(struct activity *a, const struct message *m)
{
    char kind[KIND_MAX], severity[KIND_MAX], words[REPORTED_MAX];
    struct json_value args;
    int acted;

    if (!a->desk || !rd_str_eq(m->s[1], RD_STR("report_emergency")))
        return false;
    if (json_parse(m->s[2], &args))
        args.type = JSON_NONE;
    acted = desk_report(a, told(&args, "kind", kind, sizeof(kind), "other"),
                        told(&args, "severity", severity, sizeof(severity), "life"),
                        told(&args, "words", words, sizeof(words), "(not given)"));
    if (acted < 0)
        return false;
    send_result(a, m->s[0].p, rd_str(acted ? REPORTED("true") : REPORTED("false")), true);
    return true;
}

static void answer_without_script(struct activity *a, const struct message *m, const char *output)
{
    if (!reported(a, m))
        send_result(a, m->s[0].p, rd_str(output), true);
}

void activity_tool_call(struct activity *a, const struct message *m)
{
    struct job *j;
    lua_State *L;

    if (!first_time(a, m->s[0]))
        return;
    if (!a->vm || !a->opened) {
        answer_without_script(a, m, output_failed);
        return;
    }
    j = a->n_seen < SEEN_MAX && job_count(a) < JOBS_MAX ? job_new(a, JOB_TOOL) : NULL;
    if (j) {
        j->tool_id = strdup(m->s[0].p);
        j->tool_name = strdup(m->s[1].p);
    }
    if (!j || !j->tool_id || !j->tool_name) {
        answer_without_script(a, m, output_busy);
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
