/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_queue.c - what was logged, on its way to whoever reports it.
 *
 *   any thread: line ─▶ crumb; error ─▶ known for 10 s? limited? room? ─▶ record ─▶ wake
 *   worker:     sentry_next(), sentry_crumbs(), sentry_answered(), sentry_report()
 *
 * All memory is made at the start: 64 records of 6 KiB, 256 crumbs, 64 errors that are remembered. The
 * lock is held for one copy.
 *
 * Failure modes: the queue is full: the newest is dropped; more than 64 different errors in 10 s: the one
 * told longest ago is forgotten, and told again. Each drop is counted, by reason, for the report and the
 * metrics. */
#include "base/err.h"
#include "base/json_out.h"
#include "observe/metrics.h"
#include "observe/sentry.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KNOWN = 64, VALUE_MAX = 4096 };

struct known {
    uint64_t hash, told_ms, repeated;
};

struct sentry_queue {
    void (*wake)(void *arg);
    void *arg;
    pthread_mutex_t lock; /* of the following */
    struct sentry_record records[SENTRY_QUEUE];
    size_t first, n;
    struct sentry_crumb crumbs[SENTRY_CRUMBS];
    size_t n_crumbs; /* ever */
    struct known known[KNOWN];
    struct sentry_limits limits;
    uint64_t dropped[SENTRY_DROPS]; /* since the last report */
};

static const struct {
    const char *reason;
    enum metric_counter metric;
} drops[SENTRY_DROPS] = {
    [SENTRY_OVERFLOW] = {"queue_overflow", M_SENTRY_OVERFLOW},
    [SENTRY_LIMITED] = {"ratelimit_backoff", M_SENTRY_LIMITED},
    [SENTRY_REPEATED] = {"event_processor", M_SENTRY_REPEATED},
    [SENTRY_NETWORK] = {"network_error", M_SENTRY_NETWORK},
    [SENTRY_REFUSED] = {"send_error", M_SENTRY_REFUSED},
    [SENTRY_INTERNAL_ERROR] = {"internal_sdk_error", M_SENTRY_INTERNAL},
};

struct sentry_queue *sentry_queue_new(void (*wake)(void *arg), void *arg)
{
    struct sentry_queue *q = calloc(1, sizeof(*q));

    if (!q)
        return NULL;
    q->wake = wake;
    q->arg = arg;
    pthread_mutex_init(&q->lock, NULL);
    return q;
}

void sentry_queue_free(struct sentry_queue *q)
{
    if (!q)
        return;
    pthread_mutex_destroy(&q->lock);
    free(q);
}

/* --- a line --- */

static const struct log_field *field(const struct log_field *f, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if ((f[i].type == LOG_T_STR || f[i].type == LOG_T_RAISED) && f[i].str &&
            strcmp(f[i].key, key) == 0)
            return &f[i];
    return NULL;
}

static bool is(const struct log_field *f, const char *value)
{
    return f && strcmp(f->str, value) == 0;
}

/* An alarm that is a warning is a crumb; but a node that is gone cannot tell it itself. */
static bool is_event(enum log_level level, const char *event, const struct log_field *f, int n)
{
    const struct log_field *t = field(f, n, "traceback");

    if (t && *t->str && level <= LOG_WARN)
        return true;
    if (level != LOG_ERROR)
        return false;
    if (strcmp(event, "process.crashed") == 0 || is(field(f, n, "kind"), "process.crashed"))
        return false; /* sentry_crash() tells it, with its frames */
    return strcmp(event, "alarm") != 0 || is(field(f, n, "severity"), "critical") ||
           is(field(f, n, "kind"), "node.lost");
}

static void mix(uint64_t *h, const char *z)
{
    for (; *z; z++)
        if (*z < '0' || *z > '9') /* ids and counts make no other error */
            *h = (*h ^ (unsigned char)*z) * UINT64_C(1099511628211);
    *h = (*h ^ 0xFF) * UINT64_C(1099511628211);
}

static uint64_t hash_of(const char *event, const struct log_field *f, int n)
{
    static const char *const keys[] = {"kind", "subject", "agent", "in", "error", "why", "reason"};
    uint64_t h = UINT64_C(14695981039346656037);

    mix(&h, event);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        const struct log_field *one = field(f, n, keys[i]);

        mix(&h, one ? one->str : "");
    }
    for (int i = 0; i < n; i++)
        if (f[i].type == LOG_T_ERR)
            h = (h ^ (uint64_t)f[i].num) * UINT64_C(1099511628211);
    return h;
}

/* Lock held. False: it was told a moment ago. */
static bool is_new(struct sentry_queue *q, uint64_t hash, uint64_t now_ms, uint64_t *repeated)
{
    struct known *k = &q->known[0];

    for (size_t i = 0; i < KNOWN; i++) {
        if (q->known[i].hash == hash) {
            k = &q->known[i];
            break;
        }
        if (q->known[i].told_ms < k->told_ms)
            k = &q->known[i];
    }
    if (k->hash == hash && now_ms < k->told_ms + SENTRY_AGAIN_MS) {
        k->repeated++;
        return false;
    }
    *repeated = k->hash == hash ? k->repeated : 0;
    *k = (struct known){.hash = hash, .told_ms = now_ms};
    return true;
}

/* NULL: it does not leave, not even to the worker. */
static const char *value_of(const struct log_field *f, char *shown, size_t cap)
{
    switch (f->type) {
    case LOG_T_INT:
        snprintf(shown, cap, "%" PRId64, f->num);
        return shown;
    case LOG_T_DOUBLE:
        snprintf(shown, cap, "%.6g", f->real);
        return shown;
    case LOG_T_ERR:
        return rd_strerror((int)f->num);
    case LOG_T_STR:
    case LOG_T_RAISED:
    case LOG_T_PHONE:
        return f->str;
    case LOG_T_WORDS:
    case LOG_T_SECRET:
        break;
    }
    return NULL;
}

static void pack(struct sentry_record *r, const struct log_field *f)
{
    char shown[32];
    const char *value = value_of(f, shown, sizeof(shown));
    size_t key = strlen(f->key), n = value ? strnlen(value, VALUE_MAX) : 0;

    if (!value || !*value || r->n + key + 3 >= sizeof(r->packed))
        return;
    if (n > sizeof(r->packed) - r->n - key - 3)
        n = sizeof(r->packed) - r->n - key - 3;
    r->packed[r->n++] = (char)('0' + f->type);
    memcpy(r->packed + r->n, f->key, key + 1);
    r->n += key + 1;
    memcpy(r->packed + r->n, value, n);
    r->packed[r->n + n] = '\0';
    r->n += n + 1;
}

/* Lock held. */
static void add_record(struct sentry_queue *q, enum log_level level, const char *event,
                       const struct log_field *f, int n, int64_t unix_ms, uint64_t repeated)
{
    struct sentry_record *r = &q->records[(q->first + q->n++) % SENTRY_QUEUE];

    r->unix_ms = unix_ms;
    r->repeated = repeated;
    r->level = level;
    r->n = 0;
    rd_str_copy(r->event, sizeof(r->event), rd_str(event));
    for (int i = 0; i < n; i++)
        pack(r, &f[i]);
}

/* Lock held. */
static void add_crumb(struct sentry_queue *q, enum log_level level, const char *event,
                      const struct log_field *f, int n, int64_t unix_ms)
{
    struct sentry_crumb *c;
    size_t at = 0;

    if (field(f, n, "call"))
        return; /* of a call its facts are told */
    c = &q->crumbs[q->n_crumbs++ % SENTRY_CRUMBS];
    *c = (struct sentry_crumb){.unix_ms = unix_ms, .level = level};
    rd_str_copy(c->event, sizeof(c->event), rd_str(event));
    for (int i = 0; i < n; i++) {
        int k = f[i].type != LOG_T_INT
                    ? 0
                    : snprintf(c->members + at, sizeof(c->members) - at, "%s\"%s\":%" PRId64,
                               at ? "," : "", f[i].key, f[i].num);

        if (k < 0 || (size_t)k >= sizeof(c->members) - at)
            break;
        at += (size_t)k;
    }
    if (at < sizeof(c->members))
        c->members[at] = '\0';
}

/* Lock held. */
static void drop(struct sentry_queue *q, enum sentry_drop why, uint64_t n)
{
    q->dropped[why] += n;
    metric_add(drops[why].metric, n);
}

static bool take(struct sentry_queue *q, enum log_level level, const char *event,
                 const struct log_field *f, int n, int64_t unix_ms, uint64_t now_ms)
{
    uint64_t repeated = 0;

    if (sentry_limited(&q->limits, SENTRY_ERROR, now_ms))
        drop(q, SENTRY_LIMITED, 1);
    else if (q->n == SENTRY_QUEUE)
        drop(q, SENTRY_OVERFLOW, 1);
    else if (!is_new(q, hash_of(event, f, n), now_ms, &repeated))
        drop(q, SENTRY_REPEATED, 1);
    else {
        add_record(q, level, event, f, n, unix_ms, repeated);
        return true;
    }
    return false;
}

void sentry_heard(struct sentry_queue *q, enum log_level level, const char *event,
                  const struct log_field *f, int n, int64_t unix_ms, uint64_t now_ms)
{
    bool taken = false;

    if (level > LOG_INFO)
        return;
    pthread_mutex_lock(&q->lock);
    if (is_event(level, event, f, n))
        taken = take(q, level, event, f, n, unix_ms, now_ms);
    else
        add_crumb(q, level, event, f, n, unix_ms);
    pthread_mutex_unlock(&q->lock);
    if (taken)
        q->wake(q->arg);
}

/* --- the worker's --- */

bool sentry_next(struct sentry_queue *q, struct sentry_record *out)
{
    bool any;

    pthread_mutex_lock(&q->lock);
    any = q->n > 0;
    if (any) {
        *out = q->records[q->first];
        q->first = (q->first + 1) % SENTRY_QUEUE;
        q->n--;
    }
    pthread_mutex_unlock(&q->lock);
    return any;
}

static size_t add_facts(const struct sentry_record *r, struct sentry_crumb *out)
{
    struct crumb facts[CRUMBS_EACH];
    size_t n = crumbs_of(sentry_field(r, "call"), facts), told = 0;

    for (size_t i = 0; i < n; i++) {
        struct sentry_crumb *c = &out[told];

        if (facts[i].unix_ms > r->unix_ms)
            continue;
        *c = (struct sentry_crumb){.unix_ms = facts[i].unix_ms, .level = LOG_INFO, .fact = true};
        (void)rd_str_copy(c->event, sizeof(c->event), rd_str(facts[i].type));
        (void)rd_str_copy(c->members, sizeof(c->members), rd_str(facts[i].members));
        told++;
    }
    return told;
}

static int by_time(const void *a, const void *b)
{
    int64_t x = ((const struct sentry_crumb *)a)->unix_ms;
    int64_t y = ((const struct sentry_crumb *)b)->unix_ms;

    return (x > y) - (x < y);
}

size_t sentry_crumbs(struct sentry_queue *q, const struct sentry_record *r,
                     struct sentry_crumb out[SENTRY_CRUMBS_TOLD])
{
    size_t n = add_facts(r, out), have;

    pthread_mutex_lock(&q->lock);
    have = q->n_crumbs < SENTRY_CRUMBS ? q->n_crumbs : SENTRY_CRUMBS;
    for (size_t i = 1; i <= have && n < SENTRY_CRUMBS_TOLD; i++) {
        const struct sentry_crumb *c = &q->crumbs[(q->n_crumbs - i) % SENTRY_CRUMBS];

        if (c->unix_ms <= r->unix_ms)
            out[n++] = *c;
    }
    pthread_mutex_unlock(&q->lock);
    qsort(out, n, sizeof(*out), by_time);
    return n;
}

void sentry_answered(struct sentry_queue *q, long status, const char *limits,
                     const char *retry_after, uint64_t now_ms)
{
    pthread_mutex_lock(&q->lock);
    sentry_limits_heard(&q->limits, status, limits, retry_after, now_ms);
    pthread_mutex_unlock(&q->lock);
}

bool sentry_may(struct sentry_queue *q, enum sentry_category c, uint64_t now_ms)
{
    bool may;

    pthread_mutex_lock(&q->lock);
    may = !sentry_limited(&q->limits, c, now_ms);
    pthread_mutex_unlock(&q->lock);
    return may;
}

void sentry_dropped(struct sentry_queue *q, enum sentry_drop why, uint64_t n)
{
    pthread_mutex_lock(&q->lock);
    drop(q, why, n);
    pthread_mutex_unlock(&q->lock);
}

static int add_report(struct buf *out, const uint64_t dropped[SENTRY_DROPS], int64_t unix_ms)
{
    int rc = buf_addf(out, "{\"timestamp\":%" PRId64 ".%03d,\"discarded_events\":[", unix_ms / 1000,
                      (int)(unix_ms % 1000));
    bool first = true;

    for (int i = 0; i < SENTRY_DROPS && !rc; i++) {
        if (!dropped[i])
            continue;
        rc = buf_addf(out, "%s{\"reason\":\"%s\",\"category\":\"error\",\"quantity\":%" PRIu64 "}",
                      first ? "" : ",", drops[i].reason, dropped[i]);
        first = false;
    }
    if (rc)
        return rc;
    return first ? RD_EGONE : buf_add_str(out, "]}");
}

int sentry_report(struct sentry_queue *q, struct buf *out, int64_t unix_ms)
{
    uint64_t dropped[SENTRY_DROPS];
    struct buf item;
    int rc;

    pthread_mutex_lock(&q->lock);
    memcpy(dropped, q->dropped, sizeof(dropped));
    memset(q->dropped, 0, sizeof(q->dropped));
    pthread_mutex_unlock(&q->lock);
    buf_init(&item, 4096);
    rc = add_report(&item, dropped, unix_ms);
    if (!rc)
        rc = buf_addf(out, "{}\n{\"type\":\"client_report\",\"length\":%zu}\n%s\n", item.n,
                      buf_text(&item) ? item.data : "");
    buf_fini(&item);
    return rc;
}
