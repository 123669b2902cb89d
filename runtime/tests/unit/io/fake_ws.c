/* SPDX-License-Identifier: Apache-2.0 */
/* fake_ws.c - counts and keeps what happens, and lets each test say what its sides do. */
#include "unit/io/fake_ws.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void on_open(struct ws *w, void *arg)
{
    struct fake_side *s = arg;

    s->ws = w;
    s->opens++;
    if (s->on_open)
        s->on_open(s);
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct fake_side *s = arg;

    assert_ptr_equal(w, s->ws);
    s->texts++;
    s->bytes += n;
    rd_str_copy(s->last, sizeof(s->last), (struct rd_str){msg, n});
    if (s->on_text)
        s->on_text(s, msg, n);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct fake_side *s = arg,
                     *other = s == &s->story->client ? &s->story->server : &s->story->client;

    if (s->ws)
        assert_ptr_equal(w, s->ws);
    assert_int_equal(ws_send(w, "x", 1), RD_ESTATE);
    ws_close(w, 1000, NULL);
    ws_drop(w);
    s->ws = NULL;
    s->closes++;
    s->closed = *c;
    rd_str_copy(s->reason, sizeof(s->reason), c->reason);
    if (other->opens == other->closes)
        loop_stop(s->story->node.loop);
}

const struct ws_handlers fake_ws_handlers = {.open = on_open, .text = on_text, .closed = on_closed};

static int on_upgrade(struct http_request *r, struct ws_accept *a, void *arg)
{
    struct fake_ws *s = arg;

    (void)r;
    if (s->refuse_with)
        return s->refuse_with;
    a->handlers = &fake_ws_handlers;
    a->arg = &s->server;
    a->max_message = s->max_message;
    a->max_output = s->max_output;
    return 0;
}

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, NULL, (struct rd_str){"", 0});
}

static const struct http_handlers http_handlers = {.on_request = on_request,
                                                   .on_upgrade = on_upgrade};

struct fake_ws *fake_ws_begin(bool tls, bool elsewhere)
{
    struct fake_ws *s = calloc(1, sizeof(*s));
    struct http_server_opts o = {.handlers = &http_handlers, .arg = s};
    char why[256];

    s->client.story = s->server.story = s;
    s->listen_fd = -1;
    if (tls) {
        fake_certs_init(&s->certs);
        assert_int_equal(tls_server_new(&s->tls_server,
                                        elsewhere ? s->certs.elsewhere_cert : s->certs.cert,
                                        s->certs.key, why, sizeof(why)),
                         0);
        assert_int_equal(tls_client_new(&s->tls_client, s->certs.ca, why, sizeof(why)), 0);
        o.tls = s->tls_server;
    }
    fake_node_init(&s->node, &o);
    return s;
}

void fake_ws_end(struct fake_ws *s)
{
    fake_node_fini(&s->node);
    assert_int_equal(s->client.opens <= s->client.closes, 1);
    assert_int_equal(s->server.opens, s->server.closes);
    if (s->tls_server)
        fake_certs_fini(&s->certs);
    tls_server_free(s->tls_server);
    tls_client_free(s->tls_client);
    free(s);
}

struct ws *fake_ws_dial(struct fake_ws *s, const char *url)
{
    struct ws_connect_opts o = {.loop = s->node.loop,
                                .url = url ? url : s->node.url,
                                .tls = s->tls_client,
                                .max_message = s->max_message,
                                .max_output = s->max_output,
                                .handlers = &fake_ws_handlers,
                                .arg = &s->client};

    assert_int_equal(ws_connect(&s->client.ws, &o), 0);
    assert_int_equal(s->client.closes, 0);
    return s->client.ws;
}

void fake_ws_hello(struct fake_side *s)
{
    assert_int_equal(ws_send(s->ws, "hello", 5), 0);
}

char *fake_ws_megabyte(void)
{
    char *p = malloc(MEGABYTE);

    memset(p, 'm', MEGABYTE);
    return p;
}
