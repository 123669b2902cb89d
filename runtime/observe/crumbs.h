/* SPDX-License-Identifier: Apache-2.0 */
/* crumbs.h - the last facts of each call, for whoever tells of an error in it: their type and those members
 * that are nobody's words. Any thread; one copy under a lock, nothing while nobody wants them. */
#ifndef OBSERVE_CRUMBS_H
#define OBSERVE_CRUMBS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CRUMB_CALLS = 64, CRUMBS_EACH = 24, CRUMB_MEMBERS = 112, CRUMB_CALL = 40 };

struct crumb {
    int64_t unix_ms;
    char type[24];
    char members[CRUMB_MEMBERS]; /* of a JSON object, without its braces */
};

/* From now on facts are noted, or not any more (and those that were are forgotten). False: no memory. */
bool crumbs_want(bool on);

/* `body` is a JSON object. Numbers and flags are noted, and of strings names out of short lists: states,
 * roles, reasons, tools. */
void crumb_fact(const char *call, const char *type, struct rd_str body, int64_t unix_ms);

/* Oldest first. */
size_t crumbs_of(const char *call, struct crumb out[CRUMBS_EACH]);

#endif
