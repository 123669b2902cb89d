/* SPDX-License-Identifier: Apache-2.0 */
/* asker_private.h - between asker.c (questions and threads), asker_links.c (connections, by role) and
 * answer.c (what came of a question). */
#ifndef STORE_ASKER_PRIVATE_H
#define STORE_ASKER_PRIVATE_H

#include "store/asker.h"

#include <pthread.h>
#include <stdatomic.h>

enum { ASKER_BYTES = 256 * 1024, ASKER_THREADS_MAX = 16 };

struct role {
    struct role *next;
    char *name, *grants; /* own; grants of the newest question */
    unsigned busy;       /* questions being asked */
    unsigned generation; /* of grants */
    uint64_t due_ms;     /* no attempt to connect before */
    int error;           /* of the last attempt, with its words */
    char why[512];
};

struct link { /* a connection */
    struct link *next;
    struct role *role; /* borrows */
    struct pg *pg;     /* owns */
    unsigned generation;
    uint64_t since_ms; /* idle since */
};

struct waiting { /* a question in the queue */
    struct waiting *next;
    struct role *role; /* borrows */
    char *sql;         /* owns, as the parameters */
    char **params;
    int n_params;
    uint32_t rows_max;
    size_t bytes_max;
    atomic_bool *begun;
    answer_fn *done;
    void *arg;
};

struct asker {
    struct asker_opts o;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct role *roles; /* own; they stay */
    struct link *idle;  /* own; the one that was used last first */
    unsigned n_links;   /* idle and lent */
    struct waiting *first, **last;
    unsigned n_waiting;
    atomic_bool hushed;
    bool stopping;
    pthread_t threads[ASKER_THREADS_MAX];
    unsigned n_threads;
};

/* asker_links.c. The role of that name, made at the first question; NULL: no memory. With the lock
 * held. Its connections are made anew when `grants` are others than the last time. */
struct role *links_role(struct asker *a, const char *name, const char *grants);

/* A connection for one question, and back. Without the lock; may wait for the server. */
int link_take(struct asker *a, struct role *r, struct link **out, char *why, size_t cap);
void link_give(struct asker *a, struct link *l);

/* Closes one that was idle for too long. With the lock held, which is let go meanwhile. */
void links_close_stale(struct asker *a);

/* The threads are gone. */
void links_free(struct asker *a);

/* answer.c */
struct answer *answer_new(size_t bytes_max); /* NULL: no memory */

/* Asks, and reads at most so many rows; the words of a failure are the connection's. */
int answer_read(struct answer *a, struct pg *p, const struct pg_statement *s, uint32_t rows_max);

#endif
