/* SPDX-License-Identifier: Apache-2.0 */
/* kept.c - calls read back from PostgreSQL: a table of the last, one call's transcript with what was
 * heard and what was said beyond that, and the search through all of them. */
#include "cli/kept.h"

#include "cli/ask.h"
#include "cli/commands.h"

#include <stdio.h>

static const char calls_sql[] =
    "select coalesce(jsonb_agg(to_jsonb(c) order by c.started_at desc), '[]') from (select c.call, "
    "c.started_at, c.from_number, c.to_number, c.agent, c.system, c.state, "
    "coalesce(c.ended_reason, case c.system when 'openai' then 'not ended' else c.reason end) as "
    "ended, c.duration_ms, c.turns, c.barge_ins, c.tool_calls, c.errors, k.micro_usd, "
    "k.reason as cost_reason, (select count(*) from call_events e where e.stream = c.call) as "
    "events "
    "from calls c left join call_costs k using (call) order by c.started_at desc limit 100) c";

static const char turns_sql[] =
    "select coalesce(jsonb_agg(to_jsonb(t) order by t.epoch, t.seq), '[]') from (select epoch, "
    "seq, "
    "at, role, heard, said, interrupted, withheld from turns where call = $1) t";

/* For five seconds; whoever waits longer asks again. */
static const char search_sql[] =
    "select search_back($1, $2::timestamptz, at_most => 50, budget_ms => 5000)";

static void print_call(const json_t *c)
{
    const json_t *cost = json_object_get(c, "micro_usd");

    printf("%-34s  %-19.19s  %-13s  %-20s  %-8s  %-15s  %5" JSON_INTEGER_FORMAT
           "s  %5" JSON_INTEGER_FORMAT "  %6" JSON_INTEGER_FORMAT,
           ask_text(c, "call"), ask_time(c, "started_at"), ask_text(c, "from_number"),
           ask_text(c, "agent"), ask_text(c, "system"), ask_text(c, "ended"),
           ask_int(c, "duration_ms") / 1000, ask_int(c, "turns"), ask_int(c, "events"));
    if (json_is_integer(cost))
        printf("  %9.6f\n", (double)json_integer_value(cost) / 1e6);
    else
        puts("    unknown");
}

static void print_calls(const json_t *list)
{
    size_t i;
    json_t *c;

    if (json_array_size(list) == 0) {
        puts("No calls are kept yet.");
        return;
    }
    printf("%-34s  %-19s  %-13s  %-20s  %-8s  %-15s  %6s  %5s  %6s  %9s\n", "CALL", "STARTED (UTC)",
           "FROM", "AGENT", "SYSTEM", "ENDED BY", "TIME", "TURNS", "EVENTS", "USD");
    json_array_foreach(list, i, c)
    {
        print_call(c);
    }
}

/* What was said beyond what was heard stands behind it. */
static void print_turn(const json_t *t)
{
    const char *said = ask_text(t, "said"), *withheld = ask_text(t, "withheld");

    printf("  %-12.12s  %-6s  %s", ask_time(t, "at") + 11, ask_text(t, "role"),
           ask_text(t, "heard"));
    if (json_is_true(json_object_get(t, "interrupted")))
        fputs(" --", stdout);
    if (withheld[0])
        printf("(not kept: %s)", withheld);
    if (said[0])
        printf("\n  %-12s  %-6s  (said: %s)", "", "", said);
    putchar('\n');
}

static void print_hit(const json_t *t)
{
    printf("%s  %-19.19s  %-20s  %-6s  %s%s\n", ask_text(t, "call"), ask_time(t, "at"),
           ask_text(t, "agent"), ask_text(t, "role"), ask_text(t, "heard"),
           ask_text(t, "said")[0] ? " …" : "");
}

static void print_each(const json_t *list, void (*print)(const json_t *), const char *nothing)
{
    size_t i;
    json_t *t;

    if (json_array_size(list) == 0)
        puts(nothing);
    json_array_foreach(list, i, t)
    {
        print(t);
    }
}

static json_t *asked(const struct settings *s, const char *sql, int n, const char *const *params,
                     int *code)
{
    struct asking a;
    json_t *answer;

    *code = ask_open(&a, s, "calls");
    if (*code)
        return NULL;
    answer = ask_json(&a, sql, n, params);
    ask_close(&a);
    ask_tell_unshipped(s);
    if (!answer)
        *code = EXIT_FAILED;
    return answer;
}

static void print_json(const json_t *answer)
{
    json_dumpf(answer, stdout, JSON_COMPACT);
    putchar('\n');
}

int kept_calls(const struct settings *s, const char *call, bool json)
{
    int code;
    json_t *answer = asked(s, call ? turns_sql : calls_sql, call ? 1 : 0, &call, &code);

    if (!answer)
        return code;
    if (json)
        print_json(answer);
    else if (call)
        print_each(answer, print_turn, "Nothing that was said in this call is kept.");
    else
        print_calls(answer);
    json_decref(answer);
    return EXIT_OK;
}

int kept_search(const struct settings *s, const char *words, const char *before, bool json)
{
    const char *const params[] = {words, before};
    int code;
    json_t *answer = asked(s, search_sql, 2, params, &code), *items;
    const char *searched_to;

    if (!answer && before)
        fputs("a TIME is written 2026-11-27 or 2026-11-27T10:00:00Z\n", stderr);
    if (!answer)
        return code;
    items = json_object_get(answer, "items");
    searched_to = ask_text(answer, "searched_to");
    if (json)
        print_json(items);
    else
        print_each(items, print_hit,
                   searched_to[0] ? "Nobody has said that since." : "Nobody said that.");
    if (searched_to[0])
        fprintf(stderr,
                "note: this took long and came back to %s; --before %s goes on from there\n",
                ask_time(answer, "searched_to"), searched_to);
    json_decref(answer);
    return EXIT_OK;
}
