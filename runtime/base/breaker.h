/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.h - stops asking somebody who fails, and finds out when he is back.
 *
 *   CLOSED --too many failures--> OPEN --time--> HALF_OPEN --the probe works--> CLOSED
 *                                   ^------------ the probe fails ---|
 *
 * Whoever wants to ask gets a ticket, or 0: do not ask. Half-open there is one ticket at a time. A
 * ticket of an earlier state says nothing any more: an answer that was asked for before the breaker
 * opened can neither close nor open it again. Pure: time and random bits come from outside. */
#ifndef BASE_BREAKER_H
#define BASE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

struct breaker_policy {
    uint32_t failures;    /* within the window it opens at so many … */
    uint32_t percent;     /* … if they are at least this part of all that was told */
    uint32_t window_ms;   /* sliding, in two halves */
    uint32_t open_ms;     /* before the first probe; doubles with each that fails */
    uint32_t open_max_ms; /* … up to this */
    uint32_t probe_ms;    /* a probe that tells nothing for so long is given up */
};

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

enum breaker_result {
    BREAKER_WORKED,
    BREAKER_FAILED,
    BREAKER_UNKNOWN /* given up before it could tell */
};

struct breaker {
    const struct breaker_policy *policy; /* borrows */
    enum breaker_state state;
    uint32_t ticket;   /* valid now; never 0 */
    uint64_t until_ms; /* OPEN: no probe before; HALF_OPEN: the probe's patience */
    uint64_t half_began_ms;
    uint32_t failed[2], told[2]; /* in this half of the window, and in the one before */
    uint32_t opened;             /* in a row */
};

void breaker_init(struct breaker *b, const struct breaker_policy *p, uint64_t now_ms);

/* May I? A ticket for breaker_tell(), or 0. */
uint32_t breaker_ask(struct breaker *b, uint64_t now_ms);

/* How it went, once per ticket. */
void breaker_tell(struct breaker *b, uint32_t ticket, enum breaker_result r, uint64_t now_ms,
                  uint32_t random);

/* From somebody who asked without a ticket, in the background: it works again. */
void breaker_close(struct breaker *b, uint64_t now_ms);

/* ms until asking is worth it: 0 now. */
uint64_t breaker_wait_ms(const struct breaker *b, uint64_t now_ms);

const char *breaker_state_name(enum breaker_state s);

#endif
