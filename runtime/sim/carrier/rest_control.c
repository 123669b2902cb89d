/* SPDX-License-Identifier: Apache-2.0 */
/* What no telephone network offers: somebody outside makes it misbehave, now.
 *
 *   POST /control/lose-stream?pick=370[&stops=1]    the network loses one of the streams, 370 of 1000
 *                                                   through the list; stops: with `stop` and a close frame
 *
 * Answered with 202 and {"call": sid}; 409 when there is no stream, 404 when it is not this. */
#include "sim/carrier/rest.h"

#include <stdlib.h>
#include <string.h>

enum { TARGET_MAX = 128, PICKS = 1000 };

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

bool rest_is_control(const struct http_request *r)
{
    static const struct rd_str prefix = {"/control/", 9};
    struct rd_str path = http_path(r);

    return path.n > prefix.n && memcmp(path.p, prefix.p, prefix.n) == 0 &&
           rd_str_eq(http_method(r), RD_STR("POST"));
}

void rest_control(struct rest_ask *a)
{
    static const char path[] = "/control/lose-stream?pick=";
    char target[TARGET_MAX], *end;
    struct carrier_call *c;
    unsigned pick;

    if (!rd_str_copy(target, sizeof(target), http_target(a->r)) ||
        strncmp(target, path, sizeof(path) - 1) != 0) {
        rest_not_found(a);
        return;
    }
    pick = (unsigned)strtoul(target + sizeof(path) - 1, &end, 10) % PICKS;
    c = picked(a->d, pick);
    if (!c) {
        rest_refuse(a, 409, 20409, "There is no stream to lose");
        return;
    }
    carrier_lose_stream(c, strcmp(end, "&stops=1") == 0);
    rest_answer(a, 202, json_pack("{s:s}", "call", c->sid));
}
