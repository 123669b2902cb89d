/* SPDX-License-Identifier: Apache-2.0 */
/* fake_admin.h - the admin listener with its loop and its readers, against a peer that speaks HTTP by
 * hand on a thread of its own; the node behind it says what the test wants. */
#ifndef TESTS_FAKE_ADMIN_H
#define TESTS_FAKE_ADMIN_H

#include "control/admin.h"
#include "control/api.h"
#include "control/events.h"
#include "control/readers.h"
#include "io/mailbox.h"
#include "unit/control/fake_node.h"

#include <pthread.h>

enum { ANSWER = 1 << 18 };

struct world {
    struct loop *loop;
    struct settings settings;
    struct events *events;
    struct api *api;
    struct readers *readers;
    struct admin *admin;
    struct fake_node *node;
    struct mailbox *orders; /* what a peer wants done on the loop's thread */
    void (*peer)(struct world *w);
    pthread_t thread;
    char got[ANSWER];
    char data[32]; /* a folder with recordings */
};

int admin_set_up(void **state);
int admin_tear_down(void **state);

#define LIVES(test) cmocka_unit_test_setup_teardown(test, admin_set_up, admin_tear_down)

/* The peer does this while the loop runs, to its end. */
void play(void **state, void (*peer)(struct world *w));

/* Runs it on the loop's thread; soon. */
typedef void(order_fn)(struct world *w);
void order(struct world *w, order_fn *fn);

int dial(const struct world *w);
void say(int fd, const char *text);

/* Reads on until `until` was seen, or to the end. */
const char *hear(int fd, char *out, size_t cap, const char *until);

/* One request on a connection of its own; the answer is in w->got. */
const char *ask(struct world *w, const char *line, const char *headers);

/* The status, a text somewhere, and the headers that every answer has. */
void want(const char *got, int status, const char *text);

#endif
