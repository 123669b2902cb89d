/* SPDX-License-Identifier: Apache-2.0 */
/* ringing.c - a telephone that was lent, and what came of the last call with it. */
#include "gateway/ringing.h"

#include "observe/metrics.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { JUDGED_MAX = 4096 };

struct ringing {
    struct node_ringer with; /* ring NULL: none was lent */
    pthread_mutex_t lock;    /* of the following */
    char judged[JUDGED_MAX]; /* "": none was yet */
};

int ringing_new(struct ringing **out, const struct node_ringer *with)
{
    struct ringing *r = calloc(1, sizeof(*r));

    if (!r)
        return -ENOMEM;
    if (with)
        r->with = *with;
    pthread_mutex_init(&r->lock, NULL);
    *out = r;
    return 0;
}

void ringing_free(struct ringing *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

int ringing_ring(struct ringing *r, const char *json)
{
    return r->with.ring ? r->with.ring(r->with.arg, json) : -ENOSYS;
}

int ringing_rung(struct ringing *r, struct buf *out)
{
    return r->with.rung ? r->with.rung(r->with.arg, out) : -ENOSYS;
}

void ringing_judged(struct ringing *r, bool good, struct rd_str json)
{
    metric_add(M_SYNTHETIC, 1);
    metric_add(M_SYNTHETIC_FAILED, !good);
    pthread_mutex_lock(&r->lock);
    if (!rd_str_copy(r->judged, sizeof(r->judged), json))
        r->judged[0] = '\0';
    pthread_mutex_unlock(&r->lock);
}

int ringing_add(struct ringing *r, struct buf *out)
{
    int rc;

    pthread_mutex_lock(&r->lock);
    rc = buf_add_str(out, r->judged[0] ? r->judged : "null");
    pthread_mutex_unlock(&r->lock);
    return rc;
}
