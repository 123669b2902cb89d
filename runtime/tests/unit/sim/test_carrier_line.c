/* SPDX-License-Identifier: Apache-2.0 */
/* The caller on the line, in virtual time: waits for the agent, cuts in, presses keys, hangs up. */
#include "sim/carrier/line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { STEPS = 4, SPEECH_MS = 1000 };

struct story {
    struct scenario_step steps[STEPS];
    struct scenario scenario;
    struct sound sounds[STEPS];
    int16_t speech[SPEECH_MS * 8];
    struct line *line;
    char told[1024]; /* what happened, "says@1700 " */
};

static void tell(struct story *s, const char *what)
{
    size_t n = strlen(s->told);

    snprintf(s->told + n, sizeof(s->told) - n, "%s@%u ", what, line_ms(s->line));
}

static void on_caller(const struct caller_event *e, void *arg)
{
    static const char *const names[] = {
        [CALLER_SAYS] = "says",         [CALLER_SAID] = "said",
        [CALLER_LOST] = "lost",         [CALLER_STOPPED] = "stopped",
        [CALLER_HANGS_UP] = "hangs_up", [CALLER_GIVES_UP] = "gives_up"};
    char digit[] = {e->digit, '\0'};

    tell(arg, e->kind == CALLER_DIGIT ? digit : names[e->kind]);
}

static void on_mark(const char *name, void *arg)
{
    tell(arg, name);
}

static void on_agent(bool speaking, uint32_t ms, void *arg)
{
    (void)ms;
    tell(arg, speaking ? "agent" : "quiet");
}

static struct story *story_new(const struct scenario_step *steps, size_t n)
{
    static const struct line_events events = {on_caller, on_mark, on_agent};
    struct story *s = calloc(1, sizeof(*s));

    memcpy(s->steps, steps, n * sizeof(*steps));
    for (size_t i = 0; i < SPEECH_MS * 8; i++)
        s->speech[i] = 1000;
    for (size_t i = 0; i < STEPS; i++)
        s->sounds[i] = (struct sound){s->speech, SPEECH_MS * 8};
    s->scenario = (struct scenario){.steps = s->steps, .n_steps = n, .max_ms = 60000};
    assert_int_equal(line_new(&s->line, &s->scenario, s->sounds, &events, s), 0);
    return s;
}

static void story_free(struct story *s)
{
    line_free(s->line);
    free(s);
}

static void agent_says(struct story *s, size_t ms)
{
    uint8_t *audio = malloc(ms * 8);

    memset(audio, 0x20, ms * 8);
    assert_int_equal(line_audio(s->line, audio, ms * 8), 0);
    free(audio);
}

/* Returns how many of the frames were speech of the caller. */
static int pass(struct story *s, unsigned ms)
{
    uint8_t frame[PLAYOUT_FRAME];
    int speech = 0;

    for (unsigned i = 0; i < ms; i += 20) {
        line_tick(s->line, frame);
        speech += frame[0] != 0xFF;
    }
    return speech;
}

static char words[] = "hello";

static void test_the_caller_answers_when_the_agent_fell_silent(void **state)
{
    struct scenario_step steps[] = {{.after = true, .say = words}};
    struct story *s = story_new(steps, 1);

    (void)state;
    pass(s, 1000); /* nobody has said anything: the caller waits */
    agent_says(s, 2000);
    assert_int_equal(pass(s, 4000), SPEECH_MS / 20);
    assert_string_equal(s->told, "agent@1000 quiet@3380 says@3680 said@4660 ");
    story_free(s);
}

static void test_a_pause_in_the_agents_speech_is_not_its_end(void **state)
{
    struct scenario_step steps[] = {{.after = true, .say = words}};
    struct story *s = story_new(steps, 1);

    (void)state;
    agent_says(s, 1000);
    pass(s, 1500);
    agent_says(s, 1000); /* 500 ms later it goes on */
    pass(s, 1600);
    assert_null(strstr(s->told, "says"));
    assert_int_equal(pass(s, 1200), SPEECH_MS / 20);
    story_free(s);
}

static void test_the_caller_cuts_in_while_the_agent_speaks(void **state)
{
    struct scenario_step steps[] = {{.during = true, .at_ms = 1200, .say = words},
                                    {.after = true, .hangup = true}};
    struct story *s = story_new(steps, 2);

    (void)state;
    agent_says(s, 8000);
    line_mark(s->line, "m1");
    pass(s, 1400);
    assert_true(line_clear(s->line));
    pass(s, 3000);
    /* The end of the interrupted sentence is no answer: still waiting. */
    assert_string_equal(s->told, "agent@0 says@1200 m1@1400 quiet@1780 said@2180 ");
    assert_int_equal(line_played_ms(s->line), 1400);
    assert_int_equal(line_cleared_ms(s->line), 6600);
    agent_says(s, 500);
    pass(s, 1500);
    assert_non_null(strstr(s->told, "hangs_up@"));
    story_free(s);
}

static void test_a_clear_with_nothing_to_hear_is_no_barge_in(void **state)
{
    struct scenario_step steps[] = {{.after = true, .say = words}};
    struct story *s = story_new(steps, 1);

    (void)state;
    assert_false(line_clear(s->line));
    agent_says(s, 100);
    pass(s, 140);
    assert_false(line_clear(s->line));
    story_free(s);
}

static void test_keys_and_silence_on_purpose(void **state)
{
    static char digits[] = "4#";
    struct scenario_step steps[] = {{.digits = digits}, {.wait_ms = 1000}, {.hangup = true}};
    struct story *s = story_new(steps, 3);

    (void)state;
    pass(s, 3000);
    assert_string_equal(s->told, "4@0 #@240 hangs_up@1520 ");
    story_free(s);
}

static void test_the_caller_gives_up_once(void **state)
{
    struct scenario_step steps[] = {{.after = true, .say = words}};
    struct story *s = story_new(steps, 1);

    (void)state;
    pass(s, 70000);
    assert_string_equal(s->told, "gives_up@60000 ");
    story_free(s);
}

static void test_both_sides_are_recorded_in_step(void **state)
{
    struct scenario_step steps[] = {{.during = true, .at_ms = 100, .say = words}};
    struct story *s = story_new(steps, 1);
    struct sound caller, agent;

    (void)state;
    agent_says(s, 300);
    pass(s, 2000);
    line_take(s->line, &caller, &agent);
    assert_int_equal(caller.n, 2000 * 8);
    assert_int_equal(agent.n, 2000 * 8);
    assert_int_equal(caller.pcm[99 * 8], 0);
    assert_int_equal(caller.pcm[101 * 8], 1000);
    assert_int_not_equal(agent.pcm[299 * 8], 0);
    assert_int_equal(agent.pcm[301 * 8], 0);
    free(caller.pcm);
    free(agent.pcm);
    story_free(s);
}

static void test_the_network_loses_the_stream_and_the_caller_talks_on(void **state)
{
    struct scenario_step steps[] = {{.say = words, .breaks = true, .lost_at_ms = 400},
                                    {.stops = true, .lost_at_ms = 200},
                                    {.hangup = true}};
    struct story *s = story_new(steps, 3);

    (void)state;
    assert_int_equal(pass(s, 3000), SPEECH_MS / 20);
    assert_string_equal(s->told, "says@0 lost@400 said@980 stopped@1200 hangs_up@1220 ");
    story_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_caller_answers_when_the_agent_fell_silent),
        cmocka_unit_test(test_a_pause_in_the_agents_speech_is_not_its_end),
        cmocka_unit_test(test_the_caller_cuts_in_while_the_agent_speaks),
        cmocka_unit_test(test_a_clear_with_nothing_to_hear_is_no_barge_in),
        cmocka_unit_test(test_keys_and_silence_on_purpose),
        cmocka_unit_test(test_the_caller_gives_up_once),
        cmocka_unit_test(test_both_sides_are_recorded_in_step),
        cmocka_unit_test(test_the_network_loses_the_stream_and_the_caller_talks_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
