/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - the types as a table, and where their parts are. Vapi's own pages show tools in three
 * shapes; whichever it is, the list is handed on as it stands (scripts/ringdown/vapi/tools.lua). */
#include "gateway/vapi/message.h"

#include "base/err.h"
#include "base/json_out.h"

#include <ctype.h>

enum {
    TOOLS_MAX = 16,
    RAW_MAX = 48 * 1024, /* of what a script is asked, and of a fact's largest member */
    COSTS_MAX = 16 * 1024,
    BREAKDOWN_MAX = 8 * 1024,
    METRICS_MAX = 28 * 1024,
    SUM_MAX = 64 /* of a number among the metrics, with its name */
};

static const struct {
    const char *type;
    enum vapi_kind kind;
} types[] = {
    {"status-update", VAPI_STATUS},
    {"end-of-call-report", VAPI_REPORT},
    {"hang", VAPI_HANG},
    {"transcript", VAPI_TRANSCRIPT},
    {"transcript[transcriptType=\"final\"]", VAPI_TRANSCRIPT},
    {"tool-calls", VAPI_TOOLS},
    {"function-call", VAPI_FUNCTION},
    {"transfer-destination-request", VAPI_TRANSFER},
    {"assistant-request", VAPI_ASSISTANT},
};

/* --- reading --- */

/* Letters, digits and '-': what ids have, and nothing that could be anything else. */
static void copy_id(char out[VAPI_ID], struct json_value v)
{
    if (v.type != JSON_STRING || json_copy(&v, out, VAPI_ID)) {
        out[0] = '\0';
        return;
    }
    for (const char *p = out; *p; p++)
        if (!isalnum((unsigned char)*p) && *p != '-') {
            out[0] = '\0';
            return;
        }
}

static void copy_number(char out[VAPI_NUMBER], struct json_value v)
{
    if (v.type != JSON_STRING || json_copy(&v, out, VAPI_NUMBER))
        out[0] = '\0';
    for (const char *p = out; *p; p++)
        if (!isdigit((unsigned char)*p) && !(*p == '+' && p == out)) {
            out[0] = '\0';
            return;
        }
}

static struct json_value deep(const struct json_value *from, const char *const path[])
{
    struct json_value v = *from;

    for (size_t i = 0; path[i] && v.type == JSON_OBJECT; i++)
        v = json_get(&v, path[i]);
    return v;
}

#define DEEP(from, ...) deep((from), (const char *const[]){__VA_ARGS__, NULL})

/* The carrier's id as Vapi tells it, else as we told it when we began the call. */
static void read_sid(struct vapi_message *m)
{
    copy_id(m->sid, DEEP(&m->call, "phoneCallProviderId"));
    if (!m->sid[0])
        copy_id(m->sid, DEEP(&m->call, "transport", "callSid"));
    if (!m->sid[0])
        copy_id(m->sid, DEEP(&m->call, "assistantOverrides", "variableValues", "ringdown_call"));
    if (!m->sid[0])
        copy_id(m->sid, DEEP(&m->call, "metadata", "ringdown_call"));
    if (!m->sid[0])
        copy_id(m->sid, DEEP(&m->call, "assistantOverrides", "metadata", "ringdown_call"));
}

static void read_control(struct vapi_message *m)
{
    struct json_value v = DEEP(&m->call, "monitor", "controlUrl");

    if (v.type != JSON_STRING || json_copy(&v, m->control, sizeof(m->control)))
        m->control[0] = '\0';
}

static enum vapi_kind kind_of(const struct vapi_message *m)
{
    struct json_value type = json_get(&m->message, "type"), v;
    enum vapi_kind kind = VAPI_OTHER;

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        char name[64];

        if (type.type == JSON_STRING && json_copy(&type, name, sizeof(name)) == 0 &&
            strcmp(name, types[i].type) == 0)
            kind = types[i].kind;
    }
    if (kind != VAPI_TRANSCRIPT)
        return kind;
    v = json_get(&m->message, "role");
    if (!json_is(&v, "user"))
        return VAPI_OTHER;
    v = json_get(&m->message, "transcriptType");
    return json_is(&v, "partial") ? VAPI_OTHER : kind;
}

int vapi_message_read(struct vapi_message *out, struct rd_str body)
{
    struct json_value root;

    *out = (struct vapi_message){0};
    if (json_parse(body, &root) || root.type != JSON_OBJECT)
        return RD_EPROTO;
    out->message = json_get(&root, "message");
    if (out->message.type != JSON_OBJECT)
        return RD_EPROTO;
    out->call = json_get(&out->message, "call");
    out->kind = kind_of(out);
    copy_id(out->id, DEEP(&out->call, "id"));
    read_sid(out);
    read_control(out);
    copy_number(out->from, DEEP(&out->message, "customer", "number"));
    if (!out->from[0])
        copy_number(out->from, DEEP(&out->call, "customer", "number"));
    copy_number(out->to, DEEP(&out->message, "phoneNumber", "number"));
    if (!out->to[0])
        copy_number(out->to, DEEP(&out->call, "phoneNumber", "number"));
    copy_id(out->number_id, DEEP(&out->call, "phoneNumberId"));
    if (!out->number_id[0])
        copy_id(out->number_id, DEEP(&out->message, "phoneNumber", "id"));
    copy_id(out->assistant, DEEP(&out->call, "assistantId"));
    if (!out->assistant[0])
        copy_id(out->assistant, DEEP(&out->message, "assistant", "id"));
    return 0;
}

bool vapi_message_asks(const struct vapi_message *m)
{
    return m->kind >= VAPI_TOOLS;
}

bool vapi_message_talks(const struct vapi_message *m)
{
    struct json_value status = json_get(&m->message, "status");

    if (m->kind != VAPI_STATUS)
        return m->kind != VAPI_ASSISTANT && m->kind != VAPI_REPORT && m->kind != VAPI_OTHER;
    return json_is(&status, "in-progress") || json_is(&status, "forwarding");
}

bool vapi_message_ends(const struct vapi_message *m)
{
    struct json_value status = json_get(&m->message, "status");

    return m->kind == VAPI_REPORT || (m->kind == VAPI_STATUS && json_is(&status, "ended"));
}

/* --- the fact --- */

/* A text, a number or a whole list, as it is named in the records. */
static int put(struct buf *out, const char *key, struct rd_str raw, bool text)
{
    int rc = buf_addf(out, text ? ",\"%s\":\"" : ",\"%s\":", key);

    if (!rc)
        rc = buf_add(out, raw.p, raw.n);
    return !rc && text ? buf_add_str(out, "\"") : rc;
}

/* Nothing when it is of another type, or too long for what it is. */
static int add(struct buf *out, const char *key, struct json_value v, enum json_type type,
               size_t max)
{
    return v.type != type || v.raw.n > max ? 0 : put(out, key, v.raw, type == JSON_STRING);
}

/* The same; what is too long is told. */
static int add_or_tell(struct buf *out, const char *key, struct json_value v, enum json_type type,
                       size_t max, struct vapi_dropped *dropped)
{
    if (v.type == type && v.raw.n > max) {
        dropped->what = key;
        dropped->bytes = v.raw.n;
        return 0;
    }
    return add(out, key, v, type, max);
}

/* Where the message itself has it, else its call. */
static struct json_value told(const struct vapi_message *m, const char *key)
{
    struct json_value v = json_get(&m->message, key);

    return v.type == JSON_NONE || v.type == JSON_NULL ? DEEP(&m->call, key) : v;
}

/* What turns took, one by one, is what makes them long: without that, what all took. */
static int add_metrics(struct json_value all, struct buf *out, struct vapi_dropped *dropped)
{
    struct json_value one;
    struct json_iter it;
    struct rd_str key;
    const char *before = "";
    int rc;

    if (all.type != JSON_OBJECT || all.raw.n <= METRICS_MAX)
        return add(out, "metrics", all, JSON_OBJECT, METRICS_MAX);
    *dropped = (struct vapi_dropped){"metrics", all.raw.n};
    rc = buf_add_str(out, ",\"metrics\":{");
    json_iter_init(&it, &all);
    for (int n = 0; !rc && n < SUM_MAX && json_next(&it, &key, &one);) {
        if (one.type != JSON_NUMBER || one.raw.n + key.n > SUM_MAX)
            continue;
        rc = buf_addf(out, "%s\"%.*s\":%.*s", before, (int)key.n, key.p, (int)one.raw.n, one.raw.p);
        before = ",";
        n++;
    }
    return rc ? rc : buf_add_str(out, "}");
}

static int add_end(const struct vapi_message *m, struct buf *out, struct vapi_dropped *dropped)
{
    int rc = add(out, "ended_reason", told(m, "endedReason"), JSON_STRING, 256);

    if (!rc)
        rc = add(out, "started_at", told(m, "startedAt"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "ended_at", told(m, "endedAt"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "cost", told(m, "cost"), JSON_NUMBER, 32);
    if (!rc)
        rc = add_or_tell(out, "costs", told(m, "costs"), JSON_ARRAY, COSTS_MAX, dropped);
    if (!rc)
        rc = add_or_tell(out, "cost_breakdown", told(m, "costBreakdown"), JSON_OBJECT,
                         BREAKDOWN_MAX, dropped);
    if (!rc)
        rc = add_metrics(DEEP(&m->message, "artifact", "performanceMetrics"), out, dropped);
    return rc;
}

int vapi_message_fact(const struct vapi_message *m, struct buf *out, struct vapi_dropped *dropped)
{
    int rc = json_members(out,
                          JSON_MEMBERS(J_STR("vapi_id", m->id), J_STR("seen_by", "webhook"),
                                       J_STR("status", m->kind == VAPI_REPORT ? "ended" : NULL)),
                          true);

    *dropped = (struct vapi_dropped){0};
    if (rc < 0)
        return rc;
    rc = add(out, "created_at", DEEP(&m->call, "createdAt"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "type", DEEP(&m->call, "type"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "assistant", DEEP(&m->call, "assistantId"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "number_id", DEEP(&m->call, "phoneNumberId"), JSON_STRING, 64);
    if (!rc && m->kind == VAPI_HANG)
        rc = buf_add_str(out, ",\"hang\":true");
    if (!rc && m->kind == VAPI_STATUS)
        rc = add(out, "status", json_get(&m->message, "status"), JSON_STRING, 32);
    if (!rc && (m->kind == VAPI_STATUS || m->kind == VAPI_REPORT))
        rc = add_end(m, out, dropped);
    return rc;
}

/* --- what is asked of a script --- */

/* How long the letter at `at` of a JSON text is there; one beyond the first plane is two escapes. */
static size_t letter(struct rd_str raw, size_t at)
{
    size_t n = 1;

    if (raw.p[at] == '\\') {
        if (at + 2 >= raw.n || raw.p[at + 1] != 'u')
            return 2;
        return (raw.p[at + 2] | 0x20) == 'd' && at + 3 < raw.n && raw.p[at + 3] >= '8' ? 12 : 6;
    }
    while (at + n < raw.n && ((unsigned char)raw.p[at + n] & 0xc0) == 0x80)
        n++;
    return n;
}

/* How much of a JSON text fits: no letter is cut in two. */
static size_t fits(struct rd_str raw, size_t max)
{
    size_t n = 0;

    while (n < raw.n && n + letter(raw, n) <= max)
        n += letter(raw, n);
    return n < raw.n ? n : raw.n;
}

static int add_words(const struct vapi_message *m, struct buf *out)
{
    struct json_value v = json_get(&m->message, "transcript");

    if (v.type != JSON_STRING)
        return 0;
    return put(out, "words", (struct rd_str){v.raw.p, fits(v.raw, RAW_MAX)}, true);
}

size_t vapi_message_cut(const struct vapi_message *m)
{
    struct json_value v = json_get(&m->message, "transcript");

    return m->kind == VAPI_TRANSCRIPT && v.type == JSON_STRING && v.raw.n > RAW_MAX ? v.raw.n : 0;
}

/* The list of tools, whatever it is called. */
static struct json_value list_of(const struct vapi_message *m)
{
    static const char *const lists[] = {"toolCallList", "toolCalls", "toolWithToolCallList"};
    struct json_value v = {0};

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && v.type != JSON_ARRAY; i++)
        v = json_get(&m->message, lists[i]);
    return v;
}

int vapi_message_ask(const struct vapi_message *m, struct buf *out)
{
    bool one = m->kind == VAPI_FUNCTION;
    struct json_value v = one ? json_get(&m->message, "functionCall") : list_of(m);

    if (m->kind == VAPI_TRANSCRIPT)
        return add_words(m, out);
    if (m->kind == VAPI_ASSISTANT)
        return 0;
    if (v.raw.n > RAW_MAX)
        return RD_EFULL; /* a part of it would be something else */
    return add(out, one ? "function" : "tools", v, one ? JSON_OBJECT : JSON_ARRAY, RAW_MAX);
}

/* An entry is the tool's call, or has it beside the tool. */
static int add_failed_tool(struct buf *out, const struct json_value *entry, const char *why,
                           bool first)
{
    char id[VAPI_ID * 2] = "", name[VAPI_ID * 2] = "";
    struct json_value inner = json_get(entry, "toolCall"), v, n;
    const struct json_value *tool = inner.type == JSON_OBJECT ? &inner : entry;
    int rc = first ? 0 : buf_add_str(out, ",");

    v = json_get(tool, "id");
    n = DEEP(tool, "function", "name");
    if (n.type != JSON_STRING)
        n = json_get(tool, "name");
    if (v.type == JSON_STRING)
        (void)json_copy(&v, id, sizeof(id));
    if (n.type == JSON_STRING)
        (void)json_copy(&n, name, sizeof(name));
    return rc ? rc
              : json_add_object(out, JSON_MEMBERS(J_STR("toolCallId", id), J_STR("name", name),
                                                  J_STR("error", why)));
}

int vapi_message_failed(const struct vapi_message *m, const char *why, struct buf *out)
{
    struct json_value list = list_of(m), tool;
    struct json_iter it;
    struct rd_str key;
    int rc, n = 0;

    if (m->kind != VAPI_TOOLS)
        return json_add_object(out, JSON_MEMBERS(J_STR("error", why)));
    rc = buf_add_str(out, "{\"results\":[");
    if (list.type == JSON_ARRAY) {
        json_iter_init(&it, &list);
        while (!rc && n < TOOLS_MAX && json_next(&it, &key, &tool))
            if (tool.type == JSON_OBJECT)
                rc = add_failed_tool(out, &tool, why, n++ == 0);
    }
    return rc ? rc : buf_add_str(out, "]}");
}
