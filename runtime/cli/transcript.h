/* SPDX-License-Identifier: Apache-2.0 */
/* transcript.h - records of calls as people read them: the caller on the left, the agent on the
 * right, what was done in between. Pure. */
#ifndef CLI_TRANSCRIPT_H
#define CLI_TRANSCRIPT_H

#include "base/buf.h"
#include "base/json.h"

#include <stdbool.h>

struct transcript {
    unsigned width; /* of the terminal; at least 40 are used */
    bool colour;
};

/* Appends the lines of one event (an element of /api/v1/events); nothing for kinds that people need
 * not read. Words are shown without control characters. 0 or an error of buf_add. */
int transcript_add(const struct transcript *t, const struct json_value *event, struct buf *out);

/* Appends a member's text, shown safely (no control characters); nothing when it is absent. */
int add_shown(struct buf *out, const struct json_value *object, const char *key);

#endif
