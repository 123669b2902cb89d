/* SPDX-License-Identifier: Apache-2.0 */
/* diff.c - lines that both texts have, in order, as many as possible; the rest is the difference.
 *
 * - what is equal at the beginning and at the end is set aside; in between, the longest common
 *   subsequence by a table of lengths
 * - a middle so large that the table would be (CELLS_MAX) is told as removed and added whole: true,
 *   if not short */
#include "cli/diff.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

enum { CONTEXT = 3 };

static const size_t cells_max = (size_t)16 << 20;

struct lines {
    struct rd_str *v; /* owns the list, borrows the text */
    size_t n;
};

/* One line of the result: ' ', '-' or '+'. */
struct step {
    char mark;
    struct rd_str line;
};

struct script {
    struct step *v; /* owns */
    size_t n;
};

static int split(struct lines *out, struct rd_str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.n; i++)
        n += text.p[i] == '\n';
    *out = (struct lines){.v = calloc(n + 1, sizeof(*out->v))};
    if (!out->v)
        return -ENOMEM;
    while (text.n > 0) {
        const char *end = memchr(text.p, '\n', text.n);
        size_t length = end ? (size_t)(end - text.p) : text.n;

        out->v[out->n++] = (struct rd_str){text.p, length};
        length += end != NULL;
        text.p += length;
        text.n -= length;
    }
    return 0;
}

static void add(struct script *s, char mark, struct rd_str line)
{
    s->v[s->n++] = (struct step){mark, line};
}

/* lengths[i][j]: of the longest common subsequence of a[i…] and b[j…]. */
static uint32_t *common(const struct rd_str *a, size_t n, const struct rd_str *b, size_t m)
{
    size_t width = m + 1;
    uint32_t *t = (n + 1) > cells_max / width ? NULL : calloc((n + 1) * width, sizeof(*t));

    for (size_t i = n; t && i-- > 0;) {
        for (size_t j = m; j-- > 0;) {
            uint32_t down = t[(i + 1) * width + j], right = t[i * width + j + 1];

            t[i * width + j] = rd_str_eq(a[i], b[j]) ? t[(i + 1) * width + j + 1] + 1
                               : down > right        ? down
                                                     : right;
        }
    }
    return t;
}

static void walk(struct script *s, const struct rd_str *a, size_t n, const struct rd_str *b,
                 size_t m)
{
    uint32_t *t = common(a, n, b, m);
    size_t i = 0, j = 0, width = m + 1;

    while (t && i < n && j < m) {
        if (rd_str_eq(a[i], b[j])) {
            add(s, ' ', a[i++]);
            j++;
        } else if (t[(i + 1) * width + j] >= t[i * width + j + 1]) {
            add(s, '-', a[i++]);
        } else {
            add(s, '+', b[j++]);
        }
    }
    while (i < n)
        add(s, '-', a[i++]);
    while (j < m)
        add(s, '+', b[j++]);
    free(t);
}

static int compare(struct script *s, const struct lines *a, const struct lines *b)
{
    size_t head = 0, tail = 0;

    *s = (struct script){.v = calloc(a->n + b->n + 1, sizeof(*s->v))};
    if (!s->v)
        return -ENOMEM;
    while (head < a->n && head < b->n && rd_str_eq(a->v[head], b->v[head]))
        head++;
    while (tail < a->n - head && tail < b->n - head &&
           rd_str_eq(a->v[a->n - 1 - tail], b->v[b->n - 1 - tail]))
        tail++;
    for (size_t i = 0; i < head; i++)
        add(s, ' ', a->v[i]);
    walk(s, a->v + head, a->n - head - tail, b->v + head, b->n - head - tail);
    for (size_t i = a->n - tail; i < a->n; i++)
        add(s, ' ', a->v[i]);
    return 0;
}

/* ---- writing it ---- */

/* Where the hunk that contains step `i` ends: behind the context of its last change. */
static size_t hunk_end(const struct script *s, size_t i)
{
    size_t last = i;

    for (; i < s->n && i - last <= 2 * CONTEXT; i++)
        if (s->v[i].mark != ' ')
            last = i;
    last += CONTEXT + 1;
    return last < s->n ? last : s->n;
}

static int add_hunk(struct buf *out, const struct script *s, size_t from, size_t end,
                    const size_t at[2])
{
    size_t n[2] = {0, 0};
    int rc;

    for (size_t i = from; i < end; i++) {
        n[0] += s->v[i].mark != '+';
        n[1] += s->v[i].mark != '-';
    }
    rc = buf_addf(out, "@@ -%zu,%zu +%zu,%zu @@\n", at[0] + (n[0] > 0), n[0], at[1] + (n[1] > 0),
                  n[1]);
    for (size_t i = from; !rc && i < end; i++)
        rc = buf_addf(out, "%c" RD_STR_FMT "\n", s->v[i].mark, RD_STR_ARG(s->v[i].line));
    return rc;
}

static int add_hunks(struct buf *out, const struct script *s)
{
    size_t at[2] = {0, 0}, done = 0;
    int rc = 0;

    for (size_t i = 0; !rc && i < s->n; i++) {
        size_t from = i - done > CONTEXT ? i - CONTEXT : done, end;

        if (s->v[i].mark == ' ')
            continue;
        at[0] += from - done; /* what lies between two hunks is equal */
        at[1] += from - done;
        end = hunk_end(s, i);
        rc = add_hunk(out, s, from, end, at);
        for (size_t k = from; k < end; k++) {
            at[0] += s->v[k].mark != '+';
            at[1] += s->v[k].mark != '-';
        }
        done = end;
        i = end - 1;
    }
    return rc;
}

int diff_add(struct buf *out, const char *name, struct rd_str before, struct rd_str after)
{
    struct lines a = {0}, b = {0};
    struct script s = {0};
    int rc;

    if (rd_str_eq(before, after) && (before.p != NULL) == (after.p != NULL))
        return 0;
    rc = split(&a, before);
    if (!rc)
        rc = split(&b, after);
    if (!rc)
        rc = compare(&s, &a, &b);
    if (!rc)
        rc = buf_addf(out, "--- %s%s\n+++ %s%s\n", before.p ? "a/" : "/dev/null",
                      before.p ? name : "", after.p ? "b/" : "/dev/null", after.p ? name : "");
    if (!rc)
        rc = add_hunks(out, &s);
    free(s.v);
    free(a.v);
    free(b.v);
    return rc;
}
