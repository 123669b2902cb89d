/* SPDX-License-Identifier: Apache-2.0 */
/* transcript.c - an ordered array of slots; see transcript.h for the rules.
 *
 * Failure modes: a 65th open slot lets the oldest out as it is; words beyond 16 KiB per turn are
 * cut; no memory for a slot loses that turn's words, never the call. */
#include "call/transcript.h"

#include <stdlib.h>

void transcript_init(struct transcript *t, transcript_fn *turn, void *arg)
{
    memset(t, 0, sizeof(*t));
    t->turn = turn;
    t->arg = arg;
}

static void slot_free(struct transcript_slot *s)
{
    buf_fini(&s->text);
    buf_fini(&s->said);
    free(s);
}

void transcript_fini(struct transcript *t)
{
    for (uint32_t i = 0; i < t->n; i++)
        slot_free(t->slots[i]);
    t->n = 0;
}

static int index_of(const struct transcript *t, struct rd_str id)
{
    for (uint32_t i = 0; i < t->n; i++)
        if (rd_str_eq(rd_str(t->slots[i]->id), id))
            return (int)i;
    return -1;
}

/* Tool and system items keep their place in the chain, but nobody said them. */
static bool is_spoken(const struct transcript_slot *s)
{
    return s->role == PROVIDER_CALLER || s->role == PROVIDER_AGENT;
}

static bool is_complete(const struct transcript_slot *s)
{
    return !is_spoken(s) || (s->final && (s->settled || s->role == PROVIDER_CALLER));
}

static bool is_gone(const struct transcript *t, struct rd_str id)
{
    uint32_t n = t->n_gone < TRANSCRIPT_GONE ? t->n_gone : TRANSCRIPT_GONE;

    for (uint32_t i = 0; i < n; i++)
        if (rd_str_eq(rd_str(t->gone[i]), id))
            return true;
    return false;
}

/* With the time of its first words, which may have come behind its first sound. */
static struct turn_wait wait_of(const struct transcript_slot *s)
{
    struct turn_wait wait = s->wait;

    if (wait.known && s->worded_ms > s->asked_ms)
        wait.text_ms = (uint32_t)(s->worded_ms - s->asked_ms);
    return wait;
}

static void let_out_first(struct transcript *t)
{
    struct transcript_slot *s = t->slots[0];
    const char *text = buf_text(&s->text), *said = buf_text(&s->said);
    struct transcript_turn turn = {.item_id = s->id,
                                   .role = s->role,
                                   .text = text ? text : "",
                                   .said = said && s->said.n > s->text.n ? said : "",
                                   .interrupted = s->interrupted,
                                   .paused = s->paused,
                                   .wait = wait_of(s)};

    memmove(&t->slots[0], &t->slots[1], (--t->n) * sizeof(t->slots[0]));
    /* An agent turn of which nothing was heard was never said. */
    if (is_spoken(s) && !(s->role == PROVIDER_AGENT && s->text.n == 0)) {
        turn.seq = ++t->seq;
        t->turn(t->arg, &turn);
    }
    if (s->tool_id[0] && t->tool)
        t->tool(t->arg, s);
    if (s->role == PROVIDER_AGENT)
        memcpy(t->gone[t->n_gone++ % TRANSCRIPT_GONE], s->id, sizeof(s->id));
    slot_free(s);
}

void transcript_flush(struct transcript *t, uint64_t now_ms)
{
    while (t->n > 0) {
        bool waited = now_ms >= t->slots[0]->placed_ms + TRANSCRIPT_HOLD_MS;

        /* What the agent is still saying is not late, however long it takes. */
        if (waited && t->slots[0]->role == PROVIDER_AGENT && !t->slots[0]->settled)
            waited = false;
        if (!is_complete(t->slots[0]) && !waited)
            return;
        t->forced += !is_complete(t->slots[0]);
        let_out_first(t);
    }
}

void transcript_finish(struct transcript *t)
{
    while (t->n > 0)
        let_out_first(t);
}

uint64_t transcript_deadline_ms(const struct transcript *t)
{
    if (t->n == 0 || (t->slots[0]->role == PROVIDER_AGENT && !t->slots[0]->settled))
        return 0;
    return t->slots[0]->placed_ms + TRANSCRIPT_HOLD_MS;
}

static struct transcript_slot *insert(struct transcript *t, struct rd_str id,
                                      enum provider_role role, uint32_t where, uint64_t now_ms)
{
    struct transcript_slot *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    if (t->n == TRANSCRIPT_SLOTS) {
        t->forced++;
        let_out_first(t);
        where = where > 0 ? where - 1 : 0;
    }
    (void)rd_str_copy(s->id, sizeof(s->id), id);
    s->role = role;
    s->placed_ms = now_ms;
    s->paused = t->paused;
    buf_init(&s->text, TRANSCRIPT_TEXT_MAX);
    buf_init(&s->said, TRANSCRIPT_TEXT_MAX);
    if (t->sounded[0] && rd_str_eq(id, rd_str(t->sounded))) {
        s->wait = t->sounded_wait;
        s->asked_ms = t->sounded_asked_ms;
        t->sounded[0] = '\0';
    }
    memmove(&t->slots[where + 1], &t->slots[where], (t->n - where) * sizeof(t->slots[0]));
    t->slots[where] = s;
    t->n++;
    return s;
}

void transcript_place(struct transcript *t, const struct provider_placed *p, uint64_t now_ms)
{
    int before = index_of(t, p->previous_id);

    if (index_of(t, p->item_id) >= 0 || is_gone(t, p->item_id))
        return;
    /* An unknown predecessor has been let out already (or there is none): behind all that is here.
     */
    (void)insert(t, p->item_id, p->role, before >= 0 ? (uint32_t)before + 1 : t->n, now_ms);
}

static void replace(struct buf *b, struct rd_str words)
{
    buf_clear(b);
    (void)buf_add(b, words.p, words.n);
}

void transcript_words(struct transcript *t, const struct provider_words *w, uint64_t now_ms)
{
    int i = index_of(t, w->item_id);
    struct transcript_slot *s;

    if (i < 0 && is_gone(t, w->item_id))
        return;
    s = i >= 0 ? t->slots[i] : insert(t, w->item_id, w->role, t->n, now_ms);
    if (s && s->worded_ms == 0 && w->text.n > 0)
        s->worded_ms = now_ms;
    if (s && s->interrupted && w->final && w->text.n > s->said.n)
        replace(&s->said, w->text);
    /* What was heard of a cut turn was fixed when it was cut. */
    if (!s || s->final)
        return;
    if (w->final)
        replace(&s->text, w->text);
    else
        (void)buf_add(&s->text, w->text.p, w->text.n);
    s->final = w->final;
}

void transcript_sounds(struct transcript *t, struct rd_str item_id, const struct turn_wait *wait,
                       uint64_t asked_ms)
{
    int i = index_of(t, item_id);

    if (i >= 0) {
        t->slots[i]->wait = *wait;
        t->slots[i]->asked_ms = asked_ms;
    } else if (rd_str_copy(t->sounded, sizeof(t->sounded), item_id)) {
        t->sounded_wait = *wait;
        t->sounded_asked_ms = asked_ms;
    } else {
        t->sounded[0] = '\0';
    }
}

bool transcript_find(const struct transcript *t, struct rd_str item_id, struct rd_str *words,
                     bool *final)
{
    int i = index_of(t, item_id);

    if (i < 0)
        return false;
    *words =
        (struct rd_str){t->slots[i]->text.data ? t->slots[i]->text.data : "", t->slots[i]->text.n};
    *final = t->slots[i]->final;
    return true;
}

void transcript_tool(struct transcript *t, const struct provider_tool_call *call, uint64_t now_ms)
{
    struct rd_str id = call->item_id.n > 0 ? call->item_id : call->call_id;
    int i = index_of(t, id);
    struct transcript_slot *s = i >= 0 ? t->slots[i] : insert(t, id, PROVIDER_TOOL, t->n, now_ms);

    if (!s || s->role != PROVIDER_TOOL)
        return;
    (void)rd_str_copy(s->tool_id, sizeof(s->tool_id), call->call_id);
    (void)rd_str_copy(s->tool, sizeof(s->tool), call->name);
    replace(&s->text, call->arguments);
}

bool transcript_tool_output(struct transcript *t, struct rd_str call_id, struct rd_str output)
{
    for (uint32_t i = 0; i < t->n; i++) {
        struct transcript_slot *s = t->slots[i];

        if (!s->tool_id[0] || !rd_str_eq(rd_str(s->tool_id), call_id))
            continue;
        replace(&s->said, output);
        s->final = true;
        return true;
    }
    return false;
}

bool transcript_session_over(struct transcript *t)
{
    bool broken = false;

    for (uint32_t i = t->n; i > 0; i--) {
        struct transcript_slot *s = t->slots[i - 1];

        if (!is_spoken(s) || s->final)
            continue;
        if (s->role == PROVIDER_CALLER && !s->paused)
            continue;
        broken |= s->role == PROVIDER_AGENT && s->text.n > 0;
        s->interrupted = s->role == PROVIDER_AGENT;
        s->final = true;
    }
    return broken;
}

static void remove_at(struct transcript *t, uint32_t i)
{
    slot_free(t->slots[i]);
    memmove(&t->slots[i], &t->slots[i + 1], (--t->n - i) * sizeof(t->slots[0]));
}

void transcript_forget_wordless(struct transcript *t)
{
    for (uint32_t i = t->n; i > 0; i--)
        if (t->slots[i - 1]->role == PROVIDER_CALLER && !t->slots[i - 1]->final)
            remove_at(t, i - 1);
}

void transcript_rename(struct transcript *t, struct rd_str id, struct rd_str now)
{
    int i = index_of(t, id);

    if (i >= 0)
        (void)rd_str_copy(t->slots[i]->id, sizeof(t->slots[i]->id), now);
}

void transcript_heard(struct transcript *t, struct rd_str item_id)
{
    int i = index_of(t, item_id);

    if (i >= 0)
        t->slots[i]->settled = true;
}

/* Bytes of text that stand for heard_ms of total_ms, cut back to the end of a word. */
static size_t heard_text(const struct buf *text, uint32_t heard_ms, uint32_t total_ms)
{
    size_t n = total_ms ? (size_t)((uint64_t)text->n * heard_ms / total_ms) : 0;

    if (n >= text->n)
        return text->n;
    while (n > 0 && text->data[n] != ' ')
        n--;
    return n;
}

void transcript_cut(struct transcript *t, struct rd_str item_id, uint32_t heard_ms,
                    uint32_t total_ms)
{
    int i = index_of(t, item_id);
    struct transcript_slot *s = i >= 0 ? t->slots[i] : NULL;

    if (!s || s->settled)
        return;
    (void)buf_add(&s->said, s->text.data, s->text.n);
    s->text.n = heard_text(&s->text, heard_ms, total_ms);
    s->settled = true;
    s->interrupted = true;
    s->final = true;
}
