/* SPDX-License-Identifier: Apache-2.0 */
/* man.c - `ringdown man`: the pages of the manual, as groff reads them.
 *
 *   ringdown man                 ringdown(1): every command, as its --help tells it
 *   ringdown man configuration   ringdown.lua(5): every setting, out of the table that is loaded by
 *
 * To read them here: ringdown man | man -l -   Nothing of them is written by hand twice, so that a page
 * cannot be older than the program. */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/usages.h"
#include "gateway/settings_table.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static const char usage[] = "usage: ringdown man [configuration]\n\n"
                            "Prints a page of the manual for man: ringdown(1), which has every "
                            "command, or ringdown.lua(5),\n"
                            "which has every setting. To read it: ringdown man | man -l -\n";

/* ---- words for groff ---- */

/* A dash that can be copied, a backslash that stays one, no line that is taken for an order. */
static void add_text(struct buf *out, const char *text)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            buf_add_str(out, "\\&");
        if (*text == '\\')
            buf_add_str(out, "\\e");
        else if (*text == '-')
            buf_add_str(out, "\\-");
        else
            buf_add(out, text, 1);
        begins = *text == '\n';
    }
}

/* As it is, line by line. */
static void add_verbatim(struct buf *out, const char *text)
{
    buf_add_str(out, ".nf\n");
    add_text(out, text);
    buf_add_str(out, ".fi\n");
}

static void add_title(struct buf *out, const char *name, const char *section, const char *about)
{
    buf_addf(out, ".TH %s %s \"\" \"Ringdown %s\" \"Ringdown\"\n.SH NAME\n", name, section,
             RD_VERSION);
    add_text(out, about);
    buf_add_str(out, "\n");
}

/* ---- ringdown(1) ---- */

static int add_command(struct buf *out, const struct command *c)
{
    struct buf text;
    int rc;

    buf_init(&text, TEXT_MAX);
    rc = usage_text(c, &text);
    if (!rc) {
        buf_addf(out, ".SS %s\n", c->name);
        add_text(out, c->about);
        buf_add_str(out, "\n.PP\n");
        add_verbatim(out, text.data);
    }
    buf_fini(&text);
    return rc;
}

static int add_ringdown(struct buf *out)
{
    add_title(out, "RINGDOWN", "1", "ringdown - answers phone calls with AI agents written in Lua");
    buf_add_str(out, ".SH SYNOPSIS\n.B ringdown\n.I COMMAND\n.RI [ ARGUMENTS ]\n"
                     ".SH DESCRIPTION\n"
                     "Ringdown carries the sound of phone calls between Twilio and a model that "
                     "speaks, and runs a Lua\nfile per agent, which says who answers and what it "
                     "may do.\n"
                     ".SH COMMANDS\n");
    for (const struct command *c = cli_commands(); c->name; c++) {
        int rc = add_command(out, c);

        if (rc)
            return rc;
    }
    return buf_add_str(
        out,
        ".SH EXIT STATUS\n"
        "0: done. 1: it did not work. 2: wrong arguments or configuration, nothing was tried.\n"
        ".SH FILES\n"
        ".TP\n.I /etc/ringdown/ringdown.lua\nthe configuration\n"
        ".TP\n.I /etc/ringdown/environment\nsecrets, read by the service alone\n"
        ".TP\n.I /etc/ringdown/agents\nwho answers, one Lua file each\n"
        ".TP\n.I /usr/share/ringdown\nlibrary and migrations, a folder for each version; "
        "agents and examples to copy\n"
        ".TP\n.I /var/lib/ringdown\nwhat is kept\n"
        ".SH SEE ALSO\n.BR ringdown.lua (5),\n.I /usr/share/doc/ringdown\n");
}

/* ---- ringdown.lua(5) ---- */

/* "one of off, openai, vapi", "1 to 64"; nothing where the type says little. */
static void add_allowed(struct buf *out, const struct setting *s)
{
    if (s->type == SETTING_NUMBER) {
        buf_addf(out, "From %d to %d.\n", s->min, s->max);
    } else if (s->type == SETTING_CHOICE) {
        buf_add_str(out, "One of ");
        for (const char *p = s->allowed; *p; p++)
            buf_add_str(out, *p == ' ' ? ", " : (char[]){*p, '\0'});
        buf_add_str(out, ".\n");
    } else if (s->type == SETTING_FILE) {
        buf_add_str(out, "A file.\n");
    } else if (s->type == SETTING_FOLDER) {
        buf_add_str(out, "A folder.\n");
    }
}

static void add_setting(struct buf *out, const struct setting *s)
{
    buf_add_str(out, ".TP\n.B ");
    add_text(out, s->key);
    buf_add_str(out, "\n");
    add_text(out, s->about);
    buf_addf(out, ".\nIn the environment: %s", s->env);
    if (s->secret)
        buf_addf(out, ", or as a file: %s_FILE", s->env);
    buf_add_str(out, ".\n");
    add_allowed(out, s);
    if (s->remedy)
        buf_add_str(out, "Needed to serve.\n");
    else if (!s->fallback)
        buf_add_str(out, "Default: worked out at start.\n");
    else if (!s->fallback[0])
        buf_add_str(out, "Default: off.\n");
    else {
        buf_add_str(out, "Default: ");
        add_text(out, s->fallback);
        buf_add_str(out, "\n");
    }
    if (s->secret)
        buf_add_str(out, "A secret: never printed.\n");
}

static int add_configuration(struct buf *out)
{
    size_t n;
    const struct setting *all = settings_table(&n);

    add_title(out, "RINGDOWN.LUA", "5", "ringdown.lua - the configuration of ringdown");
    buf_add_str(out, ".SH DESCRIPTION\n"
                     "A Lua file that returns a table. It is the one of \\-\\-config, else "
                     "$RINGDOWN_CONFIG, else\n\\&./ringdown.lua, else, of an installed program, "
                     "/etc/ringdown/ringdown.lua; without any, the\nenvironment is enough. Each "
                     "setting is also an environment variable, which wins over the file.\n"
                     "A dot in a name stands for a table within the table.\n"
                     ".PP\n");
    add_verbatim(out, "return {\n"
                      "  public = { url = \"https://calls.example.com\", listen = "
                      "\"0.0.0.0:8080\" },\n"
                      "  log = { level = \"info\" },\n"
                      "}\n");
    buf_add_str(out,
                ".PP\n.B ringdown check\ntells every mistake with its line.\n.B ringdown check "
                "\\-\\-print\nshows each value and where it comes from.\n.SH SETTINGS\n");
    for (size_t i = 0; i < n; i++)
        add_setting(out, &all[i]);
    return buf_add_str(out, ".SH SEE ALSO\n.BR ringdown (1)\n");
}

/* ---- the command ---- */

int cmd_man(int argc, char **argv)
{
    struct options o = {.usage = usage, .max_words = 1};
    struct buf out;
    int code = EXIT_OK, rc;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words && strcmp(o.words[0], "configuration") != 0) {
        fprintf(stderr,
                "ringdown man: there is no page \"%s\"; ringdown man configuration is one\n",
                o.words[0]);
        return EXIT_USAGE;
    }
    buf_init(&out, TEXT_MAX);
    rc = o.n_words ? add_configuration(&out) : add_ringdown(&out);
    if (!rc)
        fwrite(out.data, 1, out.n, stdout);
    else
        fprintf(stderr, "ringdown man: %s\n", rd_strerror(rc));
    buf_fini(&out);
    return rc ? EXIT_FAILED : EXIT_OK;
}
