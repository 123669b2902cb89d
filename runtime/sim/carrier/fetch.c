/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that a call makes: TwiML documents, the fallback, the status callback. All signed.
 *
 * Happy path: the standard fields are posted, 200 with XML comes back, its TwiML runs.
 *
 * Failure modes
 *   - refused connections are tried once more, with the same I-Twilio-Idempotency-Token;
 *   - no connection or nothing within 15 s: 11205; anything but 200: 11200; not XML: 12300;
 *   - then the fallback URL is asked once, with ErrorCode and ErrorUrl; without one, or when that
 * fails too, the caller hears that an error has occurred: the call ends with ended_by "error".
 */
#include "sim/carrier/call.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CONNECT_MS = 5000, TOTAL_MS = 15000, BODY_MAX = 65536, FORM_MAX = 32768 };

struct failure {
    int code;
    const char *url;
};

static void add_standard(struct carrier_form *f, const struct carrier_call *c, const char *status)
{
    static const struct {
        const char *name, *value;
    } places[] = {{"City", "CHICAGO"}, {"State", "IL"}, {"Zip", "60601"}, {"Country", "US"}};
    static const char *const who[] = {"From", "To", "Caller", "Called"};
    char name[32];

    carrier_form_add(f, "CallSid", c->sid);
    carrier_form_add(f, "AccountSid", c->d->account);
    carrier_form_add(f, "ApiVersion", "2010-04-01");
    carrier_form_add(f, "CallStatus", status);
    carrier_form_add(f, "Direction", "inbound");
    carrier_form_add(f, "StirVerstat", "TN-Validation-Passed-A");
    for (size_t i = 0; i < 4; i++) {
        carrier_form_add(f, who[i], i % 2 == 0 ? c->from : c->to);
        for (size_t k = 0; k < 4; k++) {
            snprintf(name, sizeof(name), "%s%s", who[i], places[k].name);
            carrier_form_add(f, name, places[k].value);
        }
    }
}

static int send_form(struct carrier_call *c, const char *url, const char *method,
                     const struct carrier_form *form, http_done_fn *done)
{
    char signature[CARRIER_SIGNATURE_BYTES], h_signature[80], h_token[80], full[8192];
    const char *const header[] = {h_signature, h_token,
                                  "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                                  "User-Agent: TwilioProxy/1.1", NULL};
    struct http_call_opts o = {.method = method, .header = header};
    bool get = strcmp(method, "GET") == 0;
    struct buf body;
    int rc;

    buf_init(&body, FORM_MAX);
    rc = carrier_form_write(form, &body);
    rc = rc || buf_text(&body) ? rc : -ENOMEM;
    if (rc)
        goto out;
    snprintf(full, sizeof(full), "%.*s%s%s", (int)strcspn(url, "#"), url,
             get ? strchr(url, '?') ? "&" : "?" : "", get ? body.data : "");
    rc = carrier_sign(signature, c->d->token, full, get ? NULL : form);
    if (rc)
        goto out;
    snprintf(h_signature, sizeof(h_signature), "X-Twilio-Signature: %s", signature);
    snprintf(h_token, sizeof(h_token), "I-Twilio-Idempotency-Token: %s", c->token);
    o.url = full;
    o.body = get ? (struct rd_str){NULL, 0} : (struct rd_str){body.data, body.n};
    o.connect_timeout_ms = CONNECT_MS;
    o.timeout_ms = TOTAL_MS;
    o.max_body = BODY_MAX;
    rc = http_call_start(&c->request, c->d->http, &o, done, c);
out:
    buf_fini(&body);
    return rc;
}

static bool is_xml(struct rd_str type)
{
    size_t n = 0;

    while (n < type.n && type.p[n] != ';' && type.p[n] != ' ')
        n++;
    type.n = n;
    return (n == 8 && strncasecmp(type.p, "text/xml", n) == 0) ||
           (n == 15 && strncasecmp(type.p, "application/xml", n) == 0);
}

static void fetch_start(struct carrier_call *c, const struct failure *failure);

static void on_document(const struct http_result *r, void *arg)
{
    struct carrier_call *c = arg;
    char why[160], url[CARRIER_URL_MAX];

    c->request = NULL;
    if (r->err == -ECONNREFUSED && !c->retried) {
        c->retried = true;
        fetch_start(c, NULL);
        return;
    }
    carrier_tell(
        c, "webhook.answered",
        json_pack("{s:s, s:i, s:i}", "url", c->fetching, "status", r->status, "err", r->err));
    if (r->err) {
        snprintf(why, sizeof(why), "no answer: %.100s", r->text ? r->text : rd_strerror(r->err));
        carrier_fallback(c, TWILIO_CONNECTION, why);
    } else if (r->status < 200 || r->status > 299) {
        snprintf(why, sizeof(why), "answered with status %d", r->status);
        carrier_fallback(c, TWILIO_RETRIEVAL, why);
    } else if (!is_xml(r->content_type)) {
        snprintf(why, sizeof(why), "answered with content type %.*s",
                 (int)(r->content_type.n < 60 ? r->content_type.n : 60),
                 r->content_type.n ? r->content_type.p : "");
        carrier_fallback(c, TWILIO_CONTENT_TYPE, why);
    } else {
        memcpy(url, c->fetching, sizeof(url));
        carrier_run(c, r->body, url);
    }
}

/* What a <Dial> came to. */
static void add_dial(struct carrier_form *f, const struct carrier_call *c)
{
    bool answered = strcmp(c->dial_status, "completed") == 0;

    carrier_form_add(f, "DialCallStatus", c->dial_status);
    carrier_form_add(f, "DialCallDuration", answered ? "1" : "0");
    carrier_form_add(f, "DialBridged", answered ? "true" : "false");
}

static void fetch_start(struct carrier_call *c, const struct failure *failure)
{
    struct carrier_form form = {.n = 0};
    char code[16];
    int rc;

    add_standard(&form, c, c->state == CARRIER_RINGING ? "ringing" : "in-progress");
    if (c->dial_status[0])
        add_dial(&form, c);
    if (failure) {
        snprintf(code, sizeof(code), "%d", failure->code);
        carrier_form_add(&form, "ErrorCode", code);
        carrier_form_add(&form, "ErrorUrl", failure->url);
    }
    rc = send_form(c, c->fetching, c->fetch_method, &form, on_document);
    carrier_form_fini(&form);
    if (rc) {
        carrier_error(c, TWILIO_RETRIEVAL, rd_strerror(rc));
        carrier_call_end(c, "error");
    }
}

void carrier_fetch(struct carrier_call *c, const char *url, const char *method)
{
    snprintf(c->fetching, sizeof(c->fetching), "%s", url);
    c->fetch_method = strcmp(method, "GET") == 0 ? "GET" : "POST";
    c->fetching_fallback = false;
    c->retried = false;
    carrier_sid(c->token, "IT");
    carrier_tell(c, "webhook.sent", json_pack("{s:s}", "url", url));
    fetch_start(c, NULL);
}

void carrier_fallback(struct carrier_call *c, int code, const char *why)
{
    char failed_url[CARRIER_URL_MAX];
    struct failure failure = {code, failed_url};

    carrier_error(c, code, why);
    if (!c->d->fallback_url || c->fetching_fallback) {
        carrier_call_end(c, "error");
        return;
    }
    memcpy(failed_url, c->fetching, sizeof(failed_url));
    snprintf(c->fetching, sizeof(c->fetching), "%s", c->d->fallback_url);
    c->fetch_method = "POST";
    c->fetching_fallback = true;
    c->fell_back = true;
    c->retried = true;
    carrier_sid(c->token, "IT");
    carrier_tell(c, "webhook.fallback", json_pack("{s:s, s:i}", "url", c->fetching, "code", code));
    fetch_start(c, &failure);
}

/* The status callback is told once and its answer only looked at; the call is over either way. */
static void on_status(const struct http_result *r, void *arg)
{
    struct carrier_call *c = arg;

    c->request = NULL;
    carrier_tell(c, "status.answered", json_pack("{s:i, s:i}", "status", r->status, "err", r->err));
    if (r->err || r->status < 200 || r->status > 299)
        carrier_error(c, TWILIO_RETRIEVAL, "the status callback was not answered with 2xx");
    c->on_status_told(c);
}

void carrier_status(struct carrier_call *c, void (*done)(struct carrier_call *c))
{
    struct carrier_form form = {.n = 0};
    uint32_t seconds = (c->report.seconds_ms + 999) / 1000;
    char url[CARRIER_URL_MAX], text[64];
    time_t now = time(NULL);
    struct tm tm;
    int rc;

    add_standard(&form, c, c->answered_ms ? "completed" : "failed");
    snprintf(text, sizeof(text), "%u", seconds);
    carrier_form_add(&form, "CallDuration", text);
    snprintf(text, sizeof(text), "%u", (seconds + 59) / 60);
    carrier_form_add(&form, "Duration", text);
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&now, &tm));
    carrier_form_add(&form, "Timestamp", text);
    carrier_form_add(&form, "SequenceNumber", "0");
    carrier_form_add(&form, "CallbackSource", "call-progress-events");
    snprintf(url, sizeof(url), "%s/twilio/status", c->d->node_url);
    carrier_sid(c->token, "IT");
    c->on_status_told = done;
    rc = send_form(c, url, "POST", &form, on_status);
    carrier_form_fini(&form);
    if (rc)
        done(c);
}
