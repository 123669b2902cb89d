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
#include "sim/carrier/double.h"
#include "sim/load/relay.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { PAIRS_MAX = 25 };

static const char usage[] =
    "usage: ringdown load [--calls N] [--seconds N] [--rate N] [--mix talk|pass]\n"
    "                     [--to NUMBER] [--agents FOLDER] [--work] [--unruly NUMBER]...\n"
    "                     [--pairs N] [--pin] [--json]\n\n"
    "Starts a node on loopback, places N calls (default 50, --rate 25 a second), lets them talk\n"
    "for --seconds (default 10) and tells what the node added to each frame, how fast it cleared\n"
    "when a caller cut in, what was lost, and what it cost.\n\n"
    "--mix talk: the model speaks in turns, 200 ms at a time, and is cut in upon (the default);\n"
    "      pass: one frame of 20 ms each way every 20 ms, and nothing else.\n\n"
    "--work: in every turn the model calls the agent's tool `steady`, and its answer is timed.\n"
    "--unruly: one more call to this number, not in the table; the model calls its tool\n"
    "`unruly` forty times at once: see what that does to the others.\n\n"
    "--pairs N: the same calls through a byte relay and through a node, in turn, N times; tells\n"
    "the medians and their differences. A pair in which we ourselves lagged is made again.\n"
    "--relay FROM,TO: be that relay, between two ports of this machine.\n"
    "--pin: the node has all processors but the last; we and its database have that one.\n\n"
    "Exit code 0 when every call came up and nothing was lost, 1 otherwise, 2 for wrong\n"
    "arguments, 3 when we lagged too often to measure pairs.\n";

static bool read_number(const char *text, unsigned max, unsigned *out)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    *out = (unsigned)n;
    return *text && !*end && n >= 1 && n <= max;
}

static bool read_mix(struct load_wish *w, const char *text)
{
    bool pass = strcmp(text, "pass") == 0;

    w->run.mix = pass ? LOAD_PASS : LOAD_TALK;
    return pass || strcmp(text, "talk") == 0;
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
    case 'm':
        return read_mix(w, optarg);
    case 'P':
        return read_number(optarg, PAIRS_MAX, &w->pairs);
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
    case 'p':
        w->pinned = true;
        return true;
    case 'j':
        w->json = true;
        return true;
    default:
        return false;
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

static int run(const struct load_wish *w)
{
    struct load_result *r;
    int code;

    if (w->pairs)
        return load_in_pairs(w);
    r = calloc(1, sizeof(*r));
    if (!r)
        return EXIT_FAILED;
    code = load_once(w, false, "", r);
    if (!code) {
        if (w->json)
            load_print_json(r);
        else
            load_print_table(w, r);
        code = load_is_good(&r->report) ? EXIT_OK : EXIT_FAILED;
    }
    free(r);
    return code;
}

int cmd_load(int argc, char **argv)
{
    static const struct option options[] = {
        {"calls", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},
        {"mix", 1, NULL, 'm'},   {"pairs", 1, NULL, 'P'},   {"relay", 1, NULL, 'R'},
        {"to", 1, NULL, 't'},    {"agents", 1, NULL, 'a'},  {"unruly", 1, NULL, 'u'},
        {"work", 0, NULL, 'w'},  {"pin", 0, NULL, 'p'},     {"json", 0, NULL, 'j'},
        {"help", 0, NULL, 'h'},  {NULL, 0, NULL, 0}};
    struct load_wish w = {.run = {.calls = 50,
                                  .seconds = 10,
                                  .warm_seconds = 1,
                                  .per_second = 25,
                                  .to = "+13125550100",
                                  .account = CARRIER_DOUBLE_ACCOUNT,
                                  .token = CARRIER_DOUBLE_TOKEN}};
    int o;

    signal(SIGPIPE, SIG_IGN);
    allow_files();
    optind = 1;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            return EXIT_OK;
        }
        if (o == 'R')
            return be_relay(optarg);
        if (!read_option(&w, o)) {
            fputs(usage, stderr);
            return EXIT_USAGE;
        }
    }
    if (optind < argc) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return run(&w);
}
