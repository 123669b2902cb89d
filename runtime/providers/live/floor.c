/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - GPT-Live's sound and words made into what the call core knows: responses, items, turns.
 *
 * The agent:
 *   - it begins with the first sound loud enough to be speech; silence before that is dropped, because its
 *     stream may never pause. Silence within is passed on, and ends the response when it lasts.
 *   - it answers the oldest prompt that is out. That these were the words which were asked for is known
 *     from its transcript alone. A prompt beside the conversation is answered in it: there is one voice.
 * The caller:
 *   - words begin an item. Their turn is told at once when the agent is silent, else when it has yielded.
 *   - the turn is over after a pause, or when the agent begins, or calls a function; words that come a moment later are part of
 *     it, because the transcript lags behind the sound.
 *
 * Failure modes: a prompt that nothing answers is forgotten after 4 s, so that a later sentence is not taken
 * for it; words that trail longer than a moment begin an item of their own. */
#include "providers/live/floor.h"

#include "base/err.h"

#include <stdio.h>

/* --- ids --- */

static void name_it(const struct floor *f, char *out, char kind, uint32_t number)
{
    (void)snprintf(out, FLOOR_ID, "%s%c%u", f->prefix, kind, number);
}

bool floor_told_id(const struct floor *f, struct rd_str own, char *out, size_t cap)
{
    size_t n = strlen(f->prefix);

    return own.n > 0 && n < cap && rd_str_copy(out, cap, rd_str(f->prefix)) &&
           rd_str_copy(out + n, cap - n, own);
}

bool floor_own_id(const struct floor *f, struct rd_str told, struct rd_str *own)
{
    size_t n = strlen(f->prefix);

    if (told.n < n || memcmp(told.p, f->prefix, n) != 0)
        return false;
    *own = (struct rd_str){told.p + n, told.n - n};
    return true;
}

void floor_init(struct floor *f, unsigned session, struct live_counts *counts)
{
    *f = (struct floor){.counts = counts};
    (void)snprintf(f->prefix, sizeof(f->prefix), "l%u.", session + 1);
    buf_init(&f->agent.words, FLOOR_WORDS_MAX);
    buf_init(&f->caller.words, FLOOR_WORDS_MAX);
}

void floor_fini(struct floor *f)
{
    buf_fini(&f->agent.words);
    buf_fini(&f->caller.words);
}

static void place(struct floor *f, const char *item, enum provider_role role)
{
    struct provider_placed p = {
        .item_id = rd_str(item), .previous_id = rd_str(f->placed), .role = role};

    if (f->up)
        f->up->on_placed(f->up_arg, &p);
    (void)rd_str_copy(f->placed, sizeof(f->placed), rd_str(item));
}

/* --- prompts --- */

static void drop_prompts(struct floor *f, unsigned n)
{
    f->n_asked -= n;
    memmove(&f->asked[0], &f->asked[n], f->n_asked * sizeof(f->asked[0]));
}

void floor_asked(struct floor *f, uint32_t tag, uint64_t now_ms)
{
    if (f->n_asked == FLOOR_PROMPTS)
        drop_prompts(f, 1);
    f->asked[f->n_asked++] = (struct floor_prompt){tag, now_ms};
}

static struct floor_prompt take_prompt(struct floor *f, uint64_t now_ms)
{
    struct floor_prompt p = {0};

    while (f->n_asked > 0 && now_ms >= f->asked[0].asked_ms + FLOOR_PROMPT_MS)
        drop_prompts(f, 1);
    if (f->n_asked == 0)
        return p;
    p = f->asked[0];
    drop_prompts(f, 1);
    return p;
}

static void tell_response(struct floor *f, const char *id, uint32_t tag,
                          enum provider_response_state state)
{
    struct provider_response r = {.response_id = rd_str(id),
                                  .tag = tag,
                                  .state = state,
                                  .raw_usage = RD_STR(""),
                                  .error_code = RD_STR(""),
                                  .error_message = RD_STR("")};

    if (f->up)
        f->up->on_response(f->up_arg, &r);
}

/* The caller was faster: what was asked for is not wanted any more, and never was begun. */
static void give_up_prompts(struct floor *f)
{
    while (f->n_asked > 0) {
        uint32_t tag = f->asked[0].tag;
        char id[FLOOR_ID];

        drop_prompts(f, 1);
        name_it(f, id, 'r', ++f->agent.number);
        tell_response(f, id, tag, PROVIDER_RESPONSE_STARTED);
        tell_response(f, id, tag, PROVIDER_RESPONSE_CANCELLED);
    }
}

/* --- words --- */

static void tell_final(struct floor *f, const char *item, enum provider_role role,
                       struct buf *words)
{
    struct provider_words w = {.item_id = rd_str(item),
                               .role = role,
                               .text = {words->data ? words->data : "", words->n},
                               .final = true,
                               .failed = words->n == 0};

    if (f->up)
        f->up->on_words(f->up_arg, &w);
    buf_clear(words);
}

static void tell_more(struct floor *f, const char *item, enum provider_role role, struct buf *words,
                      struct rd_str text)
{
    struct provider_words w = {.item_id = rd_str(item), .role = role, .text = text};

    if (buf_add(words, text.p, text.n))
        return; /* more than anybody says in one breath: the rest of it is lost */
    f->up->on_words(f->up_arg, &w);
}

static void settle_agent(struct floor *f)
{
    struct floor_agent *a = &f->agent;

    if (!a->owes_words)
        return;
    a->owes_words = false;
    a->words_due_ms = 0;
    tell_final(f, a->item, PROVIDER_AGENT, &a->words);
}

static void settle_caller(struct floor *f)
{
    struct floor_caller *c = &f->caller;

    if (!c->open)
        return;
    c->open = false;
    c->due_ms = 0;
    tell_final(f, c->item, PROVIDER_CALLER, &c->words);
}

/* --- the caller's turn --- */

void floor_fed(struct floor *f, size_t n_bytes)
{
    f->fed_bytes += n_bytes;
}

static uint32_t position_ms(const struct floor *f)
{
    return (uint32_t)(f->fed_bytes / AUDIO_BYTES_PER_MS);
}

/* Their words are told before the turn is over, so that it does not wait for them. */
static void stop_caller(struct floor *f)
{
    struct floor_caller *c = &f->caller;

    if (!c->told)
        return;
    c->told = false;
    c->stop_ms = position_ms(f);
    if (f->up)
        f->up->on_speech_stopped(f->up_arg, c->stop_ms, rd_str(c->item));
    if (f->up)
        f->up->on_committed(f->up_arg, c->open ? rd_str(c->item) : RD_STR(""));
}

/* What was said is acted upon: it is over, although its last words may not be here. */
void floor_acts(struct floor *f, uint64_t now_ms)
{
    if (f->caller.open && f->caller.due_ms == 0)
        f->caller.due_ms = now_ms + FLOOR_LATE_MS;
    stop_caller(f);
}

/* --- the agent's response --- */

static void close_response(struct floor *f, enum provider_response_state state, uint64_t now_ms)
{
    struct floor_agent *a = &f->agent;
    struct provider_item item = {.response_id = rd_str(a->response), .item_id = rd_str(a->item)};

    if (!a->open)
        return;
    a->open = false;
    a->words_due_ms = now_ms + FLOOR_LATE_MS;
    if (f->up)
        f->up->on_audio_done(f->up_arg, &item);
    tell_response(f, a->response, a->prompt.tag, a->dead ? PROVIDER_RESPONSE_CANCELLED : state);
}

static void tell_early_words(struct floor *f, uint64_t now_ms)
{
    struct floor_agent *a = &f->agent;
    struct provider_words w = {.item_id = rd_str(a->item), .role = PROVIDER_AGENT};

    if (now_ms >= a->early_ms + FLOOR_EARLY_MS)
        buf_clear(&a->words);
    w.text = (struct rd_str){a->words.data, a->words.n};
    if (f->up && a->words.n > 0)
        f->up->on_words(f->up_arg, &w);
}

static void open_response(struct floor *f, uint64_t now_ms)
{
    struct floor_agent *a = &f->agent;

    settle_agent(f);
    floor_acts(f, now_ms);
    a->prompt = take_prompt(f, now_ms);
    a->open = a->owes_words = true;
    a->dead = false;
    a->words_due_ms = 0;
    name_it(f, a->item, 'a', ++a->number);
    name_it(f, a->response, 'r', a->number);
    place(f, a->item, PROVIDER_AGENT);
    tell_response(f, a->response, a->prompt.tag, PROVIDER_RESPONSE_STARTED);
    tell_early_words(f, now_ms);
}

/* Per delta: no allocation, no log. */
void floor_sound(struct floor *f, const struct audio_span *a, bool audible, uint64_t now_ms)
{
    struct floor_agent *agent = &f->agent;
    struct provider_item item;

    if (!f->up)
        return;
    if (!agent->open && audible)
        open_response(f, now_ms);
    if (audible)
        agent->audible_ms = now_ms;
    if (!f->up || !agent->open || agent->dead) {
        f->counts->dropped_bytes += a->n_bytes;
        return;
    }
    item = (struct provider_item){.response_id = rd_str(agent->response),
                                  .item_id = rd_str(agent->item)};
    f->up->on_audio(f->up_arg, &item, a);
}

int floor_cancel(struct floor *f, struct rd_str response_id)
{
    struct rd_str own;

    if (!floor_own_id(f, response_id, &own))
        return RD_EGONE;
    if (f->agent.open && rd_str_eq(rd_str(f->agent.response), response_id))
        f->agent.dead = true;
    return 0;
}

/* --- the two together --- */

static bool has_yielded(const struct floor *f, uint64_t now_ms)
{
    bool soon = f->n_asked > 0 && now_ms < f->asked[f->n_asked - 1].asked_ms + FLOOR_SOON_MS;

    return !soon && (!f->agent.open || now_ms >= f->agent.audible_ms + FLOOR_YIELDED_MS);
}

/* The model has stopped by itself: its response came to its end, wherever that was. */
static void take_floor(struct floor *f, uint64_t now_ms)
{
    struct floor_caller *c = &f->caller;
    uint32_t at = position_ms(f), start = at > FLOOR_DETECT_MS ? at - FLOOR_DETECT_MS : 0;

    close_response(f, PROVIDER_RESPONSE_COMPLETED, now_ms);
    if (!f->up)
        return;
    c->told = true;
    f->up->on_speech_started(f->up_arg, start > c->stop_ms ? start : c->stop_ms, rd_str(c->item));
    give_up_prompts(f);
}

static void caller_words(struct floor *f, struct rd_str text, uint64_t now_ms)
{
    struct floor_caller *c = &f->caller;

    if (!c->open) {
        c->open = true;
        name_it(f, c->item, 'c', ++c->number);
        place(f, c->item, PROVIDER_CALLER);
    }
    c->last_ms = now_ms;
    if (f->up)
        tell_more(f, c->item, PROVIDER_CALLER, &c->words, text);
    if (f->up && !c->told && c->due_ms == 0 && has_yielded(f, now_ms))
        take_floor(f, now_ms);
}

/* Words may come a little before their sound: they wait for it. */
static void agent_words(struct floor *f, struct rd_str text, uint64_t now_ms)
{
    struct floor_agent *a = &f->agent;

    if (a->owes_words) {
        tell_more(f, a->item, PROVIDER_AGENT, &a->words, text);
        return;
    }
    if (now_ms >= a->early_ms + FLOOR_EARLY_MS)
        buf_clear(&a->words);
    a->early_ms = now_ms;
    (void)buf_add(&a->words, text.p, text.n);
}

void floor_words(struct floor *f, enum provider_role role, struct rd_str text, uint64_t now_ms)
{
    if (!f->up || text.n == 0)
        return;
    if (role == PROVIDER_CALLER)
        caller_words(f, text, now_ms);
    else
        agent_words(f, text, now_ms);
}

/* --- time --- */

static uint64_t earlier(uint64_t a, uint64_t b)
{
    if (a == 0 || b == 0)
        return a + b;
    return a < b ? a : b;
}

static uint64_t caller_over_ms(const struct floor *f)
{
    if (!f->caller.open)
        return 0;
    return f->caller.due_ms ? f->caller.due_ms : f->caller.last_ms + FLOOR_PAUSE_MS;
}

static bool due(uint64_t at_ms, uint64_t now_ms)
{
    return at_ms != 0 && now_ms >= at_ms;
}

void floor_tick(struct floor *f, uint64_t now_ms)
{
    struct floor_caller *c = &f->caller;

    if (f->up && f->agent.open && now_ms >= f->agent.audible_ms + FLOOR_SILENT_MS)
        close_response(f, PROVIDER_RESPONSE_COMPLETED, now_ms);
    if (due(f->agent.words_due_ms, now_ms))
        settle_agent(f);
    if (f->up && due(caller_over_ms(f), now_ms)) {
        settle_caller(f);
        stop_caller(f);
    }
    if (f->up && c->open && !c->told && c->due_ms == 0 && has_yielded(f, now_ms))
        take_floor(f, now_ms);
}

/* Who speaks over the agent is looked at again when that one may have yielded. */
static uint64_t yields_ms(const struct floor *f, uint64_t now_ms)
{
    uint64_t at = f->agent.open ? f->agent.audible_ms + FLOOR_YIELDED_MS : 0, soon = 0;

    if (!f->caller.open || f->caller.told || f->caller.due_ms)
        return 0;
    if (f->n_asked > 0)
        soon = f->asked[f->n_asked - 1].asked_ms + FLOOR_SOON_MS;
    at = at > soon ? at : soon;
    return at > now_ms ? at : now_ms;
}

uint64_t floor_due_ms(const struct floor *f, uint64_t now_ms)
{
    uint64_t at = f->agent.open ? f->agent.audible_ms + FLOOR_SILENT_MS : 0;

    if (!f->up)
        return 0;
    at = earlier(at, f->agent.words_due_ms);
    at = earlier(at, caller_over_ms(f));
    return earlier(at, yields_ms(f, now_ms));
}

void floor_over(struct floor *f, uint64_t now_ms)
{
    settle_caller(f);
    stop_caller(f);
    close_response(f, PROVIDER_RESPONSE_INCOMPLETE, now_ms);
    settle_agent(f);
}
