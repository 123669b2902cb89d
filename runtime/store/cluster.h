/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.h - a PostgreSQL of our own for a data folder: nothing to configure, reached through a
 * Unix socket only, run as an unprivileged user. It outlives the process that started it.
 *
 * Processes that use it hold a shared lock on <data>/postgres.lock; starting, stopping and making
 * are serialised by <data>/postgres.starting. Everything here blocks, but never for longer than
 * about two minutes; any thread that may wait, several at once. */
#ifndef STORE_CLUSTER_H
#define STORE_CLUSTER_H

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { CLUSTER_PORT = 5432, CLUSTER_HOLDERS_MAX = 16 };

/* Where it is and as whom it runs. */
struct cluster_place {
    char data[PATH_MAX];   /* the data folder's real path */
    char folder[PATH_MAX]; /* the cluster (PGDATA); libpq's host: its socket lies in it */
    bool made;             /* there is a cluster already */
    bool moved; /* not <data>/postgres: that is too long for a socket, or closed to its user */
    uid_t uid;
    gid_t gid;
    char user[64];
};

/* -ENOENT: no such data folder. Otherwise an error has a sentence in `why`, here and below. */
int cluster_find(struct cluster_place *out, const char *data, char *why, size_t cap);

struct cluster;

/* Makes it if there is none, starts it if it is down, adopts it if it runs; holds it from then on.
 * `stop` (NULL: never) ends the waiting with -ECANCELED. */
int cluster_up(struct cluster **out, const char *data, const atomic_bool *stop, char *why,
               size_t cap);

/* For its holder, now and then: starts it again if it died, and keeps its log small. */
int cluster_tend(struct cluster *c, const atomic_bool *stop, char *why, size_t cap);

/* Lets it go without stopping it. NULL is fine. */
void cluster_release(struct cluster *c);

/* Lets it go, and stops it if nobody else holds it. NULL is fine. */
void cluster_down(struct cluster *c);

/* Stops it unless somebody holds it: -EBUSY. 0 when it was down already. */
int cluster_stop(const char *data, char *why, size_t cap);

struct cluster_state {
    struct cluster_place place;
    pid_t pid;     /* 0: down */
    int version;   /* its major version; 0: not made yet */
    int n_holders; /* processes that hold it; the first CLUSTER_HOLDERS_MAX of them: */
    pid_t holders[CLUSTER_HOLDERS_MAX];
};
int cluster_look(struct cluster_state *out, const char *data, char *why, size_t cap);

#endif
