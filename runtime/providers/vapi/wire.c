/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - POST /call and the client messages of the WebSocket transport.
 *
 * The call is asked for with a few overrides, because the assistant was made for another line:
 *   - it waits for us: the opening holds the notice, which is said by `say` like all words of ours
 *   - no background sound: silence between sentences is how we know that one is over
 *   - it may talk as long as our agent's longest call, and a little more
 *   - the messages that we read; its defaults hold the whole conversation each time
 *   - variables: what the agent gives, and the call's own id and the caller's number
 * Tools are asked for at their server, which may be us; only where the agent says that its assistant's have
 * none are they run here, and what came of them is told as a note: nothing may run twice. */
#include "providers/vapi/wire.h"

enum {
    MIN_DURATION_S = 10,
    MAX_DURATION_S = 43200,
    SPARE_S = 60 /* for a goodbye: we end the call, not Vapi */
};

#define MESSAGES "\"status-update\",\"speech-update\",\"transcript\",\"user-interrupted\",\"hang\""
#define TOOLS    ",\"tool-calls\",\"function-call\""

#define NOTE_HEAD  "{\"type\":\"add-message\",\"message\":{\"role\":\""
#define ANSWER_NOW "Answer the caller now, from what you know."

/* `head` as it is, then `s` escaped. */
static int add(struct buf *out, const char *head, struct rd_str s)
{
    int rc = buf_add_str(out, head);

    return rc ? rc : buf_add_json(out, s);
}

static uint32_t duration_s(const struct brief *b)
{
    uint32_t s = b->max_call_ms / 1000 + SPARE_S;

    if (b->max_call_ms == 0 || s > MAX_DURATION_S)
        return MAX_DURATION_S;
    return s < MIN_DURATION_S ? MIN_DURATION_S : s;
}

bool vapi_runs_tools(const struct brief *b)
{
    return b->vapi_tools && strcmp(b->vapi_tools, "line") == 0;
}

static int add_variables(struct buf *out, const struct vapi_session *s)
{
    const char *own = s->brief->vapi_variables;
    size_t n = own ? strlen(own) : 0;
    int rc = add(out, "\"variableValues\":{\"ringdown_call\":\"", rd_str(s->call_sid));

    if (!rc)
        rc = add(out, "\",\"caller_number\":\"", rd_str(s->from ? s->from : ""));
    if (!rc && n > 2) /* the members of a JSON object that our own library wrote */
        rc = buf_add(out, "\",", 2);
    if (!rc && n > 2)
        return buf_add(out, own + 1, n - 1);
    return rc ? rc : buf_add_str(out, "\"}");
}

int vapi_wire_call(struct buf *out, const struct vapi_session *s)
{
    int rc;

    buf_clear(out);
    rc = add(out, "{\"assistantId\":\"", rd_str(s->brief->vapi_assistant));
    if (!rc)
        rc = buf_add_str(out, "\",\"transport\":{\"provider\":\"vapi.websocket\",\"audioFormat\":"
                              "{\"format\":\"mulaw\",\"container\":\"raw\",\"sampleRate\":8000}},"
                              "\"assistantOverrides\":{");
    if (!rc)
        rc = add_variables(out, s);
    if (!rc)
        rc = buf_addf(
            out,
            ",\"firstMessageMode\":\"assistant-waits-for-user\",\"backgroundSound\":\"off\","
            "\"maxDurationSeconds\":%u,\"clientMessages\":[" MESSAGES "%s]}}",
            duration_s(s->brief), vapi_runs_tools(s->brief) ? TOOLS : "");
    return rc;
}

int vapi_wire_say(struct buf *out, struct rd_str words)
{
    int rc;

    buf_clear(out);
    rc = add(out, "{\"type\":\"say\",\"content\":\"", words);
    return rc ? rc
              : buf_add_str(out, "\",\"endCallAfterSpoken\":false,"
                                 "\"interruptAssistantEnabled\":true}");
}

static int end_message(struct buf *out, int rc, bool answer)
{
    if (rc)
        return rc;
    return buf_add_str(out, answer ? "\"},\"triggerResponseEnabled\":true}"
                                   : "\"},\"triggerResponseEnabled\":false}");
}

int vapi_wire_note(struct buf *out, struct rd_str text, bool answer)
{
    buf_clear(out);
    return end_message(out, add(out, NOTE_HEAD "system\",\"content\":\"", text), answer);
}

int vapi_wire_answer(struct buf *out, bool first)
{
    if (!first)
        return vapi_wire_note(out, RD_STR(ANSWER_NOW), true);
    buf_clear(out);
    return buf_add_str(out, "{\"type\":\"control\",\"control\":\"say-first-message\"}");
}

int vapi_wire_tool_result(struct buf *out, struct rd_str call_id, struct rd_str output)
{
    int rc;

    buf_clear(out);
    rc = add(out, NOTE_HEAD "system\",\"content\":\"The tool call ", call_id);
    if (!rc)
        rc = add(out, " returned: ", output);
    return end_message(out, rc, false);
}

static int remember_tool(struct buf *out, const struct history_item *it)
{
    int rc = add(out, NOTE_HEAD "system\",\"content\":\"Earlier in this call the tool ", it->name);

    if (!rc)
        rc = add(out, " was called with ", it->text);
    if (!rc)
        rc = add(out, " and returned: ", it->output);
    return end_message(out, rc, false);
}

int vapi_wire_remember(struct buf *out, const struct history_item *it)
{
    const char *head = it->kind == HISTORY_CALLER ? NOTE_HEAD "user\",\"content\":\""
                                                  : NOTE_HEAD "assistant\",\"content\":\"";

    buf_clear(out);
    if (it->kind == HISTORY_TOOL)
        return remember_tool(out, it);
    return end_message(out, add(out, head, it->text), false);
}

int vapi_wire_end(struct buf *out)
{
    buf_clear(out);
    return buf_add_str(out, "{\"type\":\"end-call\"}");
}
