/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_post.h - one envelope to Sentry, tried once: connect 2 s, 10 s in all, no redirect, no proxy.
 * One thread; the cut may come from another. */
#ifndef IO_SENTRY_POST_H
#define IO_SENTRY_POST_H

#include "base/str.h"
#include "observe/sentry.h"

#include <stdbool.h>
#include <stdint.h>

enum { SENTRY_ENVELOPE_MAX = 201 * 1024 };

struct sentry_post;

/* After curl_global_init(). `queue` (borrows) hears the limits that Sentry sets; the rest is copied.
 * `ca_file` NULL: the system's authorities. */
int sentry_post_new(struct sentry_post **out, const struct sentry_dsn *dsn, const char *ca_file,
                    struct sentry_queue *queue);
void sentry_post_free(struct sentry_post *p);

/* The status of the answer; 0: there was none, or it did not come to its end. */
long sentry_post(struct sentry_post *p, struct rd_str envelope);

/* What is on its way then (monotonic) is given up; from then on nothing should be sent. Any thread. */
void sentry_post_cut(struct sentry_post *p, uint64_t at_ms);
bool sentry_post_is_cut(const struct sentry_post *p);

#endif
