/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - carries lines to stderr without making anybody wait.
 *
 *   - before log_start() a line is written at once: start-up and commands
 *   - after it, the line is formatted by whoever logs, copied under a short lock into one of two
 *     buffers, and written by the writer thread, which swaps the buffers and writes outside the
 * lock
 *   - a full buffer loses the line and counts it; the next line that fits is preceded by a warning
 *     that says how many are missing
 *   - stderr gone or broken: lines are lost, nothing else happens
 *
 * There is one stderr, so there is one state here: the only mutable global of the program. */
#include "base/log.h"

#include "base/buf.h"
#include "base/err.h"
#include "base/log_line.h"
#include "base/log_watch.h"
#include "base/now.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { QUEUE_BYTES = 256 * 1024, LEVELS = 4, LOST_LINE_BYTES = 256 };

static struct {
    _Atomic int level, format, other_level;
    _Atomic uint64_t other_until_ms; /* monotonic; 0: the configured level holds */
    _Atomic uint64_t lost, counts[LEVELS];
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t writer;
    bool running, stopping; /* lock */
    log_take_fn *take;      /* NULL: stderr */
    _Atomic(log_take_fn *) also;
    struct buf fill;    /* lock; what was logged since the last swap */
    struct buf drain;   /* the writer's own */
    uint64_t lost_told; /* lock */
} logger = {
    .level = LOG_INFO,
    .format = LOG_LOGFMT,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .wake = PTHREAD_COND_INITIALIZER,
};

void log_config(enum log_level level, enum log_format format)
{
    atomic_store(&logger.level, (int)level);
    atomic_store(&logger.format, (int)format);
}

/* The configured level, or another one while its time is not over. */
static enum log_level level_now(void)
{
    uint64_t until_ms = atomic_load_explicit(&logger.other_until_ms, memory_order_relaxed);

    if (until_ms != 0 && monotonic_ms() < until_ms)
        return (enum log_level)atomic_load_explicit(&logger.other_level, memory_order_relaxed);
    return (enum log_level)atomic_load_explicit(&logger.level, memory_order_relaxed);
}

bool log_on(enum log_level level)
{
    return level <= level_now() || log_watch_any();
}

static const char *const level_names[LEVELS] = {"error", "warn", "info", "debug"};

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (int i = 0; i < LEVELS; i++) {
        if (strcasecmp(name, level_names[i]) == 0) {
            *out = (enum log_level)i;
            return 0;
        }
    }
    return RD_ECONFIG;
}

void log_level_for(enum log_level level, uint64_t ms)
{
    atomic_store(&logger.other_level, (int)level);
    atomic_store(&logger.other_until_ms, ms ? monotonic_ms() + ms : 0);
}

void log_state(struct log_state *out)
{
    uint64_t until_ms = atomic_load(&logger.other_until_ms), now_ms = monotonic_ms();

    *out = (struct log_state){.configured = (enum log_level)atomic_load(&logger.level),
                              .now = level_now(),
                              .now_left_ms = until_ms > now_ms ? until_ms - now_ms : 0};
    log_watch_list(out);
}

uint64_t log_lost(void)
{
    return atomic_load(&logger.lost);
}

uint64_t log_count(enum log_level level)
{
    return atomic_load(&logger.counts[level]);
}

static void write_out(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return;
        p += done;
        n -= (size_t)done;
    }
}

static int format_now(struct buf *out, enum log_level level, const char *event,
                      const struct log_field *f, int n)
{
    const struct log_fact fact = {level, event, unix_ms(), f, n};

    return log_line(out, (enum log_format)atomic_load(&logger.format), &fact);
}

/* Lock held. */
static void tell_lost(void)
{
    uint64_t lost = atomic_load(&logger.lost);
    const struct log_field fields[] = {
        F_INT("lines", lost - logger.lost_told),
        F_FIX("stderr is read too slowly, or log.level is too talkative"),
    };

    if (lost == logger.lost_told)
        return;
    if (format_now(&logger.fill, LOG_WARN, "log.lost", fields, 2) == 0)
        logger.lost_told = lost;
}

static void hand_over(const struct buf *line)
{
    bool direct, kept = false;

    pthread_mutex_lock(&logger.lock);
    direct = !logger.running;
    if (!direct && logger.fill.n + line->n + LOST_LINE_BYTES <= logger.fill.max) {
        tell_lost();
        kept = buf_add(&logger.fill, line->data, line->n) == 0;
    }
    if (kept)
        pthread_cond_signal(&logger.wake);
    pthread_mutex_unlock(&logger.lock);
    if (direct)
        write_out(line->data, line->n);
    else if (!kept)
        atomic_fetch_add(&logger.lost, 1);
}

void log_take(log_take_fn *take)
{
    logger.take = take;
}

void log_also(log_take_fn *also)
{
    atomic_store(&logger.also, also);
}

void log_fields(enum log_level level, const char *event, const struct log_field *f, int n)
{
    log_take_fn *also = atomic_load(&logger.also);
    struct buf line;

    if (level > level_now() && !log_watch_takes(f, n))
        return;
    atomic_fetch_add(&logger.counts[level], 1);
    if (also)
        also(level, event, f, n);
    if (logger.take) {
        logger.take(level, event, f, n);
        return;
    }
    buf_init(&line, LOG_LINE_MAX);
    if (format_now(&line, level, event, f, n) == 0)
        hand_over(&line);
    else
        atomic_fetch_add(&logger.lost, 1);
    buf_fini(&line);
}

static void *writer_run(void *arg)
{
    bool more = true;

    (void)arg;
    (void)pthread_setname_np(pthread_self(), "log");
    pthread_mutex_lock(&logger.lock);
    while (more) {
        struct buf full;

        while (logger.fill.n == 0 && !logger.stopping)
            pthread_cond_wait(&logger.wake, &logger.lock);
        more = !logger.stopping;
        full = logger.fill;
        logger.fill = logger.drain;
        pthread_mutex_unlock(&logger.lock);
        write_out(full.data, full.n);
        buf_clear(&full);
        pthread_mutex_lock(&logger.lock);
        logger.drain = full;
    }
    pthread_mutex_unlock(&logger.lock);
    return NULL;
}

/* Signals belong to the loops, never to this thread. */
static int start_writer(void)
{
    sigset_t all, before;
    int rc;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    rc = -pthread_create(&logger.writer, NULL, writer_run, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc;
}

int log_start(void)
{
    int rc = 0;

    pthread_mutex_lock(&logger.lock);
    if (logger.running)
        goto out;
    buf_init(&logger.fill, QUEUE_BYTES);
    buf_init(&logger.drain, QUEUE_BYTES);
    rc = buf_reserve(&logger.fill, QUEUE_BYTES);
    if (!rc)
        rc = buf_reserve(&logger.drain, QUEUE_BYTES);
    if (rc)
        goto fail;
    logger.stopping = false;
    rc = start_writer();
    if (rc)
        goto fail;
    logger.running = true;
    goto out;
fail:
    buf_fini(&logger.fill);
    buf_fini(&logger.drain);
out:
    pthread_mutex_unlock(&logger.lock);
    return rc;
}

void log_stop(void)
{
    pthread_mutex_lock(&logger.lock);
    if (!logger.running) {
        pthread_mutex_unlock(&logger.lock);
        return;
    }
    logger.stopping = true;
    pthread_cond_signal(&logger.wake);
    pthread_mutex_unlock(&logger.lock);
    pthread_join(logger.writer, NULL);
    /* The writer takes one last swap; what came in while it wrote is still here. */
    pthread_mutex_lock(&logger.lock);
    logger.running = false;
    write_out(logger.fill.data, logger.fill.n);
    buf_fini(&logger.fill);
    buf_fini(&logger.drain);
    pthread_mutex_unlock(&logger.lock);
}
