/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c - the accepter's thread takes connections, a mailbox brings them to the loop, an HTTP
 * server serves them there. A connection that finds the mailbox full is closed. */
#include "sim/listener.h"

#include "io/accepter.h"
#include "io/mailbox.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAITING_MAX = 8192 };

struct listener {
    struct accepter *accepter;
    struct mailbox *accepted;
    struct http_server *http;
    uint16_t port;
};

/* Accepter's thread. */
static void on_socket(int fd, const char *peer, void *arg)
{
    struct listener *l = arg;
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)peer;
    if (!m) {
        close(fd);
        return;
    }
    m->fd = fd;
    (void)mailbox_post(l->accepted, m);
}

static void on_message(struct message *m, void *arg)
{
    struct listener *l = arg;

    (void)http_server_adopt(l->http, m->fd);
    m->fd = -1;
    message_free(m);
}

int listener_start(struct listener **out, const struct http_server_opts *o, int fd)
{
    struct listener *l = calloc(1, sizeof(*l));
    int rc = l ? http_server_new(&l->http, o) : -ENOMEM;

    if (!rc)
        rc = mailbox_new(&l->accepted, o->loop, WAITING_MAX, on_message, l);
    if (!rc) {
        l->port = listen_port(fd);
        rc = accepter_start(&l->accepter, fd, on_socket, l);
    }
    if (rc) {
        close(fd);
        listener_stop(l);
        return rc;
    }
    *out = l;
    return 0;
}

void listener_stop(struct listener *l)
{
    if (!l)
        return;
    if (l->accepter)
        accepter_stop(l->accepter);
    if (l->accepted)
        mailbox_free(l->accepted);
    if (l->http)
        http_server_free(l->http);
    free(l);
}

uint16_t listener_port(const struct listener *l)
{
    return l->port;
}
