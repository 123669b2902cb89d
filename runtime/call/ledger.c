/* SPDX-License-Identifier: Apache-2.0 */
/* ledger.c - a short queue of items, each with four growing byte counts.
 *
 * - begin, received, sent: audio on its way to the carrier; a mark follows at least every 200 ms.
 * - ack: the carrier played up to a mark. Marks come back in order, so everything before is heard.
 *   Items that are done and fully heard leave the queue.
 * - interrupt: what was heard of each item is frozen; the generation grows, because the clear makes
 *   the carrier return all pending marks at once, and those prove nothing.
 *
 * Failure modes: a mark that never was sent, or an old one, changes nothing; a queue that is full
 * gives up its oldest item (counted); bytes never run backwards. */
#include "call/ledger.h"

#include "ports/audio.h"

void ledger_init(struct ledger *l)
{
    memset(l, 0, sizeof(*l));
    l->generation = 1;
    l->next_number = 1;
}

static struct ledger_item *at(const struct ledger *l, uint32_t i)
{
    return (struct ledger_item *)&l->items[(l->first + i) % LEDGER_ITEMS];
}

static struct ledger_item *find(const struct ledger *l, struct rd_str id, uint32_t content_index)
{
    for (uint32_t i = 0; i < l->count; i++) {
        struct ledger_item *it = at(l, i);

        if (it->content_index == content_index && rd_str_eq(rd_str(it->id), id))
            return it;
    }
    return NULL;
}

static void drop_first(struct ledger *l)
{
    l->heard_bytes += at(l, 0)->acked;
    l->first = (l->first + 1) % LEDGER_ITEMS;
    l->count--;
}

static void drop_heard(struct ledger *l)
{
    while (l->count > 0 && at(l, 0)->done && at(l, 0)->acked == at(l, 0)->sent)
        drop_first(l);
}

struct ledger_item *ledger_begin(struct ledger *l, struct rd_str id, uint32_t content_index,
                                 bool aside)
{
    struct ledger_item *it = find(l, id, content_index);

    if (it)
        return it;
    if (id.n == 0 || id.n >= LEDGER_ID)
        return NULL;
    if (l->count == LEDGER_ITEMS) {
        l->given_up++;
        drop_first(l);
    }
    it = at(l, l->count++);
    memset(it, 0, sizeof(*it));
    (void)rd_str_copy(it->id, sizeof(it->id), id);
    it->content_index = content_index;
    it->number = l->next_number++;
    it->spoken_aside = aside;
    return it;
}

void ledger_received(struct ledger_item *it, uint32_t n_bytes)
{
    it->received += n_bytes;
}

void ledger_sent(struct ledger_item *it, uint32_t n_bytes)
{
    it->sent += n_bytes;
}

bool ledger_playing(const struct ledger *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (at(l, i)->acked < at(l, i)->sent)
            return true;
    return false;
}

bool ledger_item_open(const struct ledger *l, struct rd_str id)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (rd_str_eq(rd_str(at(l, i)->id), id))
            return true;
    return false;
}

struct carrier_mark ledger_mark(struct ledger *l, struct ledger_item *it)
{
    it->marked = it->sent;
    if (l->n_marks < LEDGER_MARKS)
        l->marks[(l->first_mark + l->n_marks++) % LEDGER_MARKS] =
            (struct ledger_mark){it->number, it->sent};
    return (struct carrier_mark){
        .generation = l->generation, .item = it->number, .bytes = it->sent};
}

/* Playback is in order: whatever was sent before the marked item was played as well. */
static void hear_all_before(struct ledger *l, uint32_t number)
{
    for (uint32_t i = 0; i < l->count && at(l, i)->number < number; i++)
        at(l, i)->acked = at(l, i)->sent;
}

/* Forgets the marks up to the one that came back. */
static void drop_marks(struct ledger *l, const struct carrier_mark *m)
{
    while (l->n_marks > 0) {
        const struct ledger_mark *out = &l->marks[l->first_mark];

        if (out->item > m->item || (out->item == m->item && out->bytes > m->bytes))
            return;
        l->first_mark = (l->first_mark + 1) % LEDGER_MARKS;
        l->n_marks--;
    }
}

/* Bytes of the item up to the next mark that is out; what is acknowledged when none is known. */
static uint32_t next_mark(const struct ledger *l, const struct ledger_item *it)
{
    const struct ledger_mark *out = &l->marks[l->first_mark];

    return l->n_marks > 0 && out->item == it->number && out->bytes > it->acked ? out->bytes
                                                                               : it->acked;
}

bool ledger_ack(struct ledger *l, const struct carrier_mark *m, uint64_t now_us)
{
    struct ledger_item *it = NULL;

    if (m->generation != l->generation)
        return false;
    for (uint32_t i = 0; i < l->count && !it; i++)
        if (at(l, i)->number == m->item)
            it = at(l, i);
    if (!it || m->bytes > it->marked || m->bytes < it->acked)
        return false;
    hear_all_before(l, it->number);
    drop_marks(l, m);
    it->acked = m->bytes;
    /* Nothing left to play: the carrier runs dry, and time proves nothing until the next mark. */
    l->ack_us = ledger_playing(l) ? now_us : 0;
    drop_heard(l);
    return true;
}

void ledger_done(struct ledger *l, struct rd_str id, uint32_t content_index)
{
    struct ledger_item *it = find(l, id, content_index);

    if (it)
        it->done = true;
    drop_heard(l);
}

void ledger_done_all(struct ledger *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (!at(l, i)->spoken_aside)
            at(l, i)->done = true;
    drop_heard(l);
}

void ledger_session_over(struct ledger *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        at(l, i)->done = true;
    drop_heard(l);
}

bool ledger_unfinished(const struct ledger *l)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (!at(l, i)->done && !at(l, i)->spoken_aside)
            return true;
    return false;
}

/* The item that is playing: the first with unacknowledged audio. */
static bool is_playing_item(const struct ledger *l, const struct ledger_item *it)
{
    for (uint32_t i = 0; i < l->count; i++)
        if (at(l, i)->acked < at(l, i)->sent)
            return at(l, i) == it;
    return false;
}

bool ledger_progress(const struct ledger *l, struct rd_str id, struct ledger_progress *out)
{
    for (uint32_t i = 0; i < l->count; i++) {
        const struct ledger_item *it = at(l, i);

        if (!rd_str_eq(rd_str(it->id), id))
            continue;
        *out = (struct ledger_progress){.received_ms = it->received / AUDIO_BYTES_PER_MS,
                                        .heard_ms = it->acked / AUDIO_BYTES_PER_MS,
                                        .done = it->done};
        return true;
    }
    return false;
}

uint32_t ledger_heard(const struct ledger *l, const struct ledger_item *it, uint64_t now_us)
{
    uint64_t since_ms, more;

    if (l->ack_us == 0 || now_us <= l->ack_us || !is_playing_item(l, it))
        return it->acked;
    since_ms = (now_us - l->ack_us) / 1000;
    if (since_ms <= LEDGER_JITTER_MS)
        return it->acked;
    more = (since_ms - LEDGER_JITTER_MS) * AUDIO_BYTES_PER_MS;
    if (more > next_mark(l, it) - it->acked)
        more = next_mark(l, it) - it->acked;
    return it->acked + (uint32_t)more;
}

static struct ledger_cut cut_of(const struct ledger *l, const struct ledger_item *it,
                                uint64_t now_us)
{
    uint32_t heard = ledger_heard(l, it, now_us);
    uint32_t received_ms = it->received / AUDIO_BYTES_PER_MS;
    uint32_t heard_ms = heard / AUDIO_BYTES_PER_MS;
    bool whole = it->done && heard == it->received;

    /* Within the last 100 ms "beyond the end of the audio" is a risk, and the words are the same.
     */
    if (!whole && heard_ms + LEDGER_TAIL_MS > received_ms)
        heard_ms = received_ms > LEDGER_TAIL_MS ? received_ms - LEDGER_TAIL_MS : 0;
    return (struct ledger_cut){.id = it->id,
                               .content_index = it->content_index,
                               .heard_ms = heard_ms,
                               .received_ms = received_ms,
                               .truncate = !whole && !it->spoken_aside,
                               .done = it->done};
}

int ledger_interrupt(struct ledger *l, uint64_t now_us, struct ledger_cut *cuts)
{
    int n = 0;

    for (uint32_t i = 0; i < l->count; i++) {
        struct ledger_item *it = at(l, i);
        uint32_t heard = ledger_heard(l, it, now_us);

        cuts[n++] = cut_of(l, it, now_us);
        l->heard_bytes += heard;
        l->cut_bytes += it->sent - heard;
    }
    l->first = 0; /* the strings of `cuts` stay where they are until an item is begun */
    l->count = 0;
    l->n_marks = 0;
    l->generation++;
    l->ack_us = 0;
    return n;
}
