/* SPDX-License-Identifier: Apache-2.0 */
/* shown_process.c - what the kernel knows of this process, under the names that all Prometheus clients use;
 * and what malloc knows.
 *
 * Failure: /proc is not there or is not understood: the number is left out, the scrape goes on. */
#include "observe/shown.h"

#include "base/now.h"

#include <dirent.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { STAT_MAX = 1024, HUNDREDTHS = 100 };

/* Of /proc/self/stat, by their number in proc(5). */
enum {
    STAT_FIRST_BEHIND_NAME = 3,
    STAT_THREADS = 20,
    STAT_STARTED = 22,
    STAT_VSIZE = 23,
    STAT_RSS = 24
};

/* The name may hold spaces and brackets: fields are counted from behind its last bracket. */
static bool read_stat(int field, uint64_t *out)
{
    FILE *f = fopen("/proc/self/stat", "re");
    char text[STAT_MAX], *at = NULL;

    if (!f)
        return false;
    if (fgets(text, sizeof(text), f))
        at = strrchr(text, ')');
    (void)fclose(f);
    for (int i = STAT_FIRST_BEHIND_NAME; at && i <= field; i++)
        at = strchr(at + 1, ' ');
    if (!at)
        return false;
    *out = strtoull(at + 1, NULL, 10);
    return true;
}

static int stat_line(struct buf *out, const struct metric_shown *m, int field, uint64_t unit)
{
    uint64_t n;

    return read_stat(field, &n) ? shown_line(out, m->name, "", n * unit, m->scale) : 0;
}

int shown_cpu(struct buf *out, const struct metric_shown *m)
{
    struct timespec t;

    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        return 0;
    return shown_line(out, m->name, "", (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000,
                      m->scale);
}

int shown_resident(struct buf *out, const struct metric_shown *m)
{
    return stat_line(out, m, STAT_RSS, (uint64_t)sysconf(_SC_PAGESIZE));
}

/* Looks through what is free, each arena locked meanwhile: microseconds, and only when somebody asks. */
int shown_heap(struct buf *out, const struct metric_shown *m)
{
    struct mallinfo2 info = mallinfo2();

    return shown_line(out, m->name, "", info.uordblks + info.hblkhd, m->scale);
}

int shown_virtual(struct buf *out, const struct metric_shown *m)
{
    return stat_line(out, m, STAT_VSIZE, 1);
}

int shown_threads(struct buf *out, const struct metric_shown *m)
{
    return stat_line(out, m, STAT_THREADS, 1);
}

/* Once: the calendar may jump, and a start that moves looks like a restart. */
int shown_started(struct buf *out, const struct metric_shown *m)
{
    static uint64_t started;
    struct timespec up;
    uint64_t ticks, age;

    if (!started) {
        if (!read_stat(STAT_STARTED, &ticks) || clock_gettime(CLOCK_BOOTTIME, &up) != 0)
            return 0;
        age = (uint64_t)up.tv_sec * HUNDREDTHS + (uint64_t)up.tv_nsec / 10000000 -
              ticks * HUNDREDTHS / (uint64_t)sysconf(_SC_CLK_TCK);
        started = unix_us() / 10000 - age;
    }
    return shown_line(out, m->name, "", started, m->scale);
}

int shown_open_files(struct buf *out, const struct metric_shown *m)
{
    DIR *d = opendir("/proc/self/fd");
    uint64_t n = 0;

    if (!d)
        return 0;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return shown_line(out, m->name, "", n > 3 ? n - 3 : 0,
                      1); /* ".", "..", and the folder itself */
}

int shown_max_files(struct buf *out, const struct metric_shown *m)
{
    struct rlimit l;

    return getrlimit(RLIMIT_NOFILE, &l) == 0 ? shown_line(out, m->name, "", l.rlim_cur, 1) : 0;
}
