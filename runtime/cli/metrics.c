/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - `ringdown metrics`: the node's numbers as Prometheus reads them.
 *
 *   ringdown metrics              those of the node that serves this data folder
 *   ringdown metrics calls_total  one of them: its name, or a part of it
 *   ringdown metrics --markdown   docs/metrics.md: what each of them says, and what to do
 *
 * No node, or no such metric: said with a remedy, exit 1. */
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "observe/prometheus.h"

#include <stdio.h>
#include <string.h>

enum { WHY = 512 };

static const char usage[] = "usage: ringdown metrics [NAME] [--config FILE] | --markdown\n\n"
                            "Prints what the node that serves this data folder tells Prometheus; "
                            "with NAME only the metrics\n"
                            "whose name has that in it. --markdown prints the page that explains "
                            "them all. Exit code 1 when\n"
                            "no node answers, or none has that name.\n";

static int print_page(void)
{
    struct buf page;
    int rc;

    buf_init(&page, PROMETHEUS_MAX);
    rc = metrics_to_markdown(&page);
    if (!rc)
        fwrite(page.data, 1, page.n, stdout);
    buf_fini(&page);
    return rc ? EXIT_FAILED : EXIT_OK;
}

/* Lines about a metric have its name in front, or behind "# HELP " and "# TYPE ". */
static bool is_about(const char *line, size_t n, const char *name)
{
    size_t skip = line[0] == '#' && n > 7 ? 7 : 0, len = strcspn(line + skip, "{ \n");

    return memmem(line + skip, len, name, strlen(name)) != NULL;
}

static int print_lines(const struct buf *body, const char *name)
{
    const char *at = body->data, *end = at + body->n;
    int rc = name ? EXIT_FAILED : EXIT_OK;

    while (at < end) {
        const char *lf = memchr(at, '\n', (size_t)(end - at));
        size_t n = lf ? (size_t)(lf - at) + 1 : (size_t)(end - at);

        if (!name || is_about(at, n, name)) {
            fwrite(at, 1, n, stdout);
            rc = EXIT_OK;
        }
        at += n;
    }
    if (rc)
        fprintf(stderr,
                "ringdown metrics: none has \"%s\" in its name; ringdown metrics lists them\n",
                name);
    return rc;
}

int cmd_metrics(int argc, char **argv)
{
    bool markdown = false;
    const struct option_switch switches[] = {{"markdown", &markdown}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 1};
    struct settings *s = NULL;
    char why[WHY] = "";
    struct buf body;
    int rc = EXIT_OK, http;

    if (!options_read(&o, argc, argv, &rc))
        return rc;
    if (markdown)
        return print_page();
    rc = options_settings(&o, SETTINGS_CLIENT, &s);
    if (rc)
        return rc;
    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(s->data, "GET", "/metrics", &body, why, sizeof(why));
    if (http == 200 && buf_text(&body)) {
        rc = print_lines(&body, o.n_words > 0 ? o.words[0] : NULL);
    } else {
        client_complain("metrics", http, &body, why);
        rc = EXIT_FAILED;
    }
    buf_fini(&body);
    settings_free(s);
    return rc;
}
