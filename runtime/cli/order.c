/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - a short queue per call.
 *
 * - a tool, a change of state: waits in its call's queue; what comes behind it joins the queue
 * - the caller's words: shown at once, then the queue, because they are what caused it
 * - the agent's words, the end of the call: the queue first, then they
 * - nothing waits longer than ORDER_WAIT_MS; a full queue, too many calls at once or no memory end
 *   the wait early, never lose an event */
#include "cli/order.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { CALLS_MAX = 64, HELD_MAX = 16, ID_MAX = 64 };

struct held_call {
    char id[ID_MAX + 1];
    uint64_t since_ms;            /* when the oldest was taken */
    struct rd_str held[HELD_MAX]; /* owns each p */
    unsigned n;                   /* 0: the place is free */
};

struct order {
    struct held_call calls[CALLS_MAX];
    order_show_cb *show;
    void *arg;
};

int order_new(struct order **out, order_show_cb *show, void *arg)
{
    struct order *o = calloc(1, sizeof(*o));

    if (!o)
        return -ENOMEM;
    o->show = show;
    o->arg = arg;
    *out = o;
    return 0;
}

static void drop(struct held_call *c)
{
    for (unsigned i = 0; i < c->n; i++)
        free((char *)(uintptr_t)c->held[i].p);
    c->n = 0;
}

void order_free(struct order *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < CALLS_MAX; i++)
        drop(&o->calls[i]);
    free(o);
}

static void release(struct order *o, struct held_call *c)
{
    struct json_value event;

    for (unsigned i = 0; i < c->n; i++)
        if (json_parse(c->held[i], &event) == 0)
            o->show(&event, o->arg);
    drop(c);
}

void order_flush(struct order *o)
{
    for (size_t i = 0; i < CALLS_MAX; i++)
        release(o, &o->calls[i]);
}

unsigned order_due(struct order *o, uint64_t now_ms)
{
    unsigned next = 0;

    for (size_t i = 0; i < CALLS_MAX; i++) {
        struct held_call *c = &o->calls[i];
        uint64_t age = now_ms - c->since_ms; /* a clock that began anew makes it old, too */

        if (c->n > 0 && age >= ORDER_WAIT_MS)
            release(o, c);
        else if (c->n > 0 && (next == 0 || ORDER_WAIT_MS - age < next))
            next = (unsigned)(ORDER_WAIT_MS - age);
    }
    return next;
}

/* The queue of that call; NULL when nothing of it waits. */
static struct held_call *find(struct order *o, struct rd_str id)
{
    for (size_t i = 0; i < CALLS_MAX; i++)
        if (o->calls[i].n > 0 && rd_str_eq(id, rd_str(o->calls[i].id)))
            return &o->calls[i];
    return NULL;
}

/* A place for one more call; the one that has waited longest makes room. */
static struct held_call *find_place(struct order *o)
{
    struct held_call *oldest = &o->calls[0];

    for (size_t i = 0; i < CALLS_MAX; i++) {
        if (o->calls[i].n == 0)
            return &o->calls[i];
        if (o->calls[i].since_ms < oldest->since_ms)
            oldest = &o->calls[i];
    }
    release(o, oldest);
    return oldest;
}

/* False: it cannot wait. */
static bool hold(struct order *o, struct held_call *c, struct rd_str id, struct rd_str text,
                 uint64_t now_ms)
{
    char *copy = id.n <= ID_MAX ? malloc(text.n + 1) : NULL;

    if (!copy)
        return false;
    memcpy(copy, text.p, text.n);
    copy[text.n] = '\0';
    if (!c) {
        c = find_place(o);
        memcpy(c->id, id.p, id.n);
        c->id[id.n] = '\0';
        c->since_ms = now_ms;
    }
    c->held[c->n++] = (struct rd_str){copy, text.n};
    if (c->n == HELD_MAX)
        release(o, c);
    return true;
}

void order_take(struct order *o, const struct json_value *event, uint64_t now_ms)
{
    struct json_value type = json_get(event, "type"), role = json_get(event, "role");
    struct json_value call = json_get(event, "call");
    struct rd_str id = call.type == JSON_STRING ? call.raw : (struct rd_str){0};
    bool turn = json_is(&type, "turn"), ended = json_is(&type, "ended");
    bool deed = json_is(&type, "tool") || json_is(&type, "state");
    struct held_call *c;

    order_due(o, now_ms);
    c = find(o, id);
    if (id.n > 0 && !turn && !ended && (c || deed) && hold(o, c, id, event->raw, now_ms))
        return;
    if (c && !(turn && json_is(&role, "caller"))) {
        release(o, c);
        c = NULL;
    }
    o->show(event, o->arg);
    if (c)
        release(o, c);
}
