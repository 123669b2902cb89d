/* SPDX-License-Identifier: Apache-2.0 */
/* sentry.h - errors of the log to Sentry, by one thread of its own (libcurl). What is sent, and what not:
 * observe/sentry.h. Whatever becomes of it, nobody waits: the queue is bounded, each error is tried once. */
#ifndef IO_SENTRY_H
#define IO_SENTRY_H

#include <stddef.h>

struct sentry_opts {
    const char *dsn; /* "": nothing is reported */
    const char *release, *environment, *node;
    const char *secret;  /* numbers are hashed with it */
    const char *ca_file; /* NULL or "": the system's authorities */
    int failed_calls;    /* in five minutes, before that is an error; 0: never */
};

struct sentry;

/* From now on errors that are logged are reported. Everything is copied. *out NULL and 0: there is no DSN.
 * -EINVAL with `why`: it is none; -ENOMEM. One at a time; before other threads. */
int sentry_start(struct sentry **out, const struct sentry_opts *o, char *why, size_t cap);

/* Notes of crashes in the folder (observe/crash_report.h) are sent, each until it was accepted or refused, then
 * deleted; tried once a minute. */
void sentry_crashes(struct sentry *s, const char *folder);

/* No thread logs any more but this one. Sends what is there, for at most two seconds. NULL is fine. */
void sentry_stop(struct sentry *s);

#endif
