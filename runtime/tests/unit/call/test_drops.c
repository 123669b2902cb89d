/* SPDX-License-Identifier: Apache-2.0 */
/* A conversation whose model's session is lost at random moments, many times over: every word of the
 * caller is understood once, whoever understands them knows all that was said before, each tool runs
 * once, and nobody is interrupted but by the caller.
 *
 * Caller and network are simulated here, the model in fake_drops.c, on virtual time, from one seed each. */
#include "fake_drops.h"

#include "media/base64.h"
#include "media/g711.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 500, STEP_MS = 10, FRAME_MS = 20, DROPS_WITHIN_MS = 40000, END_MS = 240000 };

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
        c->first[i + 1] = c->first[i] + (int)drops_random(1, 7);
        c->asks_tool[i] = drops_random(0, 3) == 0;
        c->cuts_in[i] = drops_random(0, 3) == 0;
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
            c->patience_ms = drops_random(400, 2000);
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
    w.tools[turn].due_ms = w.now_ms + drops_random(100, 2500);
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
        drops_add_words(&w.understood, r->text);
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
                          .reopen = drops_open_session,
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
    w.caller.patience_ms = drops_random(400, 2000);
    caller_thinks_up_what_to_say();
    for (int i = 0; i < DROPS; i++)
        w.drop_ms[i] = w.started_ms + drops_random(0, DROPS_WITHIN_MS);
    assert_int_equal(call_new(&w.call, &o), 0);
    call_set_provider(w.call, &drops_provider,
                      drops_open_session(NULL, &ops, &call_provider_events, w.call));
}

static void drop_if_due(void)
{
    for (int i = 0; i < DROPS; i++) {
        if (!w.drop_ms[i] || w.now_ms < w.drop_ms[i] || !w.model.ready)
            continue;
        w.drop_ms[i] = 0;
        w.drops++;
        drops_lose_session();
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
    drops_session_goes_on(&w.model);
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
