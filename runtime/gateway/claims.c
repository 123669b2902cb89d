/* SPDX-License-Identifier: Apache-2.0 */
/* claims.c - the epoch in the row is the truth: who has a smaller one has lost the call.
 *
 * Failure modes: the database does not answer: nothing is let go, and the next look asks again. */
#include "gateway/claims.h"

#include "base/log.h"
#include "gateway/books.h"
#include "gateway/node_internal.h"
#include "gateway/resume.h"
#include "gateway/webhook.h"
#include "store/asker.h"

#include <stdlib.h>

enum { CLAIMS_MAX = 1000 };

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

/* A thread of the asker. */
static void on_claims(void *arg, struct answer *a)
{
    struct node *n = arg;
    struct directory_view view;
    char epoch[24];
    size_t at = 0;

    for (uint32_t i = 0; a && a->rc == 0 && i < a->n_rows; i++) {
        bool ours = directory_find(n->directory, answer_cell(a, &at), &view);

        if (!rd_str_copy(epoch, sizeof(epoch), answer_cell(a, &at)) || !ours) {
            continue;
        } else if (epoch[0] == '-') { /* another node heard that it is over */
            (void)resume_over(n, view.call, "transferred");
        } else if (view.state != DIRECTORY_OVER && view.epoch < strtoull(epoch, NULL, 10)) {
            log_info("call.claimed_elsewhere", F_CALL(view.sid));
            let_go(n, &view);
        }
    }
    answer_free(a);
    atomic_fetch_sub(&n->adopting, 1);
}

void claims_look(struct node *n)
{
    struct question q = {.sql = "select * from calls_to_let_go($1)",
                         .params = &n->name,
                         .n_params = 1,
                         .rows_max = CLAIMS_MAX,
                         .done = on_claims,
                         .arg = n};

    if (!n->books || directory_counts(n->directory).live == 0)
        return;
    atomic_fetch_add(&n->adopting, 1);
    if (asker_ask(books_asker(n->books), &q))
        atomic_fetch_sub(&n->adopting, 1);
}
