/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - a ring: the newest overwrites the oldest. Looking through all of it takes some 20 us. */
#include "gateway/vapi/known.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOMENT_MS = 30000 };

struct entry {
    uint64_t at_ms;
    bool watched; /* nobody has said yet that Vapi has the caller */
    struct vapi_call call;
};

struct vapi_known {
    pthread_mutex_t lock;
    size_t places, next;
    struct entry entries[];
};

int vapi_known_new(struct vapi_known **out, size_t places)
{
    struct vapi_known *k = calloc(1, sizeof(*k) + places * sizeof(struct entry));

    if (!k)
        return -ENOMEM;
    k->places = places;
    (void)pthread_mutex_init(&k->lock, NULL);
    *out = k;
    return 0;
}

void vapi_known_free(struct vapi_known *k)
{
    if (!k)
        return;
    (void)pthread_mutex_destroy(&k->lock);
    free(k);
}

static bool same(const char *a, const char *b)
{
    return a[0] && strcmp(a, b) == 0;
}

static struct entry *by_id(struct vapi_known *k, const char *sid, const char *id)
{
    for (size_t i = 0; i < k->places; i++)
        if (same(sid, k->entries[i].call.sid) || same(id, k->entries[i].call.id))
            return &k->entries[i];
    return NULL;
}

/* Vapi asks who answers before it has told the carrier's id. */
static struct entry *by_numbers(struct vapi_known *k, const struct vapi_message *m, uint64_t now_ms)
{
    struct entry *newest = NULL;

    for (size_t i = 0; i < k->places; i++) {
        struct entry *e = &k->entries[i];

        if (!e->call.id[0] && same(m->from, e->call.from) && same(m->to, e->call.to) &&
            now_ms - e->at_ms <= MOMENT_MS && (!newest || e->at_ms > newest->at_ms))
            newest = e;
    }
    return newest;
}

static void fill(char *to, size_t cap, const char *from)
{
    if (from[0])
        (void)snprintf(to, cap, "%s", from);
}

void vapi_known_put(struct vapi_known *k, const struct vapi_call *c, uint64_t now_ms, bool watched)
{
    struct entry *e;

    (void)pthread_mutex_lock(&k->lock);
    e = by_id(k, c->sid, c->id);
    if (!e) {
        e = &k->entries[k->next++ % k->places];
        *e = (struct entry){.at_ms = now_ms, .watched = watched};
    }
    fill(e->call.sid, sizeof(e->call.sid), c->sid);
    fill(e->call.id, sizeof(e->call.id), c->id);
    fill(e->call.agent, sizeof(e->call.agent), c->agent);
    fill(e->call.from, sizeof(e->call.from), c->from);
    fill(e->call.to, sizeof(e->call.to), c->to);
    fill(e->call.control, sizeof(e->call.control), c->control);
    e->call.line = e->call.line || c->line;
    (void)pthread_mutex_unlock(&k->lock);
}

bool vapi_known_silent(struct vapi_known *k, uint64_t now_ms, uint64_t after_ms,
                       struct vapi_call *out)
{
    bool found = false;

    (void)pthread_mutex_lock(&k->lock);
    for (size_t i = 0; i < k->places && !found; i++) {
        struct entry *e = &k->entries[i];

        if (!e->watched || now_ms - e->at_ms < after_ms)
            continue;
        e->watched = false;
        *out = e->call;
        found = true;
    }
    (void)pthread_mutex_unlock(&k->lock);
    return found;
}

/* Its caller talks to it, or did. */
static bool tells_of_talk(const struct vapi_message *m)
{
    struct json_value status = {0};

    if (m->kind != VAPI_STATUS)
        return m->kind != VAPI_ASSISTANT && m->kind != VAPI_REPORT && m->kind != VAPI_OTHER;
    status = json_get(&m->message, "status");
    return json_is(&status, "in-progress") || json_is(&status, "forwarding");
}

bool vapi_known_find(struct vapi_known *k, const struct vapi_message *m, uint64_t now_ms,
                     struct vapi_call *out)
{
    struct entry *e;

    (void)pthread_mutex_lock(&k->lock);
    e = by_id(k, m->sid, m->id);
    if (!e && !m->sid[0])
        e = by_numbers(k, m, now_ms);
    /* A call has one carrier's id: another one in the same message is not about it. */
    if (e && m->sid[0] && strcmp(m->sid, e->call.sid) != 0)
        e = NULL;
    if (e) {
        fill(e->call.id, sizeof(e->call.id), m->id);
        fill(e->call.control, sizeof(e->call.control), m->control);
        e->watched = e->watched && !tells_of_talk(m);
        *out = e->call;
    }
    (void)pthread_mutex_unlock(&k->lock);
    return e != NULL;
}
