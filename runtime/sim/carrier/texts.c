/* SPDX-License-Identifier: Apache-2.0 */
/* Text messages and what becomes of them.
 *
 * Happy path
 *   - out: queued, sent, delivered, each told to the status callback; whoever got it may answer;
 *   - in: the node's /twilio/sms is posted, and each <Message> of its TwiML goes out as a reply.
 *
 * Failure modes
 *   - a telephone that cannot be reached: undelivered, with the error code the scenario names;
 *   - callbacks twice, in the wrong order or not at all, when the scenario says so;
 *   - STOP, and words like it: nothing goes from that number to that telephone until START;
 *   - the node does not answer with TwiML: 11200 or 12300, and nothing is repeated.
 */
#include "sim/carrier/texts.h"

#include "base/err.h"
#include "sim/carrier/twiml_xml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { STEP_MS = 150 };

static struct carrier_who who_of(const struct carrier_text *t)
{
    return (struct carrier_who){.sid = t->sid,
                                .from = t->from,
                                .to = t->to,
                                .status = t->status,
                                .direction = t->direction,
                                .scenario = t->scenario,
                                .since_ms = t->d->began_ms};
}

static void tell(const struct carrier_text *t, const char *event, json_t *fields)
{
    struct carrier_who who = who_of(t);
    json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:s}", "text", t->sid, "from", t->from, "to",
                            t->to, "body", t->body, "status", t->status);

    if (all && fields)
        json_object_update(all, fields);
    json_decref(fields);
    carrier_event(t->d, &who, event, all);
}

const struct scenario_person *carrier_person(const struct carrier_double *d, const char *number,
                                             const char **scenario)
{
    const struct scenario_person *p;

    for (const struct carrier_call *c = d->calls; c; c = c->next) {
        p = scenario_person(c->scenario, number);
        if (p) {
            *scenario = c->scenario->name;
            return p;
        }
    }
    for (size_t i = 0; i < d->n_scenarios; i++) {
        p = scenario_person(d->scenarios[i], number);
        if (p) {
            *scenario = d->scenarios[i]->name;
            return p;
        }
    }
    *scenario = "";
    return NULL;
}

/* ---- STOP and START ---- */

static struct carrier_opt_out *opt_out_of(struct carrier_double *d, const char *who,
                                          const char *from)
{
    for (size_t i = 0; i < d->n_opt_outs; i++) {
        if (strcmp(d->opt_outs[i].who, who) == 0 && strcmp(d->opt_outs[i].from, from) == 0)
            return &d->opt_outs[i];
    }
    return NULL;
}

bool carrier_text_opted_out(struct carrier_double *d, const char *who, const char *from)
{
    return opt_out_of(d, who, from) != NULL;
}

/* "STOP", "START", "HELP": what the network itself makes of a text; NULL: nothing. */
static const char *keyword(const char *body)
{
    static const struct {
        const char *word, *type;
    } words[] = {{"STOP", "STOP"},   {"STOPALL", "STOP"}, {"UNSUBSCRIBE", "STOP"},
                 {"CANCEL", "STOP"}, {"END", "STOP"},     {"QUIT", "STOP"},
                 {"START", "START"}, {"YES", "START"},    {"UNSTOP", "START"},
                 {"HELP", "HELP"},   {"INFO", "HELP"}};
    size_t from = strspn(body, " \t\r\n"), n = strcspn(body + from, " \t\r\n");

    if (body[from + n + strspn(body + from + n, " \t\r\n")] != '\0')
        return NULL;
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strlen(words[i].word) == n && strncasecmp(body + from, words[i].word, n) == 0)
            return words[i].type;
    }
    return NULL;
}

static void note_keyword(struct carrier_text *t, const char *type)
{
    struct carrier_double *d = t->d;
    struct carrier_opt_out *have = opt_out_of(d, t->from, t->to);

    if (type && strcmp(type, "START") == 0 && have) {
        *have = d->opt_outs[--d->n_opt_outs];
    } else if (type && strcmp(type, "STOP") == 0 && !have && d->n_opt_outs < CARRIER_OPT_OUTS_MAX) {
        have = &d->opt_outs[d->n_opt_outs++];
        memcpy(have->who, t->from, sizeof(have->who));
        memcpy(have->from, t->to, sizeof(have->from));
    }
}

/* ---- the list ---- */

static void text_free(struct carrier_text *t)
{
    if (!t)
        return;
    if (t->request)
        http_call_cancel(t->request);
    loop_timer_free(t->timer);
    free(t->body);
    free(t->callback);
    free(t);
}

static bool is_over(const struct carrier_text *t)
{
    static const char *const ends[] = {"delivered", "undelivered", "received"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcmp(t->status, ends[i]) == 0)
            return t->request == NULL;
    }
    return false;
}

bool carrier_texts_busy(const struct carrier_double *d)
{
    for (const struct carrier_text *t = d->texts; t; t = t->next) {
        if (!is_over(t))
            return true;
    }
    return d->posts != NULL;
}

/* Newest first; what is over and behind the newest TEXTS_MAX goes. */
static void remember(struct carrier_double *d, struct carrier_text *t)
{
    struct carrier_text **at = &d->texts;

    t->next = d->texts;
    d->texts = t;
    for (size_t n = 0; *at; n++) {
        struct carrier_text *old = *at;
        if (n < TEXTS_MAX || !is_over(old)) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        text_free(old);
    }
}

void carrier_texts_free(struct carrier_double *d)
{
    while (d->texts) {
        struct carrier_text *t = d->texts;
        d->texts = t->next;
        text_free(t);
    }
}

static int text_new(struct carrier_text **out, struct carrier_double *d, const struct text_opts *o,
                    loop_timer_cb *on_timer)
{
    struct carrier_text *t = calloc(1, sizeof(*t));
    int rc = -ENOMEM;

    if (!t)
        return rc;
    t->d = d;
    t->direction = o->direction;
    t->body = strdup(o->body);
    t->callback = o->callback ? strdup(o->callback) : NULL;
    t->segments = text_segments(o->body);
    t->created_unix = t->updated_unix = (int64_t)time(NULL);
    snprintf(t->from, sizeof(t->from), "%s", o->from);
    snprintf(t->to, sizeof(t->to), "%s", o->to);
    snprintf(t->service, sizeof(t->service), "%s", o->service ? o->service : "");
    if (t->body && (!o->callback || t->callback))
        rc = carrier_sid(t->sid, "SM");
    rc = rc ? rc : loop_timer_new(&t->timer, d->loop, on_timer, t);
    if (rc) {
        text_free(t);
        return rc;
    }
    remember(d, t);
    *out = t;
    return 0;
}

/* ---- out ---- */

static void tell_callback(struct carrier_text *t, const char *status)
{
    struct carrier_form f = {.n = 0};
    struct carrier_who who = who_of(t);
    time_t now = time(NULL);
    char code[16], done[16];
    struct tm tm;

    if (!t->callback)
        return;
    strftime(done, sizeof(done), "%Y%m%d%H%M", gmtime_r(&now, &tm)); /* the century goes */
    who.status = status;
    carrier_form_add(&f, "MessageSid", t->sid);
    carrier_form_add(&f, "SmsSid", t->sid);
    carrier_form_add(&f, "MessageStatus", status);
    carrier_form_add(&f, "SmsStatus", status);
    carrier_form_add(&f, "AccountSid", t->d->account);
    carrier_form_add(&f, "From", t->from);
    carrier_form_add(&f, "To", t->to);
    carrier_form_add(&f, "ApiVersion", "2010-04-01");
    if (t->service[0])
        carrier_form_add(&f, "MessagingServiceSid", t->service);
    if (t->error && strcmp(status, "undelivered") == 0) {
        snprintf(code, sizeof(code), "%d", t->error);
        carrier_form_add(&f, "ErrorCode", code);
    }
    if (strcmp(status, "delivered") == 0 || strcmp(status, "undelivered") == 0)
        carrier_form_add(&f, "RawDlrDoneDate", done + 2);
    carrier_post(t->d, t->callback, &f, &who);
}

/* As the scenario wants it: each, each twice, or all of them backwards at the end. */
static void tell_status(struct carrier_text *t)
{
    switch (t->callbacks) {
    case SCENARIO_NONE:
        break;
    case SCENARIO_BACKWARDS:
        if (t->step == 2) {
            tell_callback(t, t->status);
            tell_callback(t, "sent");
            tell_callback(t, "queued");
        }
        break;
    case SCENARIO_TWICE:
        tell_callback(t, t->status);
        tell_callback(t, t->status);
        break;
    case SCENARIO_IN_ORDER:
        tell_callback(t, t->status);
        break;
    }
}

/* Whoever got it answers with the next of their replies. */
static void answer(struct carrier_text *t)
{
    const char *scenario;
    const struct scenario_person *p = carrier_person(t->d, t->to, &scenario);
    size_t n = 0;

    for (const struct carrier_text *x = t->d->texts; x; x = x->next)
        n += strcmp(x->to, t->to) == 0 && strcmp(x->status, "delivered") == 0;
    if (p && n > 0 && n <= p->n_replies)
        (void)carrier_text_receive(t->d, t->scenario, t->to, t->from, p->replies[n - 1].body,
                                   p->replies[n - 1].at_ms);
}

static void on_step(void *arg)
{
    struct carrier_text *t = arg;

    t->step++;
    t->updated_unix = (int64_t)time(NULL);
    if (t->step == 1) {
        t->status = "sent";
        t->sent_unix = t->updated_unix;
        loop_timer_in(t->timer, STEP_MS);
    } else {
        t->status = t->fate ? "undelivered" : "delivered";
        t->error = t->fate;
        tell(t, t->fate ? "text.undelivered" : "text.delivered",
             json_pack("{s:i}", "error_code", t->error));
    }
    tell_status(t);
    if (t->step == 2 && !t->fate)
        answer(t);
}

int carrier_text_send(struct carrier_text **out, struct carrier_double *d,
                      const struct text_opts *o)
{
    const char *scenario;
    const struct scenario_person *p = carrier_person(d, o->to, &scenario);
    struct carrier_text *t;
    int rc = text_new(&t, d, o, on_step);

    if (rc)
        return rc;
    t->status = o->service ? "accepted" : "queued";
    t->fate = p && p->text >= 30000 ? p->text : 0;
    t->callbacks = p ? p->callbacks : SCENARIO_IN_ORDER;
    snprintf(t->scenario, sizeof(t->scenario), "%s", scenario);
    tell(t, "text.created",
         json_pack("{s:s, s:i}", "direction", t->direction, "segments", (int)t->segments));
    tell_status(t);
    loop_timer_in(t->timer, STEP_MS);
    *out = t;
    return 0;
}

/* ---- in ---- */

static void complain(struct carrier_text *t, int code, const char *why)
{
    tell(t, "error", json_pack("{s:i, s:s}", "code", code, "why", why));
}

/* One <Message>: its text, or that of its <Body>. */
static void run_message(struct carrier_text *t, const struct xml_doc *doc,
                        const struct xml_element *e)
{
    const char *to = xml_attr(e, "to"), *from = xml_attr(e, "from");
    struct text_opts o = {.from = from ? from : t->to,
                          .to = to ? to : t->from,
                          .body = e->text,
                          .callback = xml_attr(e, "statusCallback"),
                          .direction = "outbound-reply"};
    struct carrier_text *reply;

    for (int c = e->first; c >= 0; c = doc->elements[c].next) {
        if (strcmp(doc->elements[c].name, "Body") == 0)
            o.body = doc->elements[c].text;
        else
            complain(t, TWILIO_SCHEMA, "<Message> holds what is no <Body>");
    }
    if (text_characters(o.body) > TEXT_BODY_MAX)
        complain(t, 21617, "a <Message> of more than 1600 characters");
    else if (carrier_text_opted_out(t->d, o.to, o.from))
        complain(t, 21610, "a <Message> to somebody who has said STOP");
    else if (o.body[0] != '\0')
        (void)carrier_text_send(&reply, t->d, &o);
}

static void run_answer(struct carrier_text *t, struct rd_str twiml)
{
    struct xml_doc *doc;
    char why[160];

    if (xml_parse(&doc, twiml, why, sizeof(why))) {
        complain(t, TWILIO_NOT_XML, why);
        return;
    }
    if (strcmp(doc->elements[0].name, "Response") != 0)
        complain(t, TWILIO_NOT_XML, "the root is no <Response>");
    for (int c = doc->elements[0].first; c >= 0; c = doc->elements[c].next) {
        if (strcmp(doc->elements[c].name, "Message") == 0)
            run_message(t, doc, &doc->elements[c]);
        else
            complain(t, TWILIO_SCHEMA, "a verb that this network does not run for texts");
    }
    xml_free(doc);
}

static void on_answer(const struct http_result *r, void *arg)
{
    struct carrier_text *t = arg;

    t->request = NULL;
    tell(t, "text.answered", json_pack("{s:i, s:i}", "http", r->status, "err", r->err));
    if (r->err || r->status < 200 || r->status > 299)
        complain(t, TWILIO_RETRIEVAL, "the webhook was not answered with 2xx");
    else if (r->status != 204 && !carrier_is_xml(r->content_type))
        complain(t, TWILIO_CONTENT_TYPE, "the webhook was not answered with XML");
    else if (r->status != 204)
        run_answer(t, r->body);
}

static void on_due(void *arg)
{
    struct carrier_text *t = arg;
    const char *type = keyword(t->body);
    char url[CARRIER_URL_MAX], token[CARRIER_SID_BYTES], segments[16];
    struct carrier_form f = {.n = 0};
    struct carrier_request q = {url, "POST", token, &f};
    const struct {
        const char *name, *value;
    } fields[] = {{"MessageSid", t->sid},
                  {"SmsSid", t->sid},
                  {"SmsMessageSid", t->sid},
                  {"AccountSid", t->d->account},
                  {"From", t->from},
                  {"To", t->to},
                  {"Body", t->body},
                  {"NumMedia", "0"},
                  {"NumSegments", segments},
                  {"SmsStatus", "received"},
                  {"ApiVersion", "2010-04-01"},
                  {"FromCity", "CHICAGO"},
                  {"FromState", "IL"},
                  {"FromZip", "60601"},
                  {"FromCountry", "US"},
                  {"ToCity", "CHICAGO"},
                  {"ToState", "IL"},
                  {"ToZip", "60601"},
                  {"ToCountry", "US"}};

    t->status = "received";
    note_keyword(t, type);
    tell(t, "text.received", NULL);
    snprintf(url, sizeof(url), "%s/twilio/sms", t->d->node_url);
    snprintf(segments, sizeof(segments), "%u", t->segments);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        carrier_form_add(&f, fields[i].name, fields[i].value);
    if (type)
        carrier_form_add(&f, "OptOutType", type);
    if (carrier_sid(token, "IT") || carrier_send(&t->request, t->d, &q, on_answer, t))
        complain(t, TWILIO_RETRIEVAL, "the webhook could not be asked");
    carrier_form_fini(&f);
}

int carrier_text_receive(struct carrier_double *d, const char *scenario, const char *from,
                         const char *to, const char *body, unsigned after_ms)
{
    struct text_opts o = {.from = from, .to = to, .body = body, .direction = "inbound"};
    const char *persons;
    struct carrier_text *t;
    int rc = text_new(&t, d, &o, on_due);

    if (rc)
        return rc;
    if (carrier_person(d, from, &persons))
        scenario = persons;
    snprintf(t->scenario, sizeof(t->scenario), "%s", scenario);
    t->status = "receiving";
    loop_timer_in(t->timer, after_ms);
    return 0;
}
