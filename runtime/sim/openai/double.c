/* SPDX-License-Identifier: Apache-2.0 */
/* double.c - the OpenAI double as a network peer: listens, and gives each WebSocket a
 * session (openai_session.c), its timer and its slow work. What is refused is decided in
 * openai_upgrade.c.
 *
 *   accepter's thread ─fd▶ mailbox ─▶ loop: HTTP ─▶ upgrade checks ─▶ session ⇄ WebSocket
 *                                                                        └▶ loop_work: listen,
 * speak
 *
 *   - a session lives until its socket is closed and its last job is back, whichever is later; the
 *     double itself until it was stopped and its last session is gone
 *   - record and log are written line by line, so that a test may read them while we run
 *   - a peer that does not read is dropped by the WebSocket's own bound. */
#include "sim/openai/double.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "io/accepter.h"
#include "io/http_server.h"
#include "io/ws.h"
#include "sim/listener.h"
#include "sim/openai/control.h"
#include "sim/openai/upgrade.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MESSAGE_MAX = 16 * 1024 * 1024, OUTPUT_MAX = 64 * 1024 * 1024, CONNECTIONS_MAX = 4096 };

struct openai_double {
    struct loop *loop;            /* borrows */
    struct listener *listener;    /* owns; NULL once stopped */
    struct openai_script *script; /* owns */
    struct peer *peers;           /* own themselves; see peer_maybe_free() */
    FILE *record, *log;           /* own; NULL: none */
    char refusal[384];            /* body of the newest refused upgrade, until it is sent */
    unsigned n_sessions;
    struct openai_order order; /* for a moment that is still to come; MOMENT_NOW: none */
    struct openai_misery door; /* of who connects before door_until_ms */
    uint64_t door_until_ms;
    uint64_t violations; /* of sessions that are gone */
    bool stopped;
};

struct peer {
    struct peer *next;
    struct openai_double *home;     /* borrows */
    struct openai_session *session; /* owns */
    struct ws *ws;                  /* borrows; NULL: closed */
    struct loop_timer *timer;       /* owns */
    unsigned jobs;                  /* running on helper threads */
    struct openai_visit visit;
};

/* One piece of slow work. */
struct job {
    struct peer *peer; /* stays alive: it counts its jobs */
    uint32_t ticket;
    struct sound pcm;   /* owns; heard, or spoken */
    char *text, *voice; /* own; NULL: listening */
    int index;
    float score;
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

static void double_free(struct openai_double *d)
{
    if (!d)
        return;
    openai_script_free(d->script);
    if (d->record)
        fclose(d->record);
    if (d->log)
        fclose(d->log);
    free(d);
}

/* The one place that knows when a session, and the double, are over. */
static void peer_maybe_free(struct peer *p)
{
    struct openai_double *d = p->home;
    struct peer **at = &d->peers;

    if (p->ws || p->jobs)
        return;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    if (p->session)
        d->violations += openai_session_violations(p->session);
    openai_session_free(p->session);
    loop_timer_free(p->timer);
    free(p);
    if (d->stopped && !d->peers)
        double_free(d);
}

static void peer_arm(struct peer *p)
{
    uint64_t due_ms = openai_session_due(p->session);

    if (!p->ws || due_ms == UINT64_MAX)
        loop_timer_stop(p->timer);
    else
        loop_timer_at(p->timer, due_ms);
}

static void on_timer(void *arg)
{
    struct peer *p = arg;

    openai_session_tick(p->session, now_ms());
    peer_arm(p);
}

/* ---- slow work ---- */

static void job_free(struct job *j)
{
    sound_fini(&j->pcm);
    free(j->text);
    free(j->voice);
    free(j);
}

static void job_run(void *arg)
{
    struct job *j = arg;

    if (!j->text)
        j->index = recogniser_best(openai_script_ears(j->peer->home->script), j->pcm.pcm, j->pcm.n,
                                   &j->score);
    else if (sound_say(&j->pcm, j->text, j->voice))
        j->pcm = (struct sound){0};
}

static void job_done(void *arg)
{
    struct job *j = arg;
    struct peer *p = j->peer;

    p->jobs--;
    if (p->ws && j->text)
        openai_session_said(p->session, j->ticket, &j->pcm, now_ms());
    else if (p->ws)
        openai_session_heard(p->session, j->ticket, j->index, j->score, now_ms());
    job_free(j);
    if (p->ws)
        peer_arm(p);
    peer_maybe_free(p);
}

/* Frees the job when it cannot run, but not its sound: that goes back to who brought it. */
static int job_start(struct job *j)
{
    int rc = loop_work(j->peer->home->loop, job_run, job_done, j);

    if (rc == 0) {
        j->peer->jobs++;
        return 0;
    }
    j->pcm = (struct sound){0};
    job_free(j);
    return rc;
}

static int on_hear(uint32_t ticket, struct sound pcm, void *arg)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        return -ENOMEM;
    *j = (struct job){.peer = arg, .ticket = ticket, .pcm = pcm};
    return job_start(j);
}

static int on_say(uint32_t ticket, const char *text, const char *voice, void *arg)
{
    struct job *j = calloc(1, sizeof(*j));

    if (!j)
        return -ENOMEM;
    *j = (struct job){.peer = arg, .ticket = ticket, .text = strdup(text), .voice = strdup(voice)};
    if (!j->text || !j->voice) {
        job_free(j);
        return -ENOMEM;
    }
    return job_start(j);
}

/* ---- what a session does ---- */

static void on_send(const char *event, size_t n, void *arg)
{
    struct peer *p = arg;

    if (p->ws)
        ws_send(p->ws, event, n);
}

static void on_close(int code, const char *reason, void *arg)
{
    struct peer *p = arg;

    if (p->ws && code == 0)
        ws_drop(p->ws);
    else if (p->ws)
        ws_close(p->ws, code, reason);
}

static void on_fact(json_t *fact, void *arg)
{
    struct peer *p = arg;

    json_object_set_new(fact, "unix_ms", json_integer((json_int_t)unix_ms()));
    if (p->home->log && json_dumpf(fact, p->home->log, JSON_COMPACT) == 0)
        fputc('\n', p->home->log);
    json_decref(fact);
}

static int on_moment(enum openai_moment m, void *arg)
{
    struct openai_order *o = &((struct peer *)arg)->home->order;

    if (o->moment != m)
        return OPENAI_GOES_ON;
    o->moment = MOMENT_NOW;
    return o->code;
}

static const struct openai_session_events session_events = {
    .send = on_send,
    .close = on_close,
    .fact = on_fact,
    .moment = on_moment,
    .hear = on_hear,
    .say = on_say,
};

/* ---- the socket ---- */

static void on_open(struct ws *w, void *arg)
{
    struct peer *p = arg;

    p->ws = w;
    openai_session_start(p->session, now_ms());
    peer_arm(p);
}

/* One line per event; a line break between JSON tokens is only white space. */
static void keep_record(FILE *f, char *msg, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (msg[i] == '\n' || msg[i] == '\r')
            msg[i] = ' ';
    fwrite(msg, 1, n, f);
    fputc('\n', f);
}

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct peer *p = arg;

    (void)w;
    if (p->home->record)
        keep_record(p->home->record, msg, n);
    openai_session_receive(p->session, msg, n, now_ms());
    peer_arm(p);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct peer *p = arg;

    (void)w;
    log_debug("sim.openai.closed", F_INT("code", c->code), F_INT("why", c->why));
    p->ws = NULL;
    loop_timer_stop(p->timer);
    peer_maybe_free(p);
}

static const struct ws_handlers ws_events = {.open = on_open, .text = on_text, .closed = on_closed};

static int peer_new(struct openai_double *d, const struct openai_visit *v, struct peer **out)
{
    struct openai_session_opts o = {.script = d->script,
                                    .events = &session_events,
                                    .model = v->model,
                                    .number = ++d->n_sessions,
                                    .unix_s = time(NULL),
                                    .misery = v->misery};
    struct peer *p = calloc(1, sizeof(*p));
    int rc;

    if (!p)
        return -ENOMEM;
    p->home = d;
    p->visit = *v;
    o.arg = p;
    rc = loop_timer_new(&p->timer, d->loop, on_timer, p);
    if (rc == 0)
        rc = openai_session_new(&p->session, &o);
    if (rc) {
        loop_timer_free(p->timer);
        free(p);
        return rc;
    }
    p->next = d->peers;
    d->peers = p;
    *out = p;
    return 0;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    struct openai_double *d = arg;
    struct openai_visit visit;
    struct peer *p = NULL;
    int status = openai_upgrade_check(&visit, r);

    if (status == 0 && now_ms() < d->door_until_ms) {
        visit.misery = d->door;
        status = openai_upgrade_misery(&visit);
    }
    if (status) {
        int n = openai_upgrade_error(d->refusal, sizeof(d->refusal), status, &visit);

        log_info("sim.openai.refused", F_INT("status", status), F_STR("code", visit.code));
        accept->refusal_type = "application/json";
        accept->refusal = (struct rd_str){d->refusal, (size_t)n};
        return status;
    }
    if (peer_new(arg, &visit, &p))
        return 503;
    *accept = (struct ws_accept){
        .handlers = &ws_events, .arg = p, .max_message = MESSAGE_MAX, .max_output = OUTPUT_MAX};
    return 0;
}

static bool may_be_picked(const struct peer *p)
{
    return p->ws && openai_session_on_call(p->session) && !openai_session_was_told(p->session);
}

static struct peer *picked(const struct openai_double *d, unsigned pick)
{
    unsigned n = 0, place;

    for (const struct peer *p = d->peers; p; p = p->next)
        n += may_be_picked(p);
    place = n * pick / 1000;
    for (struct peer *p = d->peers; p; p = p->next)
        if (may_be_picked(p) && place-- == 0)
            return p;
    return NULL;
}

static int obey(struct openai_double *d, const struct openai_order *o)
{
    struct peer *p;

    if (o->moment == MOMENT_DOOR) {
        d->door = o->misery;
        d->door_until_ms = now_ms() + o->for_ms;
        return 202;
    }
    if (o->moment != MOMENT_NOW) {
        d->order = *o;
        return 202;
    }
    p = picked(d, o->pick);
    if (!p)
        return 409;
    openai_session_break(p->session, o->code, now_ms());
    return 202;
}

static void on_request(struct http_request *r, void *arg)
{
    struct openai_order order;

    if (rd_str_eq(http_method(r), RD_STR("POST")) &&
        openai_control_read(&order, http_target(r)) == 0) {
        http_reply(r, obey(arg, &order), "application/json", RD_STR("{}"));
        return;
    }
    http_reply(r, 404, "application/json",
               RD_STR("{\"error\":{\"message\":\"Invalid URL\",\"type\":\"invalid_request_error\","
                      "\"param\":null,\"code\":null}}"));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static const struct http_handlers http_events = {
    .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};

/* ---- start and stop ---- */

static int open_file(FILE **out, const char *path, char *why, size_t cap)
{
    if (!path)
        return 0;
    *out = fopen(path, "we");
    if (!*out) {
        int err = errno;
        snprintf(why, cap, "%s: %s", path, rd_strerror(-err));
        return -err;
    }
    setvbuf(*out, NULL, _IOLBF, 1 << 16);
    return 0;
}

static int listen_at(struct openai_double *d, const struct openai_double_opts *o, char *why,
                     size_t cap)
{
    struct http_server_opts h = {.loop = o->loop,
                                 .tls = o->tls,
                                 .handlers = &http_events,
                                 .arg = d,
                                 .max_connections = CONNECTIONS_MAX};
    int fd;
    int rc = listen_tcp(&fd, o->listen, why, cap);

    return rc ? rc : listener_start(&d->listener, &h, fd);
}

int openai_double_start(struct openai_double **out, const struct openai_double_opts *o, char *why,
                        size_t cap)
{
    struct openai_double *d = calloc(1, sizeof(*d));
    int rc;

    if (!d)
        return -ENOMEM;
    snprintf(why, cap, "out of memory");
    d->loop = o->loop;
    rc = openai_script_new(&d->script, o->scenarios, o->n_scenarios, why, cap);
    if (rc == 0)
        rc = open_file(&d->record, o->record, why, cap);
    if (rc == 0)
        rc = open_file(&d->log, o->log, why, cap);
    if (rc == 0)
        rc = listen_at(d, o, why, cap);
    if (rc) {
        openai_double_stop(d);
        return rc;
    }
    *out = d;
    return 0;
}

void openai_double_stop(struct openai_double *d)
{
    if (!d)
        return;
    listener_stop(d->listener);
    d->listener = NULL;
    d->stopped = true;
    for (struct peer *p = d->peers; p; p = p->next)
        if (p->ws)
            ws_drop(p->ws);
    if (!d->peers)
        double_free(d);
}

uint16_t openai_double_port(const struct openai_double *d)
{
    return listener_port(d->listener);
}

uint64_t openai_double_violations(const struct openai_double *d)
{
    uint64_t n = d->violations;

    for (const struct peer *p = d->peers; p; p = p->next)
        n += openai_session_violations(p->session);
    return n;
}
