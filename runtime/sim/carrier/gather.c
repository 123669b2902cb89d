/* SPDX-License-Identifier: Apache-2.0 */
/* gather.c - collecting keys until there are enough, or the finish key, or silence; see gather.h. */
#include "sim/carrier/gather.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int gather_begin(struct gather *g, const struct twiml_action *a)
{
    gather_end(g);
    g->max = a->max_digits;
    g->finish = a->finish;
    g->empty_too = a->empty_too;
    g->timeout_ms = a->seconds * 1000;
    g->method = strcmp(a->method, "GET") == 0 ? "GET" : "POST";
    g->action = strdup(a->action ? a->action : "");
    g->active = g->action != NULL;
    return g->action ? 0 : -ENOMEM;
}

void gather_end(struct gather *g)
{
    free(g->action);
    *g = (struct gather){.active = false};
}

bool gather_key(struct gather *g, char key)
{
    size_t n = strlen(g->digits);

    if (g->finish && key == g->finish)
        return true;
    if (n + 1 < sizeof(g->digits))
        g->digits[n++] = key;
    return (g->max > 0 && n >= g->max) || n + 1 == sizeof(g->digits);
}

bool gather_is_told(const struct gather *g)
{
    return g->digits[0] != '\0' || g->empty_too;
}
