/* SPDX-License-Identifier: Apache-2.0 */
/* <Dial>: a caller waits while others are rung for him.
 *
 * Happy path: all targets ring at once; the first who takes the call is put through, the others are
 * cancelled; when he hangs up, the action is asked with how it went, and its document goes on with the
 * caller. Without an action both have said goodbye: the call is over.
 *
 * Failure modes
 *   - nobody takes it: the action is told why (an answered call that was not taken is "completed" with
 *     DialBridged=false, as over there), or the next verb comes;
 *   - no telephone number: 13224, that target failed;
 *   - the caller hangs up: who rings is cancelled, and the action is told, though nothing it answers runs;
 *   - REST puts the caller on another document: the same, and no action is asked.
 */
#include "sim/carrier/dial.h"

#include "base/err.h"
#include "sim/carrier/leg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOBODY_SAID_MS = 500, TALK_MS = 1000, THINK_MS = 1000 };

struct carrier_dial {
    struct carrier_call *call;                   /* borrows */
    struct carrier_leg *legs[TWIML_TARGETS_MAX]; /* borrow: held meanwhile */
    struct scenario_person anybody;              /* where the scenario names nobody */
    size_t n;
    struct carrier_leg *taken;    /* by whom */
    char action[CARRIER_URL_MAX]; /* "": none */
    const char *method;
    bool stopping, told;     /* told: the action was asked */
    struct loop_timer *over; /* so that the end of a leg is never the end of its own dial */
};

/* What a scenario without that number in `people` says about everybody. */
static void set_anybody(struct carrier_dial *dial, const char *status)
{
    static char one[] = "1";

    dial->anybody = (struct scenario_person){.answers = SCENARIO_HUMAN,
                                             .after_ms = NOBODY_SAID_MS,
                                             .thinks_ms = THINK_MS,
                                             .talks_ms = TALK_MS,
                                             .presses = one};
    if (status && strcmp(status, "busy") == 0)
        dial->anybody.answers = SCENARIO_BUSY;
    else if (status && strcmp(status, "failed") == 0)
        dial->anybody.answers = SCENARIO_FAILED;
    else if (status && strcmp(status, "no-answer") == 0)
        dial->anybody.answers = SCENARIO_NO_ANSWER;
}

/* How it went, as DialCallStatus. */
static const char *outcome(const struct carrier_dial *dial)
{
    bool busy = false, no_answer = false;

    for (size_t i = 0; i < dial->n; i++) {
        const struct carrier_leg *l = dial->legs[i];
        if (carrier_leg_was_answered(l))
            return "completed";
        busy = busy || strcmp(l->status, "busy") == 0;
        no_answer = no_answer || strcmp(l->status, "no-answer") == 0;
    }
    return dial->stopping ? "canceled" : busy ? "busy" : no_answer ? "no-answer" : "failed";
}

/* The leg that the action is told about: who took it, else who answered, else the last. */
static const struct carrier_leg *spokesman(const struct carrier_dial *dial)
{
    if (dial->taken || dial->n == 0)
        return dial->taken;
    for (size_t i = 0; i < dial->n; i++) {
        if (carrier_leg_was_answered(dial->legs[i]))
            return dial->legs[i];
    }
    return dial->legs[dial->n - 1];
}

void carrier_dial_add(const struct carrier_dial *dial, struct carrier_form *f)
{
    const struct carrier_leg *l = spokesman(dial);
    char text[16];

    carrier_form_add(f, "DialCallStatus", outcome(dial));
    if (l)
        carrier_form_add(f, "DialCallSid", l->sid);
    snprintf(text, sizeof(text), "%u", l ? carrier_leg_seconds(l) : 0);
    carrier_form_add(f, "DialCallDuration", text);
    carrier_form_add(f, "DialBridged", dial->taken ? "true" : "false");
}

static void on_over(void *arg)
{
    struct carrier_dial *dial = arg;
    struct carrier_call *c = dial->call;

    if (!dial->taken)
        carrier_tell(c, "dial.failed",
                     json_pack("{s:s, s:s}", "whom", dial->n ? dial->legs[0]->to : "", "status",
                               outcome(dial)));
    dial->told = true;
    if (dial->action[0]) {
        carrier_fetch(c, dial->action, dial->method);
    } else if (dial->taken) {
        carrier_call_end(c, "agent");
    } else {
        carrier_dial_free(c);
        carrier_next_verb(c);
    }
}

static void on_leg_end(struct carrier_leg *l, void *arg)
{
    struct carrier_dial *dial = arg;

    (void)l;
    for (size_t i = 0; i < dial->n; i++) {
        if (dial->legs[i]->state != LEG_OVER)
            return;
    }
    if (!dial->stopping)
        loop_timer_in(dial->over, 0);
}

static void on_accept(struct carrier_leg *l, void *arg)
{
    struct carrier_dial *dial = arg;
    struct carrier_call *c = dial->call;

    dial->taken = l;
    c->dialled = true;
    carrier_tell(c, "dial.answered",
                 json_pack("{s:s, s:s, s:s}", "whom", l->to, "status", "completed", "leg", l->sid));
    carrier_leg_through(l);
    for (size_t i = 0; i < dial->n; i++) {
        if (dial->legs[i] != l)
            carrier_leg_end(dial->legs[i]);
    }
}

static bool is_number(const char *z)
{
    size_t n;

    z += *z == '+';
    n = strspn(z, "0123456789");
    return z[n] == '\0' && n >= 3 && n <= 15;
}

static int ring(struct carrier_dial *dial, const struct twiml_action *a,
                const struct twiml_target *t)
{
    struct carrier_call *c = dial->call;
    const struct scenario_person *p = scenario_person(c->scenario, t->number);
    char url[CARRIER_URL_MAX] = "", status[CARRIER_URL_MAX] = "";
    struct carrier_leg_opts o = {.from = a->caller_id ? a->caller_id : c->from,
                                 .to = t->number,
                                 .parent_sid = c->sid,
                                 .scenario = c->scenario->name,
                                 .since_ms = c->placed_ms,
                                 .person = p ? p : &dial->anybody,
                                 .timeout_ms = a->seconds * 1000,
                                 .method = t->method,
                                 .events = t->events,
                                 .on_accept = on_accept,
                                 .on_end = on_leg_end,
                                 .arg = dial};
    int rc = t->url ? twiml_resolve(url, sizeof(url), c->doc_url, t->url) : 0;

    if (rc == 0 && t->status)
        rc = twiml_resolve(status, sizeof(status), c->doc_url, t->status);
    if (rc)
        return rc;
    o.url = t->url ? url : NULL;
    o.status_url = t->status ? status : NULL;
    rc = carrier_leg_dial(&dial->legs[dial->n], c->d, &o);
    if (rc == 0)
        dial->legs[dial->n++]->held = true;
    return rc;
}

int carrier_dial_run(struct carrier_call *c, const struct twiml_action *a)
{
    struct carrier_dial *dial = calloc(1, sizeof(*dial));
    int rc = dial ? loop_timer_new(&dial->over, c->d->loop, on_over, dial) : -ENOMEM;

    carrier_dial_free(c);
    if (rc) {
        free(dial);
        return rc;
    }
    c->dial = dial;
    dial->call = c;
    dial->method = strcmp(a->method, "GET") == 0 ? "GET" : "POST";
    set_anybody(dial, c->scenario->dial);
    if (a->action)
        rc = twiml_resolve(dial->action, sizeof(dial->action), c->doc_url, a->action);
    for (size_t i = 0; i < a->n_targets && rc == 0; i++) {
        if (is_number(a->targets[i].number))
            rc = ring(dial, a, &a->targets[i]);
        else
            carrier_error(c, TWILIO_DIAL_NUMBER, "<Dial> of what is no telephone number");
    }
    if (rc == 0 && dial->n == 0)
        loop_timer_in(dial->over, 0);
    return rc;
}

/* The caller's side ends it: everybody is let go. */
static void stop(struct carrier_dial *dial)
{
    dial->stopping = true;
    loop_timer_stop(dial->over);
    for (size_t i = 0; i < dial->n; i++) {
        if (dial->legs[i]->state != LEG_OVER)
            carrier_leg_forget(dial->legs[i]);
    }
}

void carrier_dial_hung_up(struct carrier_call *c)
{
    struct carrier_dial *dial = c->dial;
    struct carrier_form f = {.n = 0};
    struct carrier_who who = carrier_call_who(c, "completed");

    if (!dial || dial->told || !dial->action[0])
        return;
    dial->told = true;
    stop(dial);
    carrier_add_standard(&f, c->d, &who);
    carrier_dial_add(dial, &f);
    carrier_post(c->d, dial->action, &f, &who);
}

void carrier_dial_free(struct carrier_call *c)
{
    struct carrier_dial *dial = c->dial;

    if (!dial)
        return;
    c->dial = NULL;
    stop(dial);
    for (size_t i = 0; i < dial->n; i++)
        dial->legs[i]->held = false;
    loop_timer_free(dial->over);
    free(dial);
}
