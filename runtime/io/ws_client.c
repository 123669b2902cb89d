/* SPDX-License-Identifier: Apache-2.0 */
/* ws_client.c - from a URL to an open WebSocket.
 *
 *   resolve (off the loop) ─▶ connect, one address after the other ─▶ TLS ─▶ upgrade ─▶ ws_begin()
 *
 * One deadline covers all of it. An address that does not answer gets a short share of it while
 * there are others to try. An answer other than 101 ends with WS_END_REFUSED, the status, and the
 * first KiB of its body, which is where APIs say what is wrong.
 *
 * Failure modes: each ends in ws_end(); a resolver that is still running then finds its dial
 * abandoned and frees it. */
#include "io/ws_private.h"

#include "base/buf.h"
#include "base/err.h"
#include "io/http_parse.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    TIMEOUT_MS = 5000,
    ATTEMPT_MS = 1500, /* for an address when there are more */
    BODY_WAIT_MS = 1000,
    BODY_MAX = 1024,
    REQUEST_MAX = 16384,
    MAX_MESSAGE = 16 << 20
};

struct ws_dial {
    struct ws *w; /* borrows; NULL: given up, the resolver still runs */
    uv_getaddrinfo_t resolver;
    bool resolving;
    struct addrinfo *list, *at; /* owns the list */
    struct loop_timer *attempt; /* owns */
    struct tls_client *tls;     /* borrows */
    bool secure;
    char host[256]; /* without brackets */
    char port[6];
    struct buf request;
    char expect[WS_KEY_CAP];
    size_t max_message;
    int err; /* of the last address */

    struct http_head head; /* the answer */
    bool refused;
    size_t n_body;
    char body[BODY_MAX];
};

static void try_next(struct ws_dial *d);

/* --- the URL ---------------------------------------------------------------------------------- */

static bool parse_port(struct ws_dial *d, const char *p, size_t n)
{
    if (n == 0 || n >= sizeof(d->port) || strspn(p, "0123456789") < n)
        return false;
    memcpy(d->port, p, n);
    d->port[n] = '\0';
    return strtol(d->port, NULL, 10) <= 65535;
}

/* host, [v6] or either with :port. */
static bool parse_authority(struct ws_dial *d, const char *p, size_t n)
{
    const char *end = p + n, *host = p, *stop, *rest;

    if (*p == '[') {
        host = p + 1;
        stop = memchr(p, ']', n);
        rest = stop ? stop + 1 : NULL;
    } else {
        stop = memchr(p, ':', n);
        stop = rest = stop ? stop : end;
    }
    if (!rest || stop == host || (size_t)(stop - host) >= sizeof(d->host))
        return false;
    memcpy(d->host, host, (size_t)(stop - host));
    d->host[stop - host] = '\0';
    if (rest == end)
        return true;
    return *rest == ':' && parse_port(d, rest + 1, (size_t)(end - rest - 1));
}

/* Fills host, port and secure; *authority and *path point into the URL. */
static bool parse_url(struct ws_dial *d, const char *url, struct rd_str *authority,
                      struct rd_str *path)
{
    const char *p = url;

    for (; *p; p++) {
        if ((unsigned char)*p <= 0x20 || (unsigned char)*p >= 0x7F || *p == '#')
            return false;
    }
    d->secure = strncasecmp(url, "wss://", 6) == 0;
    if (!d->secure && strncasecmp(url, "ws://", 5) != 0)
        return false;
    snprintf(d->port, sizeof(d->port), "%s", d->secure ? "443" : "80");
    p = url + (d->secure ? 6 : 5);
    *authority = (struct rd_str){p, strcspn(p, "/?")};
    *path = rd_str(p + authority->n);
    if (authority->n == 0 || memchr(authority->p, '@', authority->n))
        return false;
    return parse_authority(d, authority->p, authority->n);
}

/* --- the request ------------------------------------------------------------------------------ */

static int add_headers(struct buf *b, const char *const *header)
{
    int rc = 0;

    for (; header && *header && !rc; header++) {
        if (strpbrk(*header, "\r\n") || !strchr(*header, ':'))
            return -EINVAL;
        rc = buf_addf(b, "%s\r\n", *header);
    }
    return rc ? rc : buf_add_str(b, "\r\n");
}

static int write_request(struct ws_dial *d, struct rd_str authority, struct rd_str path,
                         const char *const *header)
{
    uint8_t nonce[16];
    char key[WS_KEY_CAP];
    int rc = random_bytes(nonce, sizeof(nonce));

    if (rc)
        return rc;
    EVP_EncodeBlock((unsigned char *)key, nonce, sizeof(nonce));
    if (!ws_accept_key(d->expect, rd_str(key)))
        return -EIO;
    rc = buf_addf(&d->request,
                  "GET %s" RD_STR_FMT " HTTP/1.1\r\n"
                  "Host: " RD_STR_FMT "\r\n"
                  "Upgrade: websocket\r\n"
                  "Connection: Upgrade\r\n"
                  "Sec-WebSocket-Key: %s\r\n"
                  "Sec-WebSocket-Version: 13\r\n",
                  path.n == 0 || path.p[0] == '?' ? "/" : "", RD_STR_ARG(path),
                  RD_STR_ARG(authority), key);
    return rc ? rc : add_headers(&d->request, header);
}

/* --- the answer ------------------------------------------------------------------------------- */

/* The pieces of a chunked body, joined in place as far as they are whole. */
static size_t dechunk(char *p, size_t n)
{
    size_t at = 0, out = 0;

    while (at < n) {
        char *lf = memchr(p + at, '\n', n - at);
        unsigned long size = strtoul(p + at, NULL, 16);
        size_t left;

        if (!lf || size == 0)
            break;
        at = (size_t)(lf - p) + 1;
        left = n - at < size ? n - at : size;
        memmove(p + out, p + at, left);
        out += left;
        at += left + 2; /* CRLF */
    }
    return out;
}

static void end_refused(struct ws_dial *d)
{
    /* strtoul() needs an end; the last byte of a full buffer is given up for it. */
    if (d->n_body == sizeof(d->body))
        d->n_body--;
    d->body[d->n_body] = '\0';
    if (d->head.chunked)
        d->n_body = dechunk(d->body, d->n_body);
    ws_end(d->w, WS_END_REFUSED, d->head.status, RD_EREFUSED, (struct rd_str){d->body, d->n_body},
           false);
}

static void take_body(struct ws_dial *d, const char *p, size_t n)
{
    size_t room = sizeof(d->body) - d->n_body;

    if (n > room)
        n = room;
    memcpy(d->body + d->n_body, p, n);
    d->n_body += n;
    if (d->n_body == sizeof(d->body) || (d->head.has_length && d->n_body >= d->head.length))
        end_refused(d);
}

/* RFC 6455 §4.1: what a 101 must say. We asked for no extension. */
static bool answer_is_right(const struct ws_dial *d)
{
    return http_head_has_token(&d->head, "upgrade", "websocket") &&
           http_head_has_token(&d->head, "connection", "upgrade") &&
           rd_str_eq(http_head_get(&d->head, "sec-websocket-accept"), rd_str(d->expect)) &&
           !http_head_get(&d->head, "sec-websocket-extensions").p;
}

static void take_answer(struct ws_dial *d, char *p, size_t n)
{
    struct ws *w = d->w;
    size_t max_message = d->max_message;
    struct conn *c = w->conn;

    if (d->head.status != 101) {
        d->refused = true;
        loop_timer_in(w->timer, BODY_WAIT_MS);
        take_body(d, p, n);
        return;
    }
    if (!answer_is_right(d)) {
        ws_end(w, WS_END_PROTOCOL, 0, RD_EPROTO, RD_STR("the upgrade was answered wrongly"), false);
        return;
    }
    w->dial = NULL;
    ws_dial_free(d);
    ws_begin(w, c, max_message, p, n);
}

static void on_data(struct conn *c, char *p, size_t n, void *owner)
{
    struct ws_dial *d = owner;
    size_t used;
    int rc;

    (void)c;
    if (d->refused) {
        take_body(d, p, n);
        return;
    }
    rc = http_head_feed(&d->head, p, n, &used);
    if (rc < 0)
        ws_end(d->w, WS_END_PROTOCOL, 0, RD_EPROTO, RD_STR("the answer is no HTTP"), false);
    else if (rc == 1)
        take_answer(d, p + used, n - used);
}

static void on_broken(struct conn *c, int err, const char *text, void *owner)
{
    struct ws_dial *d = owner;
    struct ws *w = d->w;

    if (d->refused) {
        end_refused(d);
        return;
    }
    /* Only an address that cannot be reached is worth trying the next. */
    if (conn_queued(c) == 0 && d->head.n == 0 && err < 0 && err > RD_ESTATE && d->at) {
        d->err = err;
        conn_close(c);
        w->conn = NULL;
        try_next(d);
        return;
    }
    ws_end(w, WS_END_LOST, 0, err ? err : -ECONNRESET, rd_str(text), false);
}

static void on_ready(struct conn *c, void *owner)
{
    struct ws_dial *d = owner;
    int rc;

    d->at = NULL; /* this one it is */
    loop_timer_stop(d->attempt);
    rc = conn_write(c, d->request.data, d->request.n);
    if (rc)
        ws_end(d->w, WS_END_LOST, 0, rc, (struct rd_str){"", 0}, false);
}

static const struct conn_ops ops = {.ready = on_ready, .data = on_data, .broken = on_broken};

/* --- connecting ------------------------------------------------------------------------------- */

static void try_next(struct ws_dial *d)
{
    struct ws *w = d->w;

    while (d->at) {
        struct addrinfo *ai = d->at;
        struct conn_opts o = {.loop = w->loop, .ops = &ops, .owner = d, .max_output = REQUEST_MAX};

        d->at = ai->ai_next;
        d->err = conn_dial(&w->conn, &o, ai->ai_addr, ai->ai_addrlen, d->secure ? d->tls : NULL,
                           d->host);
        if (d->err)
            continue;
        if (d->at)
            loop_timer_in(d->attempt, ATTEMPT_MS);
        else
            loop_timer_stop(d->attempt);
        return;
    }
    ws_end(w, WS_END_LOST, 0, d->err ? d->err : -EHOSTUNREACH, (struct rd_str){"", 0}, false);
}

static void on_attempt(void *arg)
{
    struct ws_dial *d = arg;

    conn_close(d->w->conn);
    d->w->conn = NULL;
    d->err = -ETIMEDOUT;
    try_next(d);
}

void ws_dial_timeout(struct ws_dial *d)
{
    if (d->refused)
        end_refused(d);
    else
        ws_end(d->w, WS_END_LOST, 0, -ETIMEDOUT, (struct rd_str){"", 0}, false);
}

static void on_resolved(uv_getaddrinfo_t *req, int status, struct addrinfo *list)
{
    struct ws_dial *d = req->data;

    d->resolving = false;
    d->list = list;
    if (!d->w) {
        ws_dial_free(d);
        return;
    }
    loop_woke(d->w->loop);
    if (d->w->state != WS_DIALLING)
        return; /* ended; its turn frees us */
    if (status) {
        ws_end(d->w, WS_END_LOST, 0, status, rd_str(uv_strerror(status)), false);
        return;
    }
    d->at = list;
    try_next(d);
}

/* --- life ------------------------------------------------------------------------------------- */

void ws_dial_free(struct ws_dial *d)
{
    if (!d)
        return;
    loop_timer_free(d->attempt);
    d->attempt = NULL;
    if (d->resolving) {
        d->w = NULL;
        uv_cancel((uv_req_t *)&d->resolver);
        return;
    }
    if (d->list)
        uv_freeaddrinfo(d->list);
    http_head_fini(&d->head);
    buf_fini(&d->request);
    free(d);
}

static int dial_new(struct ws_dial **out, struct ws *w, const struct ws_connect_opts *o)
{
    struct ws_dial *d = calloc(1, sizeof(*d));
    struct rd_str authority, path;
    int rc = -EINVAL;

    if (!d)
        return -ENOMEM;
    d->w = w;
    d->tls = o->tls;
    d->max_message = o->max_message ? o->max_message : MAX_MESSAGE;
    buf_init(&d->request, REQUEST_MAX);
    http_head_init(&d->head, true);
    if (!parse_url(d, o->url, &authority, &path) || (d->secure && !d->tls))
        goto fail;
    rc = write_request(d, authority, path, o->header);
    if (rc)
        goto fail;
    rc = loop_timer_new(&d->attempt, o->loop, on_attempt, d);
    if (rc)
        goto fail;
    *out = d;
    return 0;
fail:
    ws_dial_free(d);
    return rc == RD_EFULL ? -EINVAL : rc;
}

int ws_connect(struct ws **out, const struct ws_connect_opts *o)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct ws *w;
    int rc = ws_make(&w, o->loop, false);

    if (rc)
        return rc;
    w->handlers = o->handlers;
    w->arg = o->arg;
    w->max_output = o->max_output;
    rc = dial_new(&w->dial, w, o);
    if (rc)
        goto fail;
    w->dial->resolver.data = w->dial;
    rc = uv_getaddrinfo(loop_uv(o->loop), &w->dial->resolver, on_resolved, w->dial->host,
                        w->dial->port, &hints);
    if (rc)
        goto fail;
    w->dial->resolving = true;
    loop_timer_in(w->timer, o->timeout_ms ? o->timeout_ms : TIMEOUT_MS);
    *out = w;
    return 0;
fail:
    ws_discard(w);
    return rc;
}
