/* SPDX-License-Identifier: Apache-2.0 */
/* expected.c - a table of (agent, number, code) → errand.
 *
 * Failure: a full table refuses; the errand then goes by calls and the database alone. */
#include "agent/expected.h"

#include "agent/script_thread.h"
#include "base/err.h"
#include "base/json_out.h"

#include <pthread.h>
#include <stdlib.h>

enum { NUMBER_BYTES = 20, AGENT_BYTES = 64, CODES = 9, LETTER_MAX = 16384 };

struct entry {
    char agent[AGENT_BYTES], number[NUMBER_BYTES];
    struct script_thread *thread; /* borrows */
    uint64_t errand, order;       /* order 0: free */
    int code;
};

struct expected {
    pthread_mutex_t lock;
    uint64_t last_order;
    struct entry entries[EXPECTED_MAX];
};

struct expected *expected_new(void)
{
    struct expected *x = calloc(1, sizeof(*x));

    if (x)
        pthread_mutex_init(&x->lock, NULL);
    return x;
}

void expected_free(struct expected *x)
{
    if (!x)
        return;
    pthread_mutex_destroy(&x->lock);
    free(x);
}

static bool is_for(const struct entry *e, struct rd_str agent, struct rd_str number)
{
    return e->order && rd_str_eq(rd_str(e->number), number) && rd_str_eq(rd_str(e->agent), agent);
}

static int put(struct expected *x, struct rd_str agent, struct rd_str number,
               struct script_thread *t, uint64_t errand)
{
    struct entry *place = NULL;
    unsigned used = 0;
    int code = 1;

    for (int i = 0; i < EXPECTED_MAX; i++) {
        struct entry *e = &x->entries[i];

        if (!e->order && !place)
            place = e;
        if (!is_for(e, agent, number))
            continue;
        if (e->thread == t && e->errand == errand)
            return e->code;
        used |= 1u << e->code;
    }
    while (code <= CODES && used & 1u << code)
        code++;
    if (!place || code > CODES)
        return RD_EFULL;
    *place = (struct entry){.thread = t, .errand = errand, .order = ++x->last_order, .code = code};
    (void)rd_str_copy(place->agent, sizeof(place->agent), agent);
    (void)rd_str_copy(place->number, sizeof(place->number), number);
    return code;
}

int expected_add(struct expected *x, struct rd_str agent, struct rd_str number,
                 struct script_thread *t, uint64_t errand)
{
    int rc;

    if (number.n == 0 || number.n >= NUMBER_BYTES || agent.n >= AGENT_BYTES)
        return RD_ETOOBIG;
    pthread_mutex_lock(&x->lock);
    rc = put(x, agent, number, t, errand);
    pthread_mutex_unlock(&x->lock);
    return rc;
}

void expected_forget(struct expected *x, const struct script_thread *t, uint64_t errand)
{
    pthread_mutex_lock(&x->lock);
    for (int i = 0; i < EXPECTED_MAX; i++)
        if (x->entries[i].thread == t && x->entries[i].errand == errand)
            x->entries[i].order = 0;
    pthread_mutex_unlock(&x->lock);
}

/* The digit that stands alone at the beginning, "2" or "2, on my way"; 0: none. */
static int code_in(struct rd_str body)
{
    size_t i = 0;

    while (i < body.n && strchr(" \t\r\n\"'#", body.p[i]))
        i++;
    if (i >= body.n || body.p[i] < '1' || body.p[i] > '9')
        return 0;
    if (i + 1 < body.n && body.p[i + 1] >= '0' && body.p[i + 1] <= '9')
        return 0;
    return body.p[i] - '0';
}

/* Under the lock: an errand that is forgotten gets no letter, so its thread may go. */
static bool post(const struct entry *e, struct rd_str json)
{
    struct message *m =
        message_new(MSG_ERRAND, 0, (struct rd_str[]){RD_STR(""), RD_STR("text"), json}, 3);

    if (!m)
        return false;
    m->kind = ERRAND_LETTER;
    m->aux = e->errand;
    return mailbox_post(e->thread->mailbox, m) == 0;
}

static bool deliver(const struct expected *x, struct rd_str agent, struct rd_str number,
                    struct rd_str body, struct buf *json)
{
    const struct entry *newest = NULL, *named = NULL;
    int code = code_in(body), n = 0;

    for (int i = 0; i < EXPECTED_MAX; i++) {
        const struct entry *e = &x->entries[i];

        if (!is_for(e, agent, number))
            continue;
        n++;
        if (e->code == code)
            named = e;
        if (!newest || e->order > newest->order)
            newest = e;
    }
    if (!newest || json_add_object(json, JSON_MEMBERS(J_TEXT("from", number), J_TEXT("body", body),
                                                      J_INT("code", named ? code : 0),
                                                      J_BOOL("several", n > 1))))
        return false;
    return post(named ? named : newest, (struct rd_str){json->data, json->n});
}

bool expected_deliver(struct expected *x, struct rd_str agent, struct rd_str number,
                      struct rd_str body)
{
    struct buf json;
    bool taken;

    buf_init(&json, LETTER_MAX);
    pthread_mutex_lock(&x->lock);
    taken = deliver(x, agent, number, body, &json);
    pthread_mutex_unlock(&x->lock);
    buf_fini(&json);
    return taken;
}
