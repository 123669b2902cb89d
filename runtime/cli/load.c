/* SPDX-License-Identifier: Apache-2.0 */
/* load.c - `ringdown load`: how much the node adds to a frame, and how fast it clears, at N calls.
 *
 *   ringdown load                         50 calls for 10 s against a node of its own
 *   ringdown load --calls 200 --seconds 30 --json
 *   ringdown load --calls 400 --mix pass --pairs 5 --pin     compared with a byte relay
 *
 * Starts a node of its own on loopback (this very program, `serve`), with a data folder that is
 * removed afterwards, and plays the telephone network and the model for it. Delays are from our
 * write to our read, so they hold the node, the kernel and our own clock; a run in which our clock
 * lagged by more than 0.5 ms at p99 says so. Progress goes to stderr, the table to stdout.
 *
 * - the node does not start or no agent loads: its own words, exit 1. */
#include "cli/load.h"
#include "base/err.h"
#include "cli/commands.h"
#include "cli/load_node.h"
#include "sim/carrier/double.h"
#include "sim/load/relay.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char usage[] =
    "usage: ringdown load [--calls N] [--seconds N] [--rate N | --ramp N] [--mix MIX]\n"
    "                     [--duration N] [--drops N] [--over N] [--tls] [--tls-carrier]\n"
    "                     [--to NUMBER] [--agents FOLDER] [--work] [--unruly NUMBER]...\n"
    "                     [--pairs N | --curve | --self-test] [--cores N] [--pin]\n"
    "                     [--lag MS] [--json] [--html FILE]\n\n"
    "Starts a node on loopback, places N calls (default 50, --rate 25 a second), lets them talk\n"
    "for --seconds (default 10) and tells what the node added to each frame, how fast it cleared\n"
    "when a caller cut in, what was lost, and what it cost.\n\n"
    "what is played\n"
    "  --mix MIX       what calls are like: one of the words, or shares of them, as in\n"
    "                  talk=60,listen=20,barge=10,tool=10\n"
    "                  talk (the default): the model speaks in turns, every second is cut in upon\n"
    "                  listen: the model greets, then the caller speaks\n"
    "                  barge: every turn is cut in upon\n"
    "                  tool: in every turn the model calls the agent's tool `steady`\n"
    "                  pass: one frame of 20 ms each way every 20 ms, and nothing else\n"
    "  --ramp N        all calls within N seconds, instead of --rate\n"
    "  --duration N    calls end after about N seconds, and others come\n"
    "  --drops N       of 100 calls N lose the caller, or the model, without a word\n"
    "  --over N        the node takes --calls, and N more are placed while it is full\n"
    "  --tls           the model is behind TLS; --tls-carrier: the node is, for the callers\n"
    "  --work          as tool, but in all calls; --unruly: one more call to this number, not in\n"
    "                  the table, whose model calls its tool `unruly` forty times at once\n\n"
    "what is compared\n"
    "  --pairs N       the same calls through a byte relay and through a node, in turn, N times;\n"
    "                  medians and differences. A pair in which we lagged is made again\n"
    "  --curve         more and more calls, up to --calls, until it bends\n"
    "  --self-test     the relay alone: what we cost ourselves, and how exact we are\n"
    "  --relay A,B     be that relay, from port A to port B of this machine\n"
    "  --pin           the node has all processors but the last; we and its database have that\n"
    "  --cores N       the node has N processors and N media threads; with --pin\n"
    "  --lag MS        how late our own clock may be at p99 (default 0.5)\n\n"
    "Exit code 0 when every call came up and nothing was lost, 1 otherwise, 2 for wrong\n"
    "arguments, 3 when nothing was measured: we lagged too often, or no processor was left.\n";

static bool read_number(const char *text, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (unsigned)n;
    return *text && !*end && n >= 1 && n <= max;
}

static bool read_lag(struct load_wish *w, const char *text)
{
    char *end;
    double ms = strtod(text, &end);

    w->lag_max_us = ms > 0 && ms <= 1e6 ? (unsigned)(ms * 1000) : 0;
    return *text && !*end && w->lag_max_us;
}

/* What is compared, and with what. */
static bool read_comparison(struct load_wish *w, int o)
{
    switch (o) {
    case 'P':
        return read_number(optarg, LOAD_PAIRS_MAX, &w->pairs);
    case 'C':
        w->curve = true;
        return true;
    case 'S':
        w->self_test = true;
        return true;
    case 'n':
        w->pinned = true;
        return read_number(optarg, 64, &w->cores);
    case 'p':
        w->pinned = true;
        return true;
    case 'l':
        return read_lag(w, optarg);
    case 'j':
        w->json = true;
        return true;
    case 'H':
        w->html = optarg;
        return true;
    default:
        return false;
    }
}

/* How the calls are. */
static bool read_play(struct load_wish *w, int o)
{
    switch (o) {
    case 'm':
        w->mix = optarg;
        return load_mix_read(&w->run.mix, optarg) == 0;
    case 'R':
        return read_number(optarg, 600, &w->ramp);
    case 'd':
        return read_number(optarg, 3600, &w->run.duration_s);
    case 'D':
        return read_number(optarg, 100, &w->run.drops);
    case 'o':
        return read_number(optarg, LOAD_CALLS_MAX, &w->run.n_beyond);
    case 'T':
        w->model_tls = true;
        return true;
    case 'K':
        w->run.carrier_tls = true;
        return true;
    default:
        return read_comparison(w, o);
    }
}

static bool read_option(struct load_wish *w, int o)
{
    switch (o) {
    case 'c':
        return read_number(optarg, LOAD_CALLS_MAX, &w->run.calls);
    case 's':
        return read_number(optarg, 3600, &w->run.seconds);
    case 'r':
        return read_number(optarg, 1000, &w->run.per_second);
    case 't':
        w->run.to = optarg;
        return true;
    case 'a':
        w->agents = optarg;
        return true;
    case 'u':
        if (w->run.n_unruly == LOAD_UNRULY_MAX)
            return false;
        w->unruly[w->run.n_unruly++] = optarg;
        return true;
    case 'w':
        w->run.work = true;
        return true;
    default:
        return read_play(w, o);
    }
}

static int be_relay(const char *ports)
{
    unsigned from, to;
    int rc;

    if (sscanf(ports, "%u,%u", &from, &to) != 2 || from > UINT16_MAX || to > UINT16_MAX) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    rc = relay_run((uint16_t)from, (uint16_t)to);
    fprintf(stderr, "the relay cannot listen on port %u (%s); name one that is free\n", from,
            rd_strerror(rc));
    return EXIT_FAILED;
}

/* Each call is two connections here, and two in the relay. */
static void allow_files(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

static int single(const struct load_wish *w)
{
    struct load_result *r = calloc(1, sizeof(*r));
    struct load_page page = {.node = w->self_test ? NULL : r,
                             .relay = w->self_test ? r : NULL,
                             .title = w->self_test ? "The harness and a relay" : "One run"};
    int code = r ? load_once(w, w->self_test, "", r) : EXIT_FAILED;

    if (!code) {
        if (w->json)
            load_print_json(w, r);
        else if (w->self_test)
            load_print_self_test(w, r);
        else
            load_print_table(w, r);
        if (w->html && load_write_page(w, &page))
            code = EXIT_FAILED;
        if (!load_is_good(&r->report) || (w->self_test && load_lagged(w, &r->report)))
            code = EXIT_FAILED;
    }
    free(r);
    return code;
}

static int run(struct load_wish *w)
{
    int processors = load_processors();

    if (w->cores && (int)w->cores >= processors) {
        fprintf(stderr,
                "NOT POSSIBLE: %u processors for the node and one for us are more than the %d of "
                "this machine\n",
                w->cores, processors);
        return LOAD_NOT_MEASURED;
    }
    if (w->ramp)
        w->run.per_second = (w->run.calls + w->ramp - 1) / w->ramp;
    if (w->pairs)
        return load_in_pairs(w);
    return w->curve ? load_curve(w) : single(w);
}

static const struct option options[] = {
    {"calls", 1, NULL, 'c'},     {"seconds", 1, NULL, 's'},     {"rate", 1, NULL, 'r'},
    {"ramp", 1, NULL, 'R'},      {"mix", 1, NULL, 'm'},         {"duration", 1, NULL, 'd'},
    {"drops", 1, NULL, 'D'},     {"over", 1, NULL, 'o'},        {"tls", 0, NULL, 'T'},
    {"pairs", 1, NULL, 'P'},     {"tls-carrier", 0, NULL, 'K'}, {"curve", 0, NULL, 'C'},
    {"self-test", 0, NULL, 'S'}, {"cores", 1, NULL, 'n'},       {"relay", 1, NULL, 'Y'},
    {"lag", 1, NULL, 'l'},       {"html", 1, NULL, 'H'},        {"to", 1, NULL, 't'},
    {"agents", 1, NULL, 'a'},    {"unruly", 1, NULL, 'u'},      {"work", 0, NULL, 'w'},
    {"pin", 0, NULL, 'p'},       {"json", 0, NULL, 'j'},        {"help", 0, NULL, 'h'},
    {NULL, 0, NULL, 0}};

int cmd_load(int argc, char **argv)
{
    struct load_wish w = {.run = {.calls = 50,
                                  .seconds = 10,
                                  .warm_seconds = 1,
                                  .per_second = 25,
                                  .mix = {.share = {[LOAD_TALK] = 1}},
                                  .to = "+13125550100",
                                  .account = CARRIER_DOUBLE_ACCOUNT,
                                  .token = CARRIER_DOUBLE_TOKEN},
                          .mix = "talk",
                          .lag_max_us = 500};
    int o;

    signal(SIGPIPE, SIG_IGN);
    allow_files();
    optind = 1;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (o == 'Y')
            return be_relay(optarg);
        if (!read_option(&w, o)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc || (w.pairs > 0) + w.curve + w.self_test > 1) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(&w);
}
