/* SPDX-License-Identifier: Apache-2.0 */
/* What the gateway reads and writes, with each allocation failing: calls are admitted or not, records are whole, a release or
 * a copy is the same one or none. */
#include "failing_malloc.h"

#include "agent/tree.h"
#include "base/err.h"
#include "base/json.h"
#include "gateway/directory.h"
#include "gateway/numbers_copy.h"
#include "gateway/record_json.h"
#include "gateway/vapi/message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void record(void)
{
    static const struct call_totals totals;
    struct directory_view call = {.sid = "CA1", .from = "+13125550142", .agent = "sales"};
    const struct record r = {.type = RECORD_TURN,
                             .role = PROVIDER_CALLER,
                             .text = RD_STR("my card is 4111 1111 1111 1111"),
                             .totals = &totals};
    struct json_value v;
    struct buf out;
    int rc;

    buf_init(&out, 1 << 20);
    rc = record_json(&out, &call, &r);
    assert_true(rc == 0 || (rc == -ENOMEM && failing_has_failed()));
    if (rc == 0) {
        assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &v), 0);
        assert_null(memmem(out.data, out.n, "4111", 4));
    }
    buf_fini(&out);
}

static void message(void)
{
    static const char body[] =
        "{\"message\":{\"type\":\"tool-calls\",\"call\":{\"id\":\"8f2c1d7e-1111-4222-8333-"
        "444455556666\","
        "\"phoneCallProviderId\":\"CA00000000000000000000000000000001\"},\"toolCallList\":[{\"id\":"
        "\"t1\","
        "\"function\":{\"name\":\"hours\",\"arguments\":{\"day\":\"mon\"}}}]}}";
    struct vapi_message m;
    struct buf out;

    if (vapi_message_read(&m, rd_str(body)))
        return;
    buf_init(&out, 1 << 20);
    (void)vapi_message_ask(&m, &out);
    buf_clear(&out);
    (void)vapi_message_failed(&m, "late", &out);
    buf_fini(&out);
}

static void release(void)
{
    struct tree *t = NULL, *again = NULL;
    char why[256];
    struct buf out;

    buf_init(&out, 1 << 20);
    if (tree_from_json(&t, RD_STR("{\"a.lua\":\"return 1\",\"lib/b.lua\":\"return 2\"}"), why,
                       sizeof(why)) == 0) {
        assert_int_equal(tree_count(t), 2);
        if (tree_to_json(t, &out, why, sizeof(why)) == 0 &&
            tree_from_json(&again, (struct rd_str){out.data, out.n}, why, sizeof(why)) == 0)
            assert_string_equal(tree_hash(t), tree_hash(again));
    } else {
        assert_true(failing_has_failed());
    }
    tree_unref(again);
    tree_unref(t);
    buf_fini(&out);
}

static void cell(struct answer *a, const char *text)
{
    int32_t n = (int32_t)strlen(text);

    a->cells.data = realloc(a->cells.data, a->cells.n + sizeof(n) + (size_t)n);
    assert_non_null(a->cells.data);
    memcpy(a->cells.data + a->cells.n, &n, sizeof(n));
    memcpy(a->cells.data + a->cells.n + sizeof(n), text, (size_t)n);
    a->cells.n += sizeof(n) + (size_t)n;
}

static void numbers(void)
{
    static const char *const cells[] = {"7", "s", "lake",         "sales", "{}",
                                        "7", "n", "+13125550100", "sales", "lake"};
    struct answer *a = calloc(1, sizeof(*a));
    struct rd_str agent, site;
    struct numbers_copy *c;

    assert_non_null(a);
    for (size_t i = 0; i < sizeof(cells) / sizeof(cells[0]); i++)
        cell(a, cells[i]);
    a->n_columns = NUMBERS_COLUMNS;
    a->n_rows = 2;
    if (numbers_copy_new(&c, a)) {
        assert_true(failing_has_failed());
        return;
    }
    assert_true(numbers_copy_find(c, RD_STR("+13125550100"), &agent, &site));
    assert_true(rd_str_eq(agent, RD_STR("sales")));
    numbers_copy_unref(c);
}

static void sweep(failing_story *story)
{
    assert_in_range(failing_sweep(story, FAILS_ONCE), 1, 1000);
    assert_in_range(failing_sweep(story, FAILS_FROM_THEN_ON), 1, 1000);
}

static void test_a_record_is_whole_or_not_made(void **state)
{
    (void)state;
    sweep(record);
}

static void test_a_message_of_vapi_is_read_or_not(void **state)
{
    (void)state;
    sweep(message);
}

static void test_a_release_is_the_same_one_or_none(void **state)
{
    (void)state;
    sweep(release);
}

static void test_numbers_are_all_there_or_none(void **state)
{
    (void)state;
    sweep(numbers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_record_is_whole_or_not_made),
        cmocka_unit_test(test_a_message_of_vapi_is_read_or_not),
        cmocka_unit_test(test_a_release_is_the_same_one_or_none),
        cmocka_unit_test(test_numbers_are_all_there_or_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
