/* SPDX-License-Identifier: Apache-2.0 */
/* The REST API of the simulated network, as strict as the real one: who asks, for what, and what goes wrong.
 *
 * Happy path: Basic authentication, /2010-04-01/Accounts/{AC}/Calls, Messages or IncomingPhoneNumbers, with a sid or without;
 * the resource answers (rest_calls.c, rest_messages.c, rest_numbers.c; rest_control.c is no part of the real API).
 *
 * Failure modes, all as {code, message, more_info, status}
 *   - wrong account or token: 401, 20003;   other account, unknown resource or path: 404, 20404;
 *   - another method: 405, 20004;           a body that is no form: 400, 20001;
 *   - a DELETE of what is not complete: 409, 20009;
 *   - misbehaving on purpose (fault.h), once the request is found to be a good one: not done and 429, 500
 *     or 503; or done, and answered with 500, late, or not at all.
 */
#include "sim/carrier/rest.h"

#include "base/err.h"
#include "io/accepter.h"
#include "sim/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SOCKETS_MAX = 256, SLOW_MS = 3000 };

struct carrier_rest {
    struct carrier_double *d;
    struct listener *listener;
};

/* An answer that is kept back; the request points to it. */
struct slow_answer {
    struct http_request *r;
    struct loop_timer *timer;
    char *text; /* owns */
    int status;
};

/* ---- answers ---- */

static void slow_free(struct slow_answer *s)
{
    loop_timer_free(s->timer);
    free(s->text);
    free(s);
}

static void on_slow(void *arg)
{
    struct slow_answer *s = arg;

    http_set_user(s->r, NULL);
    http_reply(s->r, s->status, "application/json", rd_str(s->text));
    slow_free(s);
}

/* Takes text. */
static void answer_later(struct rest_ask *a, int status, char *text)
{
    struct slow_answer *s = calloc(1, sizeof(*s));

    if (!s || !text || loop_timer_new(&s->timer, a->d->loop, on_slow, s)) {
        free(s);
        free(text);
        http_hang_up(a->r);
        return;
    }
    s->r = a->r;
    s->status = status;
    s->text = text;
    http_set_user(a->r, s);
    loop_timer_in(s->timer, SLOW_MS);
}

static void answer_now(struct rest_ask *a, int status, const char *extra, char *text)
{
    http_reply_with(a->r, status, "application/json", extra, rd_str(text ? text : "{}"));
    free(text);
}

static json_t *mistake_json(int status, int code, const char *message)
{
    char more[80];

    snprintf(more, sizeof(more), "https://www.twilio.com/docs/errors/%d", code);
    return json_pack("{s:i, s:s, s:s, s:i}", "code", code, "message", message, "more_info", more,
                     "status", status);
}

static char *text_of(json_t *tree)
{
    char *text = json_dumps(tree, JSON_COMPACT | JSON_PRESERVE_ORDER);

    json_decref(tree);
    return text;
}

void rest_answer(struct rest_ask *a, int status, json_t *tree)
{
    char *text = text_of(tree);

    switch (a->fault) {
    case REST_LOST:
        free(text);
        http_hang_up(a->r);
        break;
    case REST_TIMEOUT: /* left to the other side's patience */
        free(text);
        break;
    case REST_SLOW:
        answer_later(a, status, text);
        break;
    case REST_BROKEN_AFTER:
        free(text);
        answer_now(a, 500, "",
                   text_of(mistake_json(500, 20500, "An internal server error has occurred")));
        break;
    default:
        answer_now(a, status, "", text);
        break;
    }
}

void rest_refuse(struct rest_ask *a, int status, int code, const char *message)
{
    answer_now(a, status, "", text_of(mistake_json(status, code, message)));
}

void rest_not_found(struct rest_ask *a)
{
    rest_refuse(a, 404, 20404, "The requested resource was not found");
}

void rest_remove(struct rest_ask *a, bool complete, bool *gone)
{
    if (!complete) {
        rest_refuse(a, 409, 20009, "Cannot delete this resource before it is complete");
        return;
    }
    *gone = true;
    http_reply(a->r, 204, "application/json", RD_STR(""));
}

bool rest_fails(struct rest_ask *a, enum rest_kind kind, const struct carrier_who *about)
{
    return rest_fails_with(a, rest_faults_next(&a->d->faults, kind), about);
}

bool rest_fails_with(struct rest_ask *a, enum rest_fault fault, const struct carrier_who *about)
{
    static const struct {
        enum rest_fault fault;
        int status, code;
        const char *why, *extra;
    } failures[] = {
        {REST_BUSY, 429, 20429, "Too Many Requests", "retry-after: 1\r\n"},
        {REST_UNAVAILABLE, 503, 20503, "Service Unavailable", "retry-after: 1\r\n"},
        {REST_BROKEN, 500, 20500, "An internal server error has occurred", ""},
    };

    a->fault = fault;
    carrier_event(a->d, about, "rest.request",
                  json_pack("{s:s, s:s}", "method",
                            a->post     ? "POST"
                            : a->remove ? "DELETE"
                                        : "GET",
                            "fault", rest_fault_name(a->fault)));
    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (failures[i].fault != a->fault)
            continue;
        answer_now(a, failures[i].status, failures[i].extra,
                   text_of(mistake_json(failures[i].status, failures[i].code, failures[i].why)));
        return true;
    }
    return false;
}

/* ---- words and checks ---- */

json_t *rest_date(int64_t unix_s)
{
    char text[64];

    if (unix_s == 0)
        return json_null();
    carrier_date(text, unix_s);
    return json_string(text);
}

json_t *rest_text(const char *z)
{
    return z && *z ? json_string(z) : json_null();
}

struct rest_mistake rest_unknown(const struct carrier_form *f, const char *const *known)
{
    for (size_t i = 0; i < f->n; i++) {
        bool found = false;
        for (size_t k = 0; known[k]; k++)
            found = found || strcmp(known[k], f->fields[i].name) == 0;
        if (!found)
            return (struct rest_mistake){20001, "Unknown parameter"};
    }
    return (struct rest_mistake){0, NULL};
}

bool rest_is_url(const char *z)
{
    return !z || ((strncmp(z, "http://", 7) == 0 || strncmp(z, "https://", 8) == 0) &&
                  strlen(z) < CARRIER_URL_MAX);
}

bool rest_is_number(const char *z)
{
    size_t n = *z == '+' ? strspn(z + 1, "0123456789") : 0;

    return n >= 8 && n <= 15 && z[n + 1] == '\0' && z[1] != '0';
}

/* ---- requests ---- */

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

/* Rich enough for a long day of tests. */
static void rest_balance(struct rest_ask *a)
{
    static const char text[] =
        "{\"account_sid\":\"\",\"balance\":\"1000.00\",\"currency\":\"USD\"}";

    http_reply(a->r, 200, "application/json", rd_str(text));
}

/* The resource of a path, and its sid; NULL: none of ours. */
static void (*route(struct rest_ask *a))(struct rest_ask *a)
{
    static const struct {
        const char *name;
        void (*serve)(struct rest_ask *a);
    } resources[] = {{"Balance", rest_balance},
                     {"Calls", rest_calls},
                     {"Messages", rest_messages},
                     {"IncomingPhoneNumbers", rest_numbers}};
    char path[200], prefix[120];
    struct rd_str got = http_path(a->r);

    if (!rd_str_copy(path, sizeof(path), got))
        return NULL;
    for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++) {
        int n = snprintf(prefix, sizeof(prefix), "/2010-04-01/Accounts/%s/%s", a->d->account,
                         resources[i].name);
        const char *rest = path + n;
        if (strncmp(path, prefix, (size_t)n) != 0)
            continue;
        if (strcmp(rest, ".json") == 0)
            return resources[i].serve;
        if (rest[0] != '/' || strlen(rest) != 1 + 34 + 5 || strcmp(rest + 35, ".json") != 0)
            return NULL;
        memcpy(a->sid, rest + 1, 34);
        return resources[i].serve;
    }
    return NULL;
}

static int read_form(struct rest_ask *a)
{
    struct rd_str target = http_target(a->r);
    const char *query = a->post ? NULL : memchr(target.p, '?', target.n);
    struct rd_str body = a->post ? http_body(a->r) : (struct rd_str){NULL, 0};

    if (query)
        body = (struct rd_str){query + 1, target.n - (size_t)(query + 1 - target.p)};
    return body.n > 0 ? carrier_form_read(&a->form, body) : 0;
}

static void on_request(struct http_request *r, void *arg)
{
    struct carrier_rest *rest = arg;
    struct rest_ask a = {.d = rest->d, .r = r};
    void (*serve)(struct rest_ask * a);

    a.post = rd_str_eq(http_method(r), RD_STR("POST"));
    a.remove = rd_str_eq(http_method(r), RD_STR("DELETE"));
    serve = rest_is_control(r) ? rest_control : route(&a);
    if (!is_authorised(rest->d, r))
        rest_refuse(&a, 401, 20003, "Authenticate");
    else if (!serve)
        rest_not_found(&a);
    else if (a.remove ? !a.sid[0] : !a.post && !rd_str_eq(http_method(r), RD_STR("GET")))
        rest_refuse(&a, 405, 20004, "Method not allowed");
    else if (read_form(&a))
        rest_refuse(&a, 400, 20001, "The body is not a form");
    else
        serve(&a);
    carrier_form_fini(&a.form);
}

static void on_gone(struct http_request *r, void *arg)
{
    struct slow_answer *s = http_user(r);

    (void)arg;
    if (s)
        slow_free(s);
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
    static const struct http_handlers handlers = {
        .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};
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
