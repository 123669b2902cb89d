/* SPDX-License-Identifier: Apache-2.0 */
/* A document that is run to somebody who was rung: "press 1 to take this call".
 *
 * Happy path: <Say> is told as `leg.hears` and takes as long as the words would; a <Gather> gets the
 * person's keys and asks its action with them; the end of the document means that he takes the call.
 *
 * Failure modes
 *   - <Hangup>, <Reject>: he does not;
 *   - no keys: the verb behind <Gather> comes after its timeout;
 *   - the document cannot be had or is none, <Dial> or <Connect> in it: an `error`, and he is hung up.
 */
#include "sim/carrier/leg.h"

#include "base/err.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHARACTER_MS = 50, DIGIT_MS = 500, KEY_GAP_MS = 240, DOCUMENTS_MAX = 100 };

static void refused(struct carrier_leg *l, int code, const char *why)
{
    log_warn("sim.carrier_error", F_CALL(l->sid), F_INT("code", code), F_STR("why", why));
    carrier_leg_tell(l, "error", json_pack("{s:i, s:s}", "code", code, "why", why));
    carrier_leg_over(l, "completed");
}

static void on_warning(int code, const char *text, void *arg)
{
    carrier_leg_tell(arg, "error", json_pack("{s:i, s:s}", "code", code, "why", text));
}

void carrier_leg_run_stop(struct carrier_leg *l)
{
    if (l->request)
        http_call_cancel(l->request);
    l->request = NULL;
    gather_end(&l->gather);
    loop_timer_stop(l->timer);
    loop_timer_stop(l->key);
}

void carrier_leg_run(struct carrier_leg *l, struct rd_str twiml)
{
    char why[200];
    int rc;

    twiml_free(l->doc);
    l->doc = NULL;
    rc = twiml_read(&l->doc, twiml, on_warning, l, why, sizeof(why));
    if (rc) {
        l->doc = NULL;
        refused(l, TWILIO_NOT_XML, rc == RD_EPROTO ? why : rd_strerror(rc));
    } else if (++l->n_docs > DOCUMENTS_MAX) {
        refused(l, TWILIO_SCHEMA, "more than 100 documents for one call");
    } else {
        carrier_leg_next_verb(l);
    }
}

static void on_document(const struct http_result *r, void *arg)
{
    struct carrier_leg *l = arg;

    l->request = NULL;
    carrier_leg_tell(
        l, "leg.webhook",
        json_pack("{s:s, s:i, s:i}", "url", l->url, "status", r->status, "err", r->err));
    if (r->err)
        refused(l, TWILIO_CONNECTION, r->text ? r->text : rd_strerror(r->err));
    else if (r->status < 200 || r->status > 299)
        refused(l, TWILIO_RETRIEVAL, "the document was not answered with 2xx");
    else if (!carrier_is_xml(r->content_type))
        refused(l, TWILIO_CONTENT_TYPE, "the document is no XML");
    else
        carrier_leg_run(l, r->body);
}

static void fetch_with(struct carrier_leg *l, const char *url, const char *method,
                       const char *digits)
{
    struct carrier_form f = {.n = 0};
    char token[CARRIER_SID_BYTES];
    struct carrier_request q = {l->url, strcmp(method, "GET") == 0 ? "GET" : "POST", token, &f};
    struct carrier_who who = {.sid = l->sid,
                              .parent_sid = l->parent_sid[0] ? l->parent_sid : NULL,
                              .from = l->from,
                              .to = l->to,
                              .status = "in-progress",
                              .direction = l->parent_sid[0] ? "outbound-dial" : "outbound-api"};
    char full[CARRIER_URL_MAX];
    int rc = twiml_resolve(full, sizeof(full), l->url, url);

    memcpy(l->url, full, sizeof(full));
    carrier_add_standard(&f, l->d, &who);
    if (digits)
        carrier_form_add(&f, "Digits", digits);
    rc = rc ? rc : carrier_sid(token, "IT");
    rc = rc ? rc : carrier_send(&l->request, l->d, &q, on_document, l);
    carrier_form_fini(&f);
    if (rc)
        refused(l, TWILIO_RETRIEVAL, rd_strerror(rc));
}

void carrier_leg_fetch(struct carrier_leg *l, const char *url, const char *method)
{
    fetch_with(l, url, method, NULL);
}

static uint64_t spoken_ms(const char *text, unsigned loop)
{
    return (uint64_t)strlen(text) * CHARACTER_MS * (loop ? loop : 1);
}

static void gather_over(struct carrier_leg *l)
{
    char digits[GATHER_DIGITS_MAX], *action = l->gather.action;
    const char *method = l->gather.method;
    bool told = gather_is_told(&l->gather);

    memcpy(digits, l->gather.digits, sizeof(digits));
    l->gather.action = NULL;
    gather_end(&l->gather);
    loop_timer_stop(l->timer);
    loop_timer_stop(l->key);
    if (told)
        fetch_with(l, action, method, digits);
    free(action);
    if (!told)
        carrier_leg_next_verb(l);
}

void carrier_leg_on_key(void *arg)
{
    struct carrier_leg *l = arg;
    char key[2] = {l->person->presses[l->n_pressed++], '\0'};

    carrier_leg_tell(l, "leg.digit", json_pack("{s:s}", "digit", key));
    if (gather_key(&l->gather, key[0])) {
        gather_over(l);
        return;
    }
    loop_timer_in(l->timer, l->gather.timeout_ms);
    if (l->person->presses[l->n_pressed])
        loop_timer_in(l->key, KEY_GAP_MS);
}

static void run_gather(struct carrier_leg *l, const struct twiml_action *a)
{
    uint64_t ms = 0;

    if (gather_begin(&l->gather, a)) {
        refused(l, TWILIO_SCHEMA, "out of memory");
        return;
    }
    for (size_t i = 0; i < a->n_prompts; i++) {
        const struct twiml_prompt *p = &a->prompts[i];
        ms += (uint64_t)p->seconds * 1000;
        if (p->kind == TWIML_SAY) {
            carrier_leg_tell(l, "leg.hears", json_pack("{s:s}", "text", p->text));
            ms += spoken_ms(p->text, p->loop);
        }
    }
    l->n_pressed = 0;
    loop_timer_in(l->timer, ms + l->gather.timeout_ms);
    if (l->person->presses[0])
        loop_timer_in(l->key, l->person->thinks_ms);
}

static void run_say(struct carrier_leg *l, const struct twiml_action *a)
{
    carrier_leg_tell(l, "leg.hears", json_pack("{s:s}", "text", a->text));
    loop_timer_in(l->timer, spoken_ms(a->text, a->loop));
}

/* Nothing more is to be run: put through, or, for a call of REST's, over. */
static void document_ended(struct carrier_leg *l)
{
    if (l->on_accept)
        l->on_accept(l, l->arg);
    else
        carrier_leg_over(l, "completed");
}

void carrier_leg_next_verb(struct carrier_leg *l)
{
    const struct twiml_action *a;

    if (l->gather.active) { /* its time is over */
        gather_over(l);
        return;
    }
    a = twiml_next(l->doc);
    if (a->verb[0])
        carrier_leg_tell(l, "leg.verb", json_pack("{s:s, s:s*}", "verb", a->verb, "text", a->text));
    switch (a->kind) {
    case TWIML_SAY:
        run_say(l, a);
        break;
    case TWIML_DIGITS:
        loop_timer_in(l->timer, (uint64_t)strlen(a->text) * DIGIT_MS * a->loop);
        break;
    case TWIML_PAUSE:
        loop_timer_in(l->timer, (uint64_t)a->seconds * 1000);
        break;
    case TWIML_GATHER:
        run_gather(l, a);
        break;
    case TWIML_REDIRECT:
        fetch_with(l, a->text, a->method, NULL);
        break;
    case TWIML_HANGUP:
    case TWIML_REJECT:
        carrier_leg_over(l, "completed");
        break;
    case TWIML_END:
        document_ended(l);
        break;
    case TWIML_STREAM:
    case TWIML_DIAL:
        refused(l, TWILIO_SCHEMA, "this verb is not offered to who was dialled");
        break;
    case TWIML_BAD:
        refused(l, a->code, a->text);
        break;
    }
}
