/* SPDX-License-Identifier: Apache-2.0 */
/* mailbox.c - many threads post, one loop receives.
 *
 *   used = queued without a credit + reserved       used <= capacity, always
 *
 * A credit is a reserved place. Posting with one moves it from "left" to the message; receiving
 * moves it back. So the queue holds at most `capacity` messages and a post with a credit cannot
 * fail, however full of others the box is.
 *
 * - The queue is a list through the messages: posting allocates nothing.
 * - The loop is woken (uv_async) when the queue stops being empty; it receives in batches, so that
 *   a flood of messages does not starve its sockets.
 * - Credits outlive their owner until the last message that used one was received.
 *
 * Failure modes: a refused message is freed at once, so that the poster has one path. */
#include "io/mailbox.h"

#include "base/err.h"
#include "io/loop_private.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { RECEIVE_BATCH = 256 };

struct mailbox {
    uv_async_t async;
    struct loop *loop;
    mailbox_receive_fn *receive;
    void *arg;

    pthread_mutex_t lock;
    struct message *first, **last;
    size_t capacity;
    size_t queued;              /* all messages in the list */
    size_t plain;               /* those without a credit */
    size_t reserved;            /* places that belong to credits, used or not */
    size_t worst, worst_before; /* queued at once, in this window and the one before */
    uint64_t window_ms;         /* this one began */
    bool closed;
};

struct credits {
    struct mailbox *mb; /* borrows */
    unsigned left;      /* places not in use */
    unsigned in_flight; /* places used by queued messages */
    bool freed;
};

/* Under the lock. Returns the credits to free, if this was their last message. */
static struct credits *credit_returns(struct mailbox *mb, struct message *m)
{
    struct credits *c = m->credits;

    m->credits = NULL;
    if (!c) {
        mb->plain--;
        return NULL;
    }
    c->in_flight--;
    if (!c->freed) {
        c->left++;
        return NULL;
    }
    mb->reserved--;
    return c->in_flight == 0 ? c : NULL;
}

static struct message *take(struct mailbox *mb)
{
    struct credits *done = NULL;
    struct message *m;

    pthread_mutex_lock(&mb->lock);
    m = mb->first;
    if (m) {
        mb->first = m->next;
        if (!mb->first)
            mb->last = &mb->first;
        mb->queued--;
        m->next = NULL;
        done = credit_returns(mb, m);
    }
    pthread_mutex_unlock(&mb->lock);
    free(done);
    return m;
}

static void on_async(uv_async_t *h)
{
    struct mailbox *mb = h->data;
    int n;

    loop_woke(mb->loop);
    for (n = 0; n < RECEIVE_BATCH; n++) {
        struct message *m;

        if (uv_is_closing((uv_handle_t *)h))
            return; /* freed by a receiver */
        m = take(mb);
        if (!m)
            return;
        mb->receive(m, mb->arg);
    }
    if (!uv_is_closing((uv_handle_t *)h))
        uv_async_send(h);
}

int mailbox_new(struct mailbox **out, struct loop *l, size_t capacity, mailbox_receive_fn *receive,
                void *arg)
{
    struct mailbox *mb = calloc(1, sizeof(*mb));
    int rc;

    if (!mb)
        return -ENOMEM;
    mb->loop = l;
    mb->capacity = capacity;
    mb->receive = receive;
    mb->arg = arg;
    mb->last = &mb->first;
    rc = uv_async_init(loop_uv(l), &mb->async, on_async);
    if (rc) {
        free(mb);
        return rc;
    }
    pthread_mutex_init(&mb->lock, NULL);
    mb->async.data = mb;
    *out = mb;
    return 0;
}

static void free_mailbox(uv_handle_t *h)
{
    struct mailbox *mb = h->data;

    pthread_mutex_destroy(&mb->lock);
    free(mb);
}

void mailbox_free(struct mailbox *mb)
{
    struct message *m;

    if (!mb)
        return;
    mailbox_close(mb);
    while ((m = take(mb)))
        message_free(m);
    uv_close((uv_handle_t *)&mb->async, free_mailbox);
}

void mailbox_close(struct mailbox *mb)
{
    pthread_mutex_lock(&mb->lock);
    mb->closed = true;
    pthread_mutex_unlock(&mb->lock);
}

/* Under the lock. Waking inside it keeps mailbox_close() the last moment the handle is touched. */
static void append(struct mailbox *mb, struct message *m)
{
    m->next = NULL;
    m->sent_us = clock_us(loop_clock());
    *mb->last = m;
    mb->last = &m->next;
    if (mb->queued++ == 0)
        uv_async_send(&mb->async);
    if (mb->queued > mb->worst)
        mb->worst = mb->queued;
}

int mailbox_post(struct mailbox *mb, struct message *m)
{
    int rc = 0;

    pthread_mutex_lock(&mb->lock);
    m->credits = NULL;
    if (mb->closed)
        rc = RD_EGONE;
    else if (mb->plain + mb->reserved >= mb->capacity)
        rc = RD_EFULL;
    else {
        mb->plain++;
        append(mb, m);
    }
    pthread_mutex_unlock(&mb->lock);
    if (rc)
        message_free(m);
    return rc;
}

int credits_new(struct credits **out, struct mailbox *mb, unsigned n)
{
    struct credits *c = calloc(1, sizeof(*c));
    int rc = 0;

    if (!c)
        return -ENOMEM;
    c->mb = mb;
    c->left = n;
    pthread_mutex_lock(&mb->lock);
    if (mb->closed)
        rc = RD_EGONE;
    else if (n > mb->capacity - mb->plain - mb->reserved)
        rc = RD_EFULL;
    else
        mb->reserved += n;
    pthread_mutex_unlock(&mb->lock);
    if (rc) {
        free(c);
        return rc;
    }
    *out = c;
    return 0;
}

int credits_post(struct credits *c, struct message *m, bool final)
{
    struct mailbox *mb = c->mb;
    int rc = 0;

    pthread_mutex_lock(&mb->lock);
    if (mb->closed)
        rc = RD_EGONE;
    else if (c->left < (final ? 1U : 2U))
        rc = RD_EFULL;
    else {
        c->left--;
        c->in_flight++;
        m->credits = c;
        append(mb, m);
    }
    pthread_mutex_unlock(&mb->lock);
    if (rc)
        message_free(m);
    return rc;
}

void credits_free(struct credits *c)
{
    struct mailbox *mb;
    bool now;

    if (!c)
        return;
    mb = c->mb;
    pthread_mutex_lock(&mb->lock);
    mb->reserved -= c->left;
    c->left = 0;
    c->freed = true;
    now = c->in_flight == 0;
    pthread_mutex_unlock(&mb->lock);
    if (now)
        free(c);
}

size_t mailbox_depth(struct mailbox *mb)
{
    size_t n;

    pthread_mutex_lock(&mb->lock);
    n = mb->queued;
    pthread_mutex_unlock(&mb->lock);
    return n;
}

size_t mailbox_worst(struct mailbox *mb, uint64_t now_ms, uint64_t window_ms)
{
    size_t n;

    pthread_mutex_lock(&mb->lock);
    if (now_ms - mb->window_ms >= window_ms) {
        mb->worst_before = mb->worst;
        mb->worst = mb->queued;
        mb->window_ms = now_ms;
    }
    n = mb->worst > mb->worst_before ? mb->worst : mb->worst_before;
    pthread_mutex_unlock(&mb->lock);
    return n;
}

size_t mailbox_reserved(struct mailbox *mb)
{
    size_t n;

    pthread_mutex_lock(&mb->lock);
    n = mb->reserved;
    pthread_mutex_unlock(&mb->lock);
    return n;
}
