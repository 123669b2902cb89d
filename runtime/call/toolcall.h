/* SPDX-License-Identifier: Apache-2.0 */
/* toolcall.h - the function calls of a call that have no result yet. Each gets exactly one, even
 * when the caller interrupted, and even when the script never answers. Pure; loop thread only. */
#ifndef CALL_TOOLCALL_H
#define CALL_TOOLCALL_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    TOOLCALL_MAX = 16,
    TOOLCALL_ID = 96,
    TOOLCALL_NAME = 65,
    TOOLCALL_TIMEOUT_MS =
        40000 /* behind the script's own deadlines; only a dead script gets here */
};

struct toolcall {
    char id[TOOLCALL_ID];
    char name[TOOLCALL_NAME];
    uint64_t began_ms, deadline_ms;
    bool carried; /* the session that made it is gone */
};

struct toolcalls {
    struct toolcall open[TOOLCALL_MAX];
    uint32_t n;
};

/* False when it cannot be run: too many at once, id or name too long, or already open. */
bool toolcall_begin(struct toolcalls *t, struct rd_str id, struct rd_str name, uint64_t now_ms);

/* Takes the call with this id out; false when there is none: its result was given already. */
bool toolcall_take(struct toolcalls *t, struct rd_str id, struct toolcall *out);

/* Takes out one whose deadline has passed. */
bool toolcall_take_late(struct toolcalls *t, uint64_t now_ms, struct toolcall *out);

/* The session is over; its calls go on. */
void toolcall_carry(struct toolcalls *t);

/* The next deadline; 0: none open. */
uint64_t toolcall_deadline_ms(const struct toolcalls *t);

#endif
