/* SPDX-License-Identifier: Apache-2.0 */
/* journal_folder.c - names and locks of the journal's files.
 *
 *   1790000000000000-4711.db       events; beside it SQLite's -wal and -shm while it is open
 *   1790000000000000-4711.db.lock  locked (flock) by the process that writes or ships it
 *   1790000000000000-4711.db.damaged   put aside, for a person
 *
 * The lock is a file of its own because SQLite locks ranges of its file, and loses them when
 * anybody in the process closes another descriptor of it.
 *   - a process died: the kernel let go of the lock, the next one to look takes it
 *   - two look at the same time: one gets the lock; the other either finds it taken, or holds the
 *     lock of a file that was removed meanwhile, sees that, and lets go */
#include "store/journal_folder.h"

#include "base/now.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_journal(const char *name)
{
    size_t us = strspn(name, "0123456789"), pid;

    if (us < 10 || name[us] != '-')
        return false;
    pid = strspn(name + us + 1, "0123456789");
    return pid > 0 && strcmp(name + us + 1 + pid, ".db") == 0;
}

static int keep_journals(const struct dirent *e)
{
    return is_journal(e->d_name);
}

static int keep_damaged(const struct dirent *e)
{
    return strstr(e->d_name, ".db.damaged") != NULL && !strstr(e->d_name, "-wal");
}

int journal_folder_list(const char *folder, char ***out)
{
    struct dirent **found = NULL;
    int n = scandir(folder, &found, keep_journals, alphasort);
    int rc = n < 0 ? -errno : n;
    char **paths = NULL;

    *out = NULL;
    if (n <= 0) {
        free(found);
        return rc == -ENOENT ? 0 : rc;
    }
    paths = calloc((size_t)n, sizeof(*paths));
    if (!paths)
        rc = -ENOMEM;
    for (int i = 0; i < n; i++) {
        if (paths && asprintf(&paths[i], "%s/%s", folder, found[i]->d_name) < 0) {
            paths[i] = NULL;
            rc = -ENOMEM;
        }
        free(found[i]);
    }
    free(found);
    if (rc < 0) {
        journal_folder_free(paths, paths ? n : 0);
        return rc;
    }
    *out = paths;
    return n;
}

void journal_folder_of(const char *data, char out[PATH_MAX])
{
    (void)snprintf(out, PATH_MAX, "%s/journal", data);
}

void journal_folder_free(char **paths, int n)
{
    for (int i = 0; i < n; i++)
        free(paths[i]);
    free(paths);
}

int journal_folder_damaged(const char *folder)
{
    struct dirent **found = NULL;
    int n = scandir(folder, &found, keep_damaged, NULL);

    for (int i = 0; i < n; i++)
        free(found[i]);
    free(found);
    return n < 0 ? 0 : n;
}

int journal_folder_name(const char *folder, char *path, size_t cap)
{
    struct stat st = {0};
    uint64_t us = unix_us();
    int n;

    do {
        n = snprintf(path, cap, "%s/%016llu-%d.db", folder, (unsigned long long)us++,
                     (int)getpid());
        if (n < 0 || (size_t)n >= cap)
            return -ENAMETOOLONG;
    } while (stat(path, &st) == 0);
    return 0;
}

static int lock_name(const char *path, char *name, size_t cap)
{
    int n = snprintf(name, cap, "%s.lock", path);

    return n < 0 || (size_t)n >= cap ? -ENAMETOOLONG : 0;
}

int journal_lock(const char *path, bool make)
{
    char name[PATH_MAX];
    struct stat st = {0};
    int fd, rc = lock_name(path, name, sizeof(name));

    if (rc)
        return rc;
    if (!make && stat(path, &st) != 0)
        return -errno;
    fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
        close(fd);
        return rc;
    }
    /* Whoever held it before may have shipped and removed everything. */
    if (!make && (fstat(fd, &st) != 0 || st.st_nlink == 0 || stat(path, &st) != 0)) {
        if (st.st_nlink != 0)
            (void)unlink(name);
        close(fd);
        return -ENOENT;
    }
    return fd;
}

bool journal_locked(const char *path)
{
    char name[PATH_MAX];
    int fd;
    bool locked;

    if (lock_name(path, name, sizeof(name)))
        return false;
    fd = open(name, O_RDWR | O_CLOEXEC);
    if (fd < 0)
        return false;
    locked = flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    close(fd);
    return locked;
}

void journal_folder_remove(const char *path)
{
    static const char *const tails[] = {"", "-wal", "-shm", ".lock"};
    char name[PATH_MAX];

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
        if (snprintf(name, sizeof(name), "%s%s", path, tails[i]) < (int)sizeof(name))
            (void)unlink(name);
}

int journal_folder_put_aside(const char *path, char *aside, size_t cap)
{
    char from[PATH_MAX], to[PATH_MAX];
    struct stat st = {0};
    int n = 0;

    do {
        int len = n == 0 ? snprintf(aside, cap, "%s.damaged", path)
                         : snprintf(aside, cap, "%s.damaged.%d", path, n);
        if (len < 0 || (size_t)len >= cap)
            return -ENAMETOOLONG;
    } while (stat(aside, &st) == 0 && ++n < 1000);
    if (snprintf(from, sizeof(from), "%s-wal", path) < (int)sizeof(from) &&
        snprintf(to, sizeof(to), "%s-wal", aside) < (int)sizeof(to))
        (void)rename(from, to);
    if (rename(path, aside) != 0)
        return -errno;
    journal_folder_remove(path);
    return 0;
}
