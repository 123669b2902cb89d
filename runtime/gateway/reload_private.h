/* SPDX-License-Identifier: Apache-2.0 */
/* reload_private.h - what the thread (reload.c) and the loading (reload_load.c) share. */
#ifndef GATEWAY_RELOAD_PRIVATE_H
#define GATEWAY_RELOAD_PRIVATE_H

#include "gateway/reload.h"
#include "io/watch.h"

#include <pthread.h>

struct reload {
    struct reload_opts o;
    bool from_folder;
    struct script_pool *scripts; /* borrows */
    struct loop *loop;           /* owns, as the following; the thread's */
    struct mailbox *mailbox;
    struct watch *watch;
    struct loop_timer *poll;
    pthread_t thread;
    bool running;

    /* The thread's own. */
    uint64_t stamp; /* of the folder as it was tried last */
    char tried[65]; /* hash of the tree that was tried last; "": none */
    char **broken;  /* owns: modules whose alarm is open */
    size_t n_broken;

    pthread_mutex_t lock; /* of what follows */
    uint64_t asked, done;
    struct buf outcome;       /* of the last look, JSON */
    struct tree *offered;     /* refs: the release that is to be loaded; NULL: none */
    int64_t offered_id;       /* 0: none */
    struct agent_set *in_use; /* refs */
    int64_t in_use_id;        /* of its release; 0: none */
    bool unkept;              /* in_use was not handed out by reload_unkept() yet */
};

/* Loads a tree beside what is in use and, if that is any good, puts it in its place; tells everybody.
 * `id`: of the release, 0: the folder. */
void reload_take(struct reload *r, struct tree *tree, int64_t id);

/* The tree could not even be had. */
void reload_cannot(struct reload *r, const char *why);

/* The first time: no pool yet. */
int reload_make_first(struct reload *r, struct tree *tree, int64_t id, struct buf *complaints);

#endif
