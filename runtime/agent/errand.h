/* SPDX-License-Identifier: Apache-2.0 */
/* errand.h - something done for an agent beside a call, or without one: a fresh VM of the agent runs
 * ringdown.runtime.errand(module, kind, json) as one job that may wait, then it is gone.
 *
 *   anybody ─ script_pool_errand() ─ MSG_ERRAND ─▶ errand_open() ─▶ job ERRAND ─▶ gone
 *   carrier asks, texts, the call ends ─▶ its inbox ─ host.wait() ─▶ the script
 *
 * It has its own budget, so it outlives a script that broke its call. Attached to a call, its
 * commands go to that call's media thread. Script thread only, but for errand_room(); for agent/
 * only. */
#ifndef AGENT_ERRAND_H
#define AGENT_ERRAND_H

#include "agent/activity.h"
#include "agent/inbox.h"

struct errand;

/* What an errand is about. Borrowed for the call. */
struct errand_order {
    struct rd_str agent, kind, json;
    const struct agent_info *version; /* which shall do it; NULL: the one in use */
    call_handle call;                 /* 0: of none */
    unsigned media_thread;
    uint64_t asked; /* the request on that thread that waits for its reply; 0: none does */
};

/* A place among the thread's errands, taken before it is posted. RD_EFULL. Any thread. */
int errand_room(struct script_thread *t, const char *kind);
void errand_no_room(struct script_thread *t); /* gives it back: the post failed */

/* Runs it in the place that was taken. 0, -ENOMEM, or RD_ECONFIG (no such agent). */
int errand_run(struct script_thread *t, const struct errand_order *o);

void errand_open(struct script_thread *t, const struct message *m);   /* MSG_ERRAND; borrows m */
bool errand_resume(struct script_thread *t, const struct message *m); /* MSG_RESUME: taken? */

/* What happens to the call that errands are attached to. */
void errand_attached(struct script_thread *t, call_handle call, unsigned media_thread);
void errand_call_ended(struct script_thread *t, call_handle call, struct rd_str reason);

/* The call's own script is broken. True: an errand that has the caller decides what happens now. */
bool errand_takes_over(struct script_thread *t, call_handle call);

/* At most one errand of a call has its line: the carrier's questions go to that one. */
bool errand_take_line(struct errand *e);

/* The call is not ended for silence, length or by its agent while this is on; for its next streams
 * too. */
void errand_keep_open(struct errand *e, bool on);
void errand_sweep(struct script_thread *t);
void errand_free_all(struct script_thread *t);

/* The job ended, in whatever way; frees the errand. `why` NULL: it did what it should. */
void errand_over(struct activity *a, const char *why);
void errand_free(struct errand *e); /* for activity_free() */
struct inbox *errand_inbox(struct errand *e);

/* Answers who waits for it, once. Without it they hear, when it ends, that there is none. RD_ESTATE. */
int errand_reply(struct errand *e, struct rd_str document);
uint64_t errand_id(const struct errand *e);
struct errand_place errand_place(const struct errand *e);

#endif
