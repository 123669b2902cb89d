/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void assert_text(struct rd_str s, const char *expected)
{
    assert_int_equal(s.n, strlen(expected));
    assert_memory_equal(s.p, expected, s.n);
}

static void test_it_tells_what_was_said_and_done_in_order(void **state)
{
    struct history *h = history_new();
    struct history_item it;

    (void)state;
    history_add_turn(h, HISTORY_CALLER, RD_STR("is Ann there"));
    history_add_tool(h, RD_STR("call_1"), RD_STR("find"), RD_STR("{\"who\":\"Ann\"}"));
    history_add_turn(h, HISTORY_AGENT, RD_STR("one moment"));
    history_add_turn(h, HISTORY_AGENT, RD_STR(""));
    assert_int_equal(history_tool_output(h, RD_STR("call_1"), RD_STR("{\"there\":true}")), 0);
    assert_int_equal(history_count(h), 3);
    it = history_at(h, 1);
    assert_int_equal(it.kind, HISTORY_TOOL);
    assert_true(it.has_output);
    assert_text(it.name, "find");
    assert_text(it.text, "{\"who\":\"Ann\"}");
    assert_text(it.output, "{\"there\":true}");
    assert_text(history_at(h, 2).text, "one moment");
    assert_int_equal(history_tool_output(h, RD_STR("call_2"), RD_STR("x")), RD_EGONE);
    history_free(h);
}

static void test_a_tool_runs_until_its_output_is_told(void **state)
{
    struct history *h = history_new();
    struct history_item it;

    (void)state;
    history_add_tool(h, RD_STR("a"), RD_STR("book"), RD_STR("{}"));
    history_add_tool(h, RD_STR("b"), RD_STR("find"), RD_STR("{}"));
    history_tool_output(h, RD_STR("b"), RD_STR("yes"));
    assert_true(history_find_tool(h, RD_STR("a"), &it));
    assert_false(it.has_output);
    assert_true(history_at(h, 1).has_output);
    assert_false(history_find_tool(h, RD_STR("c"), &it));
    history_free(h);
}

static void test_the_oldest_leave_when_there_are_too_many(void **state)
{
    struct history *h = history_new();
    char text[16];

    (void)state;
    for (int i = 0; i < 3 * HISTORY_ITEMS; i++) {
        snprintf(text, sizeof(text), "turn %d", i);
        assert_int_equal(history_add_turn(h, HISTORY_CALLER, rd_str(text)), 0);
    }
    assert_int_equal(history_count(h), HISTORY_ITEMS);
    assert_text(history_at(h, 0).text, "turn 400");
    assert_text(history_at(h, HISTORY_ITEMS - 1).text, "turn 599");
    history_free(h);
}

static void test_the_oldest_leave_when_they_are_too_long(void **state)
{
    static char text[3 * HISTORY_TEXT_MAX];
    struct history *h = history_new();
    size_t n_bytes = 0;

    (void)state;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i + 1 < sizeof(text); i += 2) /* two bytes each: none may be halved */
        memcpy(&text[i], "\xc3\xa9", 2);
    history_add_turn(h, HISTORY_CALLER, RD_STR("first"));
    for (int i = 0; i < 6; i++)
        history_add_turn(h, HISTORY_AGENT, (struct rd_str){text + 1, sizeof(text) - 1});
    history_add_tool(h, RD_STR("a"), RD_STR("book"), RD_STR("{}"));
    history_tool_output(h, RD_STR("a"), (struct rd_str){text, sizeof(text)});
    for (size_t i = 0; i < history_count(h); i++) {
        struct history_item it = history_at(h, i);

        assert_true(it.text.n <= HISTORY_TEXT_MAX && it.output.n <= HISTORY_TEXT_MAX);
        n_bytes += it.text.n + it.output.n;
    }
    assert_in_range(n_bytes, HISTORY_BYTES / 2, HISTORY_BYTES);
    assert_int_equal(history_at(h, history_count(h) - 1).output.n, HISTORY_TEXT_MAX);
    assert_int_equal(history_at(h, 0).text.n, HISTORY_TEXT_MAX - 1);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_it_tells_what_was_said_and_done_in_order),
        cmocka_unit_test(test_a_tool_runs_until_its_output_is_told),
        cmocka_unit_test(test_the_oldest_leave_when_there_are_too_many),
        cmocka_unit_test(test_the_oldest_leave_when_they_are_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
