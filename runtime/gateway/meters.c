/* SPDX-License-Identifier: Apache-2.0 */
/* meters.c - facts to numbers.
 *
 * An error's class is read from its code: codes of the provider, of its close frames and of HTTP, and
 * our own words for a provider that did not come. What is in no list is "other".
 *
 * How long an emergency took is measured by a ring of those that are open: one that more than OPEN_MAX
 * others followed, or that another process found, is counted without its time. */
#include "gateway/meters.h"

#include "base/json.h"
#include "base/now.h"
#include "call/toolcall.h"

#include <pthread.h>
#include <string.h>

enum { WORD_MAX = 64, OPEN_MAX = 128, SID_MAX = 40, RULE_MAX = 64 };

/* --- calls --- */

static void count_totals(const struct metered_call *call, const struct call_totals *c)
{
    metric_add(M_FRAMES_IN, c->frames_in);
    metric_add(M_FRAMES_OUT, c->frames_out);
    metric_add(M_FRAMES_BAD, c->bad_frames);
    metric_add(M_GAP_MS, c->gap_ms);
    metric_add(M_LATE_DELTAS, c->late_deltas);
    if (!c->first_audio_ms)
        return;
    metric_observe(H_FIRST_AUDIO_MS, c->first_audio_ms);
    if (call->first)
        metric_measure(metric_slot(F_FIRST_AUDIO_MS, call->agent, call->system, NULL),
                       c->first_audio_ms);
}

static void count_end(const struct metered_call *call, const struct record *r)
{
    char reason[WORD_MAX];

    if (r->reason == CALL_END_PROVIDER_FAILED)
        metric_add(M_PROVIDER_FAILED, 1);
    if (r->reason == CALL_END_SCRIPT_FAILED)
        metric_add(M_SCRIPT_FAILED, 1);
    if (r->reason == CALL_END_REFUSED)
        metric_add(M_REFUSED_CALL_SID, 1);
    count_totals(call, r->totals);
    if (!call->first)
        return;
    (void)rd_str_copy(reason, sizeof(reason), r->text);
    metric_add(M_CALLS_ENDED, 1);
    metric_count(metric_slot(F_CALLS, call->agent, call->system, reason), 1);
    metric_measure(metric_slot(F_DURATION_MS, call->system, NULL, NULL), r->totals->duration_ms);
}

void meter_without_stream(const char *agent, const char *outcome)
{
    const char *system = strcmp(outcome, "sent") == 0 ? "vapi" : "fallback";

    metric_count(metric_slot(F_CALLS, agent, system, outcome), 1);
}

/* --- tools --- */

/* As the library answers (scripts/ringdown/tool_run.lua): `failed` is an outage, `refused` and `error`
 * are answers the model can work with. */
static const char *result_of(const struct record *r)
{
    struct json_value output, failed;

    if (r->took_ms >= TOOLCALL_TIMEOUT_MS)
        return "late";
    if (json_parse(r->text, &output) || output.type != JSON_OBJECT)
        return "ok";
    failed = json_get(&output, "failed");
    if (failed.type == JSON_TRUE)
        return "failed";
    return json_get(&output, "refused").type != JSON_NONE ||
                   json_get(&output, "error").type != JSON_NONE
               ? "no"
               : "ok";
}

static void count_tool(const struct record *r)
{
    char name[METRIC_VALUE];

    if (!r->done) {
        metric_add(M_TOOL_CALLS, 1);
        return;
    }
    (void)rd_str_copy(name, sizeof(name), r->name);
    metric_count(metric_slot(F_TOOL_CALLS, name, result_of(r), NULL), 1);
    metric_measure(metric_slot(F_TOOL_MS, name, NULL, NULL), r->took_ms);
}

/* --- errors --- */

/* The first that is part of the code. "provider" is ours: nothing came, or the connection went. */
static const struct {
    const char *part, *class;
} classes[] = {
    {"rate_limit", "rate_limit"}, {"http_429", "rate_limit"},  {"quota", "quota"},
    {"billing", "quota"},         {"api_key", "credentials"},  {"deactivated", "credentials"},
    {"http_401", "credentials"},  {"http_403", "credentials"}, {"close_3000", "credentials"},
    {"timeout", "late"},          {"http_5", "server"},        {"server_error", "server"},
    {"close_", "connection"},     {"given_up", "connection"},  {"provider", "connection"},
    {"http_", "request"},         {"invalid", "request"},      {"not_found", "request"},
    {"unknown", "request"},       {"missing", "request"},      {"unsupported", "request"},
    {"expired", "connection"},
};

static const char *class_of(struct rd_str code)
{
    for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
        if (code.n > 0 && memmem(code.p, code.n, classes[i].part, strlen(classes[i].part)))
            return classes[i].class;
    return NULL;
}

void meter_record(const struct metered_call *call, const struct record *r)
{
    switch (r->type) {
    case RECORD_BARGE_IN:
        metric_add(M_BARGE_INS, 1);
        break;
    case RECORD_TOOL:
        count_tool(r);
        break;
    case RECORD_ERROR:
        metric_count(metric_slot(F_PROVIDER_ERRORS, call->system, class_of(r->name), NULL), 1);
        break;
    case RECORD_ENDED:
        count_end(call, r);
        break;
    default:
        break;
    }
}

/* --- texts --- */

void meter_text(struct rd_str direction, struct rd_str status)
{
    char way[WORD_MAX], word[WORD_MAX];

    if (status.n == 0)
        return;
    (void)rd_str_copy(way, sizeof(way), direction);
    (void)rd_str_copy(word, sizeof(word), status);
    metric_count(metric_slot(F_TEXTS, way, word, NULL), 1);
}

/* --- emergencies --- */

struct open_emergency {
    char sid[SID_MAX], rule[RULE_MAX];
    uint64_t since_ms; /* 0: free */
};

static struct {
    pthread_mutex_t lock;
    struct open_emergency ring[OPEN_MAX];
    unsigned next;
} open_ones = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void remember(struct rd_str sid, struct rd_str rule, uint64_t now_ms)
{
    struct open_emergency *o;

    pthread_mutex_lock(&open_ones.lock);
    o = &open_ones.ring[open_ones.next++ % OPEN_MAX];
    (void)rd_str_copy(o->sid, sizeof(o->sid), sid);
    (void)rd_str_copy(o->rule, sizeof(o->rule), rule);
    o->since_ms = now_ms ? now_ms : 1;
    pthread_mutex_unlock(&open_ones.lock);
}

/* Since when it is open; 0: nobody knows. It is over now. */
static uint64_t forget(struct rd_str sid, struct rd_str rule)
{
    uint64_t since_ms = 0;

    pthread_mutex_lock(&open_ones.lock);
    for (unsigned i = 0; i < OPEN_MAX && !since_ms; i++) {
        struct open_emergency *o = &open_ones.ring[i];

        if (o->since_ms && rd_str_eq(rd_str(o->sid), sid) && rd_str_eq(rd_str(o->rule), rule)) {
            since_ms = o->since_ms;
            o->since_ms = 0;
        }
    }
    pthread_mutex_unlock(&open_ones.lock);
    return since_ms;
}

void meter_triage(struct rd_str sid, struct rd_str rule, struct rd_str state)
{
    uint64_t now_ms = monotonic_ms(), since_ms;

    if (rd_str_eq(state, RD_STR("open"))) {
        remember(sid, rule, now_ms);
        return;
    }
    since_ms = forget(sid, rule);
    if (rd_str_eq(state, RD_STR("abandoned"))) {
        metric_add(M_TRIAGE_ABANDONED, 1);
    } else if (rd_str_eq(state, RD_STR("handled"))) {
        metric_add(M_TRIAGE_HANDLED, 1);
        if (since_ms)
            metric_observe(H_TRIAGE_HANDLED_MS, now_ms - since_ms);
    }
}
