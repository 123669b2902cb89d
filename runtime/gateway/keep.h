/* SPDX-License-Identifier: Apache-2.0 */
/* keep.h - what must be kept of calls and of this node, on its way into the journal: each fact gets
 * its place in its stream (call, epoch, seq) here. docs/records.md lists them all.
 *
 * Nothing waits: a fact is in the journal's memory when these return. What cannot even go there is
 * counted and told by the journal. Any thread. */
#ifndef GATEWAY_KEEP_H
#define GATEWAY_KEEP_H

#include "base/json_out.h"
#include "gateway/directory.h"
#include "observe/alarm.h"
#include "store/journal.h"

struct keep;

struct keep_opts {
    struct journal *journal;     /* borrows; NULL: nothing is kept */
    struct directory *directory; /* borrows */
    const char *node;            /* name of this node, copied */
};

int keep_new(struct keep **out, const struct keep_opts *o);
void keep_free(struct keep *k); /* NULL is fine */

/* A fact of a call that is in the directory: `members` behind call, agent, from and to. */
void keep_call(struct keep *k, const struct directory_view *call, const char *type,
               struct json_members members);

/* The same with the whole body given, as record_json() writes it. */
void keep_record(struct keep *k, const struct directory_view *call, const char *type,
                 struct rd_str body);

/* A fact that a script tells: of its call while that is findable, else of the node, which then says
 * which call it is about. `sid` "": of no call. `members` is what stands between an object's braces. */
void keep_told(struct keep *k, call_handle call, const char *sid, const char *agent,
               const char *type, struct rd_str members);

/* A fact about a call of an earlier process: an epoch of its own. */
void keep_late(struct keep *k, struct rd_str sid, uint64_t started_us, const char *type,
               struct rd_str body);

/* A call that never came into the directory: its webhook, and what it was answered. */
struct keep_refusal {
    struct rd_str sid, agent, from, to, direction;
    const char *system; /* "fallback", "vapi" */
    const char *reason, *fix;
    const char *trial; /* of gateway/trial.h, or NULL */
    const char *first; /* the system it was decided for, as with other calls; NULL: none was */
};
void keep_refused(struct keep *k, const struct keep_refusal *r);

/* A fact of the node. */
void keep_node(struct keep *k, const char *type, struct json_members members);

/* Which process this is, by when it began in microseconds: all facts of the node have it as epoch. */
uint64_t keep_process(const struct keep *k);

/* alarm_sink_fn; arg: the keep. */
void keep_alarm(void *arg, const struct alarm *a);

/* Room for one more call? False while the disk does not take what waits. */
bool keep_accepts(const struct keep *k);

#endif
