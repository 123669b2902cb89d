/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_json.h - what the kinds of events have in common. For observe/sentry_*.c. */
#ifndef OBSERVE_SENTRY_JSON_H
#define OBSERVE_SENTRY_JSON_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SENTRY_TAG_MAX = 190, SENTRY_TEXT_MAX = 2000 };

/* At most `max` bytes of the text, quoted; scrubbed: sentry_scrub(). */
int sentry_add_string(struct buf *out, const char *text, size_t max, bool scrub);

/* ,"key":"text"; nothing for NULL and "". */
int sentry_add_member(struct buf *out, const char *key, const char *text, size_t max, bool scrub);

/* "timestamp":seconds */
int sentry_add_time(struct buf *out, int64_t unix_ms);

#endif
