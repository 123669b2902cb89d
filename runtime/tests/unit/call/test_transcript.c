/* SPDX-License-Identifier: Apache-2.0 */
/* Who said what, in the order of the conversation, whatever the order of arrival. */
#include "call/transcript.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static struct transcript t;
static char out[65536];

static void on_turn(void *arg, const struct transcript_turn *turn)
{
    size_t n = strlen(out);

    (void)arg;
    (void)snprintf(out + n, sizeof(out) - n, "%u %s: %s%s%s%s%s|", turn->seq,
                   turn->role == PROVIDER_CALLER ? "c" : "a", turn->text,
                   turn->interrupted ? "-" : "", turn->said[0] ? " said " : "", turn->said,
                   turn->paused ? " paused" : "");
}

static int set_up(void **state)
{
    (void)state;
    out[0] = '\0';
    transcript_init(&t, on_turn, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    transcript_fini(&t);
    return 0;
}

static void place(const char *id, const char *previous, enum provider_role role)
{
    transcript_place(&t,
                     &(struct provider_placed){
                         .item_id = rd_str(id), .previous_id = rd_str(previous), .role = role},
                     1000);
}

static void words(const char *id, enum provider_role role, const char *text, bool final)
{
    transcript_words(&t,
                     &(struct provider_words){
                         .item_id = rd_str(id), .role = role, .text = rd_str(text), .final = final},
                     1000);
    transcript_flush(&t, 1000);
}

static void test_an_answer_waits_for_the_question_it_answers(void **state)
{
    (void)state;
    place("u", "", PROVIDER_CALLER);
    place("a", "u", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "At nine.", true);
    transcript_heard(&t, RD_STR("a"));
    transcript_flush(&t, 1000);
    assert_string_equal("", out);
    words("u", PROVIDER_CALLER, "When?", true);
    assert_string_equal("1 c: When?|2 a: At nine.|", out);
}

static void test_an_item_placed_late_goes_behind_the_one_it_names(void **state)
{
    (void)state;
    place("u1", "", PROVIDER_CALLER);
    place("a1", "u1", PROVIDER_AGENT);
    place("u2", "a1", PROVIDER_CALLER);
    place("x", "u1", PROVIDER_CALLER);
    words("u2", PROVIDER_CALLER, "four", true);
    words("x", PROVIDER_CALLER, "two", true);
    words("a1", PROVIDER_AGENT, "three", true);
    transcript_heard(&t, RD_STR("a1"));
    words("u1", PROVIDER_CALLER, "one", true);
    assert_string_equal("1 c: one|2 c: two|3 a: three|4 c: four|", out);
}

static void test_an_interrupted_turn_keeps_the_words_that_were_heard(void **state)
{
    (void)state;
    place("a", "", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "We are open from ", false);
    words("a", PROVIDER_AGENT, "nine to five", false);
    transcript_cut(&t, RD_STR("a"), 500, 1000);
    transcript_flush(&t, 1000);
    words("a", PROVIDER_AGENT, "We are open from nine to five on all days", true);
    assert_string_equal("1 a: We are open- said We are open from nine to five|", out);
}

static void test_final_words_behind_a_cut_are_what_was_said_while_the_turn_waits(void **state)
{
    (void)state;
    place("u", "", PROVIDER_CALLER);
    place("a", "u", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "We are open from ", false);
    transcript_cut(&t, RD_STR("a"), 500, 1000);
    words("a", PROVIDER_AGENT, "nine", false);
    words("a", PROVIDER_AGENT, "We are open from nine", true);
    words("u", PROVIDER_CALLER, "When?", true);
    assert_string_equal("1 c: When?|2 a: We are- said We are open from nine|", out);
}

static void test_a_turn_heard_to_its_end_was_not_said_otherwise(void **state)
{
    (void)state;
    place("a", "", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "We are open", true);
    transcript_cut(&t, RD_STR("a"), 1000, 1000);
    transcript_flush(&t, 1000);
    assert_string_equal("1 a: We are open-|", out);
}

static void test_turns_that_take_their_place_in_a_pause_are_marked(void **state)
{
    (void)state;
    place("u1", "", PROVIDER_CALLER);
    t.paused = true;
    place("u2", "u1", PROVIDER_CALLER);
    t.paused = false;
    place("u3", "u2", PROVIDER_CALLER);
    words("u3", PROVIDER_CALLER, "three", true);
    words("u2", PROVIDER_CALLER, "two", true);
    words("u1", PROVIDER_CALLER, "one", true);
    assert_string_equal("1 c: one|2 c: two paused|3 c: three|", out);
}

static void test_a_turn_of_which_nothing_was_heard_was_not_said(void **state)
{
    (void)state;
    place("a", "", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "Hello", false);
    transcript_cut(&t, RD_STR("a"), 0, 1000);
    place("u", "a", PROVIDER_CALLER);
    words("u", PROVIDER_CALLER, "hi", true);
    assert_string_equal("1 c: hi|", out);
}

static void test_words_that_never_come_hold_the_others_back_for_10_s(void **state)
{
    (void)state;
    place("u", "", PROVIDER_CALLER);
    place("a", "u", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "Yes.", true);
    transcript_heard(&t, RD_STR("a"));
    assert_int_equal(11000, transcript_deadline_ms(&t));
    transcript_flush(&t, 10999);
    assert_string_equal("", out);
    transcript_flush(&t, 11000);
    assert_string_equal("1 c: |2 a: Yes.|", out);
    assert_int_equal(1, t.forced);
}

static void test_what_the_agent_is_still_saying_is_never_late(void **state)
{
    (void)state;
    place("a", "", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "A very long story", true);
    assert_int_equal(0, transcript_deadline_ms(&t));
    transcript_flush(&t, 90000);
    assert_string_equal("", out);
}

static void test_tools_keep_their_place_but_say_nothing(void **state)
{
    (void)state;
    place("u", "", PROVIDER_CALLER);
    place("f", "u", PROVIDER_TOOL);
    place("a", "f", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "Booked.", true);
    transcript_heard(&t, RD_STR("a"));
    words("u", PROVIDER_CALLER, "Book it", true);
    assert_string_equal("1 c: Book it|2 a: Booked.|", out);
}

static void test_a_65th_open_slot_lets_the_oldest_out_as_it_is(void **state)
{
    char id[8];

    (void)state;
    for (int i = 0; i < TRANSCRIPT_SLOTS + 1; i++) {
        (void)snprintf(id, sizeof(id), "u%d", i);
        place(id, "", PROVIDER_CALLER);
    }
    assert_string_equal("1 c: |", out);
    assert_int_equal(TRANSCRIPT_SLOTS, t.n);
}

static void test_the_end_lets_everything_out_in_order(void **state)
{
    (void)state;
    place("u", "", PROVIDER_CALLER);
    place("a", "u", PROVIDER_AGENT);
    words("a", PROVIDER_AGENT, "Good", false);
    transcript_finish(&t);
    assert_string_equal("1 c: |2 a: Good|", out);
}

#define STORY(s) cmocka_unit_test_setup_teardown(s, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_an_answer_waits_for_the_question_it_answers),
        STORY(test_an_item_placed_late_goes_behind_the_one_it_names),
        STORY(test_an_interrupted_turn_keeps_the_words_that_were_heard),
        STORY(test_final_words_behind_a_cut_are_what_was_said_while_the_turn_waits),
        STORY(test_a_turn_heard_to_its_end_was_not_said_otherwise),
        STORY(test_turns_that_take_their_place_in_a_pause_are_marked),
        STORY(test_a_turn_of_which_nothing_was_heard_was_not_said),
        STORY(test_words_that_never_come_hold_the_others_back_for_10_s),
        STORY(test_what_the_agent_is_still_saying_is_never_late),
        STORY(test_tools_keep_their_place_but_say_nothing),
        STORY(test_a_65th_open_slot_lets_the_oldest_out_as_it_is),
        STORY(test_the_end_lets_everything_out_in_order),
    };

    return cmocka_run_group_tests_name("transcript", tests, NULL, NULL);
}
