/* SPDX-License-Identifier: Apache-2.0 */
/* Calls of the simulated REST API: fetch, update, list, delete; rest_create.c creates them.
 *
 * Happy path: an update is answered first and takes effect a moment later, as over there.
 *
 * Failure modes
 *   - the call is over, or not yet answered where it must be: 400, 21220;
 *   - Twiml with Url, Twiml above 4000 characters, a Status that is none, an unknown field: 400, 20001;
 *   - a Url that is none: 400, 21205;
 *   - a call that is not over is deleted: 409.
 */
#include "sim/carrier/leg.h"
#include "sim/carrier/rest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TWIML_MAX = 4000, EFFECT_MS = 60 };

/* A call as REST tells it, whatever it is in here. */
struct view {
    const char *sid, *parent, *from, *to, *status, *direction;
    int64_t placed_unix, started_unix, ended_unix;
    unsigned seconds;
};

static json_t *call_json(const struct carrier_double *d, const struct view *v)
{
    char uri[160], duration[24];
    bool over = v->ended_unix != 0;

    snprintf(uri, sizeof(uri), "/2010-04-01/Accounts/%s/Calls/%s.json", d->account, v->sid);
    snprintf(duration, sizeof(duration), "%u", v->seconds);
    return json_pack(
        "{s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:s, s:n, s:s, s:o, s:o, s:o, s:n,"
        " s:s, s:s, s:n, s:s, s:n, s:n, s:n, s:s, s:n, s:s, s:{}}",
        "sid", v->sid, "date_created", rest_date(v->placed_unix), "date_updated",
        rest_date(over ? v->ended_unix : v->placed_unix), "parent_call_sid", rest_text(v->parent),
        "account_sid", d->account, "to", v->to, "to_formatted", v->to, "from", v->from,
        "from_formatted", v->from, "phone_number_sid", "status", v->status, "start_time",
        rest_date(v->started_unix), "end_time", rest_date(v->ended_unix), "duration",
        over ? json_string(duration) : json_null(), "price", "price_unit", "USD", "direction",
        v->direction, "answered_by", "api_version", "2010-04-01", "forwarded_from", "group_sid",
        "caller_name", "queue_time", "0", "trunk_sid", "uri", uri, "subresource_uris");
}

static struct view view_of_call(const struct carrier_call *c)
{
    return (struct view){.sid = c->sid,
                         .from = c->from,
                         .to = c->to,
                         .status = c->state == CARRIER_UP ? "in-progress" : "ringing",
                         .direction = "inbound",
                         .placed_unix = c->placed_unix,
                         .started_unix = c->placed_unix};
}

static struct view view_of_past(const struct carrier_past *p)
{
    return (struct view){.sid = p->sid,
                         .from = p->from,
                         .to = p->to,
                         .status = "completed",
                         .direction = "inbound",
                         .placed_unix = p->placed_unix,
                         .started_unix = p->placed_unix,
                         .ended_unix = p->ended_unix,
                         .seconds = (unsigned)p->duration_s};
}

static struct view view_of_leg(const struct carrier_leg *l)
{
    return (struct view){.sid = l->sid,
                         .parent = l->parent_sid,
                         .from = l->from,
                         .to = l->to,
                         .status = l->status,
                         .direction = l->parent_sid[0] ? "outbound-dial" : "outbound-api",
                         .placed_unix = l->placed_unix,
                         .started_unix = l->answered_unix,
                         .ended_unix = l->ended_unix,
                         .seconds = carrier_leg_seconds(l)};
}

static void answer_call(struct rest_ask *a, int status, struct view v)
{
    rest_answer(a, status, call_json(a->d, &v));
}

void rest_answer_leg(struct rest_ask *a, int status, const struct carrier_leg *l)
{
    answer_call(a, status, view_of_leg(l));
}

/* ---- update ---- */

struct rest_mistake rest_check_document(const struct carrier_form *f)
{
    const char *twiml = carrier_form_get(f, "Twiml"), *url = carrier_form_get(f, "Url");
    const char *method = carrier_form_get(f, "Method");

    if (twiml && url)
        return (struct rest_mistake){20001, "Twiml and Url exclude each other"};
    if (twiml && strlen(twiml) > TWIML_MAX)
        return (struct rest_mistake){20001, "Twiml is longer than 4000 characters"};
    if (method && strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0)
        return (struct rest_mistake){20001, "Method can only be GET or POST"};
    if (!rest_is_url(url) || !rest_is_url(carrier_form_get(f, "StatusCallback")))
        return (struct rest_mistake){21205, "Url is not a valid URL"};
    return (struct rest_mistake){0, NULL};
}

static struct rest_mistake check_update(const struct carrier_form *f)
{
    static const char *const known[] = {"Url",
                                        "Method",
                                        "Status",
                                        "FallbackUrl",
                                        "FallbackMethod",
                                        "StatusCallback",
                                        "Twiml",
                                        "StatusCallbackMethod",
                                        "TimeLimit",
                                        NULL};
    const char *status = carrier_form_get(f, "Status");
    struct rest_mistake m = rest_unknown(f, known);

    if (m.code == 0 && status && strcmp(status, "completed") != 0 &&
        strcmp(status, "canceled") != 0)
        m = (struct rest_mistake){20001, "Status can only be completed or canceled"};
    return m.code ? m : rest_check_document(f);
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

static struct carrier_update update_of(const struct carrier_form *f)
{
    struct carrier_update u = {.hang_up = carrier_form_get(f, "Status") != NULL,
                               .twiml = copy(carrier_form_get(f, "Twiml")),
                               .url = copy(carrier_form_get(f, "Url")),
                               .method = copy(carrier_form_get(f, "Method"))};

    u.pending = u.hang_up || u.twiml || u.url;
    return u;
}

/* May a call that is up, or only rings, be changed like that? */
static struct rest_mistake check_state(const struct carrier_form *f, bool up)
{
    const char *status = carrier_form_get(f, "Status");
    bool cancels = status && strcmp(status, "canceled") == 0;

    if (cancels && up)
        return (struct rest_mistake){21220, "Unable to cancel. Call is already in progress"};
    return (struct rest_mistake){0, NULL};
}

static void update_call(struct rest_ask *a, struct carrier_call *c)
{
    struct rest_mistake m = check_update(&a->form);

    if (m.code == 0)
        m = check_state(&a->form, c->state == CARRIER_UP);
    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    carrier_update_fini(&c->update);
    c->update = update_of(&a->form);
    if (c->update.pending)
        loop_timer_in(c->update_timer, EFFECT_MS);
    answer_call(a, 200, view_of_call(c));
}

static void update_leg(struct rest_ask *a, struct carrier_leg *l)
{
    struct rest_mistake m = check_update(&a->form);
    bool up = l->state == LEG_TALKING || l->state == LEG_THROUGH;
    struct carrier_update u;

    if (m.code == 0)
        m = check_state(&a->form, up);
    if (m.code == 0 && !up && !carrier_form_get(&a->form, "Status"))
        m = (struct rest_mistake){21220, "Call is not in-progress. Cannot redirect."};
    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    u = update_of(&a->form);
    rest_answer_leg(a, 200, l);
    if (u.pending)
        carrier_leg_update(l, &u);
    carrier_update_fini(&u);
}

/* ---- one call ---- */

static void one_call(struct rest_ask *a, struct carrier_call *c)
{
    struct carrier_who who = carrier_call_who(c, "");

    if (rest_fails(a, a->post ? REST_WRITE : REST_READ, &who))
        return;
    if (a->remove)
        rest_remove(a, false, NULL);
    else if (a->post)
        update_call(a, c);
    else
        answer_call(a, 200, view_of_call(c));
}

static void one_leg(struct rest_ask *a, struct carrier_leg *l)
{
    struct carrier_who who = {.sid = l->sid, .scenario = l->scenario, .since_ms = l->since_ms};

    if (rest_fails(a, a->post ? REST_WRITE : REST_READ, &who))
        return;
    if (a->remove)
        rest_remove(a, l->state == LEG_OVER, &l->deleted);
    else if (a->post && l->state == LEG_OVER)
        rest_refuse(a, 400, 21220, "Call is not in-progress. Cannot redirect.");
    else if (a->post)
        update_leg(a, l);
    else
        rest_answer_leg(a, 200, l);
}

static void one_past(struct rest_ask *a, struct carrier_past *p)
{
    struct carrier_who who = {
        .sid = p->sid, .scenario = p->scenario->name, .since_ms = p->placed_ms};

    (void)rest_fails(a, REST_NEVER, &who);
    if (a->remove)
        rest_remove(a, true, &p->deleted);
    else if (a->post)
        rest_refuse(a, 400, 21220, "Call is not in-progress. Cannot redirect.");
    else
        answer_call(a, 200, view_of_past(p));
}

static void one(struct rest_ask *a)
{
    struct carrier_double *d = a->d;

    for (struct carrier_call *c = d->calls; c; c = c->next) {
        if (strcmp(c->sid, a->sid) == 0 && c->state != CARRIER_ENDING &&
            c->state != CARRIER_PREPARING) {
            one_call(a, c);
            return;
        }
    }
    for (struct carrier_leg *l = d->legs; l; l = l->next) {
        if (strcmp(l->sid, a->sid) == 0 && !l->deleted) {
            one_leg(a, l);
            return;
        }
    }
    for (size_t i = 0; i < CARRIER_PAST_CALLS; i++) {
        if (strcmp(d->past[i].sid, a->sid) == 0 && !d->past[i].deleted) {
            one_past(a, &d->past[i]);
            return;
        }
    }
    rest_not_found(a);
}

/* ---- list ---- */

static void add(struct rest_ask *a, json_t *all, struct view v)
{
    const struct carrier_form *f = &a->form;

    if (rest_matches(f, "Status", v.status) && rest_matches(f, "To", v.to) &&
        rest_matches(f, "From", v.from) &&
        rest_matches(f, "ParentCallSid", v.parent ? v.parent : "") &&
        rest_in_time(f, "StartTime", v.started_unix))
        json_array_append_new(all, call_json(a->d, &v));
}

/* Calls in progress first, then who was dialled, then those that are over, each newest first. */
static void list(struct rest_ask *a)
{
    static const char *const known[] = {"Status",    "To",         "From",       "ParentCallSid",
                                        "StartTime", "StartTime<", "StartTime>", "PageSize",
                                        "Page",      "PageToken",  NULL};
    struct carrier_double *d = a->d;
    struct carrier_who who = {.sid = "", .scenario = "", .since_ms = d->began_ms};
    struct rest_mistake m = rest_unknown(&a->form, known);
    json_t *all;

    if (rest_fails(a, REST_READ, &who))
        return;
    if (m.code) {
        rest_refuse(a, 400, m.code, m.why);
        return;
    }
    all = json_array();
    for (const struct carrier_call *c = d->calls; c; c = c->next) {
        if (c->state != CARRIER_ENDING && c->state != CARRIER_PREPARING)
            add(a, all, view_of_call(c));
    }
    for (const struct carrier_leg *l = d->legs; l; l = l->next)
        if (!l->deleted)
            add(a, all, view_of_leg(l));
    for (size_t i = 0; i < CARRIER_PAST_CALLS && i < d->n_past; i++) {
        const struct carrier_past *p = &d->past[(d->n_past - 1 - i) % CARRIER_PAST_CALLS];

        if (!p->deleted)
            add(a, all, view_of_past(p));
    }
    rest_page(a, "Calls", "calls", all);
}

void rest_calls(struct rest_ask *a)
{
    if (a->sid[0])
        one(a);
    else if (a->post)
        rest_create_call(a);
    else
        list(a);
}
