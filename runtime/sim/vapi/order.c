/* SPDX-License-Identifier: Apache-2.0 */
/* order.c - what a call is told while it is live, by whoever is at the other end of its WebSocket or has its
 * controlUrl: speak, know, be silent, hand on, end.
 *
 * A mistake in an order is told as the API tells mistakes, and nothing of it is done. */
#include "base/now.h"
#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include <string.h>

#define SWITCHES \
    "mute-assistant, unmute-assistant, mute-customer, unmute-customer, say-first-message"

static const struct vapi_field nothing_else[] = {{.name = "type", .kind = VAPI_STRING},
                                                 {.name = NULL}};
static const struct vapi_field say_fields[] = {
    {.name = "type", .kind = VAPI_STRING},
    {.name = "content", .kind = VAPI_STRING, .required = true},
    {.name = "endCallAfterSpoken", .kind = VAPI_BOOL},
    {.name = "interruptAssistantEnabled", .kind = VAPI_BOOL},
    {.name = "interruptionsEnabled", .kind = VAPI_BOOL},
    {.name = NULL}};
static const struct vapi_field message_fields[] = {
    {.name = "role",
     .kind = VAPI_WORD,
     .required = true,
     .allowed = "assistant, function, user, system, tool"},
    {.name = "content", .kind = VAPI_STRING, .required = true},
    {.name = NULL}};
static const struct vapi_field add_fields[] = {
    {.name = "type", .kind = VAPI_STRING},
    {.name = "message", .kind = VAPI_OBJECT, .required = true, .inside = message_fields},
    {.name = "triggerResponseEnabled", .kind = VAPI_BOOL},
    {.name = NULL}};
static const struct vapi_field control_fields[] = {
    {.name = "type", .kind = VAPI_STRING},
    {.name = "control", .kind = VAPI_WORD, .required = true, .allowed = SWITCHES},
    {.name = NULL}};
static const struct vapi_field transfer_fields[] = {{.name = "type", .kind = VAPI_STRING},
                                                    {.name = "destination",
                                                     .kind = VAPI_OBJECT,
                                                     .required = true,
                                                     .inside = vapi_destination_fields},
                                                    {.name = "content", .kind = VAPI_STRING},
                                                    {.name = NULL}};
static const struct vapi_field transport_fields[] = {
    {.name = "type", .kind = VAPI_STRING},
    {.name = "message", .kind = VAPI_OBJECT, .required = true},
    {.name = NULL}};

/* ---- what is done ---- */

static void end(struct vapi_call *c, const json_t *order)
{
    (void)order;
    vapi_call_end(c, "manually-canceled");
}

static void say(struct vapi_call *c, const json_t *order)
{
    vapi_voice_say(c, vapi_text(order, "content"),
                   json_is_true(json_object_get(order, "endCallAfterSpoken")));
}

static void add_message(struct vapi_call *c, const json_t *order)
{
    const json_t *message = json_object_get(order, "message");
    const char *role = vapi_text(message, "role"), *content = vapi_text(message, "content");

    vapi_call_message(c, strcmp(role, "assistant") == 0 ? "bot" : role, content, unix_ms());
    if (!json_is_false(json_object_get(order, "triggerResponseEnabled")))
        vapi_voice_respond(c, content);
}

static void control(struct vapi_call *c, const json_t *order)
{
    const char *word = vapi_text(order, "control"), *whom = strchr(word, '-') + 1;

    if (strcmp(word, "say-first-message") == 0)
        vapi_voice_first(c);
    else
        *(strcmp(whom, "assistant") == 0 ? &c->mute : &c->deaf) = *word == 'm';
}

static void transfer(struct vapi_call *c, const json_t *order)
{
    (void)order;
    vapi_call_status(c, "forwarding");
    vapi_call_end(c, "assistant-forwarded-call");
}

static void leave_to_twilio(struct vapi_call *c, const json_t *order)
{
    (void)c;
    (void)order;
}

static const struct {
    const char *type;
    const struct vapi_field *fields;
    void (*obey)(struct vapi_call *c, const json_t *order);
} orders[] = {{"end-call", nothing_else, end},
              {"hangup", nothing_else, end},
              {"say", say_fields, say},
              {"add-message", add_fields, add_message},
              {"control", control_fields, control},
              {"transfer", transfer_fields, transfer},
              {"send-transport-message", transport_fields, leave_to_twilio}};

void vapi_order(struct vapi_call *c, const json_t *order, json_t *complaints)
{
    const char *type = vapi_text(order, "type");
    size_t i = 0;

    while (i < sizeof(orders) / sizeof(orders[0]) && strcmp(orders[i].type, type) != 0)
        i++;
    if (!vapi_call_live(c))
        json_array_append_new(complaints, json_string("the call is over"));
    else if (i == sizeof(orders) / sizeof(orders[0]))
        json_array_append_new(
            complaints, json_string("type must be one of the following values: end-call, say, "
                                    "add-message, control, transfer, send-transport-message"));
    else
        vapi_check(complaints, order, orders[i].fields);
    vapi_note(c->d, "order",
              json_pack("{s:s, s:O, s:O}", "call", c->id, "order", order, "wrong", complaints));
    if (json_array_size(complaints) == 0)
        orders[i].obey(c, order);
}
