/* SPDX-License-Identifier: Apache-2.0 */
/* A call that REST creates.
 *
 * Happy path: POST Calls.json with To, From, and Url or Twiml answers 201 at once; the telephone that `To`
 * names rings, and the document is run to who answers. Who that is, the scenario says.
 *
 * One of the account's own numbers rings as it would for anybody: its VoiceUrl is asked about a call of its
 * own.
 *
 * Failure modes
 *   - no To 21201, no From 21213; To 21211, From 21212; neither Url nor Twiml 21205;
 *   - an unknown field, or one of Twilio's that this network does not offer: 400, 20001, and says so.
 */
#include "sim/carrier/leg.h"
#include "sim/carrier/rest.h"
#include "sim/carrier/texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TIMEOUT_S = 60, TIMEOUT_MAX_S = 600, LISTENS_MS = 1500 };

/* Fields that Twilio knows and this network does nothing about: better refused than ignored. */
static bool is_not_offered(const char *name)
{
    static const char *const fields[] = {
        "ApplicationSid", "FallbackUrl", "FallbackMethod",  "SendDigits",
        "Record",         "Trim",        "SipAuthUsername", "SipAuthPassword",
        "AsyncAmd",       "Byoc",        "CallToken",       "ClientNotificationUrl"};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (strcmp(fields[i], name) == 0)
            return true;
    }
    return strncmp(name, "MachineDetection", 16) == 0 || strncmp(name, "Recording", 9) == 0 ||
           strncmp(name, "AsyncAmdStatus", 14) == 0;
}

static struct rest_mistake check_create(const struct carrier_form *f)
{
    static const char *const known[] = {"To",
                                        "From",
                                        "Url",
                                        "Method",
                                        "Twiml",
                                        "StatusCallback",
                                        "StatusCallbackEvent",
                                        "StatusCallbackMethod",
                                        "Timeout",
                                        "TimeLimit",
                                        "CallerId",
                                        "CallReason",
                                        NULL};
    const char *timeout = carrier_form_get(f, "Timeout"), *to = carrier_form_get(f, "To");
    const char *from = carrier_form_get(f, "From");
    struct rest_mistake m;

    for (size_t i = 0; i < f->n; i++) {
        if (is_not_offered(f->fields[i].name))
            return (struct rest_mistake){20001, "This network does not offer one of the fields"};
    }
    m = rest_unknown(f, known);
    if (m.code)
        return m;
    if (!to || !rest_is_number(to))
        return to ? (struct rest_mistake){21211, "The 'To' number is not a valid phone number"}
                  : (struct rest_mistake){21201, "No 'To' number is specified"};
    if (!from || !rest_is_number(from))
        return from ? (struct rest_mistake){21212, "The 'From' number is not a valid phone number"}
                    : (struct rest_mistake){21213, "No 'From' number is specified"};
    if (!carrier_form_get(f, "Url") && !carrier_form_get(f, "Twiml"))
        return (struct rest_mistake){21205, "Url parameter is required."};
    if (timeout && (atoi(timeout) < 1 || atoi(timeout) > TIMEOUT_MAX_S))
        return (struct rest_mistake){20001, "Timeout is 1 to 600 seconds"};
    return rest_check_document(f);
}

/* All StatusCallbackEvent fields, which are repeated, as words. False: one is none. */
static bool events_of(const struct carrier_form *f, char *out, size_t cap)
{
    static const char *const known[] = {"initiated", "ringing", "answered", "completed"};
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < f->n; i++) {
        bool found = false;
        if (strcmp(f->fields[i].name, "StatusCallbackEvent") != 0)
            continue;
        for (size_t k = 0; k < 4; k++)
            found = found || strcmp(known[k], f->fields[i].value) == 0;
        if (!found || n >= cap)
            return false;
        n += (size_t)snprintf(out + n, cap - n, "%s%s", n ? " " : "", f->fields[i].value);
    }
    return n < cap;
}

static void on_report(const struct call_report *r, void *arg)
{
    (void)r;
    (void)arg;
}

/* A call to one of the account's own numbers comes in there: somebody listens for a moment. */
static void ring_our_number(struct rest_ask *a, const char *from, const char *to)
{
    static struct scenario_step steps[] = {{.wait_ms = LISTENS_MS}, {.hangup = true}};
    static char name[] = "a created call", number[64];
    static struct scenario listens = {.name = name,
                                      .from = number, /* copied at once */
                                      .to = number,
                                      .steps = steps,
                                      .n_steps = sizeof(steps) / sizeof(steps[0]),
                                      .max_ms = 4 * LISTENS_MS,
                                      .expect = {.barge_ins = -1}};

    snprintf(number, sizeof(number), "%s", from);
    if (carrier_number_of(&a->d->numbers, to))
        (void)carrier_double_call(a->d, &listens, to, NULL, on_report, NULL);
}

void rest_create_call(struct rest_ask *a)
{
    static char one[] = "1";
    static const struct scenario_person anybody = {.answers = SCENARIO_HUMAN,
                                                   .after_ms = 500,
                                                   .thinks_ms = 1000,
                                                   .talks_ms = 1000,
                                                   .presses = one};
    const struct carrier_form *f = &a->form;
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = a->d->began_ms};
    const char *timeout = carrier_form_get(f, "Timeout"), *to = carrier_form_get(f, "To");
    const struct scenario_person *p = NULL;
    struct carrier_leg_opts o = {.from = carrier_form_get(f, "From"),
                                 .to = to,
                                 .since_ms = a->d->began_ms,
                                 .scenario = "",
                                 .timeout_ms =
                                     (unsigned)(timeout ? atoi(timeout) : TIMEOUT_S) * 1000,
                                 .url = carrier_form_get(f, "Url"),
                                 .method = carrier_form_get(f, "Method"),
                                 .twiml = carrier_form_get(f, "Twiml"),
                                 .status_url = carrier_form_get(f, "StatusCallback")};
    struct rest_mistake m = check_create(f);
    char events[80];
    struct carrier_leg *l;

    if (rest_fails(a, REST_DIAL, &who))
        return;
    if (m.code == 0 && !events_of(f, events, sizeof(events)))
        m = (struct rest_mistake){20001, "StatusCallbackEvent can only be initiated, ringing, "
                                         "answered or completed"};
    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    p = carrier_person(a->d, to, &o.scenario);
    o.person = p ? p : &anybody;
    o.events = events;
    if (carrier_leg_dial(&l, a->d, &o)) {
        rest_refuse(a, 500, 20500, "An internal server error has occurred");
        return;
    }
    carrier_leg_tell(l, "call.created", json_pack("{s:s}", "from", l->from));
    ring_our_number(a, l->from, l->to);
    rest_answer_leg(a, 201, l);
}
