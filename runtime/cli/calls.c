/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - `ringdown calls`: who is talking now, who just was, and with --follow what they say.
 *
 *   ringdown calls            a table, the live ones first
 *   ringdown calls CA1234…    one call: its row, then what was said and done in it
 *   ringdown calls --follow   the transcript of all calls (or of one) as it happens, until Ctrl-C
 *
 * A call that nobody knows is said so, exit 1. */
#include "base/json.h"
#include "cli/calls_act.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/follow.h"
#include "cli/kept.h"
#include "cli/options.h"
#include "cli/transcript.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ringdown calls [CALL] [--follow] [--json] [--config FILE]\n"
    "       ringdown calls --kept [CALL] | --search WORDS [--before TIME] [--json]\n"
    "       ringdown calls hang-up CALL\n"
    "       ringdown calls transfer CALL --to NUMBER or NAME\n"
    "       ringdown calls whisper CALL \"what the model shall know\" [--now]\n\n"
    "Lists the calls in progress and the last 100 that ended. With CALL, that one call and what\n"
    "was said and done in it. --follow prints what is said as it happens: the caller on the left,\n"
    "the agent on the right, tools and interruptions between; Ctrl-C ends it. With --json: the\n"
    "node's JSON, one event per line when following.\n"
    "  --kept reads the last 100 calls back from PostgreSQL, or one call's transcript: what was\n"
    "heard, and what was said beyond that. --search finds who said some words (a phrase in\n"
    "quotes, or, -without) in all calls that are kept, or those before TIME. What takes long is\n"
    "told as far as it came, with the command that goes on. Both work without a live node.\n"
    "Exit code 1 when no node answers, or it knows no such call.\n";

/* ---- the table ---- */

static void add_cell(struct buf *out, const struct json_value *call, const char *key, size_t width)
{
    struct buf cell;
    size_t letters = 0;

    buf_init(&cell, 32 << 10);
    add_shown(&cell, call, key);
    if (cell.n == 0)
        buf_add_str(&cell, "-");
    for (size_t i = 0; i < cell.n; i++)
        letters += ((unsigned char)cell.data[i] & 0xC0) != 0x80;
    buf_add(out, cell.data, cell.n);
    for (; letters < width; letters++)
        buf_add_str(out, " ");
    buf_add_str(out, "  ");
    buf_fini(&cell);
}

/* An ended call's totals know its length; a live one has its age. */
static void add_seconds(struct buf *out, const struct json_value *call)
{
    struct json_value totals = json_get(call, "totals"), age = json_get(call, "seconds"), v = {0};
    uint64_t n = 0;

    if (totals.type == JSON_OBJECT)
        v = json_get(&totals, "duration_ms");
    if (json_u64(&v, &n))
        buf_addf(out, "%5" PRIu64 "s  ", n / 1000);
    else if (json_u64(&age, &n))
        buf_addf(out, "%5" PRIu64 "s  ", n);
    else
        buf_addf(out, "%6s  ", "-");
}

/* What was measured; known once the call has ended. */
static void add_measures(struct buf *out, const struct json_value *call)
{
    static const struct {
        const char *key;
        int width;
    } columns[] = {{"first_audio_ms", 8},
                   {"barge_ins", 6},
                   {"frames_in", 6},
                   {"frames_out", 6},
                   {"gap_ms", 7}};
    struct json_value totals = json_get(call, "totals"), v;
    uint64_t n;

    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
        v = totals.type == JSON_OBJECT ? json_get(&totals, columns[i].key) : totals;
        if (json_u64(&v, &n))
            buf_addf(out, "%*" PRIu64 "  ", columns[i].width, n);
        else
            buf_addf(out, "%*s  ", columns[i].width, "-");
    }
}

static void add_row(struct buf *out, const struct json_value *call)
{
    struct json_value reason = json_get(call, "reason");

    add_cell(out, call, "call", 34);
    add_cell(out, call, "state", 9);
    add_cell(out, call, "from", 13);
    add_cell(out, call, "agent", 20);
    add_seconds(out, call);
    add_cell(out, call, "turns", 5);
    add_measures(out, call);
    if (reason.type == JSON_STRING)
        add_shown(out, call, "reason");
    while (out->n > 0 && out->data[out->n - 1] == ' ')
        out->n--;
    buf_add_str(out, "\n");
}

static void add_rows(struct buf *out, const struct json_value *list)
{
    struct json_iter it;
    struct rd_str key;
    struct json_value call;

    json_iter_init(&it, list);
    while (json_next(&it, &key, &call))
        add_row(out, &call);
}

static void print_rows(const struct buf *rows)
{
    printf("%-34s  %-9s  %-13s  %-20s  %6s  %-5s  %8s  %6s  %6s  %6s  %7s  %s\n", "CALL", "STATE",
           "FROM", "AGENT", "TIME", "TURNS", "FIRST MS", "BARGES", "IN", "OUT", "LOST MS",
           "ENDED BY");
    fwrite(rows->data, 1, rows->n, stdout);
}

/* The answer about all calls, or about one, as a table. */
static int print_table(const struct buf *body, bool one)
{
    struct json_value v, live, ended;
    struct buf rows;

    if (json_parse((struct rd_str){body->data, body->n}, &v) != 0 || v.type != JSON_OBJECT) {
        fputs("ringdown calls: the node's answer cannot be read; are both of one version?\n",
              stderr);
        return EXIT_FAILED;
    }
    buf_init(&rows, CLIENT_BODY_MAX);
    if (one) {
        add_row(&rows, &v);
    } else {
        live = json_get(&v, "live");
        ended = json_get(&v, "ended");
        add_rows(&rows, &live);
        add_rows(&rows, &ended);
    }
    if (rows.n == 0)
        puts("No calls yet. A simulated one: ringdown call --to NUMBER --scenario FILE");
    else
        print_rows(&rows);
    buf_fini(&rows);
    return EXIT_OK;
}

/* ---- the command ---- */

static int list_or_show(const struct settings *s, const char *call, bool json)
{
    char target[128], why[512];
    struct buf body;
    int code = EXIT_FAILED, http;

    snprintf(target, sizeof(target), "/api/v1/calls%s%s", call ? "/" : "", call ? call : "");
    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(s->data, "GET", target, &body, why, sizeof(why));
    if (http == 404 && call) {
        fputs("ringdown calls: no such call here; ringdown calls lists them\n", stderr);
    } else if (http != 200) {
        client_complain("calls", http, &body, why);
    } else if (json) {
        printf("%.*s\n", (int)body.n, body.data);
        code = EXIT_OK;
    } else {
        code = print_table(&body, call != NULL);
    }
    buf_fini(&body);
    if (code == EXIT_OK && call && !json) {
        puts("");
        code = follow_past(s, call);
    }
    return code;
}

int cmd_calls(int argc, char **argv)
{
    bool want_follow = false, kept = false;
    const char *search = NULL, *before = NULL;
    const struct option_switch switches[] = {
        {"follow", &want_follow}, {"kept", &kept}, {NULL, NULL}};
    const struct option_value values[] = {{"search", &search}, {"before", &before}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .values = values, .max_words = 1};
    struct settings *s = NULL;
    const char *call;
    int code = EXIT_OK;

    if (argc > 1 && calls_is_verb(argv[1]))
        return calls_act(argc - 1, argv + 1);
    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words && !calls_is_id(o.words[0])) {
        fprintf(stderr, "ringdown calls: \"%s\" is no call; ringdown calls lists them\n",
                o.words[0]);
        return EXIT_USAGE;
    }
    if (before && !search) {
        fputs("ringdown calls: --before goes with --search WORDS\n", stderr);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    call = o.n_words > 0 ? o.words[0] : NULL;
    if (search)
        code = kept_search(s, search, before, o.json);
    else if (kept)
        code = kept_calls(s, call, o.json);
    else
        code = want_follow ? follow_live(s, call, o.json) : list_or_show(s, call, o.json);
    settings_free(s);
    return code;
}
