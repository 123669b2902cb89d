/* SPDX-License-Identifier: Apache-2.0 */
/* polls.c - a place per request that waits, one timer for all of them.
 *
 * - an answer holds at most ITEMS_MAX events and about BYTES_MAX; `more` says that the next one will not
 *   have to wait
 * - events of other agents are no reason to answer, and are not looked at twice
 * - `missed`: what is behind `after` is gone, or of another process: whoever needs all of it reads it where
 *   it is kept (GET /calls/{call}/timeline)
 *
 * Failure: an event that cannot be masked or written is left out. */
#include "control/polls.h"

#include "base/err.h"
#include "control/audience.h"
#include "control/problem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

enum { ITEMS_MAX = 500, BYTES_MAX = 1 << 20, WAIT_MAX_S = 60 };

struct poll {
    struct http_request *request; /* NULL: this place is free */
    uint64_t after;               /* the ring's number: nothing up to here is left for it */
    uint64_t until_ms;
    uint64_t holder; /* the number of a token; 0: nobody's */
    bool missed;
    struct audience audience;
};

struct polls {
    const struct events *events; /* borrows */
    uint64_t base;
    struct loop_timer *timer;     /* owns */
    struct poll *list[POLLS_MAX]; /* own; NULL: never used */
};

static uint64_t now_ms(void)
{
    return clock_ms(loop_clock());
}

/* ---- answers ---- */

static struct rd_str event_at(const struct polls *p, uint64_t number)
{
    return events_at(p->events, (unsigned)(number - events_first(p->events)));
}

/* Steps over what is not its own. True: something is. */
static bool has_news(const struct polls *p, struct poll *q)
{
    uint64_t last = events_last(p->events), first = events_first(p->events);

    if (q->after + 1 < first) {
        q->missed = true;
        q->after = first - 1;
    }
    while (q->after < last && !audience_hears(&q->audience, event_at(p, q->after + 1)))
        q->after++;
    return q->after < last;
}

static int add_item(const struct polls *p, const struct poll *q, uint64_t number, unsigned n,
                    struct buf *out)
{
    size_t before = out->n;
    int rc = buf_addf(out, "%s{\"id\":%" PRIu64 ",\"event\":", n > 0 ? "," : "", p->base + number);

    if (!rc)
        rc = audience_write(&q->audience, out, event_at(p, number));
    if (!rc)
        rc = buf_add_str(out, "}");
    if (rc)
        out->n = before;
    return rc;
}

static int write_answer(const struct polls *p, struct poll *q, struct buf *out)
{
    uint64_t last = events_last(p->events);
    unsigned n = 0;
    int rc = buf_add_str(out, "{\"items\":[");

    while (!rc && n < ITEMS_MAX && out->n < BYTES_MAX && has_news(p, q)) {
        q->after++;
        n += add_item(p, q, q->after, n, out) == 0;
    }
    return rc ? rc
              : buf_addf(out, "],\"next\":%" PRIu64 ",\"missed\":%s,\"more\":%s}",
                         p->base + q->after, q->missed ? "true" : "false",
                         q->after < last ? "true" : "false");
}

static void answer(const struct polls *p, struct poll *q)
{
    static const struct problem full = {503,
                                        "busy",
                                        "There is no memory for this now",
                                        "the machine is short of it",
                                        "ask again in a minute",
                                        "retry-after: 60\r\n"};
    struct http_request *r = q->request;
    struct buf text;

    buf_init(&text, BYTES_MAX + 2 * EVENT_MAX_BYTES + 1024);
    q->request = NULL;
    if (write_answer(p, q, &text))
        problem_reply(r, &full);
    else
        http_reply_with(r, 200, "application/json", ADMIN_HEADERS,
                        (struct rd_str){text.data, text.n});
    buf_fini(&text);
}

/* ---- waiting ---- */

static void set_timer(struct polls *p)
{
    uint64_t next = 0;

    for (int i = 0; i < POLLS_MAX; i++) {
        const struct poll *q = p->list[i];

        if (q && q->request && (next == 0 || q->until_ms < next))
            next = q->until_ms;
    }
    if (next > 0)
        loop_timer_at(p->timer, next);
    else
        loop_timer_stop(p->timer);
}

static void on_timer(void *arg)
{
    struct polls *p = arg;
    uint64_t now = now_ms();

    for (int i = 0; i < POLLS_MAX; i++)
        if (p->list[i] && p->list[i]->request && now >= p->list[i]->until_ms)
            answer(p, p->list[i]);
    set_timer(p);
}

void polls_news(struct polls *p)
{
    for (int i = 0; i < POLLS_MAX; i++)
        if (p->list[i] && p->list[i]->request && has_news(p, p->list[i]))
            answer(p, p->list[i]);
    set_timer(p);
}

/* ---- the beginning ---- */

static struct poll *free_place(struct polls *p)
{
    for (int i = 0; i < POLLS_MAX; i++) {
        if (!p->list[i])
            p->list[i] = calloc(1, sizeof(*p->list[i]));
        if (!p->list[i] || !p->list[i]->request)
            return p->list[i];
    }
    return NULL;
}

static bool has_its_share(const struct polls *p, uint64_t holder)
{
    unsigned n = 0;

    for (int i = 0; holder && i < POLLS_MAX; i++)
        n += p->list[i] && p->list[i]->request && p->list[i]->holder == holder;
    return n >= POLLS_OF_ONE;
}

/* Behind that id; of an older process: with all there is, and something is missing. An id that is not given yet
 * is of another process as well: of another node, or the clock was set back between the two. */
static void set_position(const struct polls *p, struct poll *q, const struct json_value *after)
{
    uint64_t last = events_last(p->events), id;

    q->after = last;
    if (!json_u64(after, &id))
        return;
    if (id >= p->base)
        q->after = id - p->base < last ? id - p->base : last;
    else
        q->after = events_first(p->events) - 1;
    q->missed = id > 0 && (id < p->base || id - p->base > last);
}

int polls_open(struct polls *p, struct http_request *r, const struct json_value *stream)
{
    struct json_value after = json_get(stream, "after"), wait = json_get(stream, "wait_s"),
                      token = json_get(stream, "holder");
    struct poll *q = free_place(p);
    uint64_t seconds = 0, holder;

    if (!json_u64(&token, &holder))
        holder = 0;
    if (has_its_share(p, holder))
        return -EDQUOT;
    if (!q)
        return RD_EFULL;
    if (!json_u64(&wait, &seconds) || seconds > WAIT_MAX_S)
        seconds = WAIT_MAX_S;
    *q = (struct poll){.request = r, .holder = holder, .until_ms = now_ms() + seconds * 1000};
    audience_read(&q->audience, stream);
    set_position(p, q, &after);
    if (has_news(p, q) || q->missed || seconds == 0)
        answer(p, q);
    set_timer(p);
    return 0;
}

void polls_gone(struct polls *p, const struct http_request *r)
{
    for (int i = 0; i < POLLS_MAX; i++)
        if (p->list[i] && p->list[i]->request == r)
            p->list[i]->request = NULL;
}

void polls_end_all(struct polls *p)
{
    for (int i = 0; i < POLLS_MAX; i++)
        if (p->list[i] && p->list[i]->request)
            answer(p, p->list[i]);
}

/* ---- life ---- */

int polls_new(struct polls **out, struct loop *l, const struct events *events, uint64_t base)
{
    struct polls *p = calloc(1, sizeof(*p));
    int rc;

    if (!p)
        return -ENOMEM;
    p->events = events;
    p->base = base;
    rc = loop_timer_new(&p->timer, l, on_timer, p);
    if (rc)
        free(p);
    else
        *out = p;
    return rc;
}

void polls_free(struct polls *p)
{
    if (!p)
        return;
    loop_timer_free(p->timer);
    for (int i = 0; i < POLLS_MAX; i++)
        free(p->list[i]);
    free(p);
}
