/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - `ringdown load`: how much the node adds to a frame, and how fast it clears, at N calls.
 *
 *   ringdown load                         50 calls for 10 s against a node of its own
 *   ringdown load --calls 200 --seconds 30 --json
 *
 * Starts a node of its own on loopback (this very program, `serve`), with a data folder that is
 * removed afterwards, and plays the telephone network and the model for it. Delays are from our
 * write to our read, so they hold the node, the kernel and our own loop; a run in which our loop
 * lagged by more than 0.5 ms at p99 says so. Progress goes to stderr, the table to stdout.
 *
 * - the node does not start or no agent loads: its own words, exit 1. */
#include "sim/load/load.h"
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/loopback.h"
#include "io/accepter.h"
#include "io/loop.h"
#include "sim/carrier/double.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS_MAX = 2000, UNRULY_MAX = 16, PROGRESS_MS = 1000 };

static const char usage[] =
    "usage: ringdown load [--calls N] [--seconds N] [--rate N] [--to "
    "NUMBER] [--agents FOLDER] [--work] [--unruly NUMBER]... [--pin] [--json]\n\n"
    "Starts a node on loopback, places N calls (default 50, --rate 25 a "
    "second), lets them talk for\n"
    "--seconds (default 10) and tells what the node added to each frame, "
    "how fast it cleared when a\n"
    "caller cut in, what was lost, and what it cost.\n\n"
    "--work: in every turn the model calls the agent's tool `steady`, "
    "and its answer is timed.\n--unruly: one more call to this number, not "
    "in the table; the model calls its tool\n`unruly` forty times at once: "
    "see what that does to the others.\n\n"
    "--pin: the node and we have processors of our own.\n\n"
    "Exit code 0 when every call came up and nothing was lost, 1 "
    "otherwise, 2 for wrong arguments.\n";

struct loading {
    unsigned calls, seconds, rate;
    const char *to, *agents;
    const char *unruly[UNRULY_MAX];
    unsigned n_unruly;
    bool json, work, pinned;
    struct loop *loop;
    struct load *load;
    struct loop_timer *progress;
    pid_t node;
    char url[64], data[64];
    struct load_report report;
    double cpu_before_s, cpu_after_s, rss_idle_mb, rss_mb;
    uint64_t triage_n, triage_p50_us, triage_p99_us;
    bool counted, finished;
};

/* --- the node --- */

/* The node has all processors but the last one, the harness that one: neither waits for the other. */
static void pin(const struct loading *l, bool node)
{
    int n = (int)sysconf(_SC_NPROCESSORS_ONLN);
    cpu_set_t set;

    if (!l->pinned || n < 2)
        return;
    CPU_ZERO(&set);
    for (int i = node ? 0 : n - 1; i < (node ? n - 1 : n); i++)
        CPU_SET((size_t)i, &set);
    (void)sched_setaffinity(0, sizeof(set), &set);
}

static void become_node(const struct loading *l, const char *listen, uint16_t model_port)
{
    char openai[96], max_calls[16];

    pin(l, true);
    (void)snprintf(openai, sizeof(openai), "ws://127.0.0.1:%u/v1/realtime", model_port);
    (void)snprintf(max_calls, sizeof(max_calls), "%u", l->calls + UNRULY_MAX);
    setenv("RINGDOWN_LISTEN", listen, 1);
    setenv("RINGDOWN_PUBLIC_URL", l->url, 1);
    setenv("RINGDOWN_ADMIN_LISTEN", "127.0.0.1:0", 0); /* whoever measures it as well says where */
    setenv("OPENAI_REALTIME_URL", openai, 1);
    setenv("OPENAI_API_KEY", "sk-load", 1);
    setenv("TWILIO_ACCOUNT_SID", CARRIER_DOUBLE_ACCOUNT, 1);
    setenv("TWILIO_AUTH_TOKEN", CARRIER_DOUBLE_TOKEN, 1);
    setenv("RINGDOWN_DATA", l->data, 1);
    setenv("RINGDOWN_MAX_CALLS", max_calls, 1);
    setenv("RINGDOWN_MAX_CALLS_PER_CALLER", "0", 1);
    setenv("RINGDOWN_LOG", "error", 1);
    if (l->agents)
        setenv("RINGDOWN_AGENTS", l->agents, 1);
    (void)freopen("/dev/null", "w", stdout);
    (void)execl("/proc/self/exe", "ringdown", "serve", (char *)NULL);
    _exit(127);
}

static int start_node(struct loading *l, uint16_t model_port)
{
    char listen[48]; /* the node binds it itself */
    int rc = loopback_address(listen, sizeof(listen));

    if (rc)
        return rc;
    (void)snprintf(l->url, sizeof(l->url), "http://%s", listen);
    (void)snprintf(l->data, sizeof(l->data), "/tmp/ringdown-load-XXXXXX");
    if (!mkdtemp(l->data))
        return -errno;
    (void)chmod(l->data, 0711); /* or its database would lie elsewhere, and stay */
    l->node = fork();
    if (l->node == 0)
        become_node(l, listen, model_port);
    if (l->node < 0)
        return -errno;
    return loopback_wait(listen, l->node);
}

/* Asked politely; asked again after a second, which ends it at once. */
static void end_node(pid_t node)
{
    kill(node, SIGTERM);
    for (int waited = 0; waited < 1000; waited += 50) {
        if (waitpid(node, NULL, WNOHANG) == node)
            return;
        usleep(50000);
    }
    kill(node, SIGTERM);
    (void)waitpid(node, NULL, 0);
}

static void stop_node(struct loading *l)
{
    pid_t rm;

    if (l->node > 0)
        end_node(l->node);
    if (!l->data[0])
        return;
    rm = fork();
    if (rm == 0) {
        (void)execlp("rm", "rm", "-rf", "--", l->data, (char *)NULL);
        _exit(127);
    }
    if (rm > 0)
        (void)waitpid(rm, NULL, 0);
}

/* User and system time of the node, in seconds (proc(5): fields 14 and 15, after the name). */
static double node_cpu_s(const struct loading *l)
{
    unsigned long user = 0, system = 0;
    char path[64], text[1024] = "", *p;
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)l->node);
    f = fopen(path, "re");
    if (!f)
        return 0;
    (void)fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f);
    p = strrchr(text, ')');
    if (!p ||
        sscanf(p + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &system) != 2)
        return 0;
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static double node_rss_mb(const struct loading *l)
{
    unsigned long pages = 0;
    char path[64];
    FILE *f;

    (void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)l->node);
    f = fopen(path, "re");
    if (!f)
        return 0;
    if (fscanf(f, "%*u %lu", &pages) != 1)
        pages = 0;
    (void)fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static uint64_t number_in(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;

    (void)json_u64(&v, &n);
    return n;
}

/* The node's own count of how long words waited for the rules. */
static void ask_for_triage(struct loading *l)
{
    struct json_value root, list, m, name;
    struct json_iter it;
    struct rd_str key;
    char why[256];
    struct buf body;

    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request(l->data, "GET", "/api/v1/status", &body, why, sizeof(why)) == 200 &&
        json_parse((struct rd_str){body.data, body.n}, &root) == 0) {
        list = json_get(&root, "metrics");
        json_iter_init(&it, &list);
        while (json_next(&it, &key, &m)) {
            name = json_get(&m, "name");
            if (!json_is(&name, "triage_us"))
                continue;
            l->triage_n = number_in(&m, "count");
            l->triage_p50_us = number_in(&m, "p50");
            l->triage_p99_us = number_in(&m, "p99");
        }
    }
    buf_fini(&body);
}

/* --- the run --- */

static void on_progress(void *arg)
{
    struct loading *l = arg;
    const struct load_report *r = load_so_far(l->load);

    if (!l->counted && load_up(l->load) + r->failed == l->calls) {
        l->counted = true;
        l->cpu_before_s = node_cpu_s(l);
    }
    fprintf(stderr, "%u of %u calls up, %u failed, %" PRIu64 " frames, %u barge-ins\n",
            load_up(l->load), l->calls, r->failed, r->frames_sent, r->barge_ins);
    loop_timer_in(l->progress, PROGRESS_MS);
}

static void on_done(const struct load_report *r, void *arg)
{
    struct loading *l = arg;

    l->report = *r;
    l->cpu_after_s = node_cpu_s(l);
    l->rss_mb = node_rss_mb(l);
    if (l->work)
        ask_for_triage(l);
    l->finished = true;
    loop_stop(l->loop);
}

static double lost_ms(const struct load_report *r)
{
    return ((double)r->bytes_sent - (double)r->bytes_arrived) / 8.0;
}

static bool is_good(const struct load_report *r)
{
    return r->established == r->attempted && r->dropped == 0 && r->bytes_sent == r->bytes_arrived &&
           r->clears_missed == 0;
}

static void print_row(const char *name, const struct load_histogram *h)
{
    printf("  %-34s %9.2f %9.2f %9.2f %9.2f   %" PRIu64 "\n", name,
           load_quantile_us(h, 0.5) / 1000.0, load_quantile_us(h, 0.99) / 1000.0,
           load_quantile_us(h, 0.999) / 1000.0, h->max_us / 1000.0, h->n);
}

static void print_table(const struct loading *l)
{
    const struct load_report *r = &l->report;

    printf("%u calls attempted, %u established, %u failed, %u dropped\n", r->attempted,
           r->established, r->failed, r->dropped);
    printf("%" PRIu64 " caller frames, %.0f ms of them lost; %" PRIu64
           " agent deltas; %u barge-ins, %u not cleared\n\n",
           r->frames_sent, lost_ms(r), r->deltas_sent, r->barge_ins, r->clears_missed);
    printf(
        "  milliseconds                             p50       p99     p99.9     worst   samples\n");
    print_row("caller to model, one way", &r->up);
    print_row("model to caller, one way", &r->down);
    print_row("speech_started to clear", &r->clear);
    print_row("webhook to open stream", &r->setup);
    if (l->work)
        print_row("function call to its output", &r->tool);
    if (l->work && l->triage_n)
        printf("  %-34s %9.2f %9.2f %31" PRIu64 "\n", "words to rules, in the node",
               (double)l->triage_p50_us / 1000.0, (double)l->triage_p99_us / 1000.0, l->triage_n);
    printf("\n  node: %.2f ms of CPU per call and second, %.0f MB idle, %.0f KB more per call\n",
           1000.0 * (l->cpu_after_s - l->cpu_before_s) / (double)l->seconds / (double)l->calls,
           l->rss_idle_mb, (l->rss_mb - l->rss_idle_mb) * 1024.0 / (double)l->calls);
    printf("  our own loop lagged by %.2f ms at p99, %.2f ms at worst%s\n",
           load_quantile_us(&r->lag, 0.99) / 1000.0, r->lag.max_us / 1000.0,
           load_quantile_us(&r->lag, 0.99) > 500 ? ": the delays above hold that too" : "");
}

static void print_json_row(const char *name, const struct load_histogram *h)
{
    printf(",\"%s\":{\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"worst_us\":%u,\"n\":%" PRIu64 "}",
           name, load_quantile_us(h, 0.5), load_quantile_us(h, 0.99), load_quantile_us(h, 0.999),
           h->max_us, h->n);
}

static void print_json(const struct loading *l)
{
    const struct load_report *r = &l->report;

    printf(
        "{\"attempted\":%u,\"established\":%u,\"failed\":%u,\"dropped\":%u,\"frames_sent\":%" PRIu64
        ",\"lost_ms\":%.0f,\"deltas_sent\":%" PRIu64 ",\"barge_ins\":%u,\"clears_missed\":%u",
        r->attempted, r->established, r->failed, r->dropped, r->frames_sent, lost_ms(r),
        r->deltas_sent, r->barge_ins, r->clears_missed);
    print_json_row("up", &r->up);
    print_json_row("down", &r->down);
    print_json_row("clear", &r->clear);
    print_json_row("setup", &r->setup);
    print_json_row("tool", &r->tool);
    printf(",\"triage\":{\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 ",\"n\":%" PRIu64 "}",
           l->triage_p50_us, l->triage_p99_us, l->triage_n);
    printf(",\"cpu_ms_per_call_second\":%.3f,\"rss_idle_mb\":%.1f,\"rss_mb\":%.1f,\"harness_lag_"
           "p99_us\":%u,\"harness_lag_us\":%u}\n",
           1000.0 * (l->cpu_after_s - l->cpu_before_s) / (double)l->seconds / (double)l->calls,
           l->rss_idle_mb, l->rss_mb, load_quantile_us(&r->lag, 0.99), r->lag.max_us);
}

static int run(struct loading *l)
{
    struct load_opts o = {.account = CARRIER_DOUBLE_ACCOUNT,
                          .token = CARRIER_DOUBLE_TOKEN,
                          .to = l->to,
                          .node_url = l->url,
                          .calls = l->calls,
                          .per_second = l->rate,
                          .seconds = l->seconds,
                          .work = l->work,
                          .unruly = l->unruly,
                          .n_unruly = l->n_unruly};
    char why[256] = "";
    int fd, rc = listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why));

    if (rc) {
        fprintf(stderr, "%s\n", why);
        return EXIT_FAILED;
    }
    rc = start_node(l, listen_port(fd));
    pin(l, false);
    if (rc) {
        fprintf(stderr, "the node did not start (%s); its own words stand above\n",
                rd_strerror(rc));
        return EXIT_FAILED;
    }
    l->rss_idle_mb = node_rss_mb(l);
    rc = loop_new(&l->loop);
    if (!rc)
        rc = loop_timer_new(&l->progress, l->loop, on_progress, l);
    o.loop = l->loop;
    if (!rc)
        rc = load_start(&l->load, &o, fd, on_done, l);
    if (!rc) {
        loop_timer_in(l->progress, PROGRESS_MS);
        rc = loop_run(l->loop);
    }
    if (rc || !l->finished)
        return EXIT_FAILED;
    if (l->json)
        print_json(l);
    else
        print_table(l);
    return is_good(&l->report) ? EXIT_OK : EXIT_FAILED;
}

static bool read_number(const char *text, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (unsigned)n;
    return *text && !*end && n >= 1 && n <= max;
}

static bool read_option(struct loading *l, int o)
{
    switch (o) {
    case 'c':
        return read_number(optarg, CALLS_MAX, &l->calls);
    case 's':
        return read_number(optarg, 3600, &l->seconds);
    case 'r':
        return read_number(optarg, 1000, &l->rate);
    case 't':
        l->to = optarg;
        return true;
    case 'a':
        l->agents = optarg;
        return true;
    case 'u':
        if (l->n_unruly == UNRULY_MAX)
            return false;
        l->unruly[l->n_unruly++] = optarg;
        return true;
    case 'w':
        l->work = true;
        return true;
    case 'p':
        l->pinned = true;
        return true;
    case 'j':
        l->json = true;
        return true;
    default:
        return false;
    }
}

int cmd_load(int argc, char **argv)
{
    static const struct option options[] = {
        {"calls", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},
        {"to", 1, NULL, 't'},    {"agents", 1, NULL, 'a'},  {"unruly", 1, NULL, 'u'},
        {"work", 0, NULL, 'w'},  {"pin", 0, NULL, 'p'},     {"json", 0, NULL, 'j'},
        {"help", 0, NULL, 'h'},  {NULL, 0, NULL, 0}};
    struct loading l = {.calls = 50, .seconds = 10, .rate = 25, .to = "+13125550100"};
    int o, code;

    optind = 1;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (!read_option(&l, o)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    signal(SIGPIPE, SIG_IGN);
    code = run(&l);
    stop_node(&l);
    load_stop(l.load);
    loop_timer_free(l.progress);
    if (l.loop)
        loop_free(l.loop);
    load_free(l.load);
    return code;
}
