/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.h - an answer of the database in a file, for a start without one. Sealed under the secret: a
 * file that is damaged or somebody else's is not read. Blocking. */
#ifndef GATEWAY_SEALED_H
#define GATEWAY_SEALED_H

#include "store/asker.h"

enum { SEALED_MAGIC = 8 };

/* `magic`: what is in it, and in which shape. -errno. */
int sealed_save(const struct answer *a, const char magic[SEALED_MAGIC], const char *path,
                const char *secret);

/* -errno; RD_EAUTH: it is not what was saved, or not with this secret. */
int sealed_load(struct answer **out, const char magic[SEALED_MAGIC], int n_columns,
                const char *path, const char *secret);

#endif
