/* SPDX-License-Identifier: Apache-2.0 */
/* pacer.h - agent audio that came faster than it plays: handed on in small pieces, at most a little
 * ahead of real time. Pure: time comes from outside; no allocation once the queue has its size.
 *
 *   Vapi ──any chunks, in bursts or not──▶ queue ──pieces of 60 ms, 400 ms ahead at most──▶ carrier
 *
 * The carrier has a queue of its own. This one exists because what a peer sent at once cannot be taken
 * back from it: what lies in here when the caller cuts in was never said. */
#ifndef PROVIDERS_VAPI_PACER_H
#define PROVIDERS_VAPI_PACER_H

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    PACER_PIECE = 480, /* 60 ms of G.711: 640 characters of base64, without padding */
    PACER_AHEAD_MS = 400,
    PACER_MAX = 1 << 20 /* 131 s */
};

struct pacer {
    struct buf queue; /* owns */
    size_t at;        /* what of it was handed on */
    uint64_t plays_until_us;
};

int pacer_init(struct pacer *p); /* -ENOMEM */
void pacer_fini(struct pacer *p);

/* RD_EFULL: more than PACER_MAX waits; -ENOMEM. Then nothing was added. */
int pacer_add(struct pacer *p, const uint8_t *bytes, size_t n);

/* The next piece, n bytes, if it is time: a multiple of three, because base64 without padding can be
 * spliced and cut; `rest`: whatever is left, nothing more comes. NULL: not now. */
const uint8_t *pacer_take(struct pacer *p, bool rest, uint64_t now_us, size_t *n);

/* When it is time for the next piece; 0: there is none. */
uint64_t pacer_due_us(const struct pacer *p, bool rest);

void pacer_drop(struct pacer *p); /* what waits is never said */
bool pacer_waits(const struct pacer *p);
bool pacer_plays(const struct pacer *p, uint64_t now_us); /* the caller may be hearing it */

#endif
