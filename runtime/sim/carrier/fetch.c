/* SPDX-License-Identifier: Apache-2.0 */
/* The requests that a call makes: TwiML documents, the fallback, the status callback. All signed.
 *
 * Happy path: the standard fields are posted, 200 with XML comes back, its TwiML runs.
 *
 * Failure modes
 *   - connections that are refused, or not made within 5 s, are tried once more, with the same
 *     I-Twilio-Idempotency-Token;
 *   - no connection or nothing within 15 s: 11205; anything but 200: 11200; not XML: 12300;
 *   - then the fallback URL is asked once, with ErrorCode and ErrorUrl; without one, or when that
 * fails too, the caller hears that an error has occurred: the call ends with ended_by "error".
 */
#include "sim/carrier/dial.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { NO_ANSWER_MS = 10000 }; /* a time-out before that was one of connecting */

struct failure {
    int code;
    const char *url;
};

static void fetch_start(struct carrier_call *c, const struct failure *failure);

/* 15 s is the patience for an answer, 5 s the one for a connection. */
static bool had_no_connection(const struct carrier_call *c, const struct http_result *r)
{
    return r->err == -ECONNREFUSED ||
           (r->err == -ETIMEDOUT && clock_ms(loop_clock()) - c->fetch_began_ms < NO_ANSWER_MS);
}

static void on_document(const struct http_result *r, void *arg)
{
    struct carrier_call *c = arg;
    char why[160], url[CARRIER_URL_MAX];

    c->request = NULL;
    if (had_no_connection(c, r) && !c->retried) {
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
    } else if (!carrier_is_xml(r->content_type)) {
        snprintf(why, sizeof(why), "answered with content type %.*s",
                 (int)(r->content_type.n < 60 ? r->content_type.n : 60),
                 r->content_type.n ? r->content_type.p : "");
        carrier_fallback(c, TWILIO_CONTENT_TYPE, why);
    } else {
        memcpy(url, c->fetching, sizeof(url));
        carrier_run(c, r->body, url);
    }
}

static void fetch_start(struct carrier_call *c, const struct failure *failure)
{
    struct carrier_form form = {.n = 0};
    struct carrier_request q = {c->fetching, c->fetch_method, c->token, &form};
    struct carrier_who who =
        carrier_call_who(c, c->state == CARRIER_RINGING ? "ringing" : "in-progress");
    char code[16];
    int rc;

    c->fetch_began_ms = clock_ms(loop_clock());
    carrier_add_standard(&form, c->d, &who);
    carrier_add_trial(&form, c->d, c->sid);
    if (c->dial)
        carrier_dial_add(c->dial, &form);
    if (c->gather.active)
        carrier_form_add(&form, "Digits", c->gather.digits);
    if (failure) {
        snprintf(code, sizeof(code), "%d", failure->code);
        carrier_form_add(&form, "ErrorCode", code);
        carrier_form_add(&form, "ErrorUrl", failure->url);
    }
    rc = carrier_send(&c->request, c->d, &q, on_document, c);
    carrier_form_fini(&form);
    if (rc) {
        carrier_error(c, TWILIO_RETRIEVAL, rd_strerror(rc));
        carrier_call_end(c, "error");
    }
}

/* Nobody but the node is asked: what it wants of others is told, and not done. */
static bool leaves(struct carrier_call *c, const char *url)
{
    char why[120];

    if (!c->d->fenced || carrier_is_nodes(c->d, url))
        return false;
    snprintf(why, sizeof(why), "the call was sent elsewhere, to %.80s", url);
    carrier_error(c, TWILIO_RETRIEVAL, why);
    carrier_call_end(c, "error");
    return true;
}

void carrier_fetch(struct carrier_call *c, const char *url, const char *method)
{
    if (leaves(c, url))
        return;
    snprintf(c->fetching, sizeof(c->fetching), "%s", url);
    c->fetch_method = strcmp(method, "GET") == 0 ? "GET" : "POST";
    c->fetching_fallback = false;
    c->retried = false;
    carrier_sid(c->token, "IT");
    carrier_tell(c, "webhook.sent", json_pack("{s:s}", "url", url));
    fetch_start(c, NULL);
}

/* Of the number that was called; NULL: none. */
static const char *fallback_of(const struct carrier_call *c)
{
    const struct carrier_number *ours = carrier_number_of(&c->d->numbers, c->to);
    const char *url = ours ? carrier_number_get(ours, "voice_fallback_url") : c->d->fallback_url;

    return url && *url ? url : NULL;
}

void carrier_fallback(struct carrier_call *c, int code, const char *why)
{
    char failed_url[CARRIER_URL_MAX];
    struct failure failure = {code, failed_url};
    const char *fallback_url = fallback_of(c);

    carrier_error(c, code, why);
    if (!fallback_url || c->fetching_fallback) {
        carrier_call_end(c, "error");
        return;
    }
    memcpy(failed_url, c->fetching, sizeof(failed_url));
    snprintf(c->fetching, sizeof(c->fetching), "%s", fallback_url);
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
    struct carrier_who who = carrier_call_who(c, c->answered_ms ? "completed" : "failed");
    char url[CARRIER_URL_MAX], text[64];
    struct carrier_request q = {url, "POST", c->token, &form};
    int rc;

    carrier_add_standard(&form, c->d, &who);
    carrier_add_trial(&form, c->d, c->sid);
    snprintf(text, sizeof(text), "%u", seconds);
    carrier_form_add(&form, "CallDuration", text);
    snprintf(text, sizeof(text), "%u", (seconds + 59) / 60);
    carrier_form_add(&form, "Duration", text);
    carrier_date(text, (int64_t)time(NULL));
    carrier_form_add(&form, "Timestamp", text);
    carrier_form_add(&form, "SequenceNumber", "0");
    carrier_form_add(&form, "CallbackSource", "call-progress-events");
    snprintf(url, sizeof(url), "%s/twilio/status", c->d->node_url);
    carrier_sid(c->token, "IT");
    c->on_status_told = done;
    rc = carrier_send(&c->request, c->d, &q, on_status, c);
    carrier_form_fini(&form);
    if (rc)
        done(c);
}
