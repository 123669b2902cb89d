/* SPDX-License-Identifier: Apache-2.0 */
/* secret.c - where a secret's value is found. Read anew for each request, so that a file may be
 * replaced while calls go on.
 *
 * Failure: no value, or one with line breaks in it, is none; a request that needs it is not made. */
#include "agent/secret.h"

#include "base/err.h"
#include "base/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int add_value(struct buf *out, struct rd_str value)
{
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < 0x20 || value.p[i] == 0x7f)
            return RD_ECONFIG;
    return value.n > 0 ? buf_add(out, value.p, value.n) : -ENOENT;
}

static int add_file(struct buf *out, const char *path)
{
    char text[SECRET_MAX + 1];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc;
    ssize_t n;

    if (fd < 0)
        return -ENOENT;
    n = read(fd, text, sizeof(text));
    close(fd);
    if (n < 0)
        return -ENOENT;
    if (n > SECRET_MAX)
        return RD_ECONFIG;
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    rc = add_value(out, (struct rd_str){text, (size_t)n});
    explicit_bzero(text, sizeof(text));
    return rc;
}

int secret_read(const char *configured, const char *name, struct buf *out)
{
    struct rd_str value = lines_find(configured, rd_str(name));
    const char *plain, *path;
    char file[80];

    if (value.n > 0)
        return add_value(out, value);
    plain = getenv(name);
    if (plain && *plain)
        return add_value(out, rd_str(plain));
    if (snprintf(file, sizeof(file), "%s_FILE", name) >= (int)sizeof(file))
        return -ENOENT;
    path = getenv(file);
    return path && *path ? add_file(out, path) : -ENOENT;
}

static bool is_there(const char *configured, const char *name)
{
    struct buf value;
    bool there;

    buf_init(&value, SECRET_MAX);
    there = secret_read(configured, name, &value) == 0;
    if (value.data)
        explicit_bzero(value.data, value.n);
    buf_fini(&value);
    return there;
}

void secrets_missing(const struct agent_set *s, const char *configured, secret_missing_fn *tell,
                     void *arg)
{
    for (size_t i = 0; i < agent_set_count(s); i++) {
        const struct agent_info *a = agent_set_at(s, i);

        for (const char *const *name = a->secrets; *name; name++)
            if (!is_there(configured, *name))
                tell(arg, a, *name);
    }
}
