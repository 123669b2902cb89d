/* SPDX-License-Identifier: Apache-2.0 */
/* adopt.c - taking over a call that is in the database and in no directory of ours.
 *
 *   /twilio/resume, a stream ─▶ adopt_call() in PostgreSQL ─MSG_ADOPTED─▶ a slot, a script that is told
 *   all that was kept ─MSG_CALL_OPENED─▶ TwiML with a new stream; or the waiting stream is accepted
 *
 * The row decides: one node has the call, in an epoch of its own. Whom it was taken from sees that
 * within a second or two (claims.c), and closes his side.
 *
 * Failure modes: what this node kept before it was started again is shipped first, if that takes
 * two seconds at most. What another node kept may still be on its way, so an unknown call, and one
 * that is just saying goodbye, are looked at again for two seconds; one that somebody has just taken, for
 * three. Then, and for calls that are over, foreign, taken or lost too often: hang up where a goodbye
 * was meant, else the fallback; a stream is refused, and the carrier goes on to its next verb. The
 * address of a stream is good for one, on whichever node. Whom the database gave the call, and who has
 * no room or has not heard the answer, gives it back. Each refusal is a fact of this node. */
#include "gateway/adopt.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "gateway/books.h"
#include "gateway/claims.h"
#include "gateway/line.h"
#include "gateway/question.h"
#include "gateway/resume.h"
#include "gateway/trial.h"
#include "gateway/voice.h"
#include "gateway/webhook.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <errno.h>
#include <stdlib.h>

enum {
    FIRST_LOOK_MS = 150, /* facts of a call that has just ended elsewhere are on their way */
    LOOK_AGAIN_MS = 100,
    LOOK_UNTIL_MS = 2000,
    INHERIT_UNTIL_MS = 2000, /* then what is there must do: the carrier waits */
    TAKEN_UNTIL_MS = 3300,   /* who took it has it for three seconds, in adopt_call() */
    ANSWER_MS = 4500,
    ASK_MAX = 1024,
    FORM_MAX = 2048
};

static const size_t known_max = (size_t)2 << 20;

struct adopting {
    bool stream, asked, leaving;
    bool given; /* by the database, for all we know */
    char sid[DIRECTORY_SID];
    uint64_t began_ms;
    char ask[ASK_MAX];
};

bool adopt_is_stream(const struct opening *o)
{
    return o->adopting && o->adopting->stream;
}

static bool can_adopt(const struct media_thread *t)
{
    return t->node->books && !t->stopping && !directory_counts(t->node->directory).draining;
}

/* --- no --- */

static void refuse(struct opening *o, const char *why, bool hang_up)
{
    struct node *n = o->thread->node;
    struct adopting *a = o->adopting;

    log_info("call.not_adopted", F_CALL(a->sid), F_STR("reason", why));
    keep_node(n->keep, "not_resumed", JSON_MEMBERS(J_STR("call", a->sid), J_STR("reason", why)));
    if (a->given)
        claims_give_back(n, a->sid);
    if (a->stream) {
        metric_add(M_REFUSED_TOKEN, 1);
        webhook_reply_text(opening_answered(o), 403, "this call cannot be taken\n");
    } else if (hang_up) {
        resume_hang_up(opening_answered(o));
    } else {
        webhook_reply_fallback(o->thread, opening_answered(o), o->agent, a->sid, "not_resumed",
                               NULL);
    }
    if (o->call)
        opening_give_up(o, why);
    else
        opening_free(o);
}

/* --- asking --- */

void adopt_wait(struct node *n)
{
    while (atomic_load(&n->adopting) > 0)
        (void)nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* What this node kept before it was started again is part of what the call remembers. */
static bool must_wait(const struct opening *o)
{
    return !books_inherited_done(o->thread->node->books) &&
           clock_ms(loop_clock()) - o->adopting->began_ms < INHERIT_UNTIL_MS;
}

/* The timer: it is time to look, or too late. */
static void on_wait(struct opening *o)
{
    struct adopting *a = o->adopting;

    if (o->call) {
        refuse(o, "script_late", false);
    } else if (a->asked) {
        refuse(o, "no_answer", a->leaving);
    } else if (must_wait(o)) {
        loop_timer_in(o->timer, LOOK_AGAIN_MS);
    } else {
        a->asked = true;
        loop_timer_at(o->timer, o->until_ms);
        a->given = question_ask(o, "select adopt_call($1::jsonb)::text", a->ask, known_max,
                                MSG_ADOPTED) == 0;
        if (!a->given)
            refuse(o, "no_database", false);
    }
}

static bool begin(struct opening *o, const char *cause, struct rd_str sid, struct rd_str to,
                  struct rd_str account, const char *nonce)
{
    struct adopting *a = calloc(1, sizeof(*a));
    uint64_t now_ms = clock_ms(loop_clock());
    struct buf ask_text;
    bool fits;

    if (!a)
        return false;
    o->adopting = a;
    o->again = true;
    o->until_ms = now_ms + ANSWER_MS;
    a->began_ms = now_ms;
    (void)rd_str_copy(a->sid, sizeof(a->sid), sid);
    buf_init(&ask_text, ASK_MAX);
    fits = json_add_object(&ask_text,
                           JSON_MEMBERS(J_TEXT("call", sid), J_STR("cause", cause),
                                        J_STR("node", o->thread->node->name),
                                        J_INT("process", keep_process(o->thread->node->keep)),
                                        J_TEXT("to", to), J_TEXT("account", account),
                                        J_STR("nonce", nonce))) == 0 &&
           rd_str_copy(a->ask, sizeof(a->ask), (struct rd_str){ask_text.data, ask_text.n});
    buf_fini(&ask_text);
    return fits;
}

static struct rd_str some(struct rd_str s)
{
    return s.n > 0 ? s : (struct rd_str){NULL, 0};
}

bool adopt_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct opening *o = can_adopt(t) ? opening_new(t, r, 0, FIRST_LOOK_MS, on_wait) : NULL;
    struct agent_set *set;

    if (!o)
        return false;
    if (!begin(o, "node_lost", form_get(form, "CallSid"), some(webhook_word(form, "To")),
               some(webhook_word(form, "AccountSid")), NULL)) {
        (void)opening_answered(o);
        opening_free(o);
        return false;
    }
    set = script_pool_agents(t->node->scripts);
    opening_set_agent(o, set, webhook_agent_at(t, set, form_get(form, "To")));
    agent_set_unref(set);
    return true;
}

bool adopt_stream(struct media_thread *t, struct http_request *r, const struct token *token)
{
    struct opening *o = can_adopt(t) ? opening_new(t, r, 0, 0, on_wait) : NULL;
    struct rd_str nothing = {NULL, 0};
    char nonce[CLAIMS_NONCE];

    if (!o)
        return false;
    claims_write_nonce(nonce, token->nonce);
    if (!begin(o, "stream_elsewhere", rd_str(token->call_sid), nothing, nothing, nonce)) {
        (void)opening_answered(o);
        opening_free(o);
        return false;
    }
    o->adopting->stream = true;
    return true;
}

/* --- yes --- */

struct known {
    struct rd_str json;
    struct json_value root;
    char agent[DIRECTORY_AGENT], from[DIRECTORY_NUMBER], to[DIRECTORY_NUMBER];
    char verstat[DIRECTORY_VERSTAT], account[DIRECTORY_SID], direction[32], cause[32], trial[16];
    uint64_t epoch, started_us, attempt, gone_ms;
};

static void text_of(const struct known *k, const char *key, char *out, size_t cap)
{
    struct json_value v = json_get(&k->root, key);

    if (v.type != JSON_STRING || json_copy(&v, out, cap))
        out[0] = '\0';
}

static uint64_t number_of(const struct known *k, const char *key)
{
    struct json_value v = json_get(&k->root, key);
    uint64_t n = 0;

    return json_u64(&v, &n) ? n : 0;
}

static void read_known(struct known *k)
{
    text_of(k, "agent", k->agent, sizeof(k->agent));
    text_of(k, "from", k->from, sizeof(k->from));
    text_of(k, "to", k->to, sizeof(k->to));
    text_of(k, "verstat", k->verstat, sizeof(k->verstat));
    text_of(k, "account", k->account, sizeof(k->account));
    text_of(k, "direction", k->direction, sizeof(k->direction));
    text_of(k, "cause", k->cause, sizeof(k->cause));
    text_of(k, "trial", k->trial, sizeof(k->trial));
    k->epoch = number_of(k, "epoch");
    k->started_us = number_of(k, "started_us");
    k->attempt = number_of(k, "attempt");
    k->gone_ms = number_of(k, "gone_ms");
}

/* The webhook's form as far as it was kept. */
static int write_form(struct buf *out, const struct opening *o, const struct known *k)
{
    return json_add_object(
        out,
        JSON_MEMBERS(J_STR("CallSid", o->adopting->sid), J_STR("From", k->from), J_STR("To", k->to),
                     J_STR("AccountSid", k->account), J_STR("Direction", k->direction),
                     J_STR("StirVerstat", k->verstat), J_STR("CallStatus", "in-progress")));
}

/* What its node was following up goes on here. */
static void follow_emergencies(struct opening *o, const struct known *k)
{
    struct json_value list = json_get(&k->root, "emergencies"), each;
    struct json_iter it;
    struct rd_str key;
    struct node *n = o->thread->node;

    if (list.type != JSON_ARRAY)
        return;
    json_iter_init(&it, &list);
    while (json_next(&it, &key, &each)) {
        char *order = each.type == JSON_OBJECT ? strndup(each.raw.p, each.raw.n) : NULL;
        int rc = order ? script_pool_errand(n->scripts, k->agent, "emergency", order, o->call,
                                            o->thread->index)
                       : -ENOMEM;

        if (rc)
            log_error("errand.not_run", F_CALL(o->adopting->sid), F_STR("agent", k->agent),
                      F_STR("kind", "emergency"), F_ERR(rc),
                      F_FIX(catalogue_fix("errand.", "not_run")));
        free(order);
    }
}

static int open_script(struct opening *o, const struct known *k)
{
    struct buf form;
    int rc;

    buf_init(&form, FORM_MAX);
    rc = write_form(&form, o, k);
    if (!rc)
        rc = voice_ask_script(o, rd_str(k->to), (struct rd_str){form.data, form.n}, k->json);
    buf_fini(&form);
    return rc;
}

static void keep_resumed(const struct opening *o, const struct known *k)
{
    struct node *n = o->thread->node;
    struct directory_view view;

    if (directory_get(n->directory, o->call, &view))
        keep_call(n->keep, &view, "resumed",
                  JSON_MEMBERS(J_STR("reason", k->cause), J_INT("attempt", k->attempt),
                               J_INT("gap_ms", k->gone_ms),
                               J_INT("at_ms", number_of(k, "elapsed_ms")), J_STR("node", n->name)));
}

/* It is ours: from here on like a call that rings, but for its past. */
static void take(struct opening *o, const struct known *k)
{
    struct node *n = o->thread->node;
    struct directory_admission a = {.sid = rd_str(o->adopting->sid),
                                    .agent = rd_str(k->agent),
                                    .agent_max = o->agent->max_calls,
                                    .from = rd_str(k->from),
                                    .to = rd_str(k->to),
                                    .verstat = rd_str(k->verstat),
                                    .trial = (int)trial_named(k->trial),
                                    .now_ms = clock_ms(loop_clock()),
                                    .now_unix_us = k->started_us,
                                    .epoch = k->epoch};
    int rc = directory_admit(n->directory, &a);

    if (rc) {
        refuse(o, rc == RD_EFULL ? "full" : "known", false);
        return;
    }
    o->call = a.call;
    o->adopting->given = false; /* and not to be given back any more */
    o->again = false;           /* who leaves now leaves a call behind */
    if (!o->adopting->stream)
        (void)directory_settle(n->directory, o->call);
    keep_resumed(o, k);
    log_info("call.adopted", F_CALL(o->adopting->sid), F_STR("agent", k->agent),
             F_INT("attempt", k->attempt), F_INT("gap_ms", k->gone_ms));
    if (open_script(o, k))
        refuse(o, "script_full", false);
    else
        follow_emergencies(o, k);
}

static void choose_agent(struct opening *o, const struct known *k)
{
    struct agent_set *set = script_pool_agents(o->thread->node->scripts);

    agent_set_unref(o->agents);
    opening_set_agent(o, set, agent_by_name(set, rd_str(k->agent)));
    agent_set_unref(set);
}

/* What is on its way arrives; and whoever took it a moment ago may be gone, for the carrier still asks. */
static bool may_change(const struct adopting *a, const char *why)
{
    uint64_t waited_ms = clock_ms(loop_clock()) - a->began_ms;

    if (strcmp(why, "taken") == 0)
        return !a->stream && waited_ms < TAKEN_UNTIL_MS;
    return (a->leaving || strcmp(why, "unknown") == 0) && waited_ms < LOOK_UNTIL_MS;
}

static void on_refusal(struct opening *o, const struct known *k, const char *why)
{
    struct json_value hang_up = json_get(&k->root, "hang_up");
    struct adopting *a = o->adopting;

    a->leaving = strcmp(why, "leaving") == 0;
    a->given = false;
    if (may_change(a, why)) {
        a->asked = false;
        loop_timer_in(o->timer, LOOK_AGAIN_MS);
        return;
    }
    refuse(o, why, a->leaving || hang_up.type == JSON_TRUE);
}

/* Nobody waits for it any more. */
static void give_back_late(struct node *n, const struct known *k)
{
    char sid[DIRECTORY_SID];

    text_of(k, "call", sid, sizeof(sid));
    if (sid[0])
        claims_give_back(n, sid);
}

void adopt_answered(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);
    struct known k = {.json = m->s[0]};
    bool answered = m->s[0].n > 0 && json_parse(m->s[0], &k.root) == 0;
    char why[32];

    if (!o || !o->adopting || o->call) { /* late, or the carrier has left */
        if (answered)
            give_back_late(t->node, &k);
        return;
    }
    if (!answered) {
        refuse(o, "no_database", false);
        return;
    }
    text_of(&k, "refused", why, sizeof(why));
    if (why[0]) {
        on_refusal(o, &k, why);
        return;
    }
    read_known(&k);
    choose_agent(o, &k);
    if (!o->agent)
        refuse(o, "no_agent", false);
    else
        take(o, &k);
}

void adopt_opened(struct opening *o, const struct message *m)
{
    if (!m->brief)
        refuse(o, "script_failed", false);
    else if (o->adopting->stream)
        line_adopt(o, m->brief);
    else
        opening_offer(o, m->brief);
}
