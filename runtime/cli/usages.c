/* SPDX-License-Identifier: Apache-2.0 */
/* usages.c - help texts as data.
 *
 *   "usage: ringdown db up | down [--json]"   verbs up, down
 *   "[--role viewer|operator]"                an option, and the words that may stand behind it
 *   "[--config FILE]"                         an option, and a path
 *
 * - a text is asked for as a person would, with stdout in a file of memory
 * - what does not fit into the fixed tables is left out: it is completed less, and never wrongly
 * - a mention of another command's option is taken for one of this command: say it in other words */
#include "cli/usages.h"

#include "base/err.h"
#include "cli/commands.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- the text ---- */

static int read_back(int fd, struct buf *out)
{
    off_t at = 0;

    for (;;) {
        int rc = buf_reserve(out, 4096);
        ssize_t n;

        if (rc)
            return rc;
        n = pread(fd, out->data + out->n, 4096, at);
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->n += (size_t)n;
        at += n;
    }
}

int usage_text(const struct command *c, struct buf *out)
{
    char name[USAGE_WORD], help[] = "--help";
    char *argv[] = {name, help, NULL};
    int fd = memfd_create("usage", MFD_CLOEXEC), saved = dup(STDOUT_FILENO), rc;

    (void)snprintf(name, sizeof(name), "%s", c->name);
    if (fd < 0 || saved < 0 || fflush(stdout) || dup2(fd, STDOUT_FILENO) < 0) {
        rc = -errno;
    } else {
        rc = c->run(2, argv) == EXIT_OK && fflush(stdout) == 0 ? 0 : -EIO;
        (void)dup2(saved, STDOUT_FILENO);
    }
    if (!rc)
        rc = read_back(fd, out);
    if (!rc && !buf_text(out))
        rc = RD_ETOOBIG;
    if (fd >= 0)
        (void)close(fd);
    if (saved >= 0)
        (void)close(saved);
    return rc;
}

/* ---- its words ---- */

/* How many letters of a verb or of an option's name stand there. */
static size_t word_at(const char *p)
{
    size_t n = 0;

    if (!islower((unsigned char)p[0]))
        return 0;
    while (islower((unsigned char)p[n]) || isdigit((unsigned char)p[n]) ||
           (p[n] == '-' && islower((unsigned char)p[n + 1])))
        n++;
    return n < USAGE_WORD ? n : 0;
}

static void add_verb(struct usage *u, const char *p, size_t n)
{
    for (size_t i = 0; i < u->n_verbs; i++)
        if (strlen(u->verbs[i]) == n && strncmp(u->verbs[i], p, n) == 0)
            return;
    if (u->n_verbs == USAGE_WORDS)
        return;
    (void)snprintf(u->verbs[u->n_verbs++], USAGE_WORD, "%.*s", (int)n, p);
}

/* "up | down | migrate [--dry-run]", as far as it is a list of verbs. */
static void parse_verbs(struct usage *u, const char *p)
{
    size_t n;

    for (;;) {
        p += strspn(p, " ");
        n = word_at(p);
        if (n == 0 || !strchr(" |\n", p[n]))
            return;
        add_verb(u, p, n);
        p += n;
        p += strspn(p, " ");
        if (*p != '|')
            return;
        p++;
    }
}

/* Each "ringdown COMMAND " that begins a line of the synopsis. */
static void parse_synopsis(struct usage *u, const char *command, const char *text)
{
    const char *end = strstr(text, "\n\n");
    char begin[USAGE_WORD + 16];
    size_t n = (size_t)snprintf(begin, sizeof(begin), "ringdown %s ", command);

    for (const char *p = text; p && (!end || p < end); p = strchr(p, '\n')) {
        p += strspn(p, "\n");
        if (strncmp(p, "usage: ", 7) == 0)
            p += 7;
        p += strspn(p, " ");
        if (strncmp(p, begin, n) == 0)
            parse_verbs(u, p + n);
    }
}

/* "viewer|operator|admin" as words; false when that is not what stands there. */
static bool parse_choices(struct usage_option *o, const char *p)
{
    size_t used = 0, n_words = 0;

    for (;;) {
        size_t n = word_at(p);

        if (n == 0 || used + n + 2 > sizeof(o->choices))
            return false;
        used += (size_t)snprintf(o->choices + used, sizeof(o->choices) - used, "%s%.*s",
                                 n_words ? " " : "", (int)n, p);
        n_words++;
        p += n;
        if (*p != '|')
            return n_words > 1;
        p++;
    }
}

static void parse_value(struct usage_option *o, const char *p)
{
    size_t capitals;

    o->value = USAGE_NONE;
    if (*p != ' ' && *p != '=')
        return;
    p++;
    capitals = strspn(p, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
    if (strncmp(p, "FILE", 4) == 0 || strncmp(p, "FOLDER", 6) == 0)
        o->value = USAGE_PATH;
    else if (parse_choices(o, p))
        o->value = USAGE_CHOICE;
    else if ((capitals > 0 && !islower((unsigned char)p[capitals])) || isdigit((unsigned char)*p))
        o->value = USAGE_SOMETHING;
}

/* What is known of an option that is mentioned again is kept, unless nothing was. */
static void add_option(struct usage *u, const char *p, size_t n)
{
    struct usage_option o = {.value = USAGE_NONE};

    (void)snprintf(o.name, sizeof(o.name), "--%.*s", (int)n, p + 2);
    parse_value(&o, p + 2 + n);
    for (size_t i = 0; i < u->n_options; i++) {
        if (strcmp(u->options[i].name, o.name) != 0)
            continue;
        if (u->options[i].value == USAGE_NONE)
            u->options[i] = o;
        return;
    }
    if (u->n_options < USAGE_WORDS)
        u->options[u->n_options++] = o;
}

void usage_parse(struct usage *u, const char *command, const char *text)
{
    *u = (struct usage){.n_verbs = 0};
    parse_synopsis(u, command, text);
    for (const char *p = strstr(text, "--"); p; p = strstr(p + 2, "--")) {
        size_t n = word_at(p + 2);

        if (n > 0 && n + 3 < USAGE_WORD && (n != 4 || strncmp(p + 2, "help", 4) != 0))
            add_option(u, p, n);
    }
    add_option(u, "--help", 4);
}
