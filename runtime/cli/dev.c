/* SPDX-License-Identifier: Apache-2.0 */
/* dev.c - `ringdown dev`: a node to work with, and everything there is to see of it in one terminal.
 *
 *   dev ─┬▶ sim             the model, when there is no key
 *        ├▶ serve           with agents.watch; of its log what matters to who edits agents
 *        ├▶ calls --follow  what is said, as it is said
 *        └▶ calls CALL      the whole of a call, once it is over
 *
 * All of them are this very program. What the configuration does not say is filled in, so that without
 * any account `ringdown call` can place calls here; what it says stays.
 *
 * Failure: the node does not start: its own words, exit 1. Ctrl-C, SIGTERM, or the end of the node ends
 * all; a killed `dev` leaves nobody behind. */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/loopback.h"
#include "cli/options.h"
#include "sim/carrier/double.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown dev [--scenarios FOLDER] [--config FILE]\n\n"
    "Serves calls while you edit agents: a saved file answers the next call. Shows mistakes with "
    "their\n"
    "lines, what is said in calls, and each call's transcript at its end. Ctrl-C ends it.\n"
    "Without an account at Twilio, or a key of OpenAI's, simulated ones take their place:\n"
    "  ringdown call --scenario examples/scenarios/booking.lua     in another terminal\n"
    "  ringdown talk AGENT                                         to type instead\n\n"
    "  --scenarios FOLDER   what the simulated model answers; default examples/scenarios\n"
    "Exit code 0 after Ctrl-C, 1 when the node did not start or ended by itself.\n";

enum { POLL_MS = 100, POLITE_MS = 1500, LINE_BYTES = 16384, ADDRESS = 96, SID_MAX = 64 };

struct working {
    const struct settings *settings;
    const char *config, *scenarios;
    pid_t node, model, follower;
    int log; /* owns; the node's output, reading end */
    char line[LINE_BYTES];
    size_t n_line;
};

static volatile sig_atomic_t told_to_stop;

static void on_signal(int signum)
{
    (void)signum;
    told_to_stop = 1;
}

/* --- children --- */

/* Where its output and its complaints go. argv[0] is "ringdown". */
static pid_t start_child(const char *const *argv, int output, int complaints)
{
    pid_t parent = getpid(), pid = fork();

    if (pid != 0)
        return pid;
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    (void)dup2(output, STDOUT_FILENO);
    (void)dup2(complaints, STDERR_FILENO);
    (void)execv("/proc/self/exe", (char *const *)argv);
    _exit(127);
}

static bool is_gone(pid_t *pid)
{
    if (*pid > 0 && waitpid(*pid, NULL, WNOHANG) != *pid)
        return false;
    *pid = 0;
    return true;
}

/* Asked politely; the node, which would let calls end first, is asked once more. */
static void end_child(pid_t *pid)
{
    for (int waited = 0; *pid > 0 && waited <= 2 * POLITE_MS; waited += POLL_MS) {
        if (waited % POLITE_MS == 0)
            (void)kill(*pid, waited < 2 * POLITE_MS ? SIGTERM : SIGKILL);
        if (!is_gone(pid))
            usleep(POLL_MS * 1000);
    }
    if (*pid > 0)
        (void)waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* --- what the configuration does not say --- */

static int fill_in_model(struct working *w)
{
    char address[ADDRESS], url[2 * ADDRESS];
    const char *argv[] = {"ringdown",    "sim",        "--openai", address,
                          "--scenarios", w->scenarios, NULL};
    int rc, nowhere;

    if (w->settings->openai_key[0])
        return 0;
    rc = loopback_address(address, sizeof(address));
    if (rc)
        return rc;
    (void)snprintf(url, sizeof(url), "ws://%s/v1/realtime", address);
    (void)setenv("OPENAI_REALTIME_URL", url, 1);
    (void)setenv("OPENAI_API_KEY", "sk-dev", 1);
    nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    w->model = start_child(argv, nowhere, STDERR_FILENO);
    (void)close(nowhere);
    return w->model > 0 ? loopback_wait(address, w->model) : -errno;
}

static void fill_in_account(const struct settings *s)
{
    const char *colon = strrchr(s->public_listen, ':');
    char url[ADDRESS];

    if (!s->twilio_sid[0]) {
        (void)setenv("TWILIO_ACCOUNT_SID", CARRIER_DOUBLE_ACCOUNT, 1);
        (void)setenv("TWILIO_AUTH_TOKEN", CARRIER_DOUBLE_TOKEN, 1);
        (void)setenv("TWILIO_API_URL", "http://127.0.0.1:9102", 0);
    }
    (void)snprintf(url, sizeof(url), "http://127.0.0.1%s", colon ? colon : ":8080");
    if (!s->public_url[0])
        (void)setenv("RINGDOWN_PUBLIC_URL", url, 1);
}

static int start_node(struct working *w)
{
    const char *argv[] = {"ringdown", "serve", w->config ? "--config" : NULL, w->config, NULL};
    int ends[2];

    (void)setenv("RINGDOWN_AGENTS_WATCH", "on", 1);
    (void)setenv("RINGDOWN_LOG", "info", 1);
    (void)setenv("RINGDOWN_LOG_FORMAT", "logfmt", 1);
    if (pipe2(ends, O_CLOEXEC))
        return -errno;
    w->log = ends[0];
    w->node = start_child(argv, ends[1], ends[1]);
    (void)close(ends[1]);
    return w->node > 0 ? 0 : -errno;
}

/* --- what there is to see --- */

/* What the sim would need is in `ringdown call` already, but for the address. */
static void tell_how_to_call(const struct settings *s)
{
    const char *url = s->public_url[0] ? s->public_url : getenv("RINGDOWN_PUBLIC_URL");

    printf("\nIn another terminal:\n"
           "  ringdown call --url %s --scenario examples/scenarios/booking.lua\n"
           "  ringdown talk AGENT     to type instead\n\n",
           url);
    fflush(stdout);
}

static void follow(struct working *w)
{
    const char *argv[] = {"ringdown", "calls", "--follow", w->config ? "--config" : NULL,
                          w->config,  NULL};

    if (w->follower <= 0)
        w->follower = start_child(argv, STDOUT_FILENO, STDERR_FILENO);
}

static void show_call(struct working *w, const char *line)
{
    const char *at = strstr(line, " call=");
    char sid[SID_MAX];
    const char *argv[] = {"ringdown", "calls", sid, w->config ? "--config" : NULL, w->config, NULL};
    pid_t pid;

    if (!at || sscanf(at, " call=%63[A-Za-z0-9]", sid) != 1)
        return;
    puts("");
    fflush(stdout);
    pid = start_child(argv, STDOUT_FILENO, STDERR_FILENO);
    if (pid > 0)
        (void)waitpid(pid, NULL, 0);
}

static bool matters(const char *line)
{
    return strstr(line, " ev=agent") || strstr(line, "level=warn") || strstr(line, "level=error");
}

static void on_line(struct working *w, const char *line)
{
    bool is_log = strstr(line, "level=") && strstr(line, " ev=");

    if (!is_log || matters(line)) {
        puts(line);
        fflush(stdout);
    }
    if (strncmp(line, "Look inside:", 12) == 0) { /* the last of what it says at its start */
        if (w->model > 0)
            tell_how_to_call(w->settings);
        follow(w);
    }
    if (is_log && strstr(line, " ev=call.ended "))
        show_call(w, line);
}

/* False at the end of the node's output. */
static bool read_log(struct working *w)
{
    struct pollfd p = {.fd = w->log, .events = POLLIN};
    ssize_t n;
    char *end;

    if (poll(&p, 1, POLL_MS) <= 0)
        return true;
    n = read(w->log, w->line + w->n_line, sizeof(w->line) - 1 - w->n_line);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    w->n_line += (size_t)n;
    w->line[w->n_line] = '\0';
    while ((end = strchr(w->line, '\n')) || w->n_line == sizeof(w->line) - 1) {
        size_t length = end ? (size_t)(end - w->line) : w->n_line;

        w->line[length] = '\0';
        on_line(w, w->line);
        w->n_line -= end ? length + 1 : length;
        memmove(w->line, w->line + length + (end != NULL), w->n_line + 1);
        w->line[w->n_line] = '\0';
    }
    return true;
}

static int work(struct working *w)
{
    int rc = fill_in_model(w);
    bool ended = false;

    fill_in_account(w->settings);
    if (!rc)
        rc = start_node(w);
    if (rc)
        fprintf(stderr, "ringdown dev: %s\n", rd_strerror(rc));
    while (!rc && !told_to_stop && !ended)
        ended = !read_log(w);
    end_child(&w->follower);
    end_child(&w->node);
    end_child(&w->model);
    return rc || ended ? EXIT_FAILED : EXIT_OK;
}

int cmd_dev(int argc, char **argv)
{
    struct working w = {.scenarios = "examples/scenarios", .log = -1};
    const struct option_value values[] = {{"scenarios", &w.scenarios}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values};
    struct sigaction stop = {.sa_handler = on_signal};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK) {
        w.settings = s;
        w.config = o.config;
        (void)sigaction(SIGINT, &stop, NULL);
        (void)sigaction(SIGTERM, &stop, NULL);
        code = work(&w);
    }
    if (w.log >= 0)
        (void)close(w.log);
    settings_free(s);
    return code;
}
