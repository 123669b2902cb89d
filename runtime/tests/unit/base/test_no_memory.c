/* SPDX-License-Identifier: Apache-2.0 */
/* Words on their way through buffers, JSON, redaction and the log, with each allocation failing: what says that it
 * went well went well, the rest says -ENOMEM. */
#include "failing_malloc.h"

#include "base/history.h"
#include "base/json.h"
#include "base/json_out.h"
#include "base/log_line.h"
#include "base/redact.h"
#include "base/scrub.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#define WORDS "my card is 4111 1111 1111 1111 \\u00fc, call +13125550142 or ann@example.com"

static const char json[] = "{\"text\":\"" WORDS "\",\"list\":[1,{\"ssn\":\"123-45-6789\"}]}";

static bool went_well(int rc)
{
    assert_true(rc == 0 || (rc == -ENOMEM && failing_has_failed()));
    return rc == 0;
}

static void has_no_card(const struct buf *b)
{
    assert_true(b->n > 0);
    assert_null(memmem(b->data, b->n, "4111", 4));
}

static void words(void)
{
    struct json_value root, text;
    struct buf out;

    buf_init(&out, 1 << 16);
    assert_int_equal(json_parse(rd_str(json), &root), 0);
    text = json_get(&root, "text");
    (void)went_well(json_unescape(&text, &out));
    buf_clear(&out);
    if (went_well(redact_text(&out, rd_str(WORDS))))
        has_no_card(&out);
    buf_clear(&out);
    if (went_well(redact_json(&out, rd_str(json)))) {
        has_no_card(&out);
        assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &root), 0);
    }
    buf_clear(&out);
    if (went_well(scrub_text(&out, rd_str(WORDS))))
        assert_null(memmem(out.data, out.n, "5550142", 7));
    buf_clear(&out);
    (void)went_well(json_add_object(&out, JSON_MEMBERS(J_STR("a", WORDS), J_INT("b", 1))));
    buf_fini(&out);
}

static void line(void)
{
    const struct log_field fields[] = {F_CALL("CA1"), F_STR("why", WORDS),
                                       F_PHONE("from", "+13125550142"), F_RAISED("raised", WORDS)};
    const struct log_fact fact = {LOG_WARN, "call.lost", 1, fields,
                                  sizeof(fields) / sizeof(fields[0])};
    struct buf out;

    buf_init(&out, LOG_LINE_MAX);
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        buf_clear(&out);
        if (went_well(log_line(&out, (enum log_format)format, &fact))) {
            assert_int_equal(out.data[out.n - 1], '\n');
            assert_null(memmem(out.data, out.n, "4111", 4));
        }
    }
    buf_fini(&out);
}

static void past(void)
{
    struct history *h = history_new();
    struct history_item tool;

    if (!h)
        return;
    for (int i = 0; i < 3; i++)
        (void)went_well(history_add_turn(h, HISTORY_CALLER, rd_str(WORDS)));
    if (went_well(history_add_tool(h, RD_STR("t1"), RD_STR("hours"), RD_STR("{}")))) {
        bool done = went_well(history_tool_output(h, RD_STR("t1"), RD_STR("nine")));

        assert_true(history_find_tool(h, RD_STR("t1"), &tool));
        assert_int_equal(tool.has_output, done);
    }
    history_free(h);
}

static void sweep(failing_story *story)
{
    assert_in_range(failing_sweep(story, FAILS_ONCE), 1, 1000);
    assert_in_range(failing_sweep(story, FAILS_FROM_THEN_ON), 1, 1000);
}

static void test_words_are_whole_or_told_missing(void **state)
{
    (void)state;
    sweep(words);
}

static void test_a_line_of_the_log_is_whole_or_told_missing(void **state)
{
    (void)state;
    sweep(line);
}

static void test_a_past_holds_what_it_took(void **state)
{
    (void)state;
    sweep(past);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_are_whole_or_told_missing),
        cmocka_unit_test(test_a_line_of_the_log_is_whole_or_told_missing),
        cmocka_unit_test(test_a_past_holds_what_it_took),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
