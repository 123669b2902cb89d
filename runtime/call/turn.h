/* SPDX-License-Identifier: Apache-2.0 */
/* turn.h - whose turn it is: one state machine for the provider's responses. Pure, no allocation;
 * loop thread only.
 *
 *            want                 started                done
 *   IDLE ───────────▶ ASKED ───────────────▶ ACTIVE ───────────────▶ IDLE (or ASKED, if wanted)
 *     └───────────────── started (the provider's own VAD) ──▶ ACTIVE
 *
 * A response is asked for only from IDLE and never while the caller speaks; otherwise the wish is
 * kept, once: two tool results ask for one answer. A dead response is one the caller interrupted:
 * what still arrives of it is dropped. */
#ifndef CALL_TURN_H
#define CALL_TURN_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum { TURN_ID = 96, TURN_DEAD = 8 };

enum turn_state { TURN_IDLE, TURN_ASKED, TURN_ACTIVE };

struct turn {
    enum turn_state state;
    bool wanted; /* an answer to what is in the conversation */
    bool caller_speaking;
    bool aside; /* fixed words beside the conversation are being generated */
    char aside_id[TURN_ID];
    char active[TURN_ID]; /* id of the running response; empty when unknown */
    char dead[TURN_DEAD][TURN_ID];
    uint32_t n_dead;
};

void turn_init(struct turn *t);

/* An answer is wanted. */
void turn_want(struct turn *t);

/* May response.create be sent now for the wish? Then it has been: state is ASKED. */
bool turn_ask(struct turn *t);

/* The same for a response with words of its own, which does not use up the wish. */
bool turn_ask_own(struct turn *t);

/* The same for words beside the conversation; while they are generated nothing else is asked for,
 * or two voices would be mixed. */
bool turn_ask_aside(struct turn *t);
bool turn_ask_beside(struct turn *t); /* although a response is running, as long as it is silent */
void turn_aside_started(struct turn *t, struct rd_str response_id);
void turn_aside_finished(struct turn *t);

/* A response of the conversation sounds while these words are on their way: what is missing of them is
 * dead, or two voices would be mixed. Their id to cancel; empty: nothing to do. */
struct rd_str turn_drop_aside(struct turn *t);

/* A conversation response began, asked for or not. It sees all results so far: the wish is met. */
void turn_started(struct turn *t, struct rd_str response_id);

/* A response ended. */
void turn_finished(struct turn *t, struct rd_str response_id);

/* The provider said that one is running already: keep the wish. */
void turn_busy(struct turn *t);

/* What we asked for was refused, or never began. */
void turn_refused(struct turn *t);

/* Whatever was asked for or ran is given up. */
void turn_reset(struct turn *t);

void turn_caller_speaks(struct turn *t);
void turn_caller_stopped(struct turn *t);

/* What is being generated is dead from now on; the id of the conversation response if there is one
 * to cancel, else empty. */
struct rd_str turn_kill(struct turn *t);
bool turn_is_dead(const struct turn *t, struct rd_str response_id);

#endif
