/* SPDX-License-Identifier: Apache-2.0 */
/* settings_data.c - the data folder and the node's secret in it.
 *
 * - first start: the folder is made for this user alone; the secret is written to a file of its own
 *   name, synced, and linked into place, so that two starts at once agree on one secret
 * - later: the secret is read; one that others may read, or that is cut short, is refused, because
 *   whoever knows it can open streams */
#include "base/err.h"
#include "gateway/settings_table.h"
#include "io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { SECRET_BYTES = 32, SECRET_HEX = 2 * SECRET_BYTES };

int settings_make_data(const char *data, struct complaints *c)
{
    size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - sizeof("/control.sock");
    struct stat st;

    if (strlen(data) > longest)
        complain(c, 0, "data: \"%.40s...\" is too long for a socket in it; allowed: %zu letters",
                 data, longest);
    else if (mkdir(data, 0700) != 0 && errno != EEXIST)
        complain(c, 0, "data: cannot make the folder \"%s\": %s", data, rd_strerror(-errno));
    else if (stat(data, &st) != 0 || !S_ISDIR(st.st_mode) || access(data, W_OK | X_OK) != 0)
        complain(c, 0, "data: \"%s\" is no folder this user can write to", data);
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        complain(c, 0, "data: other users can write to \"%s\"; close it with: chmod 700 %s", data,
                 data);
    return 0;
}

/* 0, or -errno; RD_EPROTO when the text is no secret, -EPERM when others can read it. */
static int read_secret(const char *path, char hex[SECRET_HEX + 1])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), rc = 0;
    struct stat st;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) != 0)
        rc = -errno;
    else if (st.st_mode & 077)
        rc = -EPERM;
    else if (read(fd, hex, SECRET_HEX) != SECRET_HEX ||
             strspn((hex[SECRET_HEX] = '\0', hex), "0123456789abcdef") != SECRET_HEX)
        rc = RD_EPROTO;
    close(fd);
    return rc;
}

/* Writes a new secret beside `path` and links it there; somebody else's being first is fine. */
static int write_secret(const char *path)
{
    uint8_t bytes[SECRET_BYTES];
    char hex[SECRET_HEX + 2], own[512];
    int fd, rc = random_bytes(bytes, sizeof(bytes));

    if (rc)
        return rc;
    rd_hex(hex, bytes, sizeof(bytes));
    hex[SECRET_HEX] = '\n';
    snprintf(own, sizeof(own), "%s.%d", path, (int)getpid());
    fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (write(fd, hex, SECRET_HEX + 1) != SECRET_HEX + 1 || fsync(fd) != 0)
        rc = -EIO;
    close(fd);
    if (!rc && link(own, path) != 0 && errno != EEXIST)
        rc = -errno;
    unlink(own);
    return rc;
}

int settings_make_secret(const char *data, char **hex, struct complaints *c)
{
    char path[256], text[SECRET_HEX + 1];
    int rc;

    snprintf(path, sizeof(path), "%s/secret", data);
    rc = read_secret(path, text);
    if (rc == -ENOENT) {
        rc = write_secret(path);
        if (!rc)
            rc = read_secret(path, text);
    }
    if (rc == -EPERM)
        complain(c, 0, "cluster.secret: other users can read %s; close it with: chmod 600 %s", path,
                 path);
    else if (rc == RD_EPROTO)
        complain(c, 0, "cluster.secret: %s does not hold 64 hex digits; remove it and start again",
                 path);
    else if (rc)
        complain(c, 0, "cluster.secret: cannot make %s: %s", path, rd_strerror(rc));
    if (rc)
        return 0;
    *hex = strdup(text);
    return *hex ? 0 : -ENOMEM;
}
