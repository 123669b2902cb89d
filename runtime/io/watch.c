/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - one inotify watch per folder, and a breath before anybody is told.
 *
 *   event ─▶ 100 ms of quiet ─▶ changed()          events that never end ─▶ after 1 s all the same
 *
 * - folders are watched and not files: most editors write a new file and rename it over the old one,
 *   and a watch on that would follow the old one into oblivion
 * - what kind of event it was does not matter, and which file neither
 *
 * Failure modes: a folder that cannot be watched (too many watches, a network file system, gone) is
 * passed over; whoever must not miss a change looks by himself now and then. */
#include "io/watch.h"

#include "io/loop_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { QUIET_MS = 100, MOST_MS = 1000 };

/* Freed by libuv's close callback. */
struct folder {
    uv_fs_event_t handle; /* first */
    struct watch *watch;  /* borrows; NULL once it is not wanted any more */
    char *path;           /* owns */
    struct folder *next;
    dev_t device; /* which folder it was: another of that name is watched anew */
    ino_t inode;
    bool wanted;
    bool stale; /* something happened to the folder itself: gone, perhaps, and its inode reused */
};

struct watch {
    struct loop *loop; /* borrows */
    struct watch_opts o;
    struct folder *folders;  /* owns */
    struct loop_timer *wait; /* owns */
    uint64_t since_ms;       /* when this stir began; 0: it is quiet */
};

static void on_quiet(void *arg)
{
    struct watch *w = arg;

    w->since_ms = 0;
    w->o.changed(w->o.arg);
}

static const char *last_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void on_event(uv_fs_event_t *h, const char *name, int events, int status)
{
    struct folder *f = (struct folder *)h; /* its first member */
    struct watch *w = f->watch;
    uint64_t now, until;

    (void)events;
    if (!w)
        return;
    if (status || !name || strcmp(name, last_name(f->path)) == 0) /* libuv's name for "itself" */
        f->stale = true;
    loop_woke(w->loop);
    now = loop_now_ms(w->loop);
    if (!w->since_ms)
        w->since_ms = now ? now : 1;
    until = now + w->o.quiet_ms;
    if (until > w->since_ms + w->o.most_ms)
        until = w->since_ms + w->o.most_ms;
    loop_timer_at(w->wait, until);
}

static void free_folder(uv_handle_t *h)
{
    struct folder *f = (struct folder *)h; /* its first member */

    free(f->path);
    free(f);
}

static void drop(struct folder *f)
{
    f->watch = NULL;
    uv_close((uv_handle_t *)&f->handle, free_folder);
}

int watch_new(struct watch **out, struct loop *l, const struct watch_opts *o)
{
    struct watch *w = calloc(1, sizeof(*w));
    int rc;

    if (!w)
        return -ENOMEM;
    w->loop = l;
    w->o = *o;
    w->o.quiet_ms = o->quiet_ms ? o->quiet_ms : QUIET_MS;
    w->o.most_ms = o->most_ms ? o->most_ms : MOST_MS;
    rc = loop_timer_new(&w->wait, l, on_quiet, w);
    if (rc) {
        free(w);
        return rc;
    }
    *out = w;
    return 0;
}

void watch_free(struct watch *w)
{
    if (!w)
        return;
    while (w->folders) {
        struct folder *f = w->folders;

        w->folders = f->next;
        drop(f);
    }
    loop_timer_free(w->wait);
    free(w);
}

static struct folder *find(struct watch *w, const char *path, const struct stat *st)
{
    struct folder *f = w->folders;

    while (f && (f->stale || strcmp(f->path, path) != 0 || f->inode != st->st_ino ||
                 f->device != st->st_dev))
        f = f->next;
    return f;
}

/* 0 also when it cannot be watched. */
static int add(struct watch *w, const char *path, const struct stat *st)
{
    struct folder *f = calloc(1, sizeof(*f));

    if (!f)
        return -ENOMEM;
    f->path = strdup(path);
    if (!f->path || uv_fs_event_init(loop_uv(w->loop), &f->handle)) {
        free(f->path);
        free(f);
        return -ENOMEM;
    }
    f->watch = w;
    f->wanted = true;
    f->device = st->st_dev;
    f->inode = st->st_ino;
    if (uv_fs_event_start(&f->handle, on_event, path, 0)) {
        drop(f);
        return 0;
    }
    f->next = w->folders;
    w->folders = f;
    return 0;
}

int watch_folders(struct watch *w, const char *const *folders)
{
    int n = 0, rc = 0;

    for (struct folder *f = w->folders; f; f = f->next)
        f->wanted = false;
    for (; !rc && *folders; folders++) {
        struct stat st;
        struct folder *f;

        if (stat(*folders, &st) != 0)
            continue;
        f = find(w, *folders, &st);
        if (f)
            f->wanted = true;
        else
            rc = add(w, *folders, &st);
    }
    for (struct folder **at = &w->folders; *at;) {
        struct folder *f = *at;

        if (f->wanted) {
            n++;
            at = &f->next;
        } else {
            *at = f->next;
            drop(f);
        }
    }
    return rc ? rc : n;
}
