/* SPDX-License-Identifier: Apache-2.0 */
/* peers.c - who else has calls here, and whose call is asked about.
 *
 * - whose: the call of the form, the one whose caller waits (ParentCallSid, `call` in the address), or
 *   the errand in the address. A call that was handed on at the end of a drain is nobody's
 * - several: one after the other, until one does not say 421
 *
 * Failure modes: a socket nobody listens at is one of a process that died: removed, never asked
 * again; its calls are answered here like any that nobody knows. */
#include "gateway/peers.h"

#include "base/err.h"
#include "base/log.h"
#include "gateway/webhook.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { PEERS_MAX = 8, BACKLOG = 256 };

struct peer {
    uint32_t node;
    atomic_bool gone;
    char path[108];
};

struct peers {
    struct node *node; /* borrows */
    struct peer list[PEERS_MAX];
    atomic_uint count;         /* of list; grows only */
    struct accepter *accepter; /* owns; NULL: nobody passes anything on to us */
    char path[108];            /* of our own socket; empty: none */
};

int peers_new(struct peers **out, struct node *n)
{
    *out = calloc(1, sizeof(**out));
    if (!*out)
        return -ENOMEM;
    (*out)->node = n;
    return 0;
}

void peers_deafen(struct peers *p)
{
    if (!p)
        return;
    if (p->path[0])
        (void)unlink(p->path);
    p->path[0] = '\0';
    accepter_stop(p->accepter);
    p->accepter = NULL;
}

void peers_free(struct peers *p)
{
    peers_deafen(p);
    free(p);
}

/* --- who is there --- */

static int path_of(char *out, size_t cap, const char *data, uint32_t node)
{
    int n = snprintf(out, cap, "%s/peer-%08" PRIx32 ".sock", data, node);

    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

static void add(struct peers *p, uint32_t node)
{
    unsigned count = atomic_load(&p->count);
    struct peer *peer = &p->list[count];

    for (unsigned i = 0; i < count; i++)
        if (p->list[i].node == node)
            return;
    if (count == PEERS_MAX ||
        path_of(peer->path, sizeof(peer->path), p->node->settings->data, node))
        return;
    peer->node = node;
    atomic_store(&p->count, count + 1);
    log_info("peer.found", F_STR("socket", peer->path));
}

void peers_find(struct peers *p)
{
    const char *data = p->node->settings->data;
    DIR *d = data ? opendir(data) : NULL; /* no folder, no neighbours */
    struct dirent *e;
    uint32_t node;
    int used;

    while (d && (e = readdir(d))) { /* NOLINT(concurrency-mt-unsafe): a stream of our own */
        used = 0;
        if (sscanf(e->d_name, "peer-%8" SCNx32 ".sock%n", &node, &used) == 1 && used > 0 &&
            e->d_name[used] == '\0' && node != p->node->id)
            add(p, node);
    }
    if (d)
        closedir(d);
}

int peers_listen(struct peers *p, accepter_fn *fn, void *arg)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, rc = path_of(p->path, sizeof(p->path), p->node->settings->data, p->node->id);

    if (rc)
        return rc;
    memcpy(a.sun_path, p->path, sizeof(a.sun_path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (fchmod(fd, 0600) != 0 || bind(fd, (struct sockaddr *)&a, sizeof(a)) != 0 ||
        chmod(p->path, 0600) != 0 || listen(fd, BACKLOG) != 0)
        rc = -errno;
    if (!rc)
        rc = accepter_start(&p->accepter, fd, fn, arg);
    if (rc)
        close(fd);
    return rc;
}

/* --- whose call it is --- */

static bool has_call(struct node *n, struct rd_str sid)
{
    struct directory_view view;

    return sid.n > 0 && directory_find(n->directory, sid, &view) && view.intent != INTENT_HAND_ON;
}

static bool is_ours(struct node *n, struct http_request *r, struct form *form)
{
    struct rd_str target = http_target(r), path = http_path(r);
    struct errand_place at;
    struct form *query = NULL;
    bool ours =
        has_call(n, form_get(form, "CallSid")) || has_call(n, form_get(form, "ParentCallSid"));

    if (ours || target.n <= path.n + 1 ||
        form_parse(&query, (struct rd_str){target.p + path.n + 1, target.n - path.n - 1}))
        return ours;
    ours = has_call(n, form_get(query, "call")) ||
           (errand_place_read(&at, form_get(query, "errand")) &&
            script_pool_has_errand(n->scripts, &at));
    form_free(query);
    return ours;
}

/* --- passing on --- */

static void drop(struct peer *peer, int rc)
{
    atomic_store(&peer->gone, true);
    if (rc == -ECONNREFUSED)
        (void)unlink(peer->path);
    log_info("peer.gone", F_STR("socket", peer->path));
}

/* Does anybody listen? What they get is a connection that asks nothing. */
static bool is_there(struct peer *peer)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), rc = 0;

    memcpy(a.sun_path, peer->path, sizeof(a.sun_path));
    if (fd >= 0 && connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        rc = -errno;
    if (fd >= 0)
        close(fd);
    if (rc == -ECONNREFUSED || rc == -ENOENT)
        drop(peer, rc);
    return !atomic_load(&peer->gone);
}

unsigned peers_count(struct peers *p)
{
    unsigned there = 0;

    for (unsigned i = 0; i < atomic_load(&p->count); i++)
        there += !atomic_load(&p->list[i].gone) && is_there(&p->list[i]);
    return there;
}

static bool ask(struct peer *peer, struct http_request *r, http_refused_fn *refused, void *arg)
{
    int rc = atomic_load(&peer->gone) ? RD_EGONE : http_forward(r, peer->path, refused, arg);

    if (rc == -ECONNREFUSED || rc == -ENOENT)
        drop(peer, rc);
    return rc == 0;
}

bool peers_take(struct media_thread *t, struct http_request *r, struct form *form,
                http_refused_fn *refused)
{
    struct peers *p = t->node->peers;
    struct peer *next = http_user(r), *end = p->list + atomic_load(&p->count);

    if ((!http_is_local(r) && end == p->list) || is_ours(t->node, r, form))
        return false;
    if (http_is_local(r)) {
        webhook_reply_text(r, 421, "not about a call of this process\n");
        return true;
    }
    for (next = next ? next : p->list; next < end; next++) {
        http_set_user(r, next + 1); /* whom to ask when this one says that it is not theirs */
        if (ask(next, r, refused, t))
            return true;
    }
    http_set_user(r, NULL);
    return false;
}

bool peers_take_stream(struct media_thread *t, struct http_request *r, uint32_t node)
{
    struct peers *p = t->node->peers;

    for (unsigned i = 0; i < atomic_load(&p->count); i++)
        if (p->list[i].node == node)
            return ask(&p->list[i], r, NULL, NULL);
    return false;
}
