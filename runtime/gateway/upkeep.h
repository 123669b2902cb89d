/* SPDX-License-Identifier: Apache-2.0 */
/* upkeep.h - once an hour: partitions and retention in the database (by one node of many), and the
 * files of recordings whose time is over (by the node that has them). A thread of its own. */
#ifndef GATEWAY_UPKEEP_H
#define GATEWAY_UPKEEP_H

#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

struct upkeep;

struct upkeep_opts {
    /* Every minute: is the server still there? Else as in store/shipper.h. */
    int (*tend)(char *why, size_t cap, void *arg);
    int (*conninfo)(struct buf *out, char *why, size_t cap, void *arg);
    void *arg;
    const char *node;           /* copied: whose recordings */
    const char *data;           /* copied: the data folder, where they lie */
    uint32_t tend_ms, every_ms; /* 0: a minute, an hour */
};

int upkeep_start(struct upkeep **out, const struct upkeep_opts *o);
void upkeep_stop(struct upkeep *u); /* NULL is fine */

#endif
