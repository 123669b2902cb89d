/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - `ringdown completion bash|zsh|fish`: what completes commands, verbs and options.
 *
 *   . <(ringdown completion bash)           for this shell; the package has it where bash looks
 *   ringdown completion zsh >_ringdown      in a folder of $fpath
 *   ringdown completion fish >ringdown.fish in ~/.config/fish/completions
 *
 * Made from the table of commands and from what each says with --help: nothing to keep in step. */
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/usages.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1 << 20 };

static const char usage[] =
    "usage: ringdown completion bash | zsh | fish\n\n"
    "Prints what completes the arguments of ringdown in that shell. For one session of bash:\n\n"
    "  . <(ringdown completion bash)\n\n"
    "The Debian package installs all three.\n";

typedef int(command_printer)(struct buf *out, const struct command *c, const struct usage *u);

/* Asks each command and prints what is made of it. */
static int each(struct buf *out, command_printer *print)
{
    for (const struct command *c = cli_commands(); c->name; c++) {
        struct usage u;
        struct buf text;
        int rc;

        buf_init(&text, TEXT_MAX);
        rc = usage_text(c, &text);
        if (!rc) {
            usage_parse(&u, c->name, text.data);
            rc = print(out, c, &u);
        }
        buf_fini(&text);
        if (rc)
            return rc;
    }
    return 0;
}

/* Within single quotes of a shell. */
static void add_quoted(struct buf *out, const char *text)
{
    buf_add_str(out, "'");
    for (; *text; text++) {
        if (*text == '\'')
            buf_add_str(out, "'\\'");
        buf_add(out, text, 1);
    }
    buf_add_str(out, "'");
}

static void add_words(struct buf *out, const struct usage *u)
{
    for (size_t i = 0; i < u->n_verbs; i++)
        buf_addf(out, "%s%s", i ? " " : "", u->verbs[i]);
    for (size_t i = 0; i < u->n_options; i++)
        buf_addf(out, "%s%s", i || u->n_verbs ? " " : "", u->options[i].name);
}

static void add_commands(struct buf *out)
{
    for (const struct command *c = cli_commands(); c->name; c++)
        buf_addf(out, "%s ", c->name);
    buf_add_str(out, "--help --version");
}

/* ---- bash: one case over "place command word-before" ---- */

static int bash_command(struct buf *out, const struct command *c, const struct usage *u)
{
    for (size_t i = 0; i < u->n_options; i++) {
        const struct usage_option *o = &u->options[i];

        if (o->value == USAGE_CHOICE)
            buf_addf(out, "    *' %s %s') words='%s' ;;\n", c->name, o->name, o->choices);
        else if (o->value != USAGE_NONE)
            buf_addf(out, "    *' %s %s') return ;;\n", c->name, o->name);
    }
    buf_addf(out, "    *' %s '*) words='", c->name);
    add_words(out, u);
    return buf_add_str(out, "' ;;\n");
}

static int print_bash(struct buf *out)
{
    int rc;

    buf_add_str(out, "# bash completion for ringdown; printed by `ringdown completion bash`\n"
                     "# Where nothing of this fits, bash completes a path.\n"
                     "_ringdown() {\n"
                     "    local words='' cur=${COMP_WORDS[COMP_CWORD]}\n"
                     "    COMPREPLY=()\n"
                     "    case \"$COMP_CWORD ${COMP_WORDS[1]} ${COMP_WORDS[COMP_CWORD - 1]}\" in\n"
                     "    '1 '*) words='");
    add_commands(out);
    buf_add_str(out, "' ;;\n");
    rc = each(out, bash_command);
    if (rc)
        return rc;
    return buf_add_str(out, "    esac\n"
                            "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
                            "}\n"
                            "complete -o bashdefault -o default -F _ringdown ringdown\n");
}

/* ---- zsh: the same, and what each command is for ---- */

static int zsh_command(struct buf *out, const struct command *c, const struct usage *u)
{
    for (size_t i = 0; i < u->n_options; i++) {
        const struct usage_option *o = &u->options[i];

        if (o->value == USAGE_CHOICE)
            buf_addf(out, "    *' %s %s') compadd -- %s ;;\n", c->name, o->name, o->choices);
        else if (o->value != USAGE_NONE)
            buf_addf(out, "    *' %s %s') _files ;;\n", c->name, o->name);
    }
    buf_addf(out, "    *' %s '*) compadd -- ", c->name);
    add_words(out, u);
    return buf_add_str(out, "; _files ;;\n");
}

static int print_zsh(struct buf *out)
{
    int rc;

    buf_add_str(out, "#compdef ringdown\n"
                     "# Printed by `ringdown completion zsh`.\n"
                     "_ringdown() {\n"
                     "    local -a commands\n"
                     "    commands=(\n");
    for (const struct command *c = cli_commands(); c->name; c++) {
        buf_addf(out, "        '%s':", c->name);
        add_quoted(out, c->about);
        buf_add_str(out, "\n");
    }
    buf_add_str(out, "    )\n"
                     "    case \"$CURRENT ${words[2]} ${words[CURRENT - 1]}\" in\n"
                     "    '2 '*) _describe command commands ;;\n");
    rc = each(out, zsh_command);
    if (rc)
        return rc;
    return buf_add_str(out, "    esac\n"
                            "}\n"
                            "if [ \"$funcstack[1]\" = _ringdown ]; then _ringdown \"$@\"; "
                            "else compdef _ringdown ringdown; fi\n");
}

/* ---- fish: one line each ---- */

static int fish_command(struct buf *out, const struct command *c, const struct usage *u)
{
    buf_addf(out, "complete -c ringdown -n __fish_use_subcommand -f -a %s -d ", c->name);
    add_quoted(out, c->about);
    buf_add_str(out, "\n");
    for (size_t i = 0; i < u->n_verbs; i++)
        buf_addf(out, "complete -c ringdown -n '__fish_seen_subcommand_from %s' -f -a %s\n",
                 c->name, u->verbs[i]);
    for (size_t i = 0; i < u->n_options; i++) {
        const struct usage_option *o = &u->options[i];

        buf_addf(out, "complete -c ringdown -n '__fish_seen_subcommand_from %s' -l %s", c->name,
                 o->name + 2);
        if (o->value == USAGE_CHOICE)
            buf_addf(out, " -x -a '%s'", o->choices);
        else if (o->value != USAGE_NONE)
            buf_add_str(out, o->value == USAGE_PATH ? " -r -F" : " -x");
        buf_add_str(out, "\n");
    }
    return 0;
}

static int print_fish(struct buf *out)
{
    buf_add_str(out, "# Printed by `ringdown completion fish`.\n");
    return each(out, fish_command);
}

/* ---- the command ---- */

static const struct {
    const char *name;
    int (*print)(struct buf *out);
} shells[] = {{"bash", print_bash}, {"zsh", print_zsh}, {"fish", print_fish}};

int cmd_completion(int argc, char **argv)
{
    struct options o = {.usage = usage, .max_words = 1};
    struct buf out;
    int code = EXIT_USAGE;

    if (!options_read(&o, argc, argv, &code))
        return code;
    for (size_t i = 0; o.n_words && i < sizeof(shells) / sizeof(shells[0]); i++) {
        if (strcmp(shells[i].name, o.words[0]) != 0)
            continue;
        buf_init(&out, TEXT_MAX);
        code = shells[i].print(&out) == 0 ? EXIT_OK : EXIT_FAILED;
        if (code == EXIT_OK)
            fwrite(out.data, 1, out.n, stdout);
        else
            fputs("ringdown completion: there is no memory for it\n", stderr);
        buf_fini(&out);
        return code;
    }
    fputs("ringdown completion: for which shell? ringdown completion bash, zsh or fish\n", stderr);
    return EXIT_USAGE;
}
