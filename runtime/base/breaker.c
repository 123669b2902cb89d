/* SPDX-License-Identifier: Apache-2.0 */
/* breaker.c - counts failures in two half windows and hands out tickets; see breaker.h.
 *
 * Each change of state, and each probe, makes a new ticket, so that stragglers are known by theirs.
 * A clock that stands still or a policy of zeros does no harm: then it simply opens early. */
#include "base/breaker.h"

static void new_ticket(struct breaker *b)
{
    if (++b->ticket == 0)
        b->ticket = 1;
}

static void forget(struct breaker *b, uint64_t now_ms)
{
    b->half_began_ms = now_ms;
    for (int i = 0; i < 2; i++)
        b->failed[i] = b->told[i] = 0;
}

void breaker_init(struct breaker *b, const struct breaker_policy *p, uint64_t now_ms)
{
    *b = (struct breaker){.policy = p, .ticket = 1};
    forget(b, now_ms);
}

/* The half that ended becomes the one before; after a quiet window nothing is left of either. */
static void slide(struct breaker *b, uint64_t now_ms)
{
    uint64_t half_ms = b->policy->window_ms / 2, age_ms = now_ms - b->half_began_ms;

    if (now_ms < b->half_began_ms || age_ms < half_ms)
        return;
    if (age_ms >= 2 * half_ms) {
        forget(b, now_ms);
        return;
    }
    b->failed[1] = b->failed[0];
    b->told[1] = b->told[0];
    b->failed[0] = b->told[0] = 0;
    b->half_began_ms += half_ms;
}

static bool too_many(const struct breaker *b)
{
    uint64_t failed = (uint64_t)b->failed[0] + b->failed[1];
    uint64_t told = (uint64_t)b->told[0] + b->told[1];

    return failed >= b->policy->failures && failed * 100 >= told * b->policy->percent;
}

/* The time is drawn from its upper half: nodes that lost a peer together do not come back together. */
static void open_it(struct breaker *b, uint64_t now_ms, uint32_t random)
{
    const struct breaker_policy *p = b->policy;
    uint64_t whole = p->open_ms;

    for (uint32_t i = 0; i < b->opened && whole < p->open_max_ms; i++)
        whole *= 2;
    if (whole > p->open_max_ms)
        whole = p->open_max_ms;
    b->state = BREAKER_OPEN;
    b->opened++;
    b->until_ms = now_ms + whole - whole / 2 * random / UINT32_MAX;
    new_ticket(b);
}

void breaker_close(struct breaker *b, uint64_t now_ms)
{
    if (b->state != BREAKER_CLOSED)
        new_ticket(b);
    b->state = BREAKER_CLOSED;
    b->opened = 0;
    forget(b, now_ms);
}

uint32_t breaker_ask(struct breaker *b, uint64_t now_ms)
{
    if (b->state == BREAKER_CLOSED)
        return b->ticket;
    if (now_ms < b->until_ms)
        return 0;
    b->state = BREAKER_HALF_OPEN;
    b->until_ms = now_ms + b->policy->probe_ms;
    new_ticket(b);
    return b->ticket;
}

static void count(struct breaker *b, bool failed, uint64_t now_ms, uint32_t random)
{
    slide(b, now_ms);
    b->told[0]++;
    b->failed[0] += failed;
    if (failed && too_many(b))
        open_it(b, now_ms, random);
}

void breaker_tell(struct breaker *b, uint32_t ticket, enum breaker_result r, uint64_t now_ms,
                  uint32_t random)
{
    if (ticket != b->ticket || b->state == BREAKER_OPEN)
        return;
    if (b->state == BREAKER_CLOSED) {
        if (r != BREAKER_UNKNOWN)
            count(b, r == BREAKER_FAILED, now_ms, random);
    } else if (r == BREAKER_WORKED) {
        breaker_close(b, now_ms);
    } else if (r == BREAKER_FAILED) {
        open_it(b, now_ms, random);
    } else {
        b->state = BREAKER_OPEN; /* the next one who asks is the probe */
        b->until_ms = now_ms;
        new_ticket(b);
    }
}

uint64_t breaker_wait_ms(const struct breaker *b, uint64_t now_ms)
{
    return b->state == BREAKER_CLOSED || now_ms >= b->until_ms ? 0 : b->until_ms - now_ms;
}

const char *breaker_state_name(enum breaker_state s)
{
    static const char *const names[] = {"closed", "open", "half-open"};

    return names[s];
}
