/* SPDX-License-Identifier: Apache-2.0 */
/* talk.c - `ringdown talk AGENT`: type as the caller.
 *
 * - the agent is loaded as a node loads it; every call has a fresh copy, so edits are in the next one
 * - a line is typed when the agent has answered the one before; so a file of lines works as well
 * - the end of the input is the end of the call, once nothing goes on any more (at most SETTLE_MS)
 *
 * The model is OpenAI's when there is a key, in text; else the simulated one, which a scenario tells what
 * to answer, or whoever types: /tool NAME {…}.
 *
 * Failure: an agent with mistakes is told with all of them; exit 1, as when a call broke. */
#include "base/err.h"
#include "base/log.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/talk_call.h"
#include "cli/talk_database.h"
#include "cli/talk_screen.h"
#include "sim/openai/double.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown talk AGENT [--as NUMBER] [--scenario FILE] [--config FILE]\n\n"
    "Type as a caller of this agent: its prompt, tools, emergencies and texts are the real ones, "
    "in the\n"
    "same sandbox. Nobody is dialled and nothing is texted: that is shown. Nothing is recorded;\n"
    "but with database.url, what is booked is booked.\n\n"
    "  --as NUMBER       the caller's number; default +13125550142\n"
    "  --scenario FILE   what a simulated model answers, and who is at the other telephones\n\n"
    "The model is OpenAI's (OPENAI_API_KEY), in text; without a key, or with a scenario, a "
    "simulated one.\n\n"
    "  /vars             what call.vars holds        /dtmf 12#   press keys\n"
    "  /silence          say nothing for a while     /hangup     hang up\n"
    "  /reload           check the agent's file      /again      a new call, with the file as it "
    "is now\n"
    "  /tool NAME {…}    the simulated model calls this tool\n"
    "  /quit             leave\n";

enum { LINE_MAX_BYTES = 4000, POLL_MS = 100, SETTLE_MS = 15000, PAUSE_MS = 300 };

struct talking {
    const struct settings *settings;
    const char *agent, *from, *scenario_file;
    struct scenario *scenario; /* owns */
    struct loop *loop;         /* owns, as the following */
    struct tls_client *tls;
    struct openai_double *model; /* NULL: the real one */
    struct agent_set *agents;
    struct talk_database database;
    struct talk_call *call;
    struct loop_timer *pause;
    char url[64];
    char *line; /* owns; what was read. NULL: the end */
    atomic_bool stop;
    bool reading, typed_out; /* typed_out: there will be no more lines */
    bool again, failed, is_pipe;
    uint64_t ended_ms; /* of the input */
};

/* --- the agent --- */

static bool complains_about(const char *line, const char *agent)
{
    const char *name = strstr(line, agent);

    return name && strchr("./", name[strlen(agent)]);
}

/* The lines about this agent, of all complaints. */
static void tell_mistakes(struct buf *complaints, const char *agent)
{
    char *all = strdup(buf_text(complaints) ? buf_text(complaints) : ""), *rest = all, *line;

    while (all && (line = strsep(&rest, "\n")))
        if (complains_about(line, agent))
            fprintf(stderr, "%s\n", line);
    free(all);
}

static void tell_unknown(const struct agent_set *set, const char *agent, const char *folder)
{
    size_t n = agent_set_count(set);
    struct nearest near;

    nearest_init(&near, agent);
    for (size_t i = 0; i < n; i++)
        nearest_offer(&near, agent_set_at(set, i)->name);
    fprintf(stderr, "ringdown talk: no agent \"%s\" in %s", agent, folder);
    if (near.best)
        fprintf(stderr, "; did you mean %s?\n", near.best);
    else if (n == 0)
        fprintf(stderr, "; ringdown new agent NAME makes one\n");
    else
        fprintf(stderr, "; there %s %s%s\n", n == 1 ? "is" : "are", agent_set_at(set, 0)->name,
                n == 1 ? "" : " and others: ringdown check lists them");
}

/* The agents as their files are now; NULL after a complaint. */
static struct agent_set *load_agents(const struct talking *t)
{
    struct agent_set *set = NULL;
    struct buf complaints;
    int rc;

    buf_init(&complaints, 1 << 18);
    rc = agent_set_load(&set, t->settings->agents_path, t->settings->library_path, &complaints);
    if (rc) {
        fprintf(stderr, "ringdown talk: %s: %s; create it, or set agents.path\n",
                t->settings->agents_path, rd_strerror(rc));
    } else if (!agent_by_name(set, rd_str(t->agent))) {
        tell_mistakes(&complaints, t->agent);
        tell_unknown(set, t->agent, t->settings->agents_path);
        agent_set_unref(set);
        set = NULL;
    }
    buf_fini(&complaints);
    return set;
}

/* --- what is typed --- */

static void reload(struct talking *t)
{
    struct agent_set *set = load_agents(t);

    if (set)
        screen_line(SCREEN_NOTE, "no mistakes; /again talks to the agent as it is now");
    agent_set_unref(set);
}

static void leave(struct talking *t)
{
    t->typed_out = true;
    t->ended_ms = clock_ms(loop_clock());
    if (!talk_call_over(t->call))
        talk_call_hang_up(t->call);
}

static void again(struct talking *t)
{
    t->again = true;
    leave(t);
}

static void hang_up(struct talking *t)
{
    talk_call_hang_up(t->call);
}

static void look(struct talking *t)
{
    talk_call_look(t->call);
}

static void fall_silent(struct talking *t)
{
    talk_call_silence(t->call);
}

static const struct {
    const char *word;
    void (*plain)(struct talking *t);
    bool needs_call;
} orders[] = {
    {"/vars", look, true},      {"/silence", fall_silent, true}, {"/hangup", hang_up, true},
    {"/reload", reload, false}, {"/again", again, false},        {"/quit", leave, false},
};

static void obey(struct talking *t, const char *line)
{
    bool over = talk_call_over(t->call), for_model = t->model && strncmp(line, "/tool ", 6) == 0;

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(line, orders[i].word) == 0 && !(over && orders[i].needs_call)) {
            orders[i].plain(t);
            return;
        }
    }
    if (over)
        screen_line(SCREEN_NOTE, "the call is over: /again for another, /quit to leave");
    else if (strncmp(line, "/dtmf ", 6) == 0)
        talk_call_digits(t->call, line + 6);
    else if (line[0] == '/' && !for_model)
        screen_line(SCREEN_NOTE, "/vars /silence /dtmf 12# /hangup /reload /again /quit%s",
                    t->model ? " /tool NAME {…}" : "");
    else if (*line)
        talk_call_hear(t->call, line);
}

static void on_changed(void *arg);

/* Helper thread. A line, or NULL at the end of the input or of the call. */
static void read_line(void *arg)
{
    struct talking *t = arg;
    struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
    char text[LINE_MAX_BYTES];
    size_t n = 0;

    while (n < sizeof(text) - 1) {
        ssize_t got = 0;

        if (poll(&p, 1, POLL_MS) == 0) {
            if (atomic_load(&t->stop))
                return;
            continue;
        }
        got = read(STDIN_FILENO, text + n, 1);
        if (got <= 0 && n == 0)
            return;
        if (got <= 0 || text[n] == '\n')
            break;
        n++;
    }
    t->line = strndup(text, n);
}

static void on_line(void *arg)
{
    struct talking *t = arg;
    char *line = t->line;

    t->reading = false;
    t->line = NULL;
    screen_no_prompt();
    if (!line) {
        leave(t);
    } else {
        if (t->is_pipe && *line)
            screen_line(SCREEN_CALLER, "%s", line);
        obey(t, line);
        free(line);
    }
    loop_timer_in(t->pause, PAUSE_MS); /* what it sets off has begun by then */
}

static void on_pause(void *arg)
{
    on_changed(arg);
}

static void start_reading(struct talking *t)
{
    if (loop_work(t->loop, read_line, on_line, t))
        return;
    t->reading = true;
    screen_prompt();
}

/* Typing waits for the agent; leaving, for what goes on beside the call. */
static void on_changed(void *arg)
{
    struct talking *t = arg;
    bool over = talk_call_over(t->call), settled = talk_call_settled(t->call);
    uint64_t now_ms = clock_ms(loop_clock());

    if (t->typed_out) {
        if (settled || now_ms - t->ended_ms > SETTLE_MS)
            loop_stop(t->loop);
    } else if (!t->reading && (over ? settled : talk_call_listens(t->call)) &&
               !(t->is_pipe && !settled)) {
        start_reading(t);
    }
}

/* --- what went wrong, as it happens --- */

static const char *field(const struct log_field *f, int n, const char *key)
{
    for (int i = 0; i < n; i++)
        if ((f[i].type == LOG_T_STR || f[i].type == LOG_T_RAISED) && strcmp(f[i].key, key) == 0 &&
            f[i].str)
            return f[i].str;
    return NULL;
}

/* Of an agent's error the line is what matters; its traceback is for the log of a node. */
static void show_trouble(enum log_level level, const char *event, const struct log_field *f, int n)
{
    static const char *const shown_already[] = {"sim.", "triage.", "alarm"};
    const char *error = field(f, n, "error"), *in = field(f, n, "in"), *fix = field(f, n, "fix");

    for (size_t i = 0; i < sizeof(shown_already) / sizeof(shown_already[0]); i++)
        if (strncmp(event, shown_already[i], strlen(shown_already[i])) == 0)
            return;
    if (error)
        screen_line(SCREEN_ERROR, "%s%s%s", in ? in : "", in ? ": " : "", error);
    else
        screen_line(level == LOG_ERROR ? SCREEN_ERROR : SCREEN_NOTE, "%s%s%s", event,
                    fix ? ": " : "", fix ? fix : "");
}

/* --- one call after the other --- */

static int start_model(struct talking *t, char *why, size_t cap)
{
    struct openai_double_opts o = {.loop = t->loop,
                                   .listen = "127.0.0.1:0",
                                   .scenarios = &t->scenario,
                                   .n_scenarios = t->scenario ? 1 : 0};
    int rc = openai_double_start(&t->model, &o, why, cap);

    if (!rc)
        (void)snprintf(t->url, sizeof(t->url), "ws://127.0.0.1:%u/v1/realtime",
                       openai_double_port(t->model));
    return rc;
}

static bool is_simulated(const struct talking *t)
{
    return t->scenario || !t->settings->openai_key[0];
}

static int start(struct talking *t)
{
    const struct settings *s = t->settings;
    char why[512] = "";
    int rc = loop_new(&t->loop);

    rc = rc ? rc : loop_timer_new(&t->pause, t->loop, on_pause, t);
    rc = rc ? rc : tls_client_new(&t->tls, s->ca_file, why, sizeof(why));
    rc = rc ? rc : talk_database_open(&t->database, s);
    if (!rc && is_simulated(t))
        rc = start_model(t, why, sizeof(why));
    if (rc)
        fprintf(stderr, "ringdown talk: %s\n", why[0] ? why : rd_strerror(rc));
    return rc;
}

static int start_call(struct talking *t)
{
    const struct settings *s = t->settings;
    struct talk_call_opts o = {.loop = t->loop,
                               .tls = t->tls,
                               .settings = s,
                               .agents = t->agents,
                               .agent = agent_by_name(t->agents, rd_str(t->agent)),
                               .from = t->from,
                               .asker = t->database.asker,
                               .agent_asker = t->database.agent_asker,
                               .scenario = t->scenario,
                               .model_url = t->model ? t->url : s->openai_url,
                               .model_key = t->model ? "sk-talk" : s->openai_key,
                               .model = s->openai_model,
                               .changed = on_changed,
                               .arg = t};

    screen_line(SCREEN_NOTE, "%s, called by %s; the model is %s", t->agent, t->from,
                t->model ? "simulated" : s->openai_model);
    if (t->database.asker)
        screen_line(SCREEN_NOTE, "what it books is booked: it has the configured database");
    return talk_call_start(&t->call, &o);
}

static void stop(struct talking *t)
{
    atomic_store(&t->stop, true);
    if (t->call)
        t->failed = t->failed || talk_call_failed(t->call);
    talk_database_hush(&t->database);
    talk_call_stop(t->call);
    talk_database_close(&t->database);
    openai_double_stop(t->model);
    loop_timer_free(t->pause);
    if (t->loop)
        loop_free(t->loop);
    tls_client_free(t->tls);
    agent_set_unref(t->agents);
    t->call = NULL;
    t->model = NULL;
    t->pause = NULL;
    t->loop = NULL;
    t->tls = NULL;
    t->agents = NULL;
}

static int talk_once(struct talking *t)
{
    int rc = 0;

    t->again = t->typed_out = t->reading = false;
    atomic_store(&t->stop, false);
    t->agents = load_agents(t);
    if (!t->agents)
        return RD_ECONFIG;
    rc = start(t);
    if (!rc)
        rc = start_call(t);
    if (!rc)
        rc = loop_run(t->loop);
    return rc;
}

static int talk(struct talking *t)
{
    int rc;

    signal(SIGPIPE, SIG_IGN);
    t->is_pipe = isatty(STDIN_FILENO) != 1;
    do {
        rc = talk_once(t);
        stop(t);
    } while (!rc && t->again);
    return rc || t->failed ? EXIT_FAILED : EXIT_OK;
}

static int read_scenario(struct talking *t)
{
    struct buf complaints;
    int rc = 0;

    buf_init(&complaints, 1 << 18);
    if (t->scenario_file)
        rc = scenario_load(&t->scenario, t->scenario_file, &complaints);
    if (rc)
        fprintf(stderr, "%s\n",
                buf_text(&complaints) && complaints.n ? buf_text(&complaints) : rd_strerror(rc));
    buf_fini(&complaints);
    return rc ? EXIT_USAGE : EXIT_OK;
}

int cmd_talk(int argc, char **argv)
{
    struct talking t = {.from = "+13125550142"};
    const struct option_value values[] = {
        {"as", &t.from}, {"scenario", &t.scenario_file}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = 1};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words != 1) {
        fputs(usage, stderr);
        return EXIT_USAGE;
    }
    t.agent = o.words[0];
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK && s->database_url[0]) { /* agents' own roles come with the node's secret */
        settings_free(s);
        s = NULL;
        code = options_settings(&o, SETTINGS_KEEPER, &s);
    }
    t.settings = s;
    if (code == EXIT_OK) {
        log_config(LOG_WARN, LOG_LOGFMT);
        log_take(show_trouble);
        code = read_scenario(&t);
    }
    if (code == EXIT_OK)
        code = talk(&t);
    scenario_free(t.scenario);
    settings_free(s);
    return code;
}
