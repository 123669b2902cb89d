/* SPDX-License-Identifier: Apache-2.0 */
/* sentry.h - errors as Sentry wants them, without sending any: address, events, what must not leave, who
 * may be told when, what was left out. io/sentry.h carries them away.
 *
 *   log line ─▶ sentry_heard() ─▶ records (64, made at the start) ─▶ sentry_next() ─▶ sentry_event()
 *
 * A line becomes an event when it is an error, or has a traceback. Before it in the event stand the last facts
 * of its call (observe/crumbs.h) and of the node the names and numbers of its last lines. Words are never
 * copied, secrets neither. */
#ifndef OBSERVE_SENTRY_H
#define OBSERVE_SENTRY_H

#include "base/buf.h"
#include "base/log.h"
#include "observe/crumbs.h"

#include <stdbool.h>
#include <stdint.h>

/* --- the address --- */

struct sentry_dsn {
    char url[512]; /* of envelopes */
    char key[128], secret[128];
};
/* -ENOENT: empty, nothing is reported; -EINVAL: no key, no project, another scheme, too long. */
int sentry_dsn_parse(struct sentry_dsn *out, const char *dsn);

/* --- how often --- */

enum sentry_category {
    SENTRY_ERROR,
    SENTRY_DEFAULT,
    SENTRY_TRANSACTION,
    SENTRY_MONITOR,
    SENTRY_INTERNAL,
    SENTRY_ATTACHMENT,
    SENTRY_SESSION,
    SENTRY_LOG_ITEM,
    SENTRY_CATEGORIES
};

struct sentry_limits {
    uint64_t until_ms[SENTRY_CATEGORIES], all_until_ms;
};
/* What an answer says: X-Sentry-Rate-Limits and Retry-After ("" when it has none). A day at most. */
void sentry_limits_heard(struct sentry_limits *l, long status, const char *limits,
                         const char *retry_after, uint64_t now_ms);
bool sentry_limited(const struct sentry_limits *l, enum sentry_category c, uint64_t now_ms);

/* --- what must not leave --- */

/* Appends the text without card numbers, phone numbers, mail addresses, keys and what follows the ? of
 * an address. 0, -ENOMEM, RD_EFULL. */
int sentry_scrub(struct buf *out, struct rd_str text);

/* The JSON list of frames of a Lua traceback, oldest first. */
int sentry_frames(struct buf *out, const char *traceback);

/* --- from the log to the worker: any thread --- */

enum {
    SENTRY_QUEUE = 64,
    SENTRY_PACKED = 6 * 1024,
    SENTRY_CRUMBS = 256,
    SENTRY_CRUMBS_TOLD = 50,
    SENTRY_AGAIN_MS = 10000 /* the same error is told once in this time */
};

struct sentry_record {
    int64_t unix_ms;
    uint64_t repeated; /* the same, since it was told last */
    enum log_level level;
    char event[64];
    size_t n;
    char packed[SENTRY_PACKED]; /* of each field: type, key, NUL, value, NUL */
};

/* What happened before: a fact of the call, or a line that is about none. */
struct sentry_crumb {
    int64_t unix_ms;
    enum log_level level;
    bool fact;
    char event[48], members[CRUMB_MEMBERS]; /* members of a JSON object: no words */
};

enum sentry_drop {
    SENTRY_OVERFLOW,
    SENTRY_LIMITED,
    SENTRY_REPEATED,
    SENTRY_NETWORK,
    SENTRY_REFUSED,
    SENTRY_INTERNAL_ERROR,
    SENTRY_DROPS
};

struct sentry_queue;
/* `wake` is called with the lock free when there is a new record. NULL: no memory. */
struct sentry_queue *sentry_queue_new(void (*wake)(void *arg), void *arg);
void sentry_queue_free(struct sentry_queue *q);

/* Never allocates, never waits for more than a copy. */
void sentry_heard(struct sentry_queue *q, enum log_level level, const char *event,
                  const struct log_field *f, int n, int64_t unix_ms, uint64_t now_ms);

/* The oldest record. False: there is none. */
bool sentry_next(struct sentry_queue *q, struct sentry_record *out);

/* The last facts of the record's call and lines of the node until then, oldest first. */
size_t sentry_crumbs(struct sentry_queue *q, const struct sentry_record *r,
                     struct sentry_crumb out[SENTRY_CRUMBS_TOLD]);

void sentry_answered(struct sentry_queue *q, long status, const char *limits,
                     const char *retry_after, uint64_t now_ms);
bool sentry_may(struct sentry_queue *q, enum sentry_category c, uint64_t now_ms);
void sentry_dropped(struct sentry_queue *q, enum sentry_drop why, uint64_t n);

/* Appends the report about what was dropped since the last one, as an envelope. RD_EGONE: nothing was. */
int sentry_report(struct sentry_queue *q, struct buf *out, int64_t unix_ms);

/* --- the event --- */

struct sentry_about {
    const char *release, *environment, *node;
    const char *id; /* 32 hexadecimal digits */
    /* Who a number is, without telling it: 64 digits. NULL: nobody is told. */
    void (*who)(void *arg, const char *number, char out[65]);
    void *arg;
};

/* The value of a field of the record; NULL: it has none. */
const char *sentry_field(const struct sentry_record *r, const char *key);

int sentry_event(struct buf *out, const struct sentry_record *r, const struct sentry_about *a,
                 const struct sentry_crumb *crumbs, size_t n);

/* A crash of a process before this one; nobody's number or words are in it. */
struct crash_report;
int sentry_crash(struct buf *out, const struct crash_report *r, const struct sentry_about *a);

/* Appends the envelope around it, sent now. */
int sentry_envelope(struct buf *out, struct rd_str event, const char *id, int64_t unix_ms);

#endif
