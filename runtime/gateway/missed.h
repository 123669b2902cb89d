/* SPDX-License-Identifier: Apache-2.0 */
/* missed.h - which calls nobody took, and that their agent hears of it: a fact, and an errand that
 * may answer by a text (scripts/ringdown/texts/missed.lua decides). Media threads. */
#ifndef GATEWAY_MISSED_H
#define GATEWAY_MISSED_H

#include "base/str.h"
#include "gateway/node_internal.h"
#include "ports/records.h"

enum missed {
    MISSED_NOT,
    MISSED_GAVE_UP,      /* the caller hung up before the greeting was over */
    MISSED_NOT_ANSWERED, /* the carrier says no-answer, busy, failed or canceled */
    MISSED_NO_CAPACITY,  /* refused: full, draining, disk, rate limit */
    MISSED_SCRIPT_FAILED,
    MISSED_FAILED /* something else of ours broke before the greeting was over */
};

/* The three ways in which we hear of an end. */
enum missed missed_by_end(enum call_end_reason why, bool opening_heard);
enum missed missed_by_status(struct rd_str status, struct rd_str direction);
enum missed missed_by_refusal(const char *reason);

/* The caller of a call in the directory got through, or (m) did not. Whatever is said first stands:
 * ends are told by several signals. */
void missed_call(struct node *n, const struct directory_view *call, enum missed m);

/* The same for a call that never came into the directory. */
struct missed_caller {
    struct rd_str sid, from, to, verstat;
    const char *agent; /* NULL: nobody's number */
    int trial;         /* enum trial */
};
void missed_caller(struct node *n, const struct missed_caller *c, enum missed m);

#endif
