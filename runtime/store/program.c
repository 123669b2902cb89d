/* SPDX-License-Identifier: Apache-2.0 */
/* program.c - fork, become somebody else, exec.
 *
 *   run     fork ─▶ child: stdio in memory files, a process group of its own ─▶ exec
 *           we wait in steps of 20 ms: its end, the deadline, or a wish to stop
 *   launch  fork ─▶ child: setsid, fork ─▶ grandchild (nobody's child: init reaps it) ─▶ exec
 *           a pipe that exec closes tells us its pid, then either nothing (it runs) or errno
 *
 * Between fork and exec only system calls: other threads of ours may have held any lock. The
 * environment is made anew, because ours holds keys that are no business of another program. */
#include "store/program.h"

#include "base/err.h"
#include "base/now.h"
#include "base/urgent.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 20, OUTPUT_MAX = 64 * 1024, CANNOT_EXEC = 126 };

static char *const environment[] = {"PATH=/usr/bin:/bin", "LC_ALL=C.UTF-8", "TZ=UTC", "HOME=/",
                                    NULL};

/* ---- in the child: system calls only ---- */

static int become(uid_t uid, gid_t gid)
{
    if (geteuid() != 0 || uid == 0)
        return 0;
    if (setgroups(1, &gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        return -errno;
    return 0;
}

static void usual_signals(void)
{
    sigset_t none;

    for (int n = 1; n < NSIG; n++)
        (void)signal(n, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Whoever started us may have pinned us to a core; that is not meant for a database that outlives us.
 * On its machine audio goes first, however we were started. The kernel takes those CPUs out that do not
 * exist or are forbidden. */
static void usual_share(void)
{
    cpu_set_t all;

    memset(&all, 0xff, sizeof(all));
    (void)sched_setaffinity(0, sizeof(all), &all);
    (void)setpriority(PRIO_PROCESS, 0, PATIENT_NICE);
}

static void take_stdio(int in, int out)
{
    (void)dup2(in, STDIN_FILENO);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(out, STDERR_FILENO);
}

_Noreturn static void run_child(const struct program *p, int in, int out)
{
    usual_signals();
    (void)setpgid(0, 0);
    take_stdio(in, out);
    (void)close_range(3, ~0U, 0);
    (void)umask(077);
    if (become(p->uid, p->gid) == 0 && chdir("/") == 0 &&
        prctl(PR_SET_PDEATHSIG, SIGKILL) == 0) /* nobody would wait for it any more */
        (void)execve(p->argv[0], (char *const *)p->argv, environment);
    _exit(CANNOT_EXEC);
}

/* Leaves `tell` open until exec closes it; what is written there is why that never happened. */
_Noreturn static void launch_child(const struct program *p, const char *log, int tell)
{
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC), out, err;
    pid_t self = getpid();

    usual_signals();
    usual_share();
    (void)umask(077);
    (void)write(tell, &self, sizeof(self));
    err = -become(p->uid, p->gid);
    out = err ? -1 : open(log, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (!err && (out < 0 || null < 0 || chdir("/") != 0))
        err = errno;
    if (!err) {
        take_stdio(null, out);
        if (dup3(tell, 3, O_CLOEXEC) < 0 && tell != 3)
            _exit(CANNOT_EXEC);
        (void)close_range(4, ~0U, 0);
        tell = 3;
        (void)execve(p->argv[0], (char *const *)p->argv, environment);
        err = errno;
    }
    (void)write(tell, &err, sizeof(err));
    _exit(CANNOT_EXEC);
}

/* ---- to its end ---- */

static int memory_file(const char *text)
{
    int fd = memfd_create("ringdown", MFD_CLOEXEC);
    size_t n = text ? strlen(text) : 0;

    if (fd < 0)
        return -errno;
    if (n > 0 && (write(fd, text, n) != (ssize_t)n || lseek(fd, 0, SEEK_SET) != 0)) {
        close(fd);
        return -EIO;
    }
    return fd;
}

static void read_output(int fd, struct buf *output)
{
    off_t end = lseek(fd, 0, SEEK_END), from = end > OUTPUT_MAX ? end - OUTPUT_MAX : 0;
    ssize_t n;

    if (end <= 0 || buf_reserve(output, (size_t)(end - from)) != 0)
        return;
    n = pread(fd, output->data + output->n, (size_t)(end - from), from);
    if (n > 0)
        output->n += (size_t)n;
}

static int wait_for(pid_t child, const struct program *p)
{
    uint64_t until = monotonic_ms() + p->timeout_ms;
    struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    int status, rc = 0;
    pid_t got;

    while ((got = waitpid(child, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
        if (p->stop && atomic_load(p->stop))
            rc = -ECANCELED;
        else if (monotonic_ms() >= until)
            rc = -ETIMEDOUT;
        if (rc) {
            (void)kill(-child, SIGKILL);
            (void)kill(child, SIGKILL);
            (void)waitpid(child, &status, 0);
            return rc;
        }
        (void)nanosleep(&step, NULL);
    }
    if (got < 0)
        return -errno;
    if (WIFEXITED(status) && WEXITSTATUS(status) == CANNOT_EXEC)
        return -ENOENT;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : RD_EREFUSED;
}

int program_run(const struct program *p, struct buf *output)
{
    int in = memory_file(p->input), out = memory_file(NULL), rc;
    pid_t child;

    rc = in < 0 ? in : out < 0 ? out : 0;
    if (!rc) {
        child = fork();
        if (child == 0)
            run_child(p, in, out);
        rc = child < 0 ? -errno : wait_for(child, p);
        read_output(out, output);
    }
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
    return rc;
}

/* ---- as a daemon ---- */

int program_launch(const struct program *p, const char *log, pid_t *pid)
{
    int ends[2], status, err = 0, rc = 0;
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return -errno;
    child = fork();
    if (child == 0) {
        (void)setsid();
        child = fork();
        if (child == 0)
            launch_child(p, log, ends[1]);
        _exit(child < 0 ? 1 : 0);
    }
    rc = child < 0 ? -errno : 0;
    close(ends[1]);
    if (!rc) {
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
        if (read(ends[0], pid, sizeof(*pid)) != (ssize_t)sizeof(*pid))
            rc = -EAGAIN; /* the second fork failed */
        else if (read(ends[0], &err, sizeof(err)) == (ssize_t)sizeof(err))
            rc = -err;
    }
    close(ends[0]);
    return rc;
}

int program_access(uid_t uid, gid_t gid, const char *path, int mode)
{
    int status;
    pid_t child;

    if (geteuid() != 0)
        return access(path, mode) == 0 ? 0 : -errno;
    child = fork();
    if (child == 0) {
        int rc = become(uid, gid);

        _exit(rc ? -rc : access(path, mode) == 0 ? 0 : errno);
    }
    if (child < 0)
        return -errno;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}
