/* SPDX-License-Identifier: Apache-2.0 */
/* operation.h - a job of the library, of no agent and no call: a fresh VM of the library runs
 * ringdown.operations.run(kind, json) as one job that may wait and tell, then it is gone.
 *
 *   anybody ─ script_pool_operate() ─ MSG_OPERATE ─▶ operation_open() ─▶ job OPERATION ─▶ done()
 *                                                         host.tell() ─▶ line()
 *
 * Script thread only, but for operation_post(); for agent/ only. */
#ifndef AGENT_OPERATION_H
#define AGENT_OPERATION_H

#include "agent/activity.h"

struct operation;

/* For script_pool_operate(). */
int operation_post(struct script_thread *t, const struct operation_order *o);

void operation_open(struct script_thread *t,
                    const struct message *m); /* MSG_OPERATE; takes m->ptr */

/* What it is asked by its script. */
void operation_tell(struct operation *o, struct rd_str json);
bool operation_stopping(const struct operation *o);
const char *operation_who(const struct operation *o);
bool operation_act_for(struct operation *o, struct rd_str who); /* false: too long */

/* The job ended. Both tell whoever asked, and free the activity. */
void operation_done(struct activity *a, struct rd_str result);
void operation_failed(struct activity *a, int rc, const char *why, const char *traceback);

void operation_free(struct operation *o); /* for activity_free() */
void operation_free_all(struct script_thread *t);

#endif
