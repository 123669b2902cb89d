/* SPDX-License-Identifier: Apache-2.0 */
/* api_kept.c - small files of our own below <data>/kept, which must be there also when the database is
 * not: an override, the snapshot of a number.
 *
 *   host.keep() ─▶ a helper thread: folders, <name>.new, fsync, rename, fsync of the folder ─▶ goes on
 *
 * A crash leaves the old one or the new one, whole. Only the owner can read them. Reading is at once:
 * they are small.
 *
 * Failure: a name that leaves the folder raises; a full or broken disk is nil and why. Links are not
 * followed. */
#include "agent/activity.h"
#include "agent/api/api.h"
#include "base/err.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_MAX = 16 << 20, NAME_BYTES = 200, DEPTH_MAX = 4, NAMES_MAX = 20000 };

static const char *folder_of(lua_State *L)
{
    const struct activity *a = vm_user(vm_of(L));
    const char *folder = a->thread->pool->opts.kept_path;

    if (!folder)
        luaL_error(L, "there is no data folder to keep files in");
    return folder;
}

/* "snapshots/+13125550100.json": no part begins with a dot, so none is "..". */
static bool is_name(const char *name, bool is_prefix)
{
    char before = '/';
    int depth = 0;

    for (const char *p = name; *p; before = *p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("_-+", *p);

        if (!plain && (before == '/' || (*p != '.' && *p != '/')))
            return false;
        depth += *p == '/';
    }
    return strlen(name) <= NAME_BYTES && depth <= DEPTH_MAX && (is_prefix || before != '/');
}

static const char *check_name(lua_State *L, bool is_prefix)
{
    size_t n;
    const char *name = luaL_checklstring(L, 1, &n);

    luaL_argcheck(L, strlen(name) == n && is_name(name, is_prefix), 1,
                  "a short path of letters, digits and _ - + . below the folder");
    return name;
}

/* --- writing: on a helper thread --- */

struct keeping {
    struct task *task; /* borrows; NULL: nobody waits any more */
    char *path;        /* owns, as the following; "<folder>/<name>" */
    char *text;        /* NULL: the file goes */
    size_t n, n_folder;
    int rc;
};

static void keeping_free(struct keeping *k)
{
    free(k->path);
    free(k->text);
    free(k);
}

static int make_folders(const struct keeping *k)
{
    for (char *p = k->path + k->n_folder; p; p = strchr(p + 1, '/')) {
        int rc;

        *p = '\0';
        rc = mkdir(k->path, 0700) && errno != EEXIST ? -errno : 0;
        *p = '/';
        if (rc)
            return rc;
    }
    return 0;
}

static int sync_folder(const struct keeping *k)
{
    char *end = strrchr(k->path, '/');
    int fd, rc;

    *end = '\0';
    fd = open(k->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *end = '/';
    if (fd < 0)
        return -errno;
    rc = fsync(fd) ? -errno : 0;
    (void)close(fd);
    return rc;
}

static int write_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t w = write(fd, p, n);

        if (w < 0 && errno == EINTR)
            continue;
        if (w < 0)
            return -errno;
        p += w;
        n -= (size_t)w;
    }
    return fsync(fd) ? -errno : 0;
}

static int write_file(const struct keeping *k)
{
    char beside[PATH_MAX];
    int fd, rc = make_folders(k);

    if (rc)
        return rc;
    if (snprintf(beside, sizeof(beside), "%s.new-XXXXXX", k->path) >= (int)sizeof(beside))
        return -ENAMETOOLONG;
    fd = mkostemp(beside, O_CLOEXEC); /* 0600 */
    if (fd < 0)
        return -errno;
    rc = write_all(fd, k->text, k->n);
    if (close(fd) && !rc)
        rc = -errno;
    if (!rc && rename(beside, k->path))
        rc = -errno;
    if (rc)
        (void)unlink(beside);
    return rc ? rc : sync_folder(k);
}

static int remove_file(const struct keeping *k)
{
    if (unlink(k->path))
        return errno == ENOENT ? 0 : -errno;
    return sync_folder(k);
}

static void work(void *arg)
{
    struct keeping *k = arg;

    k->rc = k->text ? write_file(k) : remove_file(k);
}

static void done(void *arg)
{
    struct keeping *k = arg;
    struct task *t = k->task;
    int n = 1, rc = k->rc;

    keeping_free(k);
    if (!t)
        return;
    if (rc) {
        n = 2;
        lua_pushnil(task_lua(t));
        lua_pushstring(task_lua(t), rd_strerror(rc));
    } else {
        lua_pushboolean(task_lua(t), 1);
    }
    task_resume(t, n);
}

static void let_it_write(void *arg)
{
    ((struct keeping *)arg)->task = NULL;
}

static struct keeping *keeping_new(const char *folder, const char *name, struct rd_str text)
{
    struct keeping *k = calloc(1, sizeof(*k));

    if (!k)
        return NULL;
    k->n_folder = strlen(folder);
    k->n = text.n;
    if (asprintf(&k->path, "%s/%s", folder, name) < 0)
        k->path = NULL;
    if (text.p)
        k->text = malloc(text.n + 1);
    if (!k->path || (text.p && !k->text)) {
        keeping_free(k);
        return NULL;
    }
    if (text.p)
        memcpy(k->text, text.p, text.n);
    return k;
}

/* host.keep(name:string, text:string|nil) -> true | nil, message: nil removes it      (waits) */
static int host_keep(lua_State *L)
{
    struct task *t = task_check_wait(L);
    const struct activity *a = vm_user(vm_of(L));
    const char *folder = folder_of(L), *name = check_name(L, false);
    struct rd_str text;
    struct keeping *k;

    text.p = luaL_optlstring(L, 2, NULL, &text.n);
    luaL_argcheck(L, !text.p || text.n <= KEPT_MAX, 2, "longer than 16 MiB");
    k = keeping_new(folder, name, text);
    if (!k)
        return luaL_error(L, "not enough memory");
    k->task = t;
    if (loop_work(a->thread->loop, work, done, k)) {
        keeping_free(k);
        return luaL_error(L, "not enough memory");
    }
    return task_wait(L, let_it_write, k);
}

/* --- reading --- */

/* A regular file of ours, open for reading; -errno. */
static int open_kept(const char *folder, const char *name, size_t *n)
{
    char path[PATH_MAX];
    struct stat st;
    int fd;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= (int)sizeof(path))
        return -ENAMETOOLONG;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_size > KEPT_MAX) {
        (void)close(fd);
        return RD_ETOOBIG;
    }
    *n = (size_t)st.st_size;
    return fd;
}

/* host.kept(name:string) -> text | nil, message: nil alone when there is none */
static int host_kept(lua_State *L)
{
    const char *folder = folder_of(L), *name = check_name(L, false);
    ssize_t got = -1;
    size_t n = 0, room = 0;
    char *bytes;
    int fd = open_kept(folder, name, &room);

    if (fd == -ENOENT)
        return 0;
    if (fd >= 0) { /* only its size was wanted: making room may raise */
        (void)close(fd);
        bytes = lua_newuserdatauv(L, room + 1, 0);
        fd = open_kept(folder, name, &n);
        got = fd >= 0 && n <= room ? read(fd, bytes, n) : -1;
    }
    if (fd >= 0)
        (void)close(fd);
    if (got < 0) {
        lua_pushnil(L);
        lua_pushstring(L, rd_strerror(fd < 0 ? fd : -EAGAIN));
        return 2;
    }
    lua_pushlstring(L, bytes, (size_t)got);
    return 1;
}

static int is_shown(const struct dirent *d)
{
    return d->d_name[0] != '.' && !strstr(d->d_name, ".new-");
}

struct listed {
    struct dirent **files;
    int n;
};

/* Called through lua_pcall. */
static int push_names(lua_State *L)
{
    const struct listed *l = lua_touserdata(L, 1);
    const char *folder = lua_tostring(L, 2), *start = lua_tostring(L, 3);
    size_t n_start = strlen(start);
    lua_Integer at = 0;

    lua_newtable(L);
    for (int i = 0; i < l->n && at < NAMES_MAX; i++) {
        if (l->files[i]->d_type == DT_DIR || strncmp(l->files[i]->d_name, start, n_start) != 0)
            continue;
        lua_pushfstring(L, "%s%s", folder, l->files[i]->d_name);
        lua_rawseti(L, -2, ++at);
    }
    return 1;
}

/* host.kept_names(prefix:string) -> sorted list of names: "snapshots/" has those below it */
static int host_kept_names(lua_State *L)
{
    const char *root = folder_of(L), *prefix = check_name(L, true);
    const char *slash = strrchr(prefix, '/'), *start = slash ? slash + 1 : prefix;
    struct listed l = {0};
    char path[PATH_MAX];
    int status;

    if (snprintf(path, sizeof(path), "%s/%.*s", root, (int)(start - prefix), prefix) <
        (int)sizeof(path))
        l.n = scandir(path, &l.files, is_shown, alphasort);
    lua_pushcfunction(L, push_names);
    lua_pushlightuserdata(L, &l);
    lua_pushlstring(L, prefix, (size_t)(start - prefix));
    lua_pushstring(L, start);
    status = lua_pcall(L, 3, 1, 0);
    for (int i = 0; i < l.n; i++)
        free(l.files[i]);
    free(l.files);
    return status == LUA_OK ? 1 : lua_error(L);
}

void api_kept_register(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"keep", host_keep}, {"kept", host_kept}, {"kept_names", host_kept_names}, {NULL, NULL}};

    luaL_setfuncs(L, functions, 0);
}
