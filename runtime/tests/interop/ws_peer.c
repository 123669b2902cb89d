/* SPDX-License-Identifier: Apache-2.0 */
/* ws_peer.c - our WebSocket code as a program of its own, for ws.mjs to talk to.
 *
 *   ws_peer serve [CERT KEY]     prints "port N", takes upgrades on any path but /refused (403)
 *   ws_peer connect URL [CA]     dials, prints "open"
 *
 * Either way it echoes every text, obeys "close CODE REASON", and prints how each connection ended:
 * "closed WHY CODE ERR REASON". `serve` ends when its standard input does. */
#include "io/accepter.h"
#include "io/http_server.h"
#include "io/loop.h"
#include "io/mailbox.h"
#include "io/ws.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_MESSAGE = 4 << 20, MAX_OUTPUT = 8 << 20 };

struct peer {
    struct loop *loop;
    struct mailbox *mailbox;
    struct http_server *http;
    bool serving;
};

static void on_open(struct ws *w, void *arg)
{
    struct peer *p = arg;

    (void)w;
    if (!p->serving)
        puts("open");
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    char reason[128] = "";
    int code = 0;

    (void)arg;
    if (n > 6 && n < 100 && memcmp(msg, "close ", 6) == 0) {
        char text[101];

        memcpy(text, msg, n);
        text[n] = '\0';
        sscanf(text, "close %d %127[^\n]", &code, reason);
        ws_close(w, code, reason);
        return;
    }
    ws_send(w, msg, n);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    static const char *const names[] = {"us", "peer", "lost", "refused", "protocol", "overflow"};
    struct peer *p = arg;

    (void)w;
    printf("closed %s %d %d " RD_STR_FMT "\n", names[c->why], c->code, c->err,
           RD_STR_ARG(c->reason));
    if (!p->serving)
        loop_stop(p->loop);
}

static const struct ws_handlers ws_handlers = {
    .open = on_open, .text = on_text, .closed = on_closed};

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, "text/plain", RD_STR("no"));
}

static int on_upgrade(struct http_request *r, struct ws_accept *a, void *arg)
{
    if (rd_str_eq(http_path(r), RD_STR("/refused")))
        return 403;
    *a = (struct ws_accept){
        .handlers = &ws_handlers, .arg = arg, .max_message = MAX_MESSAGE, .max_output = MAX_OUTPUT};
    return 0;
}

static const struct http_handlers handlers = {.on_request = on_request, .on_upgrade = on_upgrade};

/* The accepter's thread: sockets travel as messages, as in the real node. */
static void on_socket(int fd, const char *from, void *arg)
{
    struct peer *p = arg;
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)from;
    if (!m) {
        close(fd);
        return;
    }
    m->fd = fd;
    mailbox_post(p->mailbox, m);
}

static void receive(struct message *m, void *arg)
{
    struct peer *p = arg;

    if (m->type == MSG_STOP) {
        loop_stop(p->loop);
    } else {
        http_server_adopt(p->http, m->fd);
        m->fd = -1;
    }
    message_free(m);
}

static void wait_for_stdin(void *arg)
{
    char byte;

    (void)arg;
    while (read(0, &byte, 1) > 0)
        ;
}

static void stdin_ended(void *arg)
{
    struct peer *p = arg;

    loop_stop(p->loop);
}

static int die(const char *why)
{
    fprintf(stderr, "ws_peer: %s\n", why);
    return 1;
}

static int serve(struct peer *p, const char *cert, const char *key)
{
    struct http_server_opts o = {.loop = p->loop, .handlers = &handlers, .arg = p};
    struct tls_server *tls = NULL;
    struct accepter *accepter;
    char why[256] = "no memory";
    int fd;

    if (cert && tls_server_new(&tls, cert, key, why, sizeof(why)))
        return die(why);
    o.tls = tls;
    if (listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)))
        return die(why);
    printf("port %u\n", listen_port(fd));
    if (mailbox_new(&p->mailbox, p->loop, 100, receive, p) || http_server_new(&p->http, &o) ||
        accepter_start(&accepter, fd, on_socket, p) ||
        loop_work(p->loop, wait_for_stdin, stdin_ended, p))
        return die(why);
    loop_run(p->loop);
    accepter_stop(accepter);
    mailbox_free(p->mailbox);
    http_server_free(p->http);
    loop_free(p->loop);
    tls_server_free(tls);
    return 0;
}

static int dial(struct peer *p, const char *url, const char *ca)
{
    struct ws_connect_opts o = {.loop = p->loop,
                                .url = url,
                                .max_message = MAX_MESSAGE,
                                .max_output = MAX_OUTPUT,
                                .handlers = &ws_handlers,
                                .arg = p};
    char why[256];
    struct ws *w;

    if (tls_client_new(&o.tls, ca, why, sizeof(why)))
        return die(why);
    if (ws_connect(&w, &o))
        return die("not a URL");
    loop_run(p->loop);
    loop_free(p->loop);
    tls_client_free(o.tls);
    return 0;
}

int main(int argc, char **argv)
{
    struct peer p = {0};

    setvbuf(stdout, NULL, _IOLBF, 0);
    if (loop_new(&p.loop))
        return die("no memory");
    if (argc >= 2 && strcmp(argv[1], "serve") == 0) {
        p.serving = true;
        return serve(&p, argc == 4 ? argv[2] : NULL, argc == 4 ? argv[3] : NULL);
    }
    if (argc >= 3 && strcmp(argv[1], "connect") == 0)
        return dial(&p, argv[2], argc > 3 ? argv[3] : NULL);
    return die("usage: ws_peer serve [CERT KEY] | connect URL [CA]");
}
