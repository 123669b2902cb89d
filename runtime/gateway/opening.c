/* SPDX-License-Identifier: Apache-2.0 */
/* opening.c - webhooks that wait, and offers that wait for their stream.
 *
 * - The script answers in time: whoever asked it replies, or offers a stream. An offer waits on, for
 *   its stream; a claim (line.c) makes it pointless, which it notices when its time is over.
 *
 * Failure modes: the script is late: `late` answers; no stream comes: the slot is given back; no
 * token: the fallback. */
#include "gateway/opening.h"

#include "base/err.h"
#include "base/log.h"
#include "carriers/twilio/twiml.h"
#include "gateway/adopt.h"
#include "gateway/missed.h"
#include "gateway/token.h"
#include "gateway/vapi/hooks.h"
#include "gateway/webhook.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { STREAM_WAIT_MS = 20000 }; /* TwiML answered, but no stream came */

static void on_timer(void *arg)
{
    struct opening *o = arg;
    struct directory_view view = {0};

    if (o->request) {
        o->late(o);
        return;
    }
    (void)directory_get(o->thread->node->directory, o->call, &view);
    if (view.state == DIRECTORY_OFFERED && view.nonce == o->nonce) {
        log_warn(
            "stream.never_came", F_CALL(view.sid),
            F_FIX(
                "the carrier did not connect to public.url; is it reachable as wss from outside?"));
        opening_give_up(o, "no_stream");
        return;
    }
    opening_free(o); /* a stream took it, or a later address is out */
}

struct opening *opening_new(struct media_thread *t, struct http_request *r, call_handle call,
                            uint64_t wait_ms, void (*late)(struct opening *o))
{
    struct opening *o = calloc(1, sizeof(*o));

    if (!o)
        return NULL;
    o->thread = t;
    if (loop_timer_new(&o->timer, t->loop, on_timer, o)) {
        free(o);
        return NULL;
    }
    o->request = r;
    o->number = t->next_request++;
    o->began_us = clock_us(loop_clock());
    o->call = call;
    o->late = late;
    o->next = t->openings;
    t->openings = o;
    http_set_user(r, o);
    loop_timer_in(o->timer, wait_ms);
    return o;
}

void opening_set_agent(struct opening *o, struct agent_set *set, const struct agent_info *agent)
{
    o->agents = agent_set_ref(set);
    o->agent = agent;
}

void opening_free(struct opening *o)
{
    struct opening **link = &o->thread->openings;

    while (*link && *link != o)
        link = &(*link)->next;
    if (*link)
        *link = o->next;
    (void)opening_answered(o);
    loop_timer_free(o->timer);
    agent_set_unref(o->agents);
    free(o->asks);
    free(o->form);
    free(o->adopting);
    free(o->vapi);
    free(o);
}

struct opening *opening_waiting(struct media_thread *t, uint64_t number)
{
    struct opening *o = t->openings;

    while (o && o->number != number)
        o = o->next;
    return o && o->request ? o : NULL;
}

void opening_give_up(struct opening *o, const char *why)
{
    struct directory_view view;
    struct credits *credits;

    if (directory_release(o->thread->node->directory, o->call, true, &credits, &view)) {
        webhook_tell_ended(credits, o->call, why);
        missed_call(o->thread->node, &view, missed_by_refusal(why));
    }
    opening_free(o);
}

void opening_gone(struct http_request *r)
{
    struct opening *o = http_user(r);

    if (!o)
        return;
    o->request = NULL;
    if (o->again)
        opening_free(o);
    else
        opening_give_up(o, "webhook_gone");
}

void opening_end_all(struct media_thread *t)
{
    while (t->openings) {
        struct opening *o = t->openings;

        if (o->request && o->vapi)
            vapi_hooks_shut(o);
        else if (o->request)
            opening_fallback(o, "shutdown", NULL);
        opening_give_up(o, "shutdown");
    }
}

/* --- answers --- */

struct http_request *opening_answered(struct opening *o)
{
    struct http_request *r = o->request;

    o->request = NULL;
    if (r)
        http_set_user(r, NULL);
    return r;
}

void opening_reply(struct opening *o, struct rd_str xml)
{
    webhook_reply_xml(opening_answered(o), xml);
}

/* What was decided is kept with the call. */
void opening_fallback(struct opening *o, const char *why, const char *fix)
{
    struct directory_view view = {0};

    (void)directory_get(o->thread->node->directory, o->call, &view);
    if (adopt_is_stream(o)) { /* no document can be answered; after this the carrier asks for one */
        webhook_reply_text(opening_answered(o), 503, "this call cannot be taken\n");
        return;
    }
    webhook_reply_fallback(o->thread, opening_answered(o), o->agent, view.sid, why, fix);
}

static int write_offer(struct opening *o, struct brief *brief, struct buf *twiml)
{
    struct node *n = o->thread->node;
    struct token token = {
        .node = n->id, .call = o->call, .expires_unix_s = (uint64_t)time(NULL) + TOKEN_LIFE_S};
    struct directory_view view;
    char text[TOKEN_MAX], *url;
    int rc;

    if (!directory_get(n->directory, o->call, &view) ||
        random_bytes(&token.nonce, sizeof(token.nonce)))
        return RD_EGONE;
    (void)rd_str_copy(token.call_sid, sizeof(token.call_sid), rd_str(view.sid));
    rc = token_write(text, &token, rd_str(n->settings->cluster_secret));
    if (rc)
        return rc;
    rc = directory_offer(n->directory, o->call, brief, token.nonce, clock_ms(loop_clock()));
    if (rc)
        return rc;
    o->nonce = token.nonce;
    if (asprintf(&url, "%s%s", n->stream_base, text) < 0)
        return -ENOMEM;
    rc = twiml_stream(twiml, url, n->resume_url);
    free(url);
    return rc;
}

void opening_offer(struct opening *o, struct brief *brief)
{
    struct buf twiml;

    buf_init(&twiml, WEBHOOK_TWIML_MAX);
    if (write_offer(o, brief, &twiml) == 0) {
        metric_observe(H_WEBHOOK_US, clock_us(loop_clock()) - o->began_us);
        opening_reply(o, (struct rd_str){twiml.data, twiml.n});
        loop_timer_in(o->timer, STREAM_WAIT_MS);
    } else {
        opening_fallback(o, "no_token", NULL);
        opening_give_up(o, "no_token");
    }
    buf_fini(&twiml);
}
