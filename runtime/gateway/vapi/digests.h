/* SPDX-License-Identifier: Apache-2.0 */
/* digests.h - digests of what was there before, for a while: signatures that must not come twice, work that is to be
 * done once. Bounded: where more is remembered than there is room for, the oldest of its neighbours is
 * forgotten. Any thread. */
#ifndef GATEWAY_VAPI_DIGESTS_H
#define GATEWAY_VAPI_DIGESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DIGEST = 32 };

struct digests;

int digests_new(struct digests **out, size_t places); /* -ENOMEM */
void digests_free(struct digests *s);

/* True: it was not there before `now_ms`, and is until `until_ms`. */
bool digests_first(struct digests *s, const uint8_t key[DIGEST], uint64_t now_ms,
                   uint64_t until_ms);

bool digests_has(struct digests *s, const uint8_t key[DIGEST], uint64_t now_ms);

/* As if it had never been there. */
void digests_forget(struct digests *s, const uint8_t key[DIGEST]);

#endif
