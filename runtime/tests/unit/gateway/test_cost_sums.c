/* SPDX-License-Identifier: Apache-2.0 */
/* What calls cost reaches the counters once, grows only, and nothing of it is left out. */
#include "gateway/cost_sums.h"
#include "observe/metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static int clean(void **state)
{
    metrics_reset();
    *state = calloc(1, sizeof(struct cost_sums));
    return *state ? 0 : -1;
}

static int drop(void **state)
{
    free(*state);
    return 0;
}

static int add_up(void *arg, const struct metric_series *s)
{
    uint64_t *sum = arg;

    *sum += s->value;
    return 0;
}

static uint64_t shown(void)
{
    uint64_t sum = 0;

    (void)metric_each(F_COST_MICRO_USD, add_up, &sum);
    return sum;
}

static void add(struct cost_sums *c, const char *agent, uint64_t settled, uint64_t open)
{
    cost_sums_add(c, rd_str(agent), RD_STR("openai"), settled, open);
}

static void test_what_is_open_counts_once_and_then_settles(void **state)
{
    struct cost_sums *c = *state;

    cost_sums_begin(c);
    add(c, "plumber", 0, 700);
    cost_sums_show(c);
    assert_int_equal(shown(), 700);
    cost_sums_begin(c);
    add(c, "plumber", 0, 900);
    cost_sums_show(c);
    assert_int_equal(shown(), 900);
    cost_sums_begin(c);
    add(c, "plumber", 600, 200); /* the bill says less: it does not fall */
    cost_sums_show(c);
    assert_int_equal(shown(), 900);
    cost_sums_begin(c); /* nothing is open any more */
    add(c, "plumber", 500, 0);
    cost_sums_show(c);
    assert_int_equal(shown(), 1100);
}

static void test_agents_without_a_place_share_one_and_no_money_is_lost(void **state)
{
    struct cost_sums *c = *state;
    char agent[16];

    for (int round = 1; round <= 2; round++) {
        cost_sums_begin(c);
        for (int i = 0; i < COST_SUMS + 50; i++) {
            (void)snprintf(agent, sizeof(agent), "a%d", i);
            add(c, agent, 10, 1);
        }
        cost_sums_show(c);
        assert_int_equal(shown(), (COST_SUMS + 50) * (10 * round + 1));
    }
    assert_int_equal(c->n, COST_SUMS - COST_OTHERS + 1);
    assert_string_equal(c->sums[c->n - 1].agent, "other");
    for (int i = 0; i < 10; i++) { /* more systems than places */
        (void)snprintf(agent, sizeof(agent), "s%d", i);
        cost_sums_add(c, RD_STR("new"), rd_str(agent), 1, 0);
    }
    cost_sums_show(c);
    assert_int_equal(c->n, COST_SUMS);
    assert_int_equal(shown(), (COST_SUMS + 50) * 21 + 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_is_open_counts_once_and_then_settles, clean,
                                        drop),
        cmocka_unit_test_setup_teardown(test_agents_without_a_place_share_one_and_no_money_is_lost,
                                        clean, drop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
