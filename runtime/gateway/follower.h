/* SPDX-License-Identifier: Apache-2.0 */
/* follower.h - keeps a copy of some tables that follows the database, and the last good one in a file
 * of the data folder. What is in it is its user's: gateway/numbers.c, gateway/routing.c. */
#ifndef GATEWAY_FOLLOWER_H
#define GATEWAY_FOLLOWER_H

#include "store/asker.h"

#include <stdatomic.h>
#include <stdint.h>

/* One state of the tables: immutable, reference-counted, any thread. First member of the user's own. */
struct followed {
    atomic_uint refs;
    struct answer *answer; /* owns */
    uint64_t version;
    void (*free)(struct followed *f); /* frees the rest of it, and itself */
};

void followed_init(struct followed *f, struct answer *a, void (*free)(struct followed *f));
void followed_unref(struct followed *f);

struct follower_opts {
    const char *name;    /* of thread and file; in the log */
    const char *magic;   /* sealed.h */
    const char *version; /* SQL: one number, greater after each change; 0 is none */
    const char *all;     /* SQL: what the copy is made from */
    int n_columns;
    uint32_t rows_max;
    size_t bytes_max;
    uint32_t every_ms; /* between looks */

    /* Takes the answer, also when it fails: RD_EPROTO, -ENOMEM. */
    int (*make)(struct followed **out, struct answer *a);
    void (*turn)(void *arg); /* at each look, on the follower's thread; NULL: nothing */
    void *arg;

    struct asker *asker; /* borrows; hushed before follower_stop(). NULL: there is no database */
    const char *data;    /* the data folder */
    const char *secret;  /* seals the copy there */
};

struct follower;

int follower_start(struct follower **out, const struct follower_opts *o);
void follower_hush(
    struct follower *f); /* joins: it asks no more; its copy may still be had. NULL is fine */
void follower_stop(struct follower *f); /* and frees; NULL is fine */

/* Looks now, and tells how far it has come; 0: nothing yet. */
uint64_t follower_refresh(struct follower *f);

/* refs; NULL: nothing is known. */
struct followed *follower_copy(struct follower *f);

/* The copy is the database's own, and not one of a file. */
bool follower_has_asked(struct follower *f);

#endif
