/* SPDX-License-Identifier: Apache-2.0 */
/* admin.c - who may come in, before anything is asked of anybody.
 *
 * - Host and Origin must be ours (hosts.h): no page of somebody else's reaches the API through a browser
 * - an address has a bucket of requests; one with a token that nobody knows costs as much as twenty: so
 *   guessing is slow long before it is hopeless. Behind a proxy on this machine the address is the one
 *   that it tells (X-Forwarded-For); from elsewhere that header means nothing
 * - /livez and /readyz are answered to everybody as often as they ask: they cost little, and must not
 *   fail because somebody else is noisy. What is longer, /health, /metrics and the files of the console,
 *   has a bucket of its own
 *
 * Failure modes: the port is taken: tried again, since the process before us may be about to let it go;
 * after PATIENCE_MS it is told once, an alarm, and tried again each RETRY_MS. */
#include "control/admin.h"

#include "base/err.h"
#include "base/log.h"
#include "base/random.h"
#include "control/console.h"
#include "control/hosts.h"
#include "control/probes.h"
#include "control/problem.h"
#include "control/rates.h"
#include "io/accepter.h"
#include "io/http_server.h"
#include "io/mailbox.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    DOORS_CAPACITY = 1024,
    CONNECTIONS_MAX = 256,
    FILES_MAX = 2, /* at once; who they are from is known only when they are read */
    ADDRESS_BURST = 400,
    ADDRESS_PER_S = 100,
    UNKNOWN_COSTS = 20,
    LOOK_COSTS = 5, /* /health, /metrics, files: twenty a second */
    PATIENCE_MS = 3000,
    SOON_MS = 100,
    RETRY_MS = 2000
};

struct admin {
    struct admin_opts o;
    struct hosts hosts;
    struct accepter *accepter;  /* owns; NULL: it does not listen */
    struct mailbox *doors;      /* owns: accepted sockets */
    struct http_server *server; /* owns */
    struct http_counts counted; /* of it, in the metrics already */
    struct rates *addresses;    /* owns */
    struct loop_timer *retry;   /* owns */
    struct node *node;          /* borrows; NULL: none */
    uint32_t seed;              /* of keys: nobody can choose whose bucket he shares */
    uint64_t since_ms;          /* it tries since then; 0: it does not */
    _Atomic uint16_t port;      /* told to anybody */
    bool told;                  /* that it cannot listen */
};

static const struct problem
    wrong_host = {403,
                  "host",
                  "This listener does not answer by that name",
                  "the Host header names neither this machine nor one of admin.hosts",
                  "add the name to admin.hosts",
                  NULL},
    wrong_origin = {403,
                    "origin",
                    "A page of another origin asks",
                    "the Origin header is not ours, and not in admin.hosts",
                    "add its host to admin.hosts if it is yours",
                    NULL},
    twice = {400,
             "header",
             "A header is there twice",
             "Authorization, Origin and X-Forwarded-For come once",
             "send one",
             NULL},
    too_often = {429,
                 "too-often",
                 "This address asks too often",
                 "it has so many requests a second; bad tokens cost many",
                 "ask less often",
                 "retry-after: 2\r\n"},
    nothing_here = {
        404,
        "no-such-path",
        "There is nothing at this path",
        "the API is below " API_PREFIX,
        "see docs/api.md; the console is at /, and /livez, /readyz and /health are for machines",
        NULL};

/* ---- who asks ---- */

static bool is_loopback(const char *peer)
{
    return strncmp(peer, "127.", 4) == 0 || strcmp(peer, "::1") == 0;
}

/* The address, or of IPv6 the network: whoever has one address of it has them all. */
static uint64_t key_of(const struct admin *a, struct rd_str address)
{
    uint64_t key = 0xcbf29ce484222325u ^ a->seed;
    char text[INET6_ADDRSTRLEN] = "";
    struct in6_addr v6;

    if (rd_str_copy(text, sizeof(text), address) && inet_pton(AF_INET6, text, &v6) == 1)
        address = (struct rd_str){(const char *)v6.s6_addr, 8};
    for (size_t i = 0; i < address.n; i++)
        key = (key ^ (unsigned char)address.p[i]) * 0x100000001b3u;
    return key | 1;
}

/* The last one of "a, b": the proxy on this machine wrote it. */
static struct rd_str last_of(struct rd_str list)
{
    struct rd_str last = list;

    for (size_t i = 0; i < list.n; i++)
        if (list.p[i] == ',' || list.p[i] == ' ')
            last = (struct rd_str){list.p + i + 1, list.n - i - 1};
    return last;
}

static uint64_t whose(const struct admin *a, const struct http_request *r)
{
    struct rd_str told = http_header(r, "x-forwarded-for");

    if (told.n > 0 && is_loopback(http_peer(r)))
        return key_of(a, last_of(told));
    return key_of(a, rd_str(http_peer(r)));
}

/* ---- the door ---- */

static const struct problem *look(struct admin *a, const struct http_request *r)
{
    struct rd_str host = http_header(r, "host");

    if (http_header_count(r, "authorization") > 1 || http_header_count(r, "origin") > 1 ||
        http_header_count(r, "x-forwarded-for") > 1)
        return &twice;
    if (!hosts_has(&a->hosts, host))
        return &wrong_host;
    if (!hosts_has_origin(&a->hosts, http_header(r, "origin"), host))
        return &wrong_origin;
    return NULL;
}

static void serve_api(struct admin *a, struct http_request *r)
{
    uint64_t key = whose(a, r), now = clock_ms(loop_clock());

    if (rates_wait_ms(a->addresses, key, now) > 0) {
        problem_reply(r, &too_often);
        return;
    }
    rates_charge(a->addresses, key, 1, now);
    if (rd_str_eq(http_method(r), RD_STR("OPTIONS"))) /* of our own pages: others were refused */
        http_reply_with(r, 204, NULL,
                        ADMIN_HEADERS "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n",
                        RD_STR(""));
    else
        api_serve(a->o.api, r, NULL, key);
}

/* Whoever looks too often for what it costs. */
static const struct problem *look_often(struct admin *a, const struct http_request *r)
{
    uint64_t key = ~whose(a, r), now = clock_ms(loop_clock());
    struct rd_str path = http_path(r);

    if (rd_str_eq(path, RD_STR("/livez")) || rd_str_eq(path, RD_STR("/readyz")) ||
        api_request_is_ours(path))
        return NULL;
    if (rates_wait_ms(a->addresses, key, now) > 0)
        return &too_often;
    rates_charge(a->addresses, key, LOOK_COSTS, now);
    return NULL;
}

/* What the server refused by itself since the last request; who asks for /metrics makes one. */
static void count_refusals(struct admin *a)
{
    struct http_counts now = http_server_counts(a->server);

    metric_add(M_ADMIN_BAD_REQUEST, now.refused - a->counted.refused);
    metric_add(M_ADMIN_TOO_BIG, now.too_big - a->counted.too_big);
    metric_add(M_ADMIN_SLOW, now.timeouts - a->counted.timeouts);
    metric_add(M_ADMIN_NO_ROOM, now.no_room - a->counted.no_room);
    metric_add(M_ADMIN_DISPLACED, now.displaced - a->counted.displaced);
    a->counted = now;
}

static void on_request(struct http_request *r, void *arg)
{
    struct admin *a = arg;
    const struct problem *why = look(a, r);

    count_refusals(a);
    if (!why)
        why = look_often(a, r);
    if (why)
        problem_reply(r, why);
    else if (api_request_is_ours(http_path(r)))
        serve_api(a, r);
    else if (!probes_serve(r, a->node) && !console_serve(r))
        problem_reply(r, &nothing_here);
}

static void on_gone(struct http_request *r, void *arg)
{
    struct admin *a = arg;

    api_gone(a->o.api, r);
    readers_gone(a->o.readers, r);
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    (void)r;
    (void)accept;
    (void)arg;
    return 404;
}

static size_t body_max(struct http_request *r, void *arg)
{
    (void)arg;
    return api_request_limits(http_method(r), http_path(r)).body_max;
}

static const struct http_handlers handlers = {
    .on_request = on_request,
    .on_gone = on_gone,
    .on_upgrade = on_upgrade,
    .body_max = body_max,
    .refusal = problem_of_http,
};

void admin_unknown(struct admin *a, uint64_t key)
{
    if (key != 0)
        rates_charge(a->addresses, key, UNKNOWN_COSTS, clock_ms(loop_clock()));
}

/* ---- listening ---- */

static void on_door(struct message *m, void *arg)
{
    struct admin *a = arg;
    int fd = m->fd;

    m->fd = -1;
    if (fd >= 0)
        http_server_adopt(a->server, fd);
    message_free(m);
}

/* Accepter's thread. */
static void on_accept(int fd, const char *peer, void *arg)
{
    struct admin *a = arg;
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)peer;
    if (!m) {
        close(fd);
        return;
    }
    m->fd = fd; /* goes with the message, also when it is refused */
    (void)mailbox_post(a->doors, m);
}

static void tell(struct admin *a, const char *why)
{
    const char *fix = catalogue_fix("admin.", "not_listening");

    if (!a->told) {
        log_error("admin.not_listening", F_STR("why", why), F_FIX(fix));
        alarm_raise(ALARM_WARNING, "admin.not_listening", NULL, why, fix);
    }
    a->told = true;
}

static void fail(struct admin *a, const char *why)
{
    uint64_t now = clock_ms(loop_clock());

    if (a->since_ms == 0)
        a->since_ms = now;
    if (now - a->since_ms >= PATIENCE_MS)
        tell(a, why);
    loop_timer_in(a->retry, a->told ? RETRY_MS : SOON_MS);
}

void admin_listen(struct admin *a)
{
    char why[512] = "";
    int fd = -1, rc = 0;

    if (a->accepter)
        return;
    rc = listen_tcp(&fd, a->o.settings->admin_listen, why, sizeof(why));
    if (!rc) {
        a->port = listen_port(fd);
        rc = accepter_start(&a->accepter, fd, on_accept, a);
        if (rc)
            close(fd);
    }
    if (rc) {
        a->port = 0;
        fail(a, why[0] ? why : rd_strerror(rc));
        return;
    }
    a->since_ms = 0;
    log_info("admin.listening", F_STR("listen", a->o.settings->admin_listen),
             F_INT("port", a->port));
    if (a->told)
        alarm_clear("admin.not_listening", NULL);
    a->told = false;
}

static void on_retry(void *arg)
{
    admin_listen(arg);
}

void admin_step_aside(struct admin *a)
{
    loop_timer_stop(a->retry);
    accepter_stop(a->accepter);
    a->accepter = NULL;
    a->port = 0;
}

void admin_attach(struct admin *a, struct node *n)
{
    a->node = n;
}

uint16_t admin_port(const struct admin *a)
{
    return a->port;
}

/* ---- life ---- */

int admin_new(struct admin **out, const struct admin_opts *o)
{
    struct admin *a = calloc(1, sizeof(*a));
    struct http_server_opts so = {.loop = o->loop,
                                  .handlers = &handlers,
                                  .arg = a,
                                  .max_body = API_BODY_MAX,
                                  .max_long = FILES_MAX,
                                  .max_connections = CONNECTIONS_MAX};
    int rc;

    if (!a)
        return -ENOMEM;
    a->o = *o;
    a->hosts = (struct hosts){o->settings->admin_listen, o->settings->admin_hosts};
    a->seed = rd_random_bits();
    rc = http_server_new(&a->server, &so);
    if (!rc)
        rc = mailbox_new(&a->doors, o->loop, DOORS_CAPACITY, on_door, a);
    if (!rc)
        rc = rates_new(&a->addresses, ADDRESS_BURST, ADDRESS_PER_S);
    if (!rc)
        rc = loop_timer_new(&a->retry, o->loop, on_retry, a);
    if (rc)
        admin_free(a);
    else
        *out = a;
    return rc;
}

void admin_free(struct admin *a)
{
    if (!a)
        return;
    accepter_stop(a->accepter);
    http_server_free(a->server);
    if (a->doors)
        mailbox_free(a->doors);
    rates_free(a->addresses);
    loop_timer_free(a->retry);
    free(a);
}
