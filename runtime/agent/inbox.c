/* SPDX-License-Identifier: Apache-2.0 */
/* inbox.c - letters to an errand, and the one task that may wait for them.
 *
 *   inbox_put(), inbox_ask() ─▶ letters ─ host.wait() ─▶ script      question ─ host.answer() ─▶ carrier
 *
 * - A letter that comes while the task waits wakes it at once.
 * - A question stays until it is answered; its letter may be read long before.
 *
 * Failure: a full inbox refuses (a question is then answered by the call's own script); an errand
 * that goes with questions open answers them with the fallback. */
#include "agent/inbox.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

enum { LETTERS_MAX = 32, LETTER_PUSHES = 3 };

struct letter {
    struct letter *next;
    struct message *text; /* owns: s[0] kind, s[1] JSON; aux: ticket or 0 */
};

struct question {
    struct question *next;
    struct message *asked; /* owns: as it came */
    uint64_t ticket;
};

struct inbox {
    struct script_thread *thread; /* borrows */
    struct letter *first, **last; /* own */
    struct question *questions;   /* own */
    unsigned n_letters;
    uint64_t last_ticket;
    struct task *waiting; /* borrows */
    struct loop_timer *timer;
};

static void on_timeout(void *arg)
{
    struct inbox *b = arg;
    struct task *t = b->waiting;

    b->waiting = NULL;
    if (t)
        task_resume(t, 0);
}

int inbox_new(struct inbox **out, struct script_thread *t)
{
    struct inbox *b = calloc(1, sizeof(*b));

    if (!b)
        return -ENOMEM;
    b->thread = t;
    b->last = &b->first;
    if (loop_timer_new(&b->timer, t->loop, on_timeout, b)) {
        free(b);
        return -ENOMEM;
    }
    *out = b;
    return 0;
}

/* --- letters --- */

static struct message *take(struct inbox *b)
{
    struct letter *l = b->first;
    struct message *text = l->text;

    b->first = l->next;
    if (!b->first)
        b->last = &b->first;
    b->n_letters--;
    free(l);
    return text;
}

static int push_letter(lua_State *L, const struct message *m)
{
    lua_pushlstring(L, m->s[0].p, m->s[0].n);
    lua_pushlstring(L, m->s[1].p, m->s[1].n);
    if (m->aux)
        lua_pushinteger(L, (lua_Integer)m->aux);
    else
        lua_pushnil(L);
    return LETTER_PUSHES;
}

static int push_protected(lua_State *L)
{
    return push_letter(L, lua_touserdata(L, 1));
}

/* Its memory is the script's: without any left it learns nothing, and finds so at its next step. */
static void wake(struct inbox *b)
{
    struct task *t = b->waiting;
    lua_State *L = vm_lua(task_vm(t));
    struct message *m = take(b);

    b->waiting = NULL;
    loop_timer_stop(b->timer);
    lua_pushcfunction(L, push_protected);
    lua_pushlightuserdata(L, m);
    if (lua_pcall(L, 1, LETTER_PUSHES, 0) == LUA_OK) {
        lua_xmove(L, task_lua(t), LETTER_PUSHES);
        task_resume(t, LETTER_PUSHES);
    } else {
        lua_pop(L, 1);
        task_resume(t, 0);
    }
    message_free(m);
}

static int put(struct inbox *b, struct rd_str kind, struct rd_str json, uint64_t ticket)
{
    struct letter *l;

    if (b->n_letters >= LETTERS_MAX)
        return RD_EFULL;
    l = calloc(1, sizeof(*l));
    if (!l)
        return -ENOMEM;
    l->text = message_new(MSG_ERRAND, 0, (struct rd_str[]){kind, json}, 2);
    if (!l->text) {
        free(l);
        return -ENOMEM;
    }
    l->text->aux = ticket;
    *b->last = l;
    b->last = &l->next;
    b->n_letters++;
    if (b->waiting)
        wake(b);
    return 0;
}

int inbox_put(struct inbox *b, struct rd_str kind, struct rd_str json)
{
    return put(b, kind, json, 0);
}

static void cancel_wait(void *arg)
{
    struct inbox *b = arg;

    b->waiting = NULL;
    loop_timer_stop(b->timer);
}

int inbox_wait(struct inbox *b, lua_State *L, struct task *t, uint32_t timeout_ms)
{
    if (b->waiting)
        return RD_ESTATE;
    if (b->first) {
        struct message *m = take(b);

        (void)push_letter(L, m);
        message_free(m);
        return LETTER_PUSHES;
    }
    b->waiting = t;
    loop_timer_in(b->timer, timeout_ms);
    return task_wait(L, cancel_wait, b);
}

/* --- questions --- */

int inbox_ask(struct inbox *b, const struct message *m)
{
    struct question *q = calloc(1, sizeof(*q));
    int rc = -ENOMEM;

    if (!q)
        return rc;
    q->asked = message_new(MSG_RESUME, m->call, m->s, 2);
    if (!q->asked)
        goto fail;
    q->asked->number = m->number;
    q->asked->aux = m->aux;
    q->ticket = ++b->last_ticket;
    rc = put(b, m->s[0], m->s[1], q->ticket);
    if (rc)
        goto fail;
    q->next = b->questions;
    b->questions = q;
    return 0;
fail:
    message_free(q->asked);
    free(q);
    return rc;
}

static void send_answer(struct inbox *b, const struct message *asked, struct rd_str how,
                        struct rd_str text)
{
    const struct script_opts *o = &b->thread->pool->opts;
    struct message *m = message_new(MSG_RESUMED, asked->call, (struct rd_str[]){how, text}, 2);

    if (!m)
        return; /* the webhook's own deadline answers */
    m->aux = asked->aux;
    o->to_media(o->arg, asked->number, m);
}

/* The errand has nothing to say to it: the call's own script decides. */
static void hand_on(struct inbox *b, const struct message *asked, struct rd_str form)
{
    struct rd_str s[] = {asked->s[0], form.n ? form : asked->s[1]};
    struct message *m = message_new(MSG_RESUME, asked->call, s, 2);

    if (!m)
        return;
    m->number = asked->number;
    m->aux = asked->aux;
    m->kind = RESUME_HANDED_ON;
    (void)mailbox_post(b->thread->mailbox, m);
}

int inbox_answer(struct inbox *b, uint64_t ticket, struct rd_str how, struct rd_str text)
{
    struct question **link = &b->questions, *q;

    while (*link && (*link)->ticket != ticket)
        link = &(*link)->next;
    q = *link;
    if (!q)
        return RD_ESTATE;
    *link = q->next;
    if (rd_str_eq(how, RD_STR("agent")))
        hand_on(b, q->asked, text);
    else
        send_answer(b, q->asked, how, text);
    message_free(q->asked);
    free(q);
    return 0;
}

void inbox_free(struct inbox *b)
{
    if (!b)
        return;
    while (b->questions)
        (void)inbox_answer(b, b->questions->ticket, RD_STR("fallback"), RD_STR("errand_over"));
    while (b->first)
        message_free(take(b));
    loop_timer_free(b->timer);
    free(b);
}
