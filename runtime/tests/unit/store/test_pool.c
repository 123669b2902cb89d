/* SPDX-License-Identifier: Apache-2.0 */
/* A few connections for many: lent, given back, broken, and a server that comes and goes. */
#include "base/err.h"
#include "store/pool.h"
#include "unit/store/fake_cluster.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake_cluster server;
static struct pool *pool;
static char why[512];

static struct pg *take(void)
{
    struct pg *pg = NULL;
    int rc = pool_take(pool, 5000, &pg, why, sizeof(why));

    if (rc)
        fail_msg("%d: %s", rc, why);
    return pg;
}

static struct pool_gauges gauges(void)
{
    struct pool_gauges g;

    pool_gauges(pool, &g);
    return g;
}

static void ask(struct pg *pg, const char *sql)
{
    if (pg_query(pg, sql, 0, NULL) != 0)
        fail_msg("%s", pg_message(pg));
}

static void test_a_connection_is_lent_again_and_again(void **state)
{
    struct pg *a = take();

    (void)state;
    ask(a, "select 1");
    assert_int_equal(gauges().lent, 1);
    pool_give(pool, a);
    assert_ptr_equal(take(), a);
    pool_give(pool, a);
    assert_int_equal(gauges().opened, 1);
    assert_int_equal(gauges().open, 1);
    assert_int_equal(gauges().lent, 0);
}

static void test_when_all_are_lent_one_waits_as_long_as_one_said(void **state)
{
    struct pg *a = take(), *b = take(), *c = NULL;

    (void)state;
    assert_ptr_not_equal(a, b);
    assert_int_equal(pool_take(pool, 30, &c, why, sizeof(why)), RD_ELATE);
    assert_non_null(strstr(why, "all 2 connections"));
    assert_null(c);
    pool_give(pool, a);
    assert_ptr_equal(take(), a);
    pool_give(pool, a);
    pool_give(pool, b);
}

static void *give_later(void *arg)
{
    while (gauges().waiting == 0)
        usleep(1000);
    pool_give(pool, arg);
    return NULL;
}

static void test_who_waits_gets_what_is_given_back(void **state)
{
    struct pg *a = take(), *b = take();
    pthread_t t;

    (void)state;
    assert_int_equal(pthread_create(&t, NULL, give_later, b), 0);
    assert_ptr_equal(take(), b);
    pthread_join(t, NULL);
    pool_give(pool, a);
    pool_give(pool, b);
}

static void test_a_transaction_that_was_left_open_is_rolled_back(void **state)
{
    struct pg *a = take();

    (void)state;
    assert_int_equal(pg_script(a, "begin; create table left_open (n int)"), 0);
    pool_give(pool, a);
    a = take();
    ask(a, "select to_regclass('left_open')");
    assert_null(pg_text(a, 0, 0));
    pool_give(pool, a);
}

static void test_a_connection_that_broke_is_replaced(void **state)
{
    struct pg *a = take(), *b = take();
    char sql[80];
    uint64_t broken = gauges().broken;

    (void)state;
    ask(a, "select pg_backend_pid()");
    snprintf(sql, sizeof(sql), "select pg_terminate_backend(%s, 5000)", pg_text(a, 0, 0));
    pool_give(pool, a); /* it breaks while it lies idle */
    ask(b, sql);
    pool_give(pool, b);
    a = take();
    b = take();
    ask(a, "select 1");
    ask(b, "select 1");
    pool_give(pool, a);
    pool_give(pool, b);
    assert_int_equal(gauges().broken, broken + 1);
}

/* ---- from a loop ---- */

struct answer {
    struct loop *loop;
    int rc, calls;
    char text[64], why[256];
    pthread_t thread;
};

static void on_done(void *arg, int rc, const struct pg *result, const char *reason)
{
    struct answer *a = arg;
    const char *text = result && !rc ? pg_text(result, 0, 0) : NULL;

    a->rc = rc;
    a->calls++;
    a->thread = pthread_self();
    snprintf(a->text, sizeof(a->text), "%s", text ? text : result && rc ? pg_sqlstate(result) : "");
    snprintf(a->why, sizeof(a->why), "%s", reason);
}

static struct answer asked_on_a_loop(const char *sql, int n, const char *const *params)
{
    const struct pool_statement s = {.sql = sql, .params = params, .n_params = n};
    struct answer a = {.rc = 1};

    assert_int_equal(loop_new(&a.loop), 0);
    assert_int_equal(pool_query(pool, a.loop, &s, on_done, &a), 0);
    loop_run(a.loop);
    loop_free(a.loop);
    assert_int_equal(a.calls, 1);
    assert_true(pthread_equal(a.thread, pthread_self()));
    assert_int_equal(gauges().lent, 0);
    return a;
}

static void test_a_loop_asks_without_waiting(void **state)
{
    const char *const params[] = {"out of the blue", NULL};
    struct answer a = asked_on_a_loop("select coalesce($2, $1)", 2, params);

    (void)state;
    assert_int_equal(a.rc, 0);
    assert_string_equal(a.text, "out of the blue");
}

static void test_a_loop_is_told_what_the_server_refuses(void **state)
{
    struct answer a = asked_on_a_loop("select 1/0", 0, NULL);

    (void)state;
    assert_int_equal(a.rc, RD_EREFUSED);
    assert_string_equal(a.text, "22012");
    assert_non_null(strstr(a.why, "division by zero"));
}

/* ---- the server goes, and comes back ---- */

static void test_without_a_server_the_reason_comes_at_once_and_attempts_are_spaced(void **state)
{
    struct pg *pg = NULL;
    uint64_t before;
    struct answer a;

    (void)state;
    cluster_down(server.cluster);
    server.cluster = NULL;
    assert_int_equal(pool_take(pool, 0, &pg, why, sizeof(why)), -ECONNREFUSED);
    assert_non_null(strstr(why, "ringdown db up"));
    before = gauges().errors;
    assert_true(before > 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pool_take(pool, 0, &pg, why, sizeof(why)), -ECONNREFUSED);
    assert_in_range(gauges().errors, before, before + 2);
    a = asked_on_a_loop("select 1", 0, NULL);
    assert_int_equal(a.rc, -ECONNREFUSED);
    assert_non_null(strstr(a.why, "ringdown db up"));
    assert_non_null(strstr(gauges().last_error, "ringdown db up"));
    assert_int_equal(gauges().open, 0);
}

static void test_when_it_is_back_the_next_one_gets_through(void **state)
{
    struct pg *a;

    (void)state;
    fake_cluster_up(&server);
    a = take(); /* within its 5 s: no later than the next attempt */
    ask(a, "select 1");
    pool_give(pool, a);
    assert_string_equal(gauges().last_error, "");
}

static void test_pointed_elsewhere_it_leaves_the_old_server(void **state)
{
    struct pg *a = take(), *b = take();
    char other[PATH_MAX + 128];
    uint64_t opened = gauges().opened;

    (void)state;
    pool_give(pool, b);
    snprintf(other, sizeof(other), "%s", fake_cluster_conninfo(&server));
    assert_int_equal(pool_point(pool, other), 0);
    pool_give(pool, a); /* closed, for it leads to the old one */
    a = take();
    assert_int_equal(gauges().opened, opened + 1);
    assert_int_equal(gauges().open, 1);
    pool_give(pool, a);
}

static int begin(void **state)
{
    struct pool_opts o = {.max = 2};

    (void)state;
    fake_cluster_up(&server);
    o.conninfo = fake_cluster_conninfo(&server);
    return pool_new(&pool, &o);
}

static int end(void **state)
{
    (void)state;
    pool_free(pool);
    fake_cluster_down(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_connection_is_lent_again_and_again),
        cmocka_unit_test(test_when_all_are_lent_one_waits_as_long_as_one_said),
        cmocka_unit_test(test_who_waits_gets_what_is_given_back),
        cmocka_unit_test(test_a_transaction_that_was_left_open_is_rolled_back),
        cmocka_unit_test(test_a_connection_that_broke_is_replaced),
        cmocka_unit_test(test_a_loop_asks_without_waiting),
        cmocka_unit_test(test_a_loop_is_told_what_the_server_refuses),
        cmocka_unit_test(test_without_a_server_the_reason_comes_at_once_and_attempts_are_spaced),
        cmocka_unit_test(test_when_it_is_back_the_next_one_gets_through),
        cmocka_unit_test(test_pointed_elsewhere_it_leaves_the_old_server),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
