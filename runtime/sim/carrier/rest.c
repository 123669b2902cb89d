/* SPDX-License-Identifier: Apache-2.0 */
/* The REST API of the simulated network: Calls, fetch and update, as strict as the real one.
 *
 * Happy path: GET or POST /2010-04-01/Accounts/{AC}/Calls/{CA}.json with Basic authentication
 * answers 200 and the call as JSON. An update is answered first and takes effect a moment later, as
 * over there.
 *
 * Failure modes, all as {code, message, more_info, status}
 *   - wrong account or token: 401, 20003;   other account, unknown call, other path: 404, 20404;
 *   - another method: 405, 20004;           the call is over: 400, 21220;
 *   - unknown field, Twiml with Url, Twiml above 4000 characters, Status that is none: 400, 20001;
 *   - a Url that is none: 400, 21205;
 *   - misbehaving on purpose (fault.h), once the request is found to be a good one: 429, 500, 503
 *     without doing anything, or everything done and no answer.
 */
#include "base/err.h"
#include "io/accepter.h"
#include "sim/carrier/call.h"
#include "sim/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SOCKETS_MAX = 256, TWIML_MAX = 4000, EFFECT_MS = 60 };

struct carrier_rest {
    struct carrier_double *d;
    struct listener *listener;
};

static void reply_json(struct http_request *r, int status, json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_PRESERVE_ORDER);

    http_reply(r, status, "application/json", rd_str(text ? text : "{}"));
    free(text);
    json_decref(tree);
}

static void refuse(struct http_request *r, int status, int code, const char *message)
{
    char more[80];

    snprintf(more, sizeof(more), "https://www.twilio.com/docs/errors/%d", code);
    reply_json(r, status,
               json_pack("{s:i, s:s, s:s, s:i}", "code", code, "message", message, "more_info",
                         more, "status", status));
}

static json_t *date(int64_t unix_s)
{
    time_t t = (time_t)unix_s;
    char text[64];
    struct tm tm;

    if (unix_s == 0)
        return json_null();
    strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &tm));
    return json_string(text);
}

static json_t *call_json(const struct carrier_double *d, const struct carrier_past *p,
                         const char *status)
{
    char uri[160], duration[24];
    bool over = strcmp(status, "completed") == 0;

    snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/Calls/%s.json", d->account, p->sid);
    snprintf(duration, sizeof(duration), "%llu", (unsigned long long)p->duration_s);
    return json_pack("{s:s, s:o, s:o, s:n, s:s, s:s, s:s, s:s, s:s, s:n, s:s, s:o, s:o, s:o, s:n,"
                     " s:s, s:s, s:n, s:s, s:n, s:n, s:n, s:s, s:n, s:s, s:{}}",
                     "sid", p->sid, "date_created", date(p->placed_unix), "date_updated",
                     date(over ? p->ended_unix : p->placed_unix), "parent_call_sid", "account_sid",
                     d->account, "to", p->to, "to_formatted", p->to, "from", p->from,
                     "from_formatted", p->from, "phone_number_sid", "status", status, "start_time",
                     date(p->placed_unix), "end_time", date(over ? p->ended_unix : 0), "duration",
                     over ? json_string(duration) : json_null(), "price", "price_unit", "USD",
                     "direction", "inbound", "answered_by", "api_version", "2010-04-01",
                     "forwarded_from", "group_sid", "caller_name", "queue_time", "0", "trunk_sid",
                     "uri", uri, "subresource_uris");
}

static void reply_live(struct http_request *r, const struct carrier_call *c)
{
    struct carrier_past p = {.placed_unix = c->placed_unix};

    memcpy(p.sid, c->sid, sizeof(p.sid));
    memcpy(p.from, c->from, sizeof(p.from));
    memcpy(p.to, c->to, sizeof(p.to));
    reply_json(r, 200, call_json(c->d, &p, c->state == CARRIER_UP ? "in-progress" : "ringing"));
}

/* "Basic base64(user:password)", exactly. */
static bool is_authorised(const struct carrier_double *d, const struct http_request *r)
{
    struct rd_str got = http_header(r, "authorization");
    char plain[256], encoded[400], want[420];
    int n = snprintf(plain, sizeof(plain), "%s:%s", d->account, d->token);

    if (n < 0 || (size_t)n >= sizeof(plain) || !got.p)
        return false;
    encoded[sim_base64_encode(encoded, (const uint8_t *)plain, (size_t)n)] = '\0';
    snprintf(want, sizeof(want), "Basic %s", encoded);
    return rd_str_same_secret(got, rd_str(want));
}

/* The CallSid of the path; false for any other path. */
static bool path_sid(const struct carrier_double *d, struct rd_str path,
                     char sid[CARRIER_SID_BYTES])
{
    char prefix[120];
    int n = snprintf(prefix, sizeof(prefix), "/2010-04-01/Accounts/%s/Calls/", d->account);

    if (path.n != (size_t)n + 34 + 5 || memcmp(path.p, prefix, (size_t)n) != 0 ||
        memcmp(path.p + n + 34, ".json", 5) != 0)
        return false;
    memcpy(sid, path.p + n, 34);
    sid[34] = '\0';
    return true;
}

static bool is_url(const char *z)
{
    return !z || ((strncmp(z, "http://", 7) == 0 || strncmp(z, "https://", 8) == 0) &&
                  strlen(z) < CARRIER_URL_MAX);
}

/* What is wrong with an update; code 0: nothing. */
static int check_update(const struct carrier_form *f, const char **why)
{
    static const char *const known[] = {"Url",
                                        "Method",
                                        "Status",
                                        "FallbackUrl",
                                        "FallbackMethod",
                                        "StatusCallback",
                                        "Twiml",
                                        "StatusCallbackMethod",
                                        "TimeLimit"};
    const char *status = carrier_form_get(f, "Status"), *twiml = carrier_form_get(f, "Twiml");
    const char *url = carrier_form_get(f, "Url"), *method = carrier_form_get(f, "Method");

    for (size_t i = 0; i < f->n; i++) {
        bool found = false;
        for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++)
            found = found || strcmp(known[k], f->fields[i].name) == 0;
        *why = "Unknown parameter";
        if (!found)
            return 20001;
    }
    *why = "Twiml and Url exclude each other";
    if (twiml && url)
        return 20001;
    *why = "Twiml is longer than 4000 characters";
    if (twiml && strlen(twiml) > TWIML_MAX)
        return 20001;
    *why = "Status can only be completed or canceled";
    if (status && strcmp(status, "completed") != 0 && strcmp(status, "canceled") != 0)
        return 20001;
    *why = "Method can only be GET or POST";
    if (method && strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
        return 20001;
    *why = "Url is not a valid URL";
    if (!is_url(url))
        return 21205;
    return 0;
}

void carrier_update_fini(struct carrier_update *u)
{
    free(u->twiml);
    free(u->url);
    free(u->method);
    *u = (struct carrier_update){0};
}

static char *copy(const char *z)
{
    return z ? strdup(z) : NULL;
}

static void update_later(struct carrier_call *c, const struct carrier_form *f)
{
    carrier_update_fini(&c->update);
    c->update.hang_up = carrier_form_get(f, "Status") != NULL;
    c->update.twiml = copy(carrier_form_get(f, "Twiml"));
    c->update.url = copy(carrier_form_get(f, "Url"));
    c->update.method = copy(carrier_form_get(f, "Method"));
    c->update.pending = c->update.hang_up || c->update.twiml || c->update.url;
    if (c->update.pending)
        loop_timer_in(c->update_timer, EFFECT_MS);
}

static void refuse_later(struct http_request *r, int status, int code, const char *message)
{
    char text[160];

    snprintf(text, sizeof(text), "{\"code\":%d,\"message\":\"%s\",\"status\":%d}", code, message,
             status);
    http_reply_with(r, status, "application/json", "retry-after: 1\r\n", rd_str(text));
}

/* True when that was all there is to it: nothing is done. */
static bool fails(struct http_request *r, enum rest_fault fault)
{
    if (fault == REST_BUSY)
        refuse_later(r, 429, 20429, "Too Many Requests");
    else if (fault == REST_UNAVAILABLE)
        refuse_later(r, 503, 20503, "Service Unavailable");
    else if (fault == REST_BROKEN)
        refuse(r, 500, 20500, "An internal server error has occurred");
    else
        return false;
    return true;
}

/* True when the answer does not arrive. A timeout is left to the other side's patience. */
static bool answer_is_lost(struct http_request *r, enum rest_fault fault)
{
    if (fault == REST_LOST)
        http_hang_up(r);
    return fault == REST_LOST || fault == REST_TIMEOUT;
}

static void post_update(struct http_request *r, struct carrier_call *c, enum rest_fault fault)
{
    struct carrier_form form = {.n = 0};
    const char *why = NULL, *status;
    int code = 20001;

    if (carrier_form_read(&form, http_body(r)))
        why = "The body is not a form";
    else
        code = check_update(&form, &why);
    status = carrier_form_get(&form, "Status");
    if (code == 0 && status && strcmp(status, "canceled") == 0 && c->state == CARRIER_UP) {
        code = 21220;
        why = "Unable to cancel. Call is already in progress";
    }
    if (code) {
        refuse(r, 400, code, why);
    } else {
        update_later(c, &form);
        if (!answer_is_lost(r, fault))
            reply_live(r, c);
    }
    carrier_form_fini(&form);
}

static json_t *asked(bool post, enum rest_fault fault)
{
    return json_pack("{s:s, s:s}", "method", post ? "POST" : "GET", "fault",
                     rest_fault_name(fault));
}

static void serve_live(struct http_request *r, struct carrier_call *c, bool post)
{
    enum rest_fault fault = rest_faults_next(&c->d->faults, post);

    carrier_tell(c, "rest.request", asked(post, fault));
    if (fails(r, fault))
        return;
    if (post)
        post_update(r, c, fault);
    else if (!answer_is_lost(r, fault))
        reply_live(r, c);
}

static void serve_past(struct http_request *r, struct carrier_double *d, const char *sid, bool post)
{
    for (size_t i = 0; i < CARRIER_PAST_CALLS; i++) {
        struct carrier_who who = {.sid = sid, .since_ms = d->past[i].placed_ms};
        if (strcmp(d->past[i].sid, sid) != 0)
            continue;
        who.scenario = d->past[i].scenario->name;
        carrier_event(d, &who, "rest.request", asked(post, REST_WELL));
        if (post)
            refuse(r, 400, 21220, "Call is not in-progress. Cannot redirect.");
        else
            reply_json(r, 200, call_json(d, &d->past[i], "completed"));
        return;
    }
    refuse(r, 404, 20404, "The requested resource was not found");
}

static void on_request(struct http_request *r, void *arg)
{
    struct carrier_rest *rest = arg;
    struct carrier_double *d = rest->d;
    bool post = rd_str_eq(http_method(r), RD_STR("POST"));
    char sid[CARRIER_SID_BYTES];

    if (!is_authorised(d, r)) {
        refuse(r, 401, 20003, "Authenticate");
        return;
    }
    if (!path_sid(d, http_path(r), sid)) {
        refuse(r, 404, 20404, "The requested resource was not found");
        return;
    }
    if (!post && !rd_str_eq(http_method(r), RD_STR("GET"))) {
        refuse(r, 405, 20004, "Method not allowed");
        return;
    }
    for (struct carrier_call *c = d->calls; c; c = c->next) {
        if (strcmp(c->sid, sid) != 0 || c->state == CARRIER_ENDING || c->state == CARRIER_PREPARING)
            continue;
        serve_live(r, c, post);
        return;
    }
    serve_past(r, d, sid, post);
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    (void)r;
    (void)accept;
    (void)arg;
    return 404;
}

int carrier_rest_start(struct carrier_rest **out, struct carrier_double *d, const char *listen,
                       char *why, size_t cap)
{
    static const struct http_handlers handlers = {on_request, on_gone, on_upgrade};
    struct carrier_rest *rest = calloc(1, sizeof(*rest));
    struct http_server_opts o = {
        .loop = d->loop, .handlers = &handlers, .arg = rest, .max_connections = SOCKETS_MAX};
    int fd, rc;

    if (!rest)
        return -ENOMEM;
    rest->d = d;
    rc = listen_tcp(&fd, listen, why, cap);
    if (!rc)
        rc = listener_start(&rest->listener, &o, fd);
    if (rc) {
        free(rest);
        return rc;
    }
    *out = rest;
    return 0;
}

void carrier_rest_stop(struct carrier_rest *r)
{
    if (!r)
        return;
    listener_stop(r->listener);
    free(r);
}

uint16_t carrier_rest_port(const struct carrier_rest *r)
{
    return listener_port(r->listener);
}
