/* SPDX-License-Identifier: Apache-2.0 */
/* answer.c - rows of an answer, packed one behind the other, so that they can change threads as they are.
 *
 * Failure modes: more rows or bytes than allowed: the reading stops, RD_ETOOBIG. */
#include "store/asker_private.h"

#include <stdlib.h>
#include <string.h>

struct answer *answer_new(size_t bytes_max)
{
    struct answer *a = calloc(1, sizeof(*a));

    if (a) {
        buf_init(&a->columns, ASKER_BYTES);
        buf_init(&a->cells, bytes_max);
    }
    return a;
}

void answer_free(struct answer *a)
{
    if (!a)
        return;
    buf_fini(&a->columns);
    buf_fini(&a->cells);
    free(a);
}

struct rd_str answer_cell(const struct answer *a, size_t *at)
{
    struct rd_str cell = {NULL, 0};
    int32_t n;

    memcpy(&n, a->cells.data + *at, sizeof(n));
    *at += sizeof(n);
    if (n >= 0) {
        cell = (struct rd_str){a->cells.data + *at, (size_t)n};
        *at += (size_t)n;
    }
    return cell;
}

const char *answer_column(const struct answer *a, size_t *at, uint32_t *type)
{
    const char *name;

    memcpy(type, a->columns.data + *at, sizeof(*type));
    name = a->columns.data + *at + sizeof(*type);
    *at += sizeof(*type) + strlen(name) + 1;
    return name;
}

static int add_columns(struct answer *a, const struct pg *p)
{
    int rc = 0;

    a->n_columns = pg_columns(p);
    for (int i = 0; !rc && i < a->n_columns; i++) {
        uint32_t type = pg_type(p, i);

        rc = buf_add(&a->columns, &type, sizeof(type));
        if (!rc)
            rc = buf_add(&a->columns, pg_column(p, i), strlen(pg_column(p, i)) + 1);
    }
    return rc;
}

static int add_cell(struct answer *a, struct rd_str cell)
{
    int32_t n = cell.p ? (int32_t)cell.n : -1;
    int rc = buf_add(&a->cells, &n, sizeof(n));

    return rc || !cell.p ? rc : buf_add(&a->cells, cell.p, cell.n);
}

struct reading {
    struct answer *answer;
    uint32_t rows_max;
};

static bool on_row(const struct pg *p, void *arg)
{
    struct reading *r = arg;
    struct answer *a = r->answer;
    int rc = a->n_rows == 0 ? add_columns(a, p) : 0;

    if (rc || a->n_rows >= r->rows_max)
        return false;
    for (int i = 0; !rc && i < a->n_columns; i++)
        rc = add_cell(a, pg_cell(p, i));
    a->n_rows++;
    return rc == 0;
}

int answer_read(struct answer *a, struct pg *p, const struct pg_statement *s, uint32_t rows_max)
{
    struct reading r = {a, rows_max};
    int rc = pg_query_rows(p, s, on_row, &r);

    memcpy(a->sqlstate, pg_sqlstate(p), sizeof(a->sqlstate));
    a->affected = rc ? 0 : pg_affected(p);
    return rc;
}
