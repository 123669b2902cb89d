/* SPDX-License-Identifier: Apache-2.0 */
/* hook.c - posts server messages and keeps what was answered.
 *
 * Happy path: whoever wants the message is posted it, authenticated as the account says; the answer is checked
 * (answers.c), kept, and handed to whoever waits for it.
 *
 * Failure modes
 *   - nowhere to post to: kept as `unsent`, without an answer; not wanted: not even that;
 *   - no answer in time (7.5 s for an assistant, else the server's timeoutSeconds): not asked again, unless the
 *     server has a backoffPlan;
 *   - misbehaving on purpose (fault.h): lost, twice, in the wrong order, forged, or signed long ago.
 *
 * What is kept: {type, call, url, attempt, status, err, answer, wrong, ms, message}; in `wrong` why Vapi would not
 * have taken the answer, "" when it would. */
#include "sim/vapi/answers.h"
#include "sim/vapi/private.h"

#include "base/err.h"
#include "base/now.h"

#include <stdlib.h>
#include <string.h>

enum {
    ASSISTANT_MS = 7500,
    TIMEOUT_S = 20,
    HELD_MS = 400,
    KEPT_MAX = 500,
    ANSWER_MAX = 1 << 20,
    HEADERS_MAX = 12,
    OLD_MS = 600000
};

struct vapi_hook {
    struct vapi_hook *next;
    struct vapi_call *c;
    struct vapi_hook *after; /* the one that waited for this one to go first */
    struct http_call *request;
    struct loop_timer *timer; /* owns; until it is held no longer, or tried again */
    json_t *message;          /* owns */
    json_t *server;           /* owns a reference */
    vapi_hook_fn *done;
    void *arg;
    unsigned attempt;
    bool again; /* it came already: once more, for nobody */
    uint64_t began_ms;
};

static void post(struct vapi_hook *h);

static const char *type_of(const struct vapi_hook *h)
{
    return vapi_text(h->message, "type");
}

static void hook_free(struct vapi_hook *h)
{
    struct vapi_hook **at = &h->c->d->hooks;

    while (*at && *at != h)
        at = &(*at)->next;
    if (*at)
        *at = h->next;
    if (h->c->d->held == h)
        h->c->d->held = NULL;
    loop_timer_free(h->timer);
    json_decref(h->message);
    json_decref(h->server);
    free(h);
}

/* ---- what became of it ---- */

static json_t *record_of(const struct vapi_hook *h, int status, int err, json_t *answer,
                         const char *wrong)
{
    return json_pack("{s:s, s:s, s:s*, s:i, s:i, s:i, s:o, s:s, s:I, s:O}", "type", type_of(h),
                     "call", h->c->id, "url", json_string_value(json_object_get(h->server, "url")),
                     "attempt", (int)h->attempt, "status", status, "err", err, "answer",
                     answer ? answer : json_null(), "wrong", wrong, "ms",
                     (json_int_t)(clock_ms(loop_clock()) - h->began_ms), "message", h->message);
}

static json_t *keep(const struct vapi_hook *h, json_t *record)
{
    struct vapi_double *d = h->c->d;

    if (json_array_size(d->hooked) == KEPT_MAX)
        json_array_remove(d->hooked, 0);
    json_array_append(d->hooked, record);
    vapi_note(d, "hook", json_deep_copy(record));
    return record;
}

static void finish(struct vapi_hook *h, json_t *record)
{
    struct vapi_hook *after = h->after;
    vapi_hook_fn *done = h->done;
    struct vapi_call *c = h->c;
    void *arg = h->arg;

    if (c->d->faults.twice && !h->again && h->request) {
        h->again = true;
        h->done = NULL;
        h->after = NULL;
        h->request = NULL;
        h->attempt++;
        post(h);
    } else {
        hook_free(h);
    }
    if (after)
        post(after);
    if (done)
        done(c, record, arg);
    json_decref(record);
}

static void unsent(struct vapi_hook *h, bool wanted)
{
    json_t *record = record_of(h, 0, 0, NULL, "");

    json_object_set_new(record, "unsent", json_true());
    finish(h, wanted ? keep(h, record) : record);
}

/* ---- sending ---- */

static const json_t *plan_of(const struct vapi_hook *h)
{
    return json_object_get(h->server, "backoffPlan");
}

static void on_again(void *arg)
{
    struct vapi_hook *h = arg;

    loop_timer_free(h->timer);
    h->timer = NULL;
    post(h);
}

/* True: it will be tried again. */
static bool tries_again(struct vapi_hook *h)
{
    const json_t *plan = plan_of(h);
    double wait_s = json_number_value(json_object_get(plan, "baseDelaySeconds"));

    if (!plan || h->attempt > json_integer_value(json_object_get(plan, "maxRetries")))
        return false;
    if (strcmp(vapi_text(plan, "type"), "exponential") == 0)
        wait_s *= (double)(1U << (h->attempt - 1));
    h->attempt++;
    h->request = NULL;
    if (loop_timer_new(&h->timer, h->c->d->loop, on_again, h))
        return false;
    loop_timer_in(h->timer, (uint64_t)(wait_s * 1000.0) + 1);
    return true;
}

static void on_answer(const struct http_result *r, void *arg)
{
    struct vapi_hook *h = arg;
    json_t *answer =
        !r->err && r->body.n > 0 ? json_loadb(r->body.p, r->body.n, JSON_DECODE_ANY, NULL) : NULL;
    bool good = !r->err && r->status >= 200 && r->status < 300;
    char wrong[256] = "";
    json_t *record;

    if (r->err)
        snprintf(wrong, sizeof(wrong), "no answer: %.200s",
                 r->text ? r->text : rd_strerror(r->err));
    else if (good && !answer && r->body.n > 0)
        snprintf(wrong, sizeof(wrong), "the answer is no JSON");
    else
        vapi_answer_check(wrong, sizeof(wrong), h->message, r->status, answer);
    record = keep(h, record_of(h, r->status, r->err, answer, wrong));
    if (!good && !h->again && tries_again(h))
        json_decref(record);
    else
        finish(h, record);
}

static unsigned patience_ms(const struct vapi_hook *h)
{
    json_int_t s = json_integer_value(json_object_get(h->server, "timeoutSeconds"));

    if (strcmp(type_of(h), "assistant-request") == 0)
        return ASSISTANT_MS;
    return (unsigned)(s > 0 ? s : TIMEOUT_S) * 1000;
}

static int start(struct vapi_hook *h, struct rd_str body)
{
    struct vapi_double *d = h->c->d;
    struct vapi_sign sign = d->sign;
    char proof[2][VAPI_SIGN_HEADER], fixed[HEADERS_MAX][256];
    const char *header[HEADERS_MAX + 4] = {"Content-Type: application/json"};
    struct http_call_opts o = {.method = "POST",
                               .url = vapi_text(h->server, "url"),
                               .header = header,
                               .body = body,
                               .timeout_ms = patience_ms(h),
                               .max_body = ANSWER_MAX};
    size_t n = 1, n_fixed = 0;
    const char *name;
    json_t *value;

    if (d->faults.forged)
        snprintf(sign.secret, sizeof(sign.secret), "somebody else's");
    vapi_sign_headers(proof, &sign, body, unix_ms() - (d->faults.old ? OLD_MS : 0));
    for (int i = 0; i < 2; i++)
        if (proof[i][0])
            header[n++] = proof[i];
    json_object_foreach(json_object_get(h->server, "headers"), name, value)
    {
        if (n_fixed == HEADERS_MAX || !json_is_string(value))
            continue;
        snprintf(fixed[n_fixed], sizeof(fixed[0]), "%s: %s", name, json_string_value(value));
        header[n++] = fixed[n_fixed++];
    }
    return http_call_start(&h->request, d->http, &o, on_answer, h);
}

static void post(struct vapi_hook *h)
{
    json_t *whole = json_pack("{s:O}", "message", h->message);
    char *body = json_dumps(whole, VAPI_JSON);
    int rc;

    h->began_ms = clock_ms(loop_clock());
    rc = body ? start(h, rd_str(body)) : -1;
    free(body);
    json_decref(whole);
    if (rc)
        finish(h, keep(h, record_of(h, 0, rc, NULL, "the address cannot be posted to")));
}

/* ---- which, and when ---- */

static bool is_question(const char *type)
{
    return strcmp(type, "assistant-request") == 0 || strcmp(type, "tool-calls") == 0 ||
           strcmp(type, "function-call") == 0 || strcmp(type, "transfer-destination-request") == 0;
}

static void on_held(void *arg)
{
    struct vapi_hook *h = arg;

    h->c->d->held = NULL;
    on_again(h);
}

/* Of two messages the first waits for the second. True: this one is the first. */
static bool is_held(struct vapi_hook *h)
{
    struct vapi_double *d = h->c->d;

    if (!d->faults.backwards || is_question(type_of(h)))
        return false;
    if (d->held) {
        h->after = d->held;
        loop_timer_free(d->held->timer);
        d->held->timer = NULL;
        d->held = NULL;
        return false;
    }
    if (loop_timer_new(&h->timer, d->loop, on_held, h))
        return false;
    loop_timer_in(h->timer, HELD_MS);
    d->held = h;
    return true;
}

static void launch(struct vapi_call *c, const char *type, const char *tool, json_t *fields,
                   vapi_hook_fn *done, void *arg)
{
    struct vapi_hook *h = c->d->stopped ? NULL : calloc(1, sizeof(*h));
    bool wanted;

    if (!h) {
        json_decref(fields);
        return;
    }
    *h = (struct vapi_hook){.next = c->d->hooks,
                            .c = c,
                            .message = vapi_message(c, type, fields),
                            .server = json_incref((json_t *)vapi_server_of(c, type, tool)),
                            .done = done,
                            .arg = arg,
                            .attempt = 1};
    c->d->hooks = h;
    h->began_ms = clock_ms(loop_clock());
    wanted = vapi_is_wanted(c, type);
    if (!wanted || !h->server || c->d->faults.no_hooks)
        unsent(h, wanted);
    else if (!is_held(h))
        post(h);
}

void vapi_hook(struct vapi_call *c, const char *type, json_t *fields, vapi_hook_fn *done, void *arg)
{
    launch(c, type, NULL, fields, done, arg);
}

void vapi_hook_tool(struct vapi_call *c, const char *shape, const char *name, const char *arguments,
                    vapi_hook_fn *done, void *arg)
{
    char id[VAPI_TOOL_ID];

    vapi_tool_id(id);
    launch(c, strcmp(shape, "legacy") == 0 ? "function-call" : "tool-calls", name,
           vapi_tool_fields(shape, id, name, arguments), done, arg);
}

void vapi_hooks_stop(struct vapi_double *d)
{
    while (d->hooks) {
        struct vapi_hook *h = d->hooks;
        d->hooks = h->next;
        if (h->request)
            http_call_cancel(h->request);
        hook_free(h);
    }
}
