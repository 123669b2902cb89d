/* SPDX-License-Identifier: Apache-2.0 */
/* Signed requests to the other side.
 *
 * Happy path: the form is written, signed over the URL as called, and sent.
 * Failure modes: no memory, an address that is none: an error, and nothing is called. A status callback
 * that fails is told as `callback.answered` and not repeated.
 */
#include "sim/carrier/send.h"

#include "sim/carrier/call.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { CONNECT_MS = 5000, TOTAL_MS = 15000, BODY_MAX = 65536, FORM_MAX = 32768 };

struct carrier_posts {
    struct carrier_double *d; /* borrows */
    struct carrier_posts *next;
    struct http_call *request;
    char sid[CARRIER_SID_BYTES], scenario[64], status[24];
    uint64_t since_ms;
};

void carrier_date(char out[64], int64_t unix_s)
{
    time_t t = (time_t)unix_s;
    struct tm tm;

    strftime(out, 64, "%a, %d %b %Y %H:%M:%S +0000", gmtime_r(&t, &tm));
}

/* What stands behind the scheme of both as far as `base` goes; NULL: `url` is elsewhere. */
static const char *behind(const char *url, const char *base)
{
    const char *a = strstr(url, "://"), *b = strstr(base, "://");
    size_t n = b ? strlen(b) : 0;

    if (!a || !b || strncmp(a, b, n) != 0 || (a[n] && !strchr("/?#", a[n])))
        return NULL;
    return a + n;
}

bool carrier_is_nodes(const struct carrier_double *d, const char *url)
{
    return behind(url, d->node_url) != NULL;
}

const char *carrier_reach(const struct carrier_double *d, const char *url, char *out, size_t cap)
{
    const char *rest = d->reach ? behind(url, d->node_url) : NULL;

    if (!rest)
        return url;
    if (strncmp(url, "ws", 2) == 0)
        snprintf(out, cap, "ws%s%s", d->reach + strlen("http"), rest);
    else
        snprintf(out, cap, "%s%s", d->reach, rest);
    return out;
}

void carrier_add_trial(struct carrier_form *f, const struct carrier_double *d, const char *sid)
{
    char signature[CARRIER_SIGNATURE_BYTES], text[128], value[80];

    if (!d->trial)
        return;
    snprintf(text, sizeof(text), "ringdown-trial:%s:%s", d->trial, sid);
    if (carrier_sign(signature, d->token, text, NULL))
        return;
    snprintf(value, sizeof(value), "%s.%s", d->trial, signature);
    carrier_form_add(f, "RingdownTrial", value);
    if (d->system)
        carrier_form_add(f, "RingdownSystem", d->system);
}

void carrier_add_standard(struct carrier_form *f, const struct carrier_double *d,
                          const struct carrier_who *who)
{
    static const struct {
        const char *name, *value;
    } places[] = {{"City", "CHICAGO"}, {"State", "IL"}, {"Zip", "60601"}, {"Country", "US"}};
    static const char *const names[] = {"From", "To", "Caller", "Called"};
    char name[32];

    carrier_form_add(f, "CallSid", who->sid);
    if (who->parent_sid)
        carrier_form_add(f, "ParentCallSid", who->parent_sid);
    carrier_form_add(f, "AccountSid", d->account);
    carrier_form_add(f, "ApiVersion", "2010-04-01");
    carrier_form_add(f, "CallStatus", who->status);
    carrier_form_add(f, "Direction", who->direction);
    if (strcmp(who->direction, "inbound") == 0)
        carrier_form_add(f, "StirVerstat", "TN-Validation-Passed-A");
    for (size_t i = 0; i < 4; i++) {
        carrier_form_add(f, names[i], i % 2 == 0 ? who->from : who->to);
        for (size_t k = 0; k < 4; k++) {
            snprintf(name, sizeof(name), "%s%s", names[i], places[k].name);
            carrier_form_add(f, name, places[k].value);
        }
    }
}

int carrier_send(struct http_call **out, struct carrier_double *d, const struct carrier_request *q,
                 http_done_fn *done, void *arg)
{
    char signature[CARRIER_SIGNATURE_BYTES], h_signature[80], h_token[80], full[8192], at[8192];
    const char *const header[] = {h_signature, h_token,
                                  "Content-Type: application/x-www-form-urlencoded; charset=utf-8",
                                  "User-Agent: TwilioProxy/1.1", NULL};
    struct http_call_opts o = {.method = q->method, .header = header};
    bool get = strcmp(q->method, "GET") == 0;
    struct buf body;
    int rc;

    buf_init(&body, FORM_MAX);
    rc = carrier_form_write(q->form, &body);
    rc = rc || buf_text(&body) ? rc : -ENOMEM;
    if (rc)
        goto out;
    snprintf(full, sizeof(full), "%.*s%s%s", (int)strcspn(q->url, "#"), q->url,
             get ? strchr(q->url, '?') ? "&" : "?" : "", get ? body.data : "");
    rc = carrier_sign(signature, d->token, full, get ? NULL : q->form);
    if (rc)
        goto out;
    snprintf(h_signature, sizeof(h_signature), "X-Twilio-Signature: %s", signature);
    snprintf(h_token, sizeof(h_token), "I-Twilio-Idempotency-Token: %s", q->token);
    o.url = carrier_reach(d, full, at, sizeof(at));
    o.body = get ? (struct rd_str){NULL, 0} : (struct rd_str){body.data, body.n};
    o.connect_timeout_ms = CONNECT_MS;
    o.timeout_ms = TOTAL_MS;
    o.max_body = BODY_MAX;
    rc = http_call_start(out, d->http, &o, done, arg);
out:
    buf_fini(&body);
    return rc;
}

bool carrier_is_xml(struct rd_str type)
{
    size_t n = 0;

    while (n < type.n && type.p[n] != ';' && type.p[n] != ' ')
        n++;
    return (n == 8 && strncasecmp(type.p, "text/xml", n) == 0) ||
           (n == 15 && strncasecmp(type.p, "application/xml", n) == 0);
}

static void post_free(struct carrier_posts *p)
{
    struct carrier_posts **at = &p->d->posts;

    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    free(p);
}

static void on_posted(const struct http_result *r, void *arg)
{
    struct carrier_posts *p = arg;
    struct carrier_who who = {.sid = p->sid, .scenario = p->scenario, .since_ms = p->since_ms};

    carrier_event(
        p->d, &who, "callback.answered",
        json_pack("{s:s, s:i, s:i}", "about", p->status, "status", r->status, "err", r->err));
    post_free(p);
}

void carrier_post(struct carrier_double *d, const char *url, struct carrier_form *f,
                  const struct carrier_who *about)
{
    struct carrier_posts *p = calloc(1, sizeof(*p));
    char token[CARRIER_SID_BYTES];
    struct carrier_request q = {url, "POST", token, f};

    if (p && carrier_sid(token, "IT") == 0) {
        p->d = d;
        p->since_ms = about->since_ms;
        snprintf(p->sid, sizeof(p->sid), "%s", about->sid);
        snprintf(p->scenario, sizeof(p->scenario), "%s", about->scenario);
        snprintf(p->status, sizeof(p->status), "%s", about->status);
        p->next = d->posts;
        d->posts = p;
        if (carrier_send(&p->request, d, &q, on_posted, p))
            post_free(p);
    } else {
        free(p);
    }
    carrier_form_fini(f);
}

void carrier_posts_cancel(struct carrier_double *d)
{
    while (d->posts) {
        struct carrier_posts *p = d->posts;
        d->posts = p->next;
        http_call_cancel(p->request);
        free(p);
    }
}
