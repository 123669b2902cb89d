/* SPDX-License-Identifier: Apache-2.0 */
/* loop_private.h - what the loop offers to its neighbours in io/ only. Loop's thread only. */
#ifndef IO_LOOP_PRIVATE_H
#define IO_LOOP_PRIVATE_H

#include "io/loop.h"

#include <stdbool.h>
#include <uv.h>

/* Something that holds handles of the loop without having an owner who must free it first.
 * loop_free() asks each to leave. */
struct loop_guest {
    struct loop_guest *prev, *next; /* NULL: not in the list */
    void (*leave)(struct loop_guest *self);
};
void loop_guest_add(struct loop *l, struct loop_guest *g);
void loop_guest_remove(struct loop_guest *g);

/* loop_free() is running: nothing new may start. */
bool loop_leaving(const struct loop *l);

/* Called first by every callback from libuv: the turn's clock starts here. */
void loop_woke(struct loop *l);

/* Monotonic ms as of when this turn began: no system call. */
uint64_t loop_now_ms(const struct loop *l);

/* A second scratch buffer, for bytes as they are on the wire under TLS; NULL without memory. */
enum { LOOP_WIRE_BYTES = 32768 };
char *loop_wire(struct loop *l);

/* Four unpredictable bytes for a frame's mask, from a buffered source. 0, or -EIO. */
int loop_random32(struct loop *l, uint32_t *out);

/* A place for the one object conn_tls.c shares between the connections of a loop. */
struct loop_slot {
    void *object;
    void (*free)(void *object);
};
struct loop_slot *loop_tls_slot(struct loop *l);

#endif
