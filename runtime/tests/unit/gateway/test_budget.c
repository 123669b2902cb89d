/* SPDX-License-Identifier: Apache-2.0 */
/* Who may cost no more today, as the database says: until that day is over, and nobody else. */
#include "base/err.h"
#include "gateway/budget_copy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add_row(struct answer *a, const char *const cells[BUDGET_COLUMNS])
{
    for (int i = 0; i < BUDGET_COLUMNS; i++) {
        int32_t n = cells[i] ? (int32_t)strlen(cells[i]) : -1;

        assert_int_equal(buf_add(&a->cells, &n, sizeof(n)), 0);
        if (cells[i])
            assert_int_equal(buf_add_str(&a->cells, cells[i]), 0);
    }
    a->n_rows++;
}

static struct answer *new_answer(void)
{
    struct answer *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->n_columns = BUDGET_COLUMNS;
    buf_init(&a->cells, 1 << 16);
    return a;
}

static void test_an_agent_is_spent_until_its_day_is_over(void **state)
{
    struct answer *a = new_answer();
    struct followed *f = NULL;

    (void)state;
    add_row(a, (const char *[]){"3", "a", "plumber", "1000"});
    add_row(a, (const char *[]){"3", "c", "CA1", NULL});
    assert_int_equal(budget_copy_new(&f, a), 0);
    assert_true(budget_copy_is_spent(f, RD_STR("plumber"), 999));
    assert_false(budget_copy_is_spent(f, RD_STR("plumber"), 1000));
    assert_false(budget_copy_is_spent(f, RD_STR("dentist"), 999));
    assert_int_equal(budget_copy_calls(f), 1);
    assert_true(rd_str_eq(budget_copy_call(f, 0), RD_STR("CA1")));
    assert_int_equal(f->version, 3);
    followed_unref(f);
}

static void test_all_together_is_everybody(void **state)
{
    struct answer *a = new_answer();
    struct followed *f = NULL;

    (void)state;
    add_row(a, (const char *[]){"3", "a", "*", "1000"});
    assert_int_equal(budget_copy_new(&f, a), 0);
    assert_true(budget_copy_is_spent(f, RD_STR("dentist"), 1));
    assert_false(budget_copy_is_spent(f, RD_STR("dentist"), 2000));
    followed_unref(f);
}

static void test_nothing_known_refuses_nobody(void **state)
{
    struct answer *a = new_answer();
    struct followed *f = NULL;

    (void)state;
    assert_false(budget_copy_is_spent(NULL, RD_STR("plumber"), 1));
    assert_int_equal(budget_copy_calls(NULL), 0);
    add_row(a, (const char *[]){"9", NULL, NULL, NULL});
    assert_int_equal(budget_copy_new(&f, a), 0);
    assert_false(budget_copy_is_spent(f, RD_STR("plumber"), 1));
    followed_unref(f);
}

static void test_an_answer_that_is_none_is_refused(void **state)
{
    static const char *const wrong[][BUDGET_COLUMNS] = {
        {"1", "x", "plumber", "5"}, {"1", "a", "plumber", NULL}, {"1", "a", NULL, "5"}};

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct answer *a = new_answer();
        struct followed *f = NULL;

        add_row(a, wrong[i]);
        assert_int_equal(budget_copy_new(&f, a), RD_EPROTO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_agent_is_spent_until_its_day_is_over),
        cmocka_unit_test(test_all_together_is_everybody),
        cmocka_unit_test(test_nothing_known_refuses_nobody),
        cmocka_unit_test(test_an_answer_that_is_none_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
