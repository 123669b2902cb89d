/* SPDX-License-Identifier: Apache-2.0 */
/* lines.h - a small table kept as text: "NAME=value" lines. Pure. */
#ifndef BASE_LINES_H
#define BASE_LINES_H

#include "base/str.h"

/* The value of NAME, borrowed from `lines`; .p is NULL when there is none. */
struct rd_str lines_find(const char *lines, struct rd_str name);

/* The line at *at, which moves behind it; false at the end. */
bool lines_next(const char **at, struct rd_str *name, struct rd_str *value);

#endif
