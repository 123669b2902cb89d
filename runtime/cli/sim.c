/* SPDX-License-Identifier: Apache-2.0 */
/* sim.c - `ringdown sim`: a simulated OpenAI on loopback, with --twilio the telephones, with --vapi Vapi,
 * until it is told to stop.
 *
 * Prints the environment that points a node at it (and at `ringdown call`, which places the calls),
 * then serves. SIGTERM or Ctrl-C ends it.
 *
 * - a scenario with mistakes: all of them with their lines, exit 2
 * - address taken, certificate unreadable, espeak-ng missing: a sentence, exit 1 */
#include "base/err.h"
#include "cli/commands.h"
#include "io/loop.h"
#include "sim/carrier/double.h"
#include "sim/live/double.h"
#include "sim/openai/double.h"
#include "sim/vapi/double.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_NODE "http://127.0.0.1:8080"

static const char usage[] =
    "usage: ringdown sim [--openai HOST:PORT] [--scenarios FOLDER] [--record-openai FILE]\n"
    "                    [--log FILE] [--tls-cert FILE --tls-key FILE]\n"
    "                    [--twilio HOST:PORT] [--node URL] [--fallback URL] [--twilio-log FILE]\n"
    "                    [--vapi HOST:PORT] [--vapi-log FILE] [--live HOST:PORT] [--live-log "
    "FILE]\n\n"
    "Plays OpenAI's Realtime API until it is told to stop: understands what the scenarios' "
    "callers\n"
    "say, by its sound, and answers what the scenarios say. Calls are placed by `ringdown "
    "call`.\n\n"
    "  --openai HOST:PORT    where to listen; default 127.0.0.1:9101 (also: --openai-listen)\n"
    "  --scenarios FOLDER    default examples/scenarios\n"
    "  --record-openai FILE  every event received, one JSON object per line\n"
    "  --log FILE            what it heard, said and did, one JSON object per line\n"
    "  --tls-cert, --tls-key serve wss instead of ws\n"
    "  --twilio HOST:PORT    also Twilio's REST API, and the telephones it calls and texts, as "
    "the\n"
    "                        scenarios' `people` say; not together with `ringdown call`, which\n"
    "                        brings its own\n"
    "  --node URL            whom those telephones answer; default $RINGDOWN_PUBLIC_URL, else\n"
    "                        http://127.0.0.1:8080\n"
    "  --fallback URL        asked when the node fails, as a number's fallback URL; default: none\n"
    "  --twilio-log FILE     what they do, one JSON object per line\n"
    "  --rest-fault LIST     how that API misbehaves; see ringdown call --help\n"
    "  --numbers N|FILE      the account's numbers: how many, from +13125550100 on, as Vapi "
    "leaves\n"
    "                        what it imports; or [{\"phone_number\": \"+1...\", \"voice_url\": "
    "...}]\n"
    "  --vapi HOST:PORT      also Vapi: its API, the assistant that takes Twilio's calls, its "
    "server\n"
    "                        messages to the node\n"
    "  --vapi-sign HOW       how those are authenticated: bearer (default), secret, hmac, "
    "hmac-base64,\n"
    "                        hmac-prefix, hmac-ms, none; with $VAPI_WEBHOOK_SECRET, or\n"
    "                        $VAPI_WEBHOOK_HMAC\n"
    "  --vapi-fault LIST     how it misbehaves: runtime/sim/vapi/fault.h\n"
    "  --vapi-log FILE       what it was asked, posted, heard and said, one JSON object per "
    "line\n"
    "  --live HOST:PORT      also OpenAI's GPT-Live; runtime/sim/live/double.h says how it "
    "misbehaves\n"
    "  --live-log FILE       what it was sent, heard and said, one JSON object per line\n\n"
    "Exit code 0 when told to stop, 1 when it cannot start, 2 for wrong arguments.\n";

struct simulating {
    const char *listen, *folder, *record, *log, *cert, *key;
    const char *twilio, *node, *fallback, *twilio_log, *rest_fault, *numbers;
    const char *vapi, *vapi_sign, *vapi_fault, *vapi_log;
    const char *live, *live_log;
    FILE *events; /* owns */
    struct tls_client *tls_client;
    struct carrier_double *carrier;
    struct scenario **scenarios; /* own */
    size_t n_scenarios;
    struct loop *loop;
    struct tls_server *tls;
    struct openai_double *openai;
    struct vapi_double *vapi_double;
    struct live_double *live_double;
};

#define WORD(name, member)                        \
    {                                             \
        name, offsetof(struct simulating, member) \
    }

static const struct {
    const char *name;
    size_t at; /* of what it sets */
} words[] = {WORD("openai", listen),
             WORD("openai-listen", listen),
             WORD("scenarios", folder),
             WORD("record-openai", record),
             WORD("log", log),
             WORD("tls-cert", cert),
             WORD("tls-key", key),
             WORD("twilio", twilio),
             WORD("node", node),
             WORD("fallback", fallback),
             WORD("twilio-log", twilio_log),
             WORD("rest-fault", rest_fault),
             WORD("numbers", numbers),
             WORD("vapi", vapi),
             WORD("vapi-sign", vapi_sign),
             WORD("vapi-fault", vapi_fault),
             WORD("vapi-log", vapi_log),
             WORD("live", live),
             WORD("live-log", live_log)};

enum { WORDS = sizeof(words) / sizeof(words[0]), FIRST_WORD = 256 };

static int read_arguments(struct simulating *s, int argc, char **argv, bool *leave)
{
    struct option options[WORDS + 2] = {[WORDS] = {"help", 0, NULL, 'h'}};
    int o;

    for (int i = 0; i < WORDS; i++)
        options[i] = (struct option){words[i].name, 1, NULL, FIRST_WORD + i};
    optind = 1;
    while ((o = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (o == 'h') {
            fputs(usage, stdout);
            *leave = true;
            return EXIT_OK;
        } else if (o == '?') {
            fputs("see: ringdown sim --help\n", stderr);
            return EXIT_USAGE;
        }
        *(const char **)((char *)s + words[o - FIRST_WORD].at) = optarg;
    }
    if (optind < argc || !s->cert != !s->key) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    return EXIT_OK;
}

static int load_scenarios(struct simulating *s)
{
    struct buf complaints;
    int rc;

    buf_init(&complaints, 1 << 20);
    rc = scenario_load_folder(&s->scenarios, &s->n_scenarios, s->folder, &complaints);
    if (complaints.n > 0)
        fwrite(complaints.data, 1, complaints.n, stderr);
    buf_fini(&complaints);
    return rc;
}

static void on_signal(int signum, void *arg)
{
    struct simulating *s = arg;

    (void)signum;
    loop_stop(s->loop);
}

static void on_event(const char *json, void *arg)
{
    struct simulating *s = arg;

    if (!s->events)
        return;
    fprintf(s->events, "%s\n", json);
    fflush(s->events);
}

/* Where the telephones and Vapi find the node. */
static const char *node_url(const struct simulating *s)
{
    const char *url = getenv("RINGDOWN_PUBLIC_URL");

    return s->node ? s->node : url ? url : DEFAULT_NODE;
}

/* The telephones, when they are asked for. */
static int start_twilio(struct simulating *s, char *why, size_t cap)
{
    const char *account = getenv("TWILIO_ACCOUNT_SID"), *token = getenv("TWILIO_AUTH_TOKEN");
    const char *ca_file = getenv("RINGDOWN_CA_FILE");
    struct carrier_double_opts o = {.loop = s->loop,
                                    .node_url = node_url(s),
                                    .fallback_url = s->fallback,
                                    .account_sid = account,
                                    .auth_token = token,
                                    .rest_listen = s->twilio,
                                    .rest_fault = s->rest_fault,
                                    .numbers = s->numbers,
                                    .scenarios = (const struct scenario *const *)s->scenarios,
                                    .n_scenarios = s->n_scenarios,
                                    .ca_file = ca_file,
                                    .on_event = on_event,
                                    .event_arg = s};
    int rc;

    if (!s->twilio)
        return 0;
    s->events = s->twilio_log ? fopen(s->twilio_log, "ae") : NULL;
    if (s->twilio_log && !s->events) {
        snprintf(why, cap, "%s: %s", s->twilio_log, strerror(errno));
        return -EIO;
    }
    rc = tls_client_new(&s->tls_client, ca_file, why, cap);
    o.tls = s->tls_client;
    return rc ? rc : carrier_double_start(&s->carrier, &o, why, cap);
}

static bool is_hmac(const struct simulating *s)
{
    return s->vapi_sign && strncmp(s->vapi_sign, "hmac", 4) == 0;
}

/* What its server messages are authenticated with. */
static const char *vapi_secret(const struct simulating *s)
{
    const char *own = getenv(is_hmac(s) ? "VAPI_WEBHOOK_HMAC" : "VAPI_WEBHOOK_SECRET");

    return own && *own ? own : VAPI_DOUBLE_SECRET;
}

static int start_vapi(struct simulating *s, char *why, size_t cap)
{
    const char *account = getenv("TWILIO_ACCOUNT_SID");
    char server[512];
    struct vapi_double_opts o = {.loop = s->loop,
                                 .listen = s->vapi,
                                 .account = account ? account : CARRIER_DOUBLE_ACCOUNT,
                                 .server = server,
                                 .sign = s->vapi_sign,
                                 .secret = vapi_secret(s),
                                 .fault = s->vapi_fault,
                                 .ca_file = getenv("RINGDOWN_CA_FILE"),
                                 .scenarios = s->scenarios,
                                 .n_scenarios = s->n_scenarios,
                                 .log = s->vapi_log};

    snprintf(server, sizeof(server), "%s/vapi/events", node_url(s));
    return s->vapi ? vapi_double_start(&s->vapi_double, &o, why, cap) : 0;
}

static int start_live(struct simulating *s, char *why, size_t cap)
{
    struct live_double_opts o = {.loop = s->loop,
                                 .listen = s->live,
                                 .scenarios = s->scenarios,
                                 .n_scenarios = s->n_scenarios,
                                 .log = s->live_log};

    return s->live ? live_double_start(&s->live_double, &o, why, cap) : 0;
}

/* 0, or an error that was told. */
static int start(struct simulating *s)
{
    struct openai_double_opts o = {.listen = s->listen,
                                   .scenarios = s->scenarios,
                                   .n_scenarios = s->n_scenarios,
                                   .record = s->record,
                                   .log = s->log};
    char why[512] = "";
    int rc = loop_new(&s->loop);

    if (rc == 0 && s->cert)
        rc = tls_server_new(&s->tls, s->cert, s->key, why, sizeof(why));
    o.loop = s->loop;
    o.tls = s->tls;
    rc = rc ? rc : openai_double_start(&s->openai, &o, why, sizeof(why));
    rc = rc ? rc : start_twilio(s, why, sizeof(why));
    rc = rc ? rc : start_vapi(s, why, sizeof(why));
    rc = rc ? rc : start_live(s, why, sizeof(why));
    rc = rc ? rc : loop_on_signal(s->loop, SIGINT, on_signal, s);
    rc = rc ? rc : loop_on_signal(s->loop, SIGTERM, on_signal, s);
    if (rc)
        fprintf(stderr, "ringdown sim: %s\n", why[0] ? why : rd_strerror(rc));
    return rc;
}

static void print_environment(const struct simulating *s)
{
    printf(
        "# %zu scenarios. Point a node here, and place calls with: ringdown call --scenario FILE\n"
        "export OPENAI_REALTIME_URL=%s://127.0.0.1:%u/v1/realtime\n"
        "export OPENAI_API_KEY=sk-double\n"
        "export TWILIO_API_URL=http://127.0.0.1:%u\n"
        "export TWILIO_ACCOUNT_SID=" CARRIER_DOUBLE_ACCOUNT "\n"
        "export TWILIO_AUTH_TOKEN=" CARRIER_DOUBLE_TOKEN "\n"
        "export RINGDOWN_PUBLIC_URL=http://127.0.0.1:8080\n",
        s->n_scenarios, s->tls ? "wss" : "ws", openai_double_port(s->openai),
        s->carrier ? carrier_double_rest_port(s->carrier) : 9102);
    if (s->vapi_double)
        printf("export VAPI_API_URL=http://127.0.0.1:%u\n"
               "export VAPI_API_KEY=" VAPI_DOUBLE_KEY "\n"
               "export %s=%s\n",
               vapi_double_port(s->vapi_double),
               is_hmac(s) ? "VAPI_WEBHOOK_HMAC" : "VAPI_WEBHOOK_SECRET", vapi_secret(s));
    if (s->live_double)
        printf("export OPENAI_LIVE_URL=ws://127.0.0.1:%u/v1/live/sessions\n",
               live_double_port(s->live_double));
    if (s->cert)
        printf("export RINGDOWN_CA_FILE=%s\n", s->cert);
    fflush(stdout);
}

static void finish(struct simulating *s)
{
    carrier_double_stop(s->carrier);
    vapi_double_stop(s->vapi_double);
    live_double_stop(s->live_double);
    if (s->openai)
        openai_double_stop(s->openai);
    if (s->loop)
        loop_free(s->loop);
    tls_client_free(s->tls_client);
    if (s->events)
        fclose(s->events);
    tls_server_free(s->tls);
    for (size_t i = 0; i < s->n_scenarios; i++)
        scenario_free(s->scenarios[i]);
    free(s->scenarios);
}

int cmd_sim(int argc, char **argv)
{
    struct simulating s = {.listen = "127.0.0.1:9101", .folder = "examples/scenarios"};
    bool leave = false;
    int code = read_arguments(&s, argc, argv, &leave);
    uint64_t violations;

    if (code || leave)
        return code;
    if (load_scenarios(&s)) {
        code = EXIT_USAGE;
    } else if (start(&s)) {
        code = EXIT_FAILED;
    } else {
        print_environment(&s);
        loop_run(s.loop);
        violations = openai_double_violations(s.openai);
        if (violations > 0)
            fprintf(stderr, "ringdown sim: %" PRIu64 " events that OpenAI would have refused\n",
                    violations);
    }
    finish(&s);
    return code;
}
