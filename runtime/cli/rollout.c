/* SPDX-License-Identifier: Apache-2.0 */
/* rollout.c - `ringdown rollout`, `ringdown force` and `ringdown undo`: which system the next calls go to.
 * Here are only arguments: what is done and said is scripts/ringdown/rollout/. No live node is needed;
 * nodes follow the database within a second, and the file in the data folder when that is away. */
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rollout_usage[] =
    "usage: ringdown rollout plan [--stages pilot,25,50,100] [--bake 24h,2d] [--min 50,100]\n"
    "                             [--allow N,N|@FILE] [--deny N,N|@FILE]\n"
    "                             [--unit caller|call] [--salt S [--reshuffle]]\n"
    "                             [--auto-advance | --no-auto-advance] [--force --reason TEXT]\n"
    "                             [--schedule open|closed|none|\"mon_fri 08:00-17:00, sat "
    "09:00-12:00\"]\n"
    "       ringdown rollout start [--reason TEXT] [--force]   begins, or goes on with one that is "
    "held\n"
    "       ringdown rollout advance [--to STAGE] [--force --reason TEXT]   the next stage\n"
    "       ringdown rollout hold [--reason TEXT]              keeps the share, goes no further\n"
    "       ringdown rollout rollback [--to STAGE|PERCENT]     less, nobody without --to\n"
    "       ringdown rollout status | history | check          check: the guards look now\n"
    "       ringdown rollout simulate [--seed N] [--runs N] [--calls N]\n"
    "each also [--agent A] [--if-version V] [--json] [--config FILE]\n\n"
    "A rollout moves the callers of one agent, on all its numbers, from Vapi to OpenAI, stage by\n"
    "stage. A caller always meets the same system; a larger share only adds callers. Guards "
    "compare\n"
    "both systems and hold it or take it back; it goes on when they say ready and somebody says\n"
    "advance. Calls that are going on are never moved. With --if-version a change is made only "
    "from\n"
    "that version. The database away: rollback works, at this machine alone.\n"
    "Exit code 1 when it was refused or did not work, 2 for wrong arguments.\n";

static const char force_usage[] =
    "usage: ringdown force openai|vapi|off [--agent A] [--reason TEXT] [--yes] [--json] [--config "
    "FILE]\n\n"
    "Sends every new call to one system, of all agents that can or of one, whatever their "
    "rollouts\n"
    "say; off ends it. Works with the database away, then at this machine alone. Agents with\n"
    "rules about life whose assistant sends us no transcripts are refused for vapi, because "
    "nobody\n"
    "would know of an emergency there, unless their file says vapi.no_triage = \"accepted\", or "
    "--yes\n"
    "is given in an outage. Exit code 1 when it was refused or did not work, 2 for wrong "
    "arguments.\n";

static const char undo_usage[] =
    "usage: ringdown undo [--agent A] [--reason TEXT] [--force] [--yes] [--json] [--config "
    "FILE]\n\n"
    "Takes back the last change of a rollout or of the force switch, whoever made it. Shows it "
    "first\n"
    "and waits for a yes; --yes does not. What went back goes forward as by `rollout start`: with "
    "a\n"
    "--reason, and within 24 hours with --force. Numbers have a way back of their own: ringdown\n"
    "numbers restore. Exit code 1 when it did not work, 2 when nothing was tried.\n";

struct wish {
    const char *agent, *reason, *to, *stages, *bake, *min, *unit, *salt, *allow, *deny;
    const char *if_version, *seed, *runs, *calls, *schedule;
    bool force, yes, reshuffle, auto_advance, no_auto_advance;
};

/* ---- what was asked for, as JSON ---- */

/* A whole number of at most nine digits; false after a complaint. */
static bool set_number(json_t *out, const char *command, const char *option, const char *key,
                       const char *value)
{
    size_t n = value ? strlen(value) : 0;

    if (!value)
        return true;
    if (n == 0 || n > 9 || strspn(value, "0123456789") != n) {
        fprintf(stderr, "ringdown %s: --%s needs a whole number, not '%.40s'\n", command, option,
                value);
        return false;
    }
    json_object_set_new(out, key, json_integer(strtoll(value, NULL, 10)));
    return true;
}

/* Numbers, or @FILE with some of them on each line; false after a complaint. */
static bool set_list(json_t *out, const char *command, const char *key, const char *value)
{
    json_t *text = value && value[0] == '@' ? options_file(command, value + 1) : NULL;

    if (value && value[0] == '@' && !text)
        return false;
    if (text)
        json_object_set_new(out, key, text);
    else
        wish_text(out, key, value);
    return true;
}

/* NULL after a complaint. */
static json_t *wish_json(const struct wish *w, const char *command)
{
    json_t *out = json_object();
    bool good;

    wish_text(out, "agent", w->agent);
    wish_text(out, "reason", w->reason);
    wish_text(out, "to", w->to);
    wish_text(out, "stages", w->stages);
    wish_text(out, "bake", w->bake);
    wish_text(out, "min", w->min);
    wish_text(out, "unit", w->unit);
    wish_text(out, "salt", w->salt);
    wish_text(out, "schedule", w->schedule);
    wish_true(out, "force", w->force);
    wish_true(out, "yes", w->yes);
    wish_true(out, "reshuffle", w->reshuffle);
    if (w->auto_advance || w->no_auto_advance)
        json_object_set_new(out, "auto_advance", json_boolean(w->auto_advance));
    good = set_number(out, command, "if-version", "if_version", w->if_version) &&
           set_number(out, command, "seed", "seed", w->seed) &&
           set_number(out, command, "runs", "runs", w->runs) &&
           set_number(out, command, "calls", "calls", w->calls) &&
           set_list(out, command, "allow", w->allow) && set_list(out, command, "deny", w->deny);
    if (!good) {
        json_decref(out);
        return NULL;
    }
    return out;
}

/* What works without a database waits for none. */
static bool hurries(const char *command, const json_t *wish)
{
    const char *verb = json_string_value(json_object_get(wish, "verb"));

    return strcmp(command, "force") == 0 || (verb && strcmp(verb, "rollback") == 0);
}

/* Takes `wish`; `result` as in struct operate_opts. */
static int run(const struct options *o, const char *command, json_t *wish, json_t **result)
{
    struct operate_opts opts = {
        .command = command, .kind = command, .result = result, .hurries = hurries(command, wish)};

    return wish ? wish_operate(o, opts, wish) : EXIT_USAGE;
}

/* ---- the commands ---- */

int cmd_rollout(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {
        {"agent", &w.agent},   {"reason", &w.reason}, {"to", &w.to},
        {"stages", &w.stages}, {"bake", &w.bake},     {"min", &w.min},
        {"unit", &w.unit},     {"salt", &w.salt},     {"allow", &w.allow},
        {"deny", &w.deny},     {"seed", &w.seed},     {"if-version", &w.if_version},
        {"runs", &w.runs},     {"calls", &w.calls},   {"schedule", &w.schedule},
        {NULL, NULL}};
    const struct option_switch switches[] = {{"force", &w.force},
                                             {"reshuffle", &w.reshuffle},
                                             {"auto-advance", &w.auto_advance},
                                             {"no-auto-advance", &w.no_auto_advance},
                                             {NULL, NULL}};
    struct options o = {
        .usage = rollout_usage, .values = values, .switches = switches, .max_words = 1};
    int code = EXIT_OK;
    json_t *wish;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0) {
        fputs("ringdown rollout: what shall be done? plan, start, status, hold, advance, rollback, "
              "history; see: ringdown rollout --help\n",
              stderr);
        return EXIT_USAGE;
    }
    wish = wish_json(&w, "rollout");
    if (wish)
        wish_text(wish, "verb", o.words[0]);
    return run(&o, "rollout", wish, NULL);
}

int cmd_force(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {{"agent", &w.agent}, {"reason", &w.reason}, {NULL, NULL}};
    const struct option_switch switches[] = {{"yes", &w.yes}, {NULL, NULL}};
    struct options o = {
        .usage = force_usage, .values = values, .switches = switches, .max_words = 1};
    int code = EXIT_OK;
    json_t *wish;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words == 0) {
        fputs("ringdown force: where to? openai, vapi or off; see: ringdown force --help\n",
              stderr);
        return EXIT_USAGE;
    }
    wish = wish_json(&w, "force");
    if (wish)
        wish_text(wish, "system", o.words[0]);
    return run(&o, "force", wish, NULL);
}

/* Shows it, and after a yes takes back what was shown here, or nothing. */
static int undo_asking(const struct options *o, const struct wish *w)
{
    json_t *wish = wish_json(w, "undo"), *shown = NULL;
    int code;

    wish_true(wish, "show", true);
    code = run(o, "undo", wish, &shown);
    if (!code && !operate_agreed("undo"))
        code = EXIT_USAGE;
    else if (!code) {
        wish = wish_json(w, "undo");
        json_object_set(wish, "shown", json_object_get(shown, "last"));
        code = run(o, "undo", wish, NULL);
    }
    json_decref(shown);
    return code;
}

int cmd_undo(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {{"agent", &w.agent}, {"reason", &w.reason}, {NULL, NULL}};
    const struct option_switch switches[] = {{"yes", &w.yes}, {"force", &w.force}, {NULL, NULL}};
    struct options o = {.usage = undo_usage, .values = values, .switches = switches};
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (w.yes)
        return run(&o, "undo", wish_json(&w, "undo"), NULL);
    if (o.json) {
        fputs("ringdown undo: --json needs --yes, because nobody can be asked\n", stderr);
        return EXIT_USAGE;
    }
    return undo_asking(&o, &w);
}
