/* SPDX-License-Identifier: Apache-2.0 */
/* double.c - the GPT-Live double as a network peer: listens, and gives each WebSocket a session. It lives
 * until it was stopped and its last session has let go. */
#include "sim/live/double.h"

#include "base/err.h"
#include "base/now.h"
#include "io/accepter.h"
#include "io/http_server.h"
#include "sim/listener.h"
#include "sim/live/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    enum live_fault fault;
    int status;
} faults[] = {
    {"no-start", LIVE_NO_START, 0},
    {"stuck", LIVE_STUCK, 0},
    {"drop-first", LIVE_DROP_FIRST, 0},
    {"expire-first", LIVE_EXPIRE_FIRST, 0},
    {"noise", LIVE_NOISE, 0},
    {"huge", LIVE_HUGE, 0},
    {"401", LIVE_GOOD, 401},
    {"403", LIVE_GOOD, 403},
    {"429", LIVE_GOOD, 429},
    {"500", LIVE_GOOD, 500},
    {"503", LIVE_GOOD, 503},
};

void live_fact(struct live_double *d, json_t *fact)
{
    json_object_set_new(fact, "unix_ms", json_integer((json_int_t)unix_ms()));
    if (d->log && json_dumpf(fact, d->log, JSON_COMPACT) == 0) {
        fputc('\n', d->log);
        fflush(d->log);
    }
    json_decref(fact);
}

void live_double_maybe_free(struct live_double *d)
{
    if (!d->stopped || d->peers)
        return;
    openai_script_free(d->script);
    if (d->log)
        fclose(d->log);
    free(d);
}

/* 0, or the status to refuse with. */
static int read_path(struct rd_str path, enum live_fault *fault)
{
    static const struct rd_str head = {"/fault/", 7};

    *fault = LIVE_GOOD;
    if (path.n > head.n && memcmp(path.p, head.p, head.n) == 0) {
        for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
            size_t n = head.n + strlen(faults[i].name);

            if (path.n <= n || memcmp(path.p + head.n, faults[i].name, n - head.n) != 0 ||
                path.p[n] != '/')
                continue;
            *fault = faults[i].fault;
            if (faults[i].status)
                return faults[i].status;
            path = (struct rd_str){path.p + n, path.n - n};
            break;
        }
    }
    return rd_str_eq(path, RD_STR("/v1/live/sessions")) ? 0 : 404;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    struct live_double *d = arg;
    struct rd_str key = http_header(r, "authorization");
    enum live_fault fault;
    struct live_peer *p;
    int status = read_path(http_path(r), &fault);

    if (!status && (key.n <= 7 || memcmp(key.p, "Bearer ", 7) != 0))
        status = 401;
    if (!status && memchr(http_target(r).p, '?', http_target(r).n))
        status = 400; /* the model is in the body */
    if (!status && live_peer_new(&p, d, fault))
        status = 503;
    if (status) {
        accept->refusal_type = "application/json";
        accept->refusal =
            status == 401
                ? RD_STR("{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Incorrect key\"}}")
                : RD_STR("{\"error\":{\"code\":null,\"message\":\"no\"}}");
        return status;
    }
    *accept = (struct ws_accept){.handlers = &live_peer_events, .arg = p, .max_message = 1 << 22};
    return 0;
}

static void on_request(struct http_request *r, void *arg)
{
    (void)arg;
    http_reply(r, 404, "application/json", RD_STR("{}"));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r, (void)arg;
}

static const struct http_handlers http_events = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

int live_double_start(struct live_double **out, const struct live_double_opts *o, char *why,
                      size_t cap)
{
    struct live_double *d = calloc(1, sizeof(*d));
    struct http_server_opts h = {
        .loop = o->loop, .handlers = &http_events, .arg = d, .max_connections = 256};
    int fd, rc;

    if (!d)
        return -ENOMEM;
    d->loop = o->loop;
    rc = openai_script_new(&d->script, o->scenarios, o->n_scenarios, why, cap);
    if (!rc && o->log && !(d->log = fopen(o->log, "we"))) {
        rc = -errno;
        snprintf(why, cap, "%s: %s", o->log, rd_strerror(rc));
    }
    if (!rc)
        rc = listen_tcp(&fd, o->listen, why, cap);
    if (!rc)
        rc = listener_start(&d->listener, &h, fd);
    if (rc) {
        live_double_stop(d);
        return rc;
    }
    *out = d;
    return 0;
}

void live_double_stop(struct live_double *d)
{
    if (!d)
        return;
    listener_stop(d->listener);
    d->listener = NULL;
    d->stopped = true;
    for (struct live_peer *p = d->peers; p; p = p->next)
        if (p->ws)
            ws_drop(p->ws);
    live_double_maybe_free(d);
}

uint16_t live_double_port(const struct live_double *d)
{
    return listener_port(d->listener);
}
