/* SPDX-License-Identifier: Apache-2.0 */
/* seen.h - what was there before, for a while: signatures that must not come twice, work that is to be
 * done once. Bounded: where more is remembered than there is room for, the oldest of its neighbours is
 * forgotten. Any thread. */
#ifndef GATEWAY_VAPI_SEEN_H
#define GATEWAY_VAPI_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SEEN_KEY = 32 };

struct seen;

int seen_new(struct seen **out, size_t places); /* -ENOMEM */
void seen_free(struct seen *s);

/* True: it was not there before `now_ms`, and is until `until_ms`. */
bool seen_first(struct seen *s, const uint8_t key[SEEN_KEY], uint64_t now_ms, uint64_t until_ms);

bool seen_has(struct seen *s, const uint8_t key[SEEN_KEY], uint64_t now_ms);

/* As if it had never been there. */
void seen_forget(struct seen *s, const uint8_t key[SEEN_KEY]);

#endif
