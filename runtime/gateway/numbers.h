/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.h - which agent answers a number, and at which site: what the operator assigned, as
 * PostgreSQL has it. Answers at once from a copy in memory, which follows the database within a few
 * seconds; the last good one lies in the data folder, so that a node that starts without a database
 * still knows. Any thread. */
#ifndef GATEWAY_NUMBERS_H
#define GATEWAY_NUMBERS_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct asker;
struct numbers;
struct numbers_copy;

enum { NUMBERS_MAX = 10000, NUMBERS_SITES_MAX = 2000 };

struct numbers_opts {
    struct asker *asker; /* borrows; hushed before numbers_stop() */
    const char *data;    /* the data folder */
    const char *secret;  /* seals the copy there */
    uint32_t every_ms;   /* between looks; 0: 3000 */
};

int numbers_start(struct numbers **out, const struct numbers_opts *o);
void numbers_stop(struct numbers *n); /* NULL is fine */

/* Looks now, and tells how far it has come (numbers_version in the database); 0: nothing yet. */
uint64_t numbers_refresh(struct numbers *n);

struct numbers_hit {
    struct rd_str agent;
    struct rd_str site;        /* a JSON object; empty: the agent's default site */
    struct numbers_copy *copy; /* refs: the two above point into it */
};

/* False: nobody assigned this number (n may be NULL). True: numbers_let_go() afterwards. */
bool numbers_find(struct numbers *n, struct rd_str number, struct numbers_hit *out);
void numbers_let_go(struct numbers_hit *hit);

#endif
