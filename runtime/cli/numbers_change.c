/* SPDX-License-Identifier: Apache-2.0 */
/* numbers_change.c - `ringdown numbers`, where the carrier sends numbers: the words and options become the
 * operation `numbers` (scripts/ringdown/numbers/), which checks them and does the work.
 *
 * - a file that is named is read here, and goes along as text
 * - --script FILE: what the operation prints is the script; FILE is there whole, or not at all */
#include "cli/commands.h"
#include "cli/numbers.h"
#include "cli/operate.h"
#include "cli/options.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { WORDS_MAX = 2000 };

struct change {
    const char *to, *agent, *file, *wave, *pause, *max_failures, *resume, *from, *script, *reason;
    bool all, texts, dry_run, call, first, now;
};

static void add_text(json_t *to, const char *name, const char *value)
{
    if (value)
        json_object_set_new(to, name, json_string(value));
}

static void add_flag(json_t *to, const char *name, bool on)
{
    if (on)
        json_object_set_new(to, name, json_true());
}

static json_t *options_json(const struct change *c)
{
    json_t *o = json_object();

    add_text(o, "to", c->to);
    add_text(o, "agent", c->agent);
    add_text(o, "file", c->file);
    add_text(o, "wave", c->wave);
    add_text(o, "pause", c->pause);
    add_text(o, "max_failures", c->max_failures);
    add_text(o, "resume", c->resume);
    add_text(o, "from", c->from);
    add_text(o, "script", c->script);
    add_text(o, "reason", c->reason);
    add_flag(o, "all", c->all);
    add_flag(o, "texts", c->texts);
    add_flag(o, "dry_run", c->dry_run);
    add_flag(o, "call", c->call);
    add_flag(o, "first", c->first);
    add_flag(o, "now", c->now);
    return o;
}

/* The wish for the operation; NULL after a complaint. */
static json_t *wish_of(const struct options *o, const struct change *c)
{
    bool imports = strcmp(o->words[0], "import") == 0;
    const char *path = imports && o->n_words == 2 ? o->words[1] : c->file;
    json_t *text = path ? options_file("numbers", path) : NULL, *words = json_array();

    if (path && !text) {
        json_decref(words);
        return NULL;
    }
    for (int i = imports ? 2 : 1; i < o->n_words; i++)
        json_array_append_new(words, json_string(o->words[i]));
    return json_pack("{s:s, s:o, s:o, s:o*, s:b}", "action", o->words[0], "words", words, "options",
                     options_json(c), "text", text, "details", o->json);
}

/* Stdout is the new file while the operation runs. */
static int write_script(const struct operate_opts *o, json_t *wish, const char *path)
{
    char part[PATH_MAX];
    struct stat st = {.st_size = 0};
    int fd, code;

    (void)snprintf(part, sizeof(part), "%s.part", path);
    fd = open(part, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0700);
    if (fd < 0 || fflush(stdout) || dup2(fd, STDOUT_FILENO) < 0) {
        fprintf(stderr, "ringdown numbers: %s: %s\n", part, strerror(errno));
        json_decref(wish);
        return EXIT_FAILED;
    }
    code = operate(o, wish);
    if (fflush(stdout) || fsync(fd) || fstat(fd, &st))
        st.st_size = 0;
    (void)close(fd);
    if (st.st_size == 0 || rename(part, path)) {
        (void)unlink(part);
        fprintf(stderr, "ringdown numbers: %s was not written\n", path);
        return code ? code : EXIT_FAILED;
    }
    fprintf(stderr, "%s is the way back: keep it where this machine is not needed\n", path);
    return code;
}

static int run(const struct options *o, const struct change *c, const struct settings *s)
{
    struct operate_opts opts = {
        .settings = s, .command = "numbers", .kind = "numbers", .as_json = o->json};
    json_t *wish = wish_of(o, c);

    if (!wish)
        return EXIT_USAGE;
    return c->script ? write_script(&opts, wish, c->script) : operate(&opts, wish);
}

static int complain(const struct options *o, const struct change *c)
{
    if (o->n_words == 0)
        fputs("ringdown numbers: what shall be done? See: ringdown numbers --help\n", stderr);
    else if (strcmp(o->words[0], "import") == 0 && o->n_words != 2)
        fputs("ringdown numbers: import needs one FILE.csv: number,agent,site\n", stderr);
    else if (c->script && o->json)
        fputs("ringdown numbers: --script and --json do not go together\n", stderr);
    else
        return EXIT_OK;
    return EXIT_USAGE;
}

int numbers_change(int argc, char **argv)
{
    struct change c = {0};
    const struct option_value values[] = {
        {"to", &c.to},         {"agent", &c.agent}, {"file", &c.file},
        {"wave", &c.wave},     {"pause", &c.pause}, {"max-failures", &c.max_failures},
        {"resume", &c.resume}, {"from", &c.from},   {"script", &c.script},
        {"reason", &c.reason}, {NULL, NULL}};
    const struct option_switch switches[] = {
        {"all", &c.all},   {"texts", &c.texts}, {"dry-run", &c.dry_run},
        {"call", &c.call}, {"first", &c.first}, {"now", &c.now},
        {NULL, NULL}};
    struct options o = {
        .usage = numbers_usage, .values = values, .switches = switches, .max_words = WORDS_MAX};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = complain(&o, &c);
    code = code ? code : options_settings(&o, SETTINGS_KEEPER, &s);
    if (code)
        return code;
    code = run(&o, &c, s);
    settings_free(s);
    return code;
}
