/* SPDX-License-Identifier: Apache-2.0 */
/* call.c - one call, from its creation to its end-of-call-report.
 *
 *   queued (bypass, WebSocket) ─┐
 *   ringing (Twilio asked) ─────┴▶ in-progress ─▶ (forwarding) ─▶ ended
 *
 * Each step is told: status-update, and after the end, once that was answered, the end-of-call-report.
 * A call that nobody connects to ends by itself. */
#include "base/now.h"
#include "sim/vapi/private.h"

#include <stdlib.h>
#include <string.h>

enum { NO_CALL_MS = 30000 };

struct vapi_call *vapi_call_new(struct vapi_double *d, const char *type)
{
    struct vapi_call *c = calloc(1, sizeof(*c));

    if (!c)
        return NULL;
    *c = (struct vapi_call){.next = d->calls,
                            .d = d,
                            .type = type,
                            .status = "queued",
                            .request = json_object(),
                            .messages = json_array(),
                            .latencies = json_array(),
                            .created_ms = unix_ms()};
    c->updated_ms = c->created_ms;
    vapi_id(c->id);
    d->calls = c;
    return c;
}

void vapi_call_free(struct vapi_call *c)
{
    vapi_voice_stop(c);
    ears_free(c->ears);
    loop_timer_free(c->clock);
    json_decref(c->request);
    json_decref(c->number);
    json_decref(c->assistant);
    json_decref(c->messages);
    json_decref(c->latencies);
    free(c);
}

struct vapi_call *vapi_call_find(struct vapi_double *d, const char *id)
{
    struct vapi_call *c = d->calls;

    if (strcmp(id, "last") == 0)
        return c;
    while (c && strcmp(c->id, id) != 0 && (!*id || strcmp(c->sid, id) != 0))
        c = c->next;
    return c;
}

bool vapi_call_live(const struct vapi_call *c)
{
    return c->ended_ms == 0;
}

/* ---- who speaks ---- */

bool vapi_call_assistant(struct vapi_call *c, const json_t *from)
{
    const json_t *own = json_object_get(from, "assistant");
    const char *id = vapi_text(from, "assistantId");
    const json_t *overrides = json_object_get(from, "assistantOverrides");
    const json_t *kept = *id ? vapi_find(c->d->assistants, "id", id) : NULL;

    if (!own && !kept)
        return false;
    json_decref(c->assistant);
    c->assistant = json_deep_copy(own ? own : kept);
    if (overrides)
        json_object_update(c->assistant, (json_t *)overrides);
    json_object_del(c->assistant, "variableValues"); /* the call's, not the assistant's */
    if (kept)
        json_object_set_new(c->request, "assistantId", json_string(id));
    else
        json_object_set(c->request, "assistant", (json_t *)own);
    return true;
}

void vapi_call_twiml(const struct vapi_call *c, char *out, size_t cap)
{
    snprintf(out, cap,
             "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Connect><Stream "
             "url=\"ws://%s/%s/transport\"/></Connect></Response>",
             c->d->origin, c->id);
}

void vapi_call_message(struct vapi_call *c, const char *role, const char *text, int64_t from_ms)
{
    int64_t now = unix_ms();

    json_array_append_new(
        c->messages,
        json_pack("{s:s, s:s, s:I, s:I, s:f, s:I}", "role", role, "message", text, "time",
                  (json_int_t)from_ms, "endTime", (json_int_t)now, "secondsFromStart",
                  (double)(from_ms - (c->started_ms ? c->started_ms : from_ms)) / 1000.0,
                  "duration", (json_int_t)(now - from_ms)));
}

/* ---- its way ---- */

static void on_nobody(void *arg)
{
    struct vapi_call *c = arg;

    if (vapi_call_live(c) && !c->started_ms)
        vapi_call_end(c, c->bypass ? "phone-call-provider-bypass-enabled-but-no-call-received"
                                   : "assistant-join-timed-out");
}

void vapi_call_expect(struct vapi_call *c)
{
    if (loop_timer_new(&c->clock, c->d->loop, on_nobody, c) == 0)
        loop_timer_in(c->clock, NO_CALL_MS);
}

/* To whoever is at the other end of a WebSocket, and to the server. Takes fields. */
static void tell_status(struct vapi_call *c, json_t *fields, vapi_hook_fn *done)
{
    vapi_line_tell(c, "status-update", fields);
    vapi_hook(c, "status-update", fields, done, NULL);
}

void vapi_call_status(struct vapi_call *c, const char *status)
{
    c->status = status;
    c->updated_ms = unix_ms();
    if (strcmp(status, "in-progress") == 0)
        c->started_ms = c->updated_ms;
    vapi_note(c->d, "status", json_pack("{s:s, s:s}", "call", c->id, "status", status));
    tell_status(c, json_pack("{s:s}", "status", status), NULL);
}

static void report(struct vapi_call *c)
{
    if (c->d->faults.no_report)
        return;
    vapi_hook(c, "end-of-call-report",
              json_pack("{s:s, s:o*, s:o*, s:f, s:o, s:{s:s}, s:o}", "endedReason", c->ended_reason,
                        "startedAt", vapi_iso(c->started_ms), "endedAt", vapi_iso(c->ended_ms),
                        "cost", vapi_cost(c), "costs", vapi_costs(c), "analysis", "summary",
                        "The caller spoke with the front desk.", "artifact", vapi_artifact(c)),
              NULL, NULL);
}

static void on_end_told(struct vapi_call *c, const json_t *record, void *arg)
{
    (void)record;
    (void)arg;
    report(c);
}

void vapi_call_end(struct vapi_call *c, const char *reason)
{
    if (!vapi_call_live(c))
        return;
    c->ended_ms = c->updated_ms = unix_ms();
    c->status = "ended";
    (void)rd_str_copy(c->ended_reason, sizeof(c->ended_reason), rd_str(reason));
    vapi_note(c->d, "ended", json_pack("{s:s, s:s}", "call", c->id, "reason", reason));
    vapi_voice_stop(c);
    tell_status(c, json_pack("{s:s, s:s}", "status", "ended", "endedReason", c->ended_reason),
                on_end_told);
    vapi_line_close(c);
}
