/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - reads the orders of control.h. */
#include "sim/openai/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TARGET_MAX = 128, PICKS = 1000, DOOR_MS = 3000, DOOR_MAX_MS = 600000 };

static const char fault_prefix[] = "/control/fault/";

static int read_fault(struct openai_order *out, const char *name, const char *query)
{
    unsigned long ms = DOOR_MS;

    *out = (struct openai_order){.moment = MOMENT_DOOR};
    if (openai_fault_parse(&out->misery, name, strlen(name)))
        return 404;
    if (query && strncmp(query, "ms=", 3) == 0)
        ms = strtoul(query + 3, NULL, 10);
    out->for_ms = ms < DOOR_MAX_MS ? (uint32_t)ms : DOOR_MAX_MS;
    return 0;
}

int openai_control_read(struct openai_order *out, struct rd_str target)
{
    static const struct {
        const char *path;
        enum openai_moment moment;
        int code;
    } orders[] = {{"/control/drop", MOMENT_NOW, 0},
                  {"/control/1011-in-answer", MOMENT_ANSWER, 1011},
                  {"/control/drop-in-tool", MOMENT_TOOL, 0}};
    char text[TARGET_MAX], *query;

    if (!rd_str_copy(text, sizeof(text), target))
        return 404;
    query = strchr(text, '?');
    if (query)
        *query++ = '\0';
    if (strncmp(text, fault_prefix, sizeof(fault_prefix) - 1) == 0)
        return read_fault(out, text + sizeof(fault_prefix) - 1, query);
    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(text, orders[i].path) != 0)
            continue;
        *out = (struct openai_order){.moment = orders[i].moment, .code = orders[i].code};
        if (query && strncmp(query, "pick=", 5) == 0)
            out->pick = (unsigned)strtoul(query + 5, NULL, 10) % PICKS;
        return 0;
    }
    return 404;
}
