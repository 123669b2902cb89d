/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - requests from the socket to the handlers, records from the node to the ring.
 *
 *   accepter ─fd─▶ doors (mailbox) ─▶ http_server ─▶ handlers ─▶ reply, or wait
 *   node ─MSG_RECORD─▶ records (mailbox) ─▶ ring, summaries ─▶ those who wait are asked again
 *
 * - two mailboxes, so that a flood of records cannot keep a request out
 * - waiting requests are few and each waits at most what its handler said; those too many are
 *   answered at once with nothing new
 * - one wake-up for a burst of records: the waiting are asked again once the loop has read them all
 */
#include "control/control.h"

#include "base/err.h"
#include "base/log.h"
#include "control/admin.h"
#include "control/api.h"
#include "control/events.h"
#include "control/handlers.h"
#include "control/log_route.h"
#include "control/probes.h"
#include "control/readers.h"
#include "control/socket.h"
#include "io/accepter.h"
#include "io/http_server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    RECORDS_CAPACITY = 8192,
    DOORS_CAPACITY = 64,
    CONNECTIONS_MAX = 64 + READERS_MAX,
    WAITING_MAX = 32,
    BURST_MS = 20,
    BODY_MAX = 16 << 10,
    ANSWER_BYTES = 8 << 20
};

struct waiting {
    struct http_request *request; /* NULL: this place is free */
    uint64_t until_ms;
};

struct control {
    struct loop *loop;            /* borrows */
    struct control_socket socket; /* owns */
    const char *data;             /* borrows */
    struct accepter *accepter;    /* owns; closes socket.listen_fd */
    struct mailbox *doors;        /* owns: accepted sockets */
    struct mailbox *records;      /* owns: facts of the calls */
    struct http_server *server;   /* owns */
    struct events *events;        /* owns */
    struct handlers *handlers;    /* owns */
    struct api *api;              /* owns, as the next two */
    struct readers *readers;
    struct admin *admin;     /* NULL: it is configured not to listen */
    struct node *node;       /* borrows */
    struct loop_timer *wake; /* owns: the burst is over, or somebody waited long enough */
    bool news;
    struct waiting waiting[WAITING_MAX];
};

/* ---- requests ---- */

static struct waiting *place_of(struct control *c, const struct http_request *r)
{
    for (int i = 0; i < WAITING_MAX; i++)
        if (c->waiting[i].request == r)
            return &c->waiting[i];
    return NULL;
}

static void set_wake(struct control *c)
{
    uint64_t next = 0;

    for (int i = 0; i < WAITING_MAX; i++)
        if (c->waiting[i].request && (!next || c->waiting[i].until_ms < next))
            next = c->waiting[i].until_ms;
    if (c->news)
        loop_timer_in(c->wake, BURST_MS); /* comes back here */
    else if (next)
        loop_timer_at(c->wake, next);
    else
        loop_timer_stop(c->wake);
}

/* Answers, or gives the request a place to wait in. */
static void serve(struct control *c, struct http_request *r, bool waited)
{
    char who[64];
    struct admin_request in = {.method = http_method(r),
                               .target = http_target(r),
                               .body = http_body(r),
                               .who = who,
                               .waited = waited};
    struct admin_answer out = {0};
    struct waiting *place;

    snprintf(who, sizeof(who), "control socket %s", http_peer(r));
    buf_init(&out.body, ANSWER_BYTES);
    handlers_run(c->handlers, &in, &out);
    place = out.status == 0 ? place_of(c, NULL) : NULL;
    if (place) {
        *place = (struct waiting){r, clock_ms(loop_clock()) + out.wait_ms};
        set_wake(c);
    } else {
        if (out.status == 0) { /* nobody else may wait: what there is now, which is nothing */
            in.waited = true;
            handlers_run(c->handlers, &in, &out);
        }
        http_reply(r, out.status, "application/json",
                   (struct rd_str){out.body.data ? out.body.data : "", out.body.n});
    }
    buf_fini(&out.body);
}

/* Our own commands say so; everybody else means the admin API, and is this machine's operator. */
static bool is_command(const struct http_request *r)
{
    return http_header(r, "x-ringdown-command").p != NULL;
}

static void on_request(struct http_request *r, void *arg)
{
    struct control *c = arg;
    char who[64];

    (void)snprintf(who, sizeof(who), "control socket %s", http_peer(r));
    if (!is_command(r) && api_request_is_ours(http_path(r)))
        api_serve(c->api, r, who, 0);
    else if (!probes_serve(r, c->node) && !log_serve(r, c->node, who))
        serve(c, r, false);
}

static size_t body_max(struct http_request *r, void *arg)
{
    (void)arg;
    return is_command(r) ? BODY_MAX : api_request_limits(http_method(r), http_path(r)).body_max;
}

static void on_gone(struct http_request *r, void *arg)
{
    struct control *c = arg;
    struct waiting *w = place_of(c, r);

    if (w)
        w->request = NULL;
    api_gone(c->api, r);
    readers_gone(c->readers, r);
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    (void)r;
    (void)accept;
    (void)arg;
    return 404;
}

static const struct http_handlers http_handlers = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_upgrade = on_upgrade,
    .body_max = body_max,
    .refusal = problem_of_http,
};

/* The burst is over, or somebody's time is: ask again for those concerned. */
static void on_wake(void *arg)
{
    struct control *c = arg;
    uint64_t now = clock_ms(loop_clock());
    bool news = c->news;

    c->news = false;
    if (news)
        readers_news(c->readers);
    for (int i = 0; i < WAITING_MAX; i++) {
        struct http_request *r = c->waiting[i].request;

        if (!r || (!news && c->waiting[i].until_ms > now))
            continue;
        c->waiting[i].request = NULL;
        serve(c, r, true);
    }
    set_wake(c);
}

/* ---- mailboxes ---- */

static void on_door(struct message *m, void *arg)
{
    struct control *c = arg;
    int fd = m->fd;

    m->fd = -1;
    if (fd >= 0)
        http_server_adopt(c->server, fd);
    message_free(m);
}

static void on_record(struct message *m, void *arg)
{
    struct control *c = arg;

    if (m->type == MSG_RECORD && events_add(c->events, m->s[0]) > 0) {
        handlers_record(c->handlers, m->s[0]);
        if (!c->news) {
            c->news = true;
            set_wake(c);
        }
    }
    message_free(m);
}

/* Accepter's thread. */
static void on_accept(int fd, const char *peer, void *arg)
{
    struct control *c = arg;
    struct message *m;

    (void)peer; /* a Unix socket has none */
    if (!control_peer_allowed(fd)) {
        log_warn("control.refused", F_FIX("use the control socket as the user that runs ringdown"));
        close(fd);
        return;
    }
    m = message_new(MSG_SOCKET, 0, NULL, 0);
    if (!m) {
        close(fd);
        return;
    }
    m->fd = fd; /* goes with the message, also when it is refused */
    mailbox_post(c->doors, m);
}

/* ---- life ---- */

static int start_handlers(struct control *c, const struct settings *s, char *why, size_t cap)
{
    struct buf text;
    int rc;

    buf_init(&text, 16 << 10);
    rc = handlers_new(&c->handlers, s->library_path, c->events, &text);
    if (rc)
        snprintf(why, cap, "the control routes in %s/ringdown/api do not start: %s",
                 s->library_path, buf_text(&text) && text.n ? buf_text(&text) : rd_strerror(rc));
    buf_fini(&text);
    return rc;
}

static void on_unknown(void *arg, uint64_t key)
{
    struct control *c = arg;

    if (c->admin)
        admin_unknown(c->admin, key);
}

static int start_api(struct control *c, const struct settings *s)
{
    struct api_opts ao = {.loop = c->loop, .data = s->data, .on_unknown = on_unknown, .arg = c};
    struct readers_opts ro = {.loop = c->loop, .events = c->events};
    struct admin_opts lo = {.loop = c->loop, .settings = s};
    int rc = api_new(&c->api, &ao);

    ro.api = c->api;
    if (!rc)
        rc = readers_new(&c->readers, &ro);
    if (rc)
        return rc;
    api_set_readers(c->api, c->readers);
    lo.api = c->api;
    lo.readers = c->readers;
    return s->admin_listen && s->admin_listen[0] ? admin_new(&c->admin, &lo) : 0;
}

static int start_server(struct control *c)
{
    struct http_server_opts opts = {.loop = c->loop,
                                    .handlers = &http_handlers,
                                    .arg = c,
                                    .max_body = BODY_MAX,
                                    .max_connections = CONNECTIONS_MAX};
    int rc = http_server_new(&c->server, &opts);

    if (!rc)
        rc = mailbox_new(&c->doors, c->loop, DOORS_CAPACITY, on_door, c);
    if (!rc)
        rc = mailbox_new(&c->records, c->loop, RECORDS_CAPACITY, on_record, c);
    if (!rc)
        rc = loop_timer_new(&c->wake, c->loop, on_wake, c);
    return rc;
}

static int start_accepting(struct control *c)
{
    int rc = accepter_start(&c->accepter, c->socket.listen_fd, on_accept, c);

    if (!rc)
        c->socket.listen_fd = -1; /* the accepter's now */
    return rc;
}

int control_listen(struct control *c, char *why, size_t cap)
{
    int rc = control_socket_listen(&c->socket, c->data, why, cap);

    if (rc)
        return rc;
    rc = start_accepting(c);
    if (rc)
        snprintf(why, cap, "the control socket does not start: %s", rd_strerror(rc));
    else if (c->admin)
        admin_listen(c->admin);
    return rc;
}

int control_step_aside(struct control *c)
{
    int rc;

    accepter_stop(c->accepter);
    c->accepter = NULL;
    if (c->admin)
        admin_step_aside(c->admin);
    readers_end_all(c->readers, "another process goes on; come again");
    rc = control_socket_aside(&c->socket, c->data, getpid());
    return rc ? rc : start_accepting(c);
}

int control_lock_fd(const struct control *c)
{
    return c->socket.lock_fd;
}

int control_new(struct control **out, const struct control_opts *o, char *why, size_t cap)
{
    struct control *c = calloc(1, sizeof(*c));
    int rc;

    if (!c)
        return -ENOMEM;
    c->loop = o->loop;
    c->data = o->settings->data;
    rc = control_socket_open(&c->socket, c->data, o->lock_fd, why, cap);
    if (rc)
        goto fail;
    rc = events_new(&c->events);
    if (rc)
        goto fail_silent;
    rc = start_handlers(c, o->settings, why, cap);
    if (rc)
        goto fail;
    rc = start_api(c, o->settings);
    if (!rc)
        rc = start_server(c);
    if (rc)
        goto fail_silent;
    *out = c;
    return 0;
fail_silent:
    snprintf(why, cap, "the control socket does not start: %s", rd_strerror(rc));
fail:
    control_free(c);
    return rc;
}

struct mailbox *control_mailbox(struct control *c)
{
    return c->records;
}

void control_attach(struct control *c, struct node *n)
{
    c->node = n;
    handlers_attach(c->handlers, n);
    api_attach(c->api, n);
    if (c->admin)
        admin_attach(c->admin, n);
}

void control_free(struct control *c)
{
    if (!c)
        return;
    accepter_stop(c->accepter); /* nobody posts to the doors any more */
    control_socket_close(&c->socket);
    http_server_free(c->server);
    admin_free(c->admin);
    readers_free(c->readers);
    api_free(c->api);
    if (c->doors)
        mailbox_free(c->doors);
    if (c->records)
        mailbox_free(c->records);
    loop_timer_free(c->wake);
    handlers_free(c->handlers);
    events_free(c->events);
    free(c);
}
