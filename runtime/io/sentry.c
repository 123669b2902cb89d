/* SPDX-License-Identifier: Apache-2.0 */
/* sentry.c - the thread that carries errors to Sentry.
 *
 *   log ─▶ sentry_heard() ─▶ queue ─ wake ─▶ worker: event ─▶ gzip ─▶ POST ─▶ limits
 *
 * - one at a time, once (sentry_post.h); but notes of crashes stay in the data folder until Sentry took or
 *   refused them
 * - once a minute at most: what was dropped; every ten seconds: are there too many failed calls?
 * - at the end what waits is sent, for a second; a request on its way is cut off within another
 *
 * Failure modes: Sentry does not answer, refuses, or is slow: the error is gone and counted, as the metrics
 * show; nothing is logged about it, as that would be one more error to report. */
#include "io/sentry.h"

#include "base/now.h"
#include "base/urgent.h"
#include "io/sentry_post.h"
#include "io/tls.h"
#include "observe/crash_report.h"
#include "observe/families.h"
#include "observe/metrics.h"
#include "observe/sentry.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    FLUSH_MS = 1000,
    LOOK_MS = 10000,
    REPORT_MS = 60000,
    LOOKS = 30, /* five minutes */
    EVENT_MAX = SENTRY_ENVELOPE_MAX - 1024
};

struct sentry {
    struct sentry_queue *queue; /* owns, as the following */
    struct sentry_post *out;
    char *release, *environment, *node, *secret;
    int failed_calls;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool any, stopping;     /* lock */
    char crashes[PATH_MAX]; /* lock; the folder; "": none are waited for */
    pthread_t thread;

    /* the worker's */
    struct sentry_record record;
    struct sentry_crumb crumbs[SENTRY_CRUMBS_TOLD];
    uint64_t looked_ms, reported_ms, crashes_ms;
    uint64_t failed[LOOKS], calls[LOOKS];
    size_t n_looks;
};

/* There is one log. */
static struct sentry *_Atomic current;

static void on_line(enum log_level level, const char *event, const struct log_field *f, int n)
{
    struct sentry *s = atomic_load(&current);

    if (s)
        sentry_heard(s->queue, level, event, f, n, unix_ms(), monotonic_ms());
}

static void wake(void *arg)
{
    struct sentry *s = arg;

    pthread_mutex_lock(&s->lock);
    s->any = true;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
}

static bool is_taken(long status)
{
    return status >= 200 && status < 300;
}

/* Tried once: gone, if Sentry did not take it. A 429 is Sentry's own to count. */
static bool post_once(struct sentry *s, struct rd_str envelope)
{
    long status = sentry_post(s->out, envelope);

    if (status == 0)
        sentry_dropped(s->queue, SENTRY_NETWORK, 1);
    else if (!is_taken(status) && status != 429)
        sentry_dropped(s->queue, SENTRY_REFUSED, 1);
    return is_taken(status);
}

/* --- what is sent --- */

static void who(void *arg, const char *number, char out[65])
{
    struct sentry *s = arg;

    number_hash(out, s->secret, rd_str(number));
}

static void send_record(struct sentry *s)
{
    struct sentry_about about = {.release = s->release,
                                 .environment = s->environment,
                                 .node = s->node,
                                 .who = *s->secret ? who : NULL,
                                 .arg = s};
    struct buf event, envelope;
    uint8_t bits[16];
    char id[33];
    int rc = random_bytes(bits, sizeof(bits));

    rd_hex(id, bits, sizeof(bits));
    about.id = id;
    buf_init(&event, EVENT_MAX);
    buf_init(&envelope, EVENT_MAX + 1024);
    if (!rc)
        rc = sentry_event(&event, &s->record, &about, s->crumbs,
                          sentry_crumbs(s->queue, &s->record, s->crumbs));
    if (!rc)
        rc = sentry_envelope(&envelope, (struct rd_str){event.data, event.n}, id, unix_ms());
    if (rc)
        sentry_dropped(s->queue, SENTRY_INTERNAL_ERROR, 1);
    else if (post_once(s, (struct rd_str){envelope.data, envelope.n}))
        metric_add(M_SENTRY_SENT, 1);
    buf_fini(&event);
    buf_fini(&envelope);
}

/* Lost reports are not reported. */
static void send_report(struct sentry *s)
{
    struct buf envelope;

    buf_init(&envelope, 8192);
    if (sentry_report(s->queue, &envelope, unix_ms()) == 0)
        (void)post_once(s, (struct rd_str){envelope.data, envelope.n});
    buf_fini(&envelope);
}

/* --- crashes of processes before this one --- */

/* False: again later. */
static bool send_crash(struct sentry *s, const struct crash_report *r)
{
    struct sentry_about about = {
        .release = s->release, .environment = s->environment, .node = s->node};
    struct buf event, envelope;
    uint8_t bits[16];
    long status = 0;
    char id[33];
    int rc = random_bytes(bits, sizeof(bits));

    rd_hex(id, bits, sizeof(bits));
    about.id = id;
    buf_init(&event, EVENT_MAX);
    buf_init(&envelope, EVENT_MAX + 1024);
    if (!rc)
        rc = sentry_crash(&event, r, &about);
    if (!rc)
        rc = sentry_envelope(&envelope, (struct rd_str){event.data, event.n}, id, unix_ms());
    if (!rc)
        status = sentry_post(s->out, (struct rd_str){envelope.data, envelope.n});
    buf_fini(&event);
    buf_fini(&envelope);
    if (is_taken(status))
        metric_add(M_SENTRY_SENT, 1);
    else if (status >= 400 && status < 500 && status != 429)
        sentry_dropped(s->queue, SENTRY_REFUSED, 1); /* so will it be the next time */
    else
        return false;
    return true;
}

static void send_crashes(struct sentry *s, const char *folder)
{
    static char paths[CRASH_REPORTS][PATH_MAX];
    static struct crash_report r; /* there is one worker */
    size_t n = crash_reports(folder, paths);

    for (size_t i = 0; i < n; i++) {
        if (crash_report_read(&r, paths[i]) != 0)
            continue;
        if (sentry_post_is_cut(s->out) || !sentry_may(s->queue, SENTRY_ERROR, monotonic_ms()) ||
            !send_crash(s, &r))
            return;
        (void)unlink(paths[i]);
    }
    pthread_mutex_lock(&s->lock);
    s->crashes[0] = '\0';
    pthread_mutex_unlock(&s->lock);
}

static void look_at_crashes(struct sentry *s, uint64_t now_ms)
{
    char folder[PATH_MAX];

    pthread_mutex_lock(&s->lock);
    (void)rd_str_copy(folder, sizeof(folder), rd_str(s->crashes));
    pthread_mutex_unlock(&s->lock);
    if (!*folder || now_ms < s->crashes_ms)
        return;
    s->crashes_ms = now_ms + REPORT_MS;
    send_crashes(s, folder);
}

void sentry_crashes(struct sentry *s, const char *folder)
{
    pthread_mutex_lock(&s->lock);
    (void)rd_str_copy(s->crashes, sizeof(s->crashes), rd_str(folder));
    s->any = true;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
}

/* --- calls that failed --- */

struct tally {
    uint64_t failed, all;
};

static int count_calls(void *arg, const struct metric_series *m)
{
    static const char *const bad[] = {"provider_failed", "script_failed", "carrier_lost",
                                      "fallback"};
    struct tally *t = arg;

    t->all += m->value;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (m->values[2] && strcmp(m->values[2], bad[i]) == 0)
            t->failed += m->value;
    return 0;
}

/* Told once; then five minutes begin anew. */
static void look_at_calls(struct sentry *s)
{
    struct tally now = {0};
    size_t i = s->n_looks % LOOKS, oldest = s->n_looks >= LOOKS ? i : 0;
    uint64_t failed;

    if (s->failed_calls <= 0 || metric_each(F_CALLS, count_calls, &now) != 0)
        return;
    failed = s->n_looks ? now.failed - s->failed[oldest] : 0;
    if (failed >= (uint64_t)s->failed_calls) {
        const struct log_field f[] = {F_INT("failed", failed),
                                      F_INT("calls", now.all - s->calls[oldest]),
                                      F_INT("threshold", s->failed_calls)};

        sentry_heard(s->queue, LOG_ERROR, "calls.failing", f, 3, unix_ms(), monotonic_ms());
        s->n_looks = i = 0;
    }
    s->failed[i] = now.failed;
    s->calls[i] = now.all;
    s->n_looks++;
}

/* --- the worker --- */

/* False: it is over, and nothing waits. */
static bool wait_for_news(struct sentry *s)
{
    struct timespec until;
    bool stopping;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += LOOK_MS / 1000;
    pthread_mutex_lock(&s->lock);
    while (!s->any && !s->stopping)
        if (pthread_cond_timedwait(&s->news, &s->lock, &until))
            break;
    s->any = false;
    stopping = s->stopping;
    pthread_mutex_unlock(&s->lock);
    return !stopping;
}

static void send_all(struct sentry *s)
{
    while (sentry_next(s->queue, &s->record)) {
        if (sentry_post_is_cut(s->out))
            sentry_dropped(s->queue, SENTRY_NETWORK, 1);
        else if (!sentry_may(s->queue, SENTRY_ERROR, monotonic_ms()))
            sentry_dropped(s->queue, SENTRY_LIMITED, 1);
        else
            send_record(s);
    }
}

static void *run(void *arg)
{
    struct sentry *s = arg;
    bool more = true;

    (void)pthread_setname_np(pthread_self(), "sentry");
    background_thread();
    s->reported_ms = monotonic_ms();
    while (more) {
        uint64_t now;

        more = wait_for_news(s);
        now = monotonic_ms();
        if (now >= s->looked_ms + LOOK_MS) {
            s->looked_ms = now;
            look_at_calls(s);
        }
        look_at_crashes(s, now);
        send_all(s);
        if ((now >= s->reported_ms + REPORT_MS || !more) && !sentry_post_is_cut(s->out) &&
            sentry_may(s->queue, SENTRY_INTERNAL, now)) {
            s->reported_ms = now;
            send_report(s);
        }
    }
    return NULL;
}

/* --- beginning and end --- */

static void sentry_free(struct sentry *s)
{
    sentry_post_free(s->out);
    sentry_queue_free(s->queue);
    pthread_cond_destroy(&s->news);
    pthread_mutex_destroy(&s->lock);
    free(s->release);
    free(s->environment);
    free(s->node);
    free(s->secret);
    free(s);
}

static int fill(struct sentry *s, const struct sentry_opts *o, const struct sentry_dsn *dsn)
{
    const char *ca_file = o->ca_file && *o->ca_file ? o->ca_file : NULL;

    s->failed_calls = o->failed_calls;
    s->release = strdup(o->release);
    s->environment = strdup(o->environment);
    s->node = strdup(o->node);
    s->secret = strdup(o->secret ? o->secret : "");
    s->queue = sentry_queue_new(wake, s);
    if (!s->release || !s->environment || !s->node || !s->secret || !s->queue)
        return -ENOMEM;
    return sentry_post_new(&s->out, dsn, ca_file, s->queue);
}

/* Signals belong to the loops. */
static int start_thread(struct sentry *s)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = -pthread_create(&s->thread, NULL, run, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

static void init_wait(struct sentry *s)
{
    pthread_condattr_t clock;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->news, &clock);
    pthread_condattr_destroy(&clock);
}

int sentry_start(struct sentry **out, const struct sentry_opts *o, char *why, size_t cap)
{
    struct sentry_dsn dsn;
    struct sentry *s;
    int rc = sentry_dsn_parse(&dsn, o->dsn);

    *out = NULL;
    if (rc == -ENOENT)
        return 0;
    if (rc) {
        snprintf(why, cap,
                 "sentry.dsn is no DSN; copy it from the project's settings, Client Keys: "
                 "https://key@host/project");
        return rc;
    }
    snprintf(why, cap, "cannot start reporting to Sentry: no memory");
    s = calloc(1, sizeof(*s));
    if (!s)
        return -ENOMEM;
    init_wait(s);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        sentry_free(s);
        return -ENOMEM;
    }
    rc = fill(s, o, &dsn);
    if (!rc) {
        look_at_calls(s); /* those before do not count */
        rc = start_thread(s);
    }
    if (rc) {
        sentry_free(s);
        curl_global_cleanup();
        return rc;
    }
    atomic_store(&current, s);
    (void)crumbs_want(true); /* without memory for them errors come without */
    log_also(on_line);
    *out = s;
    return 0;
}

void sentry_stop(struct sentry *s)
{
    if (!s)
        return;
    log_also(NULL);
    atomic_store(&current, NULL);
    crumbs_want(false);
    sentry_post_cut(s->out, monotonic_ms() + FLUSH_MS);
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    pthread_cond_signal(&s->news);
    pthread_mutex_unlock(&s->lock);
    pthread_join(s->thread, NULL);
    sentry_free(s);
    curl_global_cleanup();
}
