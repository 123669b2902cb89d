/* SPDX-License-Identifier: Apache-2.0 */
/* handlers.h - the admin routes: scripts/ringdown/api/ in one trusted VM, and the few functions of
 * the node that it may call. One thread. */
#ifndef CONTROL_HANDLERS_H
#define CONTROL_HANDLERS_H

#include "base/buf.h"
#include "base/str.h"
#include "control/events.h"
#include "gateway/node.h"

#include <stdbool.h>

struct handlers;

struct admin_request {
    struct rd_str method, target;
    struct rd_str body; /* as it came; bounded by the server */
    const char *who;    /* "control socket uid 0" */
    bool waited;        /* it is asked again: something happened, or the time is over */
};

struct admin_answer {
    int status; /* 0: nothing yet; ask again when something happens, at most wait_ms from now */
    unsigned wait_ms;
    struct buf body; /* JSON; the caller inits and finis it */
};

/* `library_path` holds ringdown/api/. `why` gets Lua's words when it cannot start. */
int handlers_new(struct handlers **out, const char *library_path, const struct events *events,
                 struct buf *why);
void handlers_free(struct handlers *h);

/* Borrows; NULL: no node, requests that need one get 503. */
void handlers_attach(struct handlers *h, struct node *n);

/* Counts one more fact into the summaries. Failures are logged; the next ones go on. */
void handlers_record(struct handlers *h, struct rd_str json);

/* Always answers: a handler that fails is a 500 with its traceback in the log. */
void handlers_run(struct handlers *h, const struct admin_request *r, struct admin_answer *a);

#endif
