/* SPDX-License-Identifier: Apache-2.0 */
/* handover.h - a new binary takes over from the one that runs, on one data folder and one listening
 * socket, without a moment in which nobody has either.
 *
 *   new: handover_ask ──"take over"──▶ old        <data>/handover.sock
 *        ◀─── listening socket, lock ─── (SCM_RIGHTS: the same open files, still locked)
 *        starts everything but accepting; may fail, and then nothing has changed
 *        handover_take ──"ready"──▶ old stops accepting, keeps its calls
 *        ◀────────── "yours" ───── from here new accepts; old leaves with its last call */
#ifndef CONTROL_HANDOVER_H
#define CONTROL_HANDOVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* ---- the old one ---- */

struct handover;

struct handover_opts {
    const char *data; /* borrows, for the call */
    int (*fds)(void *arg,
               int out[2]); /* listening socket and lock; they stay ours. -errno: not now */
    int (*give)(void *arg); /* stop accepting. On another thread than the loop's */
    void *arg;
    uint64_t watchdog_us; /* what the service manager expects of whoever is the main process */
};

/* From now on a new binary may ask. */
int handover_offer(struct handover **out, const struct handover_opts *o, char *why, size_t cap);
void handover_free(struct handover *h); /* NULL is fine */

/* ---- the new one; each blocks ---- */

struct handed {
    int dialog, listen_fd, lock_fd; /* owns; -1: none */
    pid_t pid;
    uint64_t watchdog_us;
};

/* 0; -ENOENT when nobody runs on the folder; an error with a sentence in `why`. */
int handover_ask(struct handed *out, const char *data, char *why, size_t cap);

/* Everything is ready: the other one stops accepting. When it dies meanwhile that is all right too. */
void handover_take(struct handed *h);

/* Closes what is still here: what was taken from it is set to -1 by its taker. */
void handed_close(struct handed *h);

#endif
