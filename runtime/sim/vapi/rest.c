/* SPDX-License-Identifier: Apache-2.0 */
/* rest.c - who asks, for what, how it is answered, and what goes wrong.
 *
 * Happy path: the key, /call, /phone-number or /assistant, an id or not, a JSON object; the resource answers
 * (calls.c, numbers.c, assistants.c). Twilio and whoever holds a call's controlUrl need no key.
 *
 * Failure modes, all as {message, error, statusCode}
 *   - no key or a wrong one: 401;          no such path or resource: 404;
 *   - a body that is no JSON object: 400;  mistakes in it: 400 with all of them as an array;
 *   - misbehaving on purpose (fault.h): before the request is looked at, or instead of its answer. */
#include "sim/vapi/check.h"
#include "sim/vapi/double.h"
#include "sim/vapi/private.h"

#include "base/now.h"
#include "io/tls.h"

#include <stdlib.h>
#include <string.h>

enum { STALL_MS = 10000, PAGE = 100, PAGE_MAX = 1000 };

/* An answer that is still to come. Owns itself; its request points to it. */
struct vapi_later {
    struct vapi_later *next;
    struct vapi_double *d;
    struct http_request *r;   /* NULL: whoever asked has left */
    struct loop_timer *timer; /* owns; NULL: somebody else knows when */
    char *type, *text;        /* own, with the timer */
    int status;
};

/* ---- answers that come later ---- */

static void later_free(struct vapi_later *l)
{
    struct vapi_later **at = &l->d->later;

    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    loop_timer_free(l->timer);
    free(l->type);
    free(l->text);
    free(l);
}

struct vapi_later *vapi_later(struct vapi_ask *a)
{
    struct vapi_later *l = calloc(1, sizeof(*l));

    if (!l) {
        http_hang_up(a->r);
        return NULL;
    }
    *l = (struct vapi_later){.next = a->d->later, .d = a->d, .r = a->r};
    a->d->later = l;
    http_set_user(a->r, l);
    return l;
}

void vapi_later_answer(struct vapi_later *l, int status, const char *type, const char *text)
{
    if (l->r) {
        http_set_user(l->r, NULL);
        http_reply(l->r, status, type, rd_str(text));
    }
    later_free(l);
}

void vapi_later_gone(struct http_request *r)
{
    struct vapi_later *l = http_user(r);

    if (l)
        l->r = NULL;
}

void vapi_later_stop(struct vapi_double *d)
{
    while (d->later)
        later_free(d->later);
}

static void on_stalled(void *arg)
{
    struct vapi_later *l = arg;

    vapi_later_answer(l, l->status, l->type, l->text);
}

static void stall(struct vapi_ask *a, int status, const char *type, const char *text)
{
    struct vapi_later *l = vapi_later(a);

    if (!l)
        return;
    l->status = status;
    l->type = strdup(type);
    l->text = strdup(text);
    if (!l->type || !l->text || loop_timer_new(&l->timer, a->d->loop, on_stalled, l)) {
        vapi_later_answer(l, 500, "text/plain", "");
        return;
    }
    loop_timer_in(l->timer, STALL_MS);
}

/* ---- answers ---- */

static void give(struct vapi_ask *a, int status, const char *type, const char *text)
{
    if (a->fault == VAPI_LOST)
        http_hang_up(a->r);
    else if (a->fault == VAPI_STALL)
        stall(a, status, type, text);
    else
        http_reply_with(a->r, status, type,
                        a->fault == VAPI_BUSY_AFTER && status == 429 ? "retry-after: 1\r\n" : "",
                        rd_str(text));
}

void vapi_answer(struct vapi_ask *a, int status, json_t *tree)
{
    struct rd_str target = http_target(a->r);
    char *text = tree ? json_dumps(tree, VAPI_JSON) : NULL;

    vapi_note(a->d, "rest",
              json_pack("{s:s, s:s%, s:i, s:O*, s:o*}", "method", a->method, "path", target.p,
                        target.n, "status", status, "body", a->body, "answer", tree));
    give(a, status, "application/json; charset=utf-8", text ? text : "{}");
    free(text);
}

void vapi_answer_twiml(struct vapi_ask *a, const char *twiml)
{
    give(a, 200, "text/xml", twiml);
}

void vapi_refuse(struct vapi_ask *a, int status, json_t *message)
{
    static const struct {
        int status;
        const char *error;
    } errors[] = {
        {400, "Bad Request"},       {401, "Unauthorized"},          {404, "Not Found"},
        {429, "Too Many Requests"}, {500, "Internal Server Error"}, {503, "Service Unavailable"}};
    const char *error = "Error";

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        if (errors[i].status == status)
            error = errors[i].error;
    vapi_answer(
        a, status,
        json_pack("{s:o, s:s, s:i}", "message", message, "error", error, "statusCode", status));
}

void vapi_not_found(struct vapi_ask *a, const char *what)
{
    vapi_refuse(a, 404, json_string(what));
}

bool vapi_checked(struct vapi_ask *a, json_t *complaints)
{
    if (json_array_size(complaints) == 0) {
        json_decref(complaints);
        return false;
    }
    vapi_refuse(a, 400, complaints);
    return true;
}

/* ---- words ---- */

void vapi_id(char out[VAPI_ID])
{
    uint8_t b[16] = {0};
    char hex[33];

    (void)random_bytes(b, sizeof(b));
    b[6] = (uint8_t)(0x40 | (b[6] & 0x0F));
    b[8] = (uint8_t)(0x80 | (b[8] & 0x3F));
    rd_hex(hex, b, sizeof(b));
    snprintf(out, VAPI_ID, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
}

json_t *vapi_iso(int64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm tm;
    char day[32], text[48];

    if (at_ms == 0)
        return NULL;
    strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &tm));
    snprintf(text, sizeof(text), "%s.%03dZ", day, (int)(at_ms % 1000));
    return json_string(text);
}

void vapi_stamp(json_t *resource, bool created)
{
    int64_t now = unix_ms();

    json_object_set_new(resource, "orgId", json_string(VAPI_DOUBLE_ORG));
    if (created)
        json_object_set_new(resource, "createdAt", vapi_iso(now));
    json_object_set_new(resource, "updatedAt", vapi_iso(now));
}

const char *vapi_text(const json_t *object, const char *key)
{
    const char *z = json_string_value(json_object_get(object, key));

    return z ? z : "";
}

json_t *vapi_find(json_t *list, const char *key, const char *value)
{
    json_t *one;
    size_t i;

    json_array_foreach(list, i, one) if (strcmp(vapi_text(one, key), value) == 0) return one;
    return NULL;
}

/* ---- pages ---- */

/* Does a time match "createdAtLt" and its like? */
static bool in_time(const struct carrier_form *query, const char *name, int64_t at_ms)
{
    static const struct {
        const char *suffix;
        bool less, same;
    } tests[] = {
        {"Lt", true, false}, {"Le", true, true}, {"Gt", false, false}, {"Ge", false, true}};
    char key[32];

    for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        const char *value;
        int64_t than;

        snprintf(key, sizeof(key), "%s%s", name, tests[i].suffix);
        value = carrier_form_get(query, key);
        if (!value)
            continue;
        than = vapi_time(value);
        if (at_ms == than ? !tests[i].same : (at_ms < than) != tests[i].less)
            return false;
    }
    return true;
}

static bool matches(const struct carrier_form *query, const struct vapi_entry *e)
{
    const char *const values[] = {e->id, e->assistant_id, e->number_id};
    static const char *const words[] = {"id", "assistantId", "phoneNumberId"};

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        const char *value = carrier_form_get(query, words[i]);
        if (value && strcmp(value, values[i]) != 0)
            return false;
    }
    return in_time(query, "createdAt", e->created_ms) && in_time(query, "updatedAt", e->updated_ms);
}

static void complain(json_t *complaints, const char *name, const char *what)
{
    char text[200];

    snprintf(text, sizeof(text), "%s %s", name, what);
    json_array_append_new(complaints, json_string(text));
}

static json_t *check_query(const struct carrier_form *query)
{
    static const char known[] = " id assistantId phoneNumberId limit createdAtGt createdAtLt "
                                "createdAtGe createdAtLe updatedAtGt updatedAtLt updatedAtGe "
                                "updatedAtLe ";
    json_t *complaints = json_array();
    char word[72];

    for (size_t i = 0; i < query->n; i++) {
        const char *name = query->fields[i].name, *value = query->fields[i].value;

        snprintf(word, sizeof(word), " %.64s ", name);
        if (!strstr(known, word)) {
            snprintf(word, sizeof(word), "property %.40s", name);
            complain(complaints, word, "should not exist");
        } else if (strcmp(name, "limit") == 0) {
            char *end;
            unsigned long n = strtoul(value, &end, 10);
            if (*end || !*value || n > PAGE_MAX)
                complain(complaints, name, "must not be greater than 1000");
        } else if (strstr(name, "edAt") && vapi_time(value) < 0) {
            complain(complaints, name, "must be a valid ISO 8601 date string");
        }
    }
    return complaints;
}

void vapi_page(struct vapi_ask *a, const struct vapi_entry *entries, size_t n)
{
    const char *limit = carrier_form_get(&a->query, "limit");
    size_t most = limit ? strtoul(limit, NULL, 10) : PAGE;
    json_t *page;

    if (vapi_checked(a, check_query(&a->query)))
        return;
    page = json_array();
    for (size_t i = 0; i < n && json_array_size(page) < most; i++)
        if (matches(&a->query, &entries[i]))
            json_array_append_new(page, entries[i].show(entries[i].what));
    vapi_answer(a, 200, page);
}

/* ---- requests ---- */

bool vapi_is_key(const struct http_request *r, const char *key)
{
    struct rd_str got = http_header(r, "authorization");
    char want[160];

    snprintf(want, sizeof(want), "Bearer %s", key);
    return got.p && rd_str_same_secret(got, rd_str(want));
}

/* True: answered. */
static bool misbehaves(struct vapi_ask *a, enum vapi_turn turn)
{
    a->fault = vapi_faults_next(&a->d->faults, turn);
    switch (a->fault) {
    case VAPI_BUSY:
    case VAPI_BUSY_AFTER:
        vapi_refuse(a, 429, json_string("Rate limit exceeded"));
        return true;
    case VAPI_BROKEN:
        vapi_refuse(a, 500, json_string("Internal server error"));
        return true;
    case VAPI_UNAVAILABLE:
        vapi_refuse(a, 503, json_string("Service unavailable"));
        return true;
    case VAPI_MESSAGES:
        vapi_refuse(a, 400,
                    json_pack("[s, s]", "name must be a string",
                              "name must be shorter than or equal to 40 characters"));
        return true;
    case VAPI_FULL:
        vapi_refuse(a, 400, json_string("Over Concurrency Limit"));
        return true;
    default:
        return false;
    }
}

struct route {
    const char *prefix;
    void (*serve)(struct vapi_ask *a);
    bool form; /* Twilio's: no key, no JSON */
    bool open; /* no key */
    int turn;  /* whose misbehaviour; -1: whatever the method says */
};

static const struct route routes[] = {
    {"/call", vapi_calls, false, false, -1},
    {"/phone-number", vapi_numbers, false, false, -1},
    {"/assistant", vapi_assistants, false, false, -1},
    {"/twilio/inbound_call", vapi_inbound, true, true, VAPI_TURN_INBOUND},
    {"/twilio/status", vapi_status, true, true, -1},
    {"/control", vapi_control, false, false, -1},
};

/* "/call/<id>/<below>" and its like; also "/<id>/control". */
static const struct route *route_of(struct vapi_ask *a)
{
    static const struct route live = {"", vapi_live_control, false, true, -1};
    char path[160];

    if (!rd_str_copy(path, sizeof(path), http_path(a->r)))
        return NULL;
    for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++) {
        size_t n = strlen(routes[i].prefix), n_id;
        const char *rest = path + n;

        if (strncmp(path, routes[i].prefix, n) != 0 || (*rest && *rest != '/'))
            continue;
        rest += *rest == '/';
        n_id = strcspn(rest, "/");
        if (n_id >= sizeof(a->id))
            return NULL;
        memcpy(a->id, rest, n_id);
        rest += n_id;
        return rd_str_copy(a->below, sizeof(a->below), rd_str(*rest ? rest + 1 : rest)) ? &routes[i]
                                                                                        : NULL;
    }
    if (strlen(path) == VAPI_ID + 8 && strcmp(path + VAPI_ID, "/control") == 0) {
        memcpy(a->id, path + 1, VAPI_ID - 1);
        return &live;
    }
    return NULL;
}

/* The query, Twilio's form, or the JSON object. False: it is none. */
static bool read_input(struct vapi_ask *a, bool form)
{
    struct rd_str target = http_target(a->r), body = http_body(a->r);
    const char *query = memchr(target.p, '?', target.n);

    if (form)
        return carrier_form_read(&a->query, body) == 0;
    if (query &&
        carrier_form_read(&a->query,
                          (struct rd_str){query + 1, target.n - (size_t)(query + 1 - target.p)}))
        return false;
    if (strcmp(a->method, "POST") != 0 && strcmp(a->method, "PATCH") != 0)
        return true;
    a->body = body.n > 0 ? json_loadb(body.p, body.n, 0, NULL) : json_object();
    return json_is_object(a->body);
}

static enum vapi_turn turn_of(const struct vapi_ask *a, const struct route *route)
{
    if (route->turn >= 0)
        return (enum vapi_turn)route->turn;
    if (strcmp(a->method, "GET") == 0)
        return VAPI_TURN_GET;
    return route->serve == vapi_calls && strcmp(a->method, "POST") == 0 ? VAPI_TURN_CALL
                                                                        : VAPI_TURN_WRITE;
}

void vapi_request(struct vapi_double *d, struct http_request *r)
{
    static const char *const methods[] = {"GET", "POST", "PATCH", "DELETE"};
    struct vapi_ask a = {.d = d, .r = r, .method = ""};
    const struct route *route = route_of(&a);
    bool faulty = route && route->serve != vapi_control && route->serve != vapi_live_control &&
                  route->serve != vapi_status;

    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
        if (rd_str_eq(http_method(r), rd_str(methods[i])))
            a.method = methods[i];
    if (!route || !*a.method)
        vapi_not_found(&a, "Cannot find that");
    else if (!route->open && !vapi_is_key(r, VAPI_DOUBLE_KEY))
        vapi_refuse(&a, 401,
                    json_string("Invalid Key. Hot tip, you may be using the private key "
                                "instead of the public key, or vice versa."));
    else if (!read_input(&a, route->form))
        vapi_refuse(&a, 400, json_string("Unexpected token in JSON"));
    else if (!faulty || !misbehaves(&a, turn_of(&a, route)))
        route->serve(&a);
    json_decref(a.body);
    carrier_form_fini(&a.query);
}
