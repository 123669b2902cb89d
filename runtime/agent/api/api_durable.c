/* SPDX-License-Identifier: Apache-2.0 */
/* api_durable.c - a script waits until everything recorded so far is on the disk, and for a moment until
 * PostgreSQL has it: what writes do before they have their effect. Should this machine die in the middle
 * of one, whoever goes on with the call knows that it was asked for.
 *
 *   host.durable() ─ ticket, barrier ─▶ journal thread ─ MSG_DURABLE, ticket ─▶ this thread ─▶ goes on
 *
 * A ticket is a number, because the task may be gone (the caller hung up, a deadline passed) when
 * the journal answers; a ticket nobody waits for is thrown away. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"
#include "store/journal.h"

#include <errno.h>
#include <stdlib.h>

struct durable_wait {
    struct durable_wait *next;
    struct script_thread *thread; /* borrows */
    struct task *task;            /* borrows */
    uint64_t ticket;
};

/* What the journal thread holds meanwhile. The script thread waits for it before it goes. */
struct ticket {
    struct script_thread *thread; /* borrows: only mailbox and n_tickets */
    uint64_t number;
};

static void unlink_wait(struct durable_wait *w)
{
    struct durable_wait **link = &w->thread->durable;

    while (*link && *link != w)
        link = &(*link)->next;
    if (*link)
        *link = w->next;
}

static void cancel_wait(void *arg)
{
    unlink_wait(arg);
    free(arg);
}

/* A thread of the journal, or the shipper's. */
static void on_durable(void *arg, int rc)
{
    struct ticket *t = arg;
    struct message *m = message_new(MSG_DURABLE, 0, NULL, 0);

    if (m) {
        m->aux = t->number;
        m->kind = rc;
        (void)mailbox_post(t->thread->mailbox, m);
    }
    atomic_fetch_sub(&t->thread->n_tickets, 1);
    free(t);
}

static int push_answer(lua_State *L, int rc)
{
    if (rc == 0) {
        lua_pushboolean(L, 1);
        lua_pushnil(L);
    } else {
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(rc));
    }
    return 2;
}

void api_durable_arrived(struct script_thread *t, const struct message *m)
{
    struct durable_wait *w = t->durable;
    struct task *task;

    while (w && w->ticket != m->aux)
        w = w->next;
    if (!w)
        return;
    task = w->task;
    cancel_wait(w);
    task_resume(task, push_answer(task_lua(task), m->kind));
}

static int ask_journal(struct journal *j, const struct durable_wait *w)
{
    struct ticket *t = malloc(sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    *t = (struct ticket){.thread = w->thread, .number = w->ticket};
    atomic_fetch_add(&w->thread->n_tickets, 1);
    rc = journal_barrier_shared(j, on_durable, t);
    if (rc) {
        atomic_fetch_sub(&w->thread->n_tickets, 1);
        free(t);
    }
    return rc;
}

/* host.durable() -> true | nil, message: what was recorded so far is on the disk  (waits) */
static int host_durable(lua_State *L)
{
    struct task *task = task_check_wait(L);
    struct activity *a = vm_user(vm_of(L));
    struct script_thread *t = a->thread;
    struct durable_wait *w;
    int rc = -ENOMEM;

    if (!t->pool->opts.journal)
        return push_answer(L, 0);
    w = calloc(1, sizeof(*w));
    if (w) {
        *w = (struct durable_wait){t->durable, t, task, ++t->last_ticket};
        t->durable = w;
        rc = ask_journal(t->pool->opts.journal, w);
        if (rc)
            cancel_wait(w);
    }
    return rc ? push_answer(L, rc) : task_wait(L, cancel_wait, w);
}

void api_durable_register(lua_State *L)
{
    static const luaL_Reg functions[] = {{"durable", host_durable}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
