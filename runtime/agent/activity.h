/* SPDX-License-Identifier: Apache-2.0 */
/* activity.h - one call as a script thread sees it: its VM, its jobs, where its answers go.
 * Script thread only; for agent/ only.
 *
 *   MSG_CALL_OPEN ──▶ job OPEN ──▶ MSG_CALL_OPENED     tool call ──▶ job TOOL ──▶ CMD_TOOL_RESULT
 *   utterance, digit… ──▶ job HOOK, one at a time      AGENT_ENDED ──▶ job ENDED ──▶ gone
 *   transfer ──▶ job TRANSFER ──▶ Twilio, or CMD_TRANSFER_REFUSED
 *   MSG_RESUME ──▶ job RESUME ──▶ MSG_RESUMED
 */
#ifndef AGENT_ACTIVITY_H
#define AGENT_ACTIVITY_H

#include "agent/script_thread.h"
#include "io/http_client.h"
#include "lua/task.h"
#include "lua/vm.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum job_kind {
    JOB_OPEN,
    JOB_TOOL,
    JOB_HOOK,
    JOB_TRANSFER,
    JOB_RESUME,
    JOB_LOOK,
    JOB_ENDED,
    JOB_ERRAND,
    JOB_OPERATION
};

/* One entry into the script and what it owes the call. */
struct job {
    enum job_kind kind;
    struct activity *activity;            /* borrows */
    struct task *task;                    /* owns; NULL while it waits for its turn */
    struct loop_timer *deadline, *filler; /* own */
    char *tool_id, *tool_name; /* own; JOB_TOOL: the result is owed while the job exists */
    char *text;                /* owns; arguments, or what a hook is told */
    char *failed_output;       /* owns; result when the deadline passes; NULL: a general one */
    char *filler_words, *second_filler; /* own; when it takes long, and when still longer */
    const char *event;                  /* JOB_HOOK: name, static */
    uint32_t number;
    uint64_t request; /* JOB_RESUME: of MSG_RESUME; the answer is owed while the job exists */
    bool queued;      /* among its activity's ready jobs */
    struct job *next_ready;
    struct job *next; /* of the activity */
};

enum { SEEN_MAX = 512, SID_BYTES = 40, NUMBER_BYTES = 32, JOBS_MAX = 96 };

/* What a call has found: each rule once, near misses as far as there is room. */
enum { RULES_MAX = 200, MISSES_MAX = 64 };

struct activity {
    call_handle handle;
    struct script_thread *thread;          /* borrows */
    const struct agent_info *agent;        /* holds: see agent_hold(); NULL: an operation */
    struct vm *vm;                         /* owns; NULL once it failed */
    struct job *jobs;                      /* owns, oldest first */
    struct job *ready_first, **ready_last; /* those that want to run */
    struct activity *next_ready;           /* in the thread's queue while there are any */
    struct errand *errand;                 /* owns; NULL: this is a call's own activity */
    struct operation *operation;           /* owns; NULL: it is of an agent */
    struct loop_timer *timer;              /* bounds the state the activity is in */
    unsigned media_thread;
    uint64_t request; /* of MSG_CALL_OPEN */
    bool opened, ending;
    bool harmless; /* a synthetic call: whatever the script wants, nobody outside is touched */
    bool noticed;  /* when the caller went away: the notice was heard, or none was owed */
    bool returned; /* the caller was with somebody else, and came back */
    bool unknown;  /* at the last sweep nobody had the call any more */
    uint32_t max_call_ms;
    char hooks[128]; /* " utterance dtmf " as the script said */
    char sid[SID_BYTES], from[NUMBER_BYTES], to[NUMBER_BYTES];
    struct desk *desk;                 /* listens for emergencies; NULL: the agent has no rules */
    unsigned char done[RULES_MAX + 1]; /* by rule: what the desk has done about it */
    uint64_t missed[MISSES_MAX];       /* hashes of the near misses that are told already */
    unsigned n_missed;
    uint64_t seen[SEEN_MAX]; /* hashes of tool call ids that were answered or are being */
    unsigned n_seen;
    unsigned n_fetching, n_fetched; /* requests to the agent's hosts: now, and so far */
    struct activity *next;
};

/* The version in use, held: this and no other, not the set it is in. NULL: no such agent. */
const struct agent_info *activity_hold_agent(struct script_thread *t, struct rd_str name);

void activity_open(struct script_thread *t, struct message *m); /* borrows m */
void activity_attached(struct activity *a, unsigned media_thread);
void activity_event(struct activity *a, const struct message *m);
int activity_make_vm(struct activity *a);
void activity_free(struct activity *a); /* whatever state it is in; owed results are delivered */

/* job.c. A started job may be finished (and freed, its activity too) when these return. */
struct job *job_new(struct activity *a, enum job_kind kind);
void job_start(struct job *j, const char *function, int n_args); /* arguments on vm_lua() */
void job_start_within(struct job *j, const char *function, int n_args, uint32_t deadline_ms);
void job_run(struct job *j);
void job_free(struct job *j);
void job_set_deadline(struct job *j, uint32_t ms);
unsigned job_count(const struct activity *a);
struct rd_str job_result(struct job *j, int i); /* of a finished task; borrowed from it */
struct job *job_of(lua_State *L);               /* the job that runs now; NULL: none */

/* What happens with a job's result; in activity.c. Frees the job. */
void activity_job_done(struct job *j);
void activity_job_late(struct job *j);

/* activity_tool.c: what is owed to the model. The last two send the result and free the job. */
void activity_tool_call(struct activity *a, const struct message *m);
void activity_tool_done(struct job *j);
void activity_tool_failed(struct job *j);

/* activity_transfer.c: asks the carrier; the last two tell what came of it and free the job. */
void activity_transfer(struct activity *a, const struct message *m);
void activity_transfer_done(struct job *j);
void activity_transfer_failed(struct job *j);

/* activity_resume.c: how the call goes on; the last two give the answer and free the job. Without an
 * activity (NULL) there is none to give. */
void activity_away(struct activity *a, const struct message *m);
void activity_resume(struct script_thread *t, struct activity *a, const struct message *m);
void activity_resume_done(struct job *j);
void activity_resume_failed(struct job *j);

/* activity_look.c: shows what the call remembers. */
void activity_look(struct activity *a);
void activity_look_done(struct job *j); /* frees it */

/* Commands to the media thread that has the call. */
void activity_command(struct activity *a, enum call_command c, struct rd_str s0, struct rd_str s1,
                      uint32_t number);

void activity_log_failure(struct activity *a, const char *where, const char *error,
                          const char *why);

#endif
