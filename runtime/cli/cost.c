/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - `ringdown cost`: what calls cost, by the rates of their day.
 *
 *   ringdown cost             each of the last 30 days, by agent
 *   ringdown cost CA1234…     one call, line by line, with the rate of each
 *   ringdown cost compare …   what else there is to know or to set: scripts/ringdown/stats/costs.lua
 *
 * Unknown is unknown: a model without a rate, or a bill that never came, is said and never 0. */
#include "cli/cost.h"

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/wish.h"

#include <stdint.h>
#include <stdio.h>

enum { WORDS_MAX = 6 };

static const char usage[] =
    "usage: ringdown cost [CALL] [--json] [--config FILE]\n"
    "       ringdown cost turns CALL                     one call, answer by answer\n"
    "       ringdown cost range [--by day|agent|system|site]\n"
    "       ringdown cost calls [--unknown]              the calls behind it, the dearest first\n"
    "       ringdown cost compare [--agent A]            OpenAI and Vapi, over the same mix of "
    "calls\n"
    "       range, calls, compare also: [--agent A] [--site S] [--system openai|vapi] [--since "
    "30d]\n"
    "                                   [--until DATE] [--tests] [--imported]\n"
    "       ringdown cost caps                           what calls may cost, and what is spent "
    "today\n"
    "       ringdown cost caps set AGENT|all [--day DOLLARS] [--call DOLLARS]\n"
    "       ringdown cost caps clear AGENT|all\n"
    "       ringdown cost rates\n"
    "       ringdown cost rates set WHAT [MODEL] UNIT DOLLARS [--from DAY [--recost]] [--source "
    "TEXT]\n\n"
    "What calls cost, from the usage that was reported and the rates of that day (table `rates`).\n"
    "Without CALL: the last 30 days, by agent and item. Amounts that cannot be known are counted,\n"
    "not guessed. A price holds from a day on, and what was reckoned before keeps its own; "
    "--recost\n"
    "lets it begin in the past and reckons those calls anew. Prices: dollars for a million tokens, "
    "a\n"
    "minute (twilio_voice, twilio_stream, twilio_dial, hosting), a segment (sms), a month "
    "(hosting).\n"
    "Exit code 1 when nothing is known about the call, or it did not work.\n";

static const char days[] =
    "select coalesce(jsonb_agg(to_jsonb(d) order by day desc, agent, item, model, unit), '[]') "
    "from costs_daily d where day > current_date - 30";

static void print_line(const json_t *l)
{
    const json_t *exact = json_object_get(l, "micro_usd_exact");
    double quantity = json_number_value(json_object_get(l, "quantity"));

    printf("  %-18s %-18s %-18s %12.*f", ask_text(l, "item"), ask_text(l, "model"),
           ask_text(l, "unit"), quantity == (double)(int64_t)quantity ? 0 : 3, quantity);
    if (json_is_number(exact))
        printf("  %12.6f $\n", json_number_value(exact) / 1e6);
    else
        printf("  unknown: %s\n", ask_text(l, "reason"));
}

void cost_print(const json_t *cost)
{
    const json_t *total = json_object_get(cost, "micro_usd");
    size_t i;
    json_t *l;

    if (!json_is_object(cost)) {
        puts("cost  not known before the call has ended");
        return;
    }
    if (json_is_integer(total))
        printf("cost  %.6f $\n", (double)json_integer_value(total) / 1e6);
    else
        printf("cost  unknown: %s\n", ask_text(cost, "reason"));
    json_array_foreach(json_object_get(cost, "lines"), i, l)
    {
        print_line(l);
    }
}

static void print_days(const json_t *list)
{
    size_t i;
    json_t *d;

    if (json_array_size(list) == 0)
        puts("No calls in the last 30 days.");
    else
        printf("%-10s  %-20s  %-18s  %-18s  %-14s  %14s  %12s  %s\n", "DAY", "AGENT", "ITEM",
               "MODEL", "UNIT", "QUANTITY", "USD", "UNKNOWN");
    json_array_foreach(list, i, d)
    {
        printf("%-10s  %-20s  %-18s  %-18s  %-14s  %14.0f  %12.6f  %" JSON_INTEGER_FORMAT "\n",
               ask_text(d, "day"), ask_text(d, "agent"), ask_text(d, "item"), ask_text(d, "model"),
               ask_text(d, "unit"), json_number_value(json_object_get(d, "quantity")),
               json_number_value(json_object_get(d, "micro_usd_exact")) / 1e6,
               ask_int(d, "unknown_lines"));
    }
}

static int show(const struct settings *s, const char *call, bool json)
{
    struct asking a;
    json_t *answer;
    int code = ask_open(&a, s, "cost");

    if (code)
        return code;
    answer = call ? ask_json(&a, "select why_cost($1)", 1, &call) : ask_json(&a, days, 0, NULL);
    ask_close(&a);
    ask_tell_unshipped(s);
    if (!answer)
        return EXIT_FAILED;
    if (call && !json_is_object(answer)) {
        fprintf(stderr, "ringdown cost: no cost is known for %s: it goes on, or ringdown why %s\n",
                call, call);
        code = EXIT_FAILED;
    } else if (json) {
        json_dumpf(answer, stdout, JSON_INDENT(2));
        putchar('\n');
    } else if (call) {
        cost_print(answer);
    } else {
        print_days(answer);
    }
    json_decref(answer);
    return code;
}

/* ---- what the library does ---- */

struct wish {
    const char *agent, *site, *system, *since, *until, *by, *from, *source, *day, *call;
    bool tests, imported, unknown, recost;
};

static json_t *wish_json(const struct options *o, const struct wish *w)
{
    json_t *out = wish_words(o);

    wish_text(out, "agent", w->agent);
    wish_text(out, "site", w->site);
    wish_text(out, "system", w->system);
    wish_text(out, "since", w->since);
    wish_text(out, "until", w->until);
    wish_text(out, "by", w->by);
    wish_text(out, "from", w->from);
    wish_text(out, "source", w->source);
    wish_text(out, "day", w->day);
    wish_text(out, "call", w->call);
    wish_true(out, "tests", w->tests);
    wish_true(out, "imported", w->imported);
    wish_true(out, "unknown", w->unknown);
    wish_true(out, "recost", w->recost);
    return out;
}

static int operate_it(const struct options *o, const struct wish *w)
{
    struct operate_opts opts = {.command = "cost", .kind = "cost"};

    return wish_operate(o, opts, wish_json(o, w));
}

/* CA…; everything else is something to do. */
static bool is_call(const char *word)
{
    return word[0] >= 'A' && word[0] <= 'Z';
}

int cmd_cost(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {
        {"agent", &w.agent}, {"site", &w.site}, {"system", &w.system}, {"since", &w.since},
        {"until", &w.until}, {"by", &w.by},     {"from", &w.from},     {"source", &w.source},
        {"day", &w.day},     {"call", &w.call}, {NULL, NULL}};
    const struct option_switch switches[] = {{"tests", &w.tests},
                                             {"imported", &w.imported},
                                             {"unknown", &w.unknown},
                                             {"recost", &w.recost},
                                             {NULL, NULL}};
    struct options o = {
        .usage = usage, .values = values, .switches = switches, .max_words = WORDS_MAX};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words && !is_call(o.words[0]))
        return operate_it(&o, &w);
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = show(s, o.n_words ? o.words[0] : NULL, o.json);
    settings_free(s);
    return code;
}
