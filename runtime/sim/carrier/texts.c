/* SPDX-License-Identifier: Apache-2.0 */
/* Text messages on their way to a telephone, and the list of all; texts_in.c is the other way.
 *
 * Happy path: queued, sent, delivered, each told to the status callback; whoever got it may answer.
 *
 * Failure modes
 *   - a telephone that cannot be reached: undelivered, with the error code the scenario names;
 *   - callbacks twice, in the wrong order or not at all, when the scenario says so.
 */
#include "sim/carrier/texts.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEP_MS = 150 };

static struct carrier_who who_of(const struct carrier_text *t)
{
    return (struct carrier_who){.sid = t->sid,
                                .from = t->from,
                                .to = t->to,
                                .status = t->status,
                                .direction = t->direction,
                                .scenario = t->scenario,
                                .since_ms = t->d->began_ms};
}

void carrier_text_tell(const struct carrier_text *t, const char *event, json_t *fields)
{
    struct carrier_who who = who_of(t);
    json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:s}", "text", t->sid, "from", t->from, "to",
                            t->to, "body", t->body, "status", t->status);

    if (all && fields)
        json_object_update(all, fields);
    json_decref(fields);
    carrier_event(t->d, &who, event, all);
}

const struct scenario_person *carrier_person(const struct carrier_double *d, const char *number,
                                             const char **scenario)
{
    const struct scenario_person *p;

    for (const struct carrier_call *c = d->calls; c; c = c->next) {
        p = scenario_person(c->scenario, number);
        if (p) {
            *scenario = c->scenario->name;
            return p;
        }
    }
    for (size_t i = 0; i < d->n_scenarios; i++) {
        p = scenario_person(d->scenarios[i], number);
        if (p) {
            *scenario = d->scenarios[i]->name;
            return p;
        }
    }
    *scenario = "";
    return NULL;
}

struct carrier_opt_out *carrier_opt_out(struct carrier_double *d, const char *who, const char *from)
{
    for (size_t i = 0; i < d->n_opt_outs; i++) {
        if (strcmp(d->opt_outs[i].who, who) == 0 && strcmp(d->opt_outs[i].from, from) == 0)
            return &d->opt_outs[i];
    }
    return NULL;
}

bool carrier_text_opted_out(struct carrier_double *d, const char *who, const char *from)
{
    return carrier_opt_out(d, who, from) != NULL;
}

/* ---- the list ---- */

static void text_free(struct carrier_text *t)
{
    if (!t)
        return;
    if (t->request)
        http_call_cancel(t->request);
    loop_timer_free(t->timer);
    free(t->body);
    free(t->callback);
    free(t);
}

static bool is_over(const struct carrier_text *t)
{
    static const char *const ends[] = {"delivered", "undelivered", "received"};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        if (strcmp(t->status, ends[i]) == 0)
            return t->request == NULL;
    }
    return false;
}

bool carrier_texts_busy(const struct carrier_double *d)
{
    for (const struct carrier_text *t = d->texts; t; t = t->next) {
        if (!is_over(t))
            return true;
    }
    return d->posts != NULL;
}

/* Newest first; what is over and behind the newest TEXTS_MAX goes. */
static void remember(struct carrier_double *d, struct carrier_text *t)
{
    struct carrier_text **at = &d->texts;

    t->next = d->texts;
    d->texts = t;
    for (size_t n = 0; *at; n++) {
        struct carrier_text *old = *at;
        if (n < TEXTS_MAX || !is_over(old)) {
            at = &old->next;
            continue;
        }
        *at = old->next;
        text_free(old);
    }
}

void carrier_texts_free(struct carrier_double *d)
{
    while (d->texts) {
        struct carrier_text *t = d->texts;
        d->texts = t->next;
        text_free(t);
    }
}

int carrier_text_new(struct carrier_text **out, struct carrier_double *d, const struct text_opts *o,
                     loop_timer_cb *on_timer)
{
    struct carrier_text *t = calloc(1, sizeof(*t));
    int rc = -ENOMEM;

    if (!t)
        return rc;
    t->d = d;
    t->direction = o->direction;
    t->body = strdup(o->body);
    t->callback = o->callback ? strdup(o->callback) : NULL;
    t->segments = text_segments(o->body);
    t->created_unix = t->updated_unix = (int64_t)time(NULL);
    snprintf(t->from, sizeof(t->from), "%s", o->from);
    snprintf(t->to, sizeof(t->to), "%s", o->to);
    snprintf(t->service, sizeof(t->service), "%s", o->service ? o->service : "");
    if (t->body && (!o->callback || t->callback))
        rc = carrier_sid(t->sid, "SM");
    rc = rc ? rc : loop_timer_new(&t->timer, d->loop, on_timer, t);
    if (rc) {
        text_free(t);
        return rc;
    }
    remember(d, t);
    *out = t;
    return 0;
}

/* ---- out ---- */

static void tell_callback(struct carrier_text *t, const char *status)
{
    struct carrier_form f = {.n = 0};
    struct carrier_who who = who_of(t);
    time_t now = time(NULL);
    char code[16], done[16];
    struct tm tm;

    if (!t->callback)
        return;
    strftime(done, sizeof(done), "%Y%m%d%H%M", gmtime_r(&now, &tm)); /* the century goes */
    who.status = status;
    carrier_form_add(&f, "MessageSid", t->sid);
    carrier_form_add(&f, "SmsSid", t->sid);
    carrier_form_add(&f, "MessageStatus", status);
    carrier_form_add(&f, "SmsStatus", status);
    carrier_form_add(&f, "AccountSid", t->d->account);
    carrier_form_add(&f, "From", t->from);
    carrier_form_add(&f, "To", t->to);
    carrier_form_add(&f, "ApiVersion", "2010-04-01");
    if (t->service[0])
        carrier_form_add(&f, "MessagingServiceSid", t->service);
    if (t->error && strcmp(status, "undelivered") == 0) {
        snprintf(code, sizeof(code), "%d", t->error);
        carrier_form_add(&f, "ErrorCode", code);
    }
    if (strcmp(status, "delivered") == 0 || strcmp(status, "undelivered") == 0)
        carrier_form_add(&f, "RawDlrDoneDate", done + 2);
    carrier_post(t->d, t->callback, &f, &who);
}

/* As the scenario wants it: each, each twice, or all of them backwards at the end. */
static void tell_status(struct carrier_text *t)
{
    switch (t->callbacks) {
    case SCENARIO_NONE:
        break;
    case SCENARIO_BACKWARDS:
        if (t->step == 2) {
            tell_callback(t, t->status);
            tell_callback(t, "sent");
            tell_callback(t, "queued");
        }
        break;
    case SCENARIO_TWICE:
        tell_callback(t, t->status);
        tell_callback(t, t->status);
        break;
    case SCENARIO_IN_ORDER:
        tell_callback(t, t->status);
        break;
    }
}

/* Whoever got it answers with the next of their replies. */
static void answer(struct carrier_text *t)
{
    const char *scenario;
    const struct scenario_person *p = carrier_person(t->d, t->to, &scenario);
    size_t n = 0;

    for (const struct carrier_text *x = t->d->texts; x; x = x->next)
        n += strcmp(x->to, t->to) == 0 && strcmp(x->status, "delivered") == 0;
    if (p && n > 0 && n <= p->n_replies)
        (void)carrier_text_receive(t->d, t->scenario, t->to, t->from, p->replies[n - 1].body,
                                   p->replies[n - 1].at_ms);
}

static void on_step(void *arg)
{
    struct carrier_text *t = arg;

    t->step++;
    t->updated_unix = (int64_t)time(NULL);
    if (t->step == 1) {
        t->status = "sent";
        t->sent_unix = t->updated_unix;
        loop_timer_in(t->timer, STEP_MS);
    } else {
        t->status = t->fate ? "undelivered" : "delivered";
        t->error = t->fate;
        carrier_text_tell(t, t->fate ? "text.undelivered" : "text.delivered",
                          json_pack("{s:i}", "error_code", t->error));
    }
    tell_status(t);
    if (t->step == 2 && !t->fate)
        answer(t);
}

int carrier_text_send(struct carrier_text **out, struct carrier_double *d,
                      const struct text_opts *o)
{
    const char *scenario;
    const struct scenario_person *p = carrier_person(d, o->to, &scenario);
    struct carrier_text *t;
    int rc = carrier_text_new(&t, d, o, on_step);

    if (rc)
        return rc;
    t->status = o->service ? "accepted" : "queued";
    t->fate = p && p->text >= 30000 ? p->text : 0;
    t->callbacks = p ? p->callbacks : SCENARIO_IN_ORDER;
    snprintf(t->scenario, sizeof(t->scenario), "%s", scenario);
    carrier_text_tell(
        t, "text.created",
        json_pack("{s:s, s:i}", "direction", t->direction, "segments", (int)t->segments));
    tell_status(t);
    loop_timer_in(t->timer, STEP_MS);
    *out = t;
    return 0;
}
