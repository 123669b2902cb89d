/* SPDX-License-Identifier: Apache-2.0 */
/* operate.h - a job of the library (scripts/ringdown/operations.lua) in the command's own process: a
 * script thread, a connection to the database, the agents as they are on disk. Needs no live node.
 *
 * What it tells: `text` goes to stdout; `note` and `progress` to stderr, the latter as one line that
 * is written again on a terminal. With as_json, stdout gets the result alone, as one document. The
 * first Ctrl-C asks it to end after its step, the second ends it at once. */
#ifndef CLI_OPERATE_H
#define CLI_OPERATE_H

#include "base/str.h"
#include "gateway/settings.h"

#include <jansson.h>
#include <stdbool.h>

struct operate_opts {
    const struct settings
        *settings;       /* loaded with SETTINGS_KEEPER: numbers are hashed with its secret */
    const char *command; /* "numbers": who complains */
    const char *kind;
    bool as_json;
    json_t *
        *result; /* NULL, or gets what it returned, which the caller owns; NULL in there: nothing */
    bool asks_nobody; /* no database: for what looks at files and settings alone */
    bool hurries; /* a database that does not answer within a second is away: it works then too */
};

/* `wish` is a JSON object, which it takes; NULL: no memory. EXIT_OK; EXIT_USAGE when the result says
 * usage = true; EXIT_FAILED when it says failed = true, or after a complaint. */
int operate(const struct operate_opts *o, json_t *wish);

/* Asks "Go on? [y/N]" on a terminal. False where nobody can answer, after a complaint that asks for
 * --yes, and where the answer was no. */
bool operate_agreed(const char *command);

#endif
