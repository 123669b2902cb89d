/* SPDX-License-Identifier: Apache-2.0 */
/* sealed.c - a head with lengths and an HMAC, and behind it the cells as they came. It is written
 * beside the old one and renamed over it, so there is always a whole one. */
#include "gateway/sealed.h"

#include "base/err.h"
#include "io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 48 << 20 };

struct head {
    char magic[SEALED_MAGIC];
    uint32_t n_rows;
    uint32_t reserved;
    uint64_t n_bytes;
    uint8_t seal[32]; /* over what stands before and the bytes */
};

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

int sealed_save(const struct answer *a, const char magic[SEALED_MAGIC], const char *path,
                const char *secret)
{
    const struct buf *cells = &a->cells;
    struct head h = {.n_rows = a->n_rows, .n_bytes = cells->n};
    char part[PATH_MAX];
    int fd, rc;

    memcpy(h.magic, magic, sizeof(h.magic));
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

static int read_answer(int fd, struct answer *a, const char *magic, const char *secret)
{
    struct head h, mine;
    int rc = read_all(fd, &h, sizeof(h));

    if (rc)
        return rc;
    if (memcmp(h.magic, magic, sizeof(h.magic)) != 0 || h.n_bytes > FILE_MAX)
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
    return rc;
}

int sealed_load(struct answer **out, const char magic[SEALED_MAGIC], int n_columns,
                const char *path, const char *secret)
{
    struct answer *a = calloc(1, sizeof(*a));
    int fd, rc;

    if (!a)
        return -ENOMEM;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    rc = fd < 0 ? -errno : read_answer(fd, a, magic, secret);
    if (fd >= 0)
        close(fd);
    a->n_columns = n_columns;
    if (rc)
        answer_free(a);
    else
        *out = a;
    return rc;
}
