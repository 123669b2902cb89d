/* SPDX-License-Identifier: Apache-2.0 */
/* releases_copy.c - <data>/agents-release.json: the number in the first line, the files behind it.
 * Written beside, synced and renamed: a crash leaves the old one or the new one. */
#include "gateway/releases_copy.h"

#include "base/err.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static const size_t copy_max = (size_t)4 * TREE_BYTES;

static int path_of(char out[PATH_MAX], const char *data, const char *tail)
{
    return snprintf(out, PATH_MAX, "%s/agents-release.json%s", data, tail) < PATH_MAX
               ? 0
               : -ENAMETOOLONG;
}

static int read_all(const char *path, struct buf *out)
{
    FILE *f = fopen(path, "re");
    size_t n = 1;
    int rc = 0;

    if (!f)
        return -errno;
    while (!rc && n > 0) {
        rc = buf_reserve(out, 65536);
        if (!rc) {
            n = fread(out->data + out->n, 1, 65536, f);
            out->n += n;
        }
    }
    if (!rc && ferror(f))
        rc = -EIO;
    fclose(f);
    return rc;
}

int release_copy_read(const char *data, struct tree **tree, int64_t *id)
{
    char path[PATH_MAX], why[256];
    struct buf text;
    const char *line;
    int rc = path_of(path, data, "");

    buf_init(&text, copy_max);
    if (!rc)
        rc = read_all(path, &text);
    line = rc ? NULL : memchr(text.data, '\n', text.n);
    if (!rc && (!line || text.data[0] < '0' || text.data[0] > '9'))
        rc = RD_EPROTO;
    if (!rc) {
        size_t n = (size_t)(line + 1 - text.data);

        *id = strtoll(text.data, NULL, 10);
        rc = tree_from_json(tree, (struct rd_str){line + 1, text.n - n}, why, sizeof(why));
    }
    buf_fini(&text);
    return rc;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(fd, p, n);

        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? -errno : -EIO;
        p += done;
        n -= (size_t)done;
    }
    return 0;
}

int release_copy_write(const char *data, struct rd_str files, int64_t id)
{
    char path[PATH_MAX], beside[PATH_MAX], number[32];
    int fd, rc = path_of(path, data, "");

    if (!rc)
        rc = path_of(beside, data, ".new");
    if (rc)
        return rc;
    (void)snprintf(number, sizeof(number), "%" PRId64 "\n", id);
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, number, strlen(number));
    if (!rc)
        rc = write_all(fd, files.p, files.n);
    if (!rc && fsync(fd) != 0)
        rc = -errno;
    close(fd);
    if (!rc && rename(beside, path) != 0)
        rc = -errno;
    if (rc)
        unlink(beside);
    return rc;
}
