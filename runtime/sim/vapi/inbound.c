/* SPDX-License-Identifier: Apache-2.0 */
/* inbound.c - what Twilio asks: the document of a call that rings, and how it ended.
 *
 * Happy path: the number is imported and has an assistant: a call, and a document that connects to it. A
 * number without one: assistant-request to its server, and Twilio waits for that.
 *
 * Failure modes
 *   - not ringing, or of another direction: 400 with both sentences; a number that is not imported: 404;
 *   - nobody says which assistant: the number's fallbackDestination, else a spoken sentence and the end. */
#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include "base/buf.h"

#include <stdlib.h>
#include <string.h>

enum { DOCUMENT_MAX = 8192 };

static const char head[] = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>";
static const char nobody[] = "This number has no assistant. Goodbye.";

static const char *field(const struct vapi_ask *a, const char *name)
{
    const char *value = carrier_form_get(&a->query, name);

    return value ? value : "";
}

static json_t *complaints_of(const struct vapi_ask *a)
{
    json_t *complaints = json_array();
    const char *direction = field(a, "Direction");

    if (strcmp(field(a, "CallStatus"), "ringing") != 0)
        json_array_append_new(
            complaints, json_string("CallStatus must be one of the following values: ringing"));
    if (strcmp(direction, "inbound") != 0 && strcmp(direction, "outbound") != 0)
        json_array_append_new(
            complaints,
            json_string("Direction must be one of the following values: inbound, outbound"));
    return complaints;
}

static json_t *number_of(const struct vapi_ask *a)
{
    json_t *number = vapi_find(a->d->numbers, "number", field(a, "To"));

    return number && strcmp(vapi_text(number, "twilioAccountSid"), field(a, "AccountSid")) == 0
               ? number
               : NULL;
}

static struct vapi_call *call_of(struct vapi_ask *a, json_t *number)
{
    struct vapi_call *c = vapi_call_find(a->d, field(a, "CallSid"));

    if (c && vapi_call_live(c)) /* Twilio asks twice when the first answer is lost */
        return c;
    c = vapi_call_new(a->d, "inboundPhoneCall");
    if (!c)
        return NULL;
    c->number = json_incref(number);
    c->status = "ringing";
    (void)rd_str_copy(c->sid, sizeof(c->sid), rd_str(field(a, "CallSid")));
    (void)rd_str_copy(c->account, sizeof(c->account), rd_str(field(a, "AccountSid")));
    (void)rd_str_copy(c->forwarded_from, sizeof(c->forwarded_from),
                      rd_str(field(a, "ForwardedFrom")));
    json_object_set_new(c->request, "phoneNumberId", json_string(vapi_text(number, "id")));
    json_object_set_new(c->request, "customer", json_pack("{s:s}", "number", field(a, "From")));
    return c;
}

/* ---- a number without an assistant ---- */

static void speak_and_end(struct buf *document, const char *text)
{
    buf_add_str(document, "<Say>");
    buf_add_xml(document, rd_str(text));
    buf_add_str(document, "</Say><Hangup/>");
}

static void dial(struct vapi_call *c, struct buf *document, const json_t *destination)
{
    buf_add_str(document, "<Dial>");
    buf_add_xml(document, rd_str(vapi_text(destination, "number")));
    buf_add_str(document, "</Dial>");
    vapi_call_status(c, "forwarding");
}

/* The assistant of an answer to assistant-request, or what is done without one. */
static void decide(struct vapi_call *c, struct buf *document, const json_t *answer)
{
    const json_t *destination = json_object_get(answer, "destination");
    const json_t *fallback = json_object_get(c->number, "fallbackDestination");

    if (destination) {
        dial(c, document, destination);
        vapi_call_end(c, "assistant-forwarded-call");
    } else if (answer && vapi_call_assistant(c, answer)) {
        char twiml[VAPI_URL_MAX];
        vapi_call_twiml(c, twiml, sizeof(twiml));
        buf_add_str(document, twiml + sizeof(head) - 1);
        return;
    } else if (answer && json_object_get(answer, "error")) {
        const char *text = vapi_text(answer, "error");
        speak_and_end(document, *text ? text : "Unknown Error. Contact Support.");
        vapi_call_end(c, "assistant-request-returned-error");
    } else if (fallback) {
        dial(c, document, fallback);
        vapi_call_end(c, "assistant-request-failed");
    } else {
        speak_and_end(document, nobody);
        vapi_call_end(c, answer ? "assistant-request-returned-no-assistant"
                                : "assistant-request-failed");
    }
    buf_add_str(document, "</Response>");
}

static void on_assistant(struct vapi_call *c, const json_t *record, void *arg)
{
    struct vapi_later *fetch = arg;
    const json_t *answer = json_object_get(record, "answer");
    struct buf document;

    buf_init(&document, DOCUMENT_MAX);
    buf_add_str(&document, head);
    decide(c, &document,
           json_integer_value(json_object_get(record, "status")) == 200 && json_is_object(answer)
               ? answer
               : NULL);
    vapi_later_answer(fetch, 200, "text/xml", buf_text(&document));
    buf_fini(&document);
}

/* ---- what Twilio asks ---- */

void vapi_inbound(struct vapi_ask *a)
{
    json_t *number = number_of(a);
    char twiml[VAPI_URL_MAX];
    struct vapi_later *fetch;
    struct vapi_call *c;

    if (vapi_checked(a, complaints_of(a)))
        return;
    if (!number) {
        vapi_not_found(a, "Phone Number Not Found");
        return;
    }
    c = call_of(a, number);
    if (!c) {
        vapi_refuse(a, 500, json_string("Internal server error"));
        return;
    }
    vapi_note(a->d, "inbound",
              json_pack("{s:s, s:s, s:s*}", "call", c->id, "sid", c->sid, "ErrorCode",
                        carrier_form_get(&a->query, "ErrorCode")));
    if (c->assistant || vapi_call_assistant(c, number)) {
        vapi_call_twiml(c, twiml, sizeof(twiml));
        vapi_answer_twiml(a, twiml);
        return;
    }
    fetch = vapi_later(a);
    if (fetch)
        vapi_hook(c, "assistant-request", NULL, on_assistant, fetch);
}

void vapi_status(struct vapi_ask *a)
{
    struct vapi_call *c = vapi_call_find(a->d, field(a, "CallSid"));

    if (c && vapi_call_live(c) && strcmp(field(a, "CallStatus"), "completed") == 0)
        vapi_call_end(c, "customer-ended-call");
    vapi_answer(a, 200, json_object());
}
