/* SPDX-License-Identifier: Apache-2.0 */
/* budget_copy.c - the database's answer, kept as it came, with lists that point into it. There are few:
 * who is looked for is compared with each. */
#include "gateway/budget_copy.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

struct spent {
    struct rd_str agent; /* "*": all together */
    uint64_t until_s;
};

struct budget_copy {
    struct followed base; /* first; its answer is what the following point into */
    struct spent *agents; /* owns */
    struct rd_str *calls; /* owns */
    size_t n_agents, n_calls;
};

static uint64_t number_of(struct rd_str digits)
{
    char text[24];

    return rd_str_copy(text, sizeof(text), digits) ? strtoull(text, NULL, 10) : 0;
}

static bool add_row(struct budget_copy *c, const struct rd_str *row)
{
    c->base.version = number_of(row[0]);
    if (!row[1].p)
        return true; /* there is nothing but a version */
    if (!row[2].p)
        return false;
    if (rd_str_eq(row[1], RD_STR("a")) && row[3].p)
        c->agents[c->n_agents++] = (struct spent){row[2], number_of(row[3])};
    else if (rd_str_eq(row[1], RD_STR("c")))
        c->calls[c->n_calls++] = row[2];
    else
        return false;
    return true;
}

static void copy_free(struct followed *f)
{
    struct budget_copy *c = (struct budget_copy *)f; /* its first member */

    free(c->agents);
    free(c->calls);
    free(c);
}

int budget_copy_new(struct followed **out, struct answer *a)
{
    struct budget_copy *c = calloc(1, sizeof(*c));
    struct rd_str row[BUDGET_COLUMNS];
    bool good = a->n_columns == BUDGET_COLUMNS;
    size_t at = 0;

    if (!c) {
        answer_free(a);
        return -ENOMEM;
    }
    followed_init(&c->base, a, copy_free);
    c->agents = calloc((size_t)a->n_rows + 1, sizeof(*c->agents));
    c->calls = calloc((size_t)a->n_rows + 1, sizeof(*c->calls));
    if (!c->agents || !c->calls) {
        followed_unref(&c->base);
        return -ENOMEM;
    }
    for (uint32_t i = 0; good && i < a->n_rows; i++) {
        for (int column = 0; column < BUDGET_COLUMNS; column++)
            row[column] = answer_cell(a, &at);
        good = add_row(c, row);
    }
    if (!good) {
        followed_unref(&c->base);
        return RD_EPROTO;
    }
    *out = &c->base;
    return 0;
}

bool budget_copy_is_spent(const struct followed *f, struct rd_str agent, uint64_t now_unix_s)
{
    const struct budget_copy *c = (const struct budget_copy *)f;

    for (size_t i = 0; c && i < c->n_agents; i++)
        if (now_unix_s < c->agents[i].until_s &&
            (rd_str_eq(c->agents[i].agent, agent) || rd_str_eq(c->agents[i].agent, RD_STR("*"))))
            return true;
    return false;
}

size_t budget_copy_calls(const struct followed *f)
{
    return f ? ((const struct budget_copy *)f)->n_calls : 0;
}

struct rd_str budget_copy_call(const struct followed *f, size_t i)
{
    return ((const struct budget_copy *)f)->calls[i];
}
