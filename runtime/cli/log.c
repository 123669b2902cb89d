/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - `ringdown log`: what the log of a live node shows, without a restart.
 *
 *   ringdown log                            how it is
 *   ringdown log debug --for 10m            everything, for ten minutes
 *   ringdown log debug --call CA… --for 5m  everything of one call
 *   ringdown log off [--call CA…]           as configured again
 *
 * Each change has its end, so that nobody forgets it, and is in the audit: debug lines show what callers
 * say. No node, a level or a time that is none: said with a remedy; exit 1, 2. */
#include "base/log.h"
#include "base/json.h"
#include "base/json_out.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WHY = 512, WISH = 512, WORD = 80, DEFAULT_S = 600 };

static const char usage[] =
    "usage: ringdown log [LEVEL|off] [--call CALL] [--for TIME] [--json] [--config FILE]\n\n"
    "LEVEL is error, warn, info or debug, and holds for TIME (10m unless said otherwise; 90s, 2h; "
    "a\n"
    "day at most), then the configured level is back. With --call (LEVEL: debug) the log has "
    "every\n"
    "line of that call, an hour at most, 100 lines a second and 5000 in all. off: as configured "
    "again.\n"
    "Debug lines show what callers say, card numbers taken out; each change is in the audit. "
    "Without\n"
    "LEVEL it says how the log is. Exit code 1 when no node answers.\n";

struct wish {
    const char *level, *call, *time; /* NULL: not given */
    uint64_t seconds;
};

/* "90s", "10m", "2h", "1d". */
static bool read_time(const char *text, uint64_t *seconds)
{
    static const struct {
        char unit;
        unsigned s;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    unsigned long n = strtoul(text, &end, 10);

    if (end == text || n == 0 || n > 86400 || strspn(text, "0123456789") + 1 != strlen(text))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (*end == units[i].unit) {
            *seconds = (uint64_t)n * units[i].s;
            return true;
        }
    return false;
}

static int complain(const char *what, const char *fix)
{
    fprintf(stderr, "ringdown log: %s; %s\n", what, fix);
    return EXIT_USAGE;
}

static int check(struct wish *w)
{
    enum log_level level;
    bool off = w->level && strcmp(w->level, "off") == 0;

    if (!w->level && (w->call || w->time))
        return complain("which level?", "say error, warn, info, debug or off");
    if (w->level && !off && log_level_parse(w->level, &level))
        return complain("that is no level", "it is error, warn, info, debug or off");
    if (w->call && !off && strcmp(w->level, "debug") != 0)
        return complain("a call is watched at debug", "say: ringdown log debug --call CALL");
    if (off && w->time)
        return complain("off is for good", "leave --for out");
    w->seconds = off ? 0 : DEFAULT_S;
    if (w->time && !read_time(w->time, &w->seconds))
        return complain("--for is a time such as 90s, 10m, 2h", "a day at most");
    return EXIT_OK;
}

static int write_wish(const struct wish *w, struct buf *out)
{
    bool off = strcmp(w->level, "off") == 0;

    return json_add_object(out, JSON_MEMBERS(J_STR("call", w->call),
                                             J_STR("level", w->call ? NULL
                                                            : off   ? "info"
                                                                    : w->level),
                                             J_INT("seconds", w->seconds)));
}

static int ask(const char *data, const struct wish *w, struct buf *body, char *why)
{
    struct buf json;
    int http;

    if (!w->level)
        return client_request(data, "GET", "/api/v1/log", body, why, WHY);
    buf_init(&json, WISH);
    http = write_wish(w, &json) ? -1
                                : client_send(data, "POST", "/api/v1/log",
                                              (struct rd_str){json.data, json.n}, body, why, WHY);
    buf_fini(&json);
    return http;
}

static unsigned long long number(const struct json_value *v, const char *key)
{
    struct json_value n = json_get(v, key);
    char text[WORD];

    return n.type == JSON_NUMBER && rd_str_copy(text, sizeof(text), n.raw)
               ? strtoull(text, NULL, 10)
               : 0;
}

static const char *word(const struct json_value *v, const char *key, char *out)
{
    struct json_value s = json_get(v, key);

    return json_copy(&s, out, WORD) == 0 ? out : "?";
}

static void print_state(const struct json_value *v)
{
    char now[WORD], configured[WORD], call[WORD];
    struct json_value calls = json_get(v, "calls"), each;
    struct json_iter it;
    struct rd_str key;

    printf("level %s", word(v, "level", now));
    if (number(v, "left_s") > 0)
        printf(" for %llu s more, then %s", number(v, "left_s"), word(v, "configured", configured));
    printf("\n");
    if (calls.type != JSON_ARRAY)
        return;
    json_iter_init(&it, &calls);
    while (json_next(&it, &key, &each))
        printf("debug of %s for %llu s more: %llu lines so far, %llu left out\n",
               word(&each, "call", call), number(&each, "left_s"), number(&each, "lines"),
               number(&each, "dropped"));
}

static int show(const struct buf *body, bool as_json)
{
    struct json_value v;

    if (as_json || json_parse((struct rd_str){body->data, body->n}, &v))
        printf("%.*s\n", (int)body->n, body->data);
    else
        print_state(&v);
    return EXIT_OK;
}

int cmd_log(int argc, char **argv)
{
    struct wish w = {0};
    const struct option_value values[] = {{"call", &w.call}, {"for", &w.time}, {NULL, NULL}};
    struct options o = {.usage = usage, .values = values, .max_words = 1};
    struct settings *s = NULL;
    char why[WHY] = "";
    struct buf body;
    int rc = EXIT_OK, http;

    if (!options_read(&o, argc, argv, &rc))
        return rc;
    w.level = o.n_words > 0 ? o.words[0] : NULL;
    rc = check(&w);
    if (!rc)
        rc = options_settings(&o, SETTINGS_CLIENT, &s);
    if (rc)
        return rc;
    buf_init(&body, CLIENT_BODY_MAX);
    http = ask(s->data, &w, &body, why);
    if (http == 200)
        rc = show(&body, o.json);
    else
        client_complain("log", http, &body, why);
    buf_fini(&body);
    settings_free(s);
    return http == 200 ? rc : EXIT_FAILED;
}
