/* SPDX-License-Identifier: Apache-2.0 */
/* follow.h - what was said and done in calls, from the node's events to the terminal. */
#ifndef CLI_FOLLOW_H
#define CLI_FOLLOW_H

#include "gateway/settings.h"

#include <stdbool.h>

/* Prints what happens from now on, in all calls or in the one named, until Ctrl-C or until the node
 * goes. Returns the exit code. */
int follow_live(const struct settings *s, const char *call, bool json);

/* Prints what the node still knows of one call. Returns the exit code. */
int follow_past(const struct settings *s, const char *call);

#endif
