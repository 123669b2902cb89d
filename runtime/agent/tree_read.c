/* SPDX-License-Identifier: Apache-2.0 */
/* tree_read.c - a folder as it is at one moment.
 *
 * - walk the folder, read each file, and remember names, sizes and times in a stamp; walk again
 *   without reading: the same stamp says that nothing moved meanwhile, else all is read anew
 * - links are followed inside the folder only; files of editors and hidden ones do not count
 *
 * Failure modes: a folder that never stands still (-EAGAIN), a file that cannot be read or leads
 * elsewhere: named in `why`. Pipes and sockets are passed over; a deep folder is an error, not a
 * recursion without end. */
#include "agent/tree.h"

#include "agent/tree_private.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 6, PAUSE_MS = 15, DEPTH_MAX = 8 };

struct walk {
    char root[PATH_MAX]; /* resolved */
    struct tree *tree;   /* NULL: only the stamp is wanted */
    uint64_t stamp;
    size_t n;
    bool anywhere; /* links may lead out of the folder */
    char *why;
    size_t cap;
};

static int fail(struct walk *w, int rc, const char *path, const char *what)
{
    (void)snprintf(w->why, w->cap, "%.200s: %s", path, what);
    return rc;
}

static void stamp_text(struct walk *w, const char *text)
{
    do
        w->stamp = (w->stamp ^ (unsigned char)*text) * 0x100000001b3u;
    while (*text++);
}

static void stamp_file(struct walk *w, const char *path, const struct stat *st)
{
    char facts[160];

    (void)snprintf(facts, sizeof(facts), "%ju %ju %jd %jd.%ld %jd.%ld", (uintmax_t)st->st_dev,
                   (uintmax_t)st->st_ino, (intmax_t)st->st_size, (intmax_t)st->st_mtim.tv_sec,
                   st->st_mtim.tv_nsec, (intmax_t)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
    stamp_text(w, path);
    stamp_text(w, facts);
}

/* Reads at most one byte more than is allowed: tree_add() then says so. */
static int read_text(int fd, char **text, size_t *n)
{
    size_t cap = 0;
    ssize_t got = 1;

    *text = NULL;
    for (*n = 0; got > 0 && *n <= TREE_FILE_BYTES; *n += (size_t)got) {
        if (*n == cap) {
            char *more = realloc(*text, cap = cap ? 2 * cap : 8192);

            if (!more)
                return -ENOMEM;
            *text = more;
        }
        do
            got = read(fd, *text + *n, cap - *n);
        while (got < 0 && errno == EINTR);
        if (got < 0)
            return -errno;
    }
    return 0;
}

static int take_file(struct walk *w, const char *whole, const char *path)
{
    int fd = open(whole, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY), rc = 0;
    struct stat st = {0};
    char *text = NULL;
    size_t n = 0;

    if (fd < 0)
        return errno == ENOENT ? 0 : fail(w, -errno, path, rd_strerror(-errno));
    if (fstat(fd, &st) != 0)
        rc = fail(w, -errno, path, rd_strerror(-errno));
    if (!rc && S_ISREG(st.st_mode)) {
        stamp_file(w, path, &st);
        rc = read_text(fd, &text, &n);
        if (rc)
            (void)fail(w, rc, path, rd_strerror(rc));
        else
            rc = tree_add(w->tree, path, (struct rd_str){text, n}, w->why, w->cap);
    }
    free(text);
    close(fd);
    return rc;
}

/* A link must stay inside. Its target, or the path itself. */
static int resolve(struct walk *w, const char *whole, const char *path, char out[PATH_MAX])
{
    size_t n = strlen(w->root);

    if (!realpath(whole, out))
        return errno == ENOENT ? -ENOENT : fail(w, -errno, path, rd_strerror(-errno));
    if (w->anywhere)
        return 0;
    if (strncmp(out, w->root, n) == 0 && (out[n] == '/' || strcmp(w->root, "/") == 0))
        return 0;
    return fail(w, RD_ECONFIG, path,
                "is a link that leads out of the folder; copy what it points to");
}

static int walk_folder(struct walk *w, const char *whole, const char *path, int depth);

/* `real` is no link, and neither is what leads to it. */
static int take_found(struct walk *w, const char *real, const char *path, const struct stat *st,
                      int depth)
{
    if (S_ISDIR(st->st_mode))
        return walk_folder(w, real, path, depth + 1);
    if (!S_ISREG(st->st_mode))
        return 0;
    if (++w->n > TREE_FILES_MAX + 1)
        return 0;
    if (w->tree)
        return take_file(w, real, path);
    stamp_file(w, path, st);
    return 0;
}

static int take_entry(struct walk *w, const char *folder, const char *path, const char *name,
                      int depth)
{
    char whole[PATH_MAX], below[PATH_MAX], real[PATH_MAX];
    struct stat st;
    int rc;

    if (snprintf(whole, sizeof(whole), "%s/%s", folder, name) >= (int)sizeof(whole) ||
        snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", name) >=
            (int)sizeof(below))
        return fail(w, RD_ETOOBIG, name, "its name is too long");
    if (lstat(whole, &st) != 0)
        return 0; /* gone meanwhile */
    if (!S_ISLNK(st.st_mode))
        return take_found(w, whole, below, &st, depth);
    rc = resolve(w, whole, below, real);
    if (rc == -ENOENT || (!rc && stat(real, &st) != 0)) /* gone meanwhile, or a link to nothing */
        return 0;
    return rc ? rc : take_found(w, real, below, &st, depth);
}

static int walk_folder(struct walk *w, const char *whole, const char *path, int depth)
{
    struct dirent **entries = NULL;
    int n, rc = 0;

    if (depth > DEPTH_MAX)
        return fail(w, RD_ETOOBIG, path, "folders lie too deep in each other; at most 8");
    if (w->tree && tree_add_folder(w->tree, whole))
        return -ENOMEM;
    n = scandir(whole, &entries, NULL, alphasort);
    if (n < 0)
        return errno == ENOENT && depth ? 0 : fail(w, -errno, whole, rd_strerror(-errno));
    for (int i = 0; i < n; i++) {
        if (!rc && !tree_ignores(entries[i]->d_name))
            rc = take_entry(w, whole, path, entries[i]->d_name, depth);
        free(entries[i]);
    }
    free(entries);
    return rc;
}

static int begin(struct walk *w, const char *folder)
{
    w->stamp = 0xcbf29ce484222325u;
    w->n = 0;
    if (!realpath(folder, w->root))
        return fail(w, -errno, folder, rd_strerror(-errno));
    stamp_text(w, w->root);
    return 0;
}

static int stamp_now(const char *folder, bool anywhere, uint64_t *stamp)
{
    char why[256];
    struct walk w = {.why = why, .cap = sizeof(why), .anywhere = anywhere};
    int rc = begin(&w, folder);

    if (!rc)
        rc = walk_folder(&w, w.root, "", 0);
    *stamp = w.stamp;
    return rc;
}

int tree_stamp(const char *folder, uint64_t *stamp)
{
    return stamp_now(folder, false, stamp);
}

static int read_once(struct tree **out, const char *folder, bool anywhere, char *why, size_t cap)
{
    struct walk w = {.why = why, .cap = cap, .anywhere = anywhere, .tree = tree_blank()};
    uint64_t again = 0;
    int rc = w.tree ? begin(&w, folder) : -ENOMEM;

    if (!rc)
        rc = walk_folder(&w, w.root, "", 0);
    if (!rc)
        rc = tree_seal(w.tree, why, cap);
    if (!rc && (stamp_now(folder, anywhere, &again) || again != w.stamp))
        rc = fail(&w, -EAGAIN, folder, "its files change all the time; it is read when they rest");
    if (rc) {
        tree_unref(w.tree);
        return rc;
    }
    w.tree->stamp = w.stamp;
    *out = w.tree;
    return 0;
}

static int read_at_rest(struct tree **out, const char *folder, bool anywhere, char *why, size_t cap)
{
    struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
    int rc = -EAGAIN;

    for (int i = 0; i < ATTEMPTS && rc == -EAGAIN; i++) {
        if (i)
            (void)nanosleep(&pause, NULL);
        rc = read_once(out, folder, anywhere, why, cap);
    }
    return rc;
}

int tree_read(struct tree **out, const char *folder, char *why, size_t cap)
{
    return read_at_rest(out, folder, false, why, cap);
}

int tree_read_library(struct tree **out, const char *folder, char *why, size_t cap)
{
    return read_at_rest(out, folder, true, why, cap);
}
