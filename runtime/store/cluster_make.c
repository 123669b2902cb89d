/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_make.c - a new PostgreSQL cluster, all or nothing.
 *
 *   empty <folder>.making ─▶ initdb ─▶ who may come in, settings ─▶ role and database (a server in
 *   single-user mode: nobody can connect yet) ─▶ rename to <folder>
 *
 * Whatever stops this half-way (disk full, kill -9) leaves only a .making behind, which the next
 * attempt empties first.
 *
 * Who may come in: nobody through the network, there is no port. Through the socket the kernel says
 * which user is calling ("peer"), and a map lets root and the cluster's own user be `ringdown` (the
 * database's owner) or `postgres` (who may do everything). No password, and no trust either: the
 * folder is 0700, and if it were opened the other users still could not be anybody. Agents' own
 * roles come with a password that is derived from cluster.secret (store/agent_role.h). */
#include "base/err.h"
#include "store/cluster_private.h"
#include "store/program.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OLDEST_VERSION = 15, INITDB_MS = 60000, SINGLE_MS = 30000, REMOVE_MS = 30000 };

static const char packages[] = "/usr/lib/postgresql";

/* Small: the database of one machine's calls, beside the thing that matters. What is wrong with a
 * statement is told to who sent it and kept there, so the log holds only what concerns the server. */
static const char settings[] = "\n# ringdown\n"
                               "shared_buffers = 64MB\n"
                               "max_connections = 60\n"
                               "max_parallel_workers_per_gather = 0\n"
                               "jit = off\n"
                               "min_wal_size = 32MB\n"
                               "max_wal_size = 256MB\n"
                               "wal_compression = on\n"
                               "timezone = 'UTC'\n"
                               "log_timezone = 'UTC'\n"
                               "log_min_messages = log\n"
                               "log_checkpoints = off\n"
                               "log_autovacuum_min_duration = -1\n"
                               "logging_collector = off\n"
                               "log_line_prefix = '%m [%p] '\n";

static const char access_before[] = "local all all peer map=ringdown\n"; /* without agents */
static const char access_now[] = "local all ringdown,postgres peer map=ringdown\n"
                                 "local ringdown +ringdown_agents scram-sha-256\n";

static const char database[] = "CREATE ROLE ringdown LOGIN\n"
                               "CREATE DATABASE ringdown OWNER ringdown\n";

/* ---- PostgreSQL's programs ---- */

static bool has_program(const char *folder, const char *name)
{
    char path[PATH_MAX + 64];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    return access(path, X_OK) == 0;
}

static int newest_version(void)
{
    DIR *d = opendir(packages);
    struct dirent *e;
    int newest = 0;
    char folder[PATH_MAX];

    while (d && (e = readdir(d)) != NULL) {
        int v = isdigit((unsigned char)e->d_name[0]) ? (int)strtol(e->d_name, NULL, 10) : 0;

        snprintf(folder, sizeof(folder), "%s/%s/bin", packages, e->d_name);
        if (v >= OLDEST_VERSION && v > newest && has_program(folder, "initdb"))
            newest = v;
    }
    if (d)
        closedir(d);
    return newest;
}

int cluster_programs(char *out, size_t cap, int *version, char *why, size_t why_cap)
{
    int wanted = *version;

    if (wanted == 0)
        *version = newest_version();
    snprintf(out, cap, "%s/%d/bin", packages, *version);
    if (*version > 0 && has_program(out, "postgres"))
        return 0;
    if (wanted == 0)
        snprintf(why, why_cap,
                 "there is no PostgreSQL %d or newer in %s; install it with: apt-get install "
                 "postgresql-15, or set database.url",
                 OLDEST_VERSION, packages);
    else
        snprintf(why, why_cap,
                 "the database was made by PostgreSQL %d, which is not in %s; install it with: "
                 "apt-get install postgresql-%d",
                 wanted, packages, wanted);
    return -ENOENT;
}

int cluster_version(const struct cluster_place *p, int *version, char *why, size_t cap)
{
    int fd = server_open(p, "PG_VERSION", O_RDONLY), rc = fd < 0 ? fd : 0;
    char text[8] = "";

    if (fd >= 0) {
        if (read(fd, text, sizeof(text) - 1) < 1)
            rc = RD_EPROTO;
        close(fd);
    }
    *version = (int)strtol(text, NULL, 10);
    if (!rc && *version > 0)
        return 0;
    if (rc == -EACCES || rc == -EPERM) {
        snprintf(why, cap, "cannot look into %s: it is closed to this user; run ringdown as %s",
                 p->folder, p->user);
        return rc;
    }
    snprintf(why, cap,
             "%s holds no finished PostgreSQL cluster (PG_VERSION is missing or damaged); "
             "restore it from a backup, or move it away to begin an empty one",
             p->folder);
    return RD_EPROTO;
}

/* ---- the steps ---- */

struct making {
    struct cluster_place *place; /* borrows */
    const atomic_bool *stop;     /* borrows */
    char folder[PATH_MAX];       /* where it is made */
    char programs[PATH_MAX];
    char *why; /* borrows */
    size_t cap;
};

static int complain(const struct making *m, const char *what, int rc)
{
    snprintf(m->why, m->cap, "cannot make the database in %s: %s: %s%s", m->place->folder, what,
             rd_strerror(rc),
             rc == -ENOSPC || rc == -EDQUOT ? "; make room on that disk and try again" : "");
    return rc;
}

/* Runs one of its programs as the cluster's user. */
static int run(const struct making *m, const char *const *argv, const char *input, uint32_t ms)
{
    struct program p = {.argv = argv,
                        .uid = m->place->uid,
                        .gid = m->place->gid,
                        .input = input,
                        .timeout_ms = ms,
                        .stop = m->stop};
    struct buf output;
    int rc;

    buf_init(&output, 256 * 1024);
    rc = program_run(&p, &output);
    if (rc) {
        complain(m, argv[0], rc);
        why_output(m->why, m->cap, output.data, output.n);
    }
    buf_fini(&output);
    return rc;
}

/* What an attempt before us left. Its owner removes it: we might be root, and it is not ours. */
static int clear_away(const struct making *m)
{
    const char *const argv[] = {"/bin/rm", "-rf", "--", m->folder, NULL};
    struct program p = {.argv = argv,
                        .uid = m->place->uid,
                        .gid = m->place->gid,
                        .timeout_ms = REMOVE_MS,
                        .stop = m->stop};
    struct buf output;

    buf_init(&output, 256 * 1024);
    (void)program_run(&p, &output); /* cannot remove the folder itself: that is for us */
    buf_fini(&output);
    if (rmdir(m->folder) == 0 || errno == ENOENT)
        return 0;
    return complain(m, "what an earlier attempt left in .making cannot be removed", -errno);
}

static int make_folder(const struct making *m)
{
    int rc = clear_away(m);

    if (rc)
        return rc;
    if (mkdir(m->folder, 0700) != 0 ||
        (geteuid() == 0 && lchown(m->folder, m->place->uid, m->place->gid) != 0))
        return complain(m, m->folder, -errno);
    return 0;
}

static int initdb(const struct making *m)
{
    char program[PATH_MAX + 16];
    const char *const argv[] = {program,
                                "-D",
                                m->folder,
                                "-U",
                                "postgres",
                                "-E",
                                "UTF8",
                                "--locale=C.UTF-8",
                                "--auth=peer",
                                "--data-checksums",
                                "--no-instructions",
                                NULL};

    snprintf(program, sizeof(program), "%s/initdb", m->programs);
    return run(m, argv, NULL, INITDB_MS);
}

static int write_file(const struct making *m, const char *name, int flags, const char *text)
{
    struct cluster_place p = *m->place;
    size_t n = strlen(text);
    int fd, rc = 0;

    rd_str_copy(p.folder, sizeof(p.folder), rd_str(m->folder));
    fd = server_open(&p, name, O_WRONLY | flags);
    if (fd < 0)
        return complain(m, name, fd);
    errno = 0;
    if (write(fd, text, n) != (ssize_t)n || fsync(fd) != 0)
        rc = errno ? -errno : -ENOSPC;
    close(fd);
    return rc ? complain(m, name, rc) : 0;
}

static int write_files(const struct making *m)
{
    char map[512];
    int rc = write_file(m, "postgresql.conf", O_APPEND, settings);

    snprintf(map, sizeof(map),
             "# map, user of the machine, user of the database\n"
             "ringdown root ringdown\nringdown root postgres\n"
             "ringdown \"%s\" ringdown\nringdown \"%s\" postgres\n",
             m->place->user, m->place->user);
    if (!rc)
        rc = write_file(m, "pg_hba.conf", O_TRUNC, access_now);
    return rc ? rc : write_file(m, "pg_ident.conf", O_TRUNC, map);
}

static int make_database(const struct making *m)
{
    char program[PATH_MAX + 16];
    const char *const argv[] = {program, "--single",         "-D",       m->folder,
                                "-c",    "exit_on_error=on", "postgres", NULL};

    snprintf(program, sizeof(program), "%s/postgres", m->programs);
    return run(m, argv, database, SINGLE_MS);
}

static int finish(const struct making *m)
{
    char parent[PATH_MAX];
    int fd;

    if (rename(m->folder, m->place->folder) != 0)
        return complain(m, "rename", -errno);
    rd_str_copy(parent, sizeof(parent),
                (struct rd_str){m->folder, (size_t)(strrchr(m->folder, '/') - m->folder)});
    fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    m->place->made = true;
    return 0;
}

/* Overwritten in place, in one piece and growing: there is no moment without a first line. A file
 * that somebody has changed stays as it is. */
void cluster_let_agents_in(const struct cluster_place *p)
{
    char text[sizeof(access_before) + 1];
    int fd = server_open(p, "pg_hba.conf", O_RDWR);
    pid_t pid = server_pid(p);
    ssize_t n;

    if (fd < 0)
        return;
    n = read(fd, text, sizeof(text));
    if (n == (ssize_t)sizeof(access_before) - 1 && memcmp(text, access_before, (size_t)n) == 0 &&
        pwrite(fd, access_now, sizeof(access_now) - 1, 0) > 0 && fsync(fd) == 0 && pid > 0)
        (void)kill(pid, SIGHUP);
    close(fd);
}

int cluster_make(struct cluster_place *p, const atomic_bool *stop, char *why, size_t cap)
{
    struct making m = {.place = p, .stop = stop, .why = why, .cap = cap};
    int version = 0, rc;

    rc = cluster_programs(m.programs, sizeof(m.programs), &version, why, cap);
    if (rc)
        return rc;
    if (snprintf(m.folder, sizeof(m.folder), "%s.making", p->folder) >= (int)sizeof(m.folder))
        return complain(&m, "the path is too long", RD_ETOOBIG);
    rc = make_folder(&m);
    if (!rc)
        rc = initdb(&m);
    if (!rc)
        rc = write_files(&m);
    if (!rc)
        rc = make_database(&m);
    if (!rc)
        rc = finish(&m);
    return rc;
}
