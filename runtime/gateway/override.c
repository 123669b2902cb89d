/* SPDX-License-Identifier: Apache-2.0 */
/* override.c - the file is looked at several times a second: one stat(), and what is read is read
 * again only when that says something else. While there is one there is an alarm: an order that
 * nobody knows of any more sends calls where nobody expects them. */
#include "gateway/override.h"

#include "base/err.h"
#include "base/log.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 1 << 20, WHOLE_BP = 10000 };

static const char alarm_kind[] = "routing.override";

struct override {
    char path[PATH_MAX];
    struct stat seen;     /* of the last look; of no file: all 0. Only whoever looks */
    pthread_mutex_t lock; /* of the following */
    json_t *orders;       /* owns; NULL: there are none */
    const char *force;
};

int override_new(struct override **out, const char *data)
{
    struct override *o = calloc(1, sizeof(*o));

    if (!o)
        return -ENOMEM;
    if (data &&
        snprintf(o->path, sizeof(o->path), "%s/kept/override.json", data) >= (int)sizeof(o->path)) {
        free(o);
        return -ENAMETOOLONG;
    }
    (void)pthread_mutex_init(&o->lock, NULL);
    *out = o;
    return 0;
}

void override_free(struct override *o)
{
    if (!o)
        return;
    json_decref(o->orders);
    (void)pthread_mutex_destroy(&o->lock);
    free(o);
}

/* ---- read ---- */

static const char *force_of(const json_t *orders)
{
    static const char *const known[] = {"openai", "vapi", "off"};
    const char *force = json_string_value(json_object_get(orders, "force"));

    for (size_t i = 0; force && i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(force, known[i]) == 0)
            return known[i];
    return NULL;
}

static bool is_good_order(const json_t *order)
{
    const json_t *rollback = json_object_get(order, "rollback");
    const json_t *force = json_object_get(order, "force");
    double bp = json_number_value(rollback);

    return (rollback || force) && (!force || force_of(order)) &&
           (!rollback || (json_is_number(rollback) && bp >= 0 && bp <= WHOLE_BP));
}

static const char *wrong_with(const json_t *orders)
{
    const json_t *agents = json_object_get(orders, "agents");
    const char *name;
    json_t *order;

    if (!json_is_object(orders))
        return "it is no object";
    if (json_object_get(orders, "force") && !force_of(orders))
        return "force is none of openai, vapi, off";
    if (agents && !json_is_object(agents))
        return "agents is no object";
    json_object_foreach((json_t *)agents, name, order)
    {
        if (!is_good_order(order))
            return "an agent's order has neither force nor rollback, a rollback outside of 0 to "
                   "10000, or a force that is none of openai, vapi, off";
    }
    return NULL;
}

static void put(struct override *o, json_t *orders)
{
    json_t *old;

    pthread_mutex_lock(&o->lock);
    old = o->orders;
    o->orders = orders;
    o->force = force_of(orders);
    pthread_mutex_unlock(&o->lock);
    json_decref(old);
}

static void tell(const json_t *orders)
{
    const char *who = json_string_value(json_object_get(orders, "who"));
    char text[ALARM_TEXT];

    (void)snprintf(text, sizeof(text),
                   "calls go as %.60s ordered at this machine, not as the database says",
                   who ? who : "somebody");
    alarm_raise(ALARM_WARNING, alarm_kind, NULL, text, catalogue_fix("routing.", "override"));
}

static void read_file(struct override *o)
{
    json_error_t e = {.text = "it cannot be read"};
    json_t *orders = o->seen.st_size > FILE_MAX ? NULL : json_load_file(o->path, 0, &e);
    const char *wrong = orders ? wrong_with(orders) : e.text;

    if (wrong) {
        log_error("routing.override_unreadable", F_STR("path", o->path), F_STR("why", wrong),
                  F_FIX(catalogue_fix("routing.", "override_unreadable")));
        json_decref(orders);
        return;
    }
    put(o, orders);
    tell(orders);
}

static bool is_same(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

void override_look(struct override *o)
{
    struct stat now = {0};
    bool there = stat(o->path, &now) == 0;

    if (!there)
        now = (struct stat){0};
    if (is_same(&now, &o->seen))
        return;
    o->seen = now;
    if (there) {
        read_file(o);
        return;
    }
    put(o, NULL);
    alarm_clear(alarm_kind, NULL);
}

/* ---- asked ---- */

const char *override_force(struct override *o)
{
    const char *force;

    pthread_mutex_lock(&o->lock);
    force = o->force;
    pthread_mutex_unlock(&o->lock);
    return force;
}

bool override_of(struct override *o, struct rd_str agent, struct override_order *out)
{
    const json_t *order, *rollback;
    char name[129];

    if (!rd_str_copy(name, sizeof(name), agent))
        return false;
    pthread_mutex_lock(&o->lock);
    order = json_object_get(json_object_get(o->orders, "agents"), name);
    rollback = json_object_get(order, "rollback");
    *out = (struct override_order){.force = force_of(order),
                                   .has_rollback = rollback != NULL,
                                   .rollback_bp = (int)json_number_value(rollback)};
    pthread_mutex_unlock(&o->lock);
    return out->has_rollback || out->force;
}
