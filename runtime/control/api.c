/* SPDX-License-Identifier: Apache-2.0 */
/* api.c - a place for each request that is not answered yet.
 *
 *   FREE ─serve─▶ QUEUED ─▶ RUNNING ─the operation ended─▶ FREE
 *                    \─────────\──late: 503, the peer left─▶ (runs on, unheard) ─┘
 *
 * - who waits in the queue longer than QUEUE_MS is told 503; an operation has its budget, and somewhat
 *   later the request is answered whatever its thread does
 * - an operation that runs keeps its place until it ends, answered or not: so there are never more of
 *   them than places
 * - each token has a bucket of its own, from which a request takes when it begins, however it ends; one
 *   that nobody knows is counted against its address, too
 * - one token has half of the places, and half of those that are worked on: whatever it asks, and however
 *   long that takes, others get an answer
 *
 * Failure modes: the operation raises (500 with a number that the log has, too), breaks its budget (503),
 * its thread ends (503), its result is no answer (500). The end of an operation that cannot be told for
 * want of memory shows at the next tick. */
#include "control/api.h"

#include "agent/host.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/random.h"
#include "control/api_answer.h"
#include "control/playback.h"
#include "control/rates.h"
#include "control/readers.h"
#include "io/mailbox.h"
#include "observe/catalogue.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACES = API_RUNNING + API_QUEUED,
    QUEUE_MS = 5000,
    LATE_MS = 2000, /* after the budget */
    TICK_MS = 250,
    TOKEN_BURST = 200,
    TOKEN_PER_S = 50
};

enum place_state { PLACE_FREE, PLACE_QUEUED, PLACE_RUNNING };

struct place {
    struct api *api;
    enum place_state state;
    struct http_request *request; /* NULL: nobody waits for it */
    api_checked_fn *checked;      /* or this does */
    void *checked_arg;
    uint64_t number; /* of the check */
    char *payload;   /* owns; while QUEUED */
    size_t n_payload;
    char who[64], last_event_id[32];
    uint32_t budget_ms;
    uint64_t until_ms, order; /* order: first come, first served */
    uint64_t key, token_key;  /* 0: no token */
    atomic_bool lost;         /* it ended, and that could not be told */
};

struct api {
    struct api_opts o;
    struct node *node;         /* borrows */
    struct readers *readers;   /* borrows */
    struct playback *playback; /* owns; NULL: nothing is played */
    struct mailbox *ended;     /* owns: operations that ended */
    struct loop_timer *tick;   /* owns */
    struct rates *tokens;      /* owns */
    struct place places[PLACES];
    unsigned running, queued;
    uint64_t last_order;
    struct api_counts counts;
};

static const struct problem
    full = {503,
            "busy",
            "Too much is asked at once",
            "this node works on other requests",
            "ask again in a second",
            "retry-after: 1\r\n"},
    starting = {503,
                "starting",
                "The node is starting or ending",
                "it cannot be asked yet, or not any more",
                "ask again in a few seconds",
                "retry-after: 3\r\n"},
    late = {503,
            "too-long",
            "This took too long",
            "it was given up; a change may have been made all the same",
            "look at the state, then ask again, for less if you can",
            "retry-after: 5\r\n"},
    too_often = {429,
                 "too-often",
                 "This token asks too often",
                 "it has so many requests a second",
                 "ask less often",
                 "retry-after: 1\r\n"},
    many_at_once = {429,
                    "too-many-at-once",
                    "This token asks for too much at once",
                    "one token has a part of what a node works on, so that others "
                    "get an answer, too",
                    "wait for the answers there will be, then ask on",
                    "retry-after: 1\r\n"},
    not_a_stream = {400,
                    "http",
                    "Something was sent behind the request",
                    "a stream is the last thing on its connection",
                    "send nothing more",
                    NULL},
    many_streams = {503,
                    "busy",
                    "Too many streams are open",
                    "each node has places for so many readers",
                    "close one, or ask again later",
                    "retry-after: 10\r\n"},
    many_of_token = {429,
                     "too-many-open",
                     "This token has too many streams open",
                     "one token, with its sessions, has a part of the places "
                     "of a node, so that others have some, too",
                     "close one, or use a token of its own for each program",
                     "retry-after: 10\r\n"};

static const struct problem *why_not_open(int rc)
{
    return rc == RD_EPROTO ? &not_a_stream : rc == -EDQUOT ? &many_of_token : &many_streams;
}

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* ---- places ---- */

static struct place *free_place(struct api *a)
{
    for (int i = 0; i < PLACES; i++)
        if (a->places[i].state == PLACE_FREE)
            return &a->places[i];
    return NULL;
}

static void release(struct place *p)
{
    struct api *a = p->api;

    a->running -= p->state == PLACE_RUNNING;
    a->queued -= p->state == PLACE_QUEUED;
    free(p->payload);
    *p = (struct place){.api = a};
}

/* Of a token; of nobody's there is no bound. */
static bool has_its_share(const struct api *a, uint64_t token_key, bool running)
{
    unsigned n = 0;

    for (int i = 0; token_key && i < PLACES; i++)
        n += a->places[i].token_key == token_key &&
             (!running || a->places[i].state == PLACE_RUNNING);
    return n >= (running ? API_RUNNING_OF_ONE : API_OF_ONE);
}

static struct place *first_queued(struct api *a)
{
    struct place *first = NULL;

    for (int i = 0; i < PLACES; i++) {
        struct place *p = &a->places[i];

        if (p->state == PLACE_QUEUED && (!first || p->order < first->order) &&
            !has_its_share(a, p->token_key, true))
            first = p;
    }
    return first;
}

static void set_tick(struct api *a)
{
    if (a->running + a->queued > 0)
        loop_timer_in(a->tick, TICK_MS);
}

/* "numbers" of /api/v1/numbers/+13125550142: what stands behind may be personal. */
static void log_late(const struct place *p, const char *where)
{
    struct rd_str path = http_path(p->request);
    const size_t prefix = sizeof(API_PREFIX);
    char route[33];

    if (path.n > prefix)
        path = (struct rd_str){path.p + prefix, path.n - prefix};
    for (size_t i = 0; i < path.n; i++)
        if (!isalnum((unsigned char)path.p[i]) && path.p[i] != '-')
            path.n = i;
    (void)rd_str_copy(route, sizeof(route), path);
    log_warn("api.late", F_STR("route", route), F_STR("where", where),
             F_FIX(catalogue_fix("api.", "late")));
}

/* Whoever waits hears this instead; the place stays as it is. */
static void refuse(struct place *p, const struct problem *why)
{
    if (p->request)
        problem_reply(p->request, why);
    if (p->checked)
        p->checked(p->checked_arg, p->number, -EBUSY);
    p->request = NULL;
    p->checked = NULL;
}

/* ---- operations ---- */

/* Script thread. */
static void on_done(void *arg, const struct operation_end *e)
{
    struct place *p = arg;
    struct rd_str s[] = {e->text, e->traceback};
    struct message *m = message_new(MSG_REPLIED, 0, s, 2);

    if (m) {
        m->kind = e->rc;
        m->ptr = p;
        if (mailbox_post(p->api->ended, m) == 0)
            return;
    }
    atomic_store(&p->lost, true);
}

/* Its place is released when it cannot. */
static void start(struct place *p)
{
    struct api *a = p->api;
    struct operation_order o = {.kind = "api",
                                .json = {p->payload, p->n_payload},
                                .who = p->who[0] ? p->who : "api",
                                .budget_ms = p->budget_ms,
                                .aside = true,
                                .done = on_done,
                                .arg = p};
    int rc = -ENOTCONN;

    a->queued--;
    a->running++;
    p->state = PLACE_RUNNING;
    if (a->node)
        rc = node_ask(a->node, &o);
    free(p->payload);
    p->payload = NULL;
    p->until_ms = now_ms() + p->budget_ms + LATE_MS;
    if (!rc)
        return;
    a->counts.refused++;
    refuse(p, rc == -ENOTCONN ? &starting : &full);
    release(p);
}

static void start_some(struct api *a)
{
    struct place *p;

    while (a->running < API_RUNNING && (p = first_queued(a)))
        start(p);
    set_tick(a);
}

/* Takes the payload. */
static void queue(struct place *p, struct buf *payload, uint32_t budget_ms)
{
    struct api *a = p->api;

    p->n_payload = payload->n;
    p->payload = buf_take(payload);
    p->budget_ms = budget_ms;
    p->until_ms = now_ms() + QUEUE_MS;
    p->order = ++a->last_order;
    p->state = PLACE_QUEUED;
    a->queued++;
    start_some(a);
}

/* ---- answers ---- */

static void open_stream(struct place *p, const struct json_value *stream)
{
    struct reader_place at = {p->last_event_id, p->who[0] != '\0'};
    int rc = RD_EFULL;

    if (rd_str_eq(http_method(p->request), RD_STR("HEAD"))) {
        http_reply_with(p->request, 200, "text/event-stream", ADMIN_HEADERS, RD_STR(""));
        return;
    }
    if (p->api->readers)
        rc = readers_open(p->api->readers, p->request, stream, &at);
    if (rc)
        problem_reply(p->request, why_not_open(rc));
}

/* False: the result is none. */
static bool play(struct place *p, const struct json_value *file)
{
    struct api *a = p->api;
    int rc = a->playback ? playback_serve(a->playback, p->request, file) : RD_EFULL;

    if (rc == RD_EPROTO)
        return false;
    if (rc)
        problem_reply(p->request, why_not_open(rc));
    return true;
}

/* What was raised is for the log; whoever asked gets a number to look for. */
static void fail(struct place *p, int rc, struct rd_str why, struct rd_str traceback)
{
    char id[24], detail[96];
    struct problem broken = {500,
                             "broken",
                             "Ringdown made a mistake",
                             detail,
                             "look for this number in the log of this node",
                             NULL};

    (void)snprintf(id, sizeof(id), "%08" PRIx32 "%08" PRIx32, rd_random_bits(), rd_random_bits());
    (void)snprintf(detail, sizeof(detail), "it is written down as %s", id);
    p->api->counts.failed++;
    log_error("api.failed", F_STR("request", id), F_ERR(rc), F_STR("why", why.p),
              F_RAISED("traceback", traceback.p),
              F_FIX("is scripts/ringdown/api of the same version as the program?"));
    problem_reply(p->request, &broken);
}

static void finish(struct place *p, int rc, struct rd_str text, struct rd_str traceback)
{
    struct json_value result, stream, file;
    int status = rc ? 0 : api_answer_status(text, &result);

    if (p->checked) {
        p->checked(p->checked_arg, p->number,
                   status == 200                    ? 1
                   : status == 401 || status == 403 ? 0
                                                    : -EAGAIN);
        return;
    }
    if (status == 401 && p->api->o.on_unknown) /* also when the peer did not stay to hear it */
        p->api->o.on_unknown(p->api->o.arg, p->key);
    if (!p->request)
        return;
    if (rc == -ETIMEDOUT || rc == RD_EBUDGET || rc == RD_EGONE) {
        p->api->counts.late += rc != RD_EGONE;
        if (rc != RD_EGONE)
            log_late(p, "script");
        refuse(p, rc == RD_EGONE ? &starting : &late);
        return;
    }
    if (status == 0) {
        fail(p, rc ? rc : RD_EPROTO, text, traceback);
        return;
    }
    stream = json_get(&result, "stream");
    file = json_get(&result, "file");
    if (stream.type == JSON_OBJECT)
        open_stream(p, &stream);
    else if (file.type == JSON_OBJECT && !play(p, &file))
        fail(p, RD_EPROTO, RD_STR("the result is no recording"), RD_STR(""));
    else if (file.type != JSON_OBJECT && api_answer(p->request, &result, status))
        fail(p, RD_EPROTO, RD_STR("the result is no answer"), RD_STR(""));
    p->api->counts.served++;
}

static void on_ended(struct message *m, void *arg)
{
    struct api *a = arg;
    struct place *p = m->ptr;

    finish(p, m->kind, m->s[0], m->s[1]);
    message_free(m);
    release(p);
    start_some(a);
}

static void on_tick(void *arg)
{
    struct api *a = arg;
    uint64_t now = now_ms();

    for (int i = 0; i < PLACES; i++) {
        struct place *p = &a->places[i];

        if (p->state != PLACE_FREE && now >= p->until_ms) {
            a->counts.late += p->request != NULL;
            if (p->request)
                log_late(p, p->state == PLACE_QUEUED ? "queue" : "thread");
            refuse(p, p->state == PLACE_QUEUED ? &full : &late);
            if (p->state == PLACE_QUEUED)
                release(p);
        }
        if (p->state == PLACE_RUNNING && atomic_load(&p->lost)) {
            refuse(p, &late);
            release(p);
        }
    }
    start_some(a);
}

/* ---- requests ---- */

static uint64_t key_of(const char token_sha256[API_DIGEST])
{
    char first[17];

    if (!token_sha256[0])
        return 0;
    (void)rd_str_copy(first, sizeof(first), (struct rd_str){token_sha256, 16});
    return strtoull(first, NULL, 16) | 1;
}

static struct api_request read_request(const struct http_request *r, const char *who)
{
    return (struct api_request){.method = http_method(r),
                                .target = http_target(r),
                                .body = http_body(r),
                                .authorization = http_header(r, "authorization"),
                                .if_match = http_header(r, "if-match"),
                                .idempotency_key = http_header(r, "idempotency-key"),
                                .content_type = http_header(r, "content-type"),
                                .accept = http_header(r, "accept"),
                                .last_event_id = http_header(r, "last-event-id"),
                                .peer = http_peer(r),
                                .who = who};
}

static const struct problem *admit(struct api *a, const struct api_request *in, struct buf *payload,
                                   struct api_asker *asker)
{
    const struct problem *why;

    if (!a->node)
        return &starting;
    if (a->queued >= API_QUEUED || !free_place(a))
        return &full;
    why = api_request_payload(payload, in, asker);
    if (!why && rates_wait_ms(a->tokens, key_of(asker->token_sha256), now_ms()) > 0)
        why = &too_often;
    if (!why && has_its_share(a, key_of(asker->token_sha256), false))
        why = &many_at_once;
    return why;
}

/* When it begins: one that is given up, or late, made as much work. */
static void charge(struct api *a, uint64_t token_key)
{
    if (token_key)
        rates_charge(a->tokens, token_key, 1, now_ms());
}

void api_serve(struct api *a, struct http_request *r, const char *who, uint64_t key)
{
    struct api_request in = read_request(r, who);
    struct api_limits limits = api_request_limits(in.method, http_path(r));
    struct api_asker asker = {.token_sha256 = ""};
    const struct problem *why;
    struct buf payload;
    struct place *p;

    buf_init(&payload, API_PAYLOAD_MAX);
    why = admit(a, &in, &payload, &asker);
    if (why) {
        a->counts.refused++;
        problem_reply(r, why);
    } else {
        p = free_place(a);
        p->request = r;
        p->key = key;
        p->token_key = key_of(asker.token_sha256);
        charge(a, p->token_key);
        (void)rd_str_copy(p->who, sizeof(p->who), rd_str(who ? who : ""));
        (void)rd_str_copy(p->last_event_id, sizeof(p->last_event_id),
                          in.last_event_id.p ? in.last_event_id : RD_STR(""));
        queue(p, &payload, limits.budget_ms);
    }
    buf_fini(&payload);
}

void api_gone(struct api *a, const struct http_request *r)
{
    if (a->playback)
        playback_gone(a->playback, r);
    for (int i = 0; i < PLACES; i++) {
        struct place *p = &a->places[i];

        if (p->state == PLACE_FREE || p->request != r)
            continue;
        p->request = NULL;
        if (p->state == PLACE_QUEUED) /* nobody wants it any more */
            release(p);
        return;
    }
}

int api_check(struct api *a, const char token_sha256[API_DIGEST], api_checked_fn *fn, void *arg,
              uint64_t number)
{
    struct place *p = a->queued < API_QUEUED ? free_place(a) : NULL;
    struct buf payload;
    int rc = -EBUSY;

    buf_init(&payload, 1024);
    if (p && a->node && api_request_me(&payload, token_sha256) == 0) {
        p->checked = fn;
        p->checked_arg = arg;
        p->number = number;
        rc = 0;
        queue(p, &payload, QUEUE_MS);
    }
    buf_fini(&payload);
    return rc;
}

/* ---- life ---- */

int api_new(struct api **out, const struct api_opts *o)
{
    struct api *a = calloc(1, sizeof(*a));
    int rc;

    if (!a)
        return -ENOMEM;
    a->o = *o;
    for (int i = 0; i < PLACES; i++)
        a->places[i].api = a;
    rc = mailbox_new(&a->ended, o->loop, PLACES, on_ended, a);
    if (!rc)
        rc = loop_timer_new(&a->tick, o->loop, on_tick, a);
    if (!rc)
        rc = rates_new(&a->tokens, TOKEN_BURST, TOKEN_PER_S);
    if (!rc && o->data)
        rc = playback_new(&a->playback, o->loop, o->data);
    if (rc)
        api_free(a);
    else
        *out = a;
    return rc;
}

void api_set_readers(struct api *a, struct readers *readers)
{
    a->readers = readers;
}

void api_attach(struct api *a, struct node *n)
{
    a->node = n;
}

void api_free(struct api *a)
{
    if (!a)
        return;
    if (a->ended)
        mailbox_free(a->ended);
    loop_timer_free(a->tick);
    rates_free(a->tokens);
    playback_free(a->playback);
    for (int i = 0; i < PLACES; i++)
        free(a->places[i].payload);
    free(a);
}

struct api_counts api_counts(const struct api *a)
{
    struct api_counts c = a->counts;

    c.running = a->running;
    c.queued = a->queued;
    return c;
}
