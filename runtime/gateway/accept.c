/* SPDX-License-Identifier: Apache-2.0 */
/* accept.c - the question "do you take this call?", answered by a node that does not have it.
 *
 *   /twilio/accept ─▶ accept_elsewhere() in PostgreSQL ─MSG_ACCEPTED─▶ "press 1", the bridge, or goodbye
 *
 * What the database says of the call and its emergency decides; that somebody took it is kept there,
 * where whoever follows the emergency up looks every few seconds.
 *
 * Failure modes: the database is away or does not know the call: who picked up is hung up on, and the
 * next person is rung, as for one who presses no key. */
#include "gateway/accept.h"

#include "base/err.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log.h"
#include "carriers/twilio/twiml.h"
#include "gateway/opening.h"
#include "gateway/question.h"
#include "gateway/resume.h"
#include "gateway/webhook.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MS = 2500, ASK_MAX = 1024, WORDS_MAX = 512 };

static void goodbye(struct opening *o, const char *why)
{
    log_info("call.not_accepted", F_CALL(o->sid), F_STR("reason", why));
    resume_hang_up(opening_answered(o));
    opening_free(o);
}

static void on_late(struct opening *o)
{
    goodbye(o, "no_answer");
}

/* The call whose caller waits: the parent of the leg that was dialled, else the one that the address
 * names. */
static void find_call(struct http_request *r, struct form *form, char out[DIRECTORY_SID])
{
    struct rd_str target = http_target(r), path = http_path(r);
    struct form *query = NULL;

    if (rd_str_copy(out, DIRECTORY_SID, form_get(form, "ParentCallSid")) && out[0])
        return;
    out[0] = '\0';
    if (target.n <= path.n + 1 ||
        form_parse(&query, (struct rd_str){target.p + path.n + 1, target.n - path.n - 1}))
        return;
    (void)rd_str_copy(out, DIRECTORY_SID, form_get(query, "call"));
    form_free(query);
}

bool accept_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    char call[DIRECTORY_SID];
    struct opening *o;
    struct buf what;
    int rc;

    find_call(r, form, call);
    o = call[0] && t->node->books ? opening_new(t, r, 0, ANSWER_MS, on_late) : NULL;
    if (!o)
        return false;
    o->again = true;
    o->screening = true;
    (void)rd_str_copy(o->sid, sizeof(o->sid), rd_str(call));
    buf_init(&what, ASK_MAX);
    rc = json_add_object(&what,
                         JSON_MEMBERS(J_STR("call", call), J_TEXT("to", webhook_word(form, "To")),
                                      J_TEXT("digits", webhook_word(form, "Digits")),
                                      J_STR("node", t->node->name)));
    if (!rc)
        rc = buf_text(&what) ? question_ask(o, "select accept_elsewhere($1::jsonb)::text",
                                            what.data, 0, MSG_ACCEPTED)
                             : -ENOMEM;
    buf_fini(&what);
    if (rc)
        goodbye(o, "no_database");
    return true;
}

/* --- the answer --- */

/* https://host/twilio/resume → …/twilio/accept, with what stood behind it. */
static int write_action(struct buf *out, const struct opening *o)
{
    const char *base = o->thread->node->resume_url;
    struct rd_str target = http_target(o->request), path = http_path(o->request);
    int rc = buf_add(out, base, strlen(base) - strlen("resume"));

    if (!rc)
        rc = buf_add_str(out, "accept");
    if (!rc)
        rc = buf_add(out, target.p + path.n, target.n - path.n);
    return !rc && !buf_text(out) ? -ENOMEM : rc;
}

static int write_document(struct buf *out, const struct opening *o, const struct json_value *said)
{
    struct json_value answer = json_get(said, "answer"), v = json_get(said, "words");
    char words[WORDS_MAX] = "";
    struct buf action;
    int rc;

    if (v.type == JSON_STRING && json_copy(&v, words, sizeof(words)))
        words[0] = '\0';
    if (json_is(&answer, "bridge"))
        return twiml_nothing(out);
    if (!json_is(&answer, "screen"))
        return words[0] ? twiml_say_hangup(out, words) : twiml_hangup(out);
    buf_init(&action, WEBHOOK_TWIML_MAX);
    rc = write_action(&action, o);
    if (!rc)
        rc = twiml_press_key(out, words, action.data);
    buf_fini(&action);
    return rc;
}

void accept_answered(struct media_thread *t, struct message *m)
{
    struct opening *o = opening_waiting(t, m->aux);
    struct json_value said;
    struct buf twiml;

    if (!o)
        return; /* late, or the carrier has left */
    if (m->s[0].n == 0 || json_parse(m->s[0], &said)) {
        goodbye(o, "no_database");
        return;
    }
    buf_init(&twiml, WEBHOOK_TWIML_MAX);
    if (write_document(&twiml, o, &said)) {
        goodbye(o, "no_memory");
    } else {
        opening_reply(o, (struct rd_str){twiml.data, twiml.n});
        opening_free(o);
    }
    buf_fini(&twiml);
}
