/* SPDX-License-Identifier: Apache-2.0 */
/* shipper.c - the shipper's thread and what it thinks of the database.
 *
 *   connect ─▶ ready? ─▶ read a batch ─▶ ingest() ─▶ take it away here ─▶ …  ─▶ nothing left: wait for
 *   the journal's next commit, at most a second
 *
 * Failure modes; in none of them is anything lost, because an event leaves its file only after the
 * database named it
 * - not there, starting, stopping, read-only, out of room, connection broken, failing over: connect
 *   again after 0.25…10 s; "database.down" is open after five seconds of that
 * - slow (statement timeout): the same batch again, half as large
 * - a deadlock or a serialization failure: the same batch again
 * - schema or rights are missing: "database.setup" says what to do, and it is tried every 10 s
 * - data that it will never take: shipper_send.c
 * - it neither answers nor goes: given up after 10 s; store/probe.h finds out after five, and
 *   "database.down" is open from then on
 * - crash between ingest() and taking away: the batch is sent again, all duplicates */
#include "store/shipper.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "base/random.h"
#include "base/urgent.h"
#include "observe/alarm.h"
#include "store/probe.h"
#include "store/shipper_private.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    IDLE_MS = 1000,
    PING_MS = 5000, /* an idle connection is asked whether it still works */
    DOWN_MS = 5000,
    SETUP_MS = 10000,
    PATIENCE_MS = 10000,
    BATCH_STEP = 10, /* a slow database is asked for more only slowly */
    PAYLOAD_MAX = 64 << 20
};

static const struct retry_policy policy = {.first_ms = 250, .max_ms = 10000};

int shipper_trouble(struct shipper *s, enum trouble t, const char *fmt, ...)
{
    va_list ap;

    s->trouble = t;
    va_start(ap, fmt);
    (void)vsnprintf(s->why, sizeof(s->why), fmt, ap);
    va_end(ap);
    return -EAGAIN;
}

/* ---- what an SQLSTATE means ---- */

static bool in_class(const char *sqlstate, const char *const *classes)
{
    for (; *classes; classes++)
        if (strncmp(sqlstate, *classes, strlen(*classes)) == 0)
            return true;
    return false;
}

bool shipper_data_error(const char *sqlstate)
{
    static const char *const classes[] = {"21", "22", "23", "54", "P0", NULL};

    return in_class(sqlstate, classes);
}

static bool is_setup_error(const char *sqlstate)
{
    static const char *const classes[] = {"0A", "28", "3D", "3F", "42", NULL};

    return in_class(sqlstate, classes);
}

static void disconnect(struct shipper *s)
{
    pg_close(s->pg);
    s->pg = NULL;
}

int shipper_refused(struct shipper *s, int rc, size_t n)
{
    const char *sqlstate = pg_sqlstate(s->pg);
    char message[200];

    (void)snprintf(message, sizeof(message), "%s", pg_message(s->pg));
    if (rc == RD_EREFUSED && is_setup_error(sqlstate))
        return shipper_trouble(s, TROUBLE_SETUP, "%s (%s)", message, sqlstate);
    if (strcmp(sqlstate, "57014") == 0 || !pg_alive(s->pg))
        s->batch_max = n > 1 ? n / 2 : 1;
    /* After 40… the connection is as good as before; after the rest it may lead to a server that has
     * become a standby, or is about to stop. */
    if (!pg_alive(s->pg) || (strncmp(sqlstate, "40", 2) != 0 && strcmp(sqlstate, "57014") != 0))
        disconnect(s);
    return shipper_trouble(s, TROUBLE_DATABASE, "%s", message);
}

/* ---- the connection ---- */

static bool out_of_time(void *arg)
{
    const struct shipper *s = arg;
    uint64_t stop_at_ms = atomic_load(&s->stop_at_ms);

    return stop_at_ms && monotonic_ms() >= stop_at_ms;
}

static int check_ready(struct shipper *s)
{
    char why[200] = "";
    int rc = s->opts.ready ? s->opts.ready(s->pg, why, sizeof(why), s->opts.arg) : 0;

    if (!rc)
        return 0;
    rc = pg_alive(s->pg) ? shipper_trouble(s, TROUBLE_SETUP, "%s", why)
                         : shipper_trouble(s, TROUBLE_DATABASE, "%s", why);
    disconnect(s);
    return rc;
}

static int open_connection(struct shipper *s, struct buf *conninfo)
{
    char why[200] = "";
    int rc = s->opts.conninfo(conninfo, why, sizeof(why), s->opts.arg);

    if (rc)
        return shipper_trouble(s, rc == RD_ECONFIG ? TROUBLE_SETUP : TROUBLE_DATABASE, "%s", why);
    if (!buf_text(conninfo))
        return shipper_trouble(s, TROUBLE_DISK, "no memory");
    rc = pg_open(&s->pg, conninfo->data, why, sizeof(why));
    if (rc)
        return shipper_trouble(
            s, rc == RD_EAUTH || rc == RD_ECONFIG ? TROUBLE_SETUP : TROUBLE_DATABASE, "%s", why);
    pg_patience(s->pg, PATIENCE_MS, out_of_time, s);
    s->spoke_ms = monotonic_ms();
    return check_ready(s);
}

static int connected(struct shipper *s)
{
    struct buf conninfo;
    int rc;

    if (s->pg && pg_alive(s->pg))
        return 0;
    disconnect(s);
    buf_init(&conninfo, 64 << 10);
    rc = open_connection(s, &conninfo);
    buf_fini(&conninfo);
    return rc;
}

static int ping(struct shipper *s)
{
    int rc;

    if (monotonic_ms() - s->spoke_ms < PING_MS)
        return 0;
    s->spoke_ms = monotonic_ms();
    rc = pg_query(s->pg, "SELECT 1", 0, NULL);
    return rc ? shipper_refused(s, rc, s->batch_max) : 0;
}

/* ---- shipping ---- */

/* A batch that is not full holds everything that there was when it was read. */
static bool is_rest(const struct shipper *s, struct journal_row *const *rows, size_t n)
{
    size_t n_bytes = 0;

    for (size_t i = 0; i < n; i++)
        n_bytes += rows[i]->event.body.n;
    return n < s->batch_max && n_bytes < BATCH_BYTES;
}

/* The number of events that were settled, or below 0. */
static int ship_batch(struct shipper *s, struct source *from)
{
    struct journal_row *rows[BATCH_MAX];
    uint64_t committed = journal_committed(s->opts.journal);
    int n = source_read(s, from, rows), rc;
    int64_t last;
    bool rest;

    if (n == 0 && !from->file)
        journal_shipped(s->opts.journal, committed);
    if (n <= 0)
        return n;
    last = rows[n - 1]->id;
    rest = is_rest(s, rows, (size_t)n);
    rc = shipper_send(s, from, rows, (size_t)n);
    if (rc)
        return rc;
    s->spoke_ms = monotonic_ms();
    if (!from->file && rest)
        journal_shipped(s->opts.journal, committed);
    source_acknowledge(s, from, last);
    s->batch_max = s->batch_max + BATCH_STEP < BATCH_MAX ? s->batch_max + BATCH_STEP : BATCH_MAX;
    return n;
}

static int ship_all(struct shipper *s, struct source *from)
{
    int n, all = 0;

    while ((n = ship_batch(s, from)) > 0) {
        all += n;
        sources_tell(s);
        if (out_of_time(s))
            break;
    }
    if (from->file)
        source_checkpoint(s, from);
    return n < 0 ? n : all;
}

/* A call that was resumed after a crash has its beginning in the older file: in this order it
 * arrives in order. */
static int ship_round(struct shipper *s)
{
    int n, all = 0, skipped = 0;

    for (struct source *from = s->others; from; from = from->next) {
        n = ship_all(s, from);
        if (n < 0 && s->trouble == TROUBLE_DISK)
            n = ship_all(s, from); /* it may have been mended */
        if (n < 0 && s->trouble != TROUBLE_DISK)
            return n;
        if (n < 0)
            skipped = n; /* an old file that cannot be read does not hold up the calls of today */
        else
            all += n;
    }
    if (!skipped)
        atomic_store(&s->inherited_done, true);
    n = ship_all(s, &s->own);
    if (n < 0)
        return n;
    return all + n > 0 ? all + n : skipped;
}

/* ---- what is told ---- */

static void tell_down(struct shipper *s, unsigned by, const char *why)
{
    pthread_mutex_lock(&s->down_lock);
    s->down_by |= by;
    alarm_raise(ALARM_CRITICAL, "database.down", "", why,
                "start or repair PostgreSQL, or check database.url (ringdown db status). Calls go "
                "on and nothing is lost: events wait in the journal");
    pthread_mutex_unlock(&s->down_lock);
}

static void not_down(struct shipper *s, unsigned by)
{
    pthread_mutex_lock(&s->down_lock);
    if (s->down_by == by)
        alarm_clear("database.down", "");
    s->down_by &= ~by;
    pthread_mutex_unlock(&s->down_lock);
}

static void on_silent(void *arg, const char *why)
{
    tell_down(arg, DOWN_BY_PROBE, why);
}

static void on_answers(void *arg)
{
    not_down(arg, DOWN_BY_PROBE);
}

static int probe_conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    const struct shipper *s = arg;

    return s->opts.probe_conninfo(out, why, cap, s->opts.arg);
}

/* Before the database was there once, it is the shipper's to wait for. */
static void begin_to_probe(struct shipper *s)
{
    const struct probe_opts o = {
        .conninfo = probe_conninfo, .silent = on_silent, .answers = on_answers, .arg = s};
    int rc;

    if (s->probing || !s->opts.probe_conninfo)
        return;
    s->probing = true;
    rc = probe_start(&s->probe, &o);
    if (rc)
        log_warn(
            "database.not_probed", F_ERR(rc),
            F_FIX("nothing is lost: a database that hangs is told of a quarter of a minute later"));
}

static void works(struct shipper *s)
{
    not_down(s, DOWN_BY_SHIPPER);
    if (s->setup_told)
        alarm_clear("database.setup", "");
    s->setup_told = false;
    begin_to_probe(s);
    s->failing_since_ms = 0;
    s->trouble = TROUBLE_NONE;
    s->why[0] = '\0';
    retry_worked(&s->retry, monotonic_ms());
}

static void tell_setup(struct shipper *s)
{
    s->setup_told = true;
    alarm_raise(ALARM_CRITICAL, "database.setup", "", s->why,
                "do what it says; ringdown db status shows where the database stands. Nothing is "
                "lost: events wait in the journal");
}

/* How long to wait. */
static uint32_t fails(struct shipper *s)
{
    uint64_t now_ms = monotonic_ms();

    if (!s->failing_since_ms) {
        s->failing_since_ms = now_ms;
        log_warn("database.trouble", F_STR("why", s->why),
                 F_FIX("nothing is lost: events wait in the journal and are sent again"));
    }
    if (s->trouble == TROUBLE_SETUP) {
        tell_setup(s);
        return SETUP_MS;
    }
    if (s->trouble == TROUBLE_DISK)
        return IDLE_MS;
    if (now_ms - s->failing_since_ms >= DOWN_MS)
        tell_down(s, DOWN_BY_SHIPPER, s->why);
    return (uint32_t)retry_failed(&s->retry, now_ms, 0, rd_random_bits());
}

/* ---- the thread ---- */

static bool stopping(const struct shipper *s)
{
    return atomic_load(&s->stop_at_ms) != 0;
}

static bool nothing_waits(struct shipper *s)
{
    struct journal_gauges g;

    journal_gauges(s->opts.journal, &g);
    return g.waiting == 0;
}

static void rest(struct shipper *s, uint32_t ms)
{
    uint64_t until_ms = monotonic_ms() + ms, now_ms;

    while (!stopping(s) && (now_ms = monotonic_ms()) < until_ms) {
        uint64_t left_ms = until_ms - now_ms;

        sources_tell(s);
        journal_wait(s->opts.journal, &s->seen, left_ms < IDLE_MS ? (uint32_t)left_ms : IDLE_MS);
    }
}

/* Returns whether to go on. */
static bool turn(struct shipper *s)
{
    int n;

    sources_scan(s);
    n = connected(s);
    if (n == 0)
        n = ship_round(s);
    if (n == 0)
        n = ping(s);
    if (n < 0) {
        uint32_t delay_ms = fails(s);

        if (stopping(s))
            return false;
        rest(s, delay_ms);
        return true;
    }
    works(s);
    sources_tell(s);
    if (n > 0)
        return !out_of_time(s);
    if (stopping(s) && (nothing_waits(s) || out_of_time(s)))
        return false;
    journal_wait(s->opts.journal, &s->seen, stopping(s) ? 20 : IDLE_MS);
    return true;
}

static void *shipper_main(void *arg)
{
    struct shipper *s = arg;

    (void)pthread_setname_np(pthread_self(), "shipper");
    patient_thread();
    while (turn(s))
        ;
    s->told_ms = 0;
    sources_tell(s);
    disconnect(s);
    return NULL;
}

int shipper_start(struct shipper **out, const struct shipper_opts *o)
{
    struct shipper *s = calloc(1, sizeof(*s));
    int rc = 0;

    if (!s)
        return -ENOMEM;
    s->opts = *o;
    s->batch_max = BATCH_MAX;
    pthread_mutex_init(&s->down_lock, NULL);
    buf_init(&s->payload, PAYLOAD_MAX);
    retry_init(&s->retry, &policy, monotonic_ms());
    if (!rd_str_copy(s->folder, sizeof(s->folder), rd_str(o->folder)))
        rc = -ENAMETOOLONG;
    if (!rc)
        rc = -pthread_create(&s->thread, NULL, shipper_main, s);
    if (rc) {
        pthread_mutex_destroy(&s->down_lock);
        free(s);
        return rc;
    }
    *out = s;
    return 0;
}

bool shipper_inherited_done(const struct shipper *s)
{
    return atomic_load(&s->inherited_done);
}

void shipper_stop(struct shipper *s, uint32_t drain_ms)
{
    if (!s)
        return;
    atomic_store(&s->stop_at_ms, monotonic_ms() + drain_ms);
    journal_wake(s->opts.journal);
    (void)pthread_join(s->thread, NULL);
    probe_stop(s->probe);
    pthread_mutex_destroy(&s->down_lock);
    sources_close(s);
    buf_fini(&s->payload);
    free(s);
}
