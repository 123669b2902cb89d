/* SPDX-License-Identifier: Apache-2.0 */
/* stats.c - `ringdown stats`: what calls were like. Here are only arguments and the terminal: what is counted and
 * drawn is scripts/ringdown/stats/. No live node is needed. */
#include "cli/commands.h"
#include "cli/terminal.h"
#include "cli/wish.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown stats [--agent A] [--site S] [--system openai|vapi] [--since 7d] [--until "
    "DATE]\n"
    "                      [--by hour|weekday|day|site|reason|agent|system|outcome]\n"
    "                      [--tests] [--imported] [--csv | --json] [--config FILE]\n"
    "       ringdown stats today [--day DATE] [--agent A] [--site S] [--json]   one day in one "
    "sentence\n"
    "       ringdown stats weekly [--agent A]      the mail about last week, which is not sent by "
    "this\n\n"
    "What calls were like that are over: answered and missed, how many needed no person, "
    "transfers,\n"
    "emergencies and how long they waited, bookings, tools, how soon the first words came, cost.\n"
    "  --since   7d (days, today is the last; the default), 24h, or a date; --until a date, "
    "included.\n"
    "            Days, hours and weekdays are those of the clock at each site, else of its agent\n"
    "  --by      groups, drawn as bars\n"
    "  --tests, --imported   also calls that we made ourselves, and those that Vapi had before\n"
    "  --csv     one line for each group, for spreadsheets; names that look like formulas are "
    "text\n"
    "Percentiles come from buckets: each is at most a sixteenth away from the truth. Exit code 1\n"
    "when it did not work.\n";

struct wish {
    const char *verb, *agent, *site, *system, *since, *until, *by, *day;
    bool tests, imported, csv;
};

static json_t *wish_json(const struct wish *w)
{
    json_t *out = json_object();

    wish_text(out, "verb", w->verb);
    wish_text(out, "agent", w->agent);
    wish_text(out, "site", w->site);
    wish_text(out, "system", w->system);
    wish_text(out, "since", w->since);
    wish_text(out, "until", w->until);
    wish_text(out, "by", w->by);
    wish_text(out, "day", w->day);
    wish_true(out, "tests", w->tests);
    wish_true(out, "imported", w->imported);
    wish_true(out, "csv", w->csv);
    wish_true(out, "plain", !terminal_has_blocks());
    json_object_set_new(out, "width", json_integer(terminal_width()));
    return out;
}

int cmd_stats(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {
        {"agent", &w.agent}, {"site", &w.site}, {"system", &w.system}, {"since", &w.since},
        {"until", &w.until}, {"by", &w.by},     {"day", &w.day},       {NULL, NULL}};
    const struct option_switch switches[] = {
        {"tests", &w.tests}, {"imported", &w.imported}, {"csv", &w.csv}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .switches = switches, .max_words = 1};
    struct operate_opts opts = {.command = "stats", .kind = "stats"};
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    w.verb = o.n_words ? o.words[0] : NULL;
    if (w.verb && strcmp(w.verb, "weekly") != 0 && strcmp(w.verb, "today") != 0) {
        fprintf(stderr,
                "ringdown stats: does not know what to do with \"%.40s\"; today and weekly are "
                "possible\n",
                w.verb);
        return EXIT_USAGE;
    }
    if (w.day && (!w.verb || strcmp(w.verb, "today") != 0)) {
        fputs("ringdown stats: --day is of `ringdown stats today`\n", stderr);
        return EXIT_USAGE;
    }
    if (w.csv && o.json) {
        fputs("ringdown stats: either --csv or --json\n", stderr);
        return EXIT_USAGE;
    }
    return wish_operate(&o, opts, wish_json(&w));
}
