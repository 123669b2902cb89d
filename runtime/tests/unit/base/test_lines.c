/* SPDX-License-Identifier: Apache-2.0 */
#include "base/lines.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_a_name_has_the_value_of_its_line(void **state)
{
    static const char lines[] = "A=1\nAB=x=y\nEMPTY=\nlast=z";

    (void)state;
    assert_true(rd_str_eq(lines_find(lines, RD_STR("A")), RD_STR("1")));
    assert_true(rd_str_eq(lines_find(lines, RD_STR("AB")), RD_STR("x=y")));
    assert_true(rd_str_eq(lines_find(lines, RD_STR("last")), RD_STR("z")));
    assert_non_null(lines_find(lines, RD_STR("EMPTY")).p);
    assert_null(lines_find(lines, RD_STR("B")).p);
    assert_null(lines_find("", RD_STR("A")).p);
    assert_null(lines_find(NULL, RD_STR("A")).p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_has_the_value_of_its_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
