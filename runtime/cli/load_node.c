/* SPDX-License-Identifier: Apache-2.0 */
/* load_node.c - see load_node.h.
 *
 * A node that answers is not measured before its database takes what it ships: the first thing
 * that happens to a new one is that all migrations run.
 *
 * With processors of our own, everything begins on the last one. The threads of the node are moved
 * to the others when it is ready, and its database, which runs wherever it likes by itself, to us,
 * as it would be on another machine. */
#include "cli/load_node.h"
#include "base/err.h"
#include "cli/client.h"
#include "cli/loopback.h"
#include "sim/carrier/double.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { END_WAIT_MS = 1000, END_LOOK_MS = 20, DATABASE_WAIT_MS = 30000, DATABASE_LOOK_MS = 100 };

/* --- processors --- */

int load_processors(void)
{
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* The node's are the first ones, ours is the last. */
static void pin(pid_t thread, unsigned node_cores)
{
    size_t n = (size_t)load_processors(), first = node_cores ? 0 : n - 1;
    cpu_set_t set;

    CPU_ZERO(&set);
    for (size_t i = first; i < (node_cores ? node_cores : n); i++)
        CPU_SET(i, &set);
    (void)sched_setaffinity(thread, sizeof(set), &set);
}

/* What is with us there, the node's database above all, gets what we leave: a clock that waits for it
 * measures nothing. Without the privilege we share, and our lag tells. */
static void take_last(void)
{
    const struct sched_param first = {.sched_priority = 1};

    pin(0, 0);
    (void)sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &first);
}

typedef void(thread_fn)(pid_t pid, pid_t thread, void *arg);

static void each_thread(pid_t pid, thread_fn *fn, void *arg)
{
    char path[64];
    struct dirent *e;
    DIR *d;

    (void)snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    d = opendir(path);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            fn(pid, (pid_t)atoi(e->d_name), arg);
    if (d)
        (void)closedir(d);
}

static void pin_thread(pid_t pid, pid_t thread, void *arg)
{
    (void)pid;
    pin(thread, *(const unsigned *)arg);
}

static void pin_node(const struct load_node *n, const struct load_node_opts *o)
{
    unsigned cores = o->cores ? o->cores : (unsigned)load_processors() - 1;

    if (!o->pinned || load_processors() < 2)
        return;
    for (int i = 0; i < 2; i++) /* a thread may have begun another meanwhile */
        each_thread(n->pid, pin_thread, &cores);
}

/* The server and its children, which have one thread each; those that come inherit it. */
static void pin_database(const struct load_node *n)
{
    char path[128];
    int pid = 0;
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/postgres/postmaster.pid", n->data);
    f = fopen(path, "re");
    if (!f)
        return;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    (void)fclose(f);
    if (pid <= 0)
        return;
    pin(pid, 0);
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
    f = fopen(path, "re");
    while (f && fscanf(f, "%d", &pid) == 1)
        pin(pid, 0);
    if (f)
        (void)fclose(f);
}

/* --- what it costs --- */

static void add_ns(pid_t pid, pid_t thread, void *arg)
{
    uint64_t ns = 0, *sum = arg;
    char path[96];
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
    f = fopen(path, "re");
    if (!f)
        return;
    if (fscanf(f, "%" SCNu64, &ns) == 1)
        *sum += ns;
    (void)fclose(f);
}

double load_node_cpu_s(const struct load_node *n)
{
    uint64_t sum = 0;

    each_thread(n->pid, add_ns, &sum);
    return (double)sum / 1e9;
}

double load_node_rss_mb(const struct load_node *n)
{
    unsigned long pages = 0;
    char path[64];
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)n->pid);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

/* --- beginning and end --- */

static void become_node(const struct load_node *n, const struct load_node_opts *o)
{
    char openai[96], max_calls[16];

    (void)snprintf(openai, sizeof(openai), "ws%s://127.0.0.1:%u/v1/realtime",
                   o->model_tls ? "s" : "", o->model_port);
    (void)snprintf(max_calls, sizeof(max_calls), "%u", o->max_calls);
    setenv("RINGDOWN_LISTEN", n->listen, 1);
    setenv("RINGDOWN_PUBLIC_URL", n->url, 1);
    setenv("RINGDOWN_ADMIN_LISTEN", "127.0.0.1:0", 0); /* whoever measures it as well says where */
    setenv("OPENAI_REALTIME_URL", openai, 1);
    setenv("OPENAI_API_KEY", "sk-load", 1);
    setenv("TWILIO_ACCOUNT_SID", CARRIER_DOUBLE_ACCOUNT, 1);
    setenv("TWILIO_AUTH_TOKEN", CARRIER_DOUBLE_TOKEN, 1);
    setenv("RINGDOWN_DATA", n->data, 1);
    setenv("RINGDOWN_MAX_CALLS", max_calls, 1);
    setenv("RINGDOWN_MAX_CALLS_PER_CALLER", "0", 1);
    setenv("RINGDOWN_LOG", "error", 1);
    if (o->model_tls)
        setenv("RINGDOWN_CA_FILE", n->cert, 1);
    if (o->carrier_tls) {
        setenv("RINGDOWN_TLS_CERT", n->cert, 1);
        setenv("RINGDOWN_TLS_KEY", n->key, 1);
    }
    if (o->cores) {
        char cores[16];

        (void)snprintf(cores, sizeof(cores), "%u", o->cores);
        setenv("RINGDOWN_MEDIA_THREADS", cores, 1);
    }
    if (o->agents)
        setenv("RINGDOWN_AGENTS", o->agents, 1);
    (void)freopen("/dev/null", "w", stdout);
    (void)execl("/proc/self/exe", "ringdown", "serve", (char *)NULL);
    _exit(127);
}

static int begin(struct load_node *n, const struct load_node_opts *o)
{
    int rc = loopback_address(n->listen, sizeof(n->listen)); /* it binds it itself */

    if (rc)
        return rc;
    (void)snprintf(n->url, sizeof(n->url), "http%s://%s", o->carrier_tls ? "s" : "", n->listen);
    if (o->pinned && load_processors() > 1)
        take_last(); /* we, and what we start */
    return 0;
}

static int wait_for(struct load_node *n, const struct load_node_opts *o)
{
    int rc;

    if (n->pid < 0)
        return -errno;
    rc = loopback_wait(n->listen, n->pid);
    if (!rc)
        pin_node(n, o);
    return rc;
}

static bool ships(const struct load_node *n)
{
    struct buf body;
    char why[256];
    bool yes;

    buf_init(&body, CLIENT_BODY_MAX);
    yes = client_request(n->data, "GET", "/api/v1/status", &body, why, sizeof(why)) == 200 &&
          memmem(body.data, body.n, "\"shipping\":true", strlen("\"shipping\":true"));
    buf_fini(&body);
    return yes;
}

/* One of its own, which is made now. Of another's it is not asked who makes it. */
static int wait_for_database(const struct load_node *n, const struct load_node_opts *o)
{
    if (getenv("DATABASE_URL"))
        return 0;
    for (int waited = 0; !ships(n); waited += DATABASE_LOOK_MS) {
        if (waited >= DATABASE_WAIT_MS) {
            fputs("the node's database is not ready after 30 s: what is measured holds its making, "
                  "too\n",
                  stderr);
            break;
        }
        if (waitpid(n->pid, NULL, WNOHANG) == n->pid)
            return -ECHILD;
        usleep(DATABASE_LOOK_MS * 1000);
    }
    if (o->pinned && load_processors() > 1)
        pin_database(n);
    return 0;
}

/* A certificate that is its own authority. */
static int make_pair(struct load_node *n)
{
    pid_t openssl;
    int status = 0;

    (void)snprintf(n->cert, sizeof(n->cert), "%s/load-cert.pem", n->data);
    (void)snprintf(n->key, sizeof(n->key), "%s/load-key.pem", n->data);
    openssl = fork();
    if (openssl == 0) {
        if (!freopen("/dev/null", "w", stderr))
            _exit(126);
        (void)execlp("openssl", "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                     "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                     "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", n->key,
                     "-out", n->cert, (char *)NULL);
        _exit(127);
    }
    if (openssl < 0 || waitpid(openssl, &status, 0) != openssl || status != 0) {
        fputs("no certificate could be made; is the program `openssl` installed?\n", stderr);
        return -ENOENT;
    }
    return 0;
}

int load_node_start(struct load_node *n, const struct load_node_opts *o)
{
    int rc;

    *n = (struct load_node){.pid = -1};
    rc = begin(n, o);
    if (rc)
        return rc;
    (void)snprintf(n->data, sizeof(n->data), "/tmp/ringdown-load-XXXXXX");
    if (!mkdtemp(n->data)) {
        n->data[0] = '\0';
        return -errno;
    }
    (void)chmod(n->data, 0711); /* or its database would lie elsewhere, and stay */
    if (o->model_tls || o->carrier_tls)
        rc = make_pair(n);
    if (rc)
        return rc;
    n->pid = fork();
    if (n->pid == 0)
        become_node(n, o);
    rc = wait_for(n, o);
    return rc ? rc : wait_for_database(n, o);
}

int load_relay_start(struct load_node *n, const struct load_node_opts *o)
{
    char ports[32];
    int rc;

    *n = (struct load_node){.pid = -1};
    rc = begin(n, o);
    if (rc)
        return rc;
    (void)snprintf(ports, sizeof(ports), "%s,%u", strchr(n->listen, ':') + 1, o->model_port);
    n->pid = fork();
    if (n->pid == 0) {
        (void)execl("/proc/self/exe", "ringdown", "load", "--relay", ports, (char *)NULL);
        _exit(127);
    }
    return wait_for(n, o);
}

/* Asked politely; asked again after a second, which ends it at once. */
static void end_process(pid_t pid)
{
    kill(pid, SIGTERM);
    for (int waited = 0; waited < END_WAIT_MS; waited += END_LOOK_MS) {
        if (waitpid(pid, NULL, WNOHANG) == pid)
            return;
        usleep(END_LOOK_MS * 1000);
    }
    kill(pid, SIGTERM);
    (void)waitpid(pid, NULL, 0);
}

void load_node_stop(struct load_node *n)
{
    pid_t rm;

    if (n->pid > 0)
        end_process(n->pid);
    n->pid = -1;
    if (!n->data[0])
        return;
    rm = fork();
    if (rm == 0) {
        (void)execlp("rm", "rm", "-rf", "--", n->data, (char *)NULL);
        _exit(127);
    }
    if (rm > 0)
        (void)waitpid(rm, NULL, 0);
}
