/* SPDX-License-Identifier: Apache-2.0 */
/* pcm.c - transcoding on the provider's side of a call.
 *
 *   up    base64 ─▶ µ-law ─▶ 8 kHz ─▶ 24 kHz ─▶ base64       a frame of 160 bytes is 960, without padding
 *   down  base64 ─▶ bytes ─▶ 24 kHz ─▶ 8 kHz ─▶ µ-law ─▶ base64
 *
 * - down: half a sample, what is in the filter, and sound that is no whole piece yet stay with the item
 *   until its next delta. However the model cuts its audio, the caller's bytes are the same.
 * - three bytes of µ-law at a time: a piece can be cut again wherever its base64 text can.
 * - the length is exact: a byte of µ-law stands for three samples of the item, so that a position in
 *   the telephone's audio is the same position in the model's, and never behind its end.
 *
 * Failure modes: half a sample at an item's very end is dropped; with more than PCM_ITEMS items under way
 * at once, the one that was quiet longest begins anew, which is a click. */
#include "providers/openai/pcm.h"

#include "media/base64.h"
#include "media/g711.h"
#include "media/resample.h"
#include "providers/openai/prompts.h"

#include <stdlib.h>

enum {
    PCM_ITEMS = 4,
    UP_CHARS = 216, /* of µ-law: a frame of 20 ms, padded; or 162 bytes of a longer one */
    UP_BYTES = UP_CHARS / 4 * 3,
    DOWN_BYTES = 2 * RESAMPLE_RATIO * RESAMPLE_STEP, /* of PCM: 20 ms */
    DOWN_CHARS = DOWN_BYTES / 3 * 4,
    WIDE = RESAMPLE_RATIO * UP_BYTES, /* samples, either way */
    PIECE = 1599,                     /* µ-law bytes: the most between two marks of the ledger */
    HOLD = 80,                        /* fewer are not worth a message of their own */
    PIECE_ROOM = PIECE + RESAMPLE_STEP + RESAMPLE_TAIL
};

struct pcm_item {
    uint64_t key; /* 0: free */
    unsigned used;
    bool has_odd;
    uint8_t odd; /* the first half of a sample */
    uint32_t n_ulaw;
    uint8_t ulaw[PIECE_ROOM];
    struct resample_down down;
};

struct openai_pcm {
    struct resample_up up;
    struct pcm_item items[PCM_ITEMS];
    unsigned uses;
    uint8_t bytes[2 * WIDE];
    int16_t narrow[UP_BYTES];
    int16_t wide[WIDE];
    char text[BASE64_ENCODED(PIECE_ROOM)];
};

_Static_assert(DOWN_BYTES + 1 <= 2 * WIDE, "half a sample goes in front of what is decoded");
_Static_assert(BASE64_ENCODED(2 * WIDE) <= BASE64_ENCODED(PIECE_ROOM), "both ways share the text");

struct openai_pcm *pcm_new(void)
{
    struct openai_pcm *p = calloc(1, sizeof(*p));

    if (p)
        resample_up_init(&p->up);
    return p;
}

void pcm_free(struct openai_pcm *p)
{
    free(p);
}

/* At most so many characters from the front, a multiple of four. */
static struct rd_str take(struct rd_str *b64, size_t most)
{
    struct rd_str some = {b64->p, b64->n < most ? b64->n : most};

    b64->p += some.n;
    b64->n -= some.n;
    return some;
}

static void samples_of(int16_t *out, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++, bytes += 2)
        out[i] = (int16_t)(bytes[0] | bytes[1] << 8);
}

static void bytes_of(uint8_t *out, const int16_t *pcm, size_t n)
{
    for (size_t i = 0; i < n; i++, out += 2) {
        out[0] = (uint8_t)pcm[i];
        out[1] = (uint8_t)((uint16_t)pcm[i] >> 8);
    }
}

bool pcm_up(struct openai_pcm *p, struct rd_str *b64, struct rd_str *out)
{
    struct rd_str some = take(b64, UP_CHARS);
    size_t n = base64_decode_checked(p->bytes, some.p, some.n);

    if (n == 0)
        return false;
    g711_ulaw_decode(p->narrow, p->bytes, n);
    resample_up(&p->up, p->wide, p->narrow, n);
    bytes_of(p->bytes, p->wide, RESAMPLE_RATIO * n);
    *out = (struct rd_str){p->text, base64_encode(p->text, p->bytes, 2 * RESAMPLE_RATIO * n)};
    return true;
}

/* --- down ------------------------------------------------------------------------------------ */

static uint64_t key_of(struct rd_str item_id, uint32_t content_index)
{
    uint64_t key = prompts_hash(item_id) + content_index;

    return key ? key : 1;
}

static struct pcm_item *find(struct openai_pcm *p, uint64_t key)
{
    for (int i = 0; i < PCM_ITEMS; i++)
        if (p->items[i].key == key)
            return &p->items[i];
    return NULL;
}

static struct pcm_item *begin(struct openai_pcm *p, uint64_t key)
{
    struct pcm_item *it = &p->items[0];

    for (int i = 1; i < PCM_ITEMS && it->key; i++)
        if (!p->items[i].key || p->items[i].used < it->used)
            it = &p->items[i];
    it->key = key;
    it->has_odd = false;
    it->n_ulaw = 0;
    resample_down_init(&it->down);
    return it;
}

static void add_step(struct openai_pcm *p, struct pcm_item *it, struct rd_str some)
{
    size_t odd = it->has_odd, n, made;

    p->bytes[0] = it->odd;
    n = odd + base64_decode_checked(p->bytes + odd, some.p, some.n);
    samples_of(p->wide, p->bytes, n / 2);
    it->has_odd = n % 2 != 0;
    if (it->has_odd)
        it->odd = p->bytes[n - 1];
    made = resample_down(&it->down, p->narrow, p->wide, n / 2);
    g711_ulaw_encode(it->ulaw + it->n_ulaw, p->narrow, made);
    it->n_ulaw += (uint32_t)made;
}

/* So many bytes from the front. */
static void give(struct openai_pcm *p, struct pcm_item *it, uint32_t n, struct audio_span *out)
{
    *out = (struct audio_span){
        .b64 = p->text, .n_b64 = base64_encode(p->text, it->ulaw, n), .n_bytes = n};
    it->n_ulaw -= n;
    memmove(it->ulaw, it->ulaw + n, it->n_ulaw);
}

bool pcm_down(struct openai_pcm *p, const struct provider_item *item, struct rd_str *b64,
              struct audio_span *out)
{
    uint64_t key = key_of(item->item_id, item->content_index);
    struct pcm_item *it = find(p, key);

    if (!it)
        it = begin(p, key);
    it->used = ++p->uses;
    while (b64->n > 0 && it->n_ulaw < PIECE)
        add_step(p, it, take(b64, DOWN_CHARS));
    if (it->n_ulaw < HOLD)
        return false;
    give(p, it, it->n_ulaw < PIECE ? it->n_ulaw - it->n_ulaw % 3 : PIECE, out);
    return true;
}

bool pcm_end(struct openai_pcm *p, const struct provider_item *item, struct audio_span *out)
{
    struct pcm_item *it = find(p, key_of(item->item_id, item->content_index));
    size_t made;

    if (!it)
        return false;
    made = resample_down_end(&it->down, p->narrow);
    g711_ulaw_encode(it->ulaw + it->n_ulaw, p->narrow, made);
    it->n_ulaw += (uint32_t)made;
    it->key = 0;
    if (it->n_ulaw == 0)
        return false;
    give(p, it, it->n_ulaw, out);
    return true;
}

void pcm_forget(struct openai_pcm *p, struct rd_str item_id, uint32_t content_index)
{
    struct pcm_item *it = find(p, key_of(item_id, content_index));

    if (it)
        it->key = 0;
}
