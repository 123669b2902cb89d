/* SPDX-License-Identifier: Apache-2.0 */
/* Scenarios: what a file may say, and that every mistake in it is told with its line. */
#include "sim/scenario.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static int load_text(const char *text, struct scenario **s, struct buf *complaints)
{
    char file[] = "/tmp/scenario-XXXXXX.lua";
    int fd = mkstemps(file, 4), rc;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    rc = scenario_load(s, file, complaints);
    unlink(file);
    return rc;
}

static void test_a_whole_scenario(void **state)
{
    static const char text[] =
        "return { name = 'booking', from = '+13125550142', to = '+13125550100', max = '30s',\n"
        "  caller = { { after = 'agent', say = 'A plumber, please.', voice = 'en-gb' },\n"
        "    { during = 'agent', at = '1200ms', say = 'Make it ten.' },\n"
        "    { wait = '2s' }, { after = 'agent', at = 500, digits = '42#' }, { hangup = true } },\n"
        "  model = { { hears = 'A plumber, please.', voice = 'en-gb',\n"
        "      tool = { name = 'book_visit', arguments = { time = '09:00', day = 'tomorrow', n = 2 "
        "} },\n"
        "      then_says = 'Booked.' },\n"
        "    { hears = 'Make it ten.', says = 'Goodbye.', tool = { name = 'end_call' } } },\n"
        "  expect = { ended_by = 'agent', barge_ins = 1, tools = { 'book_visit', 'end_call' },\n"
        "    heard = { 'Booked' }, verbs = { 'Connect' } } }\n";
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    if (load_text(text, &s, &c))
        fail_msg("%s", buf_text(&c));
    assert_string_equal(s->name, "booking");
    assert_int_equal(s->max_ms, 30000);
    assert_int_equal(s->n_steps, 5);
    assert_true(s->steps[0].after);
    assert_string_equal(s->steps[0].voice, "en-gb");
    assert_true(s->steps[1].during);
    assert_int_equal(s->steps[1].at_ms, 1200);
    assert_int_equal(s->steps[2].wait_ms, 2000);
    assert_int_equal(s->steps[3].at_ms, 500);
    assert_string_equal(s->steps[3].digits, "42#");
    assert_true(s->steps[4].hangup);
    assert_int_equal(s->n_replies, 2);
    assert_string_equal(s->replies[0].arguments,
                        "{\"day\":\"tomorrow\",\"n\":2,\"time\":\"09:00\"}");
    assert_string_equal(s->replies[1].arguments, "{}");
    assert_int_equal(s->expect.barge_ins, 1);
    assert_string_equal(s->expect.tools[1], "end_call");
    assert_null(s->expect.tools[2]);
    assert_string_equal(s->expect.heard[0], "Booked");
    scenario_free(s);
    buf_fini(&c);
}

static void test_what_is_left_out_has_a_default(void **state)
{
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    assert_int_equal(load_text("return { from = '+1', to = '+2' }", &s, &c), 0);
    assert_int_equal(s->max_ms, 60000);
    assert_int_equal(s->expect.barge_ins, -1);
    assert_null(s->expect.heard);
    assert_null(s->dial);
    assert_int_equal(strncmp(s->name, "scenario-", 9), 0); /* the file's name */
    scenario_free(s);
    buf_fini(&c);
}

static void test_who_is_at_the_other_telephones(void **state)
{
    static const char text[] =
        "return { from = '+1', to = '+2', people = {\n"
        "  ['+13125550188'] = { presses = '2', after = '2s', thinks = 20, talks = '5s',\n"
        "    replies = { { '1', after = '3s' } } },\n"
        "  ['+13125550189'] = { answers = 'voicemail', text = 30006, callbacks = 'twice' } },\n"
        "  texts = { { at = '1s', body = 'Is it you?' } } }";
    const struct scenario_person *p;
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    if (load_text(text, &s, &c))
        fail_msg("%s", buf_text(&c));
    p = scenario_person(s, "+13125550188");
    assert_non_null(p);
    assert_int_equal(p->answers, SCENARIO_HUMAN);
    assert_string_equal(p->presses, "2");
    assert_int_equal(p->after_ms, 2000);
    assert_int_equal(p->talks_ms, 5000);
    assert_int_equal(p->n_replies, 1);
    assert_string_equal(p->replies[0].body, "1");
    assert_int_equal(p->replies[0].at_ms, 3000);
    p = scenario_person(s, "+13125550189");
    assert_int_equal(p->answers, SCENARIO_VOICEMAIL);
    assert_string_equal(p->presses, "");
    assert_int_equal(p->text, 30006);
    assert_int_equal(p->callbacks, SCENARIO_TWICE);
    assert_null(scenario_person(s, "+13125550190"));
    assert_string_equal(s->texts[0].body, "Is it you?");
    scenario_free(s);
    buf_fini(&c);
}

static void test_mistakes_about_people_are_told_too(void **state)
{
    static const char text[] = "return { from = '+1', to = '+2', people = {\n"
                               "  ['+13125550188'] = { answers = 'dog', colour = 'red',\n"
                               "    presses = 'x', text = 'no', replies = { { after = '1s' } } },\n"
                               "  office = {} }, texts = { { at = '1s' } } }";
    static const char *const want[] = {
        "human, voicemail", "unknown field colour", "can be pressed", "an error code",
        "words come first", "[\"+13125550188\"]",   "body is missing"};
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    assert_int_equal(load_text(text, &s, &c), RD_ECONFIG);
    for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
        if (!strstr(buf_text(&c), want[i]))
            fail_msg("not told: %s\n%s", want[i], buf_text(&c));
    }
    buf_fini(&c);
}

static void test_all_mistakes_are_told_at_once_with_their_lines(void **state)
{
    static const char text[] =
        "return { from = '+1', to = 2,\n"
        "  caller = { { after = 'model', say = 'x' },\n"
        "    { say = 'x', digits = '1' },\n"
        "    { digitz = '1' },\n"
        "    { during = 'agent', at = 'soon', say = 'x' },\n"
        "    { digits = '1', breaks = '0ms' }, { breaks = '0ms', stops = '0ms' } },\n"
        "  model = { { says = 'x' } }, dial = 'maybe',\n"
        "  expect = { ended_by = 'magic', barge_ins = -1 } }\n";
    static const char *const wanted[] = {":1: to: a text",
                                         ":2: caller 1: after and during",
                                         ":4: caller 3: unknown field digitz",
                                         "caller 2: a step does exactly one of",
                                         "\"1200ms\"",
                                         "the stream can be lost while something is said",
                                         "either breaks or stops",
                                         ":7: model 1: hears",
                                         ":7: dial: completed, busy",
                                         ":8: ended_by:",
                                         ":8: barge_ins:"};
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    assert_int_equal(load_text(text, &s, &c), RD_ECONFIG);
    assert_null(s);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (!strstr(buf_text(&c), wanted[i]))
            fail_msg("\"%s\" is not in:\n%s", wanted[i], buf_text(&c));
    }
    buf_fini(&c);
}

static void test_files_that_are_no_scenario(void **state)
{
    static const char *const texts[] = {
        "return {",
        "return 7",
        "error('x')",
        "while true do end",
        "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
        "os.exit(0)",
        "\x1bLua"};
    struct scenario *s = NULL;
    struct buf c;

    (void)state;
    buf_init(&c, 65536);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        buf_clear(&c);
        assert_int_equal(load_text(texts[i], &s, &c), RD_ECONFIG);
        assert_true(c.n > 0);
    }
    assert_int_equal(scenario_load(&s, "/nowhere/x.lua", &c), RD_ECONFIG);
    buf_fini(&c);
}

static void test_the_examples_load_and_can_be_heard(void **state)
{
    struct scenario **all = NULL;
    struct buf c;
    size_t n = 0;

    (void)state;
    buf_init(&c, 65536);
    if (scenario_load_folder(&all, &n, "examples/scenarios", &c))
        fail_msg("%s", buf_text(&c));
    assert_true(n >= 3);
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < all[i]->n_steps; k++) {
            const struct scenario_step *step = &all[i]->steps[k];
            bool known = !step->say && !step->play;
            for (size_t m = 0; m < all[i]->n_replies && !known; m++) {
                const struct scenario_reply *y = &all[i]->replies[m];
                known = (step->say && strcmp(step->say, y->hears) == 0) ||
                        (step->play && y->hears_file && strcmp(step->play, y->hears_file) == 0);
            }
            if (!known)
                fail_msg("%s: the model does not know step %zu", all[i]->name, k + 1);
        }
        scenario_free(all[i]);
    }
    free(all);
    buf_fini(&c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_scenario),
        cmocka_unit_test(test_what_is_left_out_has_a_default),
        cmocka_unit_test(test_who_is_at_the_other_telephones),
        cmocka_unit_test(test_mistakes_about_people_are_told_too),
        cmocka_unit_test(test_all_mistakes_are_told_at_once_with_their_lines),
        cmocka_unit_test(test_files_that_are_no_scenario),
        cmocka_unit_test(test_the_examples_load_and_can_be_heard),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
