/* SPDX-License-Identifier: Apache-2.0 */
/* Text messages from a telephone to the node.
 *
 * Happy path: the node's /twilio/sms is posted, and each <Message> of its TwiML goes out as a reply.
 *
 * Failure modes
 *   - STOP, and words like it: nothing goes from that number to that telephone until START;
 *   - the node does not answer with TwiML: 11200, 12100 or 12300, and nothing is repeated;
 *   - a <Message> that could not be sent by REST either: told, and not sent.
 */
#include "sim/carrier/texts.h"

#include "sim/carrier/twiml_xml.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

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
    struct carrier_opt_out *have = carrier_opt_out(d, t->from, t->to);

    if (type && strcmp(type, "START") == 0 && have) {
        *have = d->opt_outs[--d->n_opt_outs];
    } else if (type && strcmp(type, "STOP") == 0 && !have && d->n_opt_outs < CARRIER_OPT_OUTS_MAX) {
        have = &d->opt_outs[d->n_opt_outs++];
        memcpy(have->who, t->from, sizeof(have->who));
        memcpy(have->from, t->to, sizeof(have->from));
    }
}

static void complain(struct carrier_text *t, int code, const char *why)
{
    carrier_text_tell(t, "error", json_pack("{s:i, s:s}", "code", code, "why", why));
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
    carrier_text_tell(t, "text.answered",
                      json_pack("{s:i, s:i}", "http", r->status, "err", r->err));
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
    carrier_text_tell(t, "text.received", NULL);
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
    int rc = carrier_text_new(&t, d, &o, on_due);

    if (rc)
        return rc;
    if (carrier_person(d, from, &persons))
        scenario = persons;
    snprintf(t->scenario, sizeof(t->scenario), "%s", scenario);
    t->status = "receiving";
    loop_timer_in(t->timer, after_ms);
    return 0;
}
