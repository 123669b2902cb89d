/* SPDX-License-Identifier: Apache-2.0 */
/* program.h - runs another program as another user, without a shell: to its end, or as a daemon.
 * Blocking, but bounded; any thread that may wait. */
#ifndef STORE_PROGRAM_H
#define STORE_PROGRAM_H

#include "base/buf.h"

#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

struct program {
    const char *const *argv; /* argv[0] is the whole path; ended by NULL */
    uid_t uid;               /* as whom; taken only when we are root */
    gid_t gid;
    const char *input;       /* what it reads from stdin; NULL: nothing */
    uint32_t timeout_ms;     /* then it is killed, and what it started with it */
    const atomic_bool *stop; /* NULL, or: give up when it becomes true */
};

/* Waits for its end; what it printed is appended to `output` (the last 64 KiB of it). 0,
 * RD_EREFUSED: it ended with another exit code than 0, -ETIMEDOUT, -ECANCELED, -errno: it could not
 * be started. */
int program_run(const struct program *p, struct buf *output);

/* Starts it so that it outlives us: a session of its own, all CPUs and the usual priority, no file
 * of ours open, nothing of our environment, stdio in the file `log` (made as that user, appended
 * to). 0 and its pid, or -errno: it was not started. timeout_ms, input and stop are not used. */
int program_launch(const struct program *p, const char *log, pid_t *pid);

/* Asks, as that user, what access(2) tells about a path: 0 or -errno. */
int program_access(uid_t uid, gid_t gid, const char *path, int mode);

#endif
