/* SPDX-License-Identifier: Apache-2.0 */
/* targets.c - the table of breakers.
 *
 *   target_ask ──▶ ticket ──▶ the caller asks his peer ──▶ target_tell ──▶ breaker ──▶ alarm
 *        └── 0: refused, counted
 *
 * Names are looked up by walking the table: it is short, and nobody asks per frame. An alarm is
 * raised and cleared after the lock is gone, because its sink may take its time.
 *
 * Failure modes
 *   - more names than places: the closed one that was quiet longest gives way; when every place is
 *     an open breaker, the newcomer is not watched (its ticket is UNWATCHED)
 *   - a ticket whose target gave way meanwhile: a breaker of another generation ignores it */
#include "observe/targets.h"

#include "base/json_out.h"
#include "base/random.h"
#include "base/str.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#define UNWATCHED UINT32_MAX

static const struct breaker_policy policy = {.failures = 5,
                                             .percent = 50,
                                             .window_ms = 10000,
                                             .open_ms = 2000,
                                             .open_max_ms = 30000,
                                             .probe_ms = 10000};

static struct {
    pthread_mutex_t lock;
    struct target places[TARGETS_MAX]; /* a free one has no name */
} targets = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool is_named(const struct target *t, const char *name)
{
    return strncmp(t->name, name, TARGET_NAME - 1) == 0;
}

/* Which of two places a newcomer had better take; either may be NULL. An open breaker stays. */
static struct target *better_place(struct target *a, struct target *b)
{
    if (*b->name && b->breaker.state != BREAKER_CLOSED)
        return a;
    if (!a || !*b->name)
        return b;
    return *a->name && b->last_ms < a->last_ms ? b : a;
}

/* With the lock held. NULL when nobody knows it, and with `make`, when there is no place for it. */
static struct target *find(const char *name, bool make, uint64_t now_ms)
{
    struct target *place = NULL;

    for (size_t i = 0; i < TARGETS_MAX; i++) {
        struct target *t = &targets.places[i];

        if (*t->name && is_named(t, name))
            return t;
        place = better_place(place, t);
    }
    if (!make || !place || !*name)
        return NULL;
    memset(place, 0, sizeof(*place));
    (void)rd_str_copy(place->name, sizeof(place->name), rd_str(name));
    breaker_init(&place->breaker, &policy, now_ms);
    return place;
}

uint32_t target_ask(const char *name, uint64_t now_ms)
{
    uint32_t ticket = UNWATCHED;
    struct target *t;

    pthread_mutex_lock(&targets.lock);
    t = find(name, true, now_ms);
    if (t) {
        ticket = breaker_ask(&t->breaker, now_ms);
        t->refused += ticket == 0;
        t->last_ms = now_ms;
    }
    pthread_mutex_unlock(&targets.lock);
    if (ticket == 0)
        metric_add(M_TARGET_REFUSED, 1);
    return ticket;
}

/* With the lock held: what the table remembers of an answer. */
static void note(struct target *t, enum breaker_result r, const char *why, uint64_t now_ms)
{
    t->last_ms = now_ms;
    t->worked += r == BREAKER_WORKED;
    t->failed += r == BREAKER_FAILED;
    if (r == BREAKER_FAILED)
        (void)rd_str_copy(t->why, sizeof(t->why), rd_str(why));
}

static struct target copy_of(const char *name)
{
    struct target copy = {.name = ""}, *t;

    pthread_mutex_lock(&targets.lock);
    t = find(name, false, 0);
    if (t)
        copy = *t;
    pthread_mutex_unlock(&targets.lock);
    return copy;
}

static bool is_open(const struct target *t)
{
    return t->breaker.state != BREAKER_CLOSED;
}

static void tell_alarm(const struct target *t)
{
    char text[ALARM_TEXT];

    snprintf(text, sizeof(text), "%s fails: %s", t->name, *t->why ? t->why : "no reason given");
    if (is_open(t))
        alarm_raise(ALARM_CRITICAL, "target.open", t->name, text, catalogue_fix("target.", "open"));
    else
        alarm_clear("target.open", t->name);
}

/* Another thread may have changed it and told before us: then the last word is told again. */
static void tell_change(const struct target *changed)
{
    struct target now;

    tell_alarm(changed);
    now = copy_of(changed->name);
    if (*now.name && is_open(&now) != is_open(changed))
        tell_alarm(&now);
}

static void settle(const char *name, uint32_t ticket, bool ticketed, enum breaker_result r,
                   const char *why, uint64_t now_ms)
{
    uint32_t random = r == BREAKER_FAILED ? rd_random_bits() : 0;
    struct target changed = {.name = ""}, *t;
    bool was_open = false;

    pthread_mutex_lock(&targets.lock);
    t = find(name, !ticketed, now_ms);
    if (t) {
        was_open = is_open(t);
        note(t, r, why, now_ms);
        if (!ticketed && r == BREAKER_WORKED && was_open)
            breaker_close(&t->breaker, now_ms);
        else if (ticketed || !was_open)
            breaker_tell(&t->breaker, ticketed ? ticket : t->breaker.ticket, r, now_ms, random);
        t->opened += is_open(t) && !was_open;
        if (is_open(t) != was_open)
            changed = *t;
    }
    pthread_mutex_unlock(&targets.lock);
    if (!*changed.name)
        return;
    if (!was_open)
        metric_add(M_TARGET_OPENED, 1);
    tell_change(&changed);
}

void target_tell(const char *name, uint32_t ticket, enum breaker_result r, const char *why,
                 uint64_t now_ms)
{
    if (ticket != 0 && ticket != UNWATCHED)
        settle(name, ticket, true, r, why, now_ms);
}

void target_seen(const char *name, bool worked, const char *why, uint64_t now_ms)
{
    settle(name, 0, false, worked ? BREAKER_WORKED : BREAKER_FAILED, why, now_ms);
}

uint64_t target_wait_ms(const char *name, uint64_t now_ms)
{
    struct target t = copy_of(name);

    return *t.name ? breaker_wait_ms(&t.breaker, now_ms) : 0;
}

size_t targets_list(struct target *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&targets.lock);
    for (size_t i = 0; i < TARGETS_MAX && n < max; i++)
        if (*targets.places[i].name)
            out[n++] = targets.places[i];
    pthread_mutex_unlock(&targets.lock);
    return n;
}

static int add_target(struct buf *out, const struct target *t)
{
    return json_add_object(out, JSON_MEMBERS(J_STR("name", t->name),
                                             J_STR("state", breaker_state_name(t->breaker.state)),
                                             J_INT("worked", t->worked), J_INT("failed", t->failed),
                                             J_INT("refused", t->refused),
                                             J_INT("opened", t->opened), J_STR("why", t->why)));
}

int targets_to_json(struct buf *out)
{
    struct target list[TARGETS_MAX];
    size_t n = targets_list(list, TARGETS_MAX);
    int rc = buf_add_str(out, "[");

    for (size_t i = 0; i < n && !rc; i++) {
        if (i > 0)
            rc = buf_add_str(out, ",");
        rc = rc ? rc : add_target(out, &list[i]);
    }
    return rc ? rc : buf_add_str(out, "]");
}

void targets_reset(void)
{
    pthread_mutex_lock(&targets.lock);
    memset(targets.places, 0, sizeof(targets.places));
    pthread_mutex_unlock(&targets.lock);
}
