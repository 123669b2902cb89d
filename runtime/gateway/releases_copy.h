/* SPDX-License-Identifier: Apache-2.0 */
/* releases_copy.h - the last release that came from the database, as a file below the data folder. */
#ifndef GATEWAY_RELEASES_COPY_H
#define GATEWAY_RELEASES_COPY_H

#include "agent/tree.h"

#include <stdint.h>

/* -ENOENT: there is none yet; RD_EPROTO: damaged. */
int release_copy_read(const char *data, struct tree **tree, int64_t *id);

/* `files` as tree_to_json() writes them. On the disk when it returns 0, whole or not at all. */
int release_copy_write(const char *data, struct rd_str files, int64_t id);

#endif
