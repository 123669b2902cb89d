/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_server.c - the running server of a private cluster: found, started, stopped.
 *
 *   postmaster.pid names a process that is really it   wait until it answers: adopted
 *   nobody, or a pid that somebody else has by now     start it, wait until it answers
 *   it is shutting down                                wait for that, then start it
 *   it ends while we wait                              the last lines of its log are the reason
 *
 * As root we look into a folder that belongs to another user: files are opened without following
 * links, and a process is signalled only if it is that user's, called postgres, and works in that
 * folder (PostgreSQL makes its data folder its working folder). */
#include "base/err.h"
#include "base/now.h"
#include "store/cluster_private.h"
#include "store/pg.h"
#include "store/program.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    START_MS = 60000,
    PAST_MS = 10000, /* how long what is left of a killed server may be in the way */
    STOP_MS = 30000, /* with a last checkpoint */
    QUIT_MS = 10000, /* without */
    LOOK_MS = 50,
    LOG_MAX = 4 << 20,
    LOG_SHOWN = 2048
};

static const char log_name[] = "server.log";

void cluster_nap(uint32_t ms)
{
    struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000L};

    (void)nanosleep(&t, NULL);
}

/* ---- its files ---- */

int server_open(const struct cluster_place *p, const char *name, int flags)
{
    char path[PATH_MAX + 64];
    struct stat st;
    int fd;

    snprintf(path, sizeof(path), "%s/%s", p->folder, name);
    fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == p->uid)
        return fd;
    close(fd);
    return -EPERM;
}

/* The log grows by a few lines a day; a disk must not fill up even if that is wrong. */
void server_trim_log(const struct cluster_place *p)
{
    int fd = server_open(p, log_name, O_WRONLY);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && st.st_size > LOG_MAX)
        (void)ftruncate(fd, 0); /* its writers append */
    close(fd);
}

static void why_log(const struct cluster_place *p, char *why, size_t cap)
{
    char text[LOG_SHOWN];
    int fd = server_open(p, log_name, O_RDONLY);
    struct stat st;
    ssize_t n = 0;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0)
        n = pread(fd, text, sizeof(text), st.st_size > LOG_SHOWN ? st.st_size - LOG_SHOWN : 0);
    close(fd);
    if (n > 0)
        why_output(why, cap, text, (size_t)n);
}

void why_output(char *why, size_t cap, const char *text, size_t n)
{
    size_t used = strlen(why), from, lines = 0;
    bool gap = true;

    while (n > 0 && text[n - 1] == '\n')
        n--;
    for (from = n; from > 0 && n - from < 600; from--)
        if (text[from - 1] == '\n' && ++lines == 5)
            break;
    if (from < n && used + 1 < cap)
        used += (size_t)snprintf(why + used, cap - used, "; it said: ");
    for (size_t i = from; i < n && used + 1 < cap; i++) {
        bool space = (unsigned char)text[i] <= ' ';

        if (!space || !gap)
            why[used++] = space ? ' ' : text[i];
        gap = space;
    }
    if (used < cap)
        why[used] = '\0';
}

/* ---- its process ---- */

/* The pid in postmaster.pid, whoever has it now. 0: none. */
static pid_t written_pid(const struct cluster_place *p)
{
    char text[32] = "";
    int fd = server_open(p, "postmaster.pid", O_RDONLY);
    long pid;

    if (fd < 0)
        return 0;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    pid = strtol(text, NULL, 10);
    return pid > 1 && pid < INT_MAX ? (pid_t)pid : 0;
}

/* A process called postgres that has not ended; one that waits for its parent to notice has. */
static bool lives(pid_t pid)
{
    char path[64], text[256] = "", *name, *state;
    int fd;

    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    if (read(fd, text, sizeof(text) - 1) < 0)
        text[0] = '\0';
    close(fd);
    name = strchr(text, '(');
    state = strrchr(text, ')');
    return name && state && strncmp(name, "(postgres", 9) == 0 && state[1] == ' ' &&
           !strchr("ZX", state[2]);
}

static bool is_it(const struct cluster_place *p, pid_t pid)
{
    char path[64], folder[PATH_MAX];
    struct stat st;
    ssize_t n;

    snprintf(path, sizeof(path), "/proc/%d", (int)pid);
    if (!lives(pid) || stat(path, &st) != 0 || st.st_uid != p->uid)
        return false;
    snprintf(path, sizeof(path), "/proc/%d/cwd", (int)pid);
    n = readlink(path, folder, sizeof(folder) - 1);
    if (n < 0) /* a container without the right to look: name and user have to do */
        return errno == EACCES || errno == EPERM;
    folder[n] = '\0';
    return strcmp(folder, p->folder) == 0;
}

pid_t server_pid(const struct cluster_place *p)
{
    pid_t pid = written_pid(p);

    return pid && is_it(p, pid) ? pid : 0;
}

/* PostgreSQL clears a pid file of a dead process away itself, but takes a stranger who got that
 * number since (a restarted container, a restarted machine) for itself and refuses to start. */
static void clear_stale(const struct cluster_place *p)
{
    static const char *const names[] = {"postmaster.pid", ".s.PGSQL.5432.lock"};
    pid_t pid = written_pid(p);
    char path[PATH_MAX + 64];

    if (!pid || is_it(p, pid) || (kill(pid, 0) != 0 && errno == ESRCH))
        return;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s/%s", p->folder, names[i]);
        (void)unlink(path);
    }
}

static int launch(const struct cluster_place *p, pid_t *pid, char *why, size_t cap)
{
    char programs[PATH_MAX], program[PATH_MAX + 16], log[PATH_MAX + 16];
    const char *const argv[] = {program, "-D", p->folder,           "-k", p->folder, "-p",
                                "5432",  "-c", "listen_addresses=", NULL};
    struct program run = {.argv = argv, .uid = p->uid, .gid = p->gid};
    int version = 0, rc = cluster_version(p, &version, why, cap);

    if (!rc)
        rc = cluster_programs(programs, sizeof(programs), &version, why, cap);
    if (rc)
        return rc;
    snprintf(program, sizeof(program), "%s/postgres", programs);
    snprintf(log, sizeof(log), "%s/%s", p->folder, log_name);
    clear_stale(p);
    rc = program_launch(&run, log, pid);
    if (rc)
        snprintf(why, cap, "cannot start %s with its log in %s: %s%s", program, log,
                 rd_strerror(rc), rc == -ENOSPC ? "; make room on that disk" : "");
    return rc;
}

/* ---- up ---- */

int cluster_conninfo(struct buf *out, const struct cluster_place *p)
{
    int rc = buf_add_str(out, "host='");

    for (const char *c = p->folder; !rc && *c; c++) {
        if (*c == '\'' || *c == '\\')
            rc = buf_add(out, "\\", 1);
        if (!rc)
            rc = buf_add(out, c, 1);
    }
    return rc ? rc : buf_addf(out, "' port=%d user=ringdown dbname=ringdown", CLUSTER_PORT);
}

static int answers(const struct cluster_place *p, char *why, size_t cap)
{
    struct buf conninfo;
    struct pg *pg = NULL;
    int rc;

    buf_init(&conninfo, 2 * PATH_MAX + 256);
    rc = cluster_conninfo(&conninfo, p);
    if (!rc)
        rc = buf_add_str(&conninfo, " connect_timeout=5 application_name='ringdown db'");
    if (!rc)
        rc = buf_text(&conninfo) ? pg_open(&pg, conninfo.data, why, cap) : -ENOMEM;
    pg_close(pg);
    buf_fini(&conninfo);
    return rc;
}

static int complain_late(const struct cluster_place *p, char *why, size_t cap)
{
    char last[256];

    rd_str_copy(last, sizeof(last), rd_str(why));
    snprintf(
        why, cap,
        "PostgreSQL in %s (pid %d) does not answer after %d s (%s); look into %s/%s, or end it "
        "with: kill -INT %d",
        p->folder, (int)server_pid(p), START_MS / 1000, last, p->folder, log_name,
        (int)server_pid(p));
    return -ETIMEDOUT;
}

static int complain_ended(const struct cluster_place *p, char *why, size_t cap)
{
    snprintf(why, cap, "PostgreSQL in %s ended while it was starting; mend what its log tells (%s)",
             p->folder, log_name);
    why_log(p, why, cap);
    return -ECONNREFUSED;
}

/* Children of a server that was killed take a moment to notice; until then the next one refuses. */
static bool is_in_the_way_of_its_past(const struct cluster_place *p)
{
    char text[1024] = "";

    why_log(p, text, sizeof(text));
    return strstr(text, "is still in use") != NULL;
}

/* What we launched and nobody will hold. Waits, for the next one finds it in its way otherwise. */
static void call_off(pid_t launched)
{
    uint64_t until = monotonic_ms() + QUIT_MS;

    if (!launched || !lives(launched) || kill(launched, SIGINT) != 0)
        return;
    while (lives(launched) && monotonic_ms() < until)
        cluster_nap(LOOK_MS);
}

int server_start(const struct cluster_place *p, const atomic_bool *stop, char *why, size_t cap)
{
    uint64_t until = monotonic_ms() + START_MS, past = monotonic_ms() + PAST_MS;
    pid_t launched = 0;
    int rc;

    server_trim_log(p);
    for (;;) {
        if (server_pid(p) || (launched && lives(launched))) {
            rc = answers(p, why, cap);
            if (rc == 0 || rc == RD_EAUTH)
                return rc;
        } else if (launched && (monotonic_ms() > past || !is_in_the_way_of_its_past(p))) {
            return complain_ended(p, why, cap);
        } else {
            rc = launch(p, &launched, why, cap);
            if (rc)
                return rc;
        }
        if (stop && atomic_load(stop)) {
            call_off(launched);
            return -ECANCELED;
        }
        if (monotonic_ms() > until)
            return complain_late(p, why, cap);
        cluster_nap(LOOK_MS);
    }
}

/* ---- down ---- */

static bool ended_within(const struct cluster_place *p, pid_t pid, uint32_t ms)
{
    uint64_t until = monotonic_ms() + ms;

    while (is_it(p, pid) && monotonic_ms() < until)
        cluster_nap(LOOK_MS);
    return !is_it(p, pid);
}

int server_stop(const struct cluster_place *p, char *why, size_t cap)
{
    pid_t pid = server_pid(p);

    if (!pid)
        return 0;
    if (kill(pid, SIGINT) != 0 && errno != ESRCH) {
        int rc = -errno;

        snprintf(why, cap, "cannot stop PostgreSQL (pid %d): %s; it runs as %s", (int)pid,
                 rd_strerror(rc), p->user);
        return rc;
    }
    if (ended_within(p, pid, STOP_MS))
        return 0;
    (void)kill(pid, SIGQUIT); /* what was committed is recovered at the next start */
    if (ended_within(p, pid, QUIT_MS))
        return 0;
    snprintf(why, cap, "PostgreSQL (pid %d) does not end; look into %s/%s, or: kill -QUIT %d",
             (int)pid, p->folder, log_name, (int)pid);
    return -ETIMEDOUT;
}
