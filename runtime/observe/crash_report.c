/* SPDX-License-Identifier: Apache-2.0 */
/* crash_report.c - reads notes of crashes, line by line; what it does not know or believe it leaves out.
 *
 *   crash-TIME-PID ─▶ log, alarm ─▶ crash-TIME-PID-told ─▶ Sentry, if there is one ─▶ gone
 *
 * A note that Sentry does not take for days is told here once: no start after that raises the alarm again.
 *
 * Failure modes: a note that is cut (the handler crashed or hung, the disk was full) is told as far as it
 * goes; a file that is none, too long, a link or a pipe is not read, and deleted with its name in the log,
 * so that nothing is looked at for ever. */
#include "observe/crash_report.h"

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NOTE_MAX = 16 * 1024, FILES_MAX = 256, FRAMES_SHOWN = 8 };

static const struct {
    int number;
    const char *name;
} known[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},
    {SIGFPE, "SIGFPE"},   {SIGILL, "SIGILL"},
};

const char *crash_signal_name(int number)
{
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i].number == number)
            return known[i].name;
    return "signal";
}

/* --- the folder --- */

/* crash-SECONDS-PID, both of the same length as long as anybody of us lives: the order of the names is that
 * of the time. */
static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static const char told[] = "-told";

static bool is_told(const char *path)
{
    size_t n = strlen(path), k = strlen(told);

    return n > k && strcmp(path + n - k, told) == 0;
}

static int is_note(const struct dirent *d)
{
    const char *rest = d->d_name + strlen(CRASH_PREFIX);
    size_t n;

    if (strncmp(d->d_name, CRASH_PREFIX, strlen(CRASH_PREFIX)) != 0)
        return 0;
    n = strspn(rest, "0123456789-");
    return !rest[n] || (n > 0 && strcmp(rest + n - 1, told) == 0);
}

size_t crash_reports(const char *folder, char paths[CRASH_REPORTS][PATH_MAX])
{
    struct dirent **list = NULL;
    int all = scandir(folder, &list, is_note, by_name);
    size_t n = 0;

    for (int i = 0; i < all; i++) {
        char path[PATH_MAX];

        if (snprintf(path, sizeof(path), "%s/%s", folder, list[i]->d_name) < (int)sizeof(path)) {
            if (i < all - CRASH_REPORTS)
                (void)unlink(path);
            else
                (void)rd_str_copy(paths[n++], PATH_MAX, rd_str(path));
        }
        free(list[i]);
    }
    free(list);
    return n;
}

/* --- a note --- */

static int read_file(char text[NOTE_MAX], const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    ssize_t n;
    int rc = 0;

    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) || !S_ISREG(st.st_mode))
        rc = RD_EPROTO;
    else if (st.st_size >= NOTE_MAX)
        rc = RD_ETOOBIG;
    n = rc ? 0 : read(fd, text, NOTE_MAX - 1);
    (void)close(fd);
    if (n < 0)
        return -errno;
    text[n] = '\0';
    return !rc && strlen(text) != (size_t)n ? RD_EPROTO : rc;
}

static bool number(const char *text, int base, uint64_t *out)
{
    static const char digits[] = "0123456789abcdef";
    char *end;

    if (!text || !*text || !memchr(digits, *text, (size_t)base))
        return false;
    errno = 0;
    *out = strtoull(text, &end, base);
    return !errno && !*end;
}

/* A name goes into logs and elsewhere: printable ASCII, and short. */
static void name(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (; text && *text && n + 1 < cap; text++)
        out[n++] = *text >= ' ' && *text <= '~' ? *text : '?';
    out[n] = '\0';
}

static void read_frame(struct crash_report *r, char *rest)
{
    struct crash_frame *f = &r->frames[r->n_frames];
    const char *address = strsep(&rest, " "), *offset = strsep(&rest, " ");
    const char *module = strsep(&rest, " "), *build = strsep(&rest, " ");

    if (r->n_frames == CRASH_FRAMES || !number(address, 16, &f->address) ||
        !number(offset, 16, &f->offset) || !module || !build)
        return;
    name(f->module, sizeof(f->module), module);
    name(f->build, sizeof(f->build), build);
    if (f->build[strspn(f->build, "0123456789abcdef")])
        *f->build = '\0'; /* "-": it has none */
    *f->function = '\0';
    /* All but the first are where a call returns to: behind it. */
    (void)crash_symbol(f->function, sizeof(f->function), f->module, f->build,
                       (uintptr_t)(f->offset - (r->n_frames > 0 && f->offset > 0)));
    r->n_frames++;
}

static void read_line(struct crash_report *r, char *line)
{
    char *rest = line;
    const char *key = strsep(&rest, " ");
    uint64_t v;

    if (strcmp(key, "end") == 0)
        r->whole = true;
    else if (!rest)
        return;
    else if (strcmp(key, "frame") == 0)
        read_frame(r, rest);
    else if (strcmp(key, "thread") == 0)
        name(r->thread, sizeof(r->thread), rest);
    else if (strcmp(key, "node") == 0)
        name(r->node, sizeof(r->node), rest);
    else if (strcmp(key, "release") == 0)
        name(r->release, sizeof(r->release), rest);
    else if (strcmp(key, "address") == 0)
        (void)number(rest, 16, &r->address);
    else if (strcmp(key, "time") == 0 && number(rest, 10, &v) && v < INT32_MAX * UINT64_C(8))
        r->unix_s = (int64_t)v;
    else if (strcmp(key, "signal") == 0) {
        const char *which = strsep(&rest, " ");

        r->signal = number(which, 10, &v) && v < 128 ? (int)v : 0;
        r->sent = rest && strcmp(rest, "0") == 0;
    }
}

int crash_report_read(struct crash_report *out, const char *path)
{
    char text[NOTE_MAX], *rest = text, *line;
    int rc = read_file(text, path);

    if (rc)
        return rc;
    *out = (struct crash_report){.signal = 0};
    (void)rd_str_copy(out->path, sizeof(out->path), rd_str(path));
    line = strsep(&rest, "\n");
    if (strcmp(line, "ringdown crash 1") != 0)
        return RD_EPROTO;
    while ((line = strsep(&rest, "\n")))
        read_line(out, line);
    return out->signal ? 0 : RD_EPROTO;
}

void crash_frame_name(const struct crash_frame *f, char *out, size_t cap)
{
    if (*f->function)
        (void)snprintf(out, cap, "%s", f->function);
    else
        (void)snprintf(out, cap, "%s+0x%" PRIx64, f->module, f->offset);
}

/* --- telling --- */

/* "turn_interrupt < call_feed < ringdown+0x1b3c4 < …" */
static void way_there(const struct crash_report *r, char *out, size_t cap)
{
    size_t n = 0;

    *out = '\0';
    for (size_t i = 0; i < r->n_frames && i < FRAMES_SHOWN && n < cap; i++) {
        char one[160];
        int k;

        crash_frame_name(&r->frames[i], one, sizeof(one));
        k = snprintf(out + n, cap - n, "%s%s", i ? " < " : "", one);
        n += k > 0 ? (size_t)k : 0;
    }
}

static void tell(const struct crash_report *r)
{
    char way[512], text[ALARM_TEXT], at[160] = "an unknown place";

    way_there(r, way, sizeof(way));
    if (r->n_frames > 0)
        crash_frame_name(&r->frames[0], at, sizeof(at));
    log_error("process.crashed", F_STR("signal", crash_signal_name(r->signal)),
              F_STR("thread", r->thread), F_STR("at", at), F_STR("way", way),
              F_STR("build", r->n_frames ? r->frames[0].build : ""), F_STR("of", r->release),
              F_INT("unix_s", r->unix_s), F_FIX(catalogue_fix("process.", "crashed")));
    (void)snprintf(
        text, sizeof(text), "the process before this one died of %s%s in thread %s, at %s",
        crash_signal_name(r->signal), r->sent ? " that somebody sent" : "", r->thread, at);
    alarm_raise(ALARM_CRITICAL, "process.crashed", NULL, text,
                catalogue_fix("process.", "crashed"));
}

/* Where that fails it is told again: rather twice than never. */
static void mark_told(const char *path)
{
    char to[PATH_MAX];

    if (snprintf(to, sizeof(to), "%s%s", path, told) < (int)sizeof(to))
        (void)rename(path, to);
}

bool crash_reports_tell(const char *folder)
{
    char paths[CRASH_REPORTS][PATH_MAX];
    size_t n = crash_reports(folder, paths);
    struct crash_report *r = n ? malloc(sizeof(*r)) : NULL;

    for (size_t i = 0; r && i < n; i++) {
        int rc;

        if (is_told(paths[i]))
            continue;
        rc = crash_report_read(r, paths[i]);
        if (!rc) {
            tell(r);
            mark_told(paths[i]);
            continue;
        }
        log_warn("process.no_report", F_STR("file", paths[i]), F_ERR(rc),
                 F_FIX(catalogue_fix("process.", "no_report")));
        (void)unlink(paths[i]);
    }
    free(r);
    return n > 0;
}
