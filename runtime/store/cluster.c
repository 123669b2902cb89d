/* SPDX-License-Identifier: Apache-2.0 */
/* cluster.c - who may start and stop the private cluster of a data folder.
 *
 *   up     lock postgres.starting ─▶ share postgres.lock ─▶ find or make it ─▶ start or adopt it
 *   down   lock postgres.starting ─▶ let postgres.lock go; can we have it alone? ─▶ stop it
 *
 * - two processes of one data folder: the first to leave cannot have the lock alone, and stops
 *   nothing; starts and stops never overlap
 * - a holder is killed: the kernel takes its lock back, the server runs on and the next one adopts
 *   it
 * - the server dies (killed for memory, say): a holder that tends it starts it again
 * - the machine restarts: the pid file names nobody, or a stranger (cluster_server.c) */
#include "store/cluster.h"

#include "base/err.h"
#include "base/now.h"
#include "store/cluster_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { TURN_MS = 120000, LOOK_MS = 20 };

struct cluster {
    struct cluster_place place;
    int lock_fd; /* owns: our share of postgres.lock */
};

/* ---- locks ---- */

static int open_lock(const char *data, const char *name, char *why, size_t cap)
{
    char path[PATH_MAX];
    int fd, rc;

    if (snprintf(path, sizeof(path), "%s/%s", data, name) >= (int)sizeof(path)) {
        snprintf(why, cap, "the data folder's path is too long; choose a shorter one");
        return RD_ETOOBIG;
    }
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        return fd;
    rc = -errno;
    snprintf(why, cap, "cannot open %s: %s; make room, or give the folder to this user", path,
             rd_strerror(rc));
    return rc;
}

/* Our turn to start or stop: a descriptor that is the lock. */
static int take_turn(const char *data, const atomic_bool *stop, char *why, size_t cap)
{
    uint64_t until = monotonic_ms() + TURN_MS;
    int fd = open_lock(data, "postgres.starting", why, cap);

    if (fd < 0)
        return fd;
    while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        bool stopped = stop && atomic_load(stop);

        if (stopped || errno != EWOULDBLOCK || monotonic_ms() > until) {
            int rc = stopped ? -ECANCELED : errno == EWOULDBLOCK ? -ETIMEDOUT : -errno;

            snprintf(
                why, cap,
                "another ringdown is starting or stopping the database of %s and does not come "
                "to an end (%s); see ringdown db status",
                data, rd_strerror(rc));
            close(fd);
            return rc;
        }
        cluster_nap(LOOK_MS);
    }
    return fd;
}

/* ---- up ---- */

static int make_data(const char *data, char *why, size_t cap)
{
    if (mkdir(data, 0700) == 0 || errno == EEXIST)
        return 0;
    snprintf(why, cap, "cannot make the data folder %s: %s", data, rd_strerror(-errno));
    return -errno;
}

static int find_or_make(struct cluster_place *p, const char *data, const atomic_bool *stop,
                        char *why, size_t cap)
{
    int rc = cluster_find(p, data, why, cap);

    if (!rc && !p->made) {
        rc = place_choose(p, why, cap);
        if (!rc && !p->made)
            rc = cluster_make(p, stop, why, cap);
        if (!rc && p->moved)
            rc = place_record(p, why, cap);
    }
    return rc;
}

int cluster_up(struct cluster **out, const char *data, const atomic_bool *stop, char *why,
               size_t cap)
{
    struct cluster *c = calloc(1, sizeof(*c));
    int turn, rc = c ? make_data(data, why, cap) : -ENOMEM;

    if (rc) {
        free(c);
        return rc;
    }
    c->lock_fd = -1;
    turn = take_turn(data, stop, why, cap);
    rc = turn < 0 ? turn : 0;
    if (!rc) {
        c->lock_fd = open_lock(data, "postgres.lock", why, cap);
        rc = c->lock_fd < 0 ? c->lock_fd : 0;
    }
    if (!rc && flock(c->lock_fd, LOCK_SH | LOCK_NB) != 0) {
        rc = -errno;
        snprintf(why, cap, "cannot lock %s/postgres.lock: %s", data, rd_strerror(rc));
    }
    if (!rc)
        rc = find_or_make(&c->place, data, stop, why, cap);
    if (!rc) {
        cluster_let_agents_in(&c->place);
        rc = server_start(&c->place, stop, why, cap);
    }
    if (turn >= 0)
        close(turn);
    if (rc)
        cluster_release(c);
    else
        *out = c;
    return rc;
}

int cluster_tend(struct cluster *c, const atomic_bool *stop, char *why, size_t cap)
{
    int turn, rc;

    if (server_pid(&c->place)) {
        server_trim_log(&c->place);
        return 0;
    }
    turn = take_turn(c->place.data, stop, why, cap);
    if (turn < 0)
        return turn;
    rc = server_start(&c->place, stop, why, cap);
    close(turn);
    return rc;
}

void cluster_release(struct cluster *c)
{
    if (!c)
        return;
    if (c->lock_fd >= 0)
        close(c->lock_fd);
    free(c);
}

/* ---- down ---- */

void cluster_down(struct cluster *c)
{
    char data[PATH_MAX], why[256];

    if (!c)
        return;
    rd_str_copy(data, sizeof(data), rd_str(c->place.data));
    cluster_release(c);
    (void)cluster_stop(data, why, sizeof(why)); /* busy: somebody else needs it */
}

static int stop_alone(const char *data, char *why, size_t cap)
{
    struct cluster_place p;
    int rc, fd = open_lock(data, "postgres.lock", why, cap);

    if (fd < 0)
        return fd;
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        rc = errno == EWOULDBLOCK ? -EBUSY : -errno;
        snprintf(why, cap,
                 "the database of %s is in use; stop who uses it first (ringdown db status "
                 "names them)",
                 data);
    } else {
        rc = cluster_find(&p, data, why, cap);
        if (!rc && p.made)
            rc = server_stop(&p, why, cap);
    }
    close(fd);
    return rc;
}

int cluster_stop(const char *data, char *why, size_t cap)
{
    struct cluster_place p;
    int turn, rc = cluster_find(&p, data, why, cap);

    if (rc == -ENOENT)
        return 0; /* no such data folder */
    if (rc || !p.made)
        return rc;
    turn = take_turn(data, NULL, why, cap);
    if (turn < 0)
        return turn;
    rc = stop_alone(data, why, cap);
    close(turn);
    return rc;
}

/* ---- what it looks like ---- */

/* "7: FLOCK  ADVISORY  READ 4711 fe:00:1234 0 EOF" for each holder. */
static void find_holders(struct cluster_state *s)
{
    char path[PATH_MAX + 16], line[256], kind[16], mode[16];
    unsigned major, minor;
    unsigned long inode;
    struct stat st;
    FILE *f;
    int pid;

    snprintf(path, sizeof(path), "%s/postgres.lock", s->place.data);
    f = stat(path, &st) == 0 ? fopen("/proc/locks", "re") : NULL;
    while (f && fgets(line, sizeof(line), f)) {
        if (sscanf(line, "%*s %15s %*s %15s %d %x:%x:%lu", kind, mode, &pid, &major, &minor,
                   &inode) != 6 ||
            strcmp(kind, "FLOCK") != 0 || strcmp(mode, "READ") != 0 || inode != st.st_ino ||
            major != major(st.st_dev) || minor != minor(st.st_dev))
            continue;
        if (s->n_holders < CLUSTER_HOLDERS_MAX)
            s->holders[s->n_holders] = pid;
        s->n_holders++;
    }
    if (f)
        fclose(f);
}

int cluster_look(struct cluster_state *out, const char *data, char *why, size_t cap)
{
    int rc;

    memset(out, 0, sizeof(*out));
    rc = cluster_find(&out->place, data, why, cap);
    if (rc || !out->place.made)
        return rc;
    rc = cluster_version(&out->place, &out->version, why, cap);
    if (rc)
        return rc;
    out->pid = server_pid(&out->place);
    find_holders(out);
    return 0;
}
