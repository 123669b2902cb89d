/* SPDX-License-Identifier: Apache-2.0 */
/* leaving.h - how a node that serves comes to its end: by signals, or because a new binary takes over.
 *
 *   SIGTERM, SIGINT ─▶ DRAINING: new calls get the fallback ────────┐ no call any more ─▶ end
 *   a new binary ────▶ DRAINING: the other one accepts, we keep ours┤
 *                                                    drain_seconds  └▶ HANDING ON ─▶ end
 *   the second signal ─▶ end at once */
#ifndef CLI_LEAVING_H
#define CLI_LEAVING_H

#include "control/control.h"
#include "gateway/node.h"
#include "io/loop.h"

#include <stddef.h>
#include <stdint.h>

struct leaving;

struct leaving_opts {
    const struct settings *settings; /* borrows, as all of these */
    struct loop *loop;               /* is stopped at the end */
    struct node *node;
    struct control *control;
    uint64_t watchdog_us; /* the service manager wants a sign of life within; 0: it does not */
};

int leaving_new(struct leaving **out, const struct leaving_opts *o, char *why, size_t cap);

/* Tells the service manager that we serve, and from now on that we are alive. */
void leaving_ready(struct leaving *l);

void leaving_free(struct leaving *l); /* NULL is fine */

#endif
