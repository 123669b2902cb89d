/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - the types as a table, and where their parts are. Vapi's own pages show tools in three
 * shapes; whichever it is, the list is handed on as it stands (scripts/ringdown/vapi/tools.lua). */
#include "gateway/vapi/message.h"

#include "base/err.h"
#include "base/json_out.h"

#include <ctype.h>

enum { TOOLS_MAX = 16, RAW_MAX = 24 * 1024, COSTS_MAX = 8 * 1024, METRICS_MAX = 24 * 1024 };

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
    return 0;
}

bool vapi_message_asks(const struct vapi_message *m)
{
    return m->kind >= VAPI_TOOLS;
}

bool vapi_message_ends(const struct vapi_message *m)
{
    struct json_value status = json_get(&m->message, "status");

    return m->kind == VAPI_REPORT || (m->kind == VAPI_STATUS && json_is(&status, "ended"));
}

/* --- the fact --- */

/* A text, a number or a whole list, as it is named in the records. */
static int add(struct buf *out, const char *key, struct json_value v, enum json_type type,
               size_t max)
{
    int rc;

    if (v.type != type || v.raw.n > max)
        return 0;
    rc = buf_addf(out, ",\"%s\":", key);
    if (!rc && type == JSON_STRING)
        rc = buf_add_str(out, "\"");
    if (!rc)
        rc = buf_add(out, v.raw.p, v.raw.n);
    if (!rc && type == JSON_STRING)
        rc = buf_add_str(out, "\"");
    return rc;
}

/* Where the message itself has it, else its call. */
static struct json_value told(const struct vapi_message *m, const char *key)
{
    struct json_value v = json_get(&m->message, key);

    return v.type == JSON_NONE || v.type == JSON_NULL ? DEEP(&m->call, key) : v;
}

static int add_end(const struct vapi_message *m, struct buf *out)
{
    int rc = add(out, "ended_reason", told(m, "endedReason"), JSON_STRING, 256);

    if (!rc)
        rc = add(out, "started_at", told(m, "startedAt"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "ended_at", told(m, "endedAt"), JSON_STRING, 64);
    if (!rc)
        rc = add(out, "cost", told(m, "cost"), JSON_NUMBER, 32);
    if (!rc)
        rc = add(out, "costs", told(m, "costs"), JSON_ARRAY, COSTS_MAX);
    if (!rc)
        rc = add(out, "cost_breakdown", told(m, "costBreakdown"), JSON_OBJECT, COSTS_MAX);
    if (!rc)
        rc = add(out, "metrics", DEEP(&m->message, "artifact", "performanceMetrics"), JSON_OBJECT,
                 METRICS_MAX);
    return rc;
}

int vapi_message_fact(const struct vapi_message *m, struct buf *out)
{
    int rc = json_members(out,
                          JSON_MEMBERS(J_STR("vapi_id", m->id), J_STR("seen_by", "webhook"),
                                       J_STR("status", m->kind == VAPI_REPORT ? "ended" : NULL)),
                          true);

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
        rc = add_end(m, out);
    return rc;
}

/* --- what is asked of a script --- */

int vapi_message_ask(const struct vapi_message *m, struct buf *out)
{
    static const char *const lists[] = {"toolCallList", "toolCalls", "toolWithToolCallList"};
    struct json_value v;
    int rc = 0;

    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]) && m->kind == VAPI_TOOLS; i++) {
        v = json_get(&m->message, lists[i]);
        if (v.type == JSON_ARRAY)
            return add(out, "tools", v, JSON_ARRAY, RAW_MAX);
    }
    if (m->kind == VAPI_FUNCTION)
        rc = add(out, "function", json_get(&m->message, "functionCall"), JSON_OBJECT, RAW_MAX);
    if (m->kind == VAPI_TRANSCRIPT)
        rc = add(out, "words", json_get(&m->message, "transcript"), JSON_STRING, RAW_MAX);
    if (m->kind == VAPI_TRANSFER)
        rc = add(out, "tools", json_get(&m->message, "toolCallList"), JSON_ARRAY, RAW_MAX);
    return rc;
}

static int add_failed_tool(struct buf *out, const struct json_value *tool, const char *why,
                           bool first)
{
    char id[VAPI_ID * 2] = "", name[VAPI_ID * 2] = "";
    struct json_value v = json_get(tool, "id"), n = DEEP(tool, "function", "name");
    int rc = first ? 0 : buf_add_str(out, ",");

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
    struct json_value list = json_get(&m->message, "toolCallList"), tool;
    struct json_iter it;
    struct rd_str key;
    int rc, n = 0;

    if (m->kind != VAPI_TOOLS)
        return json_add_object(out, JSON_MEMBERS(J_STR("error", why)));
    rc = buf_add_str(out, "{\"results\":[");
    if (list.type != JSON_ARRAY)
        list = json_get(&m->message, "toolCalls");
    if (list.type == JSON_ARRAY) {
        json_iter_init(&it, &list);
        while (!rc && n < TOOLS_MAX && json_next(&it, &key, &tool))
            if (tool.type == JSON_OBJECT)
                rc = add_failed_tool(out, &tool, why, n++ == 0);
    }
    return rc ? rc : buf_add_str(out, "]}");
}
