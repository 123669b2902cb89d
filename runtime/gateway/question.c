/* SPDX-License-Identifier: Apache-2.0 */
/* question.c - the answer comes on a thread of the asker and is posted to the media thread, where the
 * opening is looked up by its number: it may be gone by then. */
#include "gateway/question.h"

#include "base/err.h"
#include "gateway/books.h"
#include "gateway/media_thread.h"
#include "gateway/node_internal.h"
#include "io/mailbox.h"
#include "store/asker.h"

#include <errno.h>
#include <stdlib.h>

struct asking {
    struct node *node;
    unsigned media_thread;
    uint64_t number;
    enum message_type answer;
};

/* A thread of the asker. */
static void on_answer(void *arg, struct answer *a)
{
    struct asking *q = arg;
    struct node *n = q->node;
    struct message *m;
    size_t at = 0;
    struct rd_str json = RD_STR("");

    if (a && a->rc == 0 && a->n_rows == 1)
        json = answer_cell(a, &at);
    m = message_new(q->answer, 0, &json, 1);
    if (m) {
        m->aux = q->number;
        (void)mailbox_post(n->media[q->media_thread]->mailbox, m);
    }
    answer_free(a);
    free(q);
    atomic_fetch_sub(&n->adopting, 1);
}

int question_ask(struct opening *o, const char *sql, const char *param, size_t bytes_max,
                 enum message_type answer)
{
    struct node *n = o->thread->node;
    struct asking *arg = malloc(sizeof(*arg));
    struct question q = {.sql = sql,
                         .params = &param,
                         .n_params = 1,
                         .bytes_max = bytes_max,
                         .done = on_answer,
                         .arg = arg};
    int rc;

    if (!arg)
        return -ENOMEM;
    *arg = (struct asking){n, o->thread->index, o->number, answer};
    atomic_fetch_add(&n->adopting, 1);
    rc = asker_ask(books_asker(n->books), &q);
    if (rc) {
        atomic_fetch_sub(&n->adopting, 1);
        free(arg);
    }
    return rc;
}

static void on_told(void *arg, struct answer *a)
{
    struct node *n = arg;

    answer_free(a);
    atomic_fetch_sub(&n->adopting, 1);
}

int question_tell(struct node *n, const char *sql, const char *param)
{
    struct question q = {.sql = sql, .params = &param, .n_params = 1, .done = on_told, .arg = n};
    int rc;

    if (!n->books)
        return RD_EGONE;
    atomic_fetch_add(&n->adopting, 1);
    rc = asker_ask(books_asker(n->books), &q);
    if (rc)
        atomic_fetch_sub(&n->adopting, 1);
    return rc;
}
