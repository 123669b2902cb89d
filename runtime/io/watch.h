/* SPDX-License-Identifier: Apache-2.0 */
/* watch.h - tells when files in some folders may have changed. A hint, never a fact: whoever is told
 * looks for himself. On the loop's thread. */
#ifndef IO_WATCH_H
#define IO_WATCH_H

#include "io/loop.h"

struct watch;

struct watch_opts {
    /* It has been quiet for quiet_ms since the last event, or stirred for most_ms. 0: 100, 1000. */
    unsigned quiet_ms, most_ms;
    void (*changed)(void *arg);
    void *arg;
};

int watch_new(struct watch **out, struct loop *l, const struct watch_opts *o);
void watch_free(struct watch *w); /* NULL is fine */

/* Watches these folders (ended by NULL, copied) and no others; not what lies below them. A folder
 * that cannot be watched is passed over: the number that are. -ENOMEM. */
int watch_folders(struct watch *w, const char *const *folders);

#endif
