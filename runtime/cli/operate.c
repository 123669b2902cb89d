/* SPDX-License-Identifier: Apache-2.0 */
/* operate.c - settings, agents and database → a pool of one script thread → one operation → its lines.
 *
 *   main: waits ◀─ the end, or a signal            script thread: prints what it tells
 *
 * Failure modes:
 * - the database is away: the operation hears so when it asks, and says what that means
 * - no agents folder, no release of them: it sees no agents
 * - it raises: its words on stderr, the traceback at log level debug, exit 1 */
#include "cli/operate.h"

#include "agent/host.h"
#include "agent/tree.h"
#include "base/err.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/operate_database.h"
#include "cli/sites.h"

#include <errno.h>
#include <limits.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { MAILBOX = 64, COMPLAINTS_MAX = 1 << 20, DAY_MS = 86400000 };

struct operating {
    const struct operate_opts *opts;
    struct operate_database database;
    struct agent_set *agents;
    struct script_pool *pool;
    bool has_progress; /* a line on the terminal that is not ended */
    atomic_bool over;
    int code;
};

/* Shared with the signal handler. */
static sem_t changed;
static atomic_bool stop;
static atomic_uint signals;

static void on_signal(int signum)
{
    int kept = errno;

    (void)signum;
    atomic_store(&stop, true);
    atomic_fetch_add(&signals, 1);
    (void)sem_post(&changed);
    errno = kept;
}

/* --- what it tells: its thread --- */

static void end_progress(struct operating *o)
{
    if (o->has_progress)
        fputs("\r\033[K", stderr);
    o->has_progress = false;
}

/* What fits into one line of the terminal, so that it can be written again. */
static int width(void)
{
    struct winsize size;

    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1 : 79;
}

static void show_progress(struct operating *o, const char *words)
{
    if (!isatty(STDERR_FILENO)) {
        if (!o->opts->as_json) /* a program asked */
            fprintf(stderr, "%s\n", words);
        return;
    }
    fprintf(stderr, "\r\033[K%.*s", width(), words);
    fflush(stderr);
    o->has_progress = true;
}

static void on_line(void *arg, struct rd_str json)
{
    struct operating *o = arg;
    json_t *told = json_loadb(json.p, json.n, 0, NULL);
    const char *text = json_string_value(json_object_get(told, "text"));
    const char *note = json_string_value(json_object_get(told, "note"));
    const char *progress = json_string_value(json_object_get(told, "progress"));

    if (text || note)
        end_progress(o);
    if (text && !o->opts->as_json) {
        puts(text);
        fflush(stdout);
    }
    if (note)
        fprintf(stderr, "note: %s\n", note);
    if (progress)
        show_progress(o, progress);
    json_decref(told);
}

static int code_of(const json_t *result)
{
    if (json_is_true(json_object_get(result, "usage")))
        return EXIT_USAGE;
    return json_is_true(json_object_get(result, "failed")) ? EXIT_FAILED : EXIT_OK;
}

static void print_result(const struct operating *o, const json_t *result)
{
    if (!o->opts->as_json)
        return;
    json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
    putchar('\n');
}

static void on_done(void *arg, const struct operation_end *e)
{
    struct operating *o = arg;
    json_t *result = e->rc ? NULL : json_loadb(e->text.p, e->text.n, JSON_DECODE_ANY, NULL);

    end_progress(o);
    o->code = EXIT_FAILED;
    if (result) {
        print_result(o, result);
        o->code = code_of(result);
        if (o->opts->result)
            *o->opts->result = json_incref(result);
    } else {
        fprintf(stderr, "ringdown %s: %.*s\n", o->opts->command, RD_STR_ARG(e->text));
        log_debug("operation.failed", F_STR("kind", o->opts->kind), F_ERR(e->rc),
                  F_RAISED("traceback", e->traceback.p ? e->traceback.p : ""));
    }
    json_decref(result);
    atomic_store(&o->over, true);
    (void)sem_post(&changed);
}

/* --- its surroundings --- */

static int load_release(struct operating *o, struct buf *complaints)
{
    const struct settings *s = o->opts->settings;
    struct tree *library = NULL;
    int rc = agent_library_read(&library, s->library_path, complaints);

    if (!rc)
        rc = agent_set_make(&o->agents, NULL, o->database.release, library, "release", complaints);
    tree_unref(library);
    return rc;
}

/* Those that nodes have. */
static void load_agents(struct operating *o)
{
    const struct settings *s = o->opts->settings;
    struct buf complaints; /* an operation that cares sees them by host.agents() */
    int rc = 0;

    buf_init(&complaints, COMPLAINTS_MAX);
    if (o->database.release)
        rc = load_release(o, &complaints);
    else if (strcmp(s->agents_source, "database") != 0)
        rc = agent_set_load(&o->agents, s->agents_path, s->library_path, &complaints);
    if (rc)
        o->agents = NULL;
    buf_fini(&complaints);
}

static void to_media(void *arg, unsigned media_thread, struct message *m)
{
    (void)arg;
    (void)media_thread;
    message_free(m);
}

static int start(struct operating *o)
{
    const struct settings *s = o->opts->settings;
    char kept[PATH_MAX];
    struct script_opts p = {.threads = 1,
                            .mailbox_capacity = MAILBOX,
                            .agents_path = s->agents_path,
                            .library_path = s->library_path,
                            .ca_file = s->ca_file[0] ? s->ca_file : NULL,
                            .agents = o->agents,
                            .twilio_api = s->twilio_api,
                            .twilio_sid = s->twilio_sid,
                            .twilio_token = s->twilio_tokens[0] ? s->twilio_tokens[0] : "",
                            .vapi_api = s->vapi_api,
                            .vapi_key = s->vapi_key,
                            .openai_url = s->openai_url,
                            .openai_key = s->openai_key,
                            .heartbeat_url = s->heartbeat_url,
                            .kept_path = kept,
                            .public_url = s->public_url,
                            .smtp_url = s->smtp_url,
                            .smtp_from = s->smtp_from,
                            .smtp_ca = s->smtp_ca && s->smtp_ca[0] ? s->smtp_ca : s->ca_file,
                            .alert_channels = s->alert_channels,
                            .alert_rules = s->alert_rules,
                            .number_key = s->cluster_secret,
                            .call_deadline_ms = s->script_deadline_ms,
                            .asker = o->database.asker,
                            .to_media = to_media,
                            .arg = o};

    (void)snprintf(kept, sizeof(kept), "%s/kept", s->data);
    return script_pool_start(&o->pool, &p);
}

static int post(struct operating *o, const json_t *wish)
{
    char *text = json_dumps(wish, JSON_COMPACT);
    struct operation_order order = {.kind = o->opts->kind,
                                    .json = rd_str(text ? text : ""),
                                    .who = sites_who(),
                                    .budget_ms = DAY_MS,
                                    .stop = &stop,
                                    .line = on_line,
                                    .done = on_done,
                                    .arg = o};
    int rc = text ? script_pool_operate(o->pool, &order) : -ENOMEM;

    free(text);
    return rc;
}

/* --- waiting --- */

/* Whether it ended; false: a person wants no more of it. */
static bool wait_for_end(struct operating *o)
{
    unsigned seen = 0;

    for (;;) {
        while (sem_wait(&changed) && errno == EINTR)
            ;
        if (atomic_load(&o->over))
            return true;
        if (atomic_load(&signals) > 1)
            return false;
        if (atomic_load(&signals) > seen++)
            fprintf(stderr, "\nringdown %s: ending after this step; once more ends it at once\n",
                    o->opts->command);
    }
}

static void catch_signals(struct sigaction before[2])
{
    struct sigaction now = {.sa_handler = on_signal};

    (void)sem_init(&changed, 0, 0);
    atomic_store(&stop, false);
    atomic_store(&signals, 0);
    (void)sigaction(SIGINT, &now, &before[0]);
    (void)sigaction(SIGTERM, &now, &before[1]);
}

static void release_signals(const struct sigaction before[2])
{
    (void)sigaction(SIGINT, &before[0], NULL);
    (void)sigaction(SIGTERM, &before[1], NULL);
    (void)sem_destroy(&changed);
}

static int run(struct operating *o, const json_t *wish)
{
    struct sigaction before[2];
    bool asks = !o->opts->asks_nobody;
    int rc = asks ? operate_database_open(&o->database, o->opts->settings, o->opts->hurries) : 0;

    catch_signals(before);
    load_agents(o);
    if (!rc)
        rc = start(o);
    if (!rc)
        rc = post(o, wish);
    if (rc)
        fprintf(stderr, "ringdown %s: %s\n", o->opts->command, rd_strerror(rc));
    else
        (void)wait_for_end(o);
    if (o->database.asker)
        asker_hush(o->database.asker);
    script_pool_stop(o->pool);
    if (asks)
        operate_database_close(&o->database);
    release_signals(before);
    return rc ? EXIT_FAILED : o->code;
}

int operate(const struct operate_opts *opts, json_t *wish)
{
    struct operating o = {.opts = opts, .code = EXIT_FAILED};
    int code;

    if (!wish) {
        fprintf(stderr, "ringdown %s: not enough memory\n", opts->command);
        return EXIT_FAILED;
    }
    code = run(&o, wish);
    agent_set_unref(o.agents);
    json_decref(wish);
    return code;
}

bool operate_agreed(const char *command)
{
    char line[16] = "";

    if (!isatty(STDIN_FILENO)) {
        fprintf(stderr, "ringdown %s: nothing was changed; say --yes where nobody can answer\n",
                command);
        return false;
    }
    fputs("Go on? [y/N] ", stdout);
    fflush(stdout);
    if (fgets(line, sizeof(line), stdin) && (line[0] == 'y' || line[0] == 'Y'))
        return true;
    fprintf(stderr, "ringdown %s: nothing was changed\n", command);
    return false;
}
