/* SPDX-License-Identifier: Apache-2.0 */
/* Records as people read them: two columns, and nothing a terminal would obey. */
#include "cli/transcript.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct transcript plain = {.width = 75}; /* columns of 30 */

static void assert_lines(const struct transcript *t, const char *json, const char *lines)
{
    struct json_value event;
    struct buf out;

    assert_int_equal(0, json_parse(rd_str(json), &event));
    buf_init(&out, 1 << 20);
    assert_int_equal(0, transcript_add(t, &event, &out));
    assert_string_equal(lines, buf_text(&out));
    buf_fini(&out);
}

static void test_the_caller_is_left_and_the_agent_right(void **state)
{
    (void)state;
    assert_lines(&plain,
                 "{\"type\":\"turn\",\"call\":\"CA00e1f3\",\"at_ms\":64100,\"role\":\"caller\","
                 "\"text\":\"Hello there.\"}",
                 " 1:04 e1f3  Hello there.\n");
    assert_lines(&plain,
                 "{\"type\":\"turn\",\"call\":\"CA00e1f3\",\"at_ms\":5000,\"role\":\"agent\","
                 "\"text\":\"How can I help?\",\"interrupted\":true}",
                 " 0:05 e1f3                                   How can I help? --\n");
}

static void test_long_words_wrap_between_words_and_letters_count_not_bytes(void **state)
{
    (void)state;
    assert_lines(&plain,
                 "{\"type\":\"turn\",\"call\":\"CAe1f3\",\"at_ms\":0,\"role\":\"caller\",\"text\":"
                 "\"I would like to book a visit for ma\\u00f1ana, if you please\"}",
                 " 0:00 e1f3  I would like to book a visit\n"
                 "            for ma\xc3\xb1"
                 "ana, if you please\n");
    assert_lines(&plain,
                 "{\"type\":\"turn\",\"call\":\"CAe1f3\",\"role\":\"caller\",\"text\":"
                 "\"0123456789012345678901234567890123456789\"}",
                 " 0:00 e1f3  012345678901234567890123456789\n"
                 "            0123456789\n");
}

static void test_what_was_done_stands_between(void **state)
{
    (void)state;
    assert_lines(&plain,
                 "{\"type\":\"tool\",\"call\":\"CAe1f3\",\"at_ms\":1000,\"id\":\"c1\",\"name\":"
                 "\"book_visit\",\"arguments\":\"{\\\"zip\\\":1}\",\"done\":false}",
                 " 0:01 e1f3                 -- tool book_visit {\"zip\":1} --\n");
    assert_lines(&plain,
                 "{\"type\":\"barge_in\",\"call\":\"CAe1f3\",\"at_ms\":1000,\"heard_ms\":400}",
                 " 0:01 e1f3                 -- caller cuts in after 400 ms were heard --\n");
    assert_lines(&plain,
                 "{\"type\":\"ended\",\"call\":\"CAe1f3\",\"at_ms\":61000,\"reason\":"
                 "\"agent_hangup\",\"turns\":4}",
                 " 1:01 e1f3                 -- ended: agent_hangup --\n");
}

static void test_what_operators_did_stands_in_the_middle(void **state)
{
    (void)state;
    assert_lines(&plain,
                 "{\"type\":\"operator\",\"call\":\"CAe1f3\",\"at_ms\":1000,\"action\":"
                 "\"transfer\",\"detail\":\"office\",\"who\":\"control socket uid 0\"}",
                 " 0:01 e1f3                 -- operator: transfer office --\n");
    assert_lines(&plain,
                 "{\"type\":\"transfer\",\"call\":\"CAe1f3\",\"at_ms\":1000,\"whom\":\"office\","
                 "\"state\":\"asked\"}",
                 " 0:01 e1f3                 -- transfer asked office --\n");
    assert_lines(&plain,
                 "{\"type\":\"transfer\",\"call\":\"CAe1f3\",\"at_ms\":1000,\"whom\":\"office\","
                 "\"state\":\"refused\",\"why\":\"no office\"}",
                 " 0:01 e1f3                 -- transfer refused no office --\n");
}

static void test_the_end_is_told_once(void **state)
{
    (void)state;
    assert_lines(&plain, "{\"type\":\"state\",\"call\":\"CAe1f3\",\"state\":\"ended\"}", "");
    assert_lines(&plain, "{\"type\":\"state\",\"call\":\"CAe1f3\",\"at_ms\":0,\"state\":\"live\"}",
                 " 0:00 e1f3                 -- live --\n");
}

static void test_control_characters_never_reach_the_terminal(void **state)
{
    (void)state;
    assert_lines(&plain,
                 "{\"type\":\"turn\",\"call\":\"CAe1f3\",\"role\":\"caller\",\"text\":"
                 "\"a\\u001b[2Jb\\u009bc\\u0007\\u007f\"}",
                 " 0:00 e1f3  a [2Jbc  \n");
}

static void test_colour_is_put_around_the_words_only(void **state)
{
    const struct transcript colour = {.width = 75, .colour = true};

    (void)state;
    assert_lines(&colour,
                 "{\"type\":\"turn\",\"call\":\"CAe1f3\",\"role\":\"caller\",\"text\":\"Hi\"}",
                 " 0:00 e1f3  \033[36mHi\033[0m\n");
}

static void test_unknown_kinds_and_strange_members_print_nothing_strange(void **state)
{
    (void)state;
    assert_lines(&plain, "{\"type\":\"usage\",\"call\":\"CAe1f3\"}", "");
    assert_lines(&plain, "{}", "");
    assert_lines(&plain, "{\"type\":\"turn\",\"call\":7,\"at_ms\":\"x\",\"text\":null}", "");
    assert_lines(&plain, "{\"type\":\"turn\",\"text\":\"\\ud800\",\"role\":5}",
                 " 0:00       \xef\xbf\xbd\n");
}

static void test_a_narrow_terminal_still_has_columns(void **state)
{
    const struct transcript narrow = {.width = 1};

    (void)state;
    assert_lines(
        &narrow,
        "{\"type\":\"turn\",\"call\":\"CAe1f3\",\"role\":\"agent\",\"text\":\"one two three "
        "four\"}",
        " 0:00 e1f3                 one two\n"
        "                           three four\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_caller_is_left_and_the_agent_right),
        cmocka_unit_test(test_long_words_wrap_between_words_and_letters_count_not_bytes),
        cmocka_unit_test(test_what_was_done_stands_between),
        cmocka_unit_test(test_what_operators_did_stands_in_the_middle),
        cmocka_unit_test(test_the_end_is_told_once),
        cmocka_unit_test(test_control_characters_never_reach_the_terminal),
        cmocka_unit_test(test_colour_is_put_around_the_words_only),
        cmocka_unit_test(test_unknown_kinds_and_strange_members_print_nothing_strange),
        cmocka_unit_test(test_a_narrow_terminal_still_has_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
