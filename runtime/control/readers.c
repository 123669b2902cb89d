/* SPDX-License-Identifier: Apache-2.0 */
/* readers.c - a place per reader, and one timer for all of them.
 *
 * - an event's id is the second this process began, times ID_PER_SECOND, plus its number: ids go up
 *   over restarts, so that a reader who comes back with the last one of another process hears what is
 *   here, and that something is missing
 * - what a reader does not take waits in the ring, not with us: at most QUEUED_MAX bytes are queued for
 *   him, and who has taken nothing for SLOW_MS is told `slow` and closed
 * - each minute the token behind a reader is asked for again; one without a token that can be asked for
 *   is closed after UNCHECKED_MS: its owner comes again with a new ticket
 * - to a reader of some agents an event without an agent, or of another, never was
 *
 * Failure: an event that cannot be masked or written is left out for that reader; the database away is no
 * reason to close anybody before the token's own end. */
#include "control/readers.h"

#include "base/err.h"
#include "base/now.h"
#include "control/api.h"
#include "control/audience.h"
#include "control/polls.h"
#include "control/problem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ID_PER_SECOND = 10000,
    QUEUED_MAX = 256 << 10,
    LAST_WORDS = 1 << 10, /* behind a full queue */
    TICK_MS = 200,
    BEHIND_MS = 20, /* while somebody catches up */
    PING_MS = 15000,
    SLOW_MS = 10000,
    CHECK_MS = 60000,
    UNCHECKED_MS = 15 * 60000
};

struct reader {
    struct http_request *request; /* NULL: this place is free */
    uint64_t number;              /* of this reader, for checks that come back late */
    uint64_t after;               /* the last event it heard, by the ring's number */
    uint64_t wrote_ms, stuck_ms, check_ms, end_ms; /* stuck_ms 0: it takes what comes */
    int64_t expires_unix;                          /* 0: never */
    uint64_t holder;                               /* 0: nobody's token */
    struct audience audience;
    char token_sha256[API_DIGEST]; /* "": cannot be asked for */
};

struct readers {
    struct readers_opts o;
    uint64_t base, last_number;
    struct loop_timer *tick; /* owns */
    struct polls *polls;     /* owns: those who come again instead */
    unsigned n;
    struct buf text;                  /* owns: one event on its way out */
    struct reader *list[READERS_MAX]; /* own; NULL: never used */
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* ---- the end of one ---- */

static void forget(struct readers *r, struct reader *e)
{
    e->request = NULL;
    r->n--;
}

static void end(struct readers *r, struct reader *e, const char *event, const char *why)
{
    struct http_request *request = e->request;
    char text[512];
    int n = snprintf(text, sizeof(text), "event: %s\ndata: {\"why\":\"%s\"}\n\n", event, why);

    forget(r, e);
    (void)http_stream_write(request, (struct rd_str){text, (size_t)n}); /* if there is room */
    http_stream_end(request);
}

/* ---- events ---- */

/* Leaves room for the last words. */
static int put(struct reader *e, struct rd_str bytes)
{
    int rc = http_stream_queued(e->request) + bytes.n > QUEUED_MAX
                 ? RD_EFULL
                 : http_stream_write(e->request, bytes);

    if (!rc)
        e->wrote_ms = now_ms();
    return rc;
}

static int write_event(struct readers *r, struct reader *e, uint64_t number, struct rd_str json)
{
    struct buf *text = &r->text;
    int rc;

    if (!audience_hears(&e->audience, json))
        return 0;
    buf_clear(text);
    rc = buf_addf(text, "id: %" PRIu64 "\ndata: ", r->base + number);
    if (!rc)
        rc = audience_write(&e->audience, text, json);
    if (!rc)
        rc = buf_add_str(text, "\n\n");
    if (rc) /* nobody is shown half of it, or what could not be masked */
        return 0;
    return put(e, (struct rd_str){text->data, text->n});
}

static int write_missed(struct readers *r, struct reader *e, uint64_t from, uint64_t to)
{
    char text[160];
    int n = snprintf(text, sizeof(text),
                     "event: missed\ndata: {\"from\":%" PRIu64 ",\"to\":%" PRIu64 "}\n\n", from,
                     r->base + to);

    return put(e, (struct rd_str){text, (size_t)n});
}

/* All there is, as far as it is taken. False: it is stuck. */
static bool catch_up(struct readers *r, struct reader *e)
{
    uint64_t last = events_last(r->o.events), first = events_first(r->o.events);

    if (e->after + 1 < first) {
        if (write_missed(r, e, r->base + e->after + 1, first - 1))
            return false;
        e->after = first - 1;
    }
    while (e->after < last) {
        if (write_event(r, e, e->after + 1,
                        events_at(r->o.events, (unsigned)(e->after + 1 - first))))
            return false;
        e->after++;
    }
    return true;
}

static void serve(struct readers *r, struct reader *e)
{
    uint64_t before = e->after;
    bool done = catch_up(r, e);

    if (done)
        e->stuck_ms = 0;
    else if (e->stuck_ms == 0 || e->after != before)
        e->stuck_ms = now_ms();
    if (!done)
        loop_timer_in(r->tick, BEHIND_MS);
}

void readers_news(struct readers *r)
{
    for (int i = 0; r->n > 0 && i < READERS_MAX; i++)
        if (r->list[i] && r->list[i]->request)
            serve(r, r->list[i]);
    polls_news(r->polls);
}

/* ---- time ---- */

/* The check came back. */
static void on_checked(void *arg, uint64_t number, int good)
{
    struct readers *r = arg;

    for (int i = 0; good == 0 && i < READERS_MAX; i++) {
        struct reader *e = r->list[i];

        if (e && e->request && e->number == number)
            end(r, e, "ended", "the token is revoked or expired");
    }
}

static void check(struct readers *r, struct reader *e, uint64_t now)
{
    if (now < e->check_ms || !e->token_sha256[0])
        return;
    e->check_ms = now + CHECK_MS;
    (void)api_check(r->o.api, e->token_sha256, on_checked, r, e->number); /* else in a minute */
}

static void ping(struct reader *e)
{
    if (now_ms() - e->wrote_ms >= PING_MS)
        (void)put(e, RD_STR(": here\n\n"));
}

static void look_at(struct readers *r, struct reader *e, uint64_t now)
{
    if (e->expires_unix > 0 && unix_ms() / 1000 >= e->expires_unix) {
        end(r, e, "ended", "the token has expired");
        return;
    }
    if (now >= e->end_ms) {
        end(r, e, "ended", "come again with a new ticket");
        return;
    }
    if (e->stuck_ms)
        serve(r, e);
    if (e->stuck_ms && now_ms() - e->stuck_ms >= SLOW_MS) {
        end(r, e, "slow", "this reader takes less than there is; come again with Last-Event-ID");
        return;
    }
    ping(e);
    check(r, e, now);
}

static void on_tick(void *arg)
{
    struct readers *r = arg;
    uint64_t now = now_ms();
    bool behind = false;

    for (int i = 0; i < READERS_MAX; i++) {
        if (r->list[i] && r->list[i]->request)
            look_at(r, r->list[i], now);
        behind = behind || (r->list[i] && r->list[i]->request && r->list[i]->stuck_ms);
    }
    if (r->n > 0)
        loop_timer_in(r->tick, behind ? BEHIND_MS : TICK_MS);
}

/* ---- the beginning of one ---- */

static bool has_its_share(const struct readers *r, uint64_t holder)
{
    unsigned n = 0;

    for (int i = 0; holder && i < READERS_MAX; i++)
        n += r->list[i] && r->list[i]->request && r->list[i]->holder == holder;
    return n >= READERS_OF_ONE;
}

static struct reader *free_place(struct readers *r)
{
    for (int i = 0; i < READERS_MAX; i++) {
        if (!r->list[i])
            r->list[i] = calloc(1, sizeof(*r->list[i]));
        if (!r->list[i] || !r->list[i]->request)
            return r->list[i];
    }
    return NULL;
}

/* An id, or anything that could be one of an older process. False: none was given. */
static bool read_id(uint64_t *id, const struct json_value *v, const char *last_event_id)
{
    struct json_value text = {.type = JSON_STRING, .raw = {last_event_id, strlen(last_event_id)}};

    return json_u64(v, id) || json_u64(&text, id);
}

/* Where it goes on: behind `id`; 0: with all there is. What came before this process is missed; to whoever
 * has an id that is not given yet, of another node or of a clock that was set back, all of ours may be new. */
static void set_position(struct readers *r, struct reader *e, uint64_t id)
{
    uint64_t last = events_last(r->o.events);

    if (id >= r->base && id - r->base > last && last > 0)
        (void)write_missed(r, e, r->base + 1, last);
    if (id >= r->base)
        e->after = id - r->base < last ? id - r->base : last;
    else if (id == 0)
        e->after = events_first(r->o.events) - 1;
    else if (write_missed(r, e, id + 1, 0) == 0)
        e->after = 0;
}

static void read_stream(struct reader *e, const struct json_value *stream)
{
    struct json_value expires = json_get(stream, "expires_unix"),
                      token = json_get(stream, "token_sha256");
    uint64_t number;

    audience_read(&e->audience, stream);
    e->expires_unix = json_u64(&expires, &number) ? (int64_t)number : 0;
    if (json_copy(&token, e->token_sha256, sizeof(e->token_sha256)) != 0)
        e->token_sha256[0] = '\0';
}

int readers_open(struct readers *r, struct http_request *request, const struct json_value *stream,
                 const struct reader_place *at)
{
    struct json_value after = json_get(stream, "after"), wait = json_get(stream, "wait_s"),
                      token = json_get(stream, "holder");
    struct reader *e;
    uint64_t now = now_ms(), id, holder;
    int rc = RD_EFULL;

    if (wait.type == JSON_NUMBER)
        return polls_open(r->polls, request, stream);
    if (!json_u64(&token, &holder))
        holder = 0;
    if (has_its_share(r, holder))
        return -EDQUOT;
    e = free_place(r);
    if (e)
        rc = http_stream(request, "text/event-stream", ADMIN_HEADERS "x-accel-buffering: no\r\n",
                         QUEUED_MAX + LAST_WORDS);
    if (rc)
        return rc;
    *e = (struct reader){.request = request,
                         .holder = holder,
                         .number = ++r->last_number,
                         .after = events_last(r->o.events),
                         .wrote_ms = now,
                         .check_ms = now + CHECK_MS,
                         .end_ms = UINT64_MAX};
    read_stream(e, stream);
    if (!e->token_sha256[0] && !at->is_local)
        e->end_ms = now + UNCHECKED_MS;
    r->n++;
    (void)http_stream_write(request, RD_STR("retry: 2000\n\n"));
    if (read_id(&id, &after, at->last_event_id))
        set_position(r, e, id);
    serve(r, e);
    loop_timer_in(r->tick, TICK_MS);
    return 0;
}

void readers_gone(struct readers *r, const struct http_request *request)
{
    for (int i = 0; i < READERS_MAX; i++)
        if (r->list[i] && r->list[i]->request == request)
            forget(r, r->list[i]);
    polls_gone(r->polls, request);
}

void readers_end_all(struct readers *r, const char *why)
{
    for (int i = 0; i < READERS_MAX; i++)
        if (r->list[i] && r->list[i]->request)
            end(r, r->list[i], "ended", why);
    polls_end_all(r->polls);
}

unsigned readers_count(const struct readers *r)
{
    return r->n;
}

/* ---- life ---- */

int readers_new(struct readers **out, const struct readers_opts *o)
{
    struct readers *r = calloc(1, sizeof(*r));
    int rc;

    if (!r)
        return -ENOMEM;
    r->o = *o;
    r->base = unix_us() / 1000000 * ID_PER_SECOND;
    buf_init(&r->text, 2 * EVENT_MAX_BYTES);
    rc = loop_timer_new(&r->tick, o->loop, on_tick, r);
    if (!rc)
        rc = polls_new(&r->polls, o->loop, o->events, r->base);
    if (rc)
        readers_free(r);
    else
        *out = r;
    return rc;
}

void readers_free(struct readers *r)
{
    if (!r)
        return;
    loop_timer_free(r->tick);
    polls_free(r->polls);
    buf_fini(&r->text);
    for (int i = 0; i < READERS_MAX; i++)
        free(r->list[i]);
    free(r);
}
