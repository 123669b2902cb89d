/* SPDX-License-Identifier: Apache-2.0 */
/* http_forward.c - a request that another process of this machine has to answer.
 *
 *   client ◀═▶ us ◀═ Unix socket ═▶ the other process, whose http_server sees it as it was sent
 *
 * - ASKING: the request stays with its server; the first bytes of the answer decide. "421": it is not
 *   theirs, `refused` gets the request back. Anything else: the client's connection is taken over
 * - PASSING: bytes go both ways, until one side ends. An upgrade passes at once: its address names the
 *   process, so there is nobody else to ask. TLS ends here, so this works with it and without
 *
 * Failure modes: the other process dies or is silent for ANSWER_MS: as if it had refused; while
 * passing: the client's connection ends, as it would have with that process. A side that does not
 * read: both end. */
#include "io/http_server_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { QUEUE_MAX = 1 << 20, ANSWER_MS = 12000, WRITE_MS = 10000, LINGER_MS = 2000 };

static const char not_theirs[] = "HTTP/1.1 421";

enum { N_FIRST = sizeof(not_theirs) - 1 };

struct forward {
    struct http_request *request; /* borrows; NULL once its connection is ours */
    struct conn *client;          /* owns, while passing */
    struct conn *other;           /* owns; NULL: it is done */
    struct loop *loop;
    struct loop_timer *timer; /* owns; while asking */
    struct loop_guest guest;
    struct loop_flush ending;
    http_refused_fn *refused;
    void *arg;
    char first[N_FIRST];
    size_t n_first;
    bool ended;
};

/* --- the end --- */

static void on_ending(struct loop_flush *f)
{
    free((char *)f - offsetof(struct forward, ending));
}

static void forward_end(struct forward *f)
{
    if (f->ended)
        return;
    f->ended = true;
    if (f->request)
        f->request->forward = NULL;
    conn_close(f->client);
    conn_close(f->other);
    loop_timer_free(f->timer);
    loop_guest_remove(&f->guest);
    loop_flush_later(f->loop, &f->ending);
}

void forward_cancel(struct forward *f)
{
    forward_end(f);
}

static void on_leave(struct loop_guest *g)
{
    forward_end((struct forward *)((char *)g - offsetof(struct forward, guest)));
}

static void give_back(struct forward *f)
{
    struct http_request *r = f->request;
    http_refused_fn *refused = f->refused;
    void *arg = f->arg;

    forward_end(f);
    if (r)
        refused(r, arg);
}

/* --- passing --- */

static void pass(struct forward *f, struct conn *to, const char *p, size_t n)
{
    if (n > 0 && conn_write(to, p, n))
        forward_end(f);
}

static void on_client_data(struct conn *c, char *p, size_t n, void *owner)
{
    struct forward *f = owner;

    (void)c;
    if (f->other)
        pass(f, f->other, p, n);
}

static void on_client_broken(struct conn *c, int err, const char *text, void *owner)
{
    (void)c;
    (void)err;
    (void)text;
    forward_end(owner);
}

static void on_client_finished(struct conn *c, void *owner)
{
    (void)c;
    forward_end(owner);
}

static const struct conn_ops client_ops = {
    .data = on_client_data, .broken = on_client_broken, .finished = on_client_finished};

/* The client's connection is ours from now on. */
static void take_client(struct forward *f)
{
    struct http_request *r = f->request;

    f->client = r->conn;
    conn_set_owner(f->client, &client_ops, f, QUEUE_MAX);
    r->conn = NULL;
    r->forward = NULL;
    f->request = NULL;
    loop_timer_free(f->timer);
    f->timer = NULL;
    http_request_end(r);
}

void forward_upgrade(struct forward *f, const char *p, size_t n)
{
    take_client(f);
    pass(f, f->other, p, n);
}

/* --- asking --- */

static void on_other_data(struct conn *c, char *p, size_t n, void *owner)
{
    struct forward *f = owner;

    (void)c;
    if (f->client) {
        pass(f, f->client, p, n);
        return;
    }
    while (n > 0 && f->n_first < N_FIRST) {
        f->first[f->n_first++] = *p++;
        n--;
    }
    if (f->n_first < N_FIRST)
        return;
    if (memcmp(f->first, not_theirs, N_FIRST) == 0) {
        give_back(f);
        return;
    }
    take_client(f);
    pass(f, f->client, f->first, N_FIRST);
    if (!f->ended)
        pass(f, f->client, p, n);
}

static void on_other_broken(struct conn *c, int err, const char *text, void *owner)
{
    struct forward *f = owner;

    (void)err;
    (void)text;
    if (!f->client) {
        give_back(f);
        return;
    }
    f->other = NULL;
    conn_close(c);
    (void)conn_finish(f->client, WRITE_MS, LINGER_MS);
}

static void on_other_ready(struct conn *c, void *owner)
{
    (void)c;
    (void)owner;
}

static const struct conn_ops other_ops = {
    .ready = on_other_ready, .data = on_other_data, .broken = on_other_broken};

static void on_timer(void *arg)
{
    give_back(arg);
}

static int put(struct conn *c, struct rd_str s)
{
    return s.n > 0 ? conn_write(c, s.p, s.n) : 0;
}

/* As it was sent, but for what we have dealt with. */
static int send_request(struct conn *c, const struct http_request *r)
{
    const struct http_head *h = &r->head;
    int rc = put(c, http_method(r));

    rc = rc ? rc : put(c, RD_STR(" "));
    rc = rc ? rc : put(c, http_target(r));
    rc = rc ? rc : put(c, h->minor ? RD_STR(" HTTP/1.1\r\n") : RD_STR(" HTTP/1.0\r\n"));
    for (unsigned i = 0; !rc && i < h->n_headers; i++) {
        if (rd_str_eq(http_head_str(h, h->name[i]), RD_STR("expect")))
            continue;
        rc = put(c, http_head_str(h, h->name[i]));
        rc = rc ? rc : put(c, RD_STR(": "));
        rc = rc ? rc : put(c, http_head_str(h, h->value[i]));
        rc = rc ? rc : put(c, RD_STR("\r\n"));
    }
    rc = rc ? rc : put(c, RD_STR("\r\n"));
    return rc ? rc : put(c, http_body(r));
}

/* A Unix socket connects at once or not at all. */
static int dial(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd, rc = 0;

    if (strlen(path) >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    memcpy(a.sun_path, path, strlen(path) + 1);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0)
        rc = -errno;
    if (!rc)
        return fd;
    close(fd);
    return rc;
}

int http_forward(struct http_request *r, const char *path, http_refused_fn *refused, void *arg)
{
    struct forward *f = calloc(1, sizeof(*f));
    struct conn_opts o = {.loop = r->loop, .ops = &other_ops, .owner = f, .max_output = QUEUE_MAX};
    int rc = f ? dial(path) : -ENOMEM;

    if (rc < 0) {
        free(f);
        return rc;
    }
    f->loop = r->loop;
    f->refused = refused;
    f->arg = arg;
    f->ending.flush = on_ending;
    f->guest.leave = on_leave;
    rc = conn_adopt(&f->other, &o, rc, NULL);
    if (!rc)
        rc = loop_timer_new(&f->timer, r->loop, on_timer, f);
    if (!rc)
        rc = send_request(f->other, r);
    if (rc) {
        conn_close(f->other);
        loop_timer_free(f->timer);
        free(f);
        return rc;
    }
    loop_guest_add(f->loop, &f->guest);
    loop_timer_in(f->timer, ANSWER_MS);
    f->request = r;
    r->forward = f;
    return 0;
}
