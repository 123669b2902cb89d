/* SPDX-License-Identifier: Apache-2.0 */
/* replays_print.h - what came of one replay, for people. */
#ifndef CLI_REPLAYS_PRINT_H
#define CLI_REPLAYS_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* show: what one version did, and no comparison. */
void replays_print(FILE *to, const json_t *answer, bool show);

#endif
