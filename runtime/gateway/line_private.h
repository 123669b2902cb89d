/* SPDX-License-Identifier: Apache-2.0 */
/* line_private.h - the struct behind line.h, for the few files that are the line: line.c (its
 * life), line_operator.c (what operators want of it), sweep.c (whether it should be there). */
#ifndef GATEWAY_LINE_PRIVATE_H
#define GATEWAY_LINE_PRIVATE_H

#include "call/call.h"
#include "gateway/line.h"

struct line {
    struct line *next;
    struct media_thread *thread;
    struct directory_view view;
    struct credits *credits; /* owns; NULL once the script was told the end */
    struct loop_timer *timer;
    struct carrier_leg *leg; /* borrows; valid until the call has ended */
    struct call *call;       /* owns; frees itself after on_ended() */
    struct recording *tape;  /* owns; NULL: not recorded */
    struct brief *brief;     /* refs; for the sessions that follow */
    unsigned sessions;       /* opened so far */
    bool on_vapi;            /* who speaks; else OpenAI */
    bool failed_over;        /* from the other one, which had its turn */
    bool away;               /* the call goes on without us */
    uint64_t closed_us;      /* what came later is not on the tape */
};

/* A command of an operator, or what came of one. Borrows m. */
void line_operator(struct line *l, const struct message *m);

#endif
