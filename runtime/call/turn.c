/* SPDX-License-Identifier: Apache-2.0 */
/* turn.c - see the picture in turn.h. Failure modes: events for responses we do not know change
 * nothing but the state they name; ids longer than ours never match, so their audio is not dropped.
 */
#include "call/turn.h"

void turn_init(struct turn *t)
{
    memset(t, 0, sizeof(*t));
}

void turn_want(struct turn *t)
{
    t->wanted = true;
}

bool turn_ask_own(struct turn *t)
{
    if (t->state != TURN_IDLE || t->aside || t->caller_speaking)
        return false;
    t->state = TURN_ASKED;
    return true;
}

bool turn_ask_aside(struct turn *t)
{
    return t->state == TURN_IDLE && turn_ask_beside(t);
}

bool turn_ask_beside(struct turn *t)
{
    if (t->aside || t->caller_speaking)
        return false;
    t->aside = true;
    t->aside_id[0] = '\0';
    return true;
}

void turn_aside_started(struct turn *t, struct rd_str response_id)
{
    t->aside = true;
    (void)rd_str_copy(t->aside_id, sizeof(t->aside_id), response_id);
}

void turn_aside_finished(struct turn *t)
{
    t->aside = false;
}

bool turn_ask(struct turn *t)
{
    if (!t->wanted || !turn_ask_own(t))
        return false;
    t->wanted = false;
    return true;
}

void turn_started(struct turn *t, struct rd_str response_id)
{
    t->state = TURN_ACTIVE;
    t->wanted = false;
    (void)rd_str_copy(t->active, sizeof(t->active), response_id);
}

void turn_finished(struct turn *t, struct rd_str response_id)
{
    if (t->state == TURN_ACTIVE && t->active[0] && !rd_str_eq(rd_str(t->active), response_id))
        return;
    /* The end of one that was given up says nothing about what was asked for since. */
    if (t->state == TURN_ASKED && turn_is_dead(t, response_id))
        return;
    t->state = TURN_IDLE;
    t->active[0] = '\0';
}

void turn_busy(struct turn *t)
{
    t->wanted = true;
    if (t->state == TURN_ASKED)
        t->state = TURN_ACTIVE;
}

void turn_refused(struct turn *t)
{
    if (t->state == TURN_ASKED)
        t->state = TURN_IDLE;
}

void turn_reset(struct turn *t)
{
    t->state = TURN_IDLE;
    t->active[0] = '\0';
}

void turn_caller_speaks(struct turn *t)
{
    t->caller_speaking = true;
}

void turn_caller_stopped(struct turn *t)
{
    t->caller_speaking = false;
}

static void kill_id(struct turn *t, const char *id)
{
    if (id[0] && !turn_is_dead(t, rd_str(id)))
        memcpy(t->dead[t->n_dead++ % TURN_DEAD], id, TURN_ID);
}

struct rd_str turn_drop_aside(struct turn *t)
{
    if (!t->aside || !t->aside_id[0])
        return (struct rd_str){NULL, 0};
    kill_id(t, t->aside_id);
    t->aside = false;
    return rd_str(t->aside_id);
}

struct rd_str turn_kill(struct turn *t)
{
    kill_id(t, t->aside_id);
    if (t->state != TURN_ACTIVE || !t->active[0])
        return (struct rd_str){NULL, 0};
    kill_id(t, t->active);
    return rd_str(t->active);
}

bool turn_is_dead(const struct turn *t, struct rd_str response_id)
{
    uint32_t n = t->n_dead < TURN_DEAD ? t->n_dead : TURN_DEAD;

    for (uint32_t i = 0; i < n; i++)
        if (rd_str_eq(rd_str(t->dead[i]), response_id))
            return true;
    return false;
}
