/* SPDX-License-Identifier: Apache-2.0 */
/* ask.h - what the commands that read PostgreSQL have in common: they work with a live node, beside
 * it, and with none. A private cluster that is down is started for the question. */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "gateway/settings.h"
#include "store/database.h"
#include "store/pg.h"

#include <jansson.h>

struct asking {
    const char *command;
    struct database *database; /* owns */
    struct pg *pg;             /* owns */
};

/* EXIT_OK, or EXIT_FAILED after a complaint on stderr. Also says when the schema is not ours. */
int ask_open(struct asking *a, const struct settings *s, const char *command);
void ask_close(struct asking *a);

/* One statement whose first column is JSON: the first row's, owned by the caller; NULL after a
 * complaint. */
json_t *ask_json(struct asking *a, const char *sql, int n, const char *const *params);

/* How many events of this data folder have not reached the database yet: said on stderr, because an
 * answer without them may be incomplete. */
void ask_tell_unshipped(const struct settings *s);

/* Members of a JSON object for printing: "" and 0 for what is missing. */
const char *ask_text(const json_t *object, const char *key);
json_int_t ask_int(const json_t *object, const char *key);

/* "2026-11-26 22:04:05.123" out of PostgreSQL's ISO time, in a static buffer. */
const char *ask_time(const json_t *object, const char *key);

#endif
