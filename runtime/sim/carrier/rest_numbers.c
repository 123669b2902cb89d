/* SPDX-License-Identifier: Apache-2.0 */
/* IncomingPhoneNumbers of the simulated REST API: list, fetch, update.
 *
 * Happy path: an update changes the fields it names, and only these; an empty value clears one.
 *
 * Failure modes
 *   - a URL that is none 21402, a method but GET and POST 21403, a fallback without what it falls back from
 *     21405 and 21406, a sid that is none 20001: nothing is changed;
 *   - an unknown field, or one of Twilio's that this network does not offer: 400, 20001;
 *   - misbehaving on purpose: by the list of faults ("number-"), or this one number each time; "ignored" is
 *     answered as if it was done, and was not.
 */
#include "sim/carrier/rest.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static json_t *number_json(const struct carrier_double *d, const struct carrier_number *n)
{
    char uri[160];
    json_t *out;

    snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/IncomingPhoneNumbers/%s.json", d->account,
             n->sid);
    out = json_pack(
        "{s:s, s:s, s:s, s:n, s:s, s:s, s:b, s:{s:b, s:b, s:b, s:b}, s:o, s:o, s:s, s:n, s:s, s:n,"
        " s:s, s:s, s:s, s:b, s:s, s:s, s:n}",
        "sid", n->sid, "account_sid", d->account, "phone_number", n->number, "address_sid",
        "address_requirements", "none", "api_version", "2010-04-01", "beta", 0, "capabilities",
        "voice", 1, "sms", 1, "mms", 1, "fax", 0, "date_created", rest_date(d->since_unix),
        "date_updated", rest_date(n->updated_unix ? n->updated_unix : d->since_unix),
        "emergency_status", "Inactive", "emergency_address_sid", "emergency_address_status",
        "unregistered", "identity_sid", "origin", "twilio", "uri", uri, "voice_receive_mode",
        "voice", "voice_caller_id_lookup", 0, "status", "in-use", "type", "local", "bundle_sid");
    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS; i++) {
        const struct carrier_number_field *f = &carrier_number_fields[i];
        json_object_set_new(out, f->member,
                            f->kind == NUMBER_TRUNK ? rest_text(n->fields[i])
                                                    : json_string(n->fields[i]));
    }
    return out;
}

/* ---- update ---- */

static bool is_sid(const char *z, const char *prefix)
{
    return strncmp(z, prefix, 2) == 0 && strlen(z) == 34 &&
           strspn(z + 2, "0123456789abcdefABCDEF") == 32;
}

static struct rest_mistake check_value(const struct carrier_number_field *f, const char *value)
{
    struct rest_mistake m = {0, NULL};

    if (f->kind == NUMBER_METHOD && strcmp(value, "GET") != 0 && strcmp(value, "POST") != 0)
        m = (struct rest_mistake){21403, "Method can only be GET or POST"};
    else if (value[0] == '\0')
        return m;
    else if (f->kind == NUMBER_URL && !rest_is_url(value))
        m = (struct rest_mistake){21402, "Url is not a valid URL"};
    else if ((f->kind == NUMBER_APPLICATION && !is_sid(value, "AP")) ||
             (f->kind == NUMBER_TRUNK && !is_sid(value, "TK")))
        m = (struct rest_mistake){20001, "That is no sid"};
    else if (f->kind == NUMBER_TEXT && strlen(value) > 64)
        m = (struct rest_mistake){20001, "FriendlyName is longer than 64 characters"};
    return m;
}

/* What a field will be after the update. */
static const char *wished(const struct rest_ask *a, const struct carrier_number *n,
                          const char *member)
{
    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS; i++) {
        const char *value = carrier_form_get(&a->form, carrier_number_fields[i].form);
        if (strcmp(carrier_number_fields[i].member, member) == 0)
            return value ? value : n->fields[i];
    }
    return "";
}

static struct rest_mistake check_update(const struct rest_ask *a, const struct carrier_number *n)
{
    const char *known[CARRIER_NUMBER_FIELDS + 1] = {NULL};
    struct rest_mistake m;

    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS; i++)
        known[i] = carrier_number_fields[i].form;
    m = rest_unknown(&a->form, known);
    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS && !m.code; i++) {
        const char *value = carrier_form_get(&a->form, known[i]);
        if (value)
            m = check_value(&carrier_number_fields[i], value);
    }
    if (m.code)
        return m;
    if (*wished(a, n, "voice_fallback_url") && !*wished(a, n, "voice_url"))
        return (struct rest_mistake){21405, "Cannot set VoiceFallbackUrl without setting VoiceUrl"};
    if (*wished(a, n, "sms_fallback_url") && !*wished(a, n, "sms_url"))
        return (struct rest_mistake){21406, "Cannot set SmsFallbackUrl without setting SmsUrl"};
    return m;
}

static void change(const struct rest_ask *a, struct carrier_number *n)
{
    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS; i++) {
        const char *value = carrier_form_get(&a->form, carrier_number_fields[i].form);
        if (value)
            (void)carrier_number_set(n, i, value);
    }
    n->updated_unix = (int64_t)time(NULL);
}

static void tell_update(struct rest_ask *a, const struct carrier_number *n, bool done)
{
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = a->d->began_ms};
    json_t *fields = json_object();

    for (size_t i = 0; i < a->form.n; i++)
        json_object_set_new(fields, a->form.fields[i].name, json_string(a->form.fields[i].value));
    carrier_event(
        a->d, &who, "number.updated",
        json_pack("{s:s, s:b, s:o}", "number", n->number, "done", done, "fields", fields));
}

/* A copy with the update's fields, for who is told a lie. */
static json_t *as_if_done(const struct rest_ask *a, const struct carrier_number *n)
{
    json_t *out = number_json(a->d, n);

    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS; i++) {
        const char *value = carrier_form_get(&a->form, carrier_number_fields[i].form);
        if (value)
            json_object_set_new(out, carrier_number_fields[i].member, json_string(value));
    }
    return out;
}

static void update(struct rest_ask *a, struct carrier_number *n)
{
    struct rest_mistake m = check_update(a, n);

    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    tell_update(a, n, a->fault != REST_IGNORED);
    if (a->fault == REST_IGNORED) {
        rest_answer(a, 200, as_if_done(a, n));
        return;
    }
    change(a, n);
    rest_answer(a, 200, number_json(a->d, n));
}

static void one(struct rest_ask *a)
{
    struct carrier_number *n = carrier_number_by_sid(&a->d->numbers, a->sid);
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = a->d->began_ms};

    if (!n)
        rest_not_found(a);
    else if (a->post && n->always != REST_WELL) {
        if (!rest_fails_with(a, n->always, &who))
            update(a, n);
    } else if (rest_fails(a, a->post ? REST_NUMBER : REST_READ, &who))
        return;
    else if (a->remove)
        rest_refuse(a, 405, 20004, "This network gives no number back");
    else if (a->post)
        update(a, n);
    else
        rest_answer(a, 200, number_json(a->d, n));
}

/* ---- list ---- */

static bool is_wanted(const struct rest_ask *a, const struct carrier_number *n)
{
    const char *pattern = carrier_form_get(&a->form, "PhoneNumber");

    return (!pattern || fnmatch(pattern, n->number, FNM_NOESCAPE) == 0) &&
           rest_matches(&a->form, "FriendlyName", carrier_number_get(n, "friendly_name")) &&
           rest_matches(&a->form, "Beta", "false") && rest_matches(&a->form, "Origin", "twilio");
}

static void list(struct rest_ask *a)
{
    static const char *const known[] = {"PhoneNumber", "FriendlyName", "Beta",      "Origin",
                                        "PageSize",    "Page",         "PageToken", NULL};
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
    for (size_t i = 0; i < a->d->numbers.n; i++)
        if (is_wanted(a, &a->d->numbers.all[i]))
            json_array_append_new(all, number_json(a->d, &a->d->numbers.all[i]));
    rest_page(a, "IncomingPhoneNumbers", "incoming_phone_numbers", all);
}

void rest_numbers(struct rest_ask *a)
{
    if (a->sid[0])
        one(a);
    else if (a->post)
        rest_refuse(a, 405, 20004, "This network sells no numbers");
    else
        list(a);
}
