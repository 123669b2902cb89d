/* SPDX-License-Identifier: Apache-2.0 */
/* crumbs.c - a ring for each of the calls that were told of last.
 *
 * Failure modes: more calls than rings: the call nobody told of for the longest time is forgotten; a body
 * that is no JSON, or is long, leaves its type alone. */
#include "observe/crumbs.h"

#include "base/json.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_READ_MAX = 64 * 1024, NAME_MAX_BYTES = 40, DIGITS_MAX = 6 };

struct ring {
    char call[CRUMB_CALL];
    uint64_t used; /* the larger, the later */
    size_t n;      /* ever */
    struct crumb crumbs[CRUMBS_EACH];
};

static struct {
    pthread_mutex_t lock; /* of the following */
    struct ring *rings;   /* owns CRUMB_CALLS; NULL: nobody wants them */
    uint64_t clock;
    atomic_bool wanted;
} all = {.lock = PTHREAD_MUTEX_INITIALIZER};

bool crumbs_want(bool on)
{
    struct ring *before;

    pthread_mutex_lock(&all.lock);
    before = all.rings;
    all.rings = on ? calloc(CRUMB_CALLS, sizeof(*all.rings)) : NULL;
    on = all.rings != NULL || !on;
    atomic_store(&all.wanted, all.rings != NULL);
    pthread_mutex_unlock(&all.lock);
    free(before);
    return on;
}

/* --- what may be noted --- */

/* A word of our own: small letters, digits, and no number that could be somebody's. */
static bool is_name(struct rd_str s)
{
    size_t digits = 0;

    if (s.n == 0 || s.n > NAME_MAX_BYTES)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool digit = c >= '0' && c <= '9';

        digits = digit ? digits + 1 : 0;
        if (digits > DIGITS_MAX || (!digit && (c < 'a' || c > 'z') && !strchr("_.-", c)))
            return false;
    }
    return true;
}

static bool is_one_of(struct rd_str key, const char *const *names)
{
    for (; *names; names++)
        if (rd_str_eq(key, rd_str(*names)))
            return true;
    return false;
}

/* `name` is a tool or a model in some facts, and somebody's name in others. */
static bool may_be_told(const char *type, struct rd_str key, const struct json_value *v)
{
    static const char *const strings[] = {"state",   "role",    "reason",   "system", "status",
                                          "outcome", "rule",    "severity", "kind",   "withheld",
                                          "first",   "channel", "provider", NULL};
    static const char *const named[] = {"tool", "failover", NULL};

    switch (v->type) {
    case JSON_TRUE:
    case JSON_FALSE:
        return true;
    case JSON_NUMBER: /* a number of more digits may be anything */
        return v->raw.n <= DIGITS_MAX + 2;
    case JSON_STRING:
        return !v->escaped && is_name(v->raw) &&
               (is_one_of(key, strings) ||
                (rd_str_eq(key, RD_STR("name")) && is_one_of(rd_str(type), named)));
    default:
        return false;
    }
}

static void note_members(struct crumb *c, struct rd_str body)
{
    struct json_value root, v;
    struct json_iter it;
    struct rd_str key;
    size_t n = 0;

    if (body.n > BODY_READ_MAX || json_parse(body, &root) || root.type != JSON_OBJECT)
        return;
    json_iter_init(&it, &root);
    while (json_next(&it, &key, &v)) {
        const char *quote = v.type == JSON_STRING ? "\"" : "";
        int k;

        if (!is_name(key) || !may_be_told(c->type, key, &v))
            continue;
        k = snprintf(c->members + n, sizeof(c->members) - n,
                     "%s\"" RD_STR_FMT "\":%s" RD_STR_FMT "%s", n ? "," : "", RD_STR_ARG(key),
                     quote, RD_STR_ARG(v.raw), quote);
        if (k < 0 || (size_t)k >= sizeof(c->members) - n)
            break;
        n += (size_t)k;
    }
    c->members[n] = '\0';
}

/* --- rings; lock held --- */

static struct ring *ring_of(const char *call)
{
    for (size_t i = 0; i < CRUMB_CALLS; i++)
        if (strcmp(all.rings[i].call, call) == 0)
            return &all.rings[i];
    return NULL;
}

static struct ring *new_ring(const char *call)
{
    struct ring *r = &all.rings[0];

    for (size_t i = 1; i < CRUMB_CALLS; i++)
        if (all.rings[i].used < r->used)
            r = &all.rings[i];
    r->n = 0;
    (void)rd_str_copy(r->call, sizeof(r->call), rd_str(call));
    return r;
}

void crumb_fact(const char *call, const char *type, struct rd_str body, int64_t unix_ms)
{
    struct crumb c = {.unix_ms = unix_ms};
    struct ring *r;

    if (!atomic_load_explicit(&all.wanted, memory_order_relaxed) || !*call ||
        strlen(call) >= CRUMB_CALL)
        return;
    (void)rd_str_copy(c.type, sizeof(c.type), rd_str(type));
    note_members(&c, body);
    pthread_mutex_lock(&all.lock);
    if (all.rings) {
        r = ring_of(call);
        r = r ? r : new_ring(call);
        r->used = ++all.clock;
        r->crumbs[r->n++ % CRUMBS_EACH] = c;
    }
    pthread_mutex_unlock(&all.lock);
}

size_t crumbs_of(const char *call, struct crumb out[CRUMBS_EACH])
{
    size_t n = 0;
    struct ring *r;

    pthread_mutex_lock(&all.lock);
    r = all.rings && call && *call ? ring_of(call) : NULL;
    for (size_t i = r && r->n > CRUMBS_EACH ? r->n - CRUMBS_EACH : 0; r && i < r->n; i++)
        out[n++] = r->crumbs[i % CRUMBS_EACH];
    pthread_mutex_unlock(&all.lock);
    return n;
}
