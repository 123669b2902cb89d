/* SPDX-License-Identifier: Apache-2.0 */
/* drain.c - see the picture in drain.h.
 *
 * Somebody whose life may hang on the call is not moved while they may be about to be helped: that
 * costs them a second of silence and another model. After a minute more they are handed on as well,
 * never cut off. */
#include "cli/drain.h"

void drain_begin(struct drain *d, uint64_t now_ms, unsigned seconds)
{
    d->over_ms = now_ms + (uint64_t)seconds * 1000;
}

void drain_given(struct drain *d, uint64_t now_ms)
{
    d->given = true;
    d->earliest_ms = now_ms + DRAIN_SETTLE_MS;
}

static bool is_done(struct drain *d, uint64_t now_ms, struct drain_left left)
{
    unsigned busy = d->given && d->last == DRAIN_WAIT ? left.busy : left.calls;

    if (busy > 0 && d->earliest_ms < now_ms + DRAIN_QUIET_MS)
        d->earliest_ms = now_ms + DRAIN_QUIET_MS;
    if (busy > 0 || now_ms < d->earliest_ms)
        return false;
    return d->given || left.peers == 0 || d->last != DRAIN_WAIT;
}

static enum drain_step hand_on(struct drain *d, uint64_t now_ms, enum drain_step step)
{
    d->last = step;
    d->earliest_ms = now_ms + DRAIN_SETTLE_MS;
    d->end_ms = now_ms + DRAIN_END_MS;
    d->life_ms = d->end_ms + DRAIN_LIFE_MS;
    return step;
}

enum drain_step drain_look(struct drain *d, uint64_t now_ms, struct drain_left left)
{
    if (is_done(d, now_ms, left))
        return DRAIN_END;
    if (d->last == DRAIN_WAIT && now_ms >= d->over_ms)
        return hand_on(d, now_ms, DRAIN_HAND_ON);
    if (d->last == DRAIN_HAND_ON && now_ms >= d->life_ms)
        return hand_on(d, now_ms, DRAIN_HAND_ON_ALL);
    if (d->last == DRAIN_HAND_ON_ALL && now_ms >= d->end_ms)
        return DRAIN_END;
    return DRAIN_WAIT;
}
