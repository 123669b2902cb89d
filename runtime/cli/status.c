/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - `ringdown status`: what the node on this data folder is doing, on one screen. The node
 * answers with one JSON object; members it does not tell are shown as 0, and --json shows all. */
#include "base/json.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/draining.h"
#include "cli/options.h"
#include "cli/transcript.h"

#include <inttypes.h>
#include <stdio.h>

static const char usage[] =
    "usage: ringdown status [--json] [--config FILE]\n\n"
    "Asks the node that serves this data folder how it is: what it answers, how many calls it\n"
    "has, its threads and agents. Exit code 1 when no node answers.\n";

static uint64_t number(const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    uint64_t n = 0;

    json_u64(&v, &n);
    return n;
}

static bool is_true(const struct json_value *object, const char *key)
{
    return json_get(object, key).type == JSON_TRUE;
}

/* "1 call", "2 calls", and what stands behind it. */
static void add_some(struct buf *out, uint64_t n, const char *noun, const char *behind)
{
    buf_addf(out, "%" PRIu64 " %s%s%s", n, noun, n == 1 ? "" : "s", behind);
}

/* "2 d 3 h", "5 min 20 s": the two largest units. */
static void add_duration(struct buf *out, uint64_t s)
{
    if (s >= 86400)
        buf_addf(out, "%" PRIu64 " d %" PRIu64 " h", s / 86400, s / 3600 % 24);
    else if (s >= 3600)
        buf_addf(out, "%" PRIu64 " h %" PRIu64 " min", s / 3600, s / 60 % 60);
    else
        buf_addf(out, "%" PRIu64 " min %" PRIu64 " s", s / 60, s % 60);
}

static void add_head(struct buf *out, const struct json_value *v)
{
    struct json_value force = json_get(v, "force");

    buf_add_str(out, "Ringdown ");
    add_shown(out, v, "version");
    buf_addf(out, ", pid %" PRIu64 ", up ", number(v, "pid"));
    add_duration(out, number(v, "uptime_s"));
    buf_add_str(out, is_true(v, "draining") ? "; draining: new calls get the fallback" : "");
    buf_add_str(out, "\n  answers   ");
    add_shown(out, v, "public_url");
    buf_addf(out, " (port %" PRIu64 "%s)\n", number(v, "port"), is_true(v, "tls") ? ", TLS" : "");
    buf_addf(out,
             "  calls     %" PRIu64 " of %" PRIu64 " now; %" PRIu64 " refused for being too many\n",
             number(v, "calls"), number(v, "max_calls"), number(v, "refused_full"));
    buf_addf(out, "            %" PRIu64 " zombies%s\n", number(v, "zombies"),
             number(v, "zombies") ? ": found and cleaned up; the log says which" : "");
    if (force.type == JSON_STRING && force.raw.n > 0) {
        buf_add_str(out, "  force     every new call goes to ");
        add_shown(out, v, "force");
        buf_add_str(out, "\n");
    }
    if (json_get(v, "certificate_expires_in_s").type == JSON_NUMBER) {
        buf_add_str(out, "  TLS       the certificate expires in ");
        add_duration(out, number(v, "certificate_expires_in_s")); /* one that has: 0 */
        buf_add_str(out, "\n");
    }
}

static void add_agents(struct buf *out, const struct json_value *v)
{
    struct json_value list = json_get(v, "agents"), agent, numbers, one;
    struct json_iter it, inner;
    struct rd_str key;
    uint64_t errors = number(v, "agent_errors");
    int n = 0;

    json_iter_init(&it, &list);
    while (json_next(&it, &key, &agent)) {
        buf_add_str(out, n++ ? "            " : "  agents    ");
        add_shown(out, &agent, "name");
        numbers = json_get(&agent, "numbers");
        json_iter_init(&inner, &numbers);
        while (json_next(&inner, &key, &one))
            buf_addf(out, " " RD_STR_FMT, RD_STR_ARG(one.raw));
        buf_add_str(out, "\n");
    }
    if (n == 0)
        buf_add_str(out, "  agents    none: calls get the fallback\n");
    if (errors > 0)
        buf_addf(out, "            %" PRIu64 " did not load; ringdown check tells why\n", errors);
}

static void add_threads(struct buf *out, const struct json_value *v)
{
    struct json_value list = json_get(v, "media_threads"), t;
    struct json_iter it;
    struct rd_str key;

    json_iter_init(&it, &list);
    for (int n = 0; json_next(&it, &key, &t); n++) {
        buf_addf(out, "  media %-3d ", n);
        add_some(out, number(&t, "calls"), "call", ", ");
        add_some(out, number(&t, "warm"), "warm connection", "");
        buf_addf(out, ", slowest loop turn of the last second %" PRIu64 " us\n",
                 number(&t, "lag_worst_us"));
    }
    buf_add_str(out, "  scripts   ");
    add_some(out, number(v, "script_threads"), "thread", ", ");
    add_some(out, number(v, "vms"), "VM", ", ");
    add_some(out, number(v, "script_queue"), "message", " waiting\n");
}

/* What waits to be kept, and where it goes. */
static void add_books(struct buf *out, const struct json_value *v)
{
    struct json_value j = json_get(v, "journal"), d = json_get(v, "database"), where, error;

    if (j.type != JSON_OBJECT || d.type != JSON_OBJECT)
        return;
    where = json_get(&d, "where");
    error = json_get(&d, "error");
    buf_add_str(out, "  journal   ");
    add_some(out, number(&j, "waiting") + number(&j, "kept"), "event", " on the way");
    if (number(&j, "oldest_age_ms") > 0)
        buf_addf(out, ", the oldest for %.1f s", (double)number(&j, "oldest_age_ms") / 1000);
    if (number(&j, "dead") > 0)
        buf_addf(out, "; %" PRIu64 " refused by the database: ringdown journal",
                 number(&j, "dead"));
    if (number(&j, "lost") > 0)
        buf_addf(out, "; %" PRIu64 " LOST", number(&j, "lost"));
    buf_addf(out, "\n  database  %s%s", is_true(&d, "private") ? "private" : "database.url",
             where.type == JSON_STRING ? ", in " : "");
    if (where.type == JSON_STRING)
        add_shown(out, &d, "where");
    buf_add_str(out, is_true(&d, "shipping") ? ", takes events\n" : ", takes nothing now");
    if (!is_true(&d, "shipping") && error.type == JSON_STRING && error.raw.n > 0) {
        buf_add_str(out, ": ");
        add_shown(out, &d, "error");
    }
    if (!is_true(&d, "shipping"))
        buf_add_str(out, "\n");
}

/* What somebody must look at, each with its remedy. */
static void add_alarms(struct buf *out, const struct json_value *v)
{
    struct json_value list = json_get(v, "alarms"), a, subject;
    struct json_iter it;
    struct rd_str key;

    json_iter_init(&it, &list);
    while (json_next(&it, &key, &a)) {
        buf_add_str(out, "  ALARM     ");
        subject = json_get(&a, "subject");
        add_shown(out, &a, "kind");
        buf_add_str(out, subject.type == JSON_STRING && subject.raw.n > 0 ? " " : "");
        add_shown(out, &a, "subject");
        buf_add_str(out, ": ");
        add_shown(out, &a, "text");
        buf_add_str(out, "\n            ");
        add_shown(out, &a, "fix");
        buf_add_str(out, "\n");
    }
}

/* The last synthetic call: told by the node that made it, for a while the one that leads. */
static void add_synthetic(struct buf *out, const struct json_value *v)
{
    struct json_value standing = json_get(v, "standing"), last = json_get(v, "synthetic");
    struct json_value to = json_get(&standing, "synthetic_to");

    if (to.type != JSON_STRING || to.raw.n == 0)
        return;
    buf_add_str(out, "  synthetic ");
    if (last.type != JSON_OBJECT) {
        buf_addf(out, "none from here yet; the node that leads rings each %" PRIu64 " s\n",
                 number(&standing, "synthetic_every_s"));
        return;
    }
    add_shown(out, &last, "call");
    if (is_true(&last, "good")) {
        buf_addf(out, " got through at ");
        add_shown(out, &last, "at");
        buf_addf(out, ", the agent was heard after %" PRIu64 " ms\n",
                 number(&last, "first_audio_ms"));
        return;
    }
    buf_addf(out, " FAILED at ");
    add_shown(out, &last, "at");
    buf_addf(out, ", at the step ");
    add_shown(out, &last, "step");
    buf_addf(out, ": ");
    add_shown(out, &last, "why");
    buf_addf(out, "\n");
}

/* Whom we depend on and gave up for a while; nothing when all is well. */
static void add_targets(struct buf *out, const struct json_value *v)
{
    struct json_value list = json_get(v, "targets"), t, state;
    struct json_iter it;
    struct rd_str key;

    json_iter_init(&it, &list);
    while (json_next(&it, &key, &t)) {
        state = json_get(&t, "state");
        if (json_is(&state, "closed"))
            continue;
        buf_add_str(out, "  given up  ");
        add_shown(out, &t, "name");
        buf_add_str(out, ": ");
        add_shown(out, &t, "why");
        buf_add_str(out, "; tried again by itself every few seconds\n");
    }
}

/* The metric of that name: {"name":…,"value":…} in the list. JSON_NONE when the node has none. */
static struct json_value metric(const struct json_value *v, const char *name)
{
    struct json_value list = json_get(v, "metrics"), m, found;
    struct json_iter it;
    struct rd_str key;

    json_iter_init(&it, &list);
    while (json_next(&it, &key, &m)) {
        found = json_get(&m, "name");
        if (json_is(&found, name))
            return m;
    }
    return (struct json_value){.type = JSON_NONE};
}

static uint64_t counted(const struct json_value *v, const char *name)
{
    struct json_value m = metric(v, name);

    return m.type == JSON_OBJECT ? number(&m, "value") : 0;
}

static uint64_t quantile(const struct json_value *v, const char *name, const char *which)
{
    struct json_value m = metric(v, name);

    return m.type == JSON_OBJECT ? number(&m, which) : 0;
}

/* What was counted since the node started. */
static void add_counts(struct buf *out, const struct json_value *v)
{
    buf_add_str(out, "  so far    ");
    add_some(out, counted(v, "calls_answered"), "call", " answered, ");
    add_some(out, counted(v, "calls_fallback"), "fallback", ", ");
    add_some(out, counted(v, "barge_ins"), "barge-in", ", ");
    add_some(out, counted(v, "tool_calls"), "tool call", ", ");
    add_some(out, counted(v, "script_failed"), "call", " lost to a broken script\n");
    buf_addf(out,
             "  audio     %" PRIu64 " frames in, %" PRIu64 " out, %" PRIu64 " bad, %" PRIu64
             " ms of gaps\n",
             counted(v, "frames_in"), counted(v, "frames_out"), counted(v, "frames_bad"),
             counted(v, "gap_ms"));
    buf_addf(out, "  latency   first audio %" PRIu64 " ms, webhook %" PRIu64 " us (p50)\n",
             quantile(v, "first_audio_ms", "p50"), quantile(v, "webhook_us", "p50"));
    buf_add_str(out, "  refused   ");
    add_some(out, counted(v, "refused_signature"), "signature", ", ");
    add_some(out, counted(v, "refused_token"), "stream token", ", ");
    add_some(out, counted(v, "refused_call_sid"), "wrong call", ", ");
    add_some(out, counted(v, "refused_bad_request"), "bad request", "\n");
}

static int print_status(const char *data, const struct buf *body, bool as_json)
{
    struct json_value v;
    struct buf text;

    if (as_json) {
        printf("%.*s\n", (int)body->n, body->data);
        return EXIT_OK;
    }
    if (json_parse((struct rd_str){body->data, body->n}, &v) != 0 || v.type != JSON_OBJECT) {
        fputs("ringdown status: the node's answer cannot be read; are both of one version?\n",
              stderr);
        return EXIT_FAILED;
    }
    buf_init(&text, CLIENT_BODY_MAX);
    add_head(&text, &v);
    draining_add(&text, data);
    add_agents(&text, &v);
    add_threads(&text, &v);
    add_books(&text, &v);
    add_alarms(&text, &v);
    add_synthetic(&text, &v);
    add_targets(&text, &v);
    add_counts(&text, &v);
    fwrite(text.data, 1, text.n, stdout);
    buf_fini(&text);
    return EXIT_OK;
}

int cmd_status(int argc, char **argv)
{
    struct options o = {.usage = usage};
    struct settings *s = NULL;
    struct buf body;
    char why[512];
    int code = EXIT_OK, http;

    if (!options_read(&o, argc, argv, &code))
        return code;
    code = options_settings(&o, SETTINGS_CLIENT, &s);
    if (code)
        return code;
    buf_init(&body, CLIENT_BODY_MAX);
    http = client_request(s->data, "GET", "/api/v1/status", &body, why, sizeof(why));
    if (http == 200) {
        code = print_status(s->data, &body, o.json);
    } else {
        client_complain("status", http, &body, why);
        code = EXIT_FAILED;
    }
    buf_fini(&body);
    settings_free(s);
    return code;
}
