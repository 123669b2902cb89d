/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - `ringdown replay`: recorded calls on today's agents, or on other ones.
 *
 * Failure modes: what cannot be replayed is said with its reason and makes the exit code 1, as does a
 * difference. */
#include "agent/tree.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/replays.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown replay CALL [--agent FILE] [--show]     one call\n"
    "       ringdown replay --last N [--of AGENT] [--since TIME] [--agent FILE]\n"
    "       ringdown replay --file FILE [--agent FILE] [--show]   recordings, one on a line\n"
    "       ringdown replay CALL --to-spec                   writes the call and a spec about "
    "it\n\n"
    "Runs what callers and model did in recorded calls again, against the agents of the folder "
    "(or\n"
    "FILE), and shows what these do otherwise than the version that took the call: emergencies,\n"
    "tools, texts, transfers, routing, prompts. Offline: nothing is dialled, texted or asked; "
    "what\n"
    "hosts and database answered then is in the recording. --show prints all that one version "
    "does.\n"
    "--since takes what PostgreSQL takes: 2026-11-20. --json prints one object a line.\n"
    "Exit code 0 when nothing differs, 1 for a difference or a call that cannot be replayed.\n";

enum { LAST_MAX = 10000, MOST_SHOWN = 20, FILE_MAX_BYTES = 512 << 20 };

struct wish {
    const char *call, *last, *file, *agent, *of, *since, *into;
    bool show, to_spec;
    int n_last;
};

static int misuse(const char *why)
{
    fprintf(stderr, "ringdown replay: %s\n", why);
    return EXIT_USAGE;
}

static int check(struct wish *w)
{
    char *end = NULL;

    if ((w->call != NULL) + (w->last != NULL) + (w->file != NULL) != 1)
        return misuse("say one of: a call, --last N, --file FILE");
    if (w->to_spec && !w->call)
        return misuse("--to-spec wants one call");
    if (w->last) {
        w->n_last = (int)strtol(w->last, &end, 10);
        if (*end || w->n_last < 1 || w->n_last > LAST_MAX)
            return misuse("--last takes a number from 1 to 10000");
    }
    return EXIT_OK;
}

/* The folder of agents; of --agent FILE the one it lies in, and its name. */
static int read_agents(const struct wish *w, const struct settings *s, struct tree **out,
                       char *name, size_t cap)
{
    char folder[PATH_MAX], file[PATH_MAX], why[512];
    char *dot;

    snprintf(folder, sizeof(folder), "%s", s->agents_path);
    if (w->agent) {
        snprintf(file, sizeof(file), "%s", w->agent);
        snprintf(name, cap, "%s", basename(file));
        snprintf(file, sizeof(file), "%s", w->agent);
        snprintf(folder, sizeof(folder), "%s", dirname(file));
        dot = strrchr(name, '.');
        if (!dot || strcmp(dot, ".lua") != 0 || access(w->agent, R_OK) != 0) {
            fprintf(stderr, "ringdown replay: %s is no file of an agent\n", w->agent);
            return EXIT_FAILED;
        }
        *dot = '\0';
    }
    if (tree_read(out, folder, why, sizeof(why)) == 0)
        return EXIT_OK;
    fprintf(stderr, "ringdown replay: %s/%s\n", folder, why);
    return EXIT_FAILED;
}

static int each_line(struct replays *r, char *text)
{
    int code = EXIT_OK;

    for (char *line = strtok(text, "\n"); line && code == EXIT_OK; line = strtok(NULL, "\n"))
        code = replays_text(r, rd_str(line));
    return code;
}

/* A file of one recording may have line ends in it. */
static int from_file(struct replays *r, const char *path)
{
    FILE *f = fopen(path, "re");
    struct buf text;
    char piece[65536];
    int code = EXIT_OK;
    size_t n;

    if (!f) {
        fprintf(stderr, "ringdown replay: %s cannot be read\n", path);
        return EXIT_FAILED;
    }
    buf_init(&text, FILE_MAX_BYTES);
    while ((n = fread(piece, 1, sizeof(piece), f)) > 0)
        (void)buf_add(&text, piece, n);
    (void)fclose(f);
    if (!buf_text(&text))
        code = misuse("the file is empty");
    else if (strncmp(text.data, "{\n", 2) == 0)
        code = replays_text(r, (struct rd_str){text.data, text.n});
    else
        code = each_line(r, text.data);
    buf_fini(&text);
    return code;
}

static int run(const struct wish *w, const struct settings *s, struct replays *r)
{
    if (w->to_spec)
        return replays_write_spec(r, w->call, w->into ? w->into : s->agents_path);
    if (w->file)
        return from_file(r, w->file);
    return w->call ? replays_call(r, w->call) : replays_last(r, w->n_last);
}

static int finish(const struct wish *w, struct replays *r, bool json, int code)
{
    struct replays_totals t = replays_totals(r);

    if (w->to_spec || code != EXIT_OK)
        return code == EXIT_OK && t.unplayable ? EXIT_FAILED : code;
    if (!w->call || !json)
        replays_print_totals(r);
    return t.unplayable || (t.different && !w->show) ? EXIT_FAILED : EXIT_OK;
}

static int replay(const struct wish *w, const struct settings *s, bool json)
{
    char name[256] = "";
    struct asking a = {0};
    struct replays *r = NULL;
    struct replays_opts o = {
        .settings = s, .command = "replay", .to = stdout, .json = json, .show = w->show};
    int code = read_agents(w, s, &o.tree, name, sizeof(name));

    if (code == EXIT_OK && !w->file)
        code = ask_open(&a, s, "replay");
    o.asking = w->file ? NULL : &a;
    o.of_agent = name[0] ? name : w->of;
    o.since = w->since;
    o.most_shown = w->last ? MOST_SHOWN : 0;
    if (code == EXIT_OK)
        code = replays_begin(&r, &o);
    if (code == EXIT_OK)
        code = finish(w, r, json, run(w, s, r));
    replays_end(r);
    tree_unref(o.tree);
    ask_close(&a);
    return code;
}

int cmd_replay(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_switch switches[] = {
        {"show", &w.show}, {"to-spec", &w.to_spec}, {NULL, NULL}};
    const struct option_value values[] = {
        {"last", &w.last},   {"file", &w.file}, {"agent", &w.agent}, {"of", &w.of},
        {"since", &w.since}, {"into", &w.into}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .values = values, .max_words = 1};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    w.call = o.n_words > 0 ? o.words[0] : NULL;
    code = check(&w);
    if (code == EXIT_OK)
        code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code == EXIT_OK)
        code = replay(&w, s, o.json);
    settings_free(s);
    return code;
}
