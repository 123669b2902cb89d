/* SPDX-License-Identifier: Apache-2.0 */
/* The sound of one call.
 *
 * Happy path, per tick: the playout gives 20 ms to the caller's ear, the caller listens and perhaps
 * speaks, both go to the recording, the caller's µ-law goes out.
 * Failure modes: no memory for the recording: it ends there, the call goes on.
 */
#include "sim/carrier/line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { AGENT_PAUSE_MS = 400, ULAW_PER_MS = 8 };

struct line {
    struct playout *playout; /* owns */
    struct caller *caller;   /* owns */
    struct line_events events;
    void *arg;
    uint32_t ms;
    bool arrived; /* audio came since the last tick */
    bool speaking;
    uint32_t spoke_from_ms, spoke_last_ms;
    struct sound sides[2]; /* own; caller, agent */
    size_t cap;            /* samples each side has room for */
    bool recording_lost;
};

int line_new(struct line **out, const struct scenario *s, const struct sound *sounds,
             const struct line_events *events, void *arg)
{
    struct line *l = calloc(1, sizeof(*l));
    int rc = -ENOMEM;

    if (!l)
        return rc;
    l->events = *events;
    l->arg = arg;
    rc = playout_new(&l->playout, events->on_mark, arg);
    if (rc)
        goto fail;
    rc = caller_new(&l->caller, s, sounds, events->on_caller, arg);
    if (rc)
        goto fail;
    *out = l;
    return 0;
fail:
    line_free(l);
    return rc;
}

void line_free(struct line *l)
{
    if (!l)
        return;
    playout_free(l->playout);
    caller_free(l->caller);
    free(l->sides[0].pcm);
    free(l->sides[1].pcm);
    free(l);
}

int line_audio(struct line *l, const uint8_t *ulaw, size_t n)
{
    l->arrived = true;
    return playout_audio(l->playout, ulaw, n);
}

int line_mark(struct line *l, const char *name)
{
    return playout_mark(l->playout, name);
}

bool line_clear(struct line *l)
{
    bool busy = !playout_idle(l->playout);

    playout_clear(l->playout);
    return busy;
}

void line_reset(struct line *l)
{
    playout_reset(l->playout);
}

int line_say(struct line *l, const struct sound *s)
{
    uint8_t ulaw[1024];
    int rc = 0;

    for (size_t i = 0; i < s->n && rc == 0; i += sizeof(ulaw)) {
        size_t n = s->n - i < sizeof(ulaw) ? s->n - i : sizeof(ulaw);
        for (size_t k = 0; k < n; k++)
            ulaw[k] = sim_ulaw_encode(s->pcm[i + k]);
        rc = playout_audio(l->playout, ulaw, n);
    }
    return rc;
}

bool line_quiet(const struct line *l)
{
    return playout_idle(l->playout);
}

static bool record_reserve(struct line *l)
{
    size_t need = l->sides[0].n + PLAYOUT_FRAME, cap = l->cap ? l->cap * 2 : 16000;

    if (l->recording_lost || need <= l->cap)
        return !l->recording_lost;
    for (int i = 0; i < 2; i++) {
        int16_t *more = realloc(l->sides[i].pcm, cap * sizeof(*more));
        if (!more) {
            l->recording_lost = true;
            return false;
        }
        l->sides[i].pcm = more;
    }
    l->cap = cap;
    return true;
}

static void record(struct line *l, const int16_t *caller, const uint8_t *agent)
{
    if (!record_reserve(l))
        return;
    memcpy(l->sides[0].pcm + l->sides[0].n, caller, PLAYOUT_FRAME * sizeof(*caller));
    for (size_t i = 0; i < PLAYOUT_FRAME; i++)
        l->sides[1].pcm[l->sides[1].n + i] = sim_ulaw_decode(agent[i]);
    l->sides[0].n += PLAYOUT_FRAME;
    l->sides[1].n += PLAYOUT_FRAME;
}

static void watch_agent(struct line *l, bool audible)
{
    if (audible)
        l->spoke_last_ms = l->ms;
    if (audible && !l->speaking) {
        l->speaking = true;
        l->spoke_from_ms = l->ms;
        l->events.on_agent(true, 0, l->arg);
    } else if (l->speaking && l->ms - l->spoke_last_ms >= AGENT_PAUSE_MS) {
        l->speaking = false;
        l->events.on_agent(false, l->spoke_last_ms + CALLER_FRAME_MS - l->spoke_from_ms, l->arg);
    }
}

void line_tick(struct line *l, uint8_t frame[PLAYOUT_FRAME])
{
    uint8_t heard[PLAYOUT_FRAME];
    int16_t said[CALLER_FRAME];
    bool audible = playout_tick(l->playout, heard) > 0;

    watch_agent(l, audible);
    caller_tick(l->caller, audible, l->arrived || !playout_idle(l->playout), said);
    l->arrived = false;
    for (size_t i = 0; i < PLAYOUT_FRAME; i++)
        frame[i] = sim_ulaw_encode(said[i]);
    record(l, said, heard);
    l->ms += CALLER_FRAME_MS;
}

uint32_t line_ms(const struct line *l)
{
    return l->ms;
}

uint64_t line_played_ms(const struct line *l)
{
    return playout_played(l->playout) / ULAW_PER_MS;
}

uint64_t line_cleared_ms(const struct line *l)
{
    return playout_cleared(l->playout) / ULAW_PER_MS;
}

void line_take(struct line *l, struct sound *caller, struct sound *agent)
{
    *caller = l->sides[0];
    *agent = l->sides[1];
    l->sides[0] = l->sides[1] = (struct sound){NULL, 0};
    l->cap = 0;
}
