/* SPDX-License-Identifier: Apache-2.0 */
/* numbers_copy.h - one state of numbers and sites: immutable, reference-counted, any thread; and
 * how it is kept in a file. For gateway/numbers.c. */
#ifndef GATEWAY_NUMBERS_COPY_H
#define GATEWAY_NUMBERS_COPY_H

#include "gateway/numbers.h"
#include "store/asker.h"

/* Columns of the rows it is made from: version, kind ("s": a site, "n": a number; null: neither),
 * key (site or number), agent, value (the site's JSON, or the number's site or null). Sites first. */
enum { NUMBERS_COLUMNS = 5 };
#define NUMBERS_MAGIC "rdnum01"

/* Takes the answer, also when it fails: RD_EPROTO, -ENOMEM. */
int numbers_copy_new(struct numbers_copy **out, struct answer *a);
void numbers_copy_unref(struct numbers_copy *c); /* NULL is fine */

uint64_t numbers_copy_version(const struct numbers_copy *c);
bool numbers_copy_find(const struct numbers_copy *c, struct rd_str number, struct rd_str *agent,
                       struct rd_str *site);

/* Sealed under the secret: a file that is damaged or somebody else's is not read. Blocking. -errno,
 * RD_EAUTH. */
int numbers_copy_save(const struct numbers_copy *c, const char *path, const char *secret);
int numbers_copy_load(struct numbers_copy **out, const char *path, const char *secret);

#endif
