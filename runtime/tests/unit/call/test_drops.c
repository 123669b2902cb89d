/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation whose model's session is lost at random moments, many times over: every word of the
 * caller is understood once, whoever understands them knows all that was said before, each tool runs
 * once, and nobody is interrupted but by the caller.
 *
 * Caller, network and model are simulated here, on virtual time, from one seed each: a word is 200 ms
 * of sound of its own, so that one that is lost, or fed twice, shows. */
#include "fake_call.h"

#include "media/base64.h"
#include "media/g711.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum {
    SEEDS = 500,
    STEP_MS = 10,
    FRAME_MS = 20,
    WORD_MS = 200,
    TURNS = 8,
    WORDS_MAX = 64,
    DROPS = 3, /* a fourth within a minute is the fallback's */
    DROPS_WITHIN_MS = 40000,
    PAUSE_MS = 300, /* of silence: the caller is through */
    END_MS = 240000
};

/* --- the world --------------------------------------------------------------------------------- */

struct words {
    int n, at[WORDS_MAX];
};

struct caller {
    int first[TURNS + 1]; /* word of each turn; the last one: behind all */
    bool asks_tool[TURNS], cuts_in[TURNS];
    int turn;             /* that is next, or is being spoken */
    uint64_t since_ms;    /* speaks since; 0: does not */
    uint64_t silent_ms;   /* since then */
    bool answered;        /* something was heard since */
    uint64_t heard_ms;    /* the agent began to be heard, of late */
    uint32_t patience_ms; /* this time */
};

struct line {         /* to the caller's ear */
    uint32_t waiting; /* bytes not played yet */
    struct {
        struct carrier_mark mark;
        uint32_t behind; /* bytes that play before it */
    } marks[FAKE_MARKS];
    int n_marks;
};

enum voice_state { SILENT, ASKED, BEGUN };

struct voice { /* a response */
    enum voice_state state;
    uint64_t next_ms;
    uint32_t tag, left_ms;
    char response[16], item[16];
    bool cancelled, tells; /* fixed words, or instructions */
};

struct utterance {
    char item[16];
    struct words words;
    uint64_t understood_ms;
};

struct session {
    int number;
    const struct provider_events *ev;
    uint64_t ready_ms;
    bool ready, fails;
    /* ears */
    uint32_t heard, from, to; /* bytes: all, and of the sound that is being heard */
    bool sounding, told_start, told_stop;
    struct words current;
    struct utterance waiting[4]; /* committed, not understood */
    int n_waiting;
    /* voice: in the conversation, and beside it */
    struct voice voice[2];
    bool owes; /* a turn was committed while it spoke */
    uint32_t busy_tag;
    int names; /* so far */
    /* mind */
    unsigned knows[WORDS_MAX]; /* how often it was told, or heard, a word */
    bool knows_tool[TURNS];
    int last_word;
};

struct tool {
    char id[16];
    uint64_t due_ms; /* 0: none */
};

static struct world {
    unsigned seed, random;
    uint64_t now_ms, timer_ms, started_ms;
    struct call *call;
    struct caller caller;
    struct line line;
    struct session model;
    int sessions, drops, resumed;
    uint64_t drop_ms[DROPS], lost_ms;
    struct tool tools[TURNS];
    unsigned runs[TURNS];
    struct words understood; /* as the records have it */
    uint32_t seq;
    bool answered; /* the last turn that was recorded is the agent's */
    char ended[32];
} w;

static uint32_t rnd(uint32_t from, uint32_t to)
{
    w.random = w.random * 1664525u + 1013904223u;
    return from + (w.random >> 8) % (to - from + 1);
}

#define CHECK(what, ...)                                                                      \
    do {                                                                                      \
        if (!(what)) {                                                                        \
            print_message("seed %u at %u ms: ", w.seed, (unsigned)(w.now_ms - w.started_ms)); \
            fail_msg(__VA_ARGS__);                                                            \
        }                                                                                     \
    } while (0)

static void add_words(struct words *to, struct rd_str text)
{
    char z[1024], *p = z;
    int word, used;

    (void)rd_str_copy(z, sizeof(z), text);
    for (; sscanf(p, " w%d%n", &word, &used) == 1; p += used) {
        CHECK(to->n < WORDS_MAX, "too many words: %s", z);
        to->at[to->n++] = word;
    }
}

static int turn_of(int word)
{
    int turn = 0;

    while (turn < TURNS - 1 && word >= w.caller.first[turn + 1])
        turn++;
    return turn;
}

/* --- the telephone network ----------------------------------------------------------------------- */

static int carrier_audio(struct carrier_leg *leg, const struct audio_span *a)
{
    (void)leg;
    w.line.waiting += a->n_bytes;
    return 0;
}

static int carrier_mark(struct carrier_leg *leg, const struct carrier_mark *m)
{
    (void)leg;
    assert_true(w.line.n_marks < FAKE_MARKS);
    w.line.marks[w.line.n_marks].mark = *m;
    w.line.marks[w.line.n_marks++].behind = w.line.waiting;
    return 0;
}

static int carrier_clear(struct carrier_leg *leg)
{
    (void)leg;
    w.line.waiting = 0;
    for (int i = 0; i < w.line.n_marks; i++)
        w.line.marks[i].behind = 0;
    return 0;
}

static void carrier_close(struct carrier_leg *leg)
{
    (void)leg;
    call_carrier_events.on_end(w.call, LEG_CLOSED_BY_US);
}

static const struct carrier_ops network = {.name = "network",
                                           .formats = AUDIO_PCMU,
                                           .audio = carrier_audio,
                                           .mark = carrier_mark,
                                           .clear = carrier_clear,
                                           .close = carrier_close,
                                           .abort = carrier_close};

static void line_plays(uint32_t ms)
{
    uint32_t n = ms * 8 < w.line.waiting ? ms * 8 : w.line.waiting;

    w.line.waiting -= n;
    for (int i = 0; i < w.line.n_marks; i++)
        w.line.marks[i].behind -= n < w.line.marks[i].behind ? n : w.line.marks[i].behind;
    while (w.line.n_marks > 0 && w.line.marks[0].behind == 0) {
        struct carrier_mark m = w.line.marks[0].mark;

        memmove(&w.line.marks[0], &w.line.marks[1],
                (size_t)--w.line.n_marks * sizeof(w.line.marks[0]));
        call_carrier_events.on_mark(w.call, &m);
    }
}

/* --- the caller ---------------------------------------------------------------------------------- */

static void caller_thinks_up_what_to_say(void)
{
    struct caller *c = &w.caller;

    c->first[0] = 1;
    for (int i = 0; i < TURNS; i++) {
        c->first[i + 1] = c->first[i] + (int)rnd(1, 7);
        c->asks_tool[i] = rnd(0, 3) == 0;
        c->cuts_in[i] = rnd(0, 3) == 0;
    }
}

static void caller_speaks(void)
{
    struct caller *c = &w.caller;

    c->since_ms = w.now_ms;
}

static void caller_listens(void)
{
    struct caller *c = &w.caller;
    bool sounds = w.line.waiting > 0;

    if (c->since_ms || c->turn == TURNS)
        return;
    if (sounds && !c->answered)
        c->heard_ms = w.now_ms;
    if (sounds)
        c->silent_ms = w.now_ms;
    c->answered |= sounds;
    if ((sounds && c->cuts_in[c->turn] && w.now_ms >= c->heard_ms + c->patience_ms) ||
        (c->answered && !sounds && w.now_ms >= c->silent_ms + c->patience_ms) ||
        w.now_ms >= c->silent_ms + 9000)
        caller_speaks();
}

/* Now, or since the session was lost. */
static bool caller_spoke(void)
{
    return w.caller.since_ms || w.caller.silent_ms >= w.lost_ms;
}

static void caller_frame(void)
{
    struct caller *c = &w.caller;
    uint8_t bytes[160];
    char b64[BASE64_ENCODED(160)];
    int word = 0;

    if (c->since_ms) {
        word = c->first[c->turn] + (int)((w.now_ms - c->since_ms) / WORD_MS);
        if (word == c->first[c->turn + 1]) {
            word = 0;
            c->since_ms = 0;
            c->silent_ms = w.now_ms;
            c->answered = false;
            c->patience_ms = rnd(400, 2000);
            c->turn++;
        }
    }
    memset(bytes, word ? word : G711_ULAW_SILENCE, sizeof(bytes));
    call_carrier_events.on_audio(
        w.call,
        &(struct audio_span){
            .b64 = b64, .n_b64 = base64_encode(b64, bytes, sizeof(bytes)), .n_bytes = 160},
        (uint32_t)(w.now_ms - w.started_ms));
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
        .state = ASKED, .tag = tag, .tells = tells, .next_ms = w.now_ms + rnd(100, 400)};
}

static void start_is_told(struct session *m)
{
    uint32_t early_ms = rnd(0, 300), from_ms = m->from / 8;

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
    u->understood_ms = w.now_ms + rnd(50, 1200);
    m->sounding = m->told_start = false;
    for (int i = 0; i < u->words.n; i++)
        understand(m, u->words.at[i]);
    name(m, u->item, "u");
    m->ev->on_speech_stopped(w.call, m->to / 8 + rnd(0, 100), RD_STR("?"));
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
    int turn = m->last_word ? turn_of(m->last_word) : 0;
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
    v->next_ms = w.now_ms + rnd(50, 300);
    v->left_ms = rnd(1, 8) * 300;
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
    v->next_ms = w.now_ms + rnd(20, 100); /* faster than it sounds */
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
        add_words(&words, it->text);
    for (int i = 0; i < words.n; i++)
        understand(&w.model, words.at[i]);
    return 0;
}

static void provider_close(struct provider_leg *leg)
{
    (void)leg;
    w.model.ev->on_end(w.call, LEG_CLOSED_BY_US);
}

static const struct provider_ops provider = {
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

static struct provider_leg *open_session(void *arg, const struct provider_ops **ops,
                                         const struct provider_events *ev, struct call *c)
{
    bool failed = w.model.fails;

    (void)arg, (void)c;
    w.model = (struct session){.number = ++w.sessions,
                               .ev = ev,
                               .ready_ms = w.now_ms + rnd(50, 600),
                               .fails = w.sessions > 1 && !failed && rnd(0, 5) == 0};
    *ops = &provider;
    return (struct provider_leg *)(void *)&w;
}

static void session_is_lost(void)
{
    struct session *m = &w.model;

    m->ready = false;
    w.lost_ms = w.now_ms;
    m->ready_ms = UINT64_MAX;
    m->n_waiting = 0;
    m->voice[0].state = m->voice[1].state = SILENT;
    m->sounding = m->told_start = m->owes = false;
    m->busy_tag = 0;
    m->ev->on_end(w.call, rnd(0, 1) ? LEG_LOST : LEG_CLOSED_BY_PEER);
}

static void session_begins(struct session *m)
{
    if (m->ready || w.now_ms < m->ready_ms)
        return;
    if (m->fails) {
        session_is_lost();
        return;
    }
    m->ready = true;
    m->ev->on_ready(w.call);
}

static void session_goes_on(struct session *m)
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

/* --- script, records, time ----------------------------------------------------------------------- */

static int on_agent(void *arg, const struct agent_event *e)
{
    int turn;

    (void)arg;
    if (e->type != AGENT_TOOL_CALL)
        return 0;
    CHECK(sscanf(e->text.p, "{\"turn\":%d}", &turn) == 1, "an unknown tool");
    w.runs[turn]++;
    (void)rd_str_copy(w.tools[turn].id, sizeof(w.tools[turn].id), e->id);
    w.tools[turn].due_ms = w.now_ms + rnd(100, 2500);
    return 0;
}

static void tools_end(void)
{
    for (int i = 0; i < TURNS; i++) {
        if (!w.tools[i].due_ms || w.now_ms < w.tools[i].due_ms)
            continue;
        w.tools[i].due_ms = 0;
        call_tool_result(w.call, rd_str(w.tools[i].id), RD_STR("done"), true);
    }
}

static void on_record(void *arg, const struct record *r)
{
    (void)arg;
    w.resumed += r->type == RECORD_RESUMED;
    CHECK(r->type != RECORD_RESUMED || r->attempt == (uint32_t)w.resumed, "attempt %u", r->attempt);
    CHECK(r->type != RECORD_BARGE_IN || caller_spoke(), "nobody cut in");
    if (r->type != RECORD_TURN)
        return;
    CHECK(r->seq == w.seq + 1, "turn %u comes behind %u", r->seq, w.seq);
    w.seq = r->seq;
    w.answered = r->role == PROVIDER_AGENT;
    if (r->role == PROVIDER_CALLER)
        add_words(&w.understood, r->text);
}

static uint64_t world_now_us(void *arg)
{
    (void)arg;
    return w.now_ms * 1000;
}

static void on_timer(void *arg, uint64_t at_ms)
{
    (void)arg;
    w.timer_ms = at_ms;
}

static void on_closing(void *arg, enum call_end_reason why)
{
    (void)arg;
    (void)rd_str_copy(w.ended, sizeof(w.ended), rd_str(call_end_name(why)));
}

static void on_ended(void *arg, enum call_end_reason why)
{
    (void)arg, (void)why;
    w.call = NULL;
}

static void begin(unsigned seed, struct brief *brief)
{
    static const struct clock clock = {.now_us = world_now_us};
    struct call_opts o = {.call_sid = "CAdrops",
                          .brief = brief,
                          .clock = &clock,
                          .carrier_ops = &network,
                          .carrier = (struct carrier_leg *)(void *)&w,
                          .reopen = open_session,
                          .agent = on_agent,
                          .record = on_record,
                          .timer = on_timer,
                          .closing = on_closing,
                          .ended = on_ended};
    const struct provider_ops *ops;

    memset(&w, 0, sizeof(w));
    w.seed = w.random = seed;
    w.started_ms = w.now_ms = 1000000;
    w.caller.silent_ms = w.now_ms;
    w.caller.patience_ms = rnd(400, 2000);
    caller_thinks_up_what_to_say();
    for (int i = 0; i < DROPS; i++)
        w.drop_ms[i] = w.started_ms + rnd(0, DROPS_WITHIN_MS);
    assert_int_equal(call_new(&w.call, &o), 0);
    call_set_provider(w.call, &provider, open_session(NULL, &ops, &call_provider_events, w.call));
}

static void drop_if_due(void)
{
    for (int i = 0; i < DROPS; i++) {
        if (!w.drop_ms[i] || w.now_ms < w.drop_ms[i] || !w.model.ready)
            continue;
        w.drop_ms[i] = 0;
        w.drops++;
        session_is_lost();
        return;
    }
}

static bool is_over(void)
{
    const struct session *m = &w.model;
    const struct caller *c = &w.caller;
    bool quiet = m->n_waiting == 0 && !m->sounding && m->voice[0].state == SILENT && m->ready &&
                 w.line.waiting == 0;

    return c->turn == TURNS && quiet && w.now_ms >= c->silent_ms + 8000;
}

static void step(void)
{
    w.now_ms += STEP_MS;
    while (w.call && w.timer_ms && w.timer_ms <= w.now_ms) {
        w.timer_ms = 0;
        call_tick(w.call);
    }
    CHECK(w.call && !w.ended[0], "the call ended: %s", w.ended);
    if (w.now_ms % FRAME_MS == 0)
        caller_frame();
    session_goes_on(&w.model);
    line_plays(STEP_MS);
    tools_end();
    drop_if_due();
    caller_listens();
}

/* --- what must hold ------------------------------------------------------------------------------ */

static void check_words(void)
{
    int last = w.caller.first[TURNS] - 1;

    for (int i = 0; i < w.understood.n; i++)
        CHECK(w.understood.at[i] == i + 1, "word %d was recorded where %d belongs",
              w.understood.at[i], i + 1);
    CHECK(w.understood.n == last, "%d of %d words were recorded", w.understood.n, last);
    for (int i = 1; i <= last; i++)
        CHECK(w.model.knows[i] == 1, "the last session knows word %d %u times", i,
              w.model.knows[i]);
}

static void check_effects(void)
{
    for (int i = 0; i < TURNS; i++)
        CHECK(w.runs[i] <= 1, "the tool of turn %d ran %u times", i, w.runs[i]);
    CHECK(!w.caller.asks_tool[TURNS - 1] || w.runs[TURNS - 1] == 1,
          "the tool of the last turn did not run");
    CHECK(w.resumed == w.drops, "%d losses, resumed %d times", w.drops, w.resumed);
    CHECK(w.answered, "the last words got no answer");
}

static int play(unsigned seed)
{
    struct brief brief = fake_brief();

    brief.silence_ms = 0;
    begin(seed, &brief);
    while (!is_over()) {
        CHECK(w.now_ms < w.started_ms + END_MS, "the conversation has no end");
        step();
    }
    check_words();
    check_effects();
    call_end(w.call, CALL_END_SHUTDOWN);
    assert_null(w.call);
    return w.drops;
}

/* DROPS_SEED=N plays that one alone. */
static void test_sessions_that_are_lost_at_random_lose_and_double_nothing(void **state)
{
    const char *only = getenv("DROPS_SEED");
    int drops = 0;

    (void)state;
    if (only) {
        (void)play((unsigned)strtoul(only, NULL, 10));
        return;
    }
    for (unsigned seed = 1; seed <= SEEDS; seed++)
        drops += play(seed);
    assert_in_range(drops, SEEDS * 2, SEEDS * DROPS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sessions_that_are_lost_at_random_lose_and_double_nothing),
    };

    return cmocka_run_group_tests_name("drops", tests, NULL, NULL);
}
