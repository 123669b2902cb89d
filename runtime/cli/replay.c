/* SPDX-License-Identifier: Apache-2.0 */
/* replay.c - `ringdown replay`: recorded calls on today's agents, or on other ones.
 *
 * Failure modes: what cannot be replayed is said with its reason and makes the exit code 1, as does a
 * difference, what is not as it was recorded, and nothing to replay at all. */
#include "agent/tree.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/replays.h"

#include <jansson.h>
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
    "The version that took a call is held against what was recorded, too: NOT AS RECORDED.\n"
    "Exit code 0 when nothing differs; 1 for a difference, for what is not as recorded, for a call "
    "that\ncannot be replayed, and when there is none.\n";

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

/* The text up to `line`'s end; `rest` is what follows. */
static struct rd_str next_line(struct rd_str *rest)
{
    const char *end = memchr(rest->p, '\n', rest->n);
    struct rd_str line = {rest->p, end ? (size_t)(end - rest->p) : rest->n};
    size_t used = line.n + (end != NULL);

    *rest = (struct rd_str){rest->p + used, rest->n - used};
    while (line.n > 0 && strchr(" \t\r", line.p[line.n - 1]))
        line.n--;
    return line;
}

/* One recording on each line; or one alone, which may have line ends in it: then its first line is no
 * JSON. */
static int from_text(struct replays *r, struct rd_str text)
{
    struct rd_str rest = text, line = next_line(&rest);
    json_t *first = json_loadb(line.p, line.n, 0, NULL);
    bool alone = !first;
    int code = EXIT_OK;

    json_decref(first);
    if (alone)
        return replays_text(r, text);
    for (rest = text; rest.n > 0 && code == EXIT_OK;) {
        line = next_line(&rest);
        if (line.n > 0)
            code = replays_text(r, line);
    }
    return code;
}

static int no_recordings(const char *path, const char *why)
{
    fprintf(stderr, "ringdown replay: %s %s\n", path, why);
    return EXIT_FAILED;
}

/* The whole file, or why not. */
static const char *read_all(const char *path, struct buf *text)
{
    FILE *f = fopen(path, "re");
    const char *why = NULL;
    char piece[65536];
    size_t n;

    if (!f)
        return "cannot be read";
    while (!why && (n = fread(piece, 1, sizeof(piece), f)) > 0)
        why =
            buf_add(text, piece, n) ? "is larger than 512 MB; take fewer recordings at once" : NULL;
    if (ferror(f))
        why = "cannot be read: is it a file?";
    (void)fclose(f);
    return why;
}

static int from_file(struct replays *r, const char *path)
{
    struct buf text;
    const char *why;
    size_t blank = 0;
    int code;

    buf_init(&text, FILE_MAX_BYTES);
    why = read_all(path, &text);
    while (blank < text.n && strchr(" \t\r\n", text.data[blank]) && text.data[blank])
        blank++;
    if (!why && blank == text.n)
        why = "holds no recording; ringdown replay CALL --to-spec writes one";
    if (!why && memchr(text.data, '\0', text.n))
        why = "has a zero byte in it: it is no file of recordings";
    code = why ? no_recordings(path, why)
               : from_text(r, (struct rd_str){text.data + blank, text.n - blank});
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

static int nothing_there(const struct wish *w)
{
    fprintf(stderr, "ringdown replay: there is no recorded call%s%s%s%s to replay\n",
            w->of ? " of the agent " : "", w->of ? w->of : "", w->since ? " since " : "",
            w->since ? w->since : "");
    return EXIT_FAILED;
}

static int finish(const struct wish *w, struct replays *r, bool json, int code)
{
    struct replays_totals t = replays_totals(r);

    if (w->to_spec || code != EXIT_OK)
        return code == EXIT_OK && t.unplayable ? EXIT_FAILED : code;
    if (t.calls + t.unplayable == 0)
        return nothing_there(w);
    if (!w->call || !json)
        replays_print_totals(r);
    return t.unplayable || t.drifted || (t.different && !w->show) ? EXIT_FAILED : EXIT_OK;
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
