/* SPDX-License-Identifier: Apache-2.0 */
/* diff.h - what changed between two texts, line by line, as `diff -u` writes it. Pure. */
#ifndef CLI_DIFF_H
#define CLI_DIFF_H

#include "base/buf.h"
#include "base/str.h"

/* Appends "--- a/name", "+++ b/name" and the hunks; nothing when they are equal. A text whose p is NULL
 * is not there at all: /dev/null. 0, -ENOMEM, RD_EFULL. */
int diff_add(struct buf *out, const char *name, struct rd_str before, struct rd_str after);

#endif
