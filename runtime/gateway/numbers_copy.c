/* SPDX-License-Identifier: Apache-2.0 */
/* numbers_copy.c - the database's answer, kept as it came, with two sorted lists that point into it.
 *
 * The file is the same answer behind a head with lengths and an HMAC; it is written beside the old
 * one and renamed over it, so there is always a whole one. */
#include "gateway/numbers_copy.h"

#include "base/err.h"
#include "io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 48 << 20 };

struct site {
    struct rd_str agent, id, facts;
};

struct number {
    struct rd_str number, agent, site; /* site: its facts */
};

struct numbers_copy {
    atomic_uint refs;
    struct answer *answer; /* owns what the following point into */
    uint64_t version;
    struct site *sites; /* owns; by agent and id */
    struct number *numbers;
    size_t n_sites, n_numbers;
};

struct head {
    char magic[8];
    uint32_t n_rows;
    uint32_t reserved;
    uint64_t n_bytes;
    uint8_t seal[32]; /* over what stands before and the bytes */
};

static const char magic[8] = "rdnum01";

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
    c->version = number_of(row[0]);
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
    atomic_init(&c->refs, 1);
    c->answer = a;
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

struct numbers_copy *numbers_copy_ref(struct numbers_copy *c)
{
    if (c)
        atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void numbers_copy_unref(struct numbers_copy *c)
{
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    answer_free(c->answer);
    free(c->sites);
    free(c->numbers);
    free(c);
}

uint64_t numbers_copy_version(const struct numbers_copy *c)
{
    return c ? c->version : 0;
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

static int seal_of(struct head *h, const char *cells, const char *secret)
{
    size_t n_head = offsetof(struct head, seal), n = n_head + h->n_bytes;
    char *all = malloc(n);

    if (!all)
        return -ENOMEM;
    memcpy(all, h, n_head);
    memcpy(all + n_head, cells, h->n_bytes);
    hmac_sha256(h->seal, secret, strlen(secret), all, n);
    free(all);
    return 0;
}

static int write_all(int fd, const void *bytes, size_t n)
{
    const char *p = bytes;

    while (n > 0) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno != EINTR)
            return -errno;
        if (w > 0) {
            p += w;
            n -= (size_t)w;
        }
    }
    return 0;
}

int numbers_copy_save(const struct numbers_copy *c, const char *path, const char *secret)
{
    const struct buf *cells = &c->answer->cells;
    struct head h = {.n_rows = c->answer->n_rows, .n_bytes = cells->n};
    char part[PATH_MAX];
    int fd, rc;

    memcpy(h.magic, magic, sizeof(magic));
    if (snprintf(part, sizeof(part), "%s.part", path) >= (int)sizeof(part))
        return -ENAMETOOLONG;
    rc = seal_of(&h, cells->data ? cells->data : "", secret);
    if (rc)
        return rc;
    fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, &h, sizeof(h));
    if (!rc)
        rc = write_all(fd, cells->data, cells->n);
    if (!rc && fsync(fd))
        rc = -errno;
    close(fd);
    if (!rc && rename(part, path))
        rc = -errno;
    if (rc)
        (void)unlink(part);
    return rc;
}

static int read_all(int fd, void *bytes, size_t n)
{
    char *p = bytes;

    while (n > 0) {
        ssize_t r = read(fd, p, n);

        if (r == 0)
            return RD_EAUTH;
        if (r < 0 && errno != EINTR)
            return -errno;
        if (r > 0) {
            p += r;
            n -= (size_t)r;
        }
    }
    return 0;
}

static int read_answer(int fd, struct answer *a, const char *secret)
{
    struct head h, mine;
    int rc = read_all(fd, &h, sizeof(h));

    if (rc)
        return rc;
    if (memcmp(h.magic, magic, sizeof(magic)) != 0 || h.n_bytes > FILE_MAX)
        return RD_EAUTH;
    buf_init(&a->cells, FILE_MAX);
    rc = buf_reserve(&a->cells, h.n_bytes + 1);
    if (!rc)
        rc = read_all(fd, a->cells.data, h.n_bytes);
    a->cells.n = rc ? 0 : h.n_bytes;
    mine = h;
    if (!rc)
        rc = seal_of(&mine, a->cells.data, secret);
    if (!rc && memcmp(mine.seal, h.seal, sizeof(h.seal)) != 0)
        rc = RD_EAUTH;
    a->n_rows = h.n_rows;
    a->n_columns = NUMBERS_COLUMNS;
    return rc;
}

int numbers_copy_load(struct numbers_copy **out, const char *path, const char *secret)
{
    struct answer *a = calloc(1, sizeof(*a));
    int fd, rc;

    if (!a)
        return -ENOMEM;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    rc = fd < 0 ? -errno : read_answer(fd, a, secret);
    if (fd >= 0)
        close(fd);
    if (rc) {
        answer_free(a);
        return rc;
    }
    return numbers_copy_new(out, a);
}
