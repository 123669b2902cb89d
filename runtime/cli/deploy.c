/* SPDX-License-Identifier: Apache-2.0 */
/* deploy.c - `ringdown deploy`: this binary takes over from the one that serves, and no caller notices.
 *
 *   serve --take-over, as a process of its own ─▶ the node's status names its pid ─▶ a sentence, exit 0
 *
 * - it ends instead (configuration, agents, port): what it complained about is on stderr, the old one
 *   serves on, exit 1
 * - it does not come up in time: it is ended; the old one serves on */
#include "base/err.h"
#include "base/json.h"
#include "base/now.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { LOOK_US = 100000, PATIENCE_MS = 120000, GRACE_LOOKS = 50 };

static const char usage[] =
    "usage: ringdown deploy [--config FILE]\n\n"
    "Starts this binary as `ringdown serve --take-over` in the background and waits until it "
    "answers.\n"
    "The ringdown that serves the data folder hands over its listening socket and keeps the calls "
    "it\n"
    "has, for drain_seconds at most. Without one, it is just started. Its output goes where this\n"
    "command's goes: ringdown deploy >>ringdown.log 2>&1\n"
    "Exit code 0 when the new one answers, 1 when the old one had to go on, 2 when the\n"
    "configuration is wrong.\n";

/* A process of its own, that ends with nobody. */
static void become(char *config)
{
    char *const argv[] = {"ringdown", "serve", "--take-over", config ? "--config" : NULL,
                          config,     NULL};

    (void)setsid();
    (void)execv("/proc/self/exe", argv);
    fprintf(stderr, "ringdown deploy: cannot start this binary again: %s\n", rd_strerror(-errno));
    _exit(EXIT_FAILED);
}

/* Who answers at the control socket; 0: nobody. */
static pid_t who_answers(const char *data)
{
    struct json_value v, pid = {0};
    struct buf body;
    char why[512];
    uint64_t n = 0;

    buf_init(&body, CLIENT_BODY_MAX);
    if (client_request(data, "GET", "/api/v1/status", &body, why, sizeof(why)) == 200 &&
        json_parse((struct rd_str){body.data, body.n}, &v) == 0)
        pid = json_get(&v, "pid");
    (void)json_u64(&pid, &n);
    buf_fini(&body);
    return (pid_t)n;
}

static int end(pid_t child)
{
    int status = 0;

    (void)kill(child, SIGTERM);
    for (int i = 0; i < GRACE_LOOKS && waitpid(child, &status, WNOHANG) == 0; i++)
        usleep(LOOK_US);
    (void)kill(child, SIGKILL);
    fputs(
        "ringdown deploy: the new process did not answer in two minutes and was ended; the old one "
        "goes on\n",
        stderr);
    return EXIT_FAILED;
}

static int wait_for(pid_t child, const char *data)
{
    uint64_t until = monotonic_ms() + PATIENCE_MS;
    int status;

    while (monotonic_ms() < until) {
        if (waitpid(child, &status, WNOHANG) == child) {
            fputs("ringdown deploy: the new process ended (see above); if another one serves, it "
                  "goes "
                  "on\n",
                  stderr);
            return WIFEXITED(status) && WEXITSTATUS(status) == EXIT_USAGE ? EXIT_USAGE
                                                                          : EXIT_FAILED;
        }
        if (who_answers(data) == child) {
            printf("Process %d answers new calls now; ringdown status shows whose calls go on.\n",
                   (int)child);
            return EXIT_OK;
        }
        usleep(LOOK_US);
    }
    return end(child);
}

int cmd_deploy(int argc, char **argv)
{
    struct options o = {.usage = usage};
    struct settings *s = NULL;
    int code = EXIT_OK;
    pid_t child;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_SERVE, &s);
    if (code)
        return code;
    fflush(NULL);
    child = fork();
    if (child == 0)
        become((char *)o.config);
    if (child < 0)
        fprintf(stderr, "ringdown deploy: cannot start a process: %s\n", rd_strerror(-errno));
    code = child < 0 ? EXIT_FAILED : wait_for(child, s->data);
    settings_free(s);
    return code;
}
