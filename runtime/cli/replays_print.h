/* SPDX-License-Identifier: Apache-2.0 */
/* replays_print.h - what came of one replay, for people. */
#ifndef CLI_REPLAYS_PRINT_H
#define CLI_REPLAYS_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A text of a stranger: on one line, without what a terminal obeys; cut behind so many bytes. */
void replays_print_text(FILE *to, const char *text, size_t max_bytes);

/* show: what one version did, and no comparison. */
void replays_print(FILE *to, const json_t *answer, bool show);
void replays_print_unplayable(FILE *to, const char *call, const char *why);

#endif
