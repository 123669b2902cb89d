/* SPDX-License-Identifier: Apache-2.0 */
/* routing_copy.c - the database's answer, kept as it came, with sorted lists that point into it. The
 * numbers of all lists are one list, so that a look is the same few steps however many agents there
 * are. */
#include "gateway/routing_copy.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 32 }; /* longer ones are on no list */

struct plan {
    struct rd_str agent, json;
};

struct entry {
    struct rd_str agent, number;
    bool denied;
};

struct routing_copy {
    struct followed base; /* first; its answer is what the following point into */
    struct rd_str force;
    struct plan *plans;    /* owns; by agent */
    struct entry *entries; /* owns; by agent and number, what is denied first */
    size_t n_plans, n_entries;
};

static int compare(struct rd_str a, struct rd_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_agent(const void *x, const void *y)
{
    const struct plan *a = x, *b = y;

    return compare(a->agent, b->agent);
}

static int by_entry(const void *x, const void *y)
{
    const struct entry *a = x, *b = y;
    int c = compare(a->agent, b->agent);

    if (!c)
        c = compare(a->number, b->number);
    return c ? c : (int)b->denied - (int)a->denied;
}

/* ---- made ---- */

static uint64_t number_of(struct rd_str digits)
{
    char text[24];

    return rd_str_copy(text, sizeof(text), digits) ? strtoull(text, NULL, 10) : 0;
}

static bool add_row(struct routing_copy *c, const struct rd_str *row)
{
    c->base.version = number_of(row[0]);
    if (!row[1].p)
        return true; /* there is nothing but a version */
    if (!row[2].p)
        return false;
    if (rd_str_eq(row[1], RD_STR("f"))) {
        c->force = row[2];
    } else if (rd_str_eq(row[1], RD_STR("r")) && row[4].p) {
        c->plans[c->n_plans++] = (struct plan){row[2], row[4]};
    } else if (row[3].p && (rd_str_eq(row[1], RD_STR("a")) || rd_str_eq(row[1], RD_STR("d")))) {
        c->entries[c->n_entries++] = (struct entry){row[3], row[2], row[1].p[0] == 'd'};
    } else {
        return false;
    }
    return true;
}

static void copy_free(struct followed *f)
{
    struct routing_copy *c = (struct routing_copy *)f; /* its first member */

    free(c->plans);
    free(c->entries);
    free(c);
}

int routing_copy_new(struct followed **out, struct answer *a)
{
    struct routing_copy *c = calloc(1, sizeof(*c));
    struct rd_str row[ROUTING_COLUMNS];
    bool good = a->n_columns == ROUTING_COLUMNS;
    size_t at = 0;

    if (!c) {
        answer_free(a);
        return -ENOMEM;
    }
    followed_init(&c->base, a, copy_free);
    c->plans = calloc((size_t)a->n_rows + 1, sizeof(*c->plans));
    c->entries = calloc((size_t)a->n_rows + 1, sizeof(*c->entries));
    if (!c->plans || !c->entries) {
        followed_unref(&c->base);
        return -ENOMEM;
    }
    for (uint32_t i = 0; good && i < a->n_rows; i++) {
        for (int column = 0; column < ROUTING_COLUMNS; column++)
            row[column] = answer_cell(a, &at);
        good = add_row(c, row);
    }
    if (!good) {
        followed_unref(&c->base);
        return RD_EPROTO;
    }
    qsort(c->plans, c->n_plans, sizeof(*c->plans), by_agent);
    qsort(c->entries, c->n_entries, sizeof(*c->entries), by_entry);
    *out = &c->base;
    return 0;
}

/* ---- looked up ---- */

struct rd_str routing_copy_force(const struct routing_copy *c)
{
    return c ? c->force : (struct rd_str){NULL, 0};
}

struct rd_str routing_copy_plan(const struct routing_copy *c, struct rd_str agent)
{
    struct plan wanted = {.agent = agent};
    const struct plan *found = NULL;

    if (c)
        found = bsearch(&wanted, c->plans, c->n_plans, sizeof(*c->plans), by_agent);
    return found ? found->json : (struct rd_str){NULL, 0};
}

/* "sip:+1312…@example.com" without what is around the number. */
static struct rd_str user_of(struct rd_str party)
{
    static const char *const schemes[] = {"sip:+", "sips:+"};

    while (party.n > 0 && (*party.p == ' ' || *party.p == '\t'))
        party = (struct rd_str){party.p + 1, party.n - 1};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i]);

        if (party.n < n || memcmp(party.p, schemes[i], n) != 0)
            continue;
        party = (struct rd_str){party.p + n - 1, party.n - n + 1};
        for (n = 0; n < party.n && party.p[n] != '@' && party.p[n] != ';'; n++)
            ;
        return (struct rd_str){party.p, n};
    }
    return party;
}

/* As lists have it; what is no number stays unlike any. As ringdown.rollout.number does. */
static struct rd_str listed_as(struct rd_str party, char out[NUMBER_MAX])
{
    size_t n = 0;

    party = user_of(party);
    for (size_t i = 0; i < party.n; i++) {
        if (party.p[i] && strchr(" \t().-", party.p[i]))
            continue;
        if (n == NUMBER_MAX)
            return (struct rd_str){NULL, 0};
        out[n++] = party.p[i];
    }
    return (struct rd_str){out, n};
}

const char *routing_copy_listed(const struct routing_copy *c, struct rd_str agent,
                                struct rd_str party)
{
    static const char *const lists[] = {"allow", "deny"};
    char text[NUMBER_MAX];
    struct rd_str number = listed_as(party, text);

    for (int denied = 1; c && denied >= 0; denied--) {
        struct entry wanted = {agent, number, denied};

        if (bsearch(&wanted, c->entries, c->n_entries, sizeof(*c->entries), by_entry))
            return lists[denied];
    }
    return NULL;
}
