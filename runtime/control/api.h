/* SPDX-License-Identifier: Apache-2.0 */
/* api.h - the admin API: requests become operations of the kind `api`, their results answers.
 *
 *   http_request ─▶ payload ─▶ queue ─▶ node_ask() ─▶ script thread ─▶ mailbox ─▶ answer, or stream
 *
 * At most API_RUNNING operations at once and API_QUEUED that wait; the next ones are told 503. One token has
 * API_OF_ONE of these places, API_RUNNING_OF_ONE of them at once; its next one is told 429. Loop's thread
 * only. */
#ifndef CONTROL_API_H
#define CONTROL_API_H

#include "control/api_request.h"
#include "gateway/node.h"
#include "io/http_server.h"
#include "io/loop.h"

enum {
    API_RUNNING = 16,
    API_QUEUED = 64,
    API_RUNNING_OF_ONE = API_RUNNING / 2,
    API_OF_ONE = (API_RUNNING + API_QUEUED) / 2
};

struct api;
struct readers;

struct api_opts {
    struct loop *loop;
    const char *data; /* the data folder, with the recordings; NULL: there are none */
    /* A token or ticket was no good; `key` is that of api_serve(). NULL: nobody counts. */
    void (*on_unknown)(void *arg, uint64_t key);
    void *arg;
};

int api_new(struct api **out, const struct api_opts *o);
void api_free(struct api *a); /* after node_stop(); NULL is fine */

/* Borrows; who takes streams. */
void api_set_readers(struct api *a, struct readers *readers);

/* The node that is asked from now on; borrows. NULL: none, requests get 503. */
void api_attach(struct api *a, struct node *n);

/* Takes the request. `who`: by the control socket; NULL: its token says. `key`: whom a bad token is
 * counted against. */
void api_serve(struct api *a, struct http_request *r, const char *who, uint64_t key);
void api_gone(struct api *a, const struct http_request *r);

/* Is the token still good? Later, once: 1 yes, 0 no, negative: nobody can say now. -EBUSY: ask again
 * later, and nothing comes. */
typedef void(api_checked_fn)(void *arg, uint64_t number, int good);
int api_check(struct api *a, const char token_sha256[API_DIGEST], api_checked_fn *fn, void *arg,
              uint64_t number);

struct api_counts {
    unsigned running, queued;
    uint64_t served, refused, failed, late;
};
struct api_counts api_counts(const struct api *a);

#endif
