/* SPDX-License-Identifier: Apache-2.0 */
/* talk_phones.c - the carrier double, and the few webhooks of a node that it needs.
 *
 *   carrier double ── POST /twilio/voice, resume, accept, sms ──▶ asked() … talk_phones_answer()
 *         └── serves Twilio's REST API for the agent's scripts
 *
 * Failure: who asks and leaves before the answer is forgotten; a form that is none is a 400. Status
 * callbacks are taken and need nobody. */
#include "cli/talk_phones.h"

#include "base/buf.h"
#include "base/err.h"
#include "carriers/twilio/form.h"
#include "io/accepter.h"
#include "sim/carrier/double.h"
#include "sim/listener.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CALL_MAX_MS = 4 * 3600 * 1000, FORM_MAX = 64 * 1024, CONNECTIONS_MAX = 64 };

static const char nothing[] = "<Response/>";

struct waiting {
    struct waiting *next;
    struct http_request *request; /* borrows */
    uint64_t number;
};

struct talk_phones {
    struct talk_phones_opts o;
    struct scenario caller; /* borrows people and texts */
    struct listener *listener;
    struct carrier_double *carrier;
    struct waiting *waiting; /* owns */
    uint64_t last_number;
    char rest_url[64], node_url[64], resume_url[96];
};

/* --- questions --- */

static void reply_xml(struct http_request *r, const char *text)
{
    http_reply(r, 200, "text/xml", rd_str(text));
}

static uint64_t wait_for_answer(struct talk_phones *p, struct http_request *r)
{
    struct waiting *w = calloc(1, sizeof(*w));

    if (!w)
        return 0;
    *w = (struct waiting){.next = p->waiting, .request = r, .number = ++p->last_number};
    p->waiting = w;
    return w->number;
}

/* The request that waits under this number, or is this one; taken off the list. NULL: none. */
static struct http_request *take_waiting(struct talk_phones *p, uint64_t number,
                                         const struct http_request *request)
{
    struct waiting **link = &p->waiting, *w;
    struct http_request *r;

    while (*link && (*link)->number != number && (*link)->request != request)
        link = &(*link)->next;
    w = *link;
    if (!w)
        return NULL;
    *link = w->next;
    r = w->request;
    free(w);
    return r;
}

void talk_phones_answer(struct talk_phones *p, uint64_t number, const char *twiml)
{
    struct http_request *r = take_waiting(p, number, NULL);

    if (r)
        reply_xml(r, twiml);
}

/* Body and query as one JSON object. */
static int read_form(struct http_request *r, struct buf *json)
{
    struct rd_str target = http_target(r), path = http_path(r), body = http_body(r);
    struct form *form = NULL;
    struct buf whole;
    int rc;

    buf_init(&whole, FORM_MAX);
    rc = buf_add(&whole, body.p, body.n);
    if (!rc && target.n > path.n + 1)
        rc = buf_addf(&whole, "&%.*s", (int)(target.n - path.n - 1), target.p + path.n + 1);
    if (!rc)
        rc = form_parse(&form, (struct rd_str){whole.data, whole.n});
    if (!rc)
        rc = form_to_json(form, json);
    if (!rc && !buf_text(json))
        rc = -ENOMEM;
    form_free(form);
    buf_fini(&whole);
    return rc;
}

static void ask(struct talk_phones *p, struct http_request *r, enum talk_question q)
{
    uint64_t number = 0;
    struct buf json;

    buf_init(&json, (size_t)4 * FORM_MAX);
    if (read_form(r, &json)) {
        http_reply(r, 400, NULL, RD_STR(""));
        buf_fini(&json);
        return;
    }
    if (q == TALK_TEXT)
        reply_xml(r, nothing);
    else
        number = wait_for_answer(p, r);
    if (number || q == TALK_TEXT)
        p->o.events->asked(q, number, json.data, p->o.arg);
    else
        reply_xml(r, nothing);
    buf_fini(&json);
}

static void on_request(struct http_request *r, void *arg)
{
    static const struct {
        struct rd_str path;
        enum talk_question q;
    } questions[] = {{RD_STR("/twilio/voice"), TALK_RINGS},
                     {RD_STR("/twilio/resume"), TALK_RESUME},
                     {RD_STR("/twilio/accept"), TALK_ACCEPT},
                     {RD_STR("/twilio/sms"), TALK_TEXT}};

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (rd_str_eq(http_path(r), questions[i].path)) {
            ask(arg, r, questions[i].q);
            return;
        }
    }
    http_reply(r, 204, NULL, RD_STR(""));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)take_waiting(arg, 0, r);
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    (void)r;
    (void)accept;
    (void)arg;
    return 404;
}

/* --- the network --- */

static void on_event(const char *json, void *arg)
{
    struct talk_phones *p = arg;

    p->o.events->happened(json, p->o.arg);
}

static void on_report(const struct call_report *r, void *arg)
{
    (void)r;
    (void)arg;
}

static int start_webhooks(struct talk_phones *p, char *why, size_t cap)
{
    static const struct http_handlers handlers = {
        .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};
    struct http_server_opts o = {
        .loop = p->o.loop, .handlers = &handlers, .arg = p, .max_connections = CONNECTIONS_MAX};
    int fd, rc = listen_tcp(&fd, "127.0.0.1:0", why, cap);

    if (!rc)
        rc = listener_start(&p->listener, &o, fd);
    if (rc)
        return rc;
    (void)snprintf(p->node_url, sizeof(p->node_url), "http://127.0.0.1:%u",
                   listener_port(p->listener));
    (void)snprintf(p->resume_url, sizeof(p->resume_url), "%s/twilio/resume", p->node_url);
    return 0;
}

static int start_network(struct talk_phones *p, char *why, size_t cap)
{
    static const struct scenario *callers[1];
    struct carrier_double_opts o = {.loop = p->o.loop,
                                    .node_url = p->node_url,
                                    .account_sid = CARRIER_DOUBLE_ACCOUNT,
                                    .auth_token = CARRIER_DOUBLE_TOKEN,
                                    .rest_listen = "127.0.0.1:0",
                                    .scenarios = callers,
                                    .n_scenarios = 1,
                                    .tls = p->o.tls,
                                    .on_event = on_event,
                                    .event_arg = p};
    int rc;

    callers[0] = &p->caller;
    rc = carrier_double_start(&p->carrier, &o, why, cap);
    if (!rc)
        (void)snprintf(p->rest_url, sizeof(p->rest_url), "http://127.0.0.1:%u",
                       carrier_double_rest_port(p->carrier));
    return rc;
}

/* A caller who says nothing and stays: the words are typed. */
static void seat_caller(struct talk_phones *p)
{
    static char name[] = "talk";

    if (p->o.scenario)
        p->caller = *p->o.scenario;
    p->caller.name = name;
    p->caller.steps = NULL;
    p->caller.n_steps = 0;
    p->caller.from = (char *)p->o.from;
    p->caller.to = (char *)p->o.to;
    p->caller.max_ms = CALL_MAX_MS;
    p->caller.expect = (struct scenario_expect){.barge_ins = -1};
}

int talk_phones_start(struct talk_phones **out, const struct talk_phones_opts *o, char *why,
                      size_t cap)
{
    struct talk_phones *p = calloc(1, sizeof(*p));
    int rc;

    (void)snprintf(why, cap, "no memory");
    if (!p)
        return -ENOMEM;
    p->o = *o;
    seat_caller(p);
    rc = start_webhooks(p, why, cap);
    if (!rc)
        rc = start_network(p, why, cap);
    if (rc) {
        talk_phones_stop(p);
        return rc;
    }
    *out = p;
    return 0;
}

void talk_phones_stop(struct talk_phones *p)
{
    if (!p)
        return;
    carrier_double_stop(p->carrier);
    listener_stop(p->listener);
    while (p->waiting)
        (void)take_waiting(p, p->waiting->number, NULL);
    free(p);
}

int talk_phones_ring(struct talk_phones *p)
{
    return carrier_double_call(p->carrier, &p->caller, p->o.to, NULL, on_report, p);
}

bool talk_phones_busy(const struct talk_phones *p)
{
    return carrier_double_busy(p->carrier);
}

const char *talk_phones_rest_url(const struct talk_phones *p)
{
    return p->rest_url;
}

const char *talk_phones_resume_url(const struct talk_phones *p)
{
    return p->resume_url;
}
