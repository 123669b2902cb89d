/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - `ringdown calls`: who is talking now, who just was, and with --follow what they say.
 *
 *   ringdown calls            a table, the live ones first
 *   ringdown calls CA1234…    everything known of one call
 *   ringdown calls --follow   the transcript of all calls (or of one) as it happens, until Ctrl-C
 *
 * Following asks /api/v1/events again and again; each answer comes at once when there is something,
 * else after 10 s. A node that restarts is an end, and said so. */
#include "base/json.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"
#include "cli/transcript.h"

#include <ctype.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static const char usage[] =
    "usage: ringdown calls [CALL] [--follow] [--json] [--config FILE]\n\n"
    "Lists the calls in progress and the last 100 that ended. With CALL, that one call. --follow\n"
    "prints what is said as it happens: the caller on the left, the agent on the right, tools and\n"
    "interruptions between; Ctrl-C ends it. With --json: the node's JSON, one event per line when\n"
    "following. Exit code 1 when no node answers.\n";

struct following {
    const struct settings *settings;
    struct rd_str only; /* a call; empty: all */
    struct transcript look;
    bool json;
    uint64_t after;
};

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

static int add_rows(struct buf *out, const struct json_value *list)
{
    struct json_iter it;
    struct rd_str key;
    struct json_value call, reason;
    int n = 0;

    json_iter_init(&it, list);
    while (json_next(&it, &key, &call)) {
        add_cell(out, &call, "call", 34);
        add_cell(out, &call, "state", 9);
        add_cell(out, &call, "from", 13);
        add_cell(out, &call, "agent", 20);
        add_seconds(out, &call);
        add_cell(out, &call, "turns", 5);
        add_measures(out, &call);
        reason = json_get(&call, "reason");
        if (reason.type == JSON_STRING)
            add_shown(out, &call, "reason");
        while (out->n > 0 && out->data[out->n - 1] == ' ')
            out->n--;
        buf_add_str(out, "\n");
        n++;
    }
    return n;
}

static int print_table(const struct buf *body)
{
    struct json_value all, live, ended;
    struct buf rows;

    if (json_parse((struct rd_str){body->data, body->n}, &all) != 0 || all.type != JSON_OBJECT) {
        fputs("ringdown calls: the node's answer cannot be read; are both of one version?\n",
              stderr);
        return EXIT_FAILED;
    }
    live = json_get(&all, "live");
    ended = json_get(&all, "ended");
    buf_init(&rows, CLIENT_BODY_MAX);
    if (add_rows(&rows, &live) + add_rows(&rows, &ended) == 0) {
        puts("No calls yet. A simulated one: ringdown call --to NUMBER --scenario FILE");
    } else {
        printf("%-34s  %-9s  %-13s  %-20s  %6s  %-5s  %8s  %6s  %6s  %6s  %7s  %s\n", "CALL",
               "STATE", "FROM", "AGENT", "TIME", "TURNS", "FIRST MS", "BARGES", "IN", "OUT",
               "LOST MS", "ENDED BY");
        fwrite(rows.data, 1, rows.n, stdout);
    }
    buf_fini(&rows);
    return EXIT_OK;
}

/* ---- following ---- */

static void print_event(struct following *f, const struct json_value *event)
{
    struct json_value number = json_get(event, "event"), call = json_get(event, "call");
    struct buf text;

    json_u64(&number, &f->after);
    if (f->only.n > 0 && !rd_str_eq(call.raw, f->only))
        return;
    buf_init(&text, 1 << 20);
    if (f->json)
        buf_addf(&text, RD_STR_FMT "\n", RD_STR_ARG(event->raw));
    else
        transcript_add(&f->look, event, &text);
    if (text.n > 0) { /* not every kind of event is told */
        fwrite(text.data, 1, text.n, stdout);
        fflush(stdout);
    }
    buf_fini(&text);
}

/* One answer: false when it is no array of events. */
static bool print_events(struct following *f, const struct buf *body, bool silent)
{
    struct json_value list, event, number;
    struct json_iter it;
    struct rd_str key;

    if (json_parse((struct rd_str){body->data, body->n}, &list) != 0 || list.type != JSON_ARRAY)
        return false;
    json_iter_init(&it, &list);
    while (json_next(&it, &key, &event)) {
        number = json_get(&event, "event");
        if (silent)
            json_u64(&number, &f->after);
        else
            print_event(f, &event);
    }
    return it.err == 0;
}

static int follow(struct following *f)
{
    bool first = true;

    for (;;) {
        char target[64], why[512];
        struct buf body;
        int http;
        bool good;

        if (first)
            snprintf(target, sizeof(target), "/api/v1/events");
        else
            snprintf(target, sizeof(target), "/api/v1/events?after=%" PRIu64, f->after);
        buf_init(&body, CLIENT_BODY_MAX);
        http = client_request(f->settings->data, "GET", target, &body, why, sizeof(why));
        good = http == 200 && print_events(f, &body, first);
        if (!good && first)
            client_complain("calls", http, &body, why);
        else if (!good)
            fputs("ringdown calls: the node has gone\n", stderr);
        buf_fini(&body);
        if (!good)
            return EXIT_FAILED;
        first = false;
    }
}

static void on_interrupt(int signum)
{
    (void)signum;
    _exit(EXIT_OK); /* what was printed is flushed after each event */
}

static int follow_until_interrupted(const struct settings *s, const struct options *o)
{
    struct following f = {.settings = s, .json = o->json, .look = {.width = 100}};
    struct sigaction leave = {.sa_handler = on_interrupt};
    struct winsize size;

    if (o->n_words > 0)
        f.only = rd_str(o->words[0]);
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        f.look.width = size.ws_col;
    f.look.colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
    sigaction(SIGINT, &leave, NULL);
    return follow(&f);
}

/* ---- the command ---- */

static bool is_call(const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; i < n; i++)
        if (!isalnum((unsigned char)word[i]) && word[i] != '_' && word[i] != '-')
            return false;
    return n > 0 && n <= 64;
}

static int list_or_show(const struct settings *s, const struct options *o)
{
    char target[128], why[512];
    struct buf body;
    int code = EXIT_FAILED, http;

    snprintf(target, sizeof(target), "/api/v1/calls%s%s", o->n_words ? "/" : "",
             o->n_words ? o->words[0] : "");
    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(s->data, "GET", target, &body, why, sizeof(why));
    if (http != 200) {
        client_complain("calls", http, &body, why);
    } else if (o->json || o->n_words) {
        printf("%.*s\n", (int)body.n, body.data);
        code = EXIT_OK;
    } else {
        code = print_table(&body);
    }
    buf_fini(&body);
    return code;
}

int cmd_calls(int argc, char **argv)
{
    bool want_follow = false;
    const struct option_switch switches[] = {{"follow", &want_follow}, {NULL, NULL}};
    struct options o = {.usage = usage, .switches = switches, .max_words = 1};
    struct settings *s = NULL;
    int code = EXIT_OK;

    if (!options_read(&o, argc, argv, &code))
        return code;
    if (o.n_words && !is_call(o.words[0])) {
        fprintf(stderr, "ringdown calls: \"%s\" is no call; ringdown calls lists them\n",
                o.words[0]);
        return EXIT_USAGE;
    }
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    code = want_follow ? follow_until_interrupted(s, &o) : list_or_show(s, &o);
    settings_free(s);
    return code;
}
