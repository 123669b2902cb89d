/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - calls as a resource: created, listed, read, named, erased.
 *
 * Happy path: POST /call with a bypass gives Twilio's document in phoneCallProviderDetails.twiml; with the
 * transport vapi.websocket, an address to connect to.
 *
 * Failure modes: what the API refuses; and what this double cannot do, said as such: it places no calls,
 * and over a WebSocket it speaks µ-law at 8 kHz alone. */
#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS = 10 };

static void complain(json_t *complaints, const char *text)
{
    json_array_append_new(complaints, json_string(text));
}

static bool has_any(const json_t *body, const char *const *names)
{
    for (; *names; names++)
        if (json_object_get(body, *names))
            return true;
    return false;
}

static bool is_websocket(const json_t *body)
{
    return strcmp(vapi_text(json_object_get(body, "transport"), "provider"), "vapi.websocket") == 0;
}

static void check_websocket(json_t *complaints, const json_t *body)
{
    static const char *const numbers[] = {"phoneNumber", "phoneNumberId", NULL};
    const json_t *format = json_object_get(json_object_get(body, "transport"), "audioFormat");

    if (has_any(body, numbers))
        complain(complaints, "phoneNumber and phoneNumberId are not allowed with this transport");
    if (strcmp(vapi_text(format, "format"), "mulaw") != 0 ||
        json_number_value(json_object_get(format, "sampleRate")) != 8000)
        complain(complaints, "this double speaks mulaw at 8000 alone");
}

static void check_telephone(json_t *complaints, const struct vapi_ask *a)
{
    static const char *const numbers[] = {"phoneNumber", "phoneNumberId", NULL};
    const char *id = vapi_text(a->body, "phoneNumberId");
    const char *customer = vapi_text(json_object_get(a->body, "customer"), "number");

    if (!has_any(a->body, numbers))
        complain(complaints, "Need either `phoneNumber` or `phoneNumberId`.");
    else if (*id && !vapi_find(a->d->numbers, "id", id))
        complain(complaints, "Couldn't Get Phone Number. It Does Not Exist.");
    if (customer[0] != '+')
        complain(complaints, "customer.number must be a valid phone number in the E.164 format");
    if (!json_is_true(json_object_get(a->body, "phoneCallProviderBypassEnabled")))
        complain(complaints, "this double places no calls: phoneCallProviderBypassEnabled");
}

static json_t *complaints_of(const struct vapi_ask *a)
{
    static const char *const who[] = {"assistant", "assistantId", "squad", "squadId",
                                      "workflow",  "workflowId",  NULL};
    json_t *complaints = json_array();
    const char *id = vapi_text(a->body, "assistantId");

    vapi_check(complaints, a->body, vapi_call_fields);
    if (json_array_size(complaints) > 0)
        return complaints;
    if (!has_any(a->body, who))
        complain(complaints, "Need Either `assistant`, `assistantId`, `squad`, Or `squadId`.");
    else if (*id && !vapi_find(a->d->assistants, "id", id))
        complain(complaints, "Couldn't Get Assistant. It Does Not Exist.");
    if (is_websocket(a->body))
        check_websocket(complaints, a->body);
    else
        check_telephone(complaints, a);
    return complaints;
}

static unsigned busy(const struct vapi_double *d)
{
    unsigned n = 0;

    for (const struct vapi_call *c = d->calls; c; c = c->next)
        n += vapi_call_live(c);
    return n;
}

static void create(struct vapi_ask *a)
{
    struct vapi_call *c;
    json_t *picture;
    char twiml[VAPI_URL_MAX];

    if (vapi_checked(a, complaints_of(a)))
        return;
    c = vapi_call_new(a->d, is_websocket(a->body) ? "vapi.websocketCall" : "outboundPhoneCall");
    if (!c) {
        vapi_refuse(a, 500, json_string("Internal server error"));
        return;
    }
    c->bypass = !is_websocket(a->body);
    json_object_update(c->request, a->body);
    c->number = json_incref(vapi_find(a->d->numbers, "id", vapi_text(a->body, "phoneNumberId")));
    (void)vapi_call_assistant(c, a->body);
    vapi_call_expect(c);
    picture = vapi_picture(c);
    if (c->bypass && !a->d->faults.no_twiml) {
        vapi_call_twiml(c, twiml, sizeof(twiml));
        json_object_set_new(picture, "phoneCallProviderDetails",
                            json_pack("{s:s}", "twiml", twiml));
    }
    json_object_set_new(picture, "subscriptionLimits",
                        json_pack("{s:b, s:i, s:i}", "concurrencyBlocked", 0, "concurrencyLimit",
                                  SLOTS, "remainingConcurrentCalls", SLOTS - (int)busy(a->d)));
    vapi_answer(a, 201, picture);
}

static json_t *show_call(const void *what)
{
    return vapi_picture(what);
}

static int newest_first(const void *a, const void *b)
{
    const struct vapi_entry *x = a, *y = b;

    return x->created_ms < y->created_ms ? 1 : x->created_ms > y->created_ms ? -1 : 0;
}

static void list(struct vapi_ask *a)
{
    struct vapi_entry *entries;
    size_t n = 0;

    for (const struct vapi_call *c = a->d->calls; c; c = c->next)
        n++;
    entries = calloc(n + 1, sizeof(*entries));
    n = 0;
    for (const struct vapi_call *c = a->d->calls; entries && c; c = c->next)
        if (!c->deleted)
            entries[n++] = (struct vapi_entry){.id = c->id,
                                               .assistant_id = vapi_text(c->request, "assistantId"),
                                               .number_id = vapi_text(c->request, "phoneNumberId"),
                                               .created_ms = c->created_ms,
                                               .updated_ms = c->updated_ms,
                                               .show = show_call,
                                               .what = c};
    if (entries)
        qsort(entries, n, sizeof(*entries), newest_first);
    vapi_page(a, entries, n);
    free(entries);
}

static void rename_call(struct vapi_ask *a, struct vapi_call *c)
{
    json_t *complaints = json_array();

    vapi_check(complaints, a->body, vapi_call_changes);
    if (vapi_checked(a, complaints))
        return;
    json_object_update(c->request, a->body);
    vapi_answer(a, 200, vapi_picture(c));
}

void vapi_calls(struct vapi_ask *a)
{
    struct vapi_call *c = vapi_is_uuid(a->id) ? vapi_call_find(a->d, a->id) : NULL;

    if (!a->id[0] && strcmp(a->method, "GET") == 0) {
        list(a);
    } else if (!a->id[0] && strcmp(a->method, "POST") == 0) {
        create(a);
    } else if (!c || c->deleted || a->below[0]) {
        vapi_not_found(a, "Couldn't Get Call. It Does Not Exist.");
    } else if (strcmp(a->method, "PATCH") == 0) {
        rename_call(a, c);
    } else {
        c->deleted = strcmp(a->method, "DELETE") == 0;
        vapi_answer(a, 200, vapi_picture(c));
    }
}
