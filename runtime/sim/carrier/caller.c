/* SPDX-License-Identifier: Apache-2.0 */
/* The simulated caller.
 *
 * Happy path
 *   - waits for the condition of its next step, does the step, goes to the next;
 *   - `after`: the agent was heard since the last step, nothing is left to be heard, and it has
 * been quiet for CALLER_PATIENCE_MS (plus `at`);
 *   - `during`: `at` ms after the agent was first heard since the last step, still talking or not;
 *   - neither: `at` ms after the last step ended.
 *
 * Failure modes
 *   - the agent never speaks or never stops: the caller gives up after the scenario's max_ms, once.
 *
 * A step ends when its last sample was sent; what the agent said until then does not count as its
 * answer, so that the rest of an interrupted sentence is not mistaken for one.
 */
#include "sim/carrier/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum caller_state { WAITING, SPEAKING, PRESSING, PAUSING, GONE };

struct caller {
    const struct scenario *scenario; /* borrows */
    const struct sound *sounds;      /* borrows */
    caller_event_fn *on_event;
    void *arg;
    enum caller_state state;
    size_t step;
    size_t place;      /* next sample, or next digit */
    uint32_t now_ms;   /* since the call was answered */
    uint32_t began_ms; /* the step; while WAITING: when the step before ended */
    bool lost;         /* the stream, in this step */
    bool heard;        /* the agent, since the last step */
    uint32_t heard_first_ms, heard_last_ms;
};

int caller_new(struct caller **out, const struct scenario *s, const struct sound *sounds,
               caller_event_fn *on_event, void *arg)
{
    struct caller *c = calloc(1, sizeof(*c));

    if (!c)
        return -ENOMEM;
    c->scenario = s;
    c->sounds = sounds;
    c->on_event = on_event;
    c->arg = arg;
    *out = c;
    return 0;
}

void caller_free(struct caller *c)
{
    free(c);
}

static void tell(struct caller *c, enum caller_event_kind kind, const char *text, char digit)
{
    struct caller_event e = {kind, text, digit};

    c->on_event(&e, c->arg);
}

static void listen(struct caller *c, bool audible, bool pending)
{
    if (!audible && !pending)
        return;
    if (!c->heard && audible) {
        c->heard = true;
        c->heard_first_ms = c->now_ms;
    }
    c->heard_last_ms = c->now_ms;
}

static bool is_due(const struct caller *c, const struct scenario_step *s)
{
    if (s->during)
        return c->heard && c->now_ms - c->heard_first_ms >= s->at_ms;
    if (s->after)
        return c->heard && c->now_ms - c->heard_last_ms >= CALLER_PATIENCE_MS + s->at_ms;
    return c->now_ms - c->began_ms >= s->at_ms;
}

static void step_end(struct caller *c)
{
    c->state = WAITING;
    c->step++;
    c->place = 0;
    c->began_ms = c->now_ms;
    c->heard = false;
}

static void step_begin(struct caller *c, const struct scenario_step *s)
{
    c->began_ms = c->now_ms;
    c->place = 0;
    c->lost = false;
    if (s->hangup) {
        c->state = GONE;
        tell(c, CALLER_HANGS_UP, NULL, 0);
    } else if (s->digits) {
        c->state = PRESSING;
    } else if (s->say || s->play || s->pcm) {
        c->state = SPEAKING;
        tell(c, CALLER_SAYS, s->say ? s->say : s->play ? s->play : "", 0);
    } else {
        c->state = PAUSING;
    }
}

static void speak(struct caller *c, int16_t frame[CALLER_FRAME])
{
    const struct sound *sound = &c->sounds[c->step];
    size_t left = sound->n - c->place, n = left < CALLER_FRAME ? left : CALLER_FRAME;

    if (n > 0)
        memcpy(frame, sound->pcm + c->place, n * sizeof(*frame));
    c->place += n;
    if (c->place == sound->n) {
        step_end(c);
        tell(c, CALLER_SAID, NULL, 0);
    }
}

static void press(struct caller *c, const char *digits)
{
    if (c->now_ms - c->began_ms < c->place * CALLER_DIGIT_MS)
        return;
    if (digits[c->place] == '\0') {
        step_end(c);
        return;
    }
    tell(c, CALLER_DIGIT, NULL, digits[c->place]);
    c->place++;
}

static bool loses_now(const struct caller *c, const struct scenario_step *s)
{
    return (s->breaks || s->stops) && !c->lost && (c->state == SPEAKING || c->state == PAUSING) &&
           c->now_ms - c->began_ms >= s->lost_at_ms;
}

static bool is_paused_enough(const struct caller *c, const struct scenario_step *s)
{
    return c->state == PAUSING && c->now_ms - c->began_ms >= s->wait_ms &&
           (c->lost || (!s->breaks && !s->stops));
}

bool caller_tick(struct caller *c, bool audible, bool pending, int16_t frame[CALLER_FRAME])
{
    const struct scenario_step *s;
    bool speech = false;

    memset(frame, 0, CALLER_FRAME * sizeof(*frame));
    if (c->state == GONE)
        return false;
    if (c->now_ms >= c->scenario->max_ms) {
        c->state = GONE;
        tell(c, CALLER_GIVES_UP, NULL, 0);
        return false;
    }
    listen(c, audible, pending);
    s = c->step < c->scenario->n_steps ? &c->scenario->steps[c->step] : NULL;
    if (s && c->state == WAITING && is_due(c, s))
        step_begin(c, s);
    if (s && loses_now(c, s)) {
        c->lost = true;
        tell(c, s->stops ? CALLER_STOPPED : CALLER_LOST, NULL, 0);
    }
    if (c->state == SPEAKING) {
        speech = true;
        speak(c, frame);
    } else if (s && c->state == PRESSING) {
        press(c, s->digits);
    } else if (s && is_paused_enough(c, s)) {
        step_end(c);
    }
    c->now_ms += CALLER_FRAME_MS;
    return speech;
}
