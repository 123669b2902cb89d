/* SPDX-License-Identifier: Apache-2.0 */
/* cost.h - a call's cost on the screen, for `cost` and `why`. */
#ifndef CLI_COST_H
#define CLI_COST_H

#include <jansson.h>

/* The object of SQL's why_cost(): total and lines; what is unknown says why. */
void cost_print(const json_t *cost);

#endif
