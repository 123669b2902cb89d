/* SPDX-License-Identifier: Apache-2.0 */
/* activity.c - the life of a call on its script thread.
 *
 * - open: a VM from the agent's chunks, job OPEN; its results become MSG_CALL_OPENED.
 * - tool calls run beside each other, hooks one after the other in the order of their events.
 * - AGENT_AWAY: the caller is with somebody else; all of it waits, for MSG_RESUME or the end.
 * - AGENT_ENDED: what runs may finish, then the ended hook, then the VM goes; ENDING_MS bounds it.
 *
 * Failure:
 * - an error in a hook is logged; in a tool, the model gets its `failed` sentence. The call goes
 * on.
 * - a broken limit (RD_EBUDGET) drops the VM: every owed result is delivered, CMD_FALLBACK asks for
 *   the fallback, later tool calls get a failure at once.
 * - nobody told the end: bounded by ATTACH_MS before the stream, by the longest call after it. */
#include "agent/activity.h"

#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "agent/brief.h"
#include "agent/desk.h"
#include "agent/errand.h"
#include "agent/operation.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "io/loop.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdlib.h>

enum { ATTACH_MS = 120000, ENDING_MS = 60000, PAST_MAX_CALL_MS = 600000 };

static const char log_fix[] = "mend the agent's file; the traceback says where";

void activity_command(struct activity *a, enum call_command c, struct rd_str s0, struct rd_str s1,
                      uint32_t number)
{
    struct message *m = message_new(MSG_CALL_COMMAND, a->handle, (struct rd_str[]){s0, s1}, 2);

    if (!m)
        return;
    m->kind = (int)c;
    m->number = number;
    a->thread->pool->opts.to_media(a->thread->pool->opts.arg, a->media_thread, m);
}

void activity_log_failure(struct activity *a, const char *where, const char *error, const char *why)
{
    log_error("script.failed", F_CALL(a->sid), F_STR("agent", a->agent->name), F_STR("in", where),
              F_RAISED("error", error), F_RAISED("traceback", why), F_FIX(log_fix));
}

/* --- opening --- */

static void send_opened(struct activity *a, const struct rd_str s[4], struct brief *brief)
{
    struct message *m = message_new(MSG_CALL_OPENED, a->handle, s, 4);

    if (!m)
        return; /* the webhook's own deadline answers */
    m->number = a->media_thread;
    m->aux = a->request;
    m->brief = brief_ref(brief);
    a->thread->pool->opts.to_media(a->thread->pool->opts.arg, a->media_thread, m);
}

static void send_failed(struct activity *a, const char *why)
{
    send_opened(a, (struct rd_str[4]){RD_STR(""), rd_str(why), RD_STR(""), RD_STR("")}, NULL);
}

static void on_timer(void *arg)
{
    struct activity *a = arg;

    if (!a->ending)
        log_warn("script.forgotten", F_CALL(a->sid), F_STR("agent", a->agent->name),
                 F_FIX("the end of this call never reached its script; report it"));
    activity_free(a);
}

static void drop_vm(struct activity *a)
{
    if (!a->vm)
        return;
    if (a->opened && !a->errand && !a->operation)
        metric_observe(H_VM_BYTES, vm_memory(a->vm));
    vm_free(a->vm);
    a->vm = NULL;
    atomic_fetch_sub_explicit(&a->thread->pool->vms, 1, memory_order_relaxed);
}

/* A job that owes somebody an answer gives a bad one; any job is freed. */
static void activity_job_drop(struct job *j)
{
    if (j->kind == JOB_TOOL)
        activity_tool_failed(j);
    else if (j->kind == JOB_TRANSFER)
        activity_transfer_failed(j);
    else if (j->kind == JOB_RESUME)
        activity_resume_failed(j);
    else
        job_free(j);
}

void activity_free(struct activity *a)
{
    while (a->jobs)
        activity_job_drop(a->jobs);
    if (a->errand)
        errand_free(a->errand);
    else if (a->operation)
        operation_free(a->operation);
    else
        thread_remove(a->thread, a);
    drop_vm(a);
    desk_give(a->desk);
    loop_timer_free(a->timer);
    agent_let_go(a->agent);
    free(a);
}

int activity_make_vm(struct activity *a)
{
    struct vm_opts opts = {.slice_ms = (uint32_t)a->thread->pool->opts.call_deadline_ms,
                           .chunks = agent_chunks(a->agent),
                           .user = a};
    int rc = vm_new(&a->vm, &opts);

    if (rc)
        return rc;
    atomic_fetch_add_explicit(&a->thread->pool->vms, 1, memory_order_relaxed);
    return vm_preload(a->vm, "ringdown.host", a->harmless ? api_open_harmless : api_open_call);
}

static void read_member(const struct json_value *root, const char *key, char *out, size_t cap)
{
    struct json_value v = json_get(root, key);

    if (json_copy(&v, out, cap))
        out[0] = '\0';
}

static void read_form(struct activity *a, struct rd_str form)
{
    struct json_value root;

    if (json_parse(form, &root))
        return;
    read_member(&root, "CallSid", a->sid, sizeof(a->sid));
    read_member(&root, "From", a->from, sizeof(a->from));
    read_member(&root, "To", a->to, sizeof(a->to));
}

/* Answers a webhook that cannot even have an activity. */
static void refuse_open(struct script_thread *t, const struct message *m, const char *why)
{
    struct activity nobody = {.thread = t, .handle = m->call, .media_thread = m->number};

    nobody.request = m->aux;
    send_failed(&nobody, why);
}

const struct agent_info *activity_hold_agent(struct script_thread *t, struct rd_str name)
{
    struct agent_set *agents = script_pool_agents(t->pool);
    const struct agent_info *agent = agents ? agent_by_name(agents, name) : NULL;

    if (agent)
        agent = agent_hold(agent);
    agent_set_unref(agents);
    return agent;
}

void activity_open(struct script_thread *t, struct message *m)
{
    struct activity *a = calloc(1, sizeof(*a));
    struct job *j;

    if (!a || loop_timer_new(&a->timer, t->loop, on_timer, a)) {
        free(a);
        refuse_open(t, m, "no memory");
        return;
    }
    a->handle = m->call;
    a->thread = t;
    a->media_thread = m->number;
    a->request = m->aux;
    a->harmless = m->kind != 0;
    a->agent = activity_hold_agent(t, m->s[0]);
    read_form(a, m->s[1]);
    thread_add(t, a);
    loop_timer_in(a->timer, ATTACH_MS);
    j = a->agent && activity_make_vm(a) == 0 ? job_new(a, JOB_OPEN) : NULL;
    if (!j) {
        send_failed(a, a->agent ? "no memory" : "the agent is not loaded any more");
        activity_free(a);
        return;
    }
    lua_pushstring(vm_lua(a->vm), agent_module(a->agent));
    lua_pushlstring(vm_lua(a->vm), m->s[1].p, m->s[1].n);
    if (m->s[2].n > 0)
        lua_pushlstring(vm_lua(a->vm), m->s[2].p, m->s[2].n);
    else
        lua_pushnil(vm_lua(a->vm));
    lua_pushlstring(vm_lua(a->vm), m->s[3].p, m->s[3].n);
    lua_pushnil(vm_lua(a->vm)); /* the seed of a replay */
    lua_pushlstring(vm_lua(a->vm), m->s[4].p, m->s[4].n);
    lua_pushboolean(vm_lua(a->vm), a->harmless);
    a->returned = m->s[3].n > 0;
    job_start(j, "open", 7);
}

/* Results: system, reason, assistant, brief as JSON, hooks, decision as JSON. */
static void on_opened(struct job *j)
{
    struct activity *a = j->activity;
    struct rd_str hooks = job_result(j, 5);
    struct brief *brief = NULL;
    bool ours = job_result(j, 4).n > 0; /* its audio runs through this process */

    if (ours && brief_from_json(&brief, job_result(j, 4), a->agent->name, a->agent->version)) {
        activity_log_failure(a, "open", "the brief could not be read", "");
        send_failed(a, "the brief could not be read");
        activity_free(a);
        return;
    }
    a->opened = true;
    a->max_call_ms = brief ? brief->max_call_ms : 0;
    (void)rd_str_copy(a->hooks, sizeof(a->hooks), hooks);
    send_opened(
        a,
        (struct rd_str[4]){job_result(j, 1), job_result(j, 2), job_result(j, 3), job_result(j, 6)},
        brief);
    brief_unref(brief);
    if (!ours) {
        activity_free(a);
        return;
    }
    job_free(j);
    agent_settle(a->vm); /* now that nobody waits: the call may be long */
}

void activity_attached(struct activity *a, unsigned media_thread)
{
    a->media_thread = media_thread;
    if (!a->desk && !a->harmless)
        a->desk = desk_take(a);
    if (!a->ending)
        loop_timer_in(a->timer, (uint64_t)a->max_call_ms + PAST_MAX_CALL_MS);
}

/* --- hooks and the end --- */

static bool has_hook(const struct activity *a, const char *event)
{
    char padded[40];

    return snprintf(padded, sizeof(padded), " %s ", event) < (int)sizeof(padded) &&
           strstr(a->hooks, padded) != NULL;
}

/* The oldest hook job, if none is running. */
static struct job *next_hook(const struct activity *a)
{
    for (struct job *j = a->jobs; j; j = j->next)
        if (j->kind == JOB_HOOK)
            return j->task ? NULL : j;
    return NULL;
}

static struct job *find_job(const struct activity *a, enum job_kind kind)
{
    struct job *j = a->jobs;

    while (j && j->kind != kind)
        j = j->next;
    return j;
}

static void start_hook(struct job *j)
{
    lua_State *L = vm_lua(j->activity->vm);

    lua_pushstring(L, j->event);
    lua_pushstring(L, j->text);
    lua_pushinteger(L, j->number);
    job_start(j, "event", 3);
}

/* Whatever is next: a hook that waits for its turn, the ended hook, or nothing any more. */
static void move_on(struct activity *a)
{
    struct job *j = next_hook(a);

    if (j && a->vm) {
        start_hook(j);
        return;
    }
    if (!a->ending || find_job(a, JOB_HOOK) || find_job(a, JOB_TOOL) || find_job(a, JOB_TRANSFER) ||
        find_job(a, JOB_RESUME))
        return;
    j = find_job(a, JOB_ENDED);
    if (j && !j->task && a->vm) {
        lua_pushstring(vm_lua(a->vm), j->text);
        job_start(j, "ended", 1);
    } else if (!j || !a->vm) {
        activity_free(a);
    }
}

static void add_hook(struct activity *a, const char *event, const struct message *m)
{
    struct job *j;

    if (!a->vm || !has_hook(a, event))
        return;
    j = job_count(a) < JOBS_MAX ? job_new(a, JOB_HOOK) : NULL;
    if (!j) {
        log_warn("script.hook_dropped", F_CALL(a->sid), F_STR("hook", event),
                 F_FIX("the agent's hooks are slower than the call"));
        return;
    }
    j->event = event;
    j->number = m->kind == AGENT_DTMF ? (uint32_t)api_now_ms() : m->number;
    j->text = strdup(m->s[2].p);
    move_on(a);
}

static void on_ended(struct activity *a, const struct message *m)
{
    struct job *j;

    if (a->ending)
        return;
    a->ending = true;
    loop_timer_in(a->timer, ENDING_MS);
    j = a->vm && a->opened ? job_new(a, JOB_ENDED) : NULL;
    if (!j) {
        activity_free(a);
        return;
    }
    j->text = strdup(m->s[2].p);
    move_on(a);
}

/* --- events --- */

static void hold_against_rules(struct activity *a, const struct message *m)
{
    desk_hear(a, m->s[2]);
    if (a->desk)
        metric_observe(H_TRIAGE_US, clock_us(loop_clock()) - m->sent_us);
}

void activity_event(struct activity *a, const struct message *m)
{
    switch ((enum agent_event_type)m->kind) {
    case AGENT_STARTED:
        add_hook(a, a->returned ? "transfer_failed" : "started", m);
        break;
    case AGENT_UTTERANCE:
        if (!a->ending)
            hold_against_rules(a, m);
        add_hook(a, "utterance", m);
        break;
    case AGENT_SAID:
        add_hook(a, "said", m);
        break;
    case AGENT_TOOL_CALL:
        activity_tool_call(a, m);
        break;
    case AGENT_DTMF:
        add_hook(a, "dtmf", m);
        break;
    case AGENT_SILENCE:
        add_hook(a, "silence", m);
        break;
    case AGENT_TRANSFER:
        activity_transfer(a, m);
        break;
    case AGENT_AWAY:
        activity_away(a, m);
        break;
    case AGENT_LOOK:
        activity_look(a);
        break;
    case AGENT_ENDED:
        on_ended(a, m);
        break;
    }
}

/* --- jobs that are over --- */

/* The script broke a limit: answers what is owed, asks for the fallback, drops the VM. */
static void activity_fail(struct activity *a, const char *reason)
{
    bool was_open = a->opened, ending = a->ending;

    if (a->errand) {
        errand_over(a, reason);
        return;
    }
    if (a->operation) {
        operation_failed(a, -ETIMEDOUT, reason, "");
        return;
    }
    if (!was_open)
        send_failed(a, reason);
    else if (!ending && !errand_takes_over(a->thread, a->handle))
        activity_command(a, CMD_FALLBACK, rd_str(reason), RD_STR(""), 0);
    while (a->jobs)
        activity_job_drop(a->jobs);
    drop_vm(a);
    if (!was_open || ending)
        activity_free(a);
}

static const char *name_of(const struct job *j)
{
    switch (j->kind) {
    case JOB_TOOL:
        return j->tool_name;
    case JOB_HOOK:
        return j->event;
    case JOB_OPEN:
        return "open";
    case JOB_TRANSFER:
        return "transfer";
    case JOB_ERRAND:
        return "errand";
    case JOB_OPERATION:
        return "operation";
    case JOB_RESUME:
        return "resume";
    case JOB_LOOK:
        return "look";
    case JOB_ENDED:
        break;
    }
    return "ended";
}

static void count_budget(const struct activity *a)
{
    const char *why = a->vm ? vm_spent_why(a->vm) : "";

    if (*why) /* "time inside a callback…" is time as well */
        metric_count(metric_slot(F_BUDGETS, a->agent ? a->agent->name : NULL,
                                 strncmp(why, "time", 4) == 0 ? "time" : why, NULL),
                     1);
}

static void on_job_failed(struct job *j)
{
    struct activity *a = j->activity;
    const char *error = j->task ? task_message(j->task) : "no memory for a task";

    if (j->task && task_error(j->task) == RD_EBUDGET)
        count_budget(a);
    if (a->operation) {
        operation_failed(a, j->task ? task_error(j->task) : -ENOMEM, error,
                         j->task ? task_why(j->task) : "");
        return;
    }
    activity_log_failure(a, name_of(j), error, j->task ? task_why(j->task) : "");
    if (a->errand) {
        errand_over(a, error);
        return;
    }
    if (!j->task || task_error(j->task) == RD_EBUDGET || j->kind == JOB_OPEN) {
        activity_fail(a, j->kind == JOB_OPEN ? error : "script_failed");
        return;
    }
    activity_job_drop(j);
    move_on(a);
}

void activity_job_done(struct job *j)
{
    struct activity *a = j->activity;
    enum job_kind kind = j->kind;

    if (!j->task || task_state(j->task) != TASK_DONE) {
        on_job_failed(j);
        return;
    }
    if (kind == JOB_OPEN) {
        on_opened(j);
        return;
    }
    if (kind == JOB_ERRAND) {
        errand_over(a, NULL);
        return;
    }
    if (kind == JOB_OPERATION) {
        operation_done(a, job_result(j, 1));
        return;
    }
    if (kind == JOB_TOOL)
        activity_tool_done(j);
    else if (kind == JOB_TRANSFER)
        activity_transfer_done(j);
    else if (kind == JOB_RESUME)
        activity_resume_done(j);
    else if (kind == JOB_LOOK)
        activity_look_done(j);
    else
        job_free(j);
    move_on(a);
}

void activity_job_late(struct job *j)
{
    struct activity *a = j->activity;

    if (j->kind == JOB_OPERATION) {
        activity_fail(a, "it took too long");
        return;
    }
    log_warn("script.late", F_CALL(a->sid), F_STR("agent", a->agent->name), F_STR("in", name_of(j)),
             F_FIX("give the tool a longer timeout, or make it faster"));
    if (j->kind == JOB_ERRAND && j->failed_output)
        (void)errand_reply(a->errand, rd_str(j->failed_output)); /* as host.deadline() said */
    if (j->kind == JOB_OPEN || j->kind == JOB_ERRAND) {
        activity_fail(a, "the script was late");
        return;
    }
    activity_job_drop(j);
    move_on(a);
}
