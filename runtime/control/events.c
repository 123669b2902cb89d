/* SPDX-License-Identifier: Apache-2.0 */
/* events.c - a ring of texts. The event with number s lies in place s % EVENTS_MAX, so that nothing
 * is searched; what does not look like one JSON object is refused here, because everything behind
 * splices these texts into answers. */
#include "control/events.h"

#include "base/err.h"
#include "base/json.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

struct events {
    struct rd_str ring[EVENTS_MAX]; /* owns each p */
    uint64_t first, last;           /* numbers kept: first .. last; none when last < first */
    uint64_t refused;
    size_t bytes;
};

int events_new(struct events **out)
{
    struct events *e = calloc(1, sizeof(*e));

    if (!e)
        return -ENOMEM;
    e->first = 1;
    *out = e;
    return 0;
}

static void drop_oldest(struct events *e)
{
    struct rd_str *s = &e->ring[e->first % EVENTS_MAX];

    e->bytes -= s->n;
    free((char *)(uintptr_t)s->p);
    *s = (struct rd_str){0};
    e->first++;
}

void events_free(struct events *e)
{
    if (!e)
        return;
    while (e->first <= e->last)
        drop_oldest(e);
    free(e);
}

/* Walks the whole object, because json_parse() alone looks only as far as it must. */
static bool is_object(struct rd_str json)
{
    struct json_value v, member;
    struct json_iter it;
    struct rd_str key;

    if (json_parse(json, &v) != 0 || v.type != JSON_OBJECT)
        return false;
    json_iter_init(&it, &v);
    while (json_next(&it, &key, &member))
        ;
    return it.err == 0;
}

/* The inside of the object: what stands between its braces. */
static struct rd_str inside(struct rd_str json)
{
    while (json.n > 0 && *json.p != '{') {
        json.p++;
        json.n--;
    }
    while (json.n > 0 && json.p[json.n - 1] != '}')
        json.n--;
    json.p++;
    json.n -= 2;
    return json;
}

int64_t events_add(struct events *e, struct rd_str json)
{
    char *copy;

    if (json.n > EVENT_MAX_BYTES || !is_object(json)) {
        e->refused++;
        return json.n > EVENT_MAX_BYTES ? RD_ETOOBIG : RD_EPROTO;
    }
    copy = malloc(json.n + 1);
    if (!copy) {
        e->refused++;
        return -ENOMEM;
    }
    memcpy(copy, json.p, json.n);
    copy[json.n] = '\0';
    while (e->first <= e->last &&
           (e->last + 1 - e->first >= EVENTS_MAX || e->bytes + json.n > EVENTS_MAX_BYTES))
        drop_oldest(e);
    e->last++;
    e->ring[e->last % EVENTS_MAX] = (struct rd_str){copy, json.n};
    e->bytes += json.n;
    return (int64_t)e->last;
}

static int add_one(const struct events *e, uint64_t number, bool first, struct buf *out)
{
    struct rd_str body = inside(e->ring[number % EVENTS_MAX]);
    size_t blank = 0;

    while (blank < body.n && strchr(" \t\r\n", body.p[blank]))
        blank++;
    return buf_addf(out, "%s{\"event\":%" PRIu64 "%s" RD_STR_FMT "}", first ? "" : ",", number,
                    blank < body.n ? "," : "", RD_STR_ARG(body));
}

int events_after(const struct events *e, uint64_t after, struct buf *out)
{
    uint64_t from = after + 1 > e->first ? after + 1 : e->first;
    int n = 0, rc = buf_add_str(out, "[");

    for (uint64_t s = from; !rc && s <= e->last; s++) {
        if (out->n + e->ring[s % EVENTS_MAX].n + 64 > out->max)
            break;
        rc = add_one(e, s, n == 0, out);
        n++;
    }
    if (!rc)
        rc = buf_add_str(out, "]");
    return rc ? rc : n;
}

uint64_t events_first(const struct events *e)
{
    return e->first;
}

uint64_t events_last(const struct events *e)
{
    return e->last;
}

uint64_t events_refused(const struct events *e)
{
    return e->refused;
}

struct rd_str events_at(const struct events *e, unsigned n)
{
    uint64_t s = e->first + n;

    return s <= e->last ? e->ring[s % EVENTS_MAX] : (struct rd_str){0};
}
