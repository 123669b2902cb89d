/* SPDX-License-Identifier: Apache-2.0 */
/* Orders to the model's double, as they stand in a request line. */
#include "sim/openai/control.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_each_order_has_its_moment_and_its_code(void **state)
{
    struct openai_order o;

    (void)state;
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/drop?pick=370")));
    assert_int_equal(MOMENT_NOW, o.moment);
    assert_int_equal(0, o.code);
    assert_int_equal(370, o.pick);
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/1011-in-answer")));
    assert_int_equal(MOMENT_ANSWER, o.moment);
    assert_int_equal(1011, o.code);
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/drop-in-tool")));
    assert_int_equal(MOMENT_TOOL, o.moment);
    assert_int_equal(0, o.pick);
}

static void test_a_fault_holds_for_who_connects_in_a_while(void **state)
{
    struct openai_order o;

    (void)state;
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/fault/503?ms=1500")));
    assert_int_equal(MOMENT_DOOR, o.moment);
    assert_int_equal(FAULT_REFUSE, o.misery.fault);
    assert_int_equal(503, o.misery.status);
    assert_int_equal(1500, o.for_ms);
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/fault/slow-900ms")));
    assert_int_equal(FAULT_SLOW, o.misery.fault);
    assert_int_equal(900, o.misery.after_ms);
    assert_true(o.for_ms > 0);
    assert_int_equal(404, openai_control_read(&o, RD_STR("/control/fault/no-such")));
}

static void test_what_is_no_order_is_not_found(void **state)
{
    struct openai_order o;

    (void)state;
    assert_int_equal(404, openai_control_read(&o, RD_STR("/control/")));
    assert_int_equal(404, openai_control_read(&o, RD_STR("/control/drop-everything")));
    assert_int_equal(404, openai_control_read(&o, RD_STR("")));
    assert_int_equal(0, openai_control_read(&o, RD_STR("/control/drop?pick=5000")));
    assert_true(o.pick < 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_order_has_its_moment_and_its_code),
        cmocka_unit_test(test_a_fault_holds_for_who_connects_in_a_while),
        cmocka_unit_test(test_what_is_no_order_is_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
