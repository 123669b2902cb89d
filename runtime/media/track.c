/* SPDX-License-Identifier: Apache-2.0 */
/* track.c - one window of interleaved samples, silence until something is written into it.
 *
 * - a caller frame is copied to where the carrier's clock puts it; the first frame tells how that
 *   clock and ours relate: it ended when it came.
 * - agent audio is copied behind the last; `played` is where that ends. cleared() writes silence
 *   over what lies in the future.
 * - take() gives out the beginning of the window and moves the rest down.
 *
 * Failure modes: no memory, or audio that ends more than TRACK_AHEAD_MS ahead: counted, silence in
 * the file. A carrier clock that jumps is believed up to TRACK_DRIFT_MS, then measured anew. */
#include "media/track.h"

#include "media/g711.h"

#include <stdlib.h>
#include <string.h>

enum { LEFT = 0, RIGHT = 1, GROW_PAIRS = 4 * 8000 };

void track_init(struct track *t)
{
    memset(t, 0, sizeof(*t));
}

void track_fini(struct track *t)
{
    free(t->window);
    t->window = NULL;
}

static uint64_t samples(uint64_t ms)
{
    return ms * TRACK_SAMPLES_PER_MS;
}

/* --- the window --- */

/* Silence up to `end` at least. False: no memory. */
static bool reach(struct track *t, uint64_t end)
{
    size_t want = (size_t)(end - t->taken);
    uint8_t *p;

    if (end <= t->filled)
        return true;
    if (want > t->capacity) {
        want = (want / GROW_PAIRS + 1) * GROW_PAIRS;
        p = realloc(t->window, 2 * want);
        if (!p)
            return false;
        t->window = p;
        t->capacity = want;
    }
    memset(t->window + 2 * (t->filled - t->taken), G711_ULAW_SILENCE, 2 * (end - t->filled));
    t->filled = end;
    return true;
}

static void hush(struct track *t, int side, uint64_t from, uint64_t to)
{
    uint64_t first = from > t->taken ? from : t->taken;
    uint64_t end = to < t->filled ? to : t->filled;

    for (uint64_t i = first; i < end; i++)
        t->window[2 * (i - t->taken) + (unsigned)side] = G711_ULAW_SILENCE;
}

/* What lies before `taken` is too late and left out. */
static void put(struct track *t, int side, uint64_t at, const uint8_t *ulaw, size_t n)
{
    size_t late = at < t->taken ? (size_t)(t->taken - at) : 0;

    if (late >= n)
        return;
    if (!reach(t, at + n)) {
        t->lost_samples += n;
        return;
    }
    for (size_t i = late; i < n; i++)
        t->window[2 * (at + i - t->taken) + (unsigned)side] = ulaw[i];
}

/* --- the caller --- */

static uint64_t caller_at(struct track *t, uint64_t now_ms, uint32_t at_ms, size_t n)
{
    int64_t came = (int64_t)samples(now_ms), length = (int64_t)n;
    int64_t began = came > length ? came - length : 0;
    int64_t at = (int64_t)samples(at_ms) + t->offset;
    int64_t drift = (int64_t)samples(TRACK_DRIFT_MS);

    if (!t->synced || at > began + drift || at < began - drift) {
        t->offset = began - (int64_t)samples(at_ms);
        t->synced = true;
        at = began;
    }
    return at > 0 ? (uint64_t)at : 0;
}

void track_caller(struct track *t, uint64_t now_ms, uint32_t at_ms, const uint8_t *ulaw, size_t n)
{
    uint64_t at = caller_at(t, now_ms, at_ms, n);

    if (!t->paused)
        put(t, LEFT, at, ulaw, n);
}

/* --- the agent --- */

/* Where audio that is handed over now begins to sound; its end is remembered. */
static bool play(struct track *t, uint64_t now_ms, size_t n, uint64_t *at)
{
    uint64_t now = samples(now_ms);

    *at = t->played > now ? t->played : now;
    if (*at + n > now + samples(TRACK_AHEAD_MS)) {
        t->lost_samples += n;
        return false;
    }
    t->played = *at + n;
    return true;
}

void track_agent(struct track *t, uint64_t now_ms, const uint8_t *ulaw, size_t n)
{
    uint64_t at;

    if (play(t, now_ms, n, &at))
        put(t, RIGHT, at, ulaw, n);
}

void track_agent_lost(struct track *t, uint64_t now_ms, size_t n)
{
    uint64_t at;

    if (play(t, now_ms, n, &at))
        t->lost_samples += n;
}

void track_cleared(struct track *t, uint64_t now_ms)
{
    uint64_t now = samples(now_ms);

    if (t->played <= now)
        return;
    hush(t, RIGHT, now, t->played);
    t->played = now;
}

/* --- pauses --- */

static void hush_both(struct track *t, uint64_t from, uint64_t to)
{
    hush(t, LEFT, from, to);
    hush(t, RIGHT, from, to);
}

void track_pause(struct track *t, uint64_t now_ms, bool on)
{
    uint64_t now = samples(now_ms);

    if (on == t->paused)
        return;
    t->paused = on;
    if (on) {
        t->pause_from = now;
        return;
    }
    hush_both(t, t->pause_from, now);
    t->paused_samples += now - t->pause_from;
}

uint32_t track_paused_ms(const struct track *t, uint64_t now_ms)
{
    uint64_t n = t->paused_samples;

    if (t->paused && samples(now_ms) > t->pause_from)
        n += samples(now_ms) - t->pause_from;
    return (uint32_t)(n / TRACK_SAMPLES_PER_MS);
}

/* --- out --- */

size_t track_take(struct track *t, uint64_t until_ms, uint8_t *out, size_t pairs)
{
    uint64_t until = samples(until_ms);
    size_t n = until > t->taken ? (size_t)(until - t->taken) : 0;
    size_t have;

    n = n < pairs ? n : pairs;
    if (t->paused)
        hush_both(t, t->pause_from, t->taken + n);
    have = (size_t)(t->filled - t->taken);
    have = have < n ? have : n;
    if (have > 0) {
        memcpy(out, t->window, 2 * have);
        memmove(t->window, t->window + 2 * have, 2 * (size_t)(t->filled - t->taken - have));
    }
    memset(out + 2 * have, G711_ULAW_SILENCE, 2 * (n - have));
    t->taken += n;
    if (t->filled < t->taken)
        t->filled = t->taken;
    return n;
}
