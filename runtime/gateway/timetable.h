/* SPDX-License-Identifier: Apache-2.0 */
/* timetable.h - what this node does by itself, every so often: operations of the library, of which most
 * are for the node that leads. scripts/ringdown/operations.lua says which and how often. */
#ifndef GATEWAY_TIMETABLE_H
#define GATEWAY_TIMETABLE_H

#include "gateway/node_internal.h"
#include "ports/clock.h"

struct timetable;

int timetable_new(struct timetable **out, struct node *n, const struct clock *clock);

/* What runs is told to end. Then the script threads go, which hear of each end. */
void timetable_hush(struct timetable *t); /* NULL is fine, as for the following */
void timetable_free(struct timetable *t); /* after the script threads */

/* Every beat that the database answered: begins what is due. Never two of a kind at once. Any thread;
 * one at a time. */
void timetable_beat(struct timetable *t, bool leads);

/* The same when the database did not answer: what is for such times. */
void timetable_beat_alone(struct timetable *t);

#endif
