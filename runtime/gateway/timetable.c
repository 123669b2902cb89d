/* SPDX-License-Identifier: Apache-2.0 */
/* timetable.c - the first beat asks the library what there is to do and how often; each later one
 * begins what is due.
 *
 *   beat ─▶ "timed" ─▶ entries            beat ─▶ due? ─▶ script_pool_operate() ─▶ on_done()
 *
 * What runs has its place in a table, so that there are never two of a kind and what a node does by
 * itself is bounded; what it was asked to do (node_operate) runs beside, on the thread without calls, so
 * many at once: hours of it take no place of what is due.
 *
 * Some are for when the database is away (`alone`): a beat that it did not answer begins those alone.
 *
 * Failure modes: the pool has no place for one that is due, as after the start, when all are: tried again
 * at each beat, a warning once its time came again, an alarm when it was missed LATE_TIMES; over once it
 * begins, or is not ours to begin any more. One that fails is a warning with its remedy and a count; it
 * comes again at its time.
 * The library's answer cannot be read: said once a minute, and asked again. A node that leaves begins nothing, and what
 * runs is told to end. */
#include "gateway/timetable.h"

#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ENTRIES_MAX = 32, KIND_MAX = 32, KEPT_MAX = 64, ASK_EVERY_S = 60, SHOWN_MAX = 400 };
enum {
    EARLY_MS = 500
}; /* a beat comes every two seconds, more or less: half of one is no reason to miss it */

enum {
    LATE_TIMES = 3,
    ASKED_MAX = 3,
    ASKED_MS = 86400000
}; /* numbers may be changed in waves with hours between them */

static const char asking_kind[] = "timed";

struct entry {
    struct timetable *table;
    char kind[KIND_MAX];
    char kept[KEPT_MAX]; /* only while this file is there; "": always */
    bool everywhere, alone, runs, told, alarmed;
    uint32_t every_s;
    uint64_t due_ms;
    uint64_t refused_ms; /* since when there is no place for it; 0: there is */
};

struct timetable {
    struct node *node;                 /* borrows */
    const struct clock *clock;         /* borrows */
    atomic_bool stop;                  /* what runs shall end: the node leaves */
    pthread_mutex_t lock;              /* of the following */
    bool ended;                        /* for good */
    uint64_t answered_ms;              /* the database, last; or since this node is there */
    struct entry entries[ENTRIES_MAX]; /* the first one asks for the others */
    size_t n;
    unsigned asked; /* that run out of turn */
};

/* --- how it ended: script threads --- */

static void tell_failed(const char *kind, const struct operation_end *e)
{
    metric_add(M_OPERATION_FAILED, 1);
    log_warn("operation.failed", F_STR("kind", kind), F_RAISED("why", e->text.p), F_ERR(e->rc),
             F_RAISED("traceback", e->traceback.p), F_FIX(catalogue_fix("operation.", "failed")));
}

static void heard(const char *kind, const struct operation_end *e, const atomic_bool *stop)
{
    metric_add(M_OPERATIONS, 1);
    if (e->rc && !atomic_load(stop))
        tell_failed(kind, e);
}

static bool says(const struct json_value *told, const char *what, char *text, size_t cap)
{
    struct json_value said = json_get(told, what);

    return said.type == JSON_STRING && json_copy(&said, text, cap) == 0;
}

/* Nobody looks at a screen: only what is remarkable is a line of the log. */
static void on_line(void *arg, struct rd_str json)
{
    const struct entry *e = arg;
    char text[SHOWN_MAX];
    struct json_value told;

    if (json_parse(json, &told))
        return;
    if (says(&told, "note", text, sizeof(text)))
        log_info("operation.notes", F_STR("kind", e->kind), F_STR("text", text));
    if (says(&told, "text", text, sizeof(text)))
        log_debug("operation.tells", F_STR("kind", e->kind), F_STR("text", text));
}

/* --- the table --- */

static bool read_entry(struct entry *e, struct rd_str kind, const struct json_value *about)
{
    struct json_value every = json_get(about, "every_s"), kept = json_get(about, "kept");
    struct json_value everywhere = json_get(about, "everywhere");
    struct json_value alone = json_get(about, "alone");
    uint64_t every_s = 0;

    if (!rd_str_copy(e->kind, sizeof(e->kind), kind) || !json_u64(&every, &every_s) ||
        every_s < 1 || every_s > INT32_MAX)
        return false;
    e->every_s = (uint32_t)every_s;
    e->everywhere = everywhere.type == JSON_TRUE;
    e->alone = alone.type == JSON_TRUE;
    e->kept[0] = '\0';
    return kept.type == JSON_NONE || json_copy(&kept, e->kept, sizeof(e->kept)) == 0;
}

static bool read_table(struct timetable *t, struct rd_str json)
{
    struct json_value root, each;
    struct json_iter it;
    struct rd_str kind;

    if (json_parse(json, &root) || root.type != JSON_OBJECT)
        return false;
    json_iter_init(&it, &root);
    while (json_next(&it, &kind, &each)) {
        if (t->n == ENTRIES_MAX || !read_entry(&t->entries[t->n], kind, &each))
            return false;
        t->entries[t->n++].table = t;
    }
    return true;
}

static void on_table(struct timetable *t, const struct operation_end *e)
{
    struct operation_end unread = {.rc = RD_EPROTO, .text = RD_STR("the timetable cannot be read")};

    if (e->rc)
        return;
    t->n = 1;
    if (read_table(t, e->text)) {
        t->entries[0].due_ms = UINT64_MAX;
        log_info("timetable.known", F_INT("kinds", t->n - 1));
        return;
    }
    t->n = 1;
    tell_failed(asking_kind, &unread);
}

static void on_done(void *arg, const struct operation_end *e)
{
    struct entry *entry = arg;
    struct timetable *t = entry->table;

    pthread_mutex_lock(&t->lock);
    entry->runs = false;
    if (entry == &t->entries[0])
        on_table(t, e);
    pthread_mutex_unlock(&t->lock);
    heard(entry->kind, e, &t->stop);
}

/* --- the beat --- */

static bool is_there(const struct timetable *t, const char *kept)
{
    char path[PATH_MAX];

    return snprintf(path, sizeof(path), "%s/kept/%s", t->node->settings->data, kept) <
               (int)sizeof(path) &&
           access(path, F_OK) == 0;
}

/* LEADS and FOLLOWS: the database answered; ALONE: it did not. */
enum beat { LEADS, FOLLOWS, ALONE };

static bool is_due(const struct timetable *t, const struct entry *e, enum beat b, uint64_t now_ms)
{
    if (e->runs || now_ms + EARLY_MS < e->due_ms)
        return false;
    if (b == ALONE)
        return e->alone || e == &t->entries[0];
    return (b == LEADS || e->everywhere) && (!e->kept[0] || is_there(t, e->kept));
}

/* Under the lock, as the following. */
static void not_begun(struct entry *e, int rc, uint64_t now_ms)
{
    char text[160];
    uint64_t late_ms;

    e->runs = false;
    e->due_ms = now_ms; /* at the next beat */
    if (!e->refused_ms)
        e->refused_ms = now_ms;
    late_ms = now_ms - e->refused_ms;
    if (!e->told && late_ms >= (uint64_t)e->every_s * 1000) {
        e->told = true;
        log_warn("operation.not_begun", F_STR("kind", e->kind), F_ERR(rc),
                 F_FIX(catalogue_fix("operation.", "not_begun")));
    }
    if (e->alarmed || late_ms < (uint64_t)LATE_TIMES * e->every_s * 1000)
        return;
    e->alarmed = true;
    (void)snprintf(text, sizeof(text), "%s is due every %u s and has not begun for %llu s: %s",
                   e->kind, e->every_s, (unsigned long long)late_ms / 1000, rd_strerror(rc));
    alarm_raise(ALARM_CRITICAL, "operation.late", e->kind, text,
                catalogue_fix("operation.", "late"));
}

/* It has a place, or needs none. */
static void not_late(struct entry *e)
{
    if (e->alarmed)
        alarm_clear("operation.late", e->kind);
    e->alarmed = e->told = false;
    e->refused_ms = 0;
}

/* What is told of the database: whoever acts without it knows for how long it has been away. */
static void begin(struct timetable *t, struct entry *e, enum beat b, uint64_t now_ms)
{
    char away[64] = "{}";
    struct operation_order o = {
        .kind = e->kind, .stop = &t->stop, .line = on_line, .done = on_done, .arg = e};
    int rc;

    if (b == ALONE)
        (void)snprintf(away, sizeof(away), "{\"away_ms\":%llu}",
                       (unsigned long long)(now_ms - t->answered_ms));
    o.json = rd_str(away);
    e->due_ms = now_ms + (uint64_t)e->every_s * 1000;
    e->runs = true;
    rc = script_pool_operate(t->node->scripts, &o);
    if (rc)
        not_begun(e, rc, now_ms);
    else
        not_late(e);
}

static void beat(struct timetable *t, enum beat b)
{
    uint64_t now_ms;

    if (!t)
        return;
    now_ms = clock_ms(t->clock);
    pthread_mutex_lock(&t->lock);
    if (b != ALONE)
        t->answered_ms = now_ms;
    if (!t->ended)
        atomic_store(&t->stop, directory_counts(t->node->directory).draining);
    for (size_t i = 0; !atomic_load(&t->stop) && i < t->n; i++)
        if (is_due(t, &t->entries[i], b, now_ms))
            begin(t, &t->entries[i], b, now_ms);
        else
            not_late(&t->entries[i]);
    pthread_mutex_unlock(&t->lock);
}

void timetable_beat(struct timetable *t, bool leads)
{
    beat(t, leads ? LEADS : FOLLOWS);
}

void timetable_beat_alone(struct timetable *t)
{
    beat(t, ALONE);
}

/* --- out of turn --- */

struct asked {
    struct entry about; /* first: on_line() knows it as one */
};

static bool take_one(struct timetable *t)
{
    bool free_place;

    pthread_mutex_lock(&t->lock);
    free_place = t->asked < ASKED_MAX;
    t->asked += free_place;
    pthread_mutex_unlock(&t->lock);
    return free_place;
}

static void give_back(struct timetable *t)
{
    pthread_mutex_lock(&t->lock);
    t->asked--;
    pthread_mutex_unlock(&t->lock);
}

static void on_asked_done(void *arg, const struct operation_end *e)
{
    struct asked *a = arg;
    struct timetable *t = a->about.table;

    give_back(t);
    heard(a->about.kind, e, &t->stop);
    free(a);
}

/* Begins one out of turn: see node_operate(). */
static int timetable_operate(struct timetable *t, const char *kind, const char *json)
{
    struct asked *a = calloc(1, sizeof(*a));
    struct operation_order o = {.kind = kind,
                                .json = rd_str(json),
                                .budget_ms = ASKED_MS,
                                .aside = true,
                                .stop = &t->stop,
                                .line = on_line,
                                .done = on_asked_done,
                                .arg = a};
    int rc;

    if (!a)
        return -ENOMEM;
    a->about.table = t;
    if (!rd_str_copy(a->about.kind, sizeof(a->about.kind), rd_str(kind))) {
        free(a);
        return RD_ETOOBIG;
    }
    if (!take_one(t)) {
        free(a);
        return RD_EFULL;
    }
    rc = script_pool_operate(t->node->scripts, &o);
    if (rc) {
        give_back(t);
        free(a);
    }
    return rc;
}

int node_operate(struct node *n, const char *kind, const char *json)
{
    return timetable_operate(n->timetable, kind, json);
}

/* --- its life --- */

int timetable_new(struct timetable **out, struct node *n, const struct clock *clock)
{
    struct timetable *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->node = n;
    t->clock = clock;
    t->answered_ms = clock_ms(clock);
    pthread_mutex_init(&t->lock, NULL);
    t->n = 1;
    t->entries[0] = (struct entry){.table = t, .everywhere = true, .every_s = ASK_EVERY_S};
    (void)rd_str_copy(t->entries[0].kind, KIND_MAX, rd_str(asking_kind));
    *out = t;
    return 0;
}

void timetable_hush(struct timetable *t)
{
    if (!t)
        return;
    pthread_mutex_lock(&t->lock);
    t->ended = true;
    atomic_store(&t->stop, true);
    for (size_t i = 0; i < t->n; i++)
        not_late(&t->entries[i]);
    pthread_mutex_unlock(&t->lock);
}

void timetable_free(struct timetable *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}
