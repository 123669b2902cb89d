/* SPDX-License-Identifier: Apache-2.0 */
/* fake_ws.c - see fake_ws.h. Defines every symbol of io/ws.h, so that the linker never takes the
 * real one from its archive. */
#include "fake_ws.h"

#include "base/err.h"
#include "io/loop.h"

#include <stdlib.h>
#include <string.h>

static struct fake_ws *of(const struct ws *w)
{
    return (struct fake_ws *)w;
}

int ws_connect(struct ws **out, const struct ws_connect_opts *o)
{
    (void)out;
    (void)o;
    return RD_ESTATE;
}

void ws_set_handlers(struct ws *w, const struct ws_handlers *h, void *arg)
{
    of(w)->handlers = h;
    of(w)->arg = arg;
}

int ws_sendv(struct ws *w, const struct iovec *iov, int n)
{
    struct fake_ws *f = of(w);
    size_t at = 0;

    if (f->result)
        return f->result;
    if (f->close_code)
        return RD_ESTATE;
    for (int i = 0; i < n; i++) {
        if (at + iov[i].iov_len >= sizeof(f->sent))
            abort();
        memcpy(f->sent + at, iov[i].iov_base, iov[i].iov_len);
        at += iov[i].iov_len;
    }
    f->sent[at] = '\0';
    f->sends++;
    return 0;
}

int ws_send(struct ws *w, const char *text, size_t n)
{
    struct iovec iov = {(void *)text, n};

    return ws_sendv(w, &iov, 1);
}

size_t ws_queued(const struct ws *w)
{
    (void)w;
    return 0;
}

void ws_close(struct ws *w, int code, const char *reason)
{
    (void)reason;
    if (!of(w)->close_code)
        of(w)->close_code = code;
}

void ws_drop(struct ws *w)
{
    of(w)->dropped = true;
}

void fake_ws_open(struct fake_ws *f, const struct ws_accept *accept)
{
    memset(f, 0, sizeof(*f));
    f->handlers = accept->handlers;
    f->arg = accept->arg;
    f->max_message = accept->max_message;
    if (f->handlers->open)
        f->handlers->open((struct ws *)f, f->arg);
}

void fake_ws_says(struct fake_ws *f, const char *text)
{
    static char message[FAKE_WS_SENT_BYTES];
    size_t n = strlen(text);

    if (n >= sizeof(message))
        abort();
    memcpy(message, text, n);
    f->handlers->text((struct ws *)f, message, n, f->arg);
}

void fake_ws_closed(struct fake_ws *f, enum ws_end why, int code)
{
    struct ws_closed c = {.why = why, .code = code};

    f->handlers->closed((struct ws *)f, &c, f->arg);
}

/* Timers ----------------------------------------------------------------------------------------
 */

struct loop_timer {
    loop_timer_cb *cb;
    void *arg;
    uint64_t at_ms; /* 0: idle */
    struct loop_timer *next;
};

static struct loop_timer *timers;
static uint64_t now_ms = 1;
static int fail_next;

int loop_timer_new(struct loop_timer **out, struct loop *l, loop_timer_cb *cb, void *arg)
{
    struct loop_timer *t;
    int rc = fail_next;

    (void)l;
    fail_next = 0;
    if (rc)
        return rc;
    t = calloc(1, sizeof(*t));
    if (!t)
        return RD_EFULL;
    t->cb = cb;
    t->arg = arg;
    t->next = timers;
    timers = t;
    *out = t;
    return 0;
}

void loop_timer_at(struct loop_timer *t, uint64_t at_ms)
{
    t->at_ms = at_ms;
}

void loop_timer_in(struct loop_timer *t, uint64_t delay_ms)
{
    t->at_ms = now_ms + delay_ms;
}

void loop_timer_stop(struct loop_timer *t)
{
    t->at_ms = 0;
}

void loop_timer_free(struct loop_timer *t)
{
    struct loop_timer **p = &timers;

    if (!t)
        return;
    while (*p != t)
        p = &(*p)->next;
    *p = t->next;
    free(t);
}

static struct loop_timer *due(void)
{
    for (struct loop_timer *t = timers; t; t = t->next)
        if (t->at_ms && t->at_ms <= now_ms)
            return t;
    return NULL;
}

void fake_timers_advance(uint64_t ms)
{
    struct loop_timer *t;

    now_ms += ms;
    while ((t = due())) {
        t->at_ms = 0;
        t->cb(t->arg);
    }
}

int fake_timers_alive(void)
{
    int n = 0;

    for (struct loop_timer *t = timers; t; t = t->next)
        n++;
    return n;
}

void fake_timers_fail_next(int rc)
{
    fail_next = rc;
}
