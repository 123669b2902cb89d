/* SPDX-License-Identifier: Apache-2.0 */
/* What no telephone network offers: somebody outside makes it place a call or misbehave, now.
 *
 *   POST /control/call?scenario=NAME&from=%2B1...   one of the scenarios it was started with, from this number
 *   POST /control/faults?list=429,text-503          the REST API's next requests fail so, in place of
 *                                                   what was ordered before (fault.h)
 *   POST /control/lose-stream?pick=370[&stops=1]    the network loses one of the streams, 370 of 1000
 *                                                   through the list; stops: with `stop` and a close frame
 *
 * Answered with 202 and {"call": sid}; 409 when there is no stream, 400 when it cannot be done, 404 when it
 * is none of these. */
#include "sim/carrier/rest.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PICKS = 1000, CONTROL_REFUSED = 20001, NO_STREAM = 20409 };

static struct carrier_call *picked(const struct carrier_double *d, unsigned pick)
{
    unsigned n = 0, place;

    for (const struct carrier_call *c = d->calls; c; c = c->next)
        n += c->state == CARRIER_UP && c->stream;
    place = n * pick / PICKS;
    for (struct carrier_call *c = d->calls; c; c = c->next)
        if (c->state == CARRIER_UP && c->stream && place-- == 0)
            return c;
    return NULL;
}

static void lose_stream(struct rest_ask *a, const struct carrier_form *q)
{
    const char *pick = carrier_form_get(q, "pick"), *stops = carrier_form_get(q, "stops");
    struct carrier_call *c;

    if (!pick) {
        rest_not_found(a);
        return;
    }
    c = picked(a->d, (unsigned)strtoul(pick, NULL, 10) % PICKS);
    if (!c) {
        rest_refuse(a, 409, NO_STREAM, "There is no stream to lose");
        return;
    }
    carrier_lose_stream(c, stops && strcmp(stops, "1") == 0);
    rest_answer(a, 202, json_pack("{s:s}", "call", c->sid));
}

static void faults(struct rest_ask *a, const struct carrier_form *q)
{
    struct rest_faults f;
    char why[400];

    if (rest_faults_read(&f, carrier_form_get(q, "list"), why, sizeof(why))) {
        rest_refuse(a, 400, CONTROL_REFUSED, why);
        return;
    }
    a->d->faults = f;
    rest_answer(a, 202, json_object());
}

/* What became of it, the event `call.judged` tells. */
static void on_over(const struct call_report *r, void *arg)
{
    (void)r;
    (void)arg;
}

static const struct scenario *named(const struct carrier_double *d, const char *name)
{
    for (size_t i = 0; name && i < d->n_scenarios; i++)
        if (strcmp(d->scenarios[i]->name, name) == 0)
            return d->scenarios[i];
    return NULL;
}

static void place(struct rest_ask *a, const struct carrier_form *q)
{
    const struct scenario *s = named(a->d, carrier_form_get(q, "scenario"));
    const char *from = carrier_form_get(q, "from");
    struct carrier_call *c;
    int rc;

    if (!s || (from && !rest_is_number(from))) {
        rest_refuse(a, 400, CONTROL_REFUSED, s ? "from is no number" : "There is no such scenario");
        return;
    }
    rc = carrier_double_call(a->d, s, NULL, NULL, on_over, NULL);
    if (rc) {
        rest_refuse(a, 500, CONTROL_REFUSED, rd_strerror(rc));
        return;
    }
    c = a->d->calls; /* the newest; nobody was told of it yet */
    if (from)
        snprintf(c->from, sizeof(c->from), "%s", from);
    rest_answer(a, 202, json_pack("{s:s}", "call", c->sid));
}

bool rest_is_control(const struct http_request *r)
{
    static const struct rd_str prefix = {"/control/", 9};
    struct rd_str path = http_path(r);

    return path.n > prefix.n && memcmp(path.p, prefix.p, prefix.n) == 0 &&
           rd_str_eq(http_method(r), RD_STR("POST"));
}

void rest_control(struct rest_ask *a)
{
    static const struct {
        const char *path;
        void (*serve)(struct rest_ask *a, const struct carrier_form *q);
    } orders[] = {{"/control/lose-stream", lose_stream},
                  {"/control/faults", faults},
                  {"/control/call", place}};
    struct rd_str target = http_target(a->r), path = http_path(a->r);
    const char *query = memchr(target.p, '?', target.n);
    struct rd_str text = {query ? query + 1 : "",
                          query ? target.n - (size_t)(query + 1 - target.p) : 0};
    struct carrier_form q = {.n = 0};
    void (*serve)(struct rest_ask * a, const struct carrier_form *q) = NULL;

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++)
        if (rd_str_eq(path, rd_str(orders[i].path)))
            serve = orders[i].serve;
    if (!serve || (text.n > 0 && carrier_form_read(&q, text)))
        rest_not_found(a);
    else
        serve(a, &q);
    carrier_form_fini(&q);
}
