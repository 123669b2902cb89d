/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_place.c - where the private cluster lies, and as whom it runs.
 *
 *   there is <data>/postgres          that one, whatever has changed since
 *   else <data>/postgres.where        the folder written there
 *   else, when one is to be made      <data>/postgres, if its socket's name is short enough and its
 *                                     user can get there; otherwise /var/lib/ringdown/<hash>, or
 *                                     $XDG_STATE_HOME (~/.local/state) /ringdown/<hash>
 *
 * PostgreSQL does not run as root: a root of ours runs it as `postgres`, anybody else as himself. A
 * data folder that root keeps for itself (0700) is opened for that user to pass through (group
 * postgres, 0710): he can reach what is his, list nothing, and read nothing that is 0600.
 *
 * The folders above a cluster belong to us or to root, so nobody can put another one in its place;
 * hence no cluster and no socket ever lies in /tmp. */
#include "base/err.h"
#include "store/cluster_private.h"
#include "store/program.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char root_base[] = "/var/lib/ringdown";

/* FNV-1a: only has to tell the data folders of one machine apart. */
static uint64_t hash_of(const char *text)
{
    uint64_t h = 14695981039346656037ULL;

    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211ULL;
    return h;
}

int place_elsewhere(char *out, size_t cap, const char *data, uid_t uid, const char *state,
                    const char *home)
{
    uint64_t h = hash_of(data);
    int n;

    if (uid == 0)
        n = snprintf(out, cap, "%s/%016" PRIx64, root_base, h);
    else if (state && state[0] == '/')
        n = snprintf(out, cap, "%s/ringdown/%016" PRIx64, state, h);
    else if (home && home[0] == '/')
        n = snprintf(out, cap, "%s/.local/state/ringdown/%016" PRIx64, home, h);
    else
        return RD_ETOOBIG;
    return n > 0 && (size_t)n < cap && n <= CLUSTER_FOLDER_MAX ? 0 : RD_ETOOBIG;
}

/* ---- as whom ---- */

/* The account of that name, or with NULL of that number. */
static int account(struct cluster_place *p, const char *name, uid_t uid)
{
    struct passwd entry, *found = NULL;
    char text[4096];

    if (name)
        (void)getpwnam_r(name, &entry, text, sizeof(text), &found);
    else
        (void)getpwuid_r(uid, &entry, text, sizeof(text), &found);
    if (!found)
        return -ENOENT;
    p->uid = entry.pw_uid;
    p->gid = entry.pw_gid;
    return rd_str_copy(p->user, sizeof(p->user), rd_str(entry.pw_name)) ? 0 : RD_ETOOBIG;
}

static int find_user(struct cluster_place *p, char *why, size_t cap)
{
    int rc = geteuid() == 0 ? account(p, "postgres", 0) : account(p, NULL, geteuid());

    if (rc && geteuid() == 0)
        snprintf(why, cap,
                 "there is no user \"postgres\" to run the database as; install it with: apt-get "
                 "install postgresql-15, or set database.url");
    else if (rc)
        snprintf(why, cap,
                 "user %u has no name on this machine, and PostgreSQL wants one; run ringdown as a "
                 "user of /etc/passwd, or set database.url",
                 geteuid());
    return rc;
}

/* A cluster that exists runs as its owner. */
static int owned(struct cluster_place *p, char *why, size_t cap)
{
    struct stat st;
    int rc = 0;

    if (lstat(p->folder, &st) != 0)
        rc = -errno;
    else if (!S_ISDIR(st.st_mode))
        rc = -ENOTDIR;
    if (rc) {
        snprintf(why, cap,
                 "cannot use the database in %s: %s; bring it back, or remove %s/postgres.where to "
                 "begin an empty one",
                 p->folder, rd_strerror(rc), p->data);
        return rc == -ENOENT ? RD_ESTATE : rc;
    }
    if (st.st_uid == p->uid)
        return 0;
    if (geteuid() == 0 && st.st_uid != 0 && account(p, NULL, st.st_uid) == 0)
        return 0;
    snprintf(
        why, cap,
        "%s belongs to user %u, and this is user %u; run ringdown as that user, or as root, or "
        "give it another data folder",
        p->folder, st.st_uid, geteuid());
    return -EPERM;
}

/* ---- where ---- */

static int append(char *out, size_t cap, const char *a, const char *b)
{
    int n = snprintf(out, cap, "%s%s", a, b);

    return n > 0 && (size_t)n < cap ? 0 : RD_ETOOBIG;
}

/* The folder written in <data>/postgres.where. -ENOENT: there is none. */
static int read_where(struct cluster_place *p, char *why, size_t cap)
{
    char path[PATH_MAX];
    ssize_t n;
    int fd, rc = append(path, sizeof(path), p->data, "/postgres.where");

    if (rc)
        return rc;
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    n = read(fd, p->folder, sizeof(p->folder) - 1);
    close(fd);
    p->folder[n > 0 ? n : 0] = '\0';
    p->folder[strcspn(p->folder, "\n")] = '\0';
    if (p->folder[0] == '/')
        return 0;
    snprintf(why, cap,
             "%s does not name a folder; write the cluster's folder into it, or remove it to begin "
             "an empty database",
             path);
    return RD_EPROTO;
}

int place_record(const struct cluster_place *p, char *why, size_t cap)
{
    char path[PATH_MAX], text[PATH_MAX + 1];
    int fd, rc = append(path, sizeof(path), p->data, "/postgres.where");
    size_t n = (size_t)snprintf(text, sizeof(text), "%s\n", p->folder);

    fd = rc ? -1 : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (fd >= 0 && write(fd, text, n) == (ssize_t)n && fsync(fd) == 0) {
        close(fd);
        return 0;
    }
    rc = rc ? rc : errno ? -errno : -EIO;
    if (fd >= 0)
        close(fd);
    snprintf(why, cap, "cannot write %s: %s; make room or give it to this user", path,
             rd_strerror(rc));
    return rc;
}

/* realpath() into an array that may be shorter than a path can be. */
static int real_path(char *out, size_t cap, const char *path)
{
    char *real = realpath(path, NULL);
    int rc = real ? 0 : -errno;

    if (real && !rd_str_copy(out, cap, rd_str(real)))
        rc = -ENAMETOOLONG;
    free(real);
    return rc;
}

int cluster_find(struct cluster_place *out, const char *data, char *why, size_t cap)
{
    struct stat st;
    int rc;

    memset(out, 0, sizeof(*out));
    rc = real_path(out->data, sizeof(out->data), data);
    if (rc) {
        snprintf(why, cap, "the data folder %s: %s; ringdown db up makes it", data,
                 rd_strerror(rc));
        return rc;
    }
    rc = find_user(out, why, cap);
    if (rc)
        return rc;
    rc = append(out->folder, sizeof(out->folder), out->data, "/postgres");
    if (rc) {
        snprintf(why, cap, "the data folder's path is too long; choose a shorter one");
        return rc;
    }
    out->made = lstat(out->folder, &st) == 0;
    if (!out->made && errno == EACCES) {
        snprintf(why, cap, "the data folder %s is closed to this user; run ringdown as its owner",
                 out->data);
        return -EACCES;
    }
    if (!out->made) {
        rc = read_where(out, why, cap);
        out->made = out->moved = rc == 0;
        if (rc == -ENOENT)
            return append(out->folder, sizeof(out->folder), out->data, "/postgres");
        if (rc)
            return rc;
    }
    return owned(out, why, cap);
}

/* ---- a new one ---- */

/* Whether the cluster's user can reach the data folder; opens it for him to pass if it is only our
 * own 0700 that keeps him out. */
static bool reachable(const struct cluster_place *p)
{
    struct stat st;

    if (program_access(p->uid, p->gid, p->data, X_OK) == 0)
        return true;
    if (geteuid() != 0 || stat(p->data, &st) != 0 || st.st_uid != 0 || (st.st_mode & 07077) != 0)
        return false;
    if (chown(p->data, 0, p->gid) != 0 || chmod(p->data, 0710) != 0)
        return false;
    if (program_access(p->uid, p->gid, p->data, X_OK) == 0)
        return true;
    (void)chown(p->data, 0, st.st_gid); /* it is a folder further up that is closed */
    (void)chmod(p->data, 0700);
    return false;
}

/* mkdir -p; the folders on the way are left as they are. */
static int make_folders(const char *path, mode_t mode)
{
    char part[PATH_MAX];

    for (const char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        size_t n = slash ? (size_t)(slash - path) : strlen(path);

        rd_str_copy(part, sizeof(part), (struct rd_str){path, n});
        if (mkdir(part, mode) != 0 && errno != EEXIST)
            return -errno;
        if (!slash)
            return 0;
    }
}

int place_choose(struct cluster_place *p, char *why, size_t cap)
{
    char base[PATH_MAX];
    struct stat st;
    int rc;

    if (strlen(p->folder) <= CLUSTER_FOLDER_MAX && reachable(p))
        return 0;
    rc = place_elsewhere(p->folder, sizeof(p->folder), p->data, geteuid(), getenv("XDG_STATE_HOME"),
                         getenv("HOME"));
    if (rc) {
        snprintf(why, cap,
                 "the data folder's path is too long for a socket in it, and so is that of "
                 "$XDG_STATE_HOME or $HOME; choose a data folder of at most %d letters",
                 (int)(CLUSTER_FOLDER_MAX - strlen("/postgres")));
        return rc;
    }
    p->moved = true;
    p->made = lstat(p->folder, &st) == 0; /* made, but not written down: we were killed between */
    rd_str_copy(base, sizeof(base),
                (struct rd_str){p->folder, (size_t)(strrchr(p->folder, '/') - p->folder)});
    rc = make_folders(base, geteuid() == 0 ? 0711 : 0700);
    if (!rc && stat(base, &st) == 0 && (st.st_uid != geteuid() || (st.st_mode & 022) != 0))
        rc = -EPERM; /* whoever owns it could put his own server there */
    if (rc)
        snprintf(why, cap,
                 "cannot keep the database in %s: %s; the folder must be this user's, and "
                 "nobody else may write to it",
                 base, rd_strerror(rc));
    return rc ? rc : p->made ? owned(p, why, cap) : 0;
}
