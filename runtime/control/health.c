/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - components with their states, worst first in what the whole is: pass, warn, fail.
 *
 * What is open as an alarm speaks for its component by its kind; beyond that it is counted, not told: alarms name calls and numbers, and nobody has said who
 * asks. `ringdown status` and the API tell them. */
#include "control/health.h"

#include "base/json.h"
#include "base/json_out.h"
#include "observe/alarm.h"
#include "observe/metrics.h"

#include <inttypes.h>
#include <string.h>

enum { STATUS_MAX = 8 << 20, CROWDED_PERCENT = 90 };

enum verdict { PASS, WARN, FAIL };

static const char *const verdicts[] = {[PASS] = "pass", [WARN] = "warn", [FAIL] = "fail"};

struct health {
    struct buf checks;
    enum verdict worst;
};

struct check {
    const char *name, *type, *unit, *output;
    int64_t value;
    enum verdict verdict;
};

static int add_check(struct health *h, const struct check *c)
{
    int rc = buf_addf(&h->checks, "%s\"%s\":[", h->checks.n > 0 ? "," : "", c->name);

    if (c->verdict > h->worst)
        h->worst = c->verdict;
    if (!rc)
        rc = json_add_object(
            &h->checks,
            JSON_MEMBERS(J_STR("componentType", c->type), J_INT("observedValue", c->value),
                         J_STR("observedUnit", c->unit), J_STR("status", verdicts[c->verdict]),
                         J_STR("output", c->verdict == PASS ? NULL : c->output)));
    return rc ? rc : buf_add_str(&h->checks, "]");
}

static uint64_t number(const struct json_value *status, const char *key)
{
    struct json_value v = json_get(status, key);
    uint64_t n;

    return json_u64(&v, &n) ? n : 0;
}

static unsigned count_of(const struct json_value *status, const char *key)
{
    struct json_value list = json_get(status, key), v;
    struct json_iter it;
    struct rd_str name;
    unsigned n = 0;

    if (list.type != JSON_ARRAY)
        return 0;
    json_iter_init(&it, &list);
    while (json_next(&it, &name, &v))
        n++;
    return n;
}

static int add_calls(struct health *h, const struct json_value *status)
{
    uint64_t calls = number(status, "calls"), max = number(status, "max_calls");
    uint64_t percent = max > 0 ? calls * 100 / max : 0;
    struct check c = {.name = "calls:utilization",
                      .type = "system",
                      .unit = "percent",
                      .value = (int64_t)percent,
                      .verdict = percent >= CROWDED_PERCENT ? WARN : PASS,
                      .output = "there is little room for more calls (max_calls)"};

    return add_check(h, &c);
}

static int add_agents(struct health *h, const struct json_value *status)
{
    uint64_t errors = number(status, "agent_errors");
    unsigned agents = count_of(status, "agents");
    struct check c = {.name = "agents:loaded",
                      .type = "component",
                      .unit = "agents",
                      .value = agents,
                      .verdict = errors == 0  ? PASS
                                 : agents > 0 ? WARN
                                              : FAIL,
                      .output = "agents do not load; ringdown agents tells why"};

    return add_check(h, &c);
}

static int add_alarms(struct health *h, const struct json_value *status)
{
    unsigned open = count_of(status, "alarms");
    struct check c = {.name = "alarms:open",
                      .type = "component",
                      .unit = "alarms",
                      .value = open,
                      .verdict = open > 0 ? WARN : PASS,
                      .output = "ringdown status tells which"};

    return add_check(h, &c);
}

/* ---- components that an alarm speaks for; what is measured stands beside it ---- */

static bool text_is(const struct json_value *object, const char *key, const char *want)
{
    struct json_value v = json_get(object, key);
    char text[ALARM_KIND];

    return v.type == JSON_STRING && json_copy(&v, text, sizeof(text)) == 0 &&
           strcmp(text, want) == 0;
}

/* What the open alarms of a kind make of a component. `subject` NULL: whatever they are about. */
static enum verdict alarmed(const struct json_value *status, const char *kind, const char *subject,
                            bool fails)
{
    struct json_value list = json_get(status, "alarms"), a;
    enum verdict worst = PASS, v;
    struct json_iter it;
    struct rd_str name;

    if (list.type != JSON_ARRAY)
        return PASS;
    json_iter_init(&it, &list);
    while (json_next(&it, &name, &a)) {
        if (!text_is(&a, "kind", kind) || (subject && !text_is(&a, "subject", subject)))
            continue;
        v = fails && text_is(&a, "severity", "critical") ? FAIL : WARN;
        worst = v > worst ? v : worst;
    }
    return worst;
}

/* A database that is away, a provider that fails, an account in trouble: callers are still served, by the
 * journal or by the other system. What fails lets calls down, whoever takes them. */
static const struct component {
    const char *name, *type, *unit;
    const char *of,
        *key; /* the value: member `key` of `of`, or of the status; NULL: alarms alone */
    const char *kind, *subject;
    bool fails;
    const char *output;
} components[] = {
    {"journal:backlog", "datastore", "events", "journal", "waiting", "journal.full", NULL, true,
     "the journal takes nothing more"},
    {"journal:age", "datastore", "ms", "journal", "oldest_age_ms", "journal.old", NULL, false,
     "events wait for the database"},
    {"journal:disk", "datastore", "errors", NULL, NULL, "journal.disk", NULL, true,
     "the disk of the data folder does not answer"},
    {"disk:free", "system", "percent", "standing", "disk_free_percent", "disk.low", NULL, true,
     "the disk of the data folder is nearly full"},
    {"database:connection", "datastore", "errors", NULL, NULL, "database.down", NULL, false,
     "away; calls go on and are kept in the journal"},
    {"database:setup", "datastore", "errors", NULL, NULL, "database.setup", NULL, false,
     "not ours, or of another version"},
    {"openai:breaker", "component", "errors", NULL, NULL, "target.open", "openai", false,
     "OpenAI fails"},
    {"vapi:breaker", "component", "errors", NULL, NULL, "target.open", "vapi", false, "Vapi fails"},
    {"twilio:breaker", "component", "errors", NULL, NULL, "target.open", "twilio", false,
     "Twilio's REST API fails"},
    {"certificate:expiry", "component", "s", NULL, "certificate_expires_in_s",
     "certificate.expires", NULL, true, "the certificate is over soon, or is over"},
    {"clock:offset", "system", "errors", NULL, NULL, "clock.wrong", NULL, true,
     "the clock differs from others'"},
    {"model:shutdown", "component", "errors", NULL, NULL, "model.shutdown", NULL, false,
     "a model in use is shut down soon"},
    {"credentials:openai", "component", "errors", NULL, NULL, "credentials.refused", "openai",
     false, "OpenAI refuses our key"},
    {"credentials:vapi", "component", "errors", NULL, NULL, "credentials.refused", "vapi", false,
     "Vapi refuses our key"},
    {"credentials:twilio", "component", "errors", NULL, NULL, "credentials.refused", "twilio",
     false, "Twilio refuses our token"},
    {"openai:quota", "component", "errors", NULL, NULL, "openai.quota", NULL, false,
     "the credit is used up"},
    {"openai:concurrency", "component", "sessions", NULL, "openai_calls", "openai.concurrency",
     NULL, false, "nearly all sessions of the account are in use"},
    {"openai:headroom", "component", "errors", NULL, NULL, "openai.rate_limit", NULL, false,
     "the rate limit is nearly used up"},
    {"synthetic:call", "component", "errors", NULL, NULL, "synthetic.failed", NULL, false,
     "a call that the cluster made to itself did not get through"},
    {"twilio:balance", "component", "errors", NULL, NULL, "twilio.balance", NULL, false,
     "the account holds little money"},
};

static int64_t measured(const struct json_value *status, const struct component *c,
                        enum verdict verdict)
{
    struct json_value of = c->of ? json_get(status, c->of) : *status, v;
    uint64_t n;

    if (!c->key) /* so many as are seen: one or none */
        return verdict != PASS;
    if (of.type != JSON_OBJECT)
        return 0;
    v = json_get(&of, c->key);
    return v.type == JSON_NUMBER && json_u64(&v, &n) && n <= INT64_MAX ? (int64_t)n : 0;
}

static int add_components(struct health *h, const struct json_value *status)
{
    int rc = 0;

    for (size_t i = 0; !rc && i < sizeof(components) / sizeof(components[0]); i++) {
        const struct component *c = &components[i];
        enum verdict v = alarmed(status, c->kind, c->subject, c->fails);
        struct check check = {.name = c->name,
                              .type = c->type,
                              .unit = c->unit,
                              .output = c->output,
                              .value = measured(status, c, v),
                              .verdict = v};

        rc = add_check(h, &check);
    }
    return rc;
}

static int add_leader(struct health *h)
{
    struct check c = {.name = "node:leads",
                      .type = "system",
                      .unit = "leaders",
                      .value = (int64_t)metric_gauge_value(G_LEADER)};

    return add_check(h, &c);
}

static int add_draining(struct health *h, const struct json_value *status)
{
    struct json_value v = json_get(status, "draining");
    struct check c = {.name = "node:uptime",
                      .type = "system",
                      .unit = "s",
                      .value = (int64_t)number(status, "uptime_s"),
                      .verdict = v.type == JSON_TRUE ? FAIL : PASS,
                      .output = "it takes no new calls: it drains"};

    return add_check(h, &c);
}

static int add_checks(struct health *h, struct node *n)
{
    struct check absent = {.name = "node:uptime",
                           .type = "system",
                           .unit = "s",
                           .verdict = FAIL,
                           .output = "it starts or ends"};
    struct json_value status;
    struct buf text;
    int rc;

    if (!n)
        return add_check(h, &absent);
    buf_init(&text, STATUS_MAX);
    rc = node_status_json(n, &text);
    if (!rc)
        rc = json_parse((struct rd_str){text.data, text.n}, &status);
    if (!rc)
        rc = add_draining(h, &status);
    if (!rc)
        rc = add_calls(h, &status);
    if (!rc)
        rc = add_agents(h, &status);
    if (!rc)
        rc = add_alarms(h, &status);
    if (!rc)
        rc = add_components(h, &status);
    if (!rc)
        rc = add_leader(h);
    buf_fini(&text);
    return rc;
}

int health_json(struct node *n, struct buf *out)
{
    struct health h = {.worst = PASS};
    int rc;

    buf_init(&h.checks, 64 << 10);
    rc = add_checks(&h, n);
    if (!rc)
        rc = buf_addf(out,
                      "{\"status\":\"%s\",\"version\":\"1\",\"releaseId\":\"" RD_VERSION
                      "\",\"checks\":{%.*s}}",
                      verdicts[h.worst], (int)h.checks.n, h.checks.data);
    buf_fini(&h.checks);
    return rc;
}
