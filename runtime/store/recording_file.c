/* SPDX-License-Identifier: Apache-2.0 */
/* recording_file.c - a recording is written under the name .part and gets its own when its header is
 * true, so that whatever ends in .wav can be played.
 *
 * - create: folders, an empty header, the sound follows.
 * - finish: header with sizes, fdatasync, rename, fsync of the folder.
 * - scan: after a crash, .part files get the header their size says, and their name.
 *
 * Failure modes: each is an errno to the caller. Paths come back from records and from people, so
 * remove takes only the one shape it makes itself and opens each folder without following links. */
#include "store/recording_file.h"

#include "base/err.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#define FOLDER "recordings"

enum { WAVE_FORMAT_MULAW = 7, FULL_PATH = 4096, DEPTH = 4 };

/* --- the header --- */

static uint8_t *put(uint8_t *p, uint64_t v, int bytes)
{
    for (int i = 0; i < bytes; i++)
        *p++ = (uint8_t)(v >> (8 * i));
    return p;
}

static uint8_t *put_tag(uint8_t *p, const char *tag)
{
    memcpy(p, tag, 4);
    return p + 4;
}

void recording_header(uint8_t out[RECORDING_HEADER], uint64_t sound_bytes)
{
    uint8_t *p = put_tag(out, "RIFF");

    p = put(p, sound_bytes + RECORDING_HEADER - 8, 4);
    p = put_tag(put_tag(p, "WAVE"), "fmt ");
    p = put(p, 18, 4); /* of this chunk: anything but PCM carries a size of extras, here none */
    p = put(p, WAVE_FORMAT_MULAW, 2);
    p = put(p, 2, 2);
    p = put(p, 8000, 4);
    p = put(p, 16000, 4);
    p = put(p, 2, 2);
    p = put(p, 8, 2);
    p = put(p, 0, 2);
    p = put_tag(p, "fact");
    p = put(p, 4, 4);
    p = put(p, sound_bytes / 2, 4);
    p = put_tag(p, "data");
    (void)put(p, sound_bytes, 4);
}

/* --- names --- */

int recording_path(char *out, size_t cap, const char *sid, uint64_t epoch_us)
{
    time_t seconds = (time_t)(epoch_us / 1000000);
    char day[16], clean[RECORDING_SID];
    size_t n = 0;
    struct tm tm;

    for (; *sid && n < sizeof(clean) - 1; sid++)
        if (isalnum((unsigned char)*sid))
            clean[n++] = *sid;
    clean[n] = '\0';
    gmtime_r(&seconds, &tm);
    strftime(day, sizeof(day), "%Y/%m/%d", &tm);
    n = (size_t)snprintf(out, cap, FOLDER "/%s/%s-%" PRIu64 ".wav", day, n ? clean : "call",
                         epoch_us);
    return n < cap ? 0 : RD_ETOOBIG;
}

/* '0' stands for a digit, everything else for itself. */
static bool matches(const char *p, const char *shape)
{
    for (; *shape; shape++, p++)
        if (*shape == '0' ? !isdigit((unsigned char)*p) : *p != *shape)
            return false;
    return true;
}

bool recording_path_ok(const char *path)
{
    static const char shape[] = FOLDER "/0000/00/00/";
    const char *p = path + sizeof(shape) - 1, *name = p;

    if (strlen(path) >= RECORDING_PATH || !matches(path, shape))
        return false;
    while (isalnum((unsigned char)*p))
        p++;
    if (p == name || *p++ != '-' || !isdigit((unsigned char)*p))
        return false;
    p += strspn(p, "0123456789");
    return strcmp(p, ".wav") == 0;
}

static int full_path(char *out, const char *data, const char *path, const char *tail)
{
    return snprintf(out, FULL_PATH, "%s/%s%s", data, path, tail) < FULL_PATH ? 0 : RD_ETOOBIG;
}

/* --- writing --- */

static int make_folders(const char *data, const char *path)
{
    char full[FULL_PATH];
    int rc = full_path(full, data, path, "");

    for (char *p = full + strlen(data) + 1; !rc && (p = strchr(p, '/')); p++) {
        *p = '\0';
        if (mkdir(full, 0700) && errno != EEXIST)
            rc = -errno;
        *p = '/';
    }
    return rc;
}

static int write_header(int fd, uint64_t sound_bytes)
{
    uint8_t header[RECORDING_HEADER];
    ssize_t n;

    recording_header(header, sound_bytes);
    n = pwrite(fd, header, sizeof(header), 0);
    if (n < 0)
        return -errno;
    return n == (ssize_t)sizeof(header) ? 0 : -ENOSPC;
}

int recording_create(int *fd, const char *data, const char *path)
{
    char full[FULL_PATH];
    int rc = full_path(full, data, path, ".part");

    if (!rc)
        rc = make_folders(data, path);
    if (rc)
        return rc;
    *fd = open(full, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (*fd < 0)
        return -errno;
    rc = write_header(*fd, 0);
    if (!rc && lseek(*fd, RECORDING_HEADER, SEEK_SET) < 0)
        rc = -errno;
    if (rc) {
        close(*fd);
        (void)unlink(full);
    }
    return rc;
}

/* A new name is on the disk only when its folder is. */
static int sync_folder(const char *full)
{
    char folder[FULL_PATH];
    char *slash;
    int fd, rc;

    (void)snprintf(folder, sizeof(folder), "%s", full);
    slash = strrchr(folder, '/');
    *slash = '\0';
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    rc = fsync(fd) ? -errno : 0;
    close(fd);
    return rc;
}

int recording_finish(int fd, const char *data, const char *path, uint64_t sound_bytes)
{
    char part[FULL_PATH], full[FULL_PATH];
    int rc = full_path(part, data, path, ".part");

    if (!rc)
        rc = full_path(full, data, path, "");
    if (!rc)
        rc = write_header(fd, sound_bytes);
    if (!rc && fdatasync(fd))
        rc = -errno;
    close(fd);
    if (!rc && rename(part, full))
        rc = -errno;
    return rc ? rc : sync_folder(full);
}

/* --- removing --- */

/* The folder that holds the file, each step without following a link. */
static int open_folder(const char *data, const char *path)
{
    char step[RECORDING_PATH];
    int fd = open(data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    for (const char *p = path, *slash; fd >= 0 && (slash = strchr(p, '/')); p = slash + 1) {
        int next;

        (void)snprintf(step, sizeof(step), "%.*s", (int)(slash - p), p);
        next = openat(fd, step, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
    }
    return fd < 0 ? -errno : fd;
}

int recording_open(const char *data, const char *path, uint64_t *bytes)
{
    int folder, fd, rc;
    struct stat st = {0};

    if (!recording_path_ok(path))
        return RD_EREFUSED;
    folder = open_folder(data, path);
    if (folder < 0)
        return folder;
    fd = openat(folder, strrchr(path, '/') + 1, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    rc = fd < 0 ? -errno : fstat(fd, &st) ? -errno : !S_ISREG(st.st_mode) ? RD_EREFUSED : 0;
    close(folder);
    if (rc) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    *bytes = (uint64_t)st.st_size;
    return fd;
}

static int remove_at(int folder, const char *name, uint64_t *bytes)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW))
        return -errno;
    if (!S_ISREG(st.st_mode))
        return RD_EREFUSED;
    if (unlinkat(folder, name, 0))
        return -errno;
    *bytes = (uint64_t)st.st_size;
    return 0;
}

static void remove_empty_folder(const char *data, const char *path)
{
    char full[FULL_PATH];

    if (full_path(full, data, path, ""))
        return;
    *strrchr(full, '/') = '\0';
    (void)rmdir(full); /* fails as long as something is in it */
}

int recording_remove(const char *data, const char *path, uint64_t *bytes)
{
    char part[RECORDING_PATH + 8];
    const char *name = strrchr(path, '/');
    int folder, rc;

    *bytes = 0;
    if (!recording_path_ok(path) || !name)
        return RD_EREFUSED;
    folder = open_folder(data, path);
    if (folder < 0)
        return folder;
    rc = remove_at(folder, name + 1, bytes);
    if (rc == -ENOENT) {
        (void)snprintf(part, sizeof(part), "%s.part", name + 1);
        rc = remove_at(folder, part, bytes);
    }
    close(folder);
    if (!rc)
        remove_empty_folder(data, path);
    return rc;
}

/* --- what is there --- */

/* True when the file has its name now. */
static bool mend(const char *data, const char *path, uint64_t file_bytes)
{
    uint64_t sound = file_bytes > RECORDING_HEADER ? (file_bytes - RECORDING_HEADER) & ~1ULL : 0;
    char part[FULL_PATH];
    int fd;

    if (full_path(part, data, path, ".part"))
        return false;
    if (sound == 0)
        return unlink(part) == 0;
    fd = open(part, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (ftruncate(fd, (off_t)(RECORDING_HEADER + sound))) {
        close(fd);
        return false;
    }
    return recording_finish(fd, data, path, sound) == 0;
}

struct scan {
    const char *data;
    recording_found_fn *fn;
    void *arg;
};

static void found(const FTSENT *e, void *arg)
{
    const struct scan *s = arg;
    struct recording_found f = {.bytes = (uint64_t)e->fts_statp->st_size};
    char path[RECORDING_PATH];
    size_t n = (size_t)snprintf(path, sizeof(path), "%s", e->fts_path + strlen(s->data) + 1);

    if (n >= sizeof(path))
        return;
    if (n > 5 && strcmp(path + n - 5, ".part") == 0) {
        path[n - 5] = '\0';
        f.mended = true;
    }
    if (!recording_path_ok(path) || (f.mended && !mend(s->data, path, f.bytes)))
        return;
    if (f.mended && f.bytes <= RECORDING_HEADER + 1)
        f.bytes = 0;
    f.path = path;
    s->fn(s->arg, &f);
}

static void add_bytes(const FTSENT *e, void *arg)
{
    *(uint64_t *)arg += (uint64_t)e->fts_statp->st_size;
}

static void each_file(const char *data, void (*visit)(const FTSENT *e, void *arg), void *arg)
{
    char root[FULL_PATH];
    char *const roots[] = {root, NULL};
    FTSENT *e;
    FTS *fts;

    if (full_path(root, data, FOLDER, ""))
        return;
    fts = fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR | FTS_XDEV, NULL);
    if (!fts)
        return;
    while ((e = fts_read(fts)))
        if (e->fts_info == FTS_F && e->fts_level == DEPTH)
            visit(e, arg);
    (void)fts_close(fts);
}

void recording_scan(const char *data, recording_found_fn *fn, void *arg)
{
    struct scan s = {.data = data, .fn = fn, .arg = arg};

    each_file(data, found, &s);
}

uint64_t recording_bytes(const char *data)
{
    uint64_t bytes = 0;

    each_file(data, add_bytes, &bytes);
    return bytes;
}

uint64_t recording_disk_free(const char *data)
{
    struct statvfs v;

    return statvfs(data, &v) ? UINT64_MAX : (uint64_t)v.f_bavail * v.f_frsize;
}
