/* SPDX-License-Identifier: Apache-2.0 */
/* fake_io.c - connections and timers that a test moves by hand.
 *
 * Time stands still until fake_advance(). A connection that we closed or dropped gets its `closed`
 * from the next turn, as from the real loop, never from inside a call. A message is handed over in
 * a block of its own exact size, so that the address sanitizer sees every byte read beyond it. */
#include "unit/providers/fake_io.h"

#include "base/err.h"
#include "observe/alarm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_CONNECTIONS = 64, MAX_TIMERS = 64, MAX_MESSAGES = 64 };

struct ws {
    unsigned index;
    const struct ws_handlers *handlers;
    void *arg;
    bool open, ending;
    struct ws_closed end;
};

struct record {
    struct ws *ws; /* NULL once closed */
    char *url, *header;
    char *sent[MAX_MESSAGES];
    unsigned n_sent;
    size_t n_binary;
    bool dropped;
    int close_code;
};

struct loop_timer {
    loop_timer_cb *cb;
    void *arg;
    uint64_t at_ms; /* 0: idle */
};

static struct {
    uint64_t now_us;
    struct record connections[MAX_CONNECTIONS];
    unsigned n_connections;
    struct loop_timer *timers[MAX_TIMERS];
    bool drop_messages;
    int send_rc, connect_rc;
} io = {.now_us = 1000000};

/* --- time ------------------------------------------------------------------------------------ */

static uint64_t fake_now_us(void *arg)
{
    (void)arg;
    return io.now_us;
}

const struct clock *loop_clock(void)
{
    static const struct clock clock = {.now_us = fake_now_us};

    return &clock;
}

struct loop *fake_loop(void)
{
    return (struct loop *)(void *)&io;
}

int loop_timer_new(struct loop_timer **out, struct loop *l, loop_timer_cb *cb, void *arg)
{
    struct loop_timer *t = calloc(1, sizeof(*t));

    assert_ptr_equal(l, fake_loop());
    assert_non_null(t);
    t->cb = cb;
    t->arg = arg;
    for (int i = 0; i < MAX_TIMERS; i++)
        if (!io.timers[i]) {
            *out = io.timers[i] = t;
            return 0;
        }
    fail_msg("more than %d timers", MAX_TIMERS);
    return -1;
}

void loop_timer_at(struct loop_timer *t, uint64_t at_ms)
{
    t->at_ms = at_ms > 0 ? at_ms : 1;
}

void loop_timer_in(struct loop_timer *t, uint64_t delay_ms)
{
    loop_timer_at(t, io.now_us / 1000 + delay_ms);
}

void loop_timer_stop(struct loop_timer *t)
{
    t->at_ms = 0;
}

void loop_timer_free(struct loop_timer *t)
{
    for (int i = 0; t && i < MAX_TIMERS; i++)
        if (io.timers[i] == t)
            io.timers[i] = NULL;
    free(t);
}

static struct loop_timer *next_timer(uint64_t until_ms)
{
    struct loop_timer *next = NULL;

    for (int i = 0; i < MAX_TIMERS; i++) {
        struct loop_timer *t = io.timers[i];

        if (t && t->at_ms && t->at_ms <= until_ms && (!next || t->at_ms < next->at_ms))
            next = t;
    }
    return next;
}

static void close_due(void)
{
    for (unsigned i = 0; i < io.n_connections; i++) {
        struct ws *w = io.connections[i].ws;

        if (!w || !w->ending)
            continue;
        io.connections[i].ws = NULL;
        w->handlers->closed(w, &w->end, w->arg);
        free(w);
    }
}

void fake_advance(uint64_t ms)
{
    uint64_t until_ms = io.now_us / 1000 + ms;
    struct loop_timer *t;
    int guard = 0;

    close_due();
    while ((t = next_timer(until_ms))) {
        assert_true(guard++ < 100000); /* a timer that is always due spins for ever */
        if (t->at_ms * 1000 > io.now_us)
            io.now_us = t->at_ms * 1000;
        t->at_ms = 0;
        t->cb(t->arg);
        close_due();
    }
    io.now_us = until_ms * 1000;
}

void fake_turn(void)
{
    fake_advance(0);
}

void fake_io_reset(void)
{
    alarm_reset();
    fake_turn();
    for (unsigned i = 0; i < io.n_connections; i++) {
        struct record *r = &io.connections[i];

        if (r->ws)
            fail_msg("connection %u was neither closed nor dropped", i);
        free(r->url);
        free(r->header);
        for (unsigned n = 0; n < MAX_MESSAGES; n++)
            free(r->sent[n]);
    }
    for (int i = 0; i < MAX_TIMERS; i++)
        assert_null(io.timers[i]);
    memset(&io, 0, sizeof(io));
    io.now_us = 1000000;
}

/* --- connections ----------------------------------------------------------------------------- */

int ws_connect(struct ws **out, const struct ws_connect_opts *o)
{
    struct record *r = &io.connections[io.n_connections];
    struct ws *w;
    int rc = io.connect_rc;

    io.connect_rc = 0;
    if (rc)
        return rc;
    assert_true(io.n_connections < MAX_CONNECTIONS);
    assert_ptr_equal(o->loop, fake_loop());
    w = calloc(1, sizeof(*w));
    assert_non_null(w);
    w->index = io.n_connections++;
    w->handlers = o->handlers;
    w->arg = o->arg;
    r->ws = w;
    r->url = strdup(o->url);
    r->header = strdup(o->header && o->header[0] ? o->header[0] : "");
    *out = w;
    return 0;
}

void ws_set_handlers(struct ws *w, const struct ws_handlers *h, void *arg)
{
    w->handlers = h;
    w->arg = arg;
}

int ws_sendv(struct ws *w, const struct iovec *iov, int n)
{
    struct record *r = &io.connections[w->index];
    size_t size = 0;
    char *text;
    int rc = io.send_rc;

    io.send_rc = 0;
    if (rc)
        return rc;
    if (!w->open || w->ending)
        return RD_ESTATE;
    r->n_sent++;
    if (io.drop_messages)
        return 0;
    for (int i = 0; i < n; i++)
        size += iov[i].iov_len;
    text = malloc(size + 1);
    assert_non_null(text);
    size = 0;
    for (int i = 0; i < n; i++) {
        memcpy(text + size, iov[i].iov_base, iov[i].iov_len);
        size += iov[i].iov_len;
    }
    text[size] = '\0';
    free(r->sent[(r->n_sent - 1) % MAX_MESSAGES]);
    r->sent[(r->n_sent - 1) % MAX_MESSAGES] = text;
    return 0;
}

int ws_send(struct ws *w, const char *text, size_t n)
{
    struct iovec iov = {(void *)(uintptr_t)text, n};

    return ws_sendv(w, &iov, 1);
}

int ws_send_binary(struct ws *w, const void *bytes, size_t n)
{
    int rc = io.send_rc;

    (void)bytes;
    io.send_rc = 0;
    if (rc)
        return rc;
    if (!w->open || w->ending)
        return RD_ESTATE;
    io.connections[w->index].n_binary += n;
    return 0;
}

size_t ws_queued(const struct ws *w)
{
    (void)w;
    return 0;
}

void ws_close(struct ws *w, int code, const char *reason)
{
    (void)reason;
    io.connections[w->index].close_code = code;
    if (!w->ending)
        w->end = (struct ws_closed){.why = WS_END_US};
    w->ending = true;
}

void ws_drop(struct ws *w)
{
    io.connections[w->index].dropped = true;
    if (!w->ending)
        w->end = (struct ws_closed){.why = WS_END_US};
    w->ending = true;
}

/* --- the peer -------------------------------------------------------------------------------- */

static struct ws *live(unsigned i)
{
    assert_true(i < io.n_connections);
    assert_non_null(io.connections[i].ws);
    return io.connections[i].ws;
}

unsigned fake_dials(void)
{
    return io.n_connections;
}

struct ws *fake_ws(unsigned i)
{
    return i < io.n_connections ? io.connections[i].ws : NULL;
}

const char *fake_url(unsigned i)
{
    return io.connections[i].url;
}

const char *fake_header(unsigned i)
{
    return io.connections[i].header;
}

void fake_open(unsigned i)
{
    struct ws *w = live(i);

    w->open = true;
    if (w->handlers->open)
        w->handlers->open(w, w->arg);
}

void fake_text_n(unsigned i, const char *json, size_t n)
{
    struct ws *w = live(i);
    char *copy = malloc(n);

    assert_non_null(copy);
    memcpy(copy, json, n);
    w->handlers->text(w, copy, n, w->arg);
    free(copy);
}

void fake_text(unsigned i, const char *json)
{
    fake_text_n(i, json, strlen(json));
}

void fake_binary(unsigned i, const void *bytes, size_t n)
{
    struct ws *w = live(i);
    char *copy = malloc(n);

    assert_non_null(copy);
    assert_non_null(w->handlers->binary);
    memcpy(copy, bytes, n);
    w->handlers->binary(w, copy, n, w->arg);
    free(copy);
}

void fake_end(unsigned i, enum ws_end why, int code, int err, const char *reason)
{
    struct ws *w = live(i);
    char *copy = strdup(reason);
    struct ws_closed c = {.why = why, .code = code, .err = err, .reason = rd_str(copy)};

    io.connections[i].ws = NULL;
    w->handlers->closed(w, &c, w->arg);
    free(copy);
    free(w);
}

unsigned fake_sent_count(unsigned i)
{
    return io.connections[i].n_sent;
}

const char *fake_sent(unsigned i, unsigned n)
{
    const struct record *r = &io.connections[i];

    if (i >= io.n_connections || n >= r->n_sent || r->n_sent - n > MAX_MESSAGES)
        return "";
    return r->sent[n % MAX_MESSAGES] ? r->sent[n % MAX_MESSAGES] : "";
}

const char *fake_last(unsigned i)
{
    return fake_sent_count(i) ? fake_sent(i, fake_sent_count(i) - 1) : "";
}

size_t fake_binary_sent(unsigned i)
{
    return io.connections[i].n_binary;
}

bool fake_dropped(unsigned i)
{
    return io.connections[i].dropped;
}

int fake_close_code(unsigned i)
{
    return io.connections[i].close_code;
}

void fake_keep_messages(bool keep)
{
    io.drop_messages = !keep;
}

void fake_send_fails(int rc)
{
    io.send_rc = rc;
}

void fake_connect_fails(int rc)
{
    io.connect_rc = rc;
}
