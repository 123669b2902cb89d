/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - `ringdown errors`: what a code in the log means and what to do about it.
 *
 *   ringdown errors                 all of them
 *   ringdown errors call.no_agent   one; its last part will do: no_agent, 21220, http_401
 *   ringdown errors --markdown      docs/errors.md
 *
 * A code that nobody knows: the nearest one is named, exit 1. */
#include "base/buf.h"
#include "base/json_out.h"
#include "base/nearest.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "observe/catalogue.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static const char usage[] =
    "usage: ringdown errors [CODE] [--json | --markdown]\n\n"
    "What the codes of log lines, alarms and records mean, and what to do about them. CODE is a\n"
    "whole code (call.no_agent) or its last part (no_agent, 21220). Exit code 1 when nobody knows\n"
    "it.\n";

/* The whole code, or what follows its first dot. */
static bool is_meant(const struct error_info *e, const char *code)
{
    const char *dot = strchr(e->code, '.');

    return !code || strcmp(e->code, code) == 0 || (dot && strcmp(dot + 1, code) == 0);
}

static void add_text(struct buf *out, const struct error_info *e)
{
    buf_addf(out, "%s  (%s)\n  %s\n  fix: %s\n  again: %s\n\n", e->code,
             error_severity_name(e->severity), e->meaning, e->remedy, error_retry_name(e->retry));
}

static void add_json(struct buf *out, const struct error_family *f, const struct error_info *e)
{
    buf_add_str(out, out->n > 1 ? ",\n" : "");
    json_add_object(out, JSON_MEMBERS(J_STR("code", e->code), J_STR("family", f->title),
                                      J_STR("severity", error_severity_name(e->severity)),
                                      J_STR("again", error_retry_name(e->retry)),
                                      J_STR("meaning", e->meaning), J_STR("fix", e->remedy)));
}

/* A bar would end the cell. */
static void add_cell(struct buf *out, const char *text)
{
    for (; *text; text++) {
        if (*text == '|')
            buf_add_str(out, "\\");
        buf_add(out, text, 1);
    }
    buf_add_str(out, " | ");
}

static void add_row(struct buf *out, const struct error_info *e)
{
    buf_addf(out, "| `%s` | ", e->code);
    add_cell(out, e->meaning);
    add_cell(out, e->remedy);
    buf_addf(out, "%s | %s |\n", error_severity_name(e->severity), error_retry_name(e->retry));
}

static void add_markdown(struct buf *out)
{
    size_t n;
    const struct error_family *const *families = catalogue_families(&n);

    buf_add_str(
        out,
        "# Errors\n\n"
        "What the codes of log lines, alarms and records mean, and what to do about them: the\n"
        "events of warnings and errors, the reasons of fallbacks and ends, and what others "
        "say.\n"
        "`ringdown errors CODE` says the same. *Again*: whether the same again may work; \"by "
        "itself\"\n"
        "means that the program sees to it. This page is printed by `ringdown errors "
        "--markdown`.\n");
    for (size_t f = 0; f < n; f++) {
        buf_addf(out, "\n## %s\n\n%s\n\n", families[f]->title, families[f]->about);
        buf_add_str(out, "| code | meaning | what to do | severity | again |\n"
                         "|---|---|---|---|---|\n");
        for (size_t i = 0; i < families[f]->n; i++)
            add_row(out, &families[f]->errors[i]);
    }
}

/* How many were meant. */
static unsigned add_all(struct buf *out, const char *code, bool json)
{
    size_t n;
    const struct error_family *const *families = catalogue_families(&n);
    unsigned found = 0;

    if (json)
        buf_add_str(out, "[");
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const struct error_info *e = &families[f]->errors[i];

            if (!is_meant(e, code))
                continue;
            found++;
            if (json)
                add_json(out, families[f], e);
            else
                add_text(out, e);
        }
    if (json)
        buf_add_str(out, "]\n");
    return found;
}

static int complain_code(const char *code)
{
    size_t n;
    const struct error_family *const *families = catalogue_families(&n);
    struct nearest near;

    nearest_init(&near, code);
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            const char *whole = families[f]->errors[i].code, *dot = strchr(whole, '.');

            nearest_offer(&near, whole);
            if (dot)
                nearest_offer(&near, dot + 1);
        }
    if (near.best)
        fprintf(stderr, "ringdown errors: nobody knows \"%s\"; did you mean %s?\n", code,
                near.best);
    else
        fprintf(stderr, "ringdown errors: nobody knows \"%s\"; ringdown errors lists them\n", code);
    return EXIT_FAILED;
}

int cmd_errors(int argc, char **argv)
{
    bool markdown = false;
    const struct option_switch switches[] = {{"markdown", &markdown}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 1};
    const char *code;
    struct buf out;
    int rc = EXIT_OK;

    if (!options_read(&o, argc, argv, &rc))
        return rc;
    code = o.n_words > 0 ? o.words[0] : NULL;
    buf_init(&out, TEXT_MAX);
    if (markdown)
        add_markdown(&out);
    else if (add_all(&out, code, o.json) == 0)
        rc = complain_code(code);
    if (rc == EXIT_OK)
        fwrite(out.data, 1, out.n, stdout);
    buf_fini(&out);
    return rc;
}
