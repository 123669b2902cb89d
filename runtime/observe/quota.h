/* SPDX-License-Identifier: Apache-2.0 */
/* quota.h - what is left of a provider's rate limit, and which calls have a share in it. One state for
 * the process, because the limit is the account's; a lock held O(1). Any thread.
 *
 *   rate_limits.updated ──quota_told()──▶ remaining, limit ◀──quota_reserve()── a call is admitted
 *                                              ▲
 *                                              └──quota_release()── it is over: what it used is learnt
 *
 * Tokens per minute. Two rules, both must hold for one more call:
 * - the shares of all calls together fit into the limit: what they use each minute can go on;
 * - what is left now (it grows back evenly until the provider's reset) covers the newcomers that the
 *   provider has not seen yet: those since it last told.
 * A share is QUOTA_CALL_TOKENS, then the average of the calls that ended, each an eighth. A provider
 * that tells nothing limits nothing. */
#ifndef OBSERVE_QUOTA_H
#define OBSERVE_QUOTA_H

#include "ports/provider.h"

#include <stdbool.h>
#include <stdint.h>

enum { QUOTA_CALL_TOKENS = 3000, QUOTA_CALL_MIN = 500, QUOTA_CALL_MAX = 200000 };

enum quota_provider { QUOTA_OPENAI, QUOTA_PROVIDERS };

struct quota {
    uint64_t limit, remaining; /* tokens; limit 0: never told */
    uint64_t reserved;         /* shares of the calls that are in progress */
    uint32_t share;            /* of the next call */
    uint32_t reset_ms;         /* until all of it is there again */
};

/* What the provider said; monotonic ms. Below a tenth an alarm is raised, above a fifth it is over. */
void quota_told(enum quota_provider p, const struct provider_limits *l, uint64_t now_ms);

/* Would one more call be admitted? */
bool quota_admits(enum quota_provider p, uint64_t now_ms);

/* Admits one: its share, to be given back by quota_release(). 0: refused ("rate_limit"). */
uint32_t quota_reserve(enum quota_provider p, uint64_t now_ms);

/* A call is over. What it used is learnt when it lasted for half a minute or more. */
void quota_release(enum quota_provider p, uint32_t share, const struct provider_usage *used,
                   uint64_t duration_ms);

struct quota quota_now(enum quota_provider p, uint64_t now_ms);
void quota_clear(void); /* for tests */

#endif
