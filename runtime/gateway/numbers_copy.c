/* SPDX-License-Identifier: Apache-2.0 */
/* numbers_copy.c - the database's answer, kept as it came, with two sorted lists that point into it. */
#include "gateway/numbers_copy.h"

#include "base/err.h"
#include "gateway/follower.h"
#include "gateway/sealed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct site {
    struct rd_str agent, id, facts;
};

struct number {
    struct rd_str number, agent, site; /* site: its facts */
};

struct numbers_copy {
    struct followed base; /* first; its answer is what the following point into */
    struct site *sites;   /* owns; by agent and id */
    struct number *numbers;
    size_t n_sites, n_numbers;
};

static int compare(struct rd_str a, struct rd_str b)
{
    int c = memcmp(a.p, b.p, a.n < b.n ? a.n : b.n);

    return c ? c : (a.n > b.n) - (a.n < b.n);
}

static int by_site(const void *x, const void *y)
{
    const struct site *a = x, *b = y;
    int c = compare(a->agent, b->agent);

    return c ? c : compare(a->id, b->id);
}

static int by_number(const void *x, const void *y)
{
    const struct number *a = x, *b = y;

    return compare(a->number, b->number);
}

/* ---- made ---- */

static uint64_t number_of(struct rd_str digits)
{
    char text[24];

    return rd_str_copy(text, sizeof(text), digits) ? strtoull(text, NULL, 10) : 0;
}

static void add_number(struct numbers_copy *c, const struct rd_str *row)
{
    struct site wanted = {.agent = row[3], .id = row[4]};
    const struct site *site = NULL;

    if (c->n_numbers == 0)
        qsort(c->sites, c->n_sites, sizeof(*c->sites), by_site);
    if (row[4].p)
        site = bsearch(&wanted, c->sites, c->n_sites, sizeof(*c->sites), by_site);
    c->numbers[c->n_numbers++] =
        (struct number){row[2], row[3], site ? site->facts : (struct rd_str){NULL, 0}};
}

static bool add_row(struct numbers_copy *c, const struct rd_str *row)
{
    c->base.version = number_of(row[0]);
    if (!row[1].p)
        return true; /* there is nothing but a version */
    if (!row[2].p || !row[3].p)
        return false;
    if (rd_str_eq(row[1], RD_STR("n"))) {
        add_number(c, row);
        return true;
    }
    if (!row[4].p || c->n_numbers > 0)
        return false;
    c->sites[c->n_sites++] = (struct site){row[3], row[2], row[4]};
    return true;
}

static void copy_free(struct followed *f)
{
    struct numbers_copy *c = (struct numbers_copy *)f; /* its first member */

    free(c->sites);
    free(c->numbers);
    free(c);
}

int numbers_copy_new(struct numbers_copy **out, struct answer *a)
{
    struct numbers_copy *c = calloc(1, sizeof(*c));
    struct rd_str row[NUMBERS_COLUMNS];
    size_t at = 0;
    bool good = a->n_columns == NUMBERS_COLUMNS;

    if (!c) {
        answer_free(a);
        return -ENOMEM;
    }
    followed_init(&c->base, a, copy_free);
    c->sites = calloc((size_t)a->n_rows + 1, sizeof(*c->sites));
    c->numbers = calloc((size_t)a->n_rows + 1, sizeof(*c->numbers));
    if (!c->sites || !c->numbers) {
        numbers_copy_unref(c);
        return -ENOMEM;
    }
    for (uint32_t i = 0; good && i < a->n_rows; i++) {
        for (int column = 0; column < NUMBERS_COLUMNS; column++)
            row[column] = answer_cell(a, &at);
        good = add_row(c, row);
    }
    if (!good) {
        numbers_copy_unref(c);
        return RD_EPROTO;
    }
    qsort(c->numbers, c->n_numbers, sizeof(*c->numbers), by_number);
    *out = c;
    return 0;
}

void numbers_copy_unref(struct numbers_copy *c)
{
    if (c)
        followed_unref(&c->base);
}

uint64_t numbers_copy_version(const struct numbers_copy *c)
{
    return c ? c->base.version : 0;
}

bool numbers_copy_find(const struct numbers_copy *c, struct rd_str number, struct rd_str *agent,
                       struct rd_str *site)
{
    struct number wanted = {.number = number};
    const struct number *found;

    if (number.n == 0)
        return false;
    found = bsearch(&wanted, c->numbers, c->n_numbers, sizeof(*c->numbers), by_number);
    if (!found)
        return false;
    *agent = found->agent;
    *site = found->site;
    return true;
}

/* ---- in a file ---- */

int numbers_copy_save(const struct numbers_copy *c, const char *path, const char *secret)
{
    return sealed_save(c->base.answer, NUMBERS_MAGIC, path, secret);
}

int numbers_copy_load(struct numbers_copy **out, const char *path, const char *secret)
{
    struct answer *a;
    int rc = sealed_load(&a, NUMBERS_MAGIC, NUMBERS_COLUMNS, path, secret);

    return rc ? rc : numbers_copy_new(out, a);
}
