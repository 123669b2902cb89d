/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of the simulated REST API: create, fetch, list, delete.
 *
 * Happy path: POST Messages.json with To, From or MessagingServiceSid, and Body answers 201 with the
 * message as it is at once; what becomes of it is texts.c.
 *
 * Failure modes, as over there
 *   - no To 21604, no From 21603, no Body 21619; To 21211, From 21212, the same number 21266;
 *   - more than 1600 characters 21617; StatusCallback that is no URL 21609;
 *   - who has said STOP 21610; what else a scenario says of a telephone (21408, 21608, 21614 …): that;
 *   - one that is still on its way is deleted: 409;
 *   - an unknown field, or one this network does not offer: 20001.
 */
#include "sim/carrier/rest.h"
#include "sim/carrier/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *message_json(const struct carrier_double *d, const struct carrier_text *t)
{
    char uri[160], media[200], segments[16];

    snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/Messages/%s.json", d->account, t->sid);
    snprintf(media, sizeof(media), "/2010-04-01/Accounts/%s/Messages/%s/Media.json", d->account,
             t->sid);
    snprintf(segments, sizeof(segments), "%u", t->segments);
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:o, s:n, s:n, s:s, s:s, s:s, s:s, s:o, s:s, s:o,"
        " s:o, s:o, s:s, s:s, s:{s:s}}",
        "body", t->body, "num_segments", segments, "direction", t->direction, "from", t->from, "to",
        t->to, "date_updated", rest_date(t->updated_unix), "price", "error_message", "uri", uri,
        "account_sid", d->account, "num_media", "0", "status", t->status, "messaging_service_sid",
        rest_text(t->service), "sid", t->sid, "date_sent", rest_date(t->sent_unix), "date_created",
        rest_date(t->created_unix), "error_code", t->error ? json_integer(t->error) : json_null(),
        "price_unit", "USD", "api_version", "2010-04-01", "subresource_uris", "media", media);
}

/* How Twilio words what a scenario says of a telephone. */
static const char *refusal(int code)
{
    static const struct {
        int code;
        const char *why;
    } words[] = {
        {21211, "The 'To' number is not a valid phone number"},
        {21408, "Permission to send an SMS has not been enabled for the region of the 'To' number"},
        {21608, "The number is unverified. Trial accounts cannot send messages to it"},
        {21610, "Attempt to send to unsubscribed recipient"},
        {21614, "'To' number is not a valid mobile number"}};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (words[i].code == code)
            return words[i].why;
    }
    return "The message cannot be sent to this number";
}

/* Where the account's numbers come from, when a messaging service chooses one. */
static const char *service_number(const struct carrier_double *d)
{
    for (const struct carrier_call *c = d->calls; c; c = c->next)
        return c->to;
    return d->n_scenarios > 0 ? d->scenarios[0]->to : "+15005550006";
}

static struct rest_mistake check_addresses(struct carrier_double *d, const struct text_opts *o)
{
    const char *scenario;
    const struct scenario_person *p;

    if (!o->to)
        return (struct rest_mistake){21604, "A 'To' phone number is required"};
    if (!o->from)
        return (struct rest_mistake){21603, "A 'From' phone number is required"};
    if (!rest_is_number(o->to))
        return (struct rest_mistake){21211, refusal(21211)};
    if (!rest_is_number(o->from))
        return (struct rest_mistake){21212, "The 'From' number is not a valid phone number"};
    if (strcmp(o->from, o->to) == 0)
        return (struct rest_mistake){21266, "'To' and 'From' number cannot be the same"};
    if (carrier_text_opted_out(d, o->to, o->from))
        return (struct rest_mistake){21610, refusal(21610)};
    p = carrier_person(d, o->to, &scenario);
    if (p && p->text && p->text < 30000)
        return (struct rest_mistake){p->text, refusal(p->text)};
    return (struct rest_mistake){0, NULL};
}

static struct rest_mistake check(struct carrier_double *d, const struct carrier_form *f,
                                 const struct text_opts *o)
{
    static const char *const known[] = {
        "To",           "From", "MessagingServiceSid", "Body", "StatusCallback", "ValidityPeriod",
        "SmartEncoded", NULL};
    const char *validity = carrier_form_get(f, "ValidityPeriod");
    struct rest_mistake m = rest_unknown(f, known);

    if (m.code)
        return m;
    if (validity && (atoi(validity) < 1 || atoi(validity) > 36000))
        return (struct rest_mistake){20001, "ValidityPeriod is 1 to 36000 seconds"};
    if (!rest_is_url(o->callback))
        return (struct rest_mistake){21609, "The 'StatusCallback' URL is not a valid URL"};
    if (!o->body || o->body[0] == '\0')
        return (struct rest_mistake){21619, "A text message body or media urls must be specified"};
    if (text_characters(o->body) > TEXT_BODY_MAX)
        return (struct rest_mistake){
            21617, "The concatenated message body exceeds the 1600 character limit"};
    if (o->service && strncmp(o->service, "MG", 2) != 0)
        return (struct rest_mistake){21701, "The messaging service does not exist"};
    return check_addresses(d, o);
}

static void create(struct rest_ask *a)
{
    const struct carrier_form *f = &a->form;
    const char *service = carrier_form_get(f, "MessagingServiceSid");
    const char *from = carrier_form_get(f, "From");
    struct text_opts o = {.to = carrier_form_get(f, "To"),
                          .from = from || !service ? from : service_number(a->d),
                          .service = service,
                          .body = carrier_form_get(f, "Body"),
                          .callback = carrier_form_get(f, "StatusCallback"),
                          .direction = "outbound-api"};
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = a->d->began_ms};
    struct rest_mistake m;
    struct carrier_text *t;

    if (rest_fails(a, REST_TEXT, &who))
        return;
    m = check(a->d, f, &o);
    if (m.code) {
        carrier_event(a->d, &who, "text.refused",
                      json_pack("{s:i, s:s, s:s*}", "code", m.code, "why", m.why, "to", o.to));
        rest_refuse(a, 400, m.code, m.why);
    } else if (carrier_text_send(&t, a->d, &o)) {
        rest_refuse(a, 500, 20500, "An internal server error has occurred");
    } else {
        rest_answer(a, 201, message_json(a->d, t));
    }
}

/* Nothing more comes of it. */
static bool is_complete(const struct carrier_text *t)
{
    static const char *const ends[] = {"delivered", "undelivered", "failed", "received"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(t->status, ends[i]) == 0)
            return true;
    return false;
}

static void one(struct rest_ask *a)
{
    for (struct carrier_text *t = a->d->texts; t; t = t->next) {
        struct carrier_who who = {.sid = t->sid, .scenario = t->scenario};
        if (t->deleted || strcmp(t->sid, a->sid) != 0)
            continue;
        who.since_ms = a->d->began_ms;
        if (rest_fails(a, REST_READ, &who))
            return;
        if (a->remove)
            rest_remove(a, is_complete(t), &t->deleted);
        else
            rest_answer(a, 200, message_json(a->d, t));
        return;
    }
    rest_not_found(a);
}

static void list(struct rest_ask *a)
{
    static const char *const known[] = {"To",       "From", "DateSent",  "DateSent<", "DateSent>",
                                        "PageSize", "Page", "PageToken", NULL};
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = a->d->began_ms};
    struct rest_mistake m = rest_unknown(&a->form, known);
    json_t *all;

    if (rest_fails(a, REST_READ, &who))
        return;
    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    all = json_array();
    for (const struct carrier_text *t = a->d->texts; t; t = t->next) {
        if (!t->deleted && rest_matches(&a->form, "To", t->to) &&
            rest_matches(&a->form, "From", t->from) &&
            rest_in_time(&a->form, "DateSent", t->sent_unix))
            json_array_append_new(all, message_json(a->d, t));
    }
    rest_page(a, "Messages", "messages", all);
}

void rest_messages(struct rest_ask *a)
{
    if (a->post && a->sid[0])
        rest_refuse(a, 405, 20004, "Method not allowed");
    else if (a->post)
        create(a);
    else if (a->sid[0])
        one(a);
    else
        list(a);
}
