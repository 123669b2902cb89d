/* SPDX-License-Identifier: Apache-2.0 */
/* send.h - what the network posts to the other side: signed forms with the fields that every request
 * about a call has. Loop's thread. */
#ifndef SIM_CARRIER_SEND_H
#define SIM_CARRIER_SEND_H

#include "io/http_client.h"
#include "sim/carrier/form.h"

#include <stdbool.h>
#include <stdint.h>

struct carrier_double;
struct carrier_posts;

/* Who a request or an event is about. */
struct carrier_who {
    const char *sid, *parent_sid; /* parent NULL: none */
    const char *from, *to;
    const char *status, *direction;
    const char *scenario; /* its name */
    uint64_t since_ms;    /* what t_ms of events counts from */
};

void carrier_add_standard(struct carrier_form *f, const struct carrier_double *d,
                          const struct carrier_who *who);

/* "Fri, 27 Nov 2026 02:10:00 +0000" */
void carrier_date(char out[64], int64_t unix_s);

struct carrier_request {
    const char *url, *method; /* GET: the form becomes the query */
    const char *token;        /* idempotency: the same for a retry */
    const struct carrier_form *form;
};
int carrier_send(struct http_call **out, struct carrier_double *d, const struct carrier_request *q,
                 http_done_fn *done, void *arg);

/* Where `url` is really found: at `reach` when it is the node's. `out` may be `url` itself. */
const char *carrier_reach(const struct carrier_double *d, const char *url, char *out, size_t cap);

/* Is it the node's: http, ws and their secure kinds of the same host? */
bool carrier_is_nodes(const struct carrier_double *d, const char *url);

/* Says in the form whose call this is, for as long as somebody wants that said. */
void carrier_add_trial(struct carrier_form *f, const struct carrier_double *d, const char *sid);

/* XML by its content type? */
bool carrier_is_xml(struct rd_str type);

/* A status callback: posted, and its answer only looked at. Takes the fields of `f`; `about` is
 * copied as far as events need it. */
void carrier_post(struct carrier_double *d, const char *url, struct carrier_form *f,
                  const struct carrier_who *about);
void carrier_posts_cancel(struct carrier_double *d);

#endif
