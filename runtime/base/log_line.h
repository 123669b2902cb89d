/* SPDX-License-Identifier: Apache-2.0 */
/* log_line.h - how one fact becomes one line, and what of it may be seen. For log.c and its tests.
 * Pure; any thread. */
#ifndef BASE_LOG_LINE_H
#define BASE_LOG_LINE_H

#include "base/buf.h"
#include "base/log.h"

enum { LOG_LINE_MAX = 16384, LOG_VALUE_MAX = 2000 };

struct log_fact {
    enum log_level level;
    const char *event;
    int64_t unix_ms;
    const struct log_field *fields;
    int n;
};

/* Appends a line with its line feed. A field that does not fit into `out` is left out and the line
 * says so. 0, -ENOMEM or RD_EFULL (nothing was added). */
int log_line(struct buf *out, enum log_format format, const struct log_fact *f);

/* "+13125550142" as "+1..42"; "client:alice" as "client:.."; words such as "anonymous" stay. */
void log_phone(char *out, size_t cap, const char *number);

#endif
