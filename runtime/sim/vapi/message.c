/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - server messages: what is in them, who wants them, where they go. Pure. */
#include "base/now.h"
#include "sim/vapi/private.h"

#include <string.h>

static const char *const for_servers[] = {"conversation-update",
                                          "end-of-call-report",
                                          "function-call",
                                          "hang",
                                          "speech-update",
                                          "status-update",
                                          "tool-calls",
                                          "transfer-destination-request",
                                          "handoff-destination-request",
                                          "user-interrupted",
                                          NULL};

static const char *const for_clients[] = {"conversation-update",
                                          "function-call",
                                          "hang",
                                          "model-output",
                                          "speech-update",
                                          "status-update",
                                          "transfer-update",
                                          "transcript",
                                          "tool-calls",
                                          "user-interrupted",
                                          NULL};

/* By the assistant's own list, or by what stands for it where there is none. */
static bool is_listed(const json_t *list, const char *const *otherwise, const char *type)
{
    const json_t *one;
    size_t i;

    for (i = 0; !list && otherwise[i]; i++)
        if (strcmp(otherwise[i], type) == 0)
            return true;
    json_array_foreach((json_t *)list, i, one)
    {
        const char *name = json_string_value(one);
        if (name && (strcmp(name, type) == 0 ||
                     (strcmp(type, "transcript") == 0 && strncmp(name, "transcript[", 11) == 0)))
            return true;
    }
    return false;
}

bool vapi_is_wanted(const struct vapi_call *c, const char *type)
{
    return strcmp(type, "assistant-request") == 0 ||
           is_listed(json_object_get(c->assistant, "serverMessages"), for_servers, type);
}

bool vapi_is_for_client(const struct vapi_call *c, const char *type)
{
    return is_listed(json_object_get(c->assistant, "clientMessages"), for_clients, type);
}

const json_t *vapi_tool(const struct vapi_call *c, const char *name)
{
    const json_t *tools = json_object_get(json_object_get(c->assistant, "model"), "tools"), *one;
    size_t i;

    json_array_foreach((json_t *)tools, i, one)
    {
        if (strcmp(vapi_text(json_object_get(one, "function"), "name"), name) == 0)
            return one;
    }
    return NULL;
}

const json_t *vapi_server_of(const struct vapi_call *c, const char *type, const char *tool)
{
    bool is_tool = strcmp(type, "tool-calls") == 0 || strcmp(type, "function-call") == 0;
    const json_t *servers[] = {is_tool && tool ? json_object_get(vapi_tool(c, tool), "server")
                                               : NULL,
                               json_object_get(c->assistant, "server"),
                               json_object_get(c->number, "server"), c->d->server};

    for (size_t i = 0; i < sizeof(servers) / sizeof(servers[0]); i++)
        if (*vapi_text(servers[i], "url"))
            return servers[i];
    return NULL;
}

/* As messages show it: what belongs to the end stands beside it, not in it. */
static json_t *short_picture(const struct vapi_call *c)
{
    static const char *const left_out[] = {"cost",     "costs",    "costBreakdown",
                                           "artifact", "analysis", NULL};
    json_t *picture = vapi_picture(c);

    for (size_t i = 0; left_out[i]; i++)
        json_object_del(picture, left_out[i]);
    return picture;
}

static json_t *without_books(const json_t *resource)
{
    static const char *const books[] = {"id", "orgId", "createdAt", "updatedAt", NULL};
    json_t *out = json_object(); /* not json_copy(): base/json.h has one too */

    json_object_update(out, (json_t *)resource);
    for (size_t i = 0; out && books[i]; i++)
        json_object_del(out, books[i]);
    return out;
}

json_t *vapi_message(const struct vapi_call *c, const char *type, json_t *fields)
{
    const char *literal = NULL;
    json_t *message;

    if (strcmp(type, "transcript") == 0 &&
        json_array_size(json_object_get(c->assistant, "serverMessages")) > 0) {
        json_t *one;
        size_t i;
        json_array_foreach(json_object_get(c->assistant, "serverMessages"), i,
                           one) if (strncmp(json_string_value(one) ? json_string_value(one) : "",
                                            "transcript[", 11) == 0) literal =
            json_string_value(one);
    }
    message = json_pack("{s:s, s:I, s:o, s:O*, s:O*, s:o*}", "type", literal ? literal : type,
                        "timestamp", (json_int_t)unix_ms(), "call", short_picture(c), "phoneNumber",
                        c->number, "customer", json_object_get(c->request, "customer"), "assistant",
                        c->assistant ? without_books(c->assistant) : NULL);
    if (fields)
        json_object_update(message, fields);
    json_decref(fields);
    return message;
}

/* ---- tools ---- */

void vapi_tool_id(char out[VAPI_TOOL_ID])
{
    char uuid[VAPI_ID];

    vapi_id(uuid);
    snprintf(out, VAPI_TOOL_ID, "call_%.24s", uuid);
}

json_t *vapi_tool_fields(const char *shape, const char *id, const char *name, const char *arguments)
{
    json_t *values = json_loads(arguments, 0, NULL), *entry, *detailed;

    if (!values)
        values = json_object();
    if (strcmp(shape, "legacy") == 0)
        return json_pack("{s:{s:s, s:o}}", "functionCall", "name", name, "parameters", values);
    if (strcmp(shape, "custom") == 0)
        entry = json_pack("{s:s, s:s, s:O}", "id", id, "name", name, "arguments", values);
    else if (strcmp(shape, "events") == 0)
        entry = json_pack("{s:s, s:s, s:O}", "id", id, "name", name, "parameters", values);
    else
        entry = json_pack("{s:s, s:s, s:{s:s, s:s}}", "id", id, "type", "function", "function",
                          "name", name, "arguments", arguments);
    detailed = strcmp(shape, "openapi") == 0
                   ? json_deep_copy(entry)
                   : json_pack("{s:s, s:s, s:{s:s, s:O}}", "id", id, "type", "function", "function",
                               "name", name, "parameters", values);
    json_decref(values);
    return json_pack("{s:[o], s:[{s:s, s:{s:s, s:{s:s, s:{}}}, s:o}]}", "toolCallList", entry,
                     "toolWithToolCallList", "type", "function", "function", "name", name,
                     "parameters", "type", "object", "properties", "toolCall", detailed);
}
