/* SPDX-License-Identifier: Apache-2.0 */
/* picture.c - a call as the API shows it: its costs, its artifact, itself. Pure.
 *
 * Prices: 0.05 USD a minute for the platform, to the second; the rest at made-up, plausible rates. Twilio's
 * own minutes of an imported number are in none of it, as with the real one. */
#include "sim/vapi/double.h"
#include "sim/vapi/private.h"

#include <string.h>

struct prices {
    double minutes, vapi, stt, llm, tts, total;
};

static double rounded(double usd)
{
    return (double)(long long)(usd * 10000.0 + 0.5) / 10000.0;
}

static struct prices prices_of(const struct vapi_call *c)
{
    struct prices p = {0};

    if (c->started_ms && c->ended_ms)
        p.minutes = (double)(c->ended_ms - c->started_ms) / 60000.0;
    p.vapi = rounded(p.minutes * 0.05);
    p.stt = rounded(p.minutes * 0.01);
    p.llm = rounded(c->prompt_tokens * 2.5e-6 + c->completion_tokens * 1e-5);
    p.tts = rounded(c->characters * 2.2e-5);
    p.total = rounded(p.vapi + p.stt + p.llm + p.tts);
    return p;
}

double vapi_cost(const struct vapi_call *c)
{
    return prices_of(c).total;
}

json_t *vapi_costs(const struct vapi_call *c)
{
    struct prices p = prices_of(c);

    return json_pack(
        "[{s:s, s:s, s:f, s:f}, {s:s, s:{s:s, s:s}, s:f, s:f}, {s:s, s:{s:s, s:s}, s:i, s:i, s:i, "
        "s:f}, {s:s, s:{s:s, s:s}, s:i, s:f}, {s:s, s:s, s:f, s:f}]",
        "type", "transport", "provider",
        strcmp(c->type, "vapi.websocketCall") == 0 ? "vapi.websocket" : "twilio", "minutes",
        p.minutes, "cost", 0.0, "type", "transcriber", "transcriber", "provider", "deepgram",
        "model", "nova-2", "minutes", p.minutes, "cost", p.stt, "type", "model", "model",
        "provider", "openai", "model", "gpt-4o", "promptTokens", (int)c->prompt_tokens,
        "completionTokens", (int)c->completion_tokens, "cachedPromptTokens", 0, "cost", p.llm,
        "type", "voice", "voice", "provider", "vapi", "voiceId", "Elliot", "characters",
        (int)c->characters, "cost", p.tts, "type", "vapi", "subType", "normal", "minutes",
        p.minutes, "cost", p.vapi);
}

static json_t *breakdown(const struct vapi_call *c)
{
    struct prices p = prices_of(c);

    return json_pack("{s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:i, s:i, s:i}", "transport", 0.0,
                     "stt", p.stt, "llm", p.llm, "tts", p.tts, "vapi", p.vapi, "chat", 0.0, "total",
                     p.total, "llmPromptTokens", (int)c->prompt_tokens, "llmCompletionTokens",
                     (int)c->completion_tokens, "llmCachedPromptTokens", 0, "ttsCharacters",
                     (int)c->characters);
}

/* ---- what was said ---- */

static json_t *transcript(const struct vapi_call *c)
{
    struct buf text;
    json_t *one, *out;
    size_t i;

    buf_init(&text, 1 << 20);
    json_array_foreach(c->messages, i, one)
    {
        const char *role = vapi_text(one, "role"), *words = vapi_text(one, "message");
        if (strcmp(role, "bot") == 0 || strcmp(role, "user") == 0)
            buf_addf(&text, "%s: %s\n", *role == 'b' ? "AI" : "User", words);
    }
    out = text.n > 0 ? json_stringn(text.data, text.n) : json_string("");
    buf_fini(&text);
    return out;
}

json_t *vapi_conversation(const struct vapi_call *c)
{
    json_t *out = json_array(), *one;
    size_t i;

    json_array_foreach(c->messages, i, one)
    {
        const char *role = vapi_text(one, "role"), *words = vapi_text(one, "message");
        if (!*words)
            continue;
        json_array_append_new(out, json_pack("{s:s, s:s}", "role",
                                             strcmp(role, "bot") == 0 ? "assistant" : role,
                                             "content", words));
    }
    return out;
}

static double average(const json_t *turns, const char *key)
{
    double sum = 0;
    json_t *one;
    size_t i;

    json_array_foreach((json_t *)turns, i, one) sum += json_number_value(json_object_get(one, key));
    return json_array_size(turns) ? sum / (double)json_array_size(turns) : 0;
}

static json_t *performance(const struct vapi_call *c)
{
    const json_t *t = c->latencies;

    return json_pack(
        "{s:O, s:f, s:f, s:f, s:f, s:f, s:i, s:i}", "turnLatencies", t, "modelLatencyAverage",
        average(t, "modelLatency"), "voiceLatencyAverage", average(t, "voiceLatency"),
        "transcriberLatencyAverage", average(t, "transcriberLatency"), "endpointingLatencyAverage",
        average(t, "endpointingLatency"), "turnLatencyAverage", average(t, "turnLatency"),
        "numUserInterrupted", 0, "numAssistantInterrupted", (int)c->interrupted);
}

json_t *vapi_artifact(const struct vapi_call *c)
{
    return json_pack("{s:O, s:o, s:o, s:o}", "messages", c->messages, "messagesOpenAIFormatted",
                     vapi_conversation(c), "transcript", transcript(c), "performanceMetrics",
                     performance(c));
}

/* ---- the call ---- */

static json_t *transport(const struct vapi_call *c)
{
    char url[160];

    if (strcmp(c->type, "vapi.websocketCall") != 0)
        return c->sid[0] ? json_pack("{s:s, s:s, s:s, s:s*}", "provider", "twilio", "accountSid",
                                     c->account, "callSid", c->sid, "forwardedFrom",
                                     c->forwarded_from[0] ? c->forwarded_from : NULL)
                         : NULL;
    snprintf(url, sizeof(url), "ws://%s/%s/transport", c->d->origin, c->id);
    return json_pack("{s:s, s:s, s:s}", "provider", "vapi.websocket", "conversationType", "voice",
                     "websocketCallUrl", url);
}

static json_t *monitor(const struct vapi_call *c)
{
    char listen[160], control[160];

    snprintf(listen, sizeof(listen), "ws://%s/%s/listen", c->d->origin, c->id);
    snprintf(control, sizeof(control), "http://%s/%s/control", c->d->origin, c->id);
    return json_pack("{s:s, s:s}", "listenUrl", listen, "controlUrl", control);
}

static void add_times(json_t *out, const struct vapi_call *c)
{
    static const struct {
        const char *name;
        size_t at;
    } times[] = {{"createdAt", offsetof(struct vapi_call, created_ms)},
                 {"updatedAt", offsetof(struct vapi_call, updated_ms)},
                 {"startedAt", offsetof(struct vapi_call, started_ms)},
                 {"endedAt", offsetof(struct vapi_call, ended_ms)}};

    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++) {
        json_t *time = vapi_iso(*(const int64_t *)((const char *)c + times[i].at));
        if (time)
            json_object_set_new(out, times[i].name, time);
    }
}

json_t *vapi_picture(const struct vapi_call *c)
{
    bool telephone = strcmp(c->type, "vapi.websocketCall") != 0;
    json_t *out =
        json_pack("{s:s, s:s, s:s, s:s, s:o*, s:o}", "id", c->id, "orgId", VAPI_DOUBLE_ORG, "type",
                  c->type, "status", c->status, "transport", transport(c), "monitor", monitor(c));

    json_object_update_missing(out, c->request);
    json_object_del(out, "phoneCallProviderBypassEnabled");
    add_times(out, c);
    if (telephone) {
        json_object_set_new(out, "phoneCallProvider", json_string("twilio"));
        json_object_set_new(out, "phoneCallTransport", json_string("pstn"));
    }
    if (c->sid[0])
        json_object_set_new(out, "phoneCallProviderId", json_string(c->sid));
    if (vapi_call_live(c))
        return out;
    json_object_set_new(out, "endedReason", json_string(c->ended_reason));
    json_object_set_new(out, "cost", json_real(vapi_cost(c)));
    json_object_set_new(out, "costBreakdown", breakdown(c));
    json_object_set_new(out, "costs", vapi_costs(c));
    json_object_set_new(out, "artifact", vapi_artifact(c));
    json_object_set_new(out, "analysis",
                        json_pack("{s:s}", "summary", "The caller spoke with the front desk."));
    return out;
}
