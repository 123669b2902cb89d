/* SPDX-License-Identifier: Apache-2.0 */
/* log_watch.c - a small table of watched calls behind a lock that is taken for debug lines only, and only
 * while somebody watches.
 *
 * A watch ends by its time, by its number of lines, or by being told to; then one line says so. Nobody
 * waits for that moment: the next debug line of anybody, or the next question, finds it. */
#include "base/log_watch.h"

#include "base/err.h"
#include "base/now.h"
#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

enum { SECOND_MS = 1000 };

struct watch {
    char call[LOG_WATCH_CALL]; /* "": a free place */
    uint64_t until_ms, second_ms;
    uint64_t lines, dropped;
    uint32_t in_second;
};

static struct {
    pthread_mutex_t lock;
    struct watch places[LOG_WATCHES];
    _Atomic unsigned n;
} watches = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool log_watch_any(void)
{
    return atomic_load_explicit(&watches.n, memory_order_relaxed) > 0;
}

/* With the lock held. */
static struct watch *find(const char *call)
{
    for (int i = 0; i < LOG_WATCHES; i++)
        if (strcmp(watches.places[i].call, call) == 0)
            return &watches.places[i];
    return NULL;
}

static void tell_over(const struct watch *w)
{
    log_info("log.watch_over", F_CALL(w->call), F_INT("lines", w->lines),
             F_INT("dropped", w->dropped));
}

/* With the lock held: takes out those whose time or lines are over; they are told without it. */
static int take_over(struct watch over[LOG_WATCHES], uint64_t now_ms)
{
    int n = 0;

    for (int i = 0; i < LOG_WATCHES; i++) {
        struct watch *w = &watches.places[i];

        if (!*w->call || (now_ms < w->until_ms && w->lines < LOG_WATCH_LINES))
            continue;
        over[n++] = *w;
        *w = (struct watch){.lines = 0};
        atomic_fetch_sub(&watches.n, 1);
    }
    return n;
}

static void tell_each(const struct watch *over, int n)
{
    for (int i = 0; i < n; i++)
        tell_over(&over[i]);
}

static bool may_have_one_more(struct watch *w, uint64_t now_ms)
{
    if (now_ms - w->second_ms >= SECOND_MS) {
        w->second_ms = now_ms;
        w->in_second = 0;
    }
    if (w->in_second >= LOG_WATCH_SECOND) {
        w->dropped++;
        return false;
    }
    w->in_second++;
    w->lines++;
    return true;
}

static const char *call_of(const struct log_field *f, int n)
{
    for (int i = 0; i < n; i++)
        if (f[i].type == LOG_T_STR && strcmp(f[i].key, "call") == 0)
            return f[i].str;
    return NULL;
}

bool log_watch_takes(const struct log_field *f, int n)
{
    const char *call = log_watch_any() ? call_of(f, n) : NULL;
    struct watch over[LOG_WATCHES], *w;
    uint64_t now_ms = monotonic_ms();
    bool takes;
    int n_over;

    if (!call || !*call)
        return false;
    pthread_mutex_lock(&watches.lock);
    n_over = take_over(over, now_ms);
    w = find(call);
    takes = w && may_have_one_more(w, now_ms);
    pthread_mutex_unlock(&watches.lock);
    tell_each(over, n_over);
    return takes;
}

/* With the lock held. */
static int begin(const char *call, uint64_t until_ms)
{
    struct watch *w = find(call), *place = w ? w : find("");

    if (!place)
        return RD_EFULL;
    if (!w)
        atomic_fetch_add(&watches.n, 1);
    *place = (struct watch){.until_ms = until_ms};
    (void)rd_str_copy(place->call, sizeof(place->call), rd_str(call));
    return 0;
}

int log_watch(const char *call, uint64_t ms)
{
    struct watch over[LOG_WATCHES], *w;
    uint64_t now_ms = monotonic_ms();
    int rc = 0, n_over;

    if (!*call || strlen(call) >= LOG_WATCH_CALL)
        return RD_ETOOBIG;
    pthread_mutex_lock(&watches.lock);
    w = find(call);
    if (ms == 0 && w)
        w->until_ms = now_ms;
    n_over = take_over(over, now_ms);
    if (ms > 0)
        rc = begin(call, now_ms + ms);
    pthread_mutex_unlock(&watches.lock);
    tell_each(over, n_over);
    return rc;
}

void log_watch_list(struct log_state *out)
{
    struct watch over[LOG_WATCHES];
    uint64_t now_ms = monotonic_ms();
    int n_over;

    pthread_mutex_lock(&watches.lock);
    n_over = take_over(over, now_ms);
    for (int i = 0; i < LOG_WATCHES; i++) {
        const struct watch *w = &watches.places[i];

        if (!*w->call)
            continue;
        (void)rd_str_copy(out->watches[out->n_watches].call, LOG_WATCH_CALL, rd_str(w->call));
        out->watches[out->n_watches].left_ms = w->until_ms - now_ms;
        out->watches[out->n_watches].lines = w->lines;
        out->watches[out->n_watches++].dropped = w->dropped;
    }
    pthread_mutex_unlock(&watches.lock);
    tell_each(over, n_over);
}
