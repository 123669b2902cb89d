/* SPDX-License-Identifier: Apache-2.0 */
/* alarm.h - what somebody must look at: open until it is over, told once, counted, kept.
 *
 * Raising an open alarm again counts it; with another severity, or in other words (once a minute), it is told
 * again as it is now. Each is an error line in the log (`ev=alarm …`), a
 * counter, and one row of the table `alerts` through the sink. A fixed table of ALARMS_MAX open ones
 * behind a lock held O(1); any thread. */
#ifndef OBSERVE_ALARM_H
#define OBSERVE_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ALARMS_MAX = 128, ALARM_KIND = 48, ALARM_SUBJECT = 80, ALARM_TEXT = 256 };

enum alarm_severity { ALARM_WARNING, ALARM_CRITICAL };

/* In the order it is read by people, not the one that packs best.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct alarm {
    char kind[ALARM_KIND];       /* "journal.disk", "database.down": a code of docs/errors.md */
    char subject[ALARM_SUBJECT]; /* which call, agent, file; "" for the node */
    char text[ALARM_TEXT];       /* what is wrong */
    char fix[ALARM_TEXT];        /* what to do about it */
    uint64_t raised_unix_us, last_unix_us;
    uint64_t count;
    enum alarm_severity severity;
    bool open;
};

/* Strings are copied (cut when too long); subject may be NULL. */
void alarm_raise(enum alarm_severity severity, const char *kind, const char *subject,
                 const char *text, const char *fix);

/* It is over. Nothing when it was not open. */
void alarm_clear(const char *kind, const char *subject);

/* Where alarms are kept: called outside the lock at each opening, change and closing. Set before threads
 * start, NULL before what it leads to is gone: when this returns, nobody is inside the old one. Not to be called
 * by a sink. */
typedef void(alarm_sink_fn)(void *arg, const struct alarm *a);
void alarm_sink(alarm_sink_fn *fn, void *arg);

size_t alarm_list(struct alarm *out, size_t max); /* those open now, oldest first */
void alarm_reset(void);                           /* for tests */

#endif
