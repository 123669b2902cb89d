/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - `ringdown call`: simulated phone calls to any node, as Twilio would place them.
 *
 *   ringdown call --scenario examples/scenarios/booking.lua
 *   ringdown call --to +13125550100 --scenario F --scenario G --calls 10 --parallel --wav build/wav
 *
 * Progress goes to stderr, a table to stdout; exit 0 only if every call did what its scenario says.
 * Addresses and keys come from the same variables the node reads, so that both agree.
 *
 * - a scenario with mistakes: all of them with their lines, exit 2, no call was placed
 * - REST address taken, no certificate to trust: a sentence, exit 1 */
#include "base/err.h"
#include "base/log.h"
#include "cli/call_live.h"
#include "cli/commands.h"
#include "io/loop.h"
#include "sim/carrier/double.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { SCENARIOS_MAX = 100, CALLS_MAX = 1000, START_GAP_MS = 100, LOOK_MS = 50, SETTLE_MS = 15000 };

static const char usage[] =
    "usage: ringdown call --scenario FILE [--scenario FILE ...] [--to NUMBER] [--calls N]\n"
    "                     [--parallel] [--url URL] [--fallback URL] [--rest HOST:PORT]\n"
    "                     [--rest-fault LIST] [--linger SECONDS]\n"
    "                     [--account SID] [--token TOKEN] [--ca-file FILE] [--wav FOLDER]\n"
    "                     [--openai-log FILE] [--as-real] [--json]\n\n"
    "Places simulated calls, one after another or at once, and tells whether each did what its\n"
    "scenario says. --calls N runs every scenario N times.\n\n"
    "  --to NUMBER        instead of the scenario's number\n"
    "  --url URL          the node; default $RINGDOWN_PUBLIC_URL, else http://127.0.0.1:8080\n"
    "  --fallback URL     asked when the node fails, as a number's fallback URL; default: none\n"
    "  --rest HOST:PORT   where the node finds Twilio's REST API; default: what\n"
    "                     $TWILIO_API_URL says, else 127.0.0.1:9102\n"
    "  --rest-fault LIST  how that API misbehaves, one word per request: 429, 500, 503 (not "
    "done),\n"
    "                     lost, timeout, slow, 500-after (done, but the answer does not arrive, "
    "or\n"
    "                     not so), well; with get-, dial-, text- or number- in front for reads,\n"
    "                     created calls and texts, changed numbers; stall: nothing but the API "
    "ends a call\n"
    "  --linger SECONDS   the telephones and the API stay so long after the last call; texts that\n"
    "                     are on their way are waited for in any case, but not forever\n"
    "  --account, --token default $TWILIO_ACCOUNT_SID and $TWILIO_AUTH_TOKEN, else the doubles' "
    "own\n"
    "  --ca-file FILE     whom to trust; default $RINGDOWN_CA_FILE, else the system's\n"
    "  --wav FOLDER       a stereo recording of each call: caller left, agent right\n"
    "  --openai-log FILE  what `ringdown sim --log FILE` writes; only there tools can be seen, "
    "and\n"
    "                     without it a scenario's `tools` are not judged\n"
    "  --as-real          the node counts them as callers'; else they are tests, in no statistics\n"
    "  --json             one event per line on stdout, and a report per call\n\n"
    "Exit code 0 when every call was as it should be, 1 when one was not, 2 for wrong arguments.\n";

struct calling {
    const char *to, *url, *fallback, *rest, *rest_fault, *account, *token, *ca_file, *wav,
        *openai_log;
    const char *files[SCENARIOS_MAX];
    size_t n_files;
    int calls, linger_s;
    bool parallel, json, as_real;

    struct scenario **scenarios;   /* own; one per file */
    const struct scenario **order; /* owns the array; one per call */
    struct call_report *reports;   /* owns; in the order of `order` */
    struct call_slot *slots;       /* owns */
    size_t n, placed, finished;
    char rest_from_env[256];
    long log_from;
    struct loop *loop;
    struct tls_client *tls;
    struct carrier_double *carrier;
    struct loop_timer *next, *settled;
    uint64_t over_ms; /* when the last call was */
    bool interrupted;
};

struct call_slot {
    struct calling *calling;
    size_t place;
};

static const char *env_or(const char *name, const char *otherwise)
{
    const char *value = getenv(name);

    return value && *value ? value : otherwise;
}

/* "http://127.0.0.1:9102" as an address to listen on; only what is on this machine. */
static const char *rest_default(struct calling *c)
{
    const char *url = env_or("TWILIO_API_URL", "");

    if (strncmp(url, "http://127.0.0.1:", 17) == 0 || strncmp(url, "http://localhost:", 17) == 0) {
        snprintf(c->rest_from_env, sizeof(c->rest_from_env), "127.0.0.1:%d", atoi(url + 17));
        return c->rest_from_env;
    }
    return "127.0.0.1:9102";
}

/* What cannot be done with the arguments, in one sentence. `word` belongs to no option, or NULL. */
static int complain_arguments(const struct calling *c, const char *word)
{
    if (word)
        fprintf(stderr, "ringdown call: does not know what to do with \"%s\"", word);
    else if (c->n_files == 0)
        fputs("ringdown call: a call needs --scenario FILE: what the caller says", stderr);
    else if (c->calls < 1 || (size_t)c->calls * c->n_files > CALLS_MAX)
        fprintf(stderr, "ringdown call: --calls must be a number from 1 to %zu here",
                (size_t)CALLS_MAX / c->n_files);
    else
        return EXIT_OK;
    fputs("; see: ringdown call --help\n", stderr);
    return EXIT_USAGE;
}

enum {
    TO = 256,
    SCENARIO,
    URL,
    FALLBACK,
    REST,
    ACCOUNT,
    TOKEN,
    CA,
    WAV,
    LOG,
    FAULT,
    CALLS,
    LINGER
};

static const struct option options[] = {{"to", 1, NULL, TO},
                                        {"scenario", 1, NULL, SCENARIO},
                                        {"url", 1, NULL, URL},
                                        {"fallback", 1, NULL, FALLBACK},
                                        {"rest", 1, NULL, REST},
                                        {"account", 1, NULL, ACCOUNT},
                                        {"token", 1, NULL, TOKEN},
                                        {"ca-file", 1, NULL, CA},
                                        {"wav", 1, NULL, WAV},
                                        {"openai-log", 1, NULL, LOG},
                                        {"rest-fault", 1, NULL, FAULT},
                                        {"calls", 1, NULL, CALLS},
                                        {"linger", 1, NULL, LINGER},
                                        {"parallel", 0, NULL, 'p'},
                                        {"json", 0, NULL, 'j'},
                                        {"as-real", 0, NULL, 'r'},
                                        {"help", 0, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

/* Fills in what was asked for; EXIT_OK to go on. *leave when only help was wanted. */
static int read_arguments(struct calling *c, int argc, char **argv, bool *leave)
{
    const char **places[] = {&c->to,   &c->files[0],   &c->url,       &c->fallback,
                             &c->rest, &c->account,    &c->token,     &c->ca_file,
                             &c->wav,  &c->openai_log, &c->rest_fault};
    int o;

    optind = 1;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            *leave = true;
            return EXIT_OK;
        } else if (o == '?') {
            fputs("see: ringdown call --help\n", stderr);
            return EXIT_USAGE;
        } else if (o == 'p') {
            c->parallel = true;
        } else if (o == 'j') {
            c->json = true;
        } else if (o == 'r') {
            c->as_real = true;
        } else if (o == CALLS) {
            c->calls = atoi(optarg);
        } else if (o == LINGER) {
            c->linger_s = atoi(optarg);
        } else if (o == SCENARIO) {
            if (c->n_files < SCENARIOS_MAX)
                c->files[c->n_files++] = optarg;
        } else {
            *places[o - TO] = optarg;
        }
    }
    return complain_arguments(c, optind < argc ? argv[optind] : NULL);
}

static void add_defaults(struct calling *c)
{
    c->url = c->url ? c->url : env_or("RINGDOWN_PUBLIC_URL", "http://127.0.0.1:8080");
    c->rest = c->rest ? c->rest : rest_default(c);
    c->account = c->account ? c->account : env_or("TWILIO_ACCOUNT_SID", CARRIER_DOUBLE_ACCOUNT);
    c->token = c->token ? c->token : env_or("TWILIO_AUTH_TOKEN", CARRIER_DOUBLE_TOKEN);
    c->ca_file = c->ca_file ? c->ca_file : env_or("RINGDOWN_CA_FILE", NULL);
}

static int load_scenarios(struct calling *c)
{
    struct buf complaints;
    int rc = 0;

    buf_init(&complaints, 1 << 20);
    c->scenarios = calloc(c->n_files, sizeof(struct scenario *));
    c->n = c->n_files * (size_t)c->calls;
    c->order = calloc(c->n, sizeof(const struct scenario *));
    c->reports = calloc(c->n, sizeof(*c->reports));
    c->slots = calloc(c->n, sizeof(*c->slots));
    if (!c->scenarios || !c->order || !c->reports || !c->slots)
        rc = -ENOMEM;
    for (size_t i = 0; i < c->n_files && rc != -ENOMEM; i++) {
        int one = scenario_load(&c->scenarios[i], c->files[i], &complaints);
        rc = rc ? rc : one;
    }
    if (complaints.n > 0)
        fwrite(complaints.data, 1, complaints.n, stderr);
    buf_fini(&complaints);
    for (size_t i = 0; rc == 0 && i < c->n; i++) {
        c->order[i] = c->scenarios[i % c->n_files];
        c->slots[i] = (struct call_slot){c, i};
    }
    return rc;
}

static void on_event(const char *json, void *arg)
{
    struct calling *c = arg;

    if (c->json) {
        puts(json);
        fflush(stdout);
    } else {
        call_live_print(stderr, json);
    }
}

/* All calls are over: what is still on its way gets its time. */
static void on_settled(void *arg)
{
    struct calling *c = arg;
    uint64_t now = clock_ms(loop_clock()), linger_ms = (uint64_t)c->linger_s * 1000;

    c->over_ms = c->over_ms ? c->over_ms : now;
    if (now - c->over_ms >= linger_ms &&
        (!carrier_double_busy(c->carrier) || now - c->over_ms >= linger_ms + SETTLE_MS))
        loop_stop(c->loop);
    else
        loop_timer_in(c->settled, LOOK_MS);
}

static void on_report(const struct call_report *r, void *arg)
{
    struct call_slot *slot = arg;
    struct calling *c = slot->calling;

    c->reports[slot->place] = *r;
    c->finished++;
    if (c->finished == c->n)
        loop_timer_in(c->settled, 0);
    else if (!c->parallel)
        loop_timer_in(c->next, 0);
}

static void on_next(void *arg)
{
    struct calling *c = arg;
    const struct scenario *s = c->order[c->placed];
    struct call_slot *slot = &c->slots[c->placed];
    char file[4096];
    int rc;

    if (c->wav && c->calls > 1)
        snprintf(file, sizeof(file), "%s/%s-%zu.wav", c->wav, s->name, c->placed / c->n_files + 1);
    else if (c->wav)
        snprintf(file, sizeof(file), "%s/%s.wav", c->wav, s->name);
    c->placed++;
    rc = carrier_double_call(c->carrier, s, c->to, c->wav ? file : NULL, on_report, slot);
    if (rc) {
        struct call_report r = {.scenario = s->name, .ended_by = "error"};
        snprintf(r.why, sizeof(r.why), "%s", rd_strerror(rc));
        on_report(&r, slot);
    }
    if (c->parallel && c->placed < c->n)
        loop_timer_in(c->next, START_GAP_MS);
}

static void on_signal(int signum, void *arg)
{
    struct calling *c = arg;

    (void)signum;
    c->interrupted = true;
    loop_stop(c->loop);
}

/* 0, or an error that was told. */
static int start(struct calling *c)
{
    struct carrier_double_opts o = {.node_url = c->url,
                                    .fallback_url = c->fallback,
                                    .trial = c->as_real ? NULL : "call",
                                    .account_sid = c->account,
                                    .auth_token = c->token,
                                    .rest_listen = c->rest,
                                    .rest_fault = c->rest_fault,
                                    .scenarios = (const struct scenario *const *)c->scenarios,
                                    .n_scenarios = c->n_files,
                                    .ca_file = c->ca_file,
                                    .on_event = on_event,
                                    .event_arg = c};
    char why[256] = "";
    int rc = loop_new(&c->loop);

    if (c->wav && mkdir(c->wav, 0777) && errno != EEXIST) {
        fprintf(stderr, "ringdown call: %s: %s\n", c->wav, strerror(errno));
        return -errno;
    }
    rc = rc ? rc : tls_client_new(&c->tls, c->ca_file, why, sizeof(why));
    o.loop = c->loop;
    o.tls = c->tls;
    rc = rc ? rc : carrier_double_start(&c->carrier, &o, why, sizeof(why));
    rc = rc ? rc : loop_timer_new(&c->next, c->loop, on_next, c);
    rc = rc ? rc : loop_timer_new(&c->settled, c->loop, on_settled, c);
    rc = rc ? rc : loop_on_signal(c->loop, SIGINT, on_signal, c);
    rc = rc ? rc : loop_on_signal(c->loop, SIGTERM, on_signal, c);
    if (rc)
        fprintf(stderr, "ringdown call: %s\n", why[0] ? why : rd_strerror(rc));
    return rc;
}

static int judge(struct calling *c)
{
    int rc = 0;

    if (c->interrupted) {
        fputs("ringdown call: interrupted\n", stderr);
        return EXIT_FAILED;
    }
    if (c->openai_log)
        rc = call_tools_judge(c->reports, c->order, c->n, c->openai_log, c->log_from);
    if (rc)
        fprintf(stderr, "ringdown call: %s: %s\n", c->openai_log, rd_strerror(rc));
    for (size_t i = 0; i < c->n; i++) {
        if (c->json)
            call_report_print(stdout, &c->reports[i]);
        rc = rc || !c->reports[i].ok;
    }
    if (!c->json)
        call_table_print(stdout, c->reports, c->n);
    return rc ? EXIT_FAILED : EXIT_OK;
}

/* Where the log of the OpenAI double ends now: what comes behind is ours. */
static long log_end(const char *log)
{
    struct stat st;

    return log && stat(log, &st) == 0 ? (long)st.st_size : 0;
}

static void finish(struct calling *c)
{
    loop_timer_free(c->next);
    loop_timer_free(c->settled);
    carrier_double_stop(c->carrier);
    if (c->loop)
        loop_free(c->loop);
    tls_client_free(c->tls);
    for (size_t i = 0; c->scenarios && i < c->n_files; i++)
        scenario_free(c->scenarios[i]);
    free(c->scenarios);
    free(c->order);
    free(c->reports);
    free(c->slots);
}

int cmd_call(int argc, char **argv)
{
    struct calling c = {.calls = 1};
    bool leave = false;
    int code = read_arguments(&c, argc, argv, &leave);

    if (code || leave)
        return code;
    log_config(LOG_ERROR, LOG_LOGFMT);
    add_defaults(&c);
    c.log_from = log_end(c.openai_log);
    if (load_scenarios(&c)) {
        code = EXIT_USAGE;
    } else if (start(&c)) {
        code = EXIT_FAILED;
    } else {
        loop_timer_in(c.next, 0);
        loop_run(c.loop);
        code = judge(&c);
    }
    finish(&c);
    return code;
}
