/* SPDX-License-Identifier: Apache-2.0 */
/* fake_drops.c - see fake_drops.h. Ears that understand words by their sound, a voice that answers and calls
 * tools, and sessions that begin, fail and end. */
#include "fake_drops.h"

#include "media/base64.h"
#include "media/g711.h"

#include <stdio.h>

enum { PAUSE_MS = 300 }; /* of silence: the caller is through */

struct world w;

uint32_t drops_random(uint32_t from, uint32_t to)
{
    w.random = w.random * 1664525u + 1013904223u;
    return from + (w.random >> 8) % (to - from + 1);
}

void drops_add_words(struct words *to, struct rd_str text)
{
    char z[1024], *p = z;
    int word, used;

    (void)rd_str_copy(z, sizeof(z), text);
    for (; sscanf(p, " w%d%n", &word, &used) == 1; p += used) {
        CHECK(to->n < WORDS_MAX, "too many words: %s", z);
        to->at[to->n++] = word;
    }
}

int drops_turn_of(int word)
{
    int turn = 0;

    while (turn < TURNS - 1 && word >= w.caller.first[turn + 1])
        turn++;
    return turn;
}

/* --- the model's ears ---------------------------------------------------------------------------- */

static void hear_sound(struct session *m, uint8_t sound, uint32_t n)
{
    m->heard += n;
    if (sound == G711_ULAW_SILENCE)
        return;
    if (!m->sounding) {
        m->sounding = true;
        m->from = m->heard - n;
        m->current.n = 0;
    }
    m->to = m->heard;
    if (m->current.n == 0 || m->current.at[m->current.n - 1] != sound) {
        CHECK(m->current.n < WORDS_MAX, "a turn without an end");
        m->current.at[m->current.n++] = sound;
    }
}

static void understand(struct session *m, int word)
{
    m->knows[word]++;
    m->last_word = word;
}

static const char *name(struct session *m, char out[16], const char *kind)
{
    (void)snprintf(out, 16, "%d.%s%d", m->number, kind, ++m->names);
    return out;
}

static void ask(struct voice *v, uint32_t tag, bool tells)
{
    *v = (struct voice){
        .state = ASKED, .tag = tag, .tells = tells, .next_ms = w.now_ms + drops_random(100, 400)};
}

static void start_is_told(struct session *m)
{
    uint32_t early_ms = drops_random(0, 300), from_ms = m->from / 8;

    m->told_start = true;
    if (m->voice[0].state != SILENT)
        m->voice[0].cancelled = true;
    m->ev->on_speech_started(w.call, from_ms > early_ms ? from_ms - early_ms : 0, RD_STR("?"));
}

static void stop_is_told(struct session *m)
{
    struct utterance *u = &m->waiting[m->n_waiting++];

    CHECK(m->n_waiting <= 4, "turns wait");
    u->words = m->current;
    u->understood_ms = w.now_ms + drops_random(50, 1200);
    m->sounding = m->told_start = false;
    for (int i = 0; i < u->words.n; i++)
        understand(m, u->words.at[i]);
    name(m, u->item, "u");
    m->ev->on_speech_stopped(w.call, m->to / 8 + drops_random(0, 100), RD_STR("?"));
    m->ev->on_committed(w.call, rd_str(u->item));
    m->ev->on_placed(
        w.call, &(struct provider_placed){.item_id = rd_str(u->item), .role = PROVIDER_CALLER});
    if (m->voice[0].state == SILENT)
        ask(&m->voice[0], 0, false);
    else
        m->owes = true;
}

/* Only notes it: what comes of it is told in a step of its own. */
static int provider_audio(struct provider_leg *leg, const struct audio_span *a)
{
    struct session *m = &w.model;
    uint8_t bytes[1024];
    ssize_t n = base64_decode(bytes, a->b64, a->n_b64);

    (void)leg;
    CHECK(n == (ssize_t)a->n_bytes, "bad base64");
    CHECK(m->ready, "audio for a session that is not ready");
    CHECK(bytes[0] == bytes[n - 1], "pieces of two words");
    hear_sound(m, bytes[0], a->n_bytes);
    return 0;
}

static void words_come(struct session *m)
{
    struct utterance u = m->waiting[0];
    char text[1024] = "";

    if (m->n_waiting == 0 || w.now_ms < u.understood_ms)
        return;
    memmove(&m->waiting[0], &m->waiting[1], (size_t)--m->n_waiting * sizeof(u));
    for (int i = 0; i < u.words.n; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text), "w%d ", u.words.at[i]);
    m->ev->on_words(w.call, &(struct provider_words){.item_id = rd_str(u.item),
                                                     .role = PROVIDER_CALLER,
                                                     .text = rd_str(text),
                                                     .final = true});
}

/* --- the model's voice --------------------------------------------------------------------------- */

static void tell_response(struct session *m, struct voice *v, enum provider_response_state s)
{
    m->ev->on_response(
        w.call, &(struct provider_response){.response_id = rd_str(v->response),
                                            .tag = s == PROVIDER_RESPONSE_STARTED ? v->tag : 0,
                                            .state = s,
                                            .out_of_band = v == &m->voice[1]});
}

static void response_ends(struct session *m, struct voice *v, enum provider_response_state s)
{
    v->state = SILENT;
    tell_response(m, v, s);
    if (v == &m->voice[0] && v->state == SILENT && m->owes) {
        m->owes = false;
        ask(v, 0, false);
    }
}

static bool calls_tool(struct session *m, struct voice *v)
{
    int turn = m->last_word ? drops_turn_of(m->last_word) : 0;
    char id[16], arguments[32];

    if (v->tells || !m->last_word || !w.caller.asks_tool[turn] || m->knows_tool[turn])
        return false;
    m->knows_tool[turn] = true;
    (void)snprintf(arguments, sizeof(arguments), "{\"turn\":%d}", turn);
    m->ev->on_tool_call(w.call, &(struct provider_tool_call){.call_id = rd_str(name(m, id, "c")),
                                                             .item_id = rd_str(id),
                                                             .response_id = rd_str(v->response),
                                                             .name = RD_STR("book"),
                                                             .arguments = rd_str(arguments)});
    response_ends(m, v, PROVIDER_RESPONSE_COMPLETED);
    return true;
}

static void response_begins(struct session *m, struct voice *v)
{
    v->state = BEGUN;
    v->next_ms = w.now_ms + drops_random(50, 300);
    v->left_ms = drops_random(1, 8) * 300;
    v->item[0] = '\0';
    name(m, v->response, "r");
    tell_response(m, v, PROVIDER_RESPONSE_STARTED);
}

static void response_speaks(struct session *m, struct voice *v)
{
    struct audio_span a = fake_span(300 * 8);
    struct provider_item it = {.response_id = rd_str(v->response)};
    struct provider_words said = {.role = PROVIDER_AGENT, .text = RD_STR("yes ")};

    if (!v->item[0]) {
        name(m, v->item, "a");
        m->ev->on_placed(
            w.call, &(struct provider_placed){.item_id = rd_str(v->item), .role = PROVIDER_AGENT});
    }
    it.item_id = said.item_id = rd_str(v->item);
    m->ev->on_audio(w.call, &it, &a);
    m->ev->on_words(w.call, &said);
    v->left_ms -= 300;
    v->next_ms = w.now_ms + drops_random(20, 100); /* faster than it sounds */
    if (v->left_ms > 0)
        return;
    said.text = RD_STR("yes indeed");
    said.final = true;
    m->ev->on_audio_done(w.call, &it);
    m->ev->on_words(w.call, &said);
    response_ends(m, v, PROVIDER_RESPONSE_COMPLETED);
}

static void voice_goes_on(struct session *m, struct voice *v)
{
    if (v->state == SILENT)
        return;
    if (v->cancelled) {
        if (v->state == ASKED)
            response_begins(m, v);
        response_ends(m, v, PROVIDER_RESPONSE_CANCELLED);
        return;
    }
    if (w.now_ms < v->next_ms)
        return;
    if (v->state == ASKED)
        response_begins(m, v);
    else if (v->item[0] || !calls_tool(m, v))
        response_speaks(m, v);
}

static int provider_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    struct session *m = &w.model;
    struct voice *v = &m->voice[p->out_of_band];

    (void)leg;
    if (v->state != SILENT)
        m->busy_tag = p->tag;
    else
        ask(v, p->tag, p->exact_words.n > 0 || p->instructions.n > 0);
    return 0;
}

static int provider_cancel(struct provider_leg *leg, struct rd_str id)
{
    (void)leg;
    for (int i = 0; i < 2; i++)
        if (w.model.voice[i].state == BEGUN && rd_str_eq(rd_str(w.model.voice[i].response), id))
            w.model.voice[i].cancelled = true;
    return 0;
}

static int provider_truncate(struct provider_leg *leg, struct rd_str item, uint32_t part,
                             uint32_t ms)
{
    (void)leg, (void)item, (void)part, (void)ms;
    return 0;
}

static int provider_take(struct provider_leg *leg, struct rd_str id, struct rd_str output)
{
    (void)leg, (void)id, (void)output;
    return 0;
}

static int provider_note(struct provider_leg *leg, struct rd_str text)
{
    (void)leg, (void)text;
    return 0;
}

static int provider_remember(struct provider_leg *leg, const struct history_item *it)
{
    struct words words = {0};
    int turn;

    (void)leg;
    if (it->kind == HISTORY_TOOL && it->has_output) {
        CHECK(sscanf(it->text.p, "{\"turn\":%d}", &turn) == 1, "an unknown tool");
        w.model.knows_tool[turn] = true;
    }
    if (it->kind == HISTORY_CALLER)
        drops_add_words(&words, it->text);
    for (int i = 0; i < words.n; i++)
        understand(&w.model, words.at[i]);
    return 0;
}

static void provider_close(struct provider_leg *leg)
{
    (void)leg;
    w.model.ev->on_end(w.call, LEG_CLOSED_BY_US);
}

const struct provider_ops drops_provider = {
    .name = "model",
    .caps = {.turn_events = true, .exact_words = true, .formats = AUDIO_PCMU},
    .audio = provider_audio,
    .respond = provider_respond,
    .cancel = provider_cancel,
    .truncate = provider_truncate,
    .tool_result = provider_take,
    .note = provider_note,
    .remember = provider_remember,
    .close = provider_close,
    .abort = provider_close};

/* --- sessions ------------------------------------------------------------------------------------ */

struct provider_leg *drops_open_session(void *arg, const struct provider_ops **ops,
                                        const struct provider_events *ev, struct call *c)
{
    bool failed = w.model.fails;

    (void)arg, (void)c;
    w.model = (struct session){.number = ++w.sessions,
                               .ev = ev,
                               .ready_ms = w.now_ms + drops_random(50, 600),
                               .fails = w.sessions > 1 && !failed && drops_random(0, 5) == 0};
    *ops = &drops_provider;
    return (struct provider_leg *)(void *)&w;
}

void drops_lose_session(void)
{
    struct session *m = &w.model;

    m->ready = false;
    w.lost_ms = w.now_ms;
    m->ready_ms = UINT64_MAX;
    m->n_waiting = 0;
    m->voice[0].state = m->voice[1].state = SILENT;
    m->sounding = m->told_start = m->owes = false;
    m->busy_tag = 0;
    m->ev->on_end(w.call, drops_random(0, 1) ? LEG_LOST : LEG_CLOSED_BY_PEER);
}

static void session_begins(struct session *m)
{
    if (m->ready || w.now_ms < m->ready_ms)
        return;
    if (m->fails) {
        drops_lose_session();
        return;
    }
    m->ready = true;
    m->ev->on_ready(w.call);
}

void drops_session_goes_on(struct session *m)
{
    int number = m->number;

    session_begins(m);
    if (m->number != number || !m->ready)
        return;
    if (m->busy_tag) {
        m->ev->on_error(w.call, &(struct provider_error){
                                    .code = RD_STR("busy"), .tag = m->busy_tag, .busy = true});
        m->busy_tag = 0;
    }
    if (m->sounding && !m->told_start && m->heard - m->from >= 60 * 8)
        start_is_told(m);
    if (m->sounding && m->told_start && m->heard - m->to >= PAUSE_MS * 8)
        stop_is_told(m);
    words_come(m);
    voice_goes_on(m, &m->voice[0]);
    voice_goes_on(m, &m->voice[1]);
}
