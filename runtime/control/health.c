/* SPDX-License-Identifier: Apache-2.0 */
/* health.c - components with their states, worst first in what the whole is: pass, warn, fail.
 *
 * What is open as an alarm is counted, not told: alarms name calls and numbers, and nobody has said who
 * asks. `ringdown status` and the API tell them. */
#include "control/health.h"

#include "base/json.h"
#include "base/json_out.h"

#include <inttypes.h>

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
