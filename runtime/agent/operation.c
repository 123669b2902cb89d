/* SPDX-License-Identifier: Apache-2.0 */
/* operation.c - the life of an operation on its script thread.
 *
 * - a place is taken by whoever posts it, and given back when it is gone
 * - the library is read once per thread, at the first one: all of them run what was there then
 * - what it tells goes up as it comes; its end goes up once
 *
 * Failure: whoever asked hears it and decides what that means; nothing is logged here. A thread that
 * ends while one runs tells it so (RD_EGONE). */
#include "agent/operation.h"

#include "agent/agents.h"
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

enum {
    OPERATIONS_MAX = 8, /* of a thread */
    ASIDE_MAX = 24,     /* of one without calls */
    JSON_MAX = 4 << 20,
    ASIDE_JSON_MAX = 32 << 20, /* files come this way */
    WHO_MAX = 64,
    MEMORY_MAX = 64 << 20,
    MEMORY_PER_BYTE = 8, /* of what it is about */
    BUDGET_MS = 600000,
    SLICE_MS = 600000 /* it steps aside for calls; some only compute */
};

/* Whom it tells: made by the poster, part of the message, then of the operation. */
struct listener {
    const atomic_bool *stop;
    uint32_t budget_ms;
    void (*line)(void *arg, struct rd_str json);
    void (*done)(void *arg, const struct operation_end *e);
    void *arg;
};

struct operation {
    struct activity *activity; /* owns us */
    struct listener *listener; /* owns; NULL: it was told the end */
    char who[WHO_MAX];
};

struct operation_shelf {
    struct tree *library;  /* refs */
    struct chunks *chunks; /* owns */
};

/* --- posting: any thread --- */

int operation_post(struct script_thread *t, const struct operation_order *o)
{
    struct rd_str s[] = {rd_str(o->kind), o->json, rd_str(o->who ? o->who : "ringdown")};
    struct listener *l;
    struct message *m;
    int rc = RD_EFULL;

    if (o->json.n > (size_t)(t->aside ? ASIDE_JSON_MAX : JSON_MAX) || s[2].n >= WHO_MAX)
        return RD_ETOOBIG;
    if (atomic_fetch_add(&t->n_operations, 1) >= (t->aside ? ASIDE_MAX : OPERATIONS_MAX))
        goto fail;
    rc = -ENOMEM;
    l = malloc(sizeof(*l));
    m = l ? message_new(MSG_OPERATE, 0, s, 3) : NULL;
    if (!m) {
        free(l);
        goto fail;
    }
    *l = (struct listener){.stop = o->stop,
                           .budget_ms = o->budget_ms ? o->budget_ms : BUDGET_MS,
                           .line = o->line,
                           .done = o->done,
                           .arg = o->arg};
    m->ptr = l;
    rc = mailbox_post(t->mailbox, m); /* takes the message, whatever comes of it */
    if (!rc)
        return 0;
    free(l);
fail:
    atomic_fetch_sub(&t->n_operations, 1);
    return rc;
}

/* --- the library --- */

static struct rd_str find_nothing(const void *arg, const char *path)
{
    (void)arg;
    (void)path;
    return (struct rd_str){NULL, 0};
}

static int shelf_new(struct operation_shelf **out, const char *library_path, struct buf *why)
{
    struct chunks_shelf library, own = {.name = "library", .find = find_nothing};
    struct operation_shelf *s = calloc(1, sizeof(*s));
    int rc = s ? agent_library_read(&s->library, library_path, why) : -ENOMEM;

    if (!rc) {
        library = tree_library_shelf(s->library);
        rc = chunks_new_shelves(&s->chunks, &library, &own);
    }
    if (rc && s) {
        tree_unref(s->library);
        free(s);
        return rc;
    }
    *out = s;
    return rc;
}

static void shelf_free(struct operation_shelf *s)
{
    if (!s)
        return;
    chunks_free(s->chunks);
    tree_unref(s->library);
    free(s);
}

/* --- the beginning --- */

static const char *word_of(int rc)
{
    return rc == RD_EGONE ? "this process ends" : rd_strerror(rc);
}

static void tell_end(const struct listener *l, int rc, struct rd_str text, const char *traceback)
{
    struct operation_end e = {.rc = rc, .text = text, .traceback = rd_str(traceback)};

    l->done(l->arg, &e);
}

static struct activity *operation_new(struct script_thread *t, const struct message *m)
{
    struct activity *a = calloc(1, sizeof(*a));
    struct operation *o = a ? calloc(1, sizeof(*o)) : NULL;

    if (!o) {
        free(a);
        return NULL;
    }
    o->activity = a;
    o->listener = m->ptr;
    (void)rd_str_copy(o->who, sizeof(o->who), m->s[2]);
    a->operation = o;
    a->thread = t;
    a->next = t->operations;
    t->operations = a;
    return a;
}

static int make_vm(struct activity *a, size_t about)
{
    uint32_t budget_ms = a->operation->listener->budget_ms;
    struct vm_opts opts = {.memory_max = MEMORY_MAX + MEMORY_PER_BYTE * about,
                           .slice_ms = budget_ms < SLICE_MS ? budget_ms : SLICE_MS,
                           .instructions_max = UINT64_MAX,
                           .chunks = a->thread->shelf->chunks,
                           .user = a};
    int rc = vm_new(&a->vm, &opts);

    if (rc)
        return rc;
    atomic_fetch_add_explicit(&a->thread->pool->vms, 1, memory_order_relaxed);
    return vm_preload(a->vm, "ringdown.host", api_open_operation);
}

static void start(struct activity *a, const struct message *m)
{
    uint32_t budget_ms = a->operation->listener->budget_ms;
    struct job *j = make_vm(a, m->s[1].n) ? NULL : job_new(a, JOB_OPERATION);

    if (!j) {
        operation_failed(a, -ENOMEM, word_of(-ENOMEM), "");
        return;
    }
    lua_pushlstring(vm_lua(a->vm), m->s[0].p, m->s[0].n);
    lua_pushlstring(vm_lua(a->vm), m->s[1].p, m->s[1].n);
    job_start_within(j, "operate", 2, budget_ms);
}

void operation_open(struct script_thread *t, const struct message *m)
{
    const char *library = t->pool->opts.library_path;
    struct listener *l = m->ptr;
    struct activity *a = NULL;
    struct buf why;
    int rc = t->stopping ? RD_EGONE : 0;

    buf_init(&why, 4096);
    if (!rc && !t->shelf)
        rc = shelf_new(&t->shelf, library, &why);
    if (!rc) {
        a = operation_new(t, m);
        rc = a ? 0 : -ENOMEM;
    }
    if (rc) {
        tell_end(l, rc, rd_str(why.n && buf_text(&why) ? why.data : word_of(rc)), "");
        free(l);
        atomic_fetch_sub(&t->n_operations, 1);
    } else {
        start(a, m);
    }
    buf_fini(&why);
}

/* --- while it runs --- */

void operation_tell(struct operation *o, struct rd_str json)
{
    if (o->listener && o->listener->line)
        o->listener->line(o->listener->arg, json);
}

bool operation_stopping(const struct operation *o)
{
    const struct listener *l = o->listener;

    return o->activity->thread->stopping || !l || (l->stop && atomic_load(l->stop));
}

const char *operation_who(const struct operation *o)
{
    return o->who;
}

bool operation_act_for(struct operation *o, struct rd_str who)
{
    return who.n < sizeof(o->who) && rd_str_copy(o->who, sizeof(o->who), who);
}

/* --- the end --- */

static void end(struct activity *a, int rc, struct rd_str text, const char *traceback)
{
    struct listener *l = a->operation->listener;

    a->operation->listener = NULL;
    tell_end(l, rc, text,
             traceback); /* may go on at once: with another operation, or by stopping */
    free(l);
    activity_free(a);
}

void operation_done(struct activity *a, struct rd_str result)
{
    end(a, 0, result, "");
}

void operation_failed(struct activity *a, int rc, const char *why, const char *traceback)
{
    end(a, rc ? rc : RD_ESCRIPT, rd_str(why), traceback);
}

void operation_free(struct operation *o)
{
    struct script_thread *t = o->activity->thread;
    struct activity **link = &t->operations;

    while (*link && *link != o->activity)
        link = &(*link)->next;
    if (*link)
        *link = o->activity->next;
    if (o->listener) {
        tell_end(o->listener, RD_EGONE, rd_str(word_of(RD_EGONE)), "");
        free(o->listener);
    }
    free(o);
    atomic_fetch_sub(&t->n_operations, 1);
}

void operation_free_all(struct script_thread *t)
{
    while (t->operations)
        activity_free(t->operations);
    shelf_free(t->shelf);
    t->shelf = NULL;
}
