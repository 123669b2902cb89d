/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.c - one request per connection: read it, ask the handler, answer, close.
 *
 *   STARTING ─TLS up─▶ HEAD ─▶ BODY ─▶ HANDLER ─http_reply─▶ REPLYING ─▶ freed
 *                       │             └─http_stream─▶ STREAM ─http_stream_end─┘
 *                       └─upgrade─▶ the connection goes to a struct ws
 *
 * - One timer per connection holds the deadline of the state it is in. In HANDLER there is none:
 *   whoever answers later has its own.
 * - Who opens connections and does not ask must not keep others out: see displace().
 * - What a peer sends behind its request is thrown away, a flood of it is no longer read.
 * - http_request_end() is the only way out; the memory goes at the end of the turn, so a handler may do
 *   anything to the request it is called with.
 *
 * Failure modes: broken requests are answered with their status (http_parse.h) and counted as
 * refused; a peer that is gone or too slow is dropped. */
#include "io/http_server.h"

#include "base/err.h"

#include "io/conn.h"
#include "io/http_parse.h"
#include "io/http_reply.h"
#include "io/http_server_private.h"
#include "io/peer.h"
#include "io/ws_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    HEAD_MS = 5000,
    BODY_MS = 10000,
    WRITE_MS = 10000,
    LINGER_MS = 2000,
    MAX_BODY = 64 << 10,
    MAX_CONNECTIONS = 1024,
    IGNORED_BYTES = 256 << 10, /* behind a request, before we stop reading */
    REPLY_MAX = 256 << 20,
    LONG_BODIES = 16
};

/* --- the end ---------------------------------------------------------------------------------- */

static void on_ending(struct loop_flush *f)
{
    struct http_request *r =
        (struct http_request *)((char *)f - offsetof(struct http_request, ending));

    http_head_fini(&r->head);
    free(r->body);
    free(r);
}

void http_request_end(struct http_request *r)
{
    if (r->state == R_ENDED)
        return;
    r->state = R_ENDED;
    conn_close(r->conn);
    r->conn = NULL;
    loop_timer_free(r->timer);
    r->timer = NULL;
    r->prev->next = r->next;
    r->next->prev = r->prev;
    r->server->open--;
    r->server->n_long -= r->is_long;
    r->server = NULL;
    loop_flush_later(r->loop, &r->ending);
}

static void gone(struct http_request *r)
{
    struct http_server *s = r->server;
    bool asked = r->state == R_HANDLER || r->state == R_STREAM;

    if (r->forward) { /* whoever answers is told by its connection; no handler waits */
        forward_cancel(r->forward);
        http_request_end(r);
        return;
    }

    /* Marked first: a handler that answers a gone request all the same does nothing. */
    if (asked)
        r->state = R_REPLYING;
    if (asked && s->o.handlers->on_gone)
        s->o.handlers->on_gone(r, s->o.arg);
    http_request_end(r);
}

/* Its place may be taken: nobody here works for it, and its answer, if any, is on its way. */
static bool is_idle(const struct http_request *r)
{
    return r->state != R_HANDLER && r->state != R_STREAM && conn_queued(r->conn) == 0;
}

/* Makes room for a newcomer from that peer. False when everybody is served. */
static bool displace(struct http_server *s, const char *peer)
{
    struct http_request *oldest = NULL, *r;

    for (r = s->requests.next; r != &s->requests; r = r->next) {
        if (!is_idle(r))
            continue;
        if (!oldest)
            oldest = r;
        if (strcmp(r->peer, peer) == 0) {
            oldest = r;
            break;
        }
    }
    if (!oldest)
        return false;
    s->counts.displaced++;
    http_request_end(oldest);
    return true;
}

/* --- replies ---------------------------------------------------------------------------------- */

static void reply(struct http_request *r, int status, const char *type, const char *extra,
                  struct rd_str body)
{
    bool no_body = r->head.started && rd_str_eq(http_method(r), RD_STR("HEAD"));

    r->state = R_REPLYING;
    loop_timer_stop(r->timer);
    if (http_reply_write(r->conn, status, type, extra, body, !no_body) ||
        conn_finish(r->conn, WRITE_MS, LINGER_MS))
        http_request_end(r);
}

void http_reply(struct http_request *r, int status, const char *type, struct rd_str body)
{
    http_reply_with(r, status, type, NULL, body);
}

void http_reply_with(struct http_request *r, int status, const char *type, const char *extra,
                     struct rd_str body)
{
    if (r->state == R_HANDLER)
        reply(r, status, type, extra, body);
}

void http_hang_up(struct http_request *r)
{
    if (r->state == R_HANDLER)
        http_request_end(r);
}

static void count_refusal(struct http_counts *n, int status)
{
    if (status == 413 || status == 431)
        n->too_big++;
    else if (status == 503)
        n->no_room++;
    else if (status != 408) /* on_timer() has counted it */
        n->refused++;
}

static void refuse(struct http_request *r, int status, const char *extra)
{
    struct http_server *s = r->server;
    struct http_refusal told = {.extra = extra, .body = RD_STR("")};

    count_refusal(&s->counts, status);
    if (s->o.handlers->refusal)
        s->o.handlers->refusal(status, &told, s->o.arg);
    reply(r, status, told.type, told.extra, told.body);
}

/* --- streams ---------------------------------------------------------------------------------- */

int http_stream(struct http_request *r, const char *type, const char *extra, size_t max_queued)
{
    int rc;

    if (r->state != R_HANDLER)
        return RD_ESTATE;
    if (r->ignored > 0)
        return RD_EPROTO;
    rc = http_reply_stream(r->conn, 200, type, extra, HTTP_ENDLESS);
    if (rc)
        return rc;
    r->state = R_STREAM;
    r->stream_max = max_queued;
    return 0;
}

int http_pieces(struct http_request *r, int status, const char *type, const char *extra,
                uint64_t n_body, size_t max_queued)
{
    int rc;

    if (r->state != R_HANDLER)
        return RD_ESTATE;
    rc = http_reply_stream(r->conn, status, type, extra, n_body);
    if (rc)
        return rc;
    r->state = R_STREAM;
    r->has_end = true;
    r->stream_max = max_queued;
    return 0;
}

int http_stream_write(struct http_request *r, struct rd_str bytes)
{
    if (r->state != R_STREAM)
        return RD_ESTATE;
    if (conn_queued(r->conn) + bytes.n > r->stream_max)
        return RD_EFULL;
    return conn_write(r->conn, bytes.p, bytes.n);
}

size_t http_stream_queued(const struct http_request *r)
{
    return r->state == R_STREAM ? conn_queued(r->conn) : 0;
}

void http_stream_end(struct http_request *r)
{
    if (r->state != R_STREAM)
        return;
    r->state = R_REPLYING;
    if (conn_finish(r->conn, WRITE_MS, LINGER_MS))
        http_request_end(r);
}

/* --- upgrades --------------------------------------------------------------------------------- */

/* 24 base64 characters that stand for 16 bytes. */
static bool key_is_right(struct rd_str key)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t i;

    if (key.n != 24 || key.p[22] != '=' || key.p[23] != '=')
        return false;
    for (i = 0; i < 22; i++) {
        if (!memchr(digits, key.p[i], sizeof(digits) - 1))
            return false;
    }
    return true;
}

static void refuse_handshake(struct http_request *r)
{
    struct rd_str version = http_head_get(&r->head, "sec-websocket-version");

    if (version.p && !rd_str_eq(version, RD_STR("13")))
        refuse(r, 426, "upgrade: websocket\r\nsec-websocket-version: 13\r\n");
    else
        refuse(r, 400, NULL);
}

static void accept_upgrade(struct http_request *r, struct ws *w, const struct ws_accept *a, char *p,
                           size_t n)
{
    struct conn *c = r->conn;
    char key[WS_KEY_CAP];

    if (!ws_accept_key(key, http_head_get(&r->head, "sec-websocket-key")) ||
        http_reply_upgrade(c, key)) {
        /* The handler has said yes and must hear of the end. */
        r->conn = NULL;
        http_request_end(r);
        w->conn = c;
        ws_end(w, WS_END_LOST, 0, -ENOMEM, (struct rd_str){"", 0}, false);
        return;
    }
    r->server->counts.upgrades++;
    r->conn = NULL;
    http_request_end(r);
    ws_begin(w, c, a->max_message, p, n);
}

static void take_handlers(struct ws *w, const struct ws_accept *a)
{
    w->max_wait_ms = a->max_wait_ms;
    w->handlers = a->handlers;
    w->arg = a->arg;
    w->max_output = a->max_output;
}

int http_upgrade(struct http_request *r, const struct ws_accept *a)
{
    struct ws *w;
    int rc;

    if (r->state != R_HANDLER)
        return RD_ESTATE;
    rc = ws_make(&w, r->server->o.loop, true);
    if (rc)
        return rc;
    take_handlers(w, a);
    accept_upgrade(r, w, a, NULL, 0);
    return 0;
}

static void upgrade(struct http_request *r, char *p, size_t n)
{
    const struct http_server_opts *o = &r->server->o;
    struct ws_accept a = {0};
    struct ws *w;
    int status;

    if (!rd_str_eq(http_method(r), RD_STR("GET")) || r->head.minor < 1 || r->head.length > 0 ||
        !http_head_has_token(&r->head, "connection", "upgrade") ||
        !rd_str_eq(http_head_get(&r->head, "sec-websocket-version"), RD_STR("13")) ||
        !key_is_right(http_head_get(&r->head, "sec-websocket-key"))) {
        refuse_handshake(r);
        return;
    }
    if (ws_make(&w, o->loop, true)) {
        refuse(r, 503, NULL);
        return;
    }
    status = o->handlers->on_upgrade ? o->handlers->on_upgrade(r, &a, o->arg) : 404;
    if (r->forward) {
        ws_discard(w);
        forward_upgrade(r->forward, p, n);
        return;
    }
    if (status == 0 && r->state == R_HEAD) {
        take_handlers(w, &a);
        accept_upgrade(r, w, &a, p, n);
        return;
    }
    ws_discard(w);
    if (status == HTTP_UPGRADE_LATER && r->state == R_HEAD) {
        r->state = R_HANDLER;
        loop_timer_stop(r->timer);
        return;
    }
    if (r->state == R_HEAD) /* whoever refused it has counted it */
        reply(r, status, a.refusal_type, NULL, a.refusal.p ? a.refusal : RD_STR(""));
}

/* --- reading ---------------------------------------------------------------------------------- */

static void ask_handler(struct http_request *r)
{
    struct http_server *s = r->server;

    r->state = R_HANDLER;
    loop_timer_stop(r->timer);
    s->counts.requests++;
    s->o.handlers->on_request(r, s->o.arg);
}

static void take_body(struct http_request *r, const char *p, size_t n)
{
    size_t left = (size_t)r->head.length - r->n_body;

    if (n > left) {
        r->ignored += n - left;
        n = left;
    }
    memcpy(r->body + r->n_body, p, n);
    r->n_body += n;
    if (r->n_body == r->head.length)
        ask_handler(r);
}

/* 0, or the status it is refused with. */
static int body_refusal(struct http_request *r)
{
    struct http_server *s = r->server;

    if (r->head.length <= s->o.max_body)
        return 0;
    if (!s->o.handlers->body_max || r->head.length > s->o.handlers->body_max(r, s->o.arg))
        return 413;
    if (s->n_long >= s->o.max_long)
        return 503;
    r->is_long = true;
    s->n_long++;
    return 0;
}

static void head_is_whole(struct http_request *r, char *p, size_t n)
{
    int status;

    if (http_head_has_token(&r->head, "upgrade", "websocket")) {
        upgrade(r, p, n);
        return;
    }
    status = body_refusal(r);
    if (status) {
        refuse(r, status, NULL);
        return;
    }
    if (r->head.length == 0) {
        r->ignored += n;
        ask_handler(r);
        return;
    }
    r->body = malloc((size_t)r->head.length);
    if (!r->body) {
        refuse(r, 503, NULL);
        return;
    }
    r->state = R_BODY;
    loop_timer_in(r->timer, r->server->o.body_ms);
    if (r->head.expects_continue && n == 0)
        conn_write(r->conn, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    take_body(r, p, n);
}

static void take_head(struct http_request *r, char *p, size_t n)
{
    size_t used;
    int rc = http_head_feed(&r->head, p, n, &used);

    if (rc < 0)
        refuse(r, -rc, NULL);
    else if (rc == 1)
        head_is_whole(r, p + used, n - used);
}

static void on_data(struct conn *c, char *p, size_t n, void *owner)
{
    struct http_request *r = owner;

    if (r->state == R_HEAD) {
        take_head(r, p, n);
    } else if (r->state == R_BODY) {
        take_body(r, p, n);
    } else if (r->state == R_STREAM && !r->has_end) {
        gone(r); /* who listens has nothing more to say */
    } else {
        r->ignored += n;
        if (r->ignored > IGNORED_BYTES)
            conn_stop_reading(c);
    }
}

static void on_ready(struct conn *c, void *owner)
{
    struct http_request *r = owner;

    (void)c;
    r->state = R_HEAD;
    if (r->busy)
        refuse(r, 503, "retry-after: 1\r\n");
}

static void on_broken(struct conn *c, int err, const char *text, void *owner)
{
    (void)c;
    (void)err;
    (void)text;
    gone(owner);
}

static void on_finished(struct conn *c, void *owner)
{
    (void)c;
    http_request_end(owner);
}

static const struct conn_ops ops = {
    .ready = on_ready, .data = on_data, .broken = on_broken, .finished = on_finished};

static void on_timer(void *arg)
{
    struct http_request *r = arg;

    r->server->counts.timeouts++;
    if (r->state == R_STARTING || r->head.n == 0)
        http_request_end(r); /* it never said anything */
    else
        refuse(r, 408, NULL);
}

/* --- life ------------------------------------------------------------------------------------- */

int http_server_new(struct http_server **out, const struct http_server_opts *o)
{
    struct http_server *s = calloc(1, sizeof(*s));

    if (!s)
        return -ENOMEM;
    s->o = *o;
    if (s->o.max_body == 0)
        s->o.max_body = MAX_BODY;
    if (s->o.head_ms == 0)
        s->o.head_ms = HEAD_MS;
    if (s->o.body_ms == 0)
        s->o.body_ms = BODY_MS;
    if (s->o.max_long == 0)
        s->o.max_long = LONG_BODIES;
    if (s->o.max_connections == 0)
        s->o.max_connections = MAX_CONNECTIONS;
    s->requests.next = s->requests.prev = &s->requests;
    *out = s;
    return 0;
}

static void read_peer(struct http_request *r, int fd)
{
    struct sockaddr_storage a = {0};
    socklen_t n = sizeof(a);

    getpeername(fd, (struct sockaddr *)&a, &n);
    r->is_local = a.ss_family == AF_UNIX;
    if (r->is_local)
        peer_user(r->peer, fd);
    else
        peer_text(r->peer, &a);
}

int http_server_adopt(struct http_server *s, int fd)
{
    struct conn_opts o = {.loop = s->o.loop, .ops = &ops, .max_output = REPLY_MAX};
    struct http_request *r;
    int rc;

    /* Those who are told "503" are connections too; there is an end to that. */
    if (s->open >= 2 * s->o.max_connections) {
        s->counts.no_room++;
        close(fd);
        return 0;
    }
    r = calloc(1, sizeof(*r));
    if (!r) {
        close(fd);
        return -ENOMEM;
    }
    r->loop = s->o.loop;
    r->ending.flush = on_ending;
    http_head_init(&r->head, false);
    read_peer(r, fd);
    r->busy = s->open >= s->o.max_connections && !displace(s, r->peer);
    rc = loop_timer_new(&r->timer, s->o.loop, on_timer, r);
    if (rc) {
        close(fd);
        goto fail;
    }
    o.owner = r;
    rc = conn_adopt(&r->conn, &o, fd, r->is_local ? NULL : s->o.tls);
    if (rc)
        goto fail;
    r->server = s;
    r->next = &s->requests;
    r->prev = s->requests.prev;
    r->prev->next = r;
    r->next->prev = r;
    s->open++;
    loop_timer_in(r->timer, s->o.head_ms);
    return 0;
fail:
    loop_timer_free(r->timer);
    free(r);
    return rc;
}

void http_server_free(struct http_server *s)
{
    if (!s)
        return;
    while (s->requests.next != &s->requests)
        gone(s->requests.next);
    free(s);
}

struct http_counts http_server_counts(const struct http_server *s)
{
    return s->counts;
}

/* --- the request ------------------------------------------------------------------------------ */

struct rd_str http_method(const struct http_request *r)
{
    return http_head_str(&r->head, r->head.method);
}

struct rd_str http_target(const struct http_request *r)
{
    return http_head_str(&r->head, r->head.target);
}

struct rd_str http_path(const struct http_request *r)
{
    return http_head_str(&r->head, r->head.path);
}

struct rd_str http_body(const struct http_request *r)
{
    return (struct rd_str){r->body ? r->body : "", r->n_body};
}

struct rd_str http_header(const struct http_request *r, const char *name)
{
    return http_head_get(&r->head, name);
}

unsigned http_header_count(const struct http_request *r, const char *name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < r->head.n_headers; i++)
        n += rd_str_eq(http_head_str(&r->head, r->head.name[i]), rd_str(name));
    return n;
}

const char *http_peer(const struct http_request *r)
{
    return r->peer;
}

bool http_is_local(const struct http_request *r)
{
    return r->is_local;
}

void http_set_user(struct http_request *r, void *user)
{
    r->user = user;
}

void *http_user(const struct http_request *r)
{
    return r->user;
}
