/* SPDX-License-Identifier: Apache-2.0 */
/* targets.h - whom this process depends on, each behind a breaker that all threads share.
 *
 * A target is a short name: "openai", "twilio", "db", or the host that a tool asks. While its
 * breaker is open there is an alarm `target.open`. A fixed table behind a lock held O(1); never per
 * frame. Any thread; `now_ms` is the monotonic clock of the caller's loop. */
#ifndef OBSERVE_TARGETS_H
#define OBSERVE_TARGETS_H

#include "base/breaker.h"
#include "base/buf.h"

#include <stddef.h>
#include <stdint.h>

enum { TARGETS_MAX = 64, TARGET_NAME = 64, TARGET_WHY = 128 };

/* A ticket for target_tell(), or 0: do not ask now, it fails anyway. When the table is full, a name
 * takes the place of the one that was quiet longest; when all are open, asking is allowed. */
uint32_t target_ask(const char *name, uint64_t now_ms);

/* How it went. `why` names a failure in the alarm, without personal data; may be NULL. */
void target_tell(const char *name, uint32_t ticket, enum breaker_result r, const char *why,
                 uint64_t now_ms);

/* From whoever has a rhythm of his own and asks even while it is open (a pool that keeps connections
 * ready): what works closes the breaker, what fails counts. */
void target_seen(const char *name, bool worked, const char *why, uint64_t now_ms);

/* ms until the next probe; 0: ask. */
uint64_t target_wait_ms(const char *name, uint64_t now_ms);

struct target {
    char name[TARGET_NAME];
    char why[TARGET_WHY]; /* of the last failure */
    struct breaker breaker;
    uint64_t worked, failed, refused, opened; /* since the start */
    uint64_t last_ms;
};
size_t targets_list(struct target *out, size_t max);

/* [{"name":"openai","state":"open","worked":3,"failed":5,"refused":2,"opened":1,"why":"…"}] */
int targets_to_json(struct buf *out);

void targets_reset(void); /* for tests */

#endif
