/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - reads the orders of control.h. */
#include "sim/openai/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGET_MAX = 128, PICKS = 1000 };

int openai_control_read(struct openai_order *out, struct rd_str target)
{
    static const struct {
        const char *path;
        struct openai_order order;
    } orders[] = {{"/control/drop", {MOMENT_NOW, 0, 0}},
                  {"/control/1011-in-answer", {MOMENT_ANSWER, 1011, 0}},
                  {"/control/drop-in-tool", {MOMENT_TOOL, 0, 0}}};
    char text[TARGET_MAX], *query;

    if (!rd_str_copy(text, sizeof(text), target))
        return 404;
    query = strchr(text, '?');
    if (query)
        *query++ = '\0';
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(text, orders[i].path) != 0)
            continue;
        *out = orders[i].order;
        if (query && strncmp(query, "pick=", 5) == 0)
            out->pick = (unsigned)strtoul(query + 5, NULL, 10) % PICKS;
        return 0;
    }
    return 404;
}
