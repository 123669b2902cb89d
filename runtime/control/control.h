/* SPDX-License-Identifier: Apache-2.0 */
/* control.h - looks in from the side: the control socket <data>/control.sock, the admin routes in
 * Lua behind it, and the recent facts of all calls. Never touches audio.
 *
 *   node ──MSG_RECORD──▶ mailbox ─▶ ring of events, summaries ─▶ /api/v1/… ◀─ cli/
 *
 * Runs on the loop it is given; everything here is called on that loop's thread, except that
 * anybody may post to the mailbox. */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include "gateway/node.h"
#include "gateway/settings.h"
#include "io/loop.h"
#include "io/mailbox.h"

#include <stddef.h>

struct control;

struct control_opts {
    const struct settings *settings; /* borrows: data, library_path */
    struct loop *loop;
    int lock_fd; /* the folder's lock, handed over by another process; takes it. 0: none was */
};

/* Takes the data folder for this process. -EADDRINUSE when another ringdown has it;
 * `why` says what to do. */
int control_new(struct control **out, const struct control_opts *o, char *why, size_t cap);

/* Answers from now on, in place of whoever did before. */
int control_listen(struct control *c, char *why, size_t cap);

/* Another process has the folder: answers at <data>/draining-<pid>.sock. */
int control_step_aside(struct control *c);
int control_lock_fd(const struct control *c);

/* Where the node sends its records (node_opts.control). Lives until control_free(). */
struct mailbox *control_mailbox(struct control *c);

/* The node that is asked from now on; borrows. NULL: none, requests get 503. */
void control_attach(struct control *c, struct node *n);

/* After node_stop(). NULL is fine. Gives the data folder back. */
void control_free(struct control *c);

#endif
