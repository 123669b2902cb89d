/* SPDX-License-Identifier: Apache-2.0 */
/* node_doors.c - the listening socket of a node, and which thread gets who comes in by it.
 *
 * Its own, one that a service manager gave, or that of the process before: then nothing is accepted
 * before node_accept(). A socket goes to the media thread with the fewest calls and connections;
 * where even that one is behind, it is closed. Who hands over is another thread than who ends, so
 * the accepter has a lock. */
#include "gateway/node_doors.h"

#include "base/err.h"
#include "base/now.h"
#include "gateway/media_thread.h"
#include "gateway/peers.h"
#include "gateway/triage.h"
#include "observe/metrics.h"

#include <stdio.h>
#include <unistd.h>

static unsigned load_of(struct media_thread *t)
{
    return atomic_load(&t->n_lines) * 4 + (unsigned)mailbox_depth(t->mailbox);
}

static struct media_thread *least_loaded(struct node *n)
{
    unsigned first = atomic_fetch_add(&n->next_media, 1);
    struct media_thread *best = n->media[first % n->n_media];

    for (unsigned i = 1; i < n->n_media; i++) {
        struct media_thread *t = n->media[(first + i) % n->n_media];

        if (load_of(t) < load_of(best))
            best = t;
    }
    return best;
}

static void on_socket(int fd, const char *peer, void *arg)
{
    struct node *n = arg;
    struct media_thread *best = least_loaded(n);
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)peer;
    if (!m || mailbox_depth(best->mailbox) >= 2 * (size_t)n->max_requests) {
        metric_add(M_REFUSED_NO_ROOM, 1);
        message_free(m);
        close(fd);
        return;
    }
    m->fd = fd;
    (void)mailbox_post(best->mailbox, m);
}

static int accept_on(struct node *n, char *why, size_t cap)
{
    int rc;

    n->accepting_us = unix_us();
    atomic_store(&n->look_back, true);
    rc = accepter_start(&n->accepter, n->listen_fd, on_socket, n);

    if (rc)
        (void)snprintf(why, cap, "the accepter did not start: %s", rd_strerror(rc));
    return rc;
}

int node_open_doors(struct node *n, char *why, size_t cap)
{
    int fd = listen_inherited(), rc = 0;

    n->is_inherited = fd >= 0 || n->listen_fd > 0;
    if (n->listen_fd > 0) {
        n->port = listen_port(n->listen_fd);
        return 0;
    }
    if (fd < 0)
        rc = listen_tcp(&fd, n->settings->public_listen, why, cap);
    if (rc)
        return rc;
    n->listen_fd = fd;
    n->port = listen_port(fd);
    peers_find(n->peers);
    return accept_on(n, why, cap);
}

int node_accept(struct node *n, char *why, size_t cap)
{
    int rc;

    peers_find(n->peers);
    rc = accept_on(n, why, cap);
    if (!rc)
        triage_look_back(n);
    return rc;
}

int node_listen_fd(struct node *n)
{
    return n->listen_fd;
}

bool node_inherited(struct node *n)
{
    return n->is_inherited;
}

void node_close_doors(struct node *n)
{
    pthread_mutex_lock(&n->doors);
    if (n->accepter)
        accepter_stop(n->accepter);
    else if (n->listen_fd > 0)
        close(n->listen_fd);
    n->accepter = NULL;
    n->listen_fd = 0;
    pthread_mutex_unlock(&n->doors);
}

int node_step_aside(struct node *n)
{
    int rc = peers_listen(n->peers, on_socket, n);

    if (!rc)
        node_close_doors(n);
    return rc;
}
