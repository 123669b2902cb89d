/* SPDX-License-Identifier: Apache-2.0 */
/* asker_links.c - an asker's connections: idle ones by role, and how there come to be more.
 *
 * - a question takes an idle one of its role, else a new one; the one that nobody has used for longest
 *   makes room
 * - a role got other grants: connections from before are closed when their turn comes
 *
 * Failure modes: the server cannot be reached: told at once for the next RETRY_MS, so that a queue of
 * questions does not become a queue of attempts; a connection that broke, or that a question left in a
 * state, is closed. */
#include "store/asker_private.h"

#include "base/err.h"
#include "base/now.h"
#include "store/database.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 500, CONNINFO_MAX = 16384 };

/* ---- roles ---- */

struct role *links_role(struct asker *a, const char *name, const char *grants)
{
    struct role *r = a->roles;
    char *copy;

    while (r && strcmp(r->name, name) != 0)
        r = r->next;
    if (r && strcmp(r->grants, grants) == 0)
        return r;
    copy = strdup(grants);
    if (!copy)
        return NULL;
    if (!r) {
        r = calloc(1, sizeof(*r));
        if (r)
            r->name = strdup(name);
        if (!r || !r->name) {
            free(r);
            free(copy);
            return NULL;
        }
        r->next = a->roles;
        a->roles = r;
    }
    free(r->grants);
    r->grants = copy;
    r->generation++;
    r->due_ms = 0;
    return r;
}

static void free_roles(struct asker *a)
{
    while (a->roles) {
        struct role *r = a->roles;

        a->roles = r->next;
        free(r->name);
        free(r->grants);
        free(r);
    }
}

/* ---- connections ---- */

static bool gives_up(void *arg)
{
    struct asker *a = arg;

    return atomic_load(&a->hushed);
}

static void close_link(struct asker *a, struct link *l) /* without the lock */
{
    pg_close(l->pg);
    free(l);
    pthread_mutex_lock(&a->lock);
    a->n_links--;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

/* Nobody asked it anything: what there is to read is the server's farewell. */
static bool still_good(const struct link *l)
{
    struct pollfd p = {.fd = pg_socket(l->pg), .events = POLLIN};

    return pg_alive(l->pg) && poll(&p, 1, 0) == 0;
}

static struct link *unlink_at(struct link **at)
{
    struct link *l = *at;

    *at = l->next;
    l->next = NULL;
    return l;
}

/* With the lock held. One of this role; NULL: there is none. */
static struct link *take_idle(struct asker *a, const struct role *r)
{
    for (struct link **at = &a->idle; *at; at = &(*at)->next)
        if ((*at)->role == r)
            return unlink_at(at);
    return NULL;
}

/* With the lock held. The one that nobody has used for longest; NULL: none. */
static struct link *take_oldest(struct asker *a)
{
    struct link **at = &a->idle;

    while (*at && (*at)->next)
        at = &(*at)->next;
    return *at ? unlink_at(at) : NULL;
}

static int connect_role(struct asker *a, struct role *r, const char *grants, struct pg **out,
                        char *why, size_t cap)
{
    struct buf conninfo;
    int rc;

    buf_init(&conninfo, CONNINFO_MAX);
    why[0] = '\0';
    rc = a->o.conninfo(&conninfo, r->name, grants, why, cap, a->o.arg);
    if (!rc) {
        rc = buf_text(&conninfo) ? pg_open_within(out, conninfo.data, a->o.connect_ms, why, cap)
                                 : -ENOMEM;
        if (rc)
            database_explain(why, cap);
    }
    buf_fini(&conninfo);
    if (rc && !why[0])
        (void)snprintf(why, cap, "cannot connect: %s", rd_strerror(rc));
    if (!rc)
        pg_patience(*out, a->o.patience_ms, gives_up, a);
    return rc;
}

/* Makes room for one more, without the lock. */
static void make_room(struct asker *a)
{
    struct link *old = NULL;

    pthread_mutex_lock(&a->lock);
    if (a->n_links >= a->o.connections)
        old = take_oldest(a);
    a->n_links++;
    pthread_mutex_unlock(&a->lock);
    if (old)
        close_link(a, old);
}

static int open_link(struct asker *a, struct role *r, struct link **out, char *why, size_t cap)
{
    struct link *l = calloc(1, sizeof(*l));
    char *grants = NULL;
    int rc = -ENOMEM;

    pthread_mutex_lock(&a->lock);
    if (monotonic_ms() < r->due_ms) {
        rc = r->error ? r->error : -ECONNREFUSED;
        (void)snprintf(why, cap, "%s", r->why);
    } else if (l) {
        grants = strdup(r->grants);
        l->role = r;
        l->generation = r->generation;
    }
    pthread_mutex_unlock(&a->lock);
    if (!grants) {
        free(l);
        return rc;
    }
    make_room(a);
    rc = connect_role(a, r, grants, &l->pg, why, cap);
    free(grants);
    if (!rc) {
        *out = l;
        return 0;
    }
    close_link(a, l);
    pthread_mutex_lock(&a->lock);
    r->error = rc;
    r->due_ms = monotonic_ms() + RETRY_MS;
    (void)snprintf(r->why, sizeof(r->why), "%s", why);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* An idle one that still lives, else a new one. */
int link_take(struct asker *a, struct role *r, struct link **out, char *why, size_t cap)
{
    struct link *l;
    bool is_current;

    for (;;) {
        pthread_mutex_lock(&a->lock);
        l = take_idle(a, r);
        is_current = l && l->generation == r->generation;
        pthread_mutex_unlock(&a->lock);
        if (!l)
            return open_link(a, r, out, why, cap);
        if (is_current && still_good(l))
            break;
        close_link(a, l);
    }
    *out = l;
    return 0;
}

/* Nothing of one question may reach the next one. */
static bool cleaned(struct asker *a, struct link *l)
{
    if (!pg_alive(l->pg) || (pg_in_transaction(l->pg) && pg_query(l->pg, "rollback", 0, NULL)))
        return false;
    return !a->o.discard || pg_query(l->pg, "discard all", 0, NULL) == 0;
}

void link_give(struct asker *a, struct link *l)
{
    if (!cleaned(a, l)) {
        close_link(a, l);
        return;
    }
    l->since_ms = monotonic_ms();
    pthread_mutex_lock(&a->lock);
    l->next = a->idle;
    a->idle = l;
    pthread_mutex_unlock(&a->lock);
}

void links_close_stale(struct asker *a)
{
    uint64_t now = monotonic_ms();
    struct link **at = &a->idle;

    while (*at && (*at)->since_ms + a->o.idle_ms > now)
        at = &(*at)->next;
    if (!*at)
        return;
    struct link *old = unlink_at(at);

    pthread_mutex_unlock(&a->lock);
    close_link(a, old);
    pthread_mutex_lock(&a->lock);
}

void links_free(struct asker *a)
{
    while (a->idle) {
        struct link *l = unlink_at(&a->idle);

        pg_close(l->pg);
        free(l);
    }
    free_roles(a);
}
