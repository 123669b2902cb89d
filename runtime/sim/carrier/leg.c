/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a telephone that is rung.
 *
 * Happy path: it rings, somebody answers, the document of its <Number url> or of REST is run to him
 * (leg_run.c); when that ends without <Hangup> he has taken the call.
 *
 * Failure modes: it is busy, cannot be reached, or nobody answers in time; who answers hangs up, or is
 * hung up by the document; the network cancels it, because somebody else was faster or the caller has
 * gone. Each is a status, told to the status callback as Twilio does.
 */
#include "sim/carrier/leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct carrier_who who_of(const struct carrier_leg *l, const char *status)
{
    return (struct carrier_who){.sid = l->sid,
                                .parent_sid = l->parent_sid[0] ? l->parent_sid : NULL,
                                .from = l->from,
                                .to = l->to,
                                .status = status,
                                .direction = l->parent_sid[0] ? "outbound-dial" : "outbound-api",
                                .scenario = l->scenario,
                                .since_ms = l->since_ms};
}

void carrier_leg_tell(struct carrier_leg *l, const char *event, json_t *fields)
{
    struct carrier_who who = who_of(l, l->status);
    json_t *all = json_pack("{s:s, s:s}", "leg", l->sid, "to", l->to);

    if (all && fields)
        json_object_update(all, fields);
    json_decref(fields);
    if (l->parent_sid[0])
        who.sid = l->parent_sid;
    carrier_event(l->d, &who, event, all);
}

bool carrier_leg_was_answered(const struct carrier_leg *l)
{
    return l->answered_ms > 0;
}

unsigned carrier_leg_seconds(const struct carrier_leg *l)
{
    uint64_t end = l->ended_ms ? l->ended_ms : clock_ms(loop_clock());

    return l->answered_ms ? (unsigned)((end - l->answered_ms + 999) / 1000) : 0;
}

/* Is `event` one of those asked for? Without a list only the end is. */
static bool is_wanted(const struct carrier_leg *l, const char *event)
{
    const char *at = l->events && l->events[0] ? l->events : "completed";
    size_t n = strlen(event);

    while (*at) {
        size_t word = strcspn(at, " ");
        if (word == n && memcmp(at, event, n) == 0)
            return true;
        at += word;
        at += strspn(at, " ");
    }
    return false;
}

static void tell_status(struct carrier_leg *l, const char *event, const char *status)
{
    struct carrier_form f = {.n = 0};
    struct carrier_who who = who_of(l, status);
    char text[64];

    if (!l->status_url || !is_wanted(l, event))
        return;
    carrier_add_standard(&f, l->d, &who);
    carrier_date(text, (int64_t)time(NULL));
    carrier_form_add(&f, "Timestamp", text);
    snprintf(text, sizeof(text), "%u", l->n_told++);
    carrier_form_add(&f, "SequenceNumber", text);
    carrier_form_add(&f, "CallbackSource", "call-progress-events");
    if (strcmp(event, "completed") == 0) {
        snprintf(text, sizeof(text), "%u", carrier_leg_seconds(l));
        carrier_form_add(&f, "CallDuration", text);
    }
    if (strcmp(status, "completed") == 0) {
        snprintf(text, sizeof(text), "%u", (carrier_leg_seconds(l) + 59) / 60);
        carrier_form_add(&f, "Duration", text);
    }
    carrier_post(l->d, l->status_url, &f, &who);
}

void carrier_leg_over(struct carrier_leg *l, const char *status)
{
    if (l->state == LEG_OVER)
        return;
    carrier_leg_run_stop(l);
    l->state = LEG_OVER;
    l->status = status;
    l->person = NULL;
    l->ended_ms = clock_ms(loop_clock());
    l->ended_unix = (int64_t)time(NULL);
    carrier_leg_tell(l, "leg.ended", json_pack("{s:s}", "status", status));
    tell_status(l, "completed", status);
    if (l->on_end)
        l->on_end(l, l->arg);
}

static void answered(struct carrier_leg *l)
{
    l->state = LEG_TALKING;
    l->status = "in-progress";
    l->answered_ms = clock_ms(loop_clock());
    l->answered_unix = (int64_t)time(NULL);
    carrier_leg_tell(l, "leg.answered", NULL);
    tell_status(l, "answered", l->status);
    if (l->twiml)
        carrier_leg_run(l, rd_str(l->twiml));
    else if (l->url[0])
        carrier_leg_fetch(l, l->url, l->method);
    else
        l->on_accept(l, l->arg);
}

static void rings(struct carrier_leg *l)
{
    const struct scenario_person *p = l->person;

    l->state = LEG_RINGING;
    l->status = "ringing";
    carrier_leg_tell(l, "leg.ringing", NULL);
    tell_status(l, "initiated", "initiated");
    if (p->answers != SCENARIO_BUSY && p->answers != SCENARIO_FAILED)
        tell_status(l, "ringing", "ringing");
    loop_timer_in(l->timer, p->after_ms < l->timeout_ms ? p->after_ms : l->timeout_ms);
}

static void rang_enough(struct carrier_leg *l)
{
    const struct scenario_person *p = l->person;

    if (p->answers == SCENARIO_BUSY)
        carrier_leg_over(l, "busy");
    else if (p->answers == SCENARIO_FAILED)
        carrier_leg_over(l, "failed");
    else if (p->answers == SCENARIO_NO_ANSWER || p->after_ms >= l->timeout_ms)
        carrier_leg_over(l, "no-answer");
    else
        answered(l);
}

/* Time is over: of being queued, of ringing, of talking. */
static void on_timer(void *arg)
{
    struct carrier_leg *l = arg;

    if (l->state == LEG_QUEUED)
        rings(l);
    else if (l->state == LEG_RINGING)
        rang_enough(l);
    else if (l->state == LEG_TALKING)
        carrier_leg_next_verb(l);
    else if (l->state == LEG_THROUGH)
        carrier_leg_over(l, "completed");
}

void carrier_leg_through(struct carrier_leg *l)
{
    carrier_leg_run_stop(l);
    l->state = LEG_THROUGH;
    carrier_leg_tell(l, "leg.through", NULL);
    loop_timer_in(l->timer, l->person->talks_ms);
}

void carrier_leg_end(struct carrier_leg *l)
{
    carrier_leg_over(l, carrier_leg_was_answered(l) ? "completed" : "canceled");
}

void carrier_leg_forget(struct carrier_leg *l)
{
    l->on_end = NULL;
    carrier_leg_end(l);
}

void carrier_leg_update(struct carrier_leg *l, const struct carrier_update *u)
{
    if (l->state == LEG_OVER)
        return;
    if (u->hang_up) {
        carrier_leg_end(l);
        return;
    }
    carrier_leg_run_stop(l);
    l->state = LEG_TALKING;
    if (u->twiml)
        carrier_leg_run(l, rd_str(u->twiml));
    else
        carrier_leg_fetch(l, u->url, u->method ? u->method : "POST");
}

static void leg_free(struct carrier_leg *l)
{
    if (!l)
        return;
    if (l->request)
        http_call_cancel(l->request);
    loop_timer_free(l->timer);
    loop_timer_free(l->key);
    twiml_free(l->doc);
    gather_end(&l->gather);
    free(l->twiml);
    free(l->status_url);
    free(l->events);
    free(l);
}

/* The list is newest first; what is over and behind the newest LEGS_MAX goes. */
static void remember(struct carrier_double *d, struct carrier_leg *l)
{
    struct carrier_leg **at = &d->legs;

    l->next = d->legs;
    d->legs = l;
    for (size_t n = 0; *at; n++) {
        struct carrier_leg *old = *at;
        if (n < LEGS_MAX || old->state != LEG_OVER || old->held) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        leg_free(old);
    }
}

void carrier_legs_free(struct carrier_double *d)
{
    while (d->legs) {
        struct carrier_leg *l = d->legs;
        d->legs = l->next;
        leg_free(l);
    }
}

bool carrier_legs_busy(const struct carrier_double *d)
{
    for (const struct carrier_leg *l = d->legs; l; l = l->next) {
        if (l->state != LEG_OVER)
            return true;
    }
    return false;
}

/* What may be absent. */
static bool copy_texts(struct carrier_leg *l, const struct carrier_leg_opts *o)
{
    l->twiml = o->twiml ? strdup(o->twiml) : NULL;
    l->status_url = o->status_url ? strdup(o->status_url) : NULL;
    l->events = o->events ? strdup(o->events) : NULL;
    snprintf(l->url, sizeof(l->url), "%s", o->url ? o->url : "");
    return !o->twiml == !l->twiml && !o->status_url == !l->status_url && !o->events == !l->events;
}

int carrier_leg_dial(struct carrier_leg **out, struct carrier_double *d,
                     const struct carrier_leg_opts *o)
{
    struct carrier_leg *l = calloc(1, sizeof(*l));
    int rc = -ENOMEM;

    if (!l || !copy_texts(l, o))
        goto fail;
    l->d = d;
    l->status = "queued";
    l->person = o->person;
    l->timeout_ms = o->timeout_ms;
    l->since_ms = o->since_ms;
    l->method = o->method && strcmp(o->method, "GET") == 0 ? "GET" : "POST";
    l->on_accept = o->on_accept;
    l->on_end = o->on_end;
    l->arg = o->arg;
    l->placed_unix = (int64_t)time(NULL);
    snprintf(l->from, sizeof(l->from), "%s", o->from);
    snprintf(l->to, sizeof(l->to), "%s", o->to);
    snprintf(l->scenario, sizeof(l->scenario), "%s", o->scenario);
    snprintf(l->parent_sid, sizeof(l->parent_sid), "%s", o->parent_sid ? o->parent_sid : "");
    rc = carrier_sid(l->sid, "CA");
    rc = rc ? rc : loop_timer_new(&l->timer, d->loop, on_timer, l);
    rc = rc ? rc : loop_timer_new(&l->key, d->loop, carrier_leg_on_key, l);
    if (rc)
        goto fail;
    loop_timer_in(l->timer, 0);
    remember(d, l);
    *out = l;
    return 0;
fail:
    leg_free(l);
    return rc;
}
