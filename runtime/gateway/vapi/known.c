/* SPDX-License-Identifier: Apache-2.0 */
/* known.c - a ring: the newest overwrites the oldest. Looking through all of it takes some 20 us. */
#include "gateway/vapi/known.h"

#include <ctype.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#define NAMED "vapi" /* before Vapi's id, where the carrier's is missing; as imported calls are */

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

bool vapi_known_name(char out[VAPI_ID], const struct vapi_message *m)
{
    size_t n = strlen(NAMED);

    (void)snprintf(out, VAPI_ID, "%s", m->sid[0] ? m->sid : NAMED);
    if (m->sid[0])
        return true;
    for (const char *p = m->id; *p && n + 1 < VAPI_ID; p++)
        if (isalnum((unsigned char)*p))
            out[n++] = *p;
    out[n] = '\0';
    return n > strlen(NAMED);
}

static bool is_named_by_us(const struct vapi_call *c)
{
    return strncmp(c->sid, NAMED, strlen(NAMED)) == 0;
}

static struct entry *by_id(struct vapi_known *k, const char *sid, const char *id)
{
    for (size_t i = 0; i < k->places; i++)
        if (same(sid, k->entries[i].call.sid) || same(id, k->entries[i].call.id))
            return &k->entries[i];
    return NULL;
}

/* What the carrier puts in the place of a number that is not told, Vapi leaves out or puts there, too. */
static bool is_withheld(const char *number)
{
    return number[0] != '+' || strcmp(number, "+266696687") == 0; /* ANONYMOUS on a dial */
}

/* Vapi asks who answers before it has told the carrier's id. Of callers who withhold their number there
 * must be one only. */
static struct entry *by_numbers(struct vapi_known *k, const struct vapi_message *m, uint64_t now_ms)
{
    struct entry *newest = NULL;
    bool nobody = is_withheld(m->from);
    size_t n = 0;

    for (size_t i = 0; i < k->places; i++) {
        struct entry *e = &k->entries[i];

        if (e->call.id[0] || !same(m->to, e->call.to) || now_ms - e->at_ms > MOMENT_MS ||
            (nobody ? !is_withheld(e->call.from) : !same(m->from, e->call.from)))
            continue;
        n++;
        if (!newest || e->at_ms > newest->at_ms)
            newest = e;
    }
    return nobody && n > 1 ? NULL : newest;
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
    if (c->sid[0] &&
        is_named_by_us(
            &e->call)) /* now it has the carrier's name: who knows that knows whose it is */
        e->call.direct = false;
    fill(e->call.sid, sizeof(e->call.sid), c->sid);
    fill(e->call.id, sizeof(e->call.id), c->id);
    fill(e->call.agent, sizeof(e->call.agent), c->agent);
    fill(e->call.from, sizeof(e->call.from), c->from);
    fill(e->call.to, sizeof(e->call.to), c->to);
    fill(e->call.control, sizeof(e->call.control), c->control);
    e->call.line = e->call.line || c->line;
    e->call.direct = e->call.direct || c->direct;
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

bool vapi_known_find(struct vapi_known *k, const struct vapi_message *m, uint64_t now_ms,
                     struct vapi_call *out)
{
    struct entry *e;

    (void)pthread_mutex_lock(&k->lock);
    e = by_id(k, m->sid, m->id);
    if (!e && !m->sid[0])
        e = by_numbers(k, m, now_ms);
    /* A call has one carrier's id: another one in the same message is not about it. One that came
     * without may be one that another node sent, and is looked up by it. */
    if (e && m->sid[0] && strcmp(m->sid, e->call.sid) != 0)
        e = NULL;
    if (e) {
        fill(e->call.id, sizeof(e->call.id), m->id);
        fill(e->call.control, sizeof(e->call.control), m->control);
        e->watched = e->watched && !vapi_message_talks(m);
        *out = e->call;
    }
    (void)pthread_mutex_unlock(&k->lock);
    return e != NULL;
}
