/* SPDX-License-Identifier: Apache-2.0 */
/* serve.c - `ringdown serve`: from settings to a node that answers, until it is told to stop.
 *
 *   settings ─▶ log ─▶ control (locks the data folder) ─▶ books (journal, database) ─▶ node ─▶ one
 * line that says what it answers
 *   SIGTERM, SIGINT  drain, then leave; cli/leaving.h
 *   --take-over      the process that has the folder gives us its socket; control/handover.h
 *   SIGHUP           configuration, certificates and agents again; what cannot change is said
 *
 * - wrong configuration: every mistake on stderr, exit 2, nothing was touched
 * - port or data folder in use: a sentence with the remedy, exit 1 */
#include "base/crash.h"
#include "base/err.h"
#include "base/heap.h"
#include "base/json.h"
#include "base/log.h"
#include "base/urgent.h"
#include "cli/commands.h"
#include "cli/leaving.h"
#include "cli/options.h"
#include "cli/ringer.h"
#include "control/control.h"
#include "control/handover.h"
#include "gateway/books.h"
#include "gateway/node.h"
#include "io/loop.h"
#include "io/notify.h"
#include "io/sentry.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/crash_report.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown serve [--take-over] [--config FILE]\n\n"
    "Answers calls until told to stop. SIGTERM or Ctrl-C lets the calls in progress end first\n"
    "(drain_seconds), a second one ends at once; SIGHUP reads configuration, certificates and\n"
    "agents again. --take-over: from a ringdown that serves the same data folder, its listening\n"
    "socket and all new calls; it keeps the calls it has. Configuration: --config, else "
    "$RINGDOWN_CONFIG, else ./ringdown.lua; every key\n"
    "also from the environment (examples/ringdown.lua tells all).\n"
    "Exit code 2 when the configuration is wrong, 1 when the port or the data folder is in use.\n";

enum {
    CRASH_TOLD_MS = 3600 * 1000, /* the alarm about a crash is open so long */
    TIDY_MS = 10000
};

struct serving {
    const struct options *options;
    struct settings *settings; /* owns */
    struct loop *loop;         /* owns */
    struct control *control;   /* owns */
    struct books *books;       /* owns */
    struct node *node;         /* owns */
    struct ringer *ringer;     /* owns */
    struct leaving *leaving;   /* owns */
    struct sentry *sentry;     /* owns; NULL: errors stay in the log */
    struct loop_timer *forget; /* owns; NULL: nobody crashed */
    struct loop_timer *tidy;   /* owns */
    struct heap_watch heap;
    struct handed handed; /* owns: what the process before us gave; dialog -1: there is none */
    bool take_over;
};

/* ---- reading again ---- */

static void log_lines(enum log_level level, const char *event, const char *key, const char *fix,
                      struct buf *text)
{
    const char *p = buf_text(text);

    while (p && *p) {
        size_t n = strcspn(p, "\n");
        char line[512];

        rd_str_copy(line, sizeof(line), (struct rd_str){p, n});
        LOG_(level, event, F_STR(key, line), F_FIX(fix));
        p += n + (p[n] == '\n');
    }
}

static void on_reload(int signum, void *arg)
{
    struct serving *s = arg;
    struct settings *now = NULL;
    struct buf text;
    int rc;

    (void)signum;
    buf_init(&text, 1 << 20);
    rc = settings_load(&now, s->options->config, SETTINGS_SERVE, &text);
    if (rc == RD_ECONFIG)
        log_lines(LOG_ERROR, "serve.reload_refused", "what",
                  "the old configuration stays until this is mended", &text);
    else if (rc)
        log_error("serve.reload_refused", F_ERR(rc));
    if (!rc) {
        log_config(now->log_level, now->log_format);
        s->settings->log_level = now->log_level; /* nobody else reads these two */
        s->settings->log_format = now->log_format;
        settings_diff(s->settings, now, &text);
        log_lines(LOG_WARN, "serve.restart_needed", "setting",
                  "this change takes a restart (systemctl restart, or stop and serve)", &text);
    }
    node_reload(s->node);
    settings_free(now);
    buf_fini(&text);
}

/* ---- starting ---- */

/* "northside-plumbing, after-hours" out of the node's status. */
static void agent_names(struct node *n, struct buf *out)
{
    struct json_value status, list, v, name;
    struct json_iter it;
    struct rd_str key;
    struct buf text;

    buf_init(&text, 4 << 20);
    if (node_status_json(n, &text) != 0 ||
        json_parse((struct rd_str){text.data, text.n}, &status) != 0)
        goto out;
    list = json_get(&status, "agents");
    if (list.type != JSON_ARRAY)
        goto out;
    json_iter_init(&it, &list);
    while (json_next(&it, &key, &v)) {
        name = v.type == JSON_OBJECT ? json_get(&v, "name") : v;
        if (name.type == JSON_STRING)
            buf_addf(out, "%s" RD_STR_FMT, out->n ? ", " : "", RD_STR_ARG(name.raw));
    }
out:
    buf_fini(&text);
}

static const char *plural(int n)
{
    return n == 1 ? "" : "s";
}

static void say_started(const struct serving *s)
{
    const struct settings *c = s->settings;
    struct buf names;

    buf_init(&names, 64 << 10);
    agent_names(s->node, &names);
    log_info("serve.started", F_STR("version", RD_VERSION), F_STR("listen", c->public_listen),
             F_INT("port", node_port(s->node)), F_STR("url", c->public_url),
             F_STR("agents", buf_text(&names)), F_INT("media_threads", c->media_threads),
             F_INT("script_threads", c->script_threads), F_INT("max_calls", c->max_calls));
    printf("Ringdown %s answers %s/twilio/voice (listening on %s, port %u%s).\n"
           "Agents: %s. %d media thread%s, %d script thread%s, at most %d calls.\n"
           "Look inside: ringdown status, ringdown calls --follow. Ctrl-C lets calls end first.\n",
           RD_VERSION, c->public_url, c->public_listen, node_port(s->node),
           c->certificate[0] ? ", TLS" : "", names.n ? buf_text(&names) : "none yet",
           c->media_threads, plural(c->media_threads), c->script_threads, plural(c->script_threads),
           c->max_calls);
    fflush(stdout);
    buf_fini(&names);
}

/* Whoever has the folder gives us its socket and its lock. Nobody: we are the first. */
static int ask_for_it(struct serving *s, char *why, size_t cap)
{
    int rc = s->take_over ? handover_ask(&s->handed, s->settings->data, why, cap) : -ENOENT;

    return rc == -ENOENT ? 0 : rc;
}

/* From here on nothing may fail: the other one has let go. */
static int take_it(struct serving *s, char *why, size_t cap)
{
    int rc;

    handover_take(&s->handed);
    rc = node_accept(s->node, why, cap);
    return rc ? rc : control_listen(s->control, why, cap);
}

static int start_node(struct serving *s, char *why, size_t cap)
{
    struct node_opts o = {
        .settings = s->settings, .books = s->books, .control = control_mailbox(s->control)};
    bool taken = s->handed.dialog >= 0;
    struct node_ringer ringer;
    int rc = ringer_new(&s->ringer, s->settings);

    if (rc)
        return rc;
    ringer = ringer_lend(s->ringer);
    o.ringer = &ringer;
    if (taken)
        o.listen_fd = s->handed.listen_fd;
    s->handed.listen_fd = -1;
    rc = node_start(&s->node, &o, why, cap);
    if (!rc && taken)
        rc = take_it(s, why, cap);
    return rc;
}

static int start_leaving(struct serving *s, char *why, size_t cap)
{
    struct leaving_opts o = {.settings = s->settings,
                             .loop = s->loop,
                             .node = s->node,
                             .control = s->control,
                             .watchdog_us = notify_watchdog_us()};

    if (s->handed.watchdog_us)
        o.watchdog_us = s->handed.watchdog_us;
    return leaving_new(&s->leaving, &o, why, cap);
}

static int start_sentry(struct serving *s, char *why, size_t cap)
{
    const struct settings *c = s->settings;
    const struct sentry_opts o = {.dsn = c->sentry_dsn,
                                  .release = c->sentry_release,
                                  .environment = c->sentry_environment,
                                  .node = c->node_name,
                                  .secret = c->cluster_secret,
                                  .ca_file = c->ca_file,
                                  .failed_calls = c->sentry_failed_calls};

    return sentry_start(&s->sentry, &o, why, cap);
}

/* ---- crashes ---- */

static void note_crashes(const struct settings *c)
{
    int rc = crash_start(c->data, c->node_name, c->sentry_release);

    if (rc)
        log_warn("process.no_report", F_STR("file", c->data), F_ERR(rc),
                 F_FIX(catalogue_fix("process.", "no_report")));
}

static void forget_crash(void *arg)
{
    (void)arg;
    alarm_clear("process.crashed", NULL);
}

/* The folder is ours by now. What Sentry has to take stays until it did. */
static int tell_crashes(struct serving *s)
{
    char paths[CRASH_REPORTS][PATH_MAX];
    int rc;

    if (!crash_reports_tell(s->settings->data))
        return 0;
    if (s->sentry)
        sentry_crashes(s->sentry, s->settings->data);
    for (size_t i = 0, n = s->sentry ? 0 : crash_reports(s->settings->data, paths); i < n; i++)
        (void)unlink(paths[i]);
    rc = loop_timer_new(&s->forget, s->loop, forget_crash, s);
    if (!rc)
        loop_timer_in(s->forget, CRASH_TOLD_MS);
    return rc;
}

/* ---- memory ---- */

static void on_tidy(void *arg)
{
    struct serving *s = arg;

    (void)heap_look(&s->heap, node_calls(s->node));
    loop_timer_in(s->tidy, TIDY_MS);
}

static int start_tidying(struct serving *s)
{
    int rc = loop_timer_new(&s->tidy, s->loop, on_tidy, s);

    if (!rc)
        loop_timer_in(s->tidy, TIDY_MS);
    heap_tidy();
    return rc;
}

static int start(struct serving *s, char *why, size_t cap)
{
    struct control_opts co = {.settings = s->settings};
    int rc = loop_new(&s->loop);

    snprintf(why, cap, "cannot start: %s", rd_strerror(rc));
    if (rc)
        return rc;
    rc = ask_for_it(s, why, cap);
    if (rc)
        return rc;
    co.loop = s->loop;
    co.lock_fd = s->handed.lock_fd > 0 ? s->handed.lock_fd : 0;
    s->handed.lock_fd = -1;
    rc = control_new(&s->control, &co, why, cap);
    if (!rc && s->handed.dialog < 0)
        rc = control_listen(s->control, why, cap);
    if (!rc)
        rc = tell_crashes(s);
    if (rc)
        return rc;
    rc = books_open(&s->books, s->settings, why, cap);
    if (rc)
        return rc;
    rc = start_node(s, why, cap);
    if (rc)
        return rc;
    control_attach(s->control, s->node);
    rc = start_leaving(s, why, cap);
    if (rc)
        return rc;
    rc = loop_on_signal(s->loop, SIGHUP, on_reload, s);
    if (!rc)
        rc = start_tidying(s);
    if (rc)
        snprintf(why, cap, "cannot start: %s", rd_strerror(rc));
    return rc;
}

static void stop(struct serving *s)
{
    leaving_free(s->leaving);
    handed_close(&s->handed);
    if (s->control)
        control_attach(s->control, NULL);
    if (s->node)
        node_stop(s->node);
    ringer_free(s->ringer);
    books_close(s->books);
    control_free(s->control);
    loop_timer_free(s->forget);
    loop_timer_free(s->tidy);
    if (s->loop)
        loop_free(s->loop);
    settings_free(s->settings);
}

static int serve(struct serving *s)
{
    char why[1024];
    int rc;

    signal(SIGPIPE, SIG_IGN);
    heap_begin();
    log_config(s->settings->log_level, s->settings->log_format);
    rc = log_start();
    if (rc) {
        fprintf(stderr, "ringdown serve: cannot start the log: %s\n", rd_strerror(rc));
        return EXIT_FAILED;
    }
    note_crashes(s->settings);
    rc = start_sentry(s, why, sizeof(why));
    if (!rc)
        rc = start(s, why, sizeof(why));
    if (rc) {
        fprintf(stderr, "ringdown serve: %s\n", why);
    } else {
        say_started(s);
        leaving_ready(s->leaving);
        breathing_thread(); /* whoever looks at screens or scrapes waits for whoever speaks */
        loop_run(s->loop);
        log_info("serve.ended", F_INT("calls_cut", node_calls(s->node)));
    }
    return rc ? EXIT_FAILED : EXIT_OK;
}

int cmd_serve(int argc, char **argv)
{
    struct serving s = {.handed = {.dialog = -1, .listen_fd = -1, .lock_fd = -1}};
    const struct option_switch switches[] = {{"take-over", &s.take_over}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches};
    int code = EXIT_OK;

    s.options = &o;
    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_SERVE, &s.settings);
    if (code == EXIT_OK)
        code = serve(&s);
    stop(&s);
    sentry_stop(s.sentry);
    log_stop();
    return code;
}
