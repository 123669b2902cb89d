/* SPDX-License-Identifier: Apache-2.0 */
/* probe.h - does the database answer? One small question a second, on a connection and a thread of its
 * own: whoever has work for the database waits for it with patience, and would notice too late that it
 * neither answers nor goes. */
#ifndef STORE_PROBE_H
#define STORE_PROBE_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct probe_opts {
    /* The connection string; must not wait. */
    int (*conninfo)(struct buf *out, char *why, size_t cap, void *arg);

    uint32_t every_ms;  /* 0: 1000 */
    uint32_t answer_ms; /* then the connection is given up; 0: 2000 */
    uint32_t silent_ms; /* since the last answer: it is down; 0: 5000 */

    /* On the probe's thread: it has been silent for so long, again after each vain try; and, after that,
     * it has answered. A refusal of this user or of a wrong address is an answer, and that there is no
     * room for one more connection is one. */
    void (*silent)(void *arg, const char *why);
    void (*answers)(void *arg);
    void *arg;
};

struct probe;

/* The database has answered just now: silence counts from here. */
int probe_start(struct probe **out, const struct probe_opts *o);
void probe_stop(struct probe *p); /* waits for a try to end. NULL is fine */

#endif
