/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.c - the table of what is wrong now.
 *
 *   alarm_raise ── new ──▶ slot, error line, counter, sink(open) ── alarm_clear ──▶ info line,
 *        └── open already ──▶ count                                                 sink(closed)
 *              └── louder, quieter, or in other words ──▶ slot, error line, sink(open)
 *
 * Other words alone (they often have a number in them) are told at most once a minute.
 *
 * An alarm is its (kind, subject). The lock is held for one walk over a fixed table; log and sink
 * are told afterwards with a copy, so that a sink may raise an alarm of its own.
 *
 * Failure modes
 *   - the table is full: the alarm is logged and counted as ever, at most once a second, and not
 *     remembered: it can neither be listed nor closed, and the sink does not hear of it
 *   - the sink is taken away while another thread tells it something: that is waited for
 *   - opened and closed at the same instant by two threads: the sink may hear of both in either
 *     order; `last_unix_us` tells which was last
 *
 * A process has one list of alarms, like it has one stderr. */
#include "observe/alarm.h"

#include "base/log.h"
#include "base/now.h"
#include "base/str.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <string.h>

enum { FULL_EVERY_US = 1000000, WORDS_EVERY_US = 60000000 };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t told;
    struct alarm slots[ALARMS_MAX]; /* a free one is not open */
    struct told {
        uint64_t unix_us;
        bool other_words;  /* than those that were told */
    } told_of[ALARMS_MAX]; /* of the slot */
    size_t n_open;
    uint64_t full_told_us;
    alarm_sink_fn *sink;
    void *sink_arg;     /* borrows */
    unsigned n_telling; /* threads that are inside the sink */
} alarms = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};

/* Cut between characters of UTF-8, so that what reads it does not stumble. */
static void copy(char *out, size_t cap, const char *z)
{
    size_t n = strnlen(z ? z : "", cap);

    if (n == cap)
        for (n = cap - 1; n > 0 && ((unsigned char)z[n] & 0xC0) == 0x80;)
            n--;
    memcpy(out, z ? z : "", n);
    out[n] = '\0';
}

static struct alarm alarm_of(enum alarm_severity severity, const char *kind, const char *subject,
                             const char *text, const char *fix)
{
    struct alarm a = {.severity = severity, .count = 1, .open = true};

    copy(a.kind, sizeof(a.kind), kind);
    copy(a.subject, sizeof(a.subject), subject);
    copy(a.text, sizeof(a.text), text);
    copy(a.fix, sizeof(a.fix), fix);
    a.raised_unix_us = a.last_unix_us = unix_us();
    return a;
}

/* With the lock held. The open alarm of this name, else a free slot, else NULL. */
static struct alarm *find(const char *kind, const char *subject)
{
    struct alarm *free_slot = NULL;

    for (size_t i = 0; i < ALARMS_MAX; i++) {
        struct alarm *a = &alarms.slots[i];

        if (!a->open)
            free_slot = free_slot ? free_slot : a;
        else if (strcmp(a->kind, kind) == 0 && strcmp(a->subject, subject) == 0)
            return a;
    }
    return free_slot;
}

static void log_open(const struct alarm *a)
{
    log_error("alarm", F_STR("kind", a->kind), F_STR("subject", a->subject),
              F_STR("severity", a->severity == ALARM_CRITICAL ? "critical" : "warning"),
              F_STR("text", a->text), F_FIX(a->fix));
}

/* With the lock held: it is told as it is now. */
static void is_told(const struct alarm *a)
{
    alarms.told_of[a - alarms.slots] = (struct told){a->last_unix_us, false};
}

/* With the lock held: an open one is raised again. Must that be told? */
static bool count(struct alarm *a, const struct alarm *fresh)
{
    struct told *told = &alarms.told_of[a - alarms.slots];
    bool severity = a->severity != fresh->severity;
    uint64_t now_us = fresh->last_unix_us;

    if (strcmp(a->text, fresh->text) != 0 || strcmp(a->fix, fresh->fix) != 0)
        told->other_words = true;
    a->severity = fresh->severity;
    memcpy(a->text, fresh->text, sizeof(a->text));
    memcpy(a->fix, fresh->fix, sizeof(a->fix));
    a->count++;
    a->last_unix_us = now_us;
    if (!severity && (!told->other_words ||
                      (now_us >= told->unix_us && now_us < told->unix_us + WORDS_EVERY_US)))
        return false;
    is_told(a);
    return true;
}

/* With the lock held: may an alarm that found no slot be told now? */
static bool full_may_tell(uint64_t now_us)
{
    if (now_us < alarms.full_told_us + FULL_EVERY_US && now_us >= alarms.full_told_us)
        return false;
    alarms.full_told_us = now_us;
    return true;
}

/* With the lock held: whoever is inside the sink is waited for when it changes. */
static alarm_sink_fn *take_sink(void **arg)
{
    if (alarms.sink)
        alarms.n_telling++;
    *arg = alarms.sink_arg;
    return alarms.sink;
}

static void tell_sink(alarm_sink_fn *sink, void *arg, const struct alarm *a)
{
    if (!sink)
        return;
    sink(arg, a);
    pthread_mutex_lock(&alarms.lock);
    alarms.n_telling--;
    pthread_cond_broadcast(&alarms.told);
    pthread_mutex_unlock(&alarms.lock);
}

void alarm_raise(enum alarm_severity severity, const char *kind, const char *subject,
                 const char *text, const char *fix)
{
    struct alarm fresh = alarm_of(severity, kind, subject, text, fix), *a;
    alarm_sink_fn *sink = NULL;
    void *arg = NULL;
    bool tell = true, is_new = true;

    pthread_mutex_lock(&alarms.lock);
    a = find(fresh.kind, fresh.subject);
    if (!a) {
        tell = is_new = full_may_tell(fresh.raised_unix_us);
    } else if (a->open) {
        is_new = false;
        tell = count(a, &fresh);
        if (tell) {
            fresh = *a;
            sink = take_sink(&arg);
        }
    } else {
        *a = fresh;
        is_told(a);
        alarms.n_open++;
        metric_gauge_set(G_ALARMS, (int64_t)alarms.n_open);
        sink = take_sink(&arg);
    }
    pthread_mutex_unlock(&alarms.lock);
    if (is_new)
        metric_add(M_ALARMS, 1);
    if (tell)
        log_open(&fresh);
    tell_sink(sink, arg, &fresh);
}

void alarm_clear(const char *kind, const char *subject)
{
    struct alarm name = alarm_of(ALARM_WARNING, kind, subject, "", ""), over, *a;
    alarm_sink_fn *sink = NULL;
    void *arg = NULL;
    bool was_open;

    pthread_mutex_lock(&alarms.lock);
    a = find(name.kind, name.subject);
    was_open = a && a->open;
    if (was_open) {
        a->open = false;
        a->last_unix_us = name.last_unix_us;
        over = *a;
        alarms.n_open--;
        metric_gauge_set(G_ALARMS, (int64_t)alarms.n_open);
        sink = take_sink(&arg);
    }
    pthread_mutex_unlock(&alarms.lock);
    if (!was_open)
        return;
    log_info("alarm.over", F_STR("kind", over.kind), F_STR("subject", over.subject),
             F_INT("count", over.count),
             F_INT("dur_ms", (over.last_unix_us - over.raised_unix_us) / 1000));
    tell_sink(sink, arg, &over);
}

void alarm_sink(alarm_sink_fn *fn, void *arg)
{
    pthread_mutex_lock(&alarms.lock);
    while (alarms.n_telling > 0)
        pthread_cond_wait(&alarms.told, &alarms.lock);
    alarms.sink = fn;
    alarms.sink_arg = arg;
    pthread_mutex_unlock(&alarms.lock);
}

size_t alarm_list(struct alarm *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&alarms.lock);
    for (size_t i = 0; i < ALARMS_MAX; i++) {
        const struct alarm *a = &alarms.slots[i];
        size_t at = n;

        if (!a->open)
            continue;
        while (at > 0 && out[at - 1].raised_unix_us > a->raised_unix_us)
            at--;
        if (at == max)
            continue;
        n += n < max;
        memmove(&out[at + 1], &out[at], (n - 1 - at) * sizeof(*out));
        out[at] = *a;
    }
    pthread_mutex_unlock(&alarms.lock);
    return n;
}

void alarm_reset(void)
{
    pthread_mutex_lock(&alarms.lock);
    memset(alarms.slots, 0, sizeof(alarms.slots));
    alarms.n_open = 0;
    alarms.full_told_us = 0;
    alarms.sink = NULL;
    alarms.sink_arg = NULL;
    metric_gauge_set(G_ALARMS, 0);
    pthread_mutex_unlock(&alarms.lock);
}
