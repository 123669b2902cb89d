/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - would the Realtime API (GA) accept the form of this client event? Names, types,
 * required fields and allowed words; what depends on the conversation is the session's matter.
 * Pure. */
#ifndef SIM_OPENAI_CHECK_H
#define SIM_OPENAI_CHECK_H

#include <jansson.h>

struct complaint {
    char code[64];     /* "unknown_parameter", "missing_required_parameter", "invalid_type", … */
    char param[128];   /* "session.audio.input.format.type" */
    char message[512]; /* in the API's words */
};

/* 0, or RD_EPROTO with the first thing that is wrong. */
int openai_check(const json_t *event, struct complaint *out);

/* The exact words an instruction asks for: 'Say exactly: "…"' with JSON escapes or typographic
 * quotes, else what follows "exactly:" to the end of the line. Allocated; NULL when it asks for
 * none. */
char *openai_exact_words(const char *instructions);

#endif
