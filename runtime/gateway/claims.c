/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c - the epoch in the row is the truth: who has a smaller one has lost the call.
 *
 *   once a second    {call: epoch} of all we have ─▶ calls_lost()
 *     ─▶ somebody else has it: closed here, without a word to the script or to the caller
 *     ─▶ '-', it is over: as if the carrier had told us
 *   a stream begins  ─▶ stream_begins(): its address is used up
 *   no room          ─▶ give_back_call()
 *
 * Failure modes: the database does not answer: nothing is let go, and the next look asks again. What
 * could not be given back is closed by the leader once the carrier says that it is over. */
#include "gateway/claims.h"

#include "base/json_out.h"
#include "base/log.h"
#include "base/now.h"
#include "gateway/books.h"
#include "gateway/missed.h"
#include "gateway/node_internal.h"
#include "gateway/resume.h"
#include "gateway/webhook.h"
#include "store/asker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    CLAIMS_MAX = 10000,
    HAVE_MAX = 1 << 20,
    VIEWS = 32, /* copied from the directory at a time */
    KNOWN_US = 3000000,
    ASK_MAX = 512
};

/* --- what others say of ours --- */

static void let_go(struct node *n, const struct directory_view *v)
{
    struct directory_view view;
    struct credits *credits;
    struct message *m;

    directory_forget(n->directory, v->call); /* it may come back */
    if (v->state != DIRECTORY_TAKEN) {
        if (directory_release(n->directory, v->call, true, &credits, &view))
            webhook_tell_ended(credits, v->call, "claimed");
        return;
    }
    m = message_new(MSG_CALL_COMMAND, v->call, NULL, 0);
    if (!m)
        return;
    m->kind = CMD_CLAIMED;
    (void)mailbox_post(n->media[v->media_thread]->mailbox, m);
}

/* Another node heard that it is over. That node told of a caller whom nobody answered, and knows no more
 * than the carrier's word: who gave up before the stream came is ours to tell. */
static void end(struct node *n, const struct directory_view *v, struct rd_str status,
                struct rd_str direction)
{
    webhook_carrier_ended(n, v);
    if (v->state != DIRECTORY_TAKEN)
        missed_call(
            n, v, missed_by_status(status, direction) == MISSED_NOT ? MISSED_GAVE_UP : MISSED_NOT);
}

/* A thread of the asker. */
static void on_claims(void *arg, struct answer *a)
{
    struct node *n = arg;
    struct directory_view view;
    char epoch[24];
    size_t at = 0;

    if (a && a->rc == 0)
        atomic_store(&n->claims_known_us, monotonic_us());
    for (uint32_t i = 0; a && a->rc == 0 && i < a->n_rows; i++) {
        bool ours = directory_find(n->directory, answer_cell(a, &at), &view);
        bool fits = rd_str_copy(epoch, sizeof(epoch), answer_cell(a, &at));
        struct rd_str status = answer_cell(a, &at), direction = answer_cell(a, &at);

        if (!ours || !fits || view.state == DIRECTORY_OVER) {
            continue;
        } else if (epoch[0] == '-') {
            end(n, &view, status, direction);
        } else if (view.epoch < strtoull(epoch, NULL, 10)) {
            log_info("call.claimed_elsewhere", F_CALL(view.sid));
            let_go(n, &view);
        }
    }
    answer_free(a);
    atomic_fetch_sub(&n->adopting, 1);
}

static void ask(struct node *n, struct question *q)
{
    q->arg = n;
    atomic_fetch_add(&n->adopting, 1);
    if (asker_ask(books_asker(n->books), q))
        atomic_fetch_sub(&n->adopting, 1);
}

/* {"CA…": epoch, …}; a CallSid is what a signed form says it is, and is checked before it is a key. */
static int add_have(struct buf *out, const struct directory_view *v)
{
    if (v->state == DIRECTORY_OVER || strspn(v->sid, "0123456789ABCDEFabcdef") != strlen(v->sid))
        return 0;
    return buf_addf(out, "%s\"%s\":%" PRIu64, out->n > 1 ? "," : "", v->sid, v->epoch);
}

static int write_have(struct node *n, struct buf *out)
{
    struct directory_view views[VIEWS];
    unsigned place = 0;
    bool more = true;
    size_t count;
    int rc = buf_addf(out, "{");

    while (!rc && more) {
        more = directory_walk(n->directory, &place, views, VIEWS, &count);
        for (size_t i = 0; !rc && i < count; i++)
            rc = add_have(out, &views[i]);
    }
    return rc ? rc : buf_addf(out, "}");
}

void claims_look(struct node *n)
{
    struct buf have;
    int rc;

    if (!n->books || directory_counts(n->directory).live == 0)
        return;
    buf_init(&have, HAVE_MAX);
    rc = write_have(n, &have);
    if (!rc)
        ask(n, &(struct question){.sql = "select * from calls_lost($1, $2::jsonb)",
                                  .params = (const char *const[]){n->name, buf_text(&have)},
                                  .n_params = 2,
                                  .rows_max = CLAIMS_MAX,
                                  .bytes_max = HAVE_MAX,
                                  .done = on_claims});
    buf_fini(&have);
}

bool claims_are_known(const struct node *n)
{
    return !n->books || monotonic_us() - atomic_load(&n->claims_known_us) < KNOWN_US;
}

/* --- what we say --- */

/* A thread of the asker. */
static void on_told(void *arg, struct answer *a)
{
    struct node *n = arg;

    answer_free(a);
    atomic_fetch_sub(&n->adopting, 1);
}

void claims_write_nonce(char out[CLAIMS_NONCE], uint64_t nonce)
{
    (void)snprintf(out, CLAIMS_NONCE, "%016" PRIx64, nonce);
}

void claims_stream_begins(struct node *n, const char *sid, uint64_t nonce)
{
    char text[CLAIMS_NONCE];

    if (!n->books)
        return;
    claims_write_nonce(text, nonce);
    ask(n, &(struct question){.sql = "select stream_begins($1, $2)",
                              .params = (const char *const[]){sid, text},
                              .n_params = 2,
                              .done = on_told});
}

void claims_give_back(struct node *n, const char *sid)
{
    struct buf what;

    if (!n->books)
        return;
    buf_init(&what, ASK_MAX);
    if (json_add_object(&what, JSON_MEMBERS(J_STR("call", sid), J_STR("node", n->name),
                                            J_INT("process", keep_process(n->keep)))) == 0 &&
        buf_text(&what))
        ask(n, &(struct question){.sql = "select give_back_call($1::jsonb)",
                                  .params = (const char *const[]){buf_text(&what)},
                                  .n_params = 1,
                                  .done = on_told});
    buf_fini(&what);
}
