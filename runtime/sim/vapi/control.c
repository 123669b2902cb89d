/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - what is told to a call while it is live (monitor.controlUrl); and, as no real API offers, what
 * tests want to happen, with the same key:
 *
 *   GET    /control/hooks[?type=tool-calls]    what was posted and answered, oldest first (hook.c: what is in it)
 *   DELETE /control/hooks                      forgets them
 *   POST   /control/faults {words}             misbehaves so from now on, and not as before (fault.h)
 *   POST   /control/server {url, sign, secret} where server messages go by default, and how they are signed
 *   POST   /control/hook {call, type, fields}  posts a server message now; answered with what became of it.
 *          For a tool: {call, type = "tool-calls", shape, name, arguments}; `call` may be "last" or a CallSid
 *   POST   /control/call {sid, from, to}       a call in progress that nobody speaks on; {past = N, minutes = M}:
 *          N calls that ended long ago, M minutes apart, with their transcripts
 *   POST   /control/end {call, reason}         a call ends for this reason
 *   POST   /control/drop {call}                its audio's connection breaks */
#include "sim/vapi/double.h"
#include "sim/vapi/private.h"

#include "base/err.h"
#include "base/now.h"

#include <stdlib.h>
#include <string.h>

enum { PAST_MAX = 5000, PAST_TALK_MS = 90000, MINUTE_MS = 60000 };

/* ---- a live call ---- */

static bool asks_for_key(const struct vapi_call *c)
{
    return json_is_true(json_object_get(json_object_get(c->assistant, "monitorPlan"),
                                        "controlAuthenticationEnabled"));
}

void vapi_live_control(struct vapi_ask *a)
{
    struct vapi_call *c = vapi_call_find(a->d, a->id);
    json_t *complaints;

    if (!c || !vapi_call_live(c)) {
        vapi_not_found(a, "Couldn't Get Call. It Does Not Exist.");
        return;
    }
    if (asks_for_key(c) && !vapi_is_key(a->r, VAPI_DOUBLE_PUBLIC_KEY)) {
        vapi_refuse(a, 401, json_string("Unauthorized"));
        return;
    }
    complaints = json_array();
    vapi_order(c, a->body, complaints);
    if (!vapi_checked(a, complaints))
        vapi_answer(a, 200, json_object());
}

/* ---- tests ---- */

static struct vapi_call *call_of(const struct vapi_ask *a)
{
    const char *id = vapi_text(a->body, "call");

    return vapi_call_find(a->d, *id ? id : "last");
}

static void hooks(struct vapi_ask *a)
{
    const char *type = carrier_form_get(&a->query, "type");
    json_t *out = json_array(), *one;
    size_t i;

    json_array_foreach(a->d->hooked, i, one) if (!type || strcmp(type, vapi_text(one, "type")) == 0)
        json_array_append(out, one);
    if (strcmp(a->method, "DELETE") == 0)
        json_array_clear(a->d->hooked);
    vapi_answer(a, 200, out);
}

static void faults(struct vapi_ask *a)
{
    char why[400];

    if (vapi_faults_read(&a->d->faults, vapi_text(a->body, "words"), why, sizeof(why)))
        vapi_refuse(a, 400, json_string(why));
    else
        vapi_answer(a, 200, json_object());
}

static void server(struct vapi_ask *a)
{
    struct vapi_double *d = a->d;
    const json_t *sign = json_object_get(a->body, "sign");
    const char *secret = vapi_text(a->body, "secret");
    char kept[sizeof(d->sign.secret)];

    snprintf(kept, sizeof(kept), "%s", d->sign.secret);
    if ((sign || *secret) &&
        vapi_sign_read(&d->sign, json_string_value(sign), *secret ? secret : kept)) {
        vapi_refuse(a, 400, json_string("sign: no such word"));
        return;
    }
    json_object_del(a->body, "sign");
    json_object_del(a->body, "secret");
    json_object_update(d->server, a->body);
    vapi_answer(a, 200, json_object());
}

static void on_hooked(struct vapi_call *c, const json_t *record, void *arg)
{
    char *text = json_dumps(record, JSON_COMPACT);

    (void)c;
    vapi_later_answer(arg, 200, "application/json", text ? text : "{}");
    free(text);
}

static void hook(struct vapi_ask *a)
{
    struct vapi_call *c = call_of(a);
    const char *type = vapi_text(a->body, "type"), *shape = vapi_text(a->body, "shape");
    json_t *arguments = json_object_get(a->body, "arguments");
    struct vapi_later *later = c ? vapi_later(a) : NULL;

    if (!c)
        vapi_not_found(a, "There is no such call");
    if (!later)
        return;
    if (strcmp(type, "tool-calls") == 0) {
        char *text = arguments ? json_dumps(arguments, JSON_COMPACT) : strdup("{}");
        vapi_hook_tool(c, *shape ? shape : "openapi", vapi_text(a->body, "name"),
                       text ? text : "{}", on_hooked, later);
        free(text);
        return;
    }
    vapi_hook(c, type, json_incref(json_object_get(a->body, "fields")), on_hooked, later);
}

/* A call that ended `ago_ms` ago, as the API still shows it. */
static bool make_past(struct vapi_double *d, int64_t ago_ms, unsigned number)
{
    struct vapi_call *c = vapi_call_new(d, "inboundPhoneCall");

    if (!c)
        return false;
    c->created_ms = unix_ms() - ago_ms;
    c->started_ms = c->created_ms + 1000;
    c->ended_ms = c->updated_ms = c->started_ms + PAST_TALK_MS;
    c->status = "ended";
    snprintf(c->ended_reason, sizeof(c->ended_reason), "customer-ended-call");
    snprintf(c->sid, sizeof(c->sid), "CA%032x", number);
    c->number = json_incref(json_array_get(d->numbers, 0));
    json_object_set_new(c->request, "assistantId", json_string(VAPI_DOUBLE_ASSISTANT));
    json_object_set_new(c->request, "phoneNumberId", json_string(VAPI_DOUBLE_NUMBER_ID));
    json_object_set_new(c->request, "customer", json_pack("{s:s}", "number", "+13125550142"));
    vapi_call_message(c, "bot", "Hello, you have reached the front desk.", c->started_ms);
    vapi_call_message(c, "user", "I need a plumber tomorrow.", c->started_ms + 4000);
    c->characters = 39;
    c->prompt_tokens = 400;
    c->completion_tokens = 12;
    return true;
}

static void past_calls(struct vapi_ask *a)
{
    json_int_t n = json_integer_value(json_object_get(a->body, "past"));
    json_int_t minutes = json_integer_value(json_object_get(a->body, "minutes"));

    for (json_int_t i = n < PAST_MAX ? n : PAST_MAX; i > 0; i--)
        if (!make_past(a->d, (10 + i * (minutes > 0 ? minutes : 10)) * MINUTE_MS, (unsigned)i))
            break;
    vapi_answer(a, 201, json_object());
}

/* In progress, and silent. */
static void make_call(struct vapi_ask *a)
{
    const char *to = vapi_text(a->body, "to");
    struct vapi_call *c;

    if (json_object_get(a->body, "past")) {
        past_calls(a);
        return;
    }
    c = vapi_call_new(a->d, "inboundPhoneCall");
    if (!c) {
        vapi_refuse(a, 500, json_string("out of memory"));
        return;
    }
    c->number = json_incref(vapi_find(a->d->numbers, "number", *to ? to : VAPI_DOUBLE_NUMBER));
    snprintf(c->sid, sizeof(c->sid), "%.39s", vapi_text(a->body, "sid"));
    snprintf(c->account, sizeof(c->account), "%.39s", vapi_text(c->number, "twilioAccountSid"));
    json_object_set_new(c->request, "phoneNumberId", json_string(vapi_text(c->number, "id")));
    json_object_set_new(c->request, "customer",
                        json_pack("{s:s}", "number", vapi_text(a->body, "from")));
    (void)vapi_call_assistant(c, c->number);
    vapi_call_status(c, "in-progress");
    vapi_answer(a, 201, vapi_picture(c));
}

static void end(struct vapi_ask *a)
{
    struct vapi_call *c = call_of(a);
    const char *reason = vapi_text(a->body, "reason");

    if (!c || !vapi_call_live(c)) {
        vapi_refuse(a, 409, json_string("There is no such call"));
        return;
    }
    vapi_call_end(c, *reason ? reason : "customer-ended-call");
    vapi_answer(a, 202, vapi_picture(c));
}

static void drop(struct vapi_ask *a)
{
    struct vapi_call *c = call_of(a);

    if (!c || !c->line) {
        vapi_refuse(a, 409, json_string("There is no line to drop"));
        return;
    }
    vapi_line_drop(c);
    vapi_call_end(c, "phone-call-provider-closed-websocket");
    vapi_answer(a, 202, json_object());
}

void vapi_control(struct vapi_ask *a)
{
    static const struct {
        const char *method, *name;
        void (*serve)(struct vapi_ask *a);
    } orders[] = {{"GET", "hooks", hooks},    {"DELETE", "hooks", hooks},
                  {"POST", "faults", faults}, {"POST", "server", server},
                  {"POST", "hook", hook},     {"POST", "call", make_call},
                  {"POST", "end", end},       {"POST", "drop", drop}};

    for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
        if (strcmp(a->method, orders[i].method) == 0 && strcmp(a->id, orders[i].name) == 0) {
            orders[i].serve(a);
            return;
        }
    }
    vapi_not_found(a, "There is no such order");
}
