/* SPDX-License-Identifier: Apache-2.0 */
/* speech.c - Vapi's hints made into what the call core knows: responses, items, turns.
 *
 * The agent:
 *   - it begins with "speech-update started", or with the first sound where that is late or missing. What
 *     is not loud enough to be speech is dropped while it is silent: a stream may never pause.
 *   - its sound goes through the pacer; the response is over when Vapi said so, or nothing was
 *     heard for a while, and the queue is empty.
 *   - its words come in pieces, some of them late: the final ones are told with the next response, or a
 *     moment after this one.
 * The caller:
 *   - who speaks over the agent is no turn until Vapi says that it interrupted: Vapi alone knows whether
 *     its assistant goes on. A prompt that is out counts as an agent who is about to speak.
 *   - each final transcript is an item of its own; the first takes the place where the caller began.
 * Interrupted: the core clears the line, then the rest of the sentence is dropped, here and on its way.
 *
 * Failure modes: a prompt that nothing answers is forgotten after 4 s, so that a later sentence is not
 * taken for it; Vapi's clock is not needed: positions in the caller's audio are what we sent so far. */
#include "providers/vapi/speech.h"

#include "base/err.h"
#include "media/base64.h"
#include "media/energy.h"

#include <stdio.h>

#define MS 1000u

enum {
    SILENCE_MS = 1500,  /* without sound: it does not speak any more */
    TAIL_MS = 200,      /* what may still come of a sentence after "stopped" */
    NO_SOUND_MS = 5000, /* it said that it speaks, and nothing came */
    DEAF_MS = 1000,
    PROMPT_MS = 4000,         /* for the answer to begin */
    ABOUT_TO_SPEAK_MS = 1500, /* …and so long the caller does not interrupt it */
    WORDS_MS = 1200,          /* final words may trail by so much */
    DETECT_MS = 800,          /* speech is detected some time after it began */
    FRAME = 160
};

#define SPEECH_DBFS (-45.0f)

/* --- ids --- */

static void name_it(const struct speech *s, char *out, char kind, uint32_t number)
{
    (void)snprintf(out, SPEECH_ID, "%s%c%u", s->prefix, kind, number);
}

bool speech_told_id(const struct speech *s, struct rd_str own, char *out, size_t cap)
{
    size_t n = strlen(s->prefix);

    return own.n > 0 && n < cap && rd_str_copy(out, cap, rd_str(s->prefix)) &&
           rd_str_copy(out + n, cap - n, own);
}

bool speech_own_id(const struct speech *s, struct rd_str told, struct rd_str *own)
{
    size_t n = strlen(s->prefix);

    if (told.n < n || memcmp(told.p, s->prefix, n) != 0)
        return false;
    *own = (struct rd_str){told.p + n, told.n - n};
    return true;
}

int speech_init(struct speech *s, unsigned session, struct vapi_counts *counts)
{
    *s = (struct speech){.counts = counts};
    (void)snprintf(s->prefix, sizeof(s->prefix), "v%u.", session + 1);
    buf_init(&s->agent.words, SPEECH_WORDS_MAX);
    return pacer_init(&s->out);
}

void speech_fini(struct speech *s)
{
    pacer_fini(&s->out);
    buf_fini(&s->agent.words);
}

static void place(struct speech *s, const char *item, enum provider_role role)
{
    struct provider_placed p = {
        .item_id = rd_str(item), .previous_id = rd_str(s->placed), .role = role};

    if (s->up)
        s->up->on_placed(s->up_arg, &p);
    (void)rd_str_copy(s->placed, sizeof(s->placed), rd_str(item));
}

/* --- prompts --- */

static void drop_prompts(struct speech *s, unsigned n)
{
    s->n_asked -= n;
    memmove(&s->asked[0], &s->asked[n], s->n_asked * sizeof(s->asked[0]));
}

void speech_asked(struct speech *s, uint32_t tag, bool aside, uint64_t now_us)
{
    if (s->n_asked == SPEECH_PROMPTS)
        drop_prompts(s, 1);
    s->asked[s->n_asked++] = (struct speech_prompt){tag, aside, now_us};
}

static void forget_old_prompts(struct speech *s, uint64_t now_us)
{
    while (s->n_asked > 0 && now_us >= s->asked[0].asked_us + PROMPT_MS * MS)
        drop_prompts(s, 1);
}

static struct speech_prompt take_prompt(struct speech *s, uint64_t now_us)
{
    struct speech_prompt p = {0};

    forget_old_prompts(s, now_us);
    if (s->n_asked == 0)
        return p;
    p = s->asked[0];
    drop_prompts(s, 1);
    return p;
}

static bool is_about_to_speak(const struct speech *s, uint64_t now_us)
{
    return s->n_asked > 0 && now_us < s->asked[s->n_asked - 1].asked_us + ABOUT_TO_SPEAK_MS * MS;
}

static void tell_response(struct speech *s, const char *id, const struct speech_prompt *p,
                          enum provider_response_state state)
{
    struct provider_response r = {.response_id = rd_str(id),
                                  .tag = p->tag,
                                  .state = state,
                                  .out_of_band = p->aside,
                                  .raw_usage = RD_STR(""),
                                  .error_code = RD_STR(""),
                                  .error_message = RD_STR("")};

    if (s->up)
        s->up->on_response(s->up_arg, &r);
}

/* The caller was faster: what was asked for is not wanted any more, and never was begun. */
static void give_up_prompts(struct speech *s)
{
    while (s->n_asked > 0) {
        struct speech_prompt p = s->asked[0];
        char id[SPEECH_ID];

        drop_prompts(s, 1);
        name_it(s, id, 'r', ++s->agent.number);
        tell_response(s, id, &p, PROVIDER_RESPONSE_STARTED);
        tell_response(s, id, &p, PROVIDER_RESPONSE_CANCELLED);
    }
}

/* --- the agent's words --- */

static void settle_words(struct speech *s)
{
    struct speech_agent *a = &s->agent;
    struct provider_words w = {.item_id = rd_str(a->item),
                               .role = PROVIDER_AGENT,
                               .text = {a->words.data ? a->words.data : "", a->words.n},
                               .final = true,
                               .failed = a->words.n == 0};

    if (!a->owes_words)
        return;
    a->owes_words = false;
    a->words_due_us = 0;
    if (s->up)
        s->up->on_words(s->up_arg, &w);
    buf_clear(&a->words);
}

static void add_words(struct speech *s, struct rd_str text)
{
    struct speech_agent *a = &s->agent;
    struct provider_words w = {.item_id = rd_str(a->item), .role = PROVIDER_AGENT};
    size_t before = a->words.n;

    if (!a->owes_words)
        return; /* of something that was never heard */
    if ((before > 0 && buf_add(&a->words, " ", 1)) || buf_add(&a->words, text.p, text.n))
        return;
    w.text = (struct rd_str){a->words.data + before, a->words.n - before};
    s->up->on_words(s->up_arg, &w);
}

/* --- the agent's sound --- */

static void close_response(struct speech *s, enum provider_response_state state, uint64_t now_us)
{
    struct speech_agent *a = &s->agent;
    struct provider_item item = {.response_id = rd_str(a->response), .item_id = rd_str(a->item)};

    if (!a->open)
        return;
    a->open = false;
    a->words_due_us = now_us + WORDS_MS * MS;
    if (s->up)
        s->up->on_audio_done(s->up_arg, &item);
    tell_response(s, a->response, &a->prompt, state);
}

static void open_response(struct speech *s, uint64_t now_us)
{
    struct speech_agent *a = &s->agent;

    settle_words(s);
    a->prompt = take_prompt(s, now_us);
    a->open = a->owes_words = true;
    a->dead = a->stopped = false;
    a->opened_us = now_us;
    a->audible_us = a->words_due_us = a->deaf_until_us = 0;
    name_it(s, a->item, 'a', ++a->number);
    name_it(s, a->response, 'r', a->number);
    place(s, a->item, PROVIDER_AGENT);
    tell_response(s, a->response, &a->prompt, PROVIDER_RESPONSE_STARTED);
}

static void hand_on(struct speech *s, const uint8_t *piece, size_t n)
{
    char b64[BASE64_ENCODED(PACER_PIECE)];
    struct provider_item item = {.response_id = rd_str(s->agent.response),
                                 .item_id = rd_str(s->agent.item)};
    struct audio_span a = {.b64 = b64, .n_bytes = (uint32_t)n};

    a.n_b64 = base64_encode(b64, piece, n);
    s->up->on_audio(s->up_arg, &item, &a);
}

/* Per frame: no allocation, no log. `rest`: nothing more comes. */
static void pump(struct speech *s, bool rest, uint64_t now_us)
{
    const uint8_t *piece;
    size_t n;

    while (s->up && !s->agent.dead && (piece = pacer_take(&s->out, rest, now_us, &n)))
        hand_on(s, piece, n);
}

static bool is_audible(const uint8_t *ulaw, size_t n)
{
    for (; n > 0; ulaw += n < FRAME ? n : FRAME, n -= n < FRAME ? n : FRAME)
        if (energy_ulaw_dbfs(ulaw, n < FRAME ? n : FRAME) > SPEECH_DBFS)
            return true;
    return false;
}

void speech_sound(struct speech *s, const uint8_t *ulaw, size_t n, uint64_t now_us)
{
    struct speech_agent *a = &s->agent;
    bool audible = is_audible(ulaw, n);

    if (!s->up)
        return;
    if (!a->open && audible && now_us >= a->deaf_until_us)
        open_response(s, now_us);
    if (audible)
        a->audible_us = now_us;
    if (!s->up || !a->open || a->dead) {
        s->counts->dropped_bytes += n;
        return;
    }
    if (pacer_add(&s->out, ulaw, n))
        s->counts->dropped_bytes += n;
    pump(s, false, now_us);
}

void speech_agent(struct speech *s, bool speaks, uint64_t now_us)
{
    struct speech_agent *a = &s->agent;

    if (!s->up)
        return;
    if (speaks) {
        /* The last sentence is still on its way, and this is the next. */
        if (a->open && a->stopped)
            a->stopped = false;
        else if (!a->open)
            open_response(s, now_us);
    } else if (a->open && !a->stopped) {
        a->stopped = true;
        a->stopped_us = now_us;
        speech_tick(s, now_us);
    }
}

int speech_cancel(struct speech *s, struct rd_str response_id)
{
    struct rd_str own;

    if (!speech_own_id(s, response_id, &own))
        return RD_EGONE;
    if (s->agent.open && rd_str_eq(rd_str(s->agent.response), response_id)) {
        s->agent.dead = true;
        pacer_drop(&s->out);
    }
    return 0;
}

/* --- the caller --- */

void speech_fed(struct speech *s, size_t n_bytes)
{
    s->fed_bytes += n_bytes;
}

static uint32_t position_ms(const struct speech *s)
{
    return (uint32_t)(s->fed_bytes / AUDIO_BYTES_PER_MS);
}

static void begin_item(struct speech *s)
{
    struct speech_caller *c = &s->caller;

    name_it(s, c->item, 'c', ++c->number);
    c->placed = c->worded = false;
}

static void place_item(struct speech *s)
{
    if (!s->caller.placed)
        place(s, s->caller.item, PROVIDER_CALLER);
    s->caller.placed = true;
}

static bool agent_sounds(const struct speech *s, uint64_t now_us)
{
    return (s->agent.open && !s->agent.dead) || pacer_plays(&s->out, now_us) ||
           is_about_to_speak(s, now_us);
}

/* The core clears the line; what ran is over before what was asked is given up. */
static void tell_start(struct speech *s, uint64_t now_us)
{
    struct speech_caller *c = &s->caller;

    if (!c->told)
        begin_item(s);
    c->told = true;
    s->up->on_speech_started(s->up_arg, c->start_ms, rd_str(c->item));
    close_response(s, PROVIDER_RESPONSE_CANCELLED, now_us);
    give_up_prompts(s);
}

static void begin_to_speak(struct speech *s)
{
    struct speech_caller *c = &s->caller;
    uint32_t at = position_ms(s);

    if (c->speaks)
        return;
    c->speaks = true;
    c->told = false;
    c->start_ms = at > DETECT_MS ? at - DETECT_MS : 0;
    if (c->start_ms < c->stop_ms)
        c->start_ms = c->stop_ms;
}

static void stop_speaking(struct speech *s)
{
    struct speech_caller *c = &s->caller;

    c->speaks = false;
    c->stop_ms = position_ms(s);
    if (!c->told)
        return;
    c->told = false;
    place_item(s);
    if (s->up)
        s->up->on_speech_stopped(s->up_arg, c->stop_ms, rd_str(c->item));
    if (s->up)
        s->up->on_committed(s->up_arg, c->worded ? RD_STR("") : rd_str(c->item));
}

void speech_caller(struct speech *s, bool speaks, uint64_t now_us)
{
    if (!s->up)
        return;
    if (speaks) {
        begin_to_speak(s);
        if (!s->caller.told && !agent_sounds(s, now_us))
            tell_start(s, now_us);
    } else if (s->caller.speaks) {
        stop_speaking(s);
    }
}

void speech_interrupted(struct speech *s, uint64_t now_us)
{
    struct speech_agent *a = &s->agent;

    if (!s->up)
        return;
    begin_to_speak(s);
    pacer_drop(&s->out);
    a->dead = true;
    a->deaf_until_us = now_us + DEAF_MS * MS;
    tell_start(s, now_us);
}

/* The first words are those of the turn that began; what comes after them is a turn more. */
static void caller_words(struct speech *s, struct rd_str text)
{
    struct speech_caller *c = &s->caller;
    struct provider_words w = {.role = PROVIDER_CALLER, .text = text, .final = true};

    if (c->worded || c->number == 0 || (c->speaks && !c->told))
        begin_item(s);
    place_item(s);
    c->worded = true;
    w.item_id = rd_str(c->item);
    if (s->up)
        s->up->on_words(s->up_arg, &w);
}

void speech_words(struct speech *s, enum provider_role role, struct rd_str text, uint64_t now_us)
{
    (void)now_us;
    if (!s->up || text.n == 0)
        return;
    if (role == PROVIDER_CALLER)
        caller_words(s, text);
    else
        add_words(s, text);
}

/* --- time --- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

/* When the response is over, if nothing comes any more. */
static uint64_t over_at_us(const struct speech *s)
{
    const struct speech_agent *a = &s->agent;
    uint64_t silent_us =
        a->audible_us ? a->audible_us + SILENCE_MS * MS : a->opened_us + NO_SOUND_MS * MS;

    if (!a->open)
        return 0;
    return a->stopped ? earlier(a->stopped_us + TAIL_MS * MS, silent_us) : silent_us;
}

static void finish_response(struct speech *s, uint64_t now_us)
{
    uint64_t over_us = over_at_us(s);

    if (over_us == 0 || now_us < over_us)
        return;
    s->agent.stopped = true;
    pump(s, true, now_us);
    if (s->agent.dead || !pacer_waits(&s->out))
        close_response(s, s->agent.dead ? PROVIDER_RESPONSE_CANCELLED : PROVIDER_RESPONSE_COMPLETED,
                       now_us);
}

void speech_tick(struct speech *s, uint64_t now_us)
{
    if (!s->up)
        return;
    pump(s, false, now_us);
    finish_response(s, now_us);
    if (s->agent.words_due_us && now_us >= s->agent.words_due_us)
        settle_words(s);
    if (s->up && s->caller.speaks && !s->caller.told && !agent_sounds(s, now_us))
        tell_start(s, now_us);
}

/* Who speaks over the agent is looked at again when it may be silent. */
static uint64_t caller_due_us(const struct speech *s)
{
    uint64_t at = s->out.plays_until_us;

    if (!s->caller.speaks || s->caller.told || (s->agent.open && !s->agent.dead))
        return 0;
    if (s->n_asked > 0)
        at = earlier(at, s->asked[s->n_asked - 1].asked_us + ABOUT_TO_SPEAK_MS * MS);
    return at;
}

/* It is over when nothing more comes, and then when the last of it may go. */
static uint64_t finish_due_us(const struct speech *s)
{
    uint64_t over_us = over_at_us(s), rest_us = pacer_due_us(&s->out, true);

    return over_us && rest_us > over_us && !s->agent.dead ? rest_us : over_us;
}

uint64_t speech_due_us(const struct speech *s)
{
    uint64_t at = s->agent.dead ? 0 : pacer_due_us(&s->out, false);

    if (!s->up)
        return 0;
    at = earlier(at, finish_due_us(s));
    at = earlier(at, s->agent.words_due_us);
    return earlier(at, caller_due_us(s));
}

void speech_over(struct speech *s, bool whole, uint64_t now_us)
{
    if (s->caller.speaks)
        stop_speaking(s);
    close_response(s, whole ? PROVIDER_RESPONSE_COMPLETED : PROVIDER_RESPONSE_INCOMPLETE, now_us);
    settle_words(s);
}

bool speech_drains(const struct speech *s)
{
    return s->up && s->agent.open && !s->agent.dead && pacer_waits(&s->out);
}
