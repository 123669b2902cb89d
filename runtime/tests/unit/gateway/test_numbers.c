/* SPDX-License-Identifier: Apache-2.0 */
/* What numbers are assigned to: found, kept in a file, and read back only when it is ours. */
#include "base/err.h"
#include "gateway/numbers_copy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char path[64];

static void add_cell(struct answer *a, const char *text)
{
    int32_t n = text ? (int32_t)strlen(text) : -1;

    assert_int_equal(buf_add(&a->cells, &n, sizeof(n)), 0);
    if (text)
        assert_int_equal(buf_add_str(&a->cells, text), 0);
}

static void add_row(struct answer *a, const char *const cells[NUMBERS_COLUMNS])
{
    for (int i = 0; i < NUMBERS_COLUMNS; i++)
        add_cell(a, cells[i]);
    a->n_rows++;
}

static struct answer *new_answer(void)
{
    struct answer *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->n_columns = NUMBERS_COLUMNS;
    buf_init(&a->cells, 1 << 20);
    return a;
}

static struct numbers_copy *two_numbers(void)
{
    struct answer *a = new_answer();
    struct numbers_copy *c = NULL;

    add_row(a, (const char *[]){"7", "s", "lakeview", "plumber", "{\"id\":\"lakeview\"}"});
    add_row(a, (const char *[]){"7", "s", "lakeview", "dentist", "{\"id\":\"other\"}"});
    add_row(a, (const char *[]){"7", "n", "+13125550105", "plumber", "lakeview"});
    add_row(a, (const char *[]){"7", "n", "+13125550100", "dentist", NULL});
    assert_int_equal(numbers_copy_new(&c, a), 0);
    return c;
}

static void expect(const struct numbers_copy *c, const char *number, const char *agent,
                   const char *site)
{
    struct rd_str found = {NULL, 0}, facts = {NULL, 0};

    assert_true(numbers_copy_find(c, rd_str(number), &found, &facts));
    assert_true(rd_str_eq(found, rd_str(agent)));
    assert_true(rd_str_eq(facts, rd_str(site)));
}

static void test_a_number_has_its_agent_and_that_agents_site(void **state)
{
    struct numbers_copy *c = two_numbers();
    struct rd_str agent, site;

    (void)state;
    expect(c, "+13125550105", "plumber", "{\"id\":\"lakeview\"}");
    expect(c, "+13125550100", "dentist", "");
    assert_false(numbers_copy_find(c, RD_STR("+1312555010"), &agent, &site));
    assert_false(numbers_copy_find(c, RD_STR(""), &agent, &site));
    assert_int_equal(numbers_copy_version(c), 7);
    numbers_copy_unref(c);
}

static void test_nothing_assigned_is_a_state_too(void **state)
{
    struct answer *a = new_answer();
    struct numbers_copy *c = NULL;
    struct rd_str agent, site;

    (void)state;
    add_row(a, (const char *[]){"3", NULL, NULL, NULL, NULL});
    assert_int_equal(numbers_copy_new(&c, a), 0);
    assert_int_equal(numbers_copy_version(c), 3);
    assert_false(numbers_copy_find(c, RD_STR("+13125550105"), &agent, &site));
    numbers_copy_unref(c);
}

static void test_rows_that_make_no_sense_are_refused(void **state)
{
    struct answer *a = new_answer();
    struct numbers_copy *c = NULL;

    (void)state;
    add_row(a, (const char *[]){"3", "n", "+13125550105", NULL, NULL});
    assert_int_equal(numbers_copy_new(&c, a), RD_EPROTO);
    a = new_answer();
    add_row(a, (const char *[]){"3", "n", "+13125550105", "plumber", NULL});
    add_row(a, (const char *[]){"3", "s", "late", "plumber", "{}"});
    assert_int_equal(numbers_copy_new(&c, a), RD_EPROTO);
    a = new_answer();
    a->n_columns = 2;
    assert_int_equal(numbers_copy_new(&c, a), RD_EPROTO);
}

static void test_the_file_gives_back_what_was_saved(void **state)
{
    struct numbers_copy *c = two_numbers(), *again = NULL;

    (void)state;
    assert_int_equal(numbers_copy_load(&again, path, "secret"), -ENOENT);
    assert_int_equal(numbers_copy_save(c, path, "secret"), 0);
    numbers_copy_unref(c);
    assert_int_equal(numbers_copy_load(&again, path, "secret"), 0);
    expect(again, "+13125550105", "plumber", "{\"id\":\"lakeview\"}");
    assert_int_equal(numbers_copy_version(again), 7);
    numbers_copy_unref(again);
}

/* Whatever byte is changed, and wherever it ends. */
static void test_a_file_that_is_damaged_or_foreign_is_not_read(void **state)
{
    struct numbers_copy *c = two_numbers(), *again = NULL;
    char bytes[4096];
    size_t n;
    FILE *f;

    (void)state;
    assert_int_equal(numbers_copy_save(c, path, "secret"), 0);
    numbers_copy_unref(c);
    assert_int_equal(numbers_copy_load(&again, path, "another"), RD_EAUTH);
    f = fopen(path, "re");
    assert_non_null(f);
    n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    for (size_t i = 0; i < 2 * n; i++) {
        f = fopen(path, "we");
        assert_non_null(f);
        if (i < n)
            bytes[i] ^= 0x20;
        fwrite(bytes, 1, i < n ? n : i - n, f);
        fclose(f);
        if (i < n)
            bytes[i] ^= 0x20;
        assert_int_not_equal(numbers_copy_load(&again, path, "secret"), 0);
    }
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/ringdown-numbers.%d", (int)getpid());
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_number_has_its_agent_and_that_agents_site),
        cmocka_unit_test(test_nothing_assigned_is_a_state_too),
        cmocka_unit_test(test_rows_that_make_no_sense_are_refused),
        cmocka_unit_test_setup_teardown(test_the_file_gives_back_what_was_saved, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_damaged_or_foreign_is_not_read, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
