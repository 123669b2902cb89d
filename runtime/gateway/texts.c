/* SPDX-License-Identifier: Apache-2.0 */
/* texts.c - POST /twilio/sms, and /twilio/status about a text.
 *
 * - a text came: it is a fact before it is answered, with what it asks for (STOP, START, HELP) and
 *   the hash of the number. Then its agent hears of it by an errand; STOP and HELP need no script
 * - how far a text of ours came: a fact. The address of its callback carries our own id, so it does
 *   not matter whether the callback or Twilio's answer to the request is here first. Of a text about
 *   an emergency, whoever sent it hears when it was not delivered
 * - every half minute: which texts are due; the answer comes on a thread of the database's
 *
 * Failure modes: Twilio repeats what it had no answer to: the last SEEN texts are known here, those
 * of other nodes to the database. No room for an errand: the text is kept, and the log says that its
 * agent does not hear of it; one that was due is put off. */
#include "gateway/texts.h"

#include "base/err.h"
#include "base/log.h"
#include "base/redact.h"
#include "gateway/books.h"
#include "gateway/meters.h"
#include "gateway/webhook.h"
#include "io/tls.h"
#include "observe/metrics.h"
#include "store/asker.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    SEEN = 1024,
    SID = 34,         /* "SM" and 32 hexadecimal digits */
    ID_MAX = 128,     /* of ours */
    WORDS_MAX = 6400, /* 1600 characters */
    CLEAN_MAX = 8 * WORDS_MAX + 128,
    ORDER_MAX = 48 * 1024,
    AGENTS_MAX = 16 * 1024
};

struct texts {
    pthread_mutex_t lock;
    pthread_cond_t answered;
    char seen[SEEN][SID + 1]; /* a ring */
    unsigned next;
    bool asking; /* the database which texts are due */
};

int texts_new(struct texts **out)
{
    struct texts *x = calloc(1, sizeof(*x));

    if (!x)
        return -ENOMEM;
    pthread_mutex_init(&x->lock, NULL);
    pthread_cond_init(&x->answered, NULL);
    *out = x;
    return 0;
}

void texts_free(struct texts *x)
{
    if (!x)
        return;
    pthread_mutex_lock(&x->lock);
    while (x->asking)
        pthread_cond_wait(&x->answered, &x->lock);
    pthread_mutex_unlock(&x->lock);
    pthread_cond_destroy(&x->answered);
    pthread_mutex_destroy(&x->lock);
    free(x);
}

/* --- a text came --- */

static bool is_sid(struct rd_str s)
{
    if (s.n != SID || (memcmp(s.p, "SM", 2) != 0 && memcmp(s.p, "MM", 2) != 0))
        return false;
    for (size_t i = 2; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'f')))
            return false;
    return true;
}

/* False when it was here before. */
static bool is_new(struct texts *x, struct rd_str sid)
{
    bool fresh = true;

    pthread_mutex_lock(&x->lock);
    for (unsigned i = 0; fresh && i < SEEN; i++)
        fresh = !rd_str_eq(rd_str(x->seen[i]), sid);
    if (fresh)
        (void)rd_str_copy(x->seen[x->next++ % SEEN], sizeof(x->seen[0]), sid);
    pthread_mutex_unlock(&x->lock);
    return fresh;
}

static int number_of(struct rd_str digits)
{
    return digits.n == 1 && digits.p[0] >= '0' && digits.p[0] <= '9' ? digits.p[0] - '0' : 0;
}

struct text_in {
    struct rd_str sid, from, to, body;
    enum text_word word;
    int media, segments;
    const struct agent_info *agent; /* borrows; NULL: nobody's number */
};

static void keep_text_in(struct node *n, const struct text_in *text)
{
    static const char *const opts[] = {
        [TEXT_STOP] = "out", [TEXT_START] = "in", [TEXT_YES] = "yes", [TEXT_HELP] = "help"};
    char hash[NUMBER_HASH];
    struct buf clean;

    number_hash(hash, n->settings->cluster_secret, text->from);
    buf_init(&clean, CLEAN_MAX);
    (void)redact_text(&clean, text->body); /* what of it could be cleaned */
    keep_node(n->keep, "text",
              JSON_MEMBERS(
                  J_TEXT("id", text->sid), J_STR("agent", text->agent ? text->agent->name : NULL),
                  J_STR("direction", "in"), J_TEXT("from", text->from), J_TEXT("to", text->to),
                  J_TEXT("body", ((struct rd_str){clean.data ? clean.data : "", clean.n})),
                  J_INT("segments", text->segments), J_INT("media", text->media),
                  J_STR("status", "received"), J_STR("hash", hash),
                  J_STR("opt", text->word == TEXT_WORDS ? NULL : opts[text->word])));
    buf_fini(&clean);
}

static void tell_agent(struct node *n, const struct text_in *text)
{
    struct buf json;
    int rc;

    buf_init(&json, ORDER_MAX);
    rc = json_add_object(&json, JSON_MEMBERS(J_TEXT("id", text->sid), J_TEXT("from", text->from),
                                             J_TEXT("to", text->to), J_TEXT("body", text->body),
                                             J_INT("media", text->media),
                                             J_STR("opt", text->word == TEXT_YES ? "yes" : NULL)));
    if (!rc)
        rc = buf_text(&json)
                 ? script_pool_errand(n->scripts, text->agent->name, "text_in", json.data, 0, 0)
                 : -ENOMEM;
    if (rc)
        log_warn("text.not_told", F_STR("agent", text->agent->name), F_ERR(rc),
                 F_FIX("too much is being done at once: the text is kept, but its agent did not "
                       "hear of it; add a node"));
    buf_fini(&json);
}

static void keep_help(struct node *n, const struct text_in *text)
{
    char id[sizeof("help-") + SID] = "help-";

    (void)rd_str_copy(id + 5, sizeof(id) - 5, text->sid);
    keep_node(n->keep, "text",
              JSON_MEMBERS(J_STR("id", id), J_STR("agent", text->agent ? text->agent->name : NULL),
                           J_STR("direction", "out"), J_TEXT("from", text->to),
                           J_TEXT("to", text->from), J_STR("template", "help"),
                           J_STR("kind", "help"), J_STR("status", "sent")));
}

static struct rd_str help_of(const struct text_in *text)
{
    static const char of_nobody[] =
        "<Response><Message>Nobody reads texts to this number. To reach "
        "us, please call. Reply STOP to opt out.</Message></Response>";

    return rd_str(text->agent ? text->agent->help_twiml : of_nobody);
}

/* The document that answers it. */
static struct rd_str take(struct node *n, const struct text_in *text)
{
    static const struct rd_str nothing = {"<Response/>", sizeof("<Response/>") - 1};
    struct rd_str help;

    if (!is_new(n->texts, text->sid))
        return nothing;
    metric_add(M_TEXTS_IN, 1);
    meter_text(RD_STR("in"), RD_STR("received"));
    keep_text_in(n, text);
    if (text->word != TEXT_HELP) {
        if (text->agent && text->word != TEXT_STOP && text->word != TEXT_START)
            tell_agent(n, text);
        return nothing;
    }
    help = help_of(text);
    if (help.n == 0)
        return nothing; /* the carrier answers by itself */
    keep_help(n, text);
    return help;
}

void texts_request(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct agent_set *set = script_pool_agents(t->node->scripts);
    struct text_in text = {.sid = form_get(form, "MessageSid"),
                           .from = webhook_word(form, "From"),
                           .to = webhook_word(form, "To"),
                           .body = form_get(form, "Body"),
                           .media = number_of(form_get(form, "NumMedia")),
                           .segments = number_of(form_get(form, "NumSegments"))};

    if (text.body.n > WORDS_MAX)
        text.body.n = WORDS_MAX;
    if (!text.body.p)
        text.body = RD_STR("");
    text.word = text_word_of(text.body);
    text.agent = webhook_agent_at(t, set, text.to);
    if (!is_sid(text.sid) || text.from.n == 0)
        webhook_reply_text(r, 400, "MessageSid or From is missing or is none\n");
    else
        webhook_reply_xml(r, take(t->node, &text));
    agent_set_unref(set);
}

/* --- how far it came --- */

static bool is_id(struct rd_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (!((s.p[i] >= '0' && s.p[i] <= '9') || (s.p[i] >= 'a' && s.p[i] <= 'z') ||
              (s.p[i] >= 'A' && s.p[i] <= 'Z') || s.p[i] == '-' || s.p[i] == '.'))
            return false;
    return s.n > 0 && s.n <= ID_MAX;
}

/* What the address that was called says, signed like all of it. */
struct text_address {
    char id[ID_MAX + 1];        /* ours; empty: not ours */
    struct errand_place errand; /* who sent it and waits */
    bool awaited;
};

static void read_address(struct http_request *r, struct text_address *out)
{
    struct rd_str target = http_target(r), path = http_path(r), id;
    struct form *query;

    *out = (struct text_address){0};
    if (target.n <= path.n + 1)
        return;
    if (form_parse(&query, (struct rd_str){target.p + path.n + 1, target.n - path.n - 1}))
        return;
    id = form_get(query, "text");
    if (is_id(id))
        (void)rd_str_copy(out->id, sizeof(out->id), id);
    out->awaited = errand_place_read(&out->errand, form_get(query, "errand"));
    form_free(query);
}

/* Somebody in an emergency has not got it: whoever sent it asks the next person. */
static void tell_undelivered(struct node *n, const struct text_address *a, struct rd_str status,
                             struct rd_str error)
{
    struct buf json;
    int rc;

    if (!a->awaited ||
        !(rd_str_eq(status, RD_STR("undelivered")) || rd_str_eq(status, RD_STR("failed"))))
        return;
    buf_init(&json, ORDER_MAX);
    rc = json_add_object(&json, JSON_MEMBERS(J_STR("id", a->id), J_TEXT("error_code", error)));
    if (!rc) /* an errand that is over needs no letter */
        (void)script_pool_letter(n->scripts, &a->errand, RD_STR("undelivered"),
                                 (struct rd_str){json.data, json.n});
    buf_fini(&json);
}

static struct rd_str if_any(struct rd_str s)
{
    return s.n > 0 ? s : (struct rd_str){NULL, 0};
}

static const struct rd_str no_text = {NULL, 0};

bool texts_status(struct media_thread *t, struct http_request *r, struct form *form)
{
    struct rd_str sid = form_get(form, "MessageSid"), error = webhook_word(form, "ErrorCode");
    bool opted_out = rd_str_eq(error, RD_STR("21610"));
    struct rd_str status = webhook_word(form, "MessageStatus");
    struct text_address address;
    char hash[NUMBER_HASH];

    if (sid.n == 0)
        return false;
    if (!is_sid(sid)) {
        webhook_reply_text(r, 400, "MessageSid is none\n");
        return true;
    }
    read_address(r, &address);
    meter_text(RD_STR("out"), status);
    number_hash(hash, t->node->settings->cluster_secret, webhook_word(form, "To"));
    keep_node(t->node->keep, "text",
              JSON_MEMBERS(J_TEXT("id", address.id[0] ? rd_str(address.id) : sid),
                           J_TEXT("sid", sid), J_TEXT("status", if_any(status)),
                           J_TEXT("error_code", if_any(error)),
                           J_TEXT("from", opted_out ? webhook_word(form, "From") : no_text),
                           J_STR("hash", opted_out ? hash : NULL)));
    tell_undelivered(t->node, &address, status, if_any(error));
    webhook_reply_text(r, 200, "");
    return true;
}

/* --- what is due --- */

static const char due_sql[] = "select id, agent, about::text from take_due_texts($1::text[])";
static const char put_off_sql[] = "select put_text_off($1, now() + interval '1 minute')";

static void on_put_off(void *arg, struct answer *a)
{
    (void)arg;
    answer_free(a);
}

static void put_off(struct node *n, const char *id)
{
    struct question q = {.sql = put_off_sql, .params = &id, .n_params = 1, .done = on_put_off};

    if (asker_ask(books_asker(n->books), &q))
        log_warn("text.not_put_off", F_STR("text", id),
                 F_FIX("that text is not sent: what else does the log say about the database?"));
}

static void send_due(struct node *n, struct rd_str id, struct rd_str agent, struct rd_str about)
{
    char id_z[ID_MAX + 1], agent_z[DIRECTORY_AGENT];
    struct buf json;
    int rc;

    (void)rd_str_copy(id_z, sizeof(id_z), id);
    (void)rd_str_copy(agent_z, sizeof(agent_z), agent);
    buf_init(&json, ORDER_MAX);
    rc = buf_add(&json, about.p ? about.p : "", about.n);
    if (!rc)
        rc = buf_text(&json) ? script_pool_errand(n->scripts, agent_z, "text_due", json.data, 0, 0)
                             : -ENOMEM;
    buf_fini(&json);
    if (rc)
        put_off(n, id_z);
}

static void asked_nothing(struct texts *x)
{
    pthread_mutex_lock(&x->lock);
    x->asking = false;
    pthread_cond_signal(&x->answered);
    pthread_mutex_unlock(&x->lock);
}

/* A thread of the database's. */
static void on_due(void *arg, struct answer *a)
{
    struct node *n = arg;
    size_t at = 0;

    for (uint32_t i = 0; a && a->rc == 0 && i < a->n_rows; i++) {
        struct rd_str id = answer_cell(a, &at);
        struct rd_str agent = answer_cell(a, &at);

        send_due(n, id, agent, answer_cell(a, &at));
    }
    if (a && a->rc == RD_EREFUSED)
        log_error(
            "text.due_refused", F_STR("why", a->why),
            F_FIX("texts that are due are not sent: is the database's schema this version's?"));
    answer_free(a);
    asked_nothing(n->texts);
}

/* As PostgreSQL writes a list: {"a","b"}. Agents' names need no escapes. False: there are none. */
static bool list_agents(struct node *n, struct buf *out)
{
    struct agent_set *set = script_pool_agents(n->scripts);
    bool any = false;
    int rc = buf_add_str(out, "{");

    for (size_t i = 0; !rc && i < agent_set_count(set); i++) {
        if (!agent_set_at(set, i)->answers_missed)
            continue;
        rc = buf_addf(out, "%s\"%s\"", any ? "," : "", agent_set_at(set, i)->name);
        any = true;
    }
    agent_set_unref(set);
    return !rc && any && buf_add_str(out, "}") == 0 && buf_text(out);
}

/* One question at a time. */
static bool may_ask(struct texts *x)
{
    bool may;

    pthread_mutex_lock(&x->lock);
    may = !x->asking;
    x->asking = true;
    pthread_mutex_unlock(&x->lock);
    return may;
}

void texts_ask_due(struct node *n)
{
    struct question q = {.sql = due_sql, .n_params = 1, .done = on_due, .arg = n};
    struct buf agents;
    const char *param;

    if (!n->books || !may_ask(n->texts))
        return;
    buf_init(&agents, AGENTS_MAX);
    if (list_agents(n, &agents)) {
        param = agents.data;
        q.params = &param;
        if (asker_ask(books_asker(n->books), &q))
            asked_nothing(n->texts); /* down or busy: in half a minute again */
    } else {
        asked_nothing(n->texts);
    }
    buf_fini(&agents);
}
