/* SPDX-License-Identifier: Apache-2.0 */
/* Questions from threads that must not wait: answered, bounded, and each agent as nobody but
 * itself. With a real server. */
#include "base/err.h"
#include "store/agent_role.h"
#include "store/asker.h"
#include "store/migrate.h"
#include "unit/store/fake_cluster.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

static struct fake_cluster server;
static struct asker *asker, *agents;
static char tables[512] = "{}";

struct told {
    sem_t came;
    struct answer *answer;
};

static int ours(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                void *arg)
{
    (void)role, (void)grants, (void)why, (void)cap, (void)arg;
    return buf_add_str(out, fake_cluster_conninfo(&server));
}

static int theirs(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                  void *arg)
{
    struct agent_role r = {.database = {.data = server.data},
                           .agent = role,
                           .tables = grants,
                           .secret = "not much of a secret",
                           .statement_timeout_ms = 300};

    (void)arg;
    return agent_role_conninfo(out, &r, why, cap);
}

static void on_answer(void *arg, struct answer *a)
{
    struct told *t = arg;

    t->answer = a;
    sem_post(&t->came);
}

static struct answer *wait_answer(struct told *t)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    assert_int_equal(sem_timedwait(&t->came, &until), 0);
    assert_non_null(t->answer);
    return t->answer;
}

static struct answer *ask_of(struct asker *a, struct question q, const char *p1)
{
    struct told t = {0};

    sem_init(&t.came, 0, 0);
    q.params = &p1;
    q.n_params = p1 != NULL;
    q.done = on_answer;
    q.arg = &t;
    assert_int_equal(asker_ask(a, &q), 0);
    return wait_answer(&t);
}

static struct answer *ask(const char *sql, const char *p1)
{
    return ask_of(asker, (struct question){.sql = sql}, p1);
}

static struct answer *ask_as(const char *agent, const char *sql)
{
    return ask_of(agents, (struct question){.role = agent, .grants = tables, .sql = sql}, NULL);
}

static void run(const char *sql)
{
    struct answer *a = ask(sql, NULL);

    if (a->rc)
        fail_msg("%s: %s", sql, a->why);
    answer_free(a);
}

static void expect_refused(struct answer *a, const char *sqlstate)
{
    if (a->rc != RD_EREFUSED || strcmp(a->sqlstate, sqlstate) != 0)
        fail_msg("%d %s: %s", a->rc, a->sqlstate, a->why);
    answer_free(a);
}

static void expect_text(struct answer *a, const char *text)
{
    size_t at = 0;
    struct rd_str cell;

    if (a->rc)
        fail_msg("%s", a->why);
    assert_int_equal(a->n_rows, 1);
    cell = answer_cell(a, &at);
    assert_true(rd_str_eq(cell, rd_str(text)));
    answer_free(a);
}

static void test_an_answer_has_rows_types_and_nulls(void **state)
{
    struct answer *a = ask("select 7::bigint as n, $1 as words, null as nothing", "a b");
    size_t at = 0, column = 0;
    uint32_t type;

    (void)state;
    assert_int_equal(a->rc, 0);
    assert_int_equal(a->n_columns, 3);
    assert_string_equal(answer_column(a, &column, &type), "n");
    assert_int_equal(type, 20);
    assert_string_equal(answer_column(a, &column, &type), "words");
    assert_true(rd_str_eq(answer_cell(a, &at), RD_STR("7")));
    assert_true(rd_str_eq(answer_cell(a, &at), RD_STR("a b")));
    assert_null(answer_cell(a, &at).p);
    answer_free(a);
}

static void test_what_the_server_refuses_has_its_state(void **state)
{
    (void)state;
    expect_refused(ask("select 1/0", NULL), "22012");
    expect_text(ask("select 'still here'", NULL), "still here");
}

static void test_an_answer_without_end_is_not_read_to_it(void **state)
{
    struct answer *a = ask("select generate_series(1, 1e9::bigint)", NULL);

    (void)state;
    assert_int_equal(a->rc, RD_ETOOBIG);
    answer_free(a);
    a = ask("select repeat('x', 1000) from generate_series(1, 900)", NULL);
    assert_int_equal(a->rc, RD_ETOOBIG);
    answer_free(a);
    expect_text(ask("select 'still here'", NULL), "still here");
}

static void test_who_is_hushed_does_not_wait(void **state)
{
    struct asker_opts o = {.conninfo = ours, .threads = 1, .connect_ms = 10000};
    struct question q = {.sql = "select pg_sleep(30)", .done = on_answer};
    struct asker *a;
    struct told t[3];

    (void)state;
    assert_int_equal(asker_start(&a, &o), 0);
    for (int i = 0; i < 3; i++) {
        sem_init(&t[i].came, 0, 0);
        q.arg = &t[i];
        assert_int_equal(asker_ask(a, &q), 0);
    }
    asker_hush(a);
    for (int i = 0; i < 3; i++) {
        struct answer *answer = wait_answer(&t[i]);

        assert_int_equal(answer->rc, RD_EGONE);
        answer_free(answer);
    }
    assert_int_equal(asker_ask(a, &q), RD_EGONE);
    asker_stop(a);
}

static void test_questions_that_wait_are_bounded(void **state)
{
    struct asker_opts o = {.conninfo = ours, .threads = 1, .queue = 2};
    struct question q = {.sql = "select pg_sleep(1)", .done = on_answer};
    struct told t[8];
    struct asker *a;
    int n = 0, rc = 0;

    (void)state;
    assert_int_equal(asker_start(&a, &o), 0);
    for (; n < 8; n++) {
        sem_init(&t[n].came, 0, 0);
        q.arg = &t[n];
        rc = asker_ask(a, &q);
        if (rc)
            break;
    }
    assert_int_equal(rc, RD_EFULL);
    assert_true(n <= 3);
    asker_hush(a);
    for (int i = 0; i < n; i++)
        answer_free(wait_answer(&t[i]));
    asker_stop(a);
}

/* ---- as an agent ---- */

static void test_an_agent_has_its_tables_and_no_others(void **state)
{
    (void)state;
    run("create table price_list (id serial primary key, what text)");
    run("create table visits (id serial primary key, what text)");
    run("insert into price_list (what) values ('drain')");
    strcpy(tables, "{\"price_list\":\"read\",\"visits\":\"write\"}");
    expect_text(ask_as("plumber", "select what from price_list"), "drain");
    expect_text(ask_as("plumber", "insert into visits (what) values ('now') returning what"),
                "now");
    expect_refused(ask_as("plumber", "delete from price_list"), "42501");
    expect_refused(ask_as("plumber", "select * from customers"), "42501");
    expect_refused(ask_as("plumber", "select * from calls"), "42501");
    expect_refused(ask_as("plumber", "truncate visits"), "42501");
    expect_refused(ask_as("plumber", "create table mine (n int)"), "42501");
}

static void test_an_agent_cannot_become_somebody_else(void **state)
{
    (void)state;
    expect_text(ask_as("plumber", "select session_user || ' ' || current_user"),
                "ringdown_agent_plumber ringdown_agent_plumber");
    expect_refused(ask_as("plumber", "set role ringdown"), "42501");
    expect_refused(ask_as("plumber", "set session authorization postgres"), "42501");
    expect_refused(ask_as("plumber", "select set_config('role', 'ringdown', false)"), "42501");
    expect_refused(ask_as("plumber", "select query_to_xml('select * from customers', true, true, "
                                     "'')"),
                   "42501");
    expect_refused(ask_as("plumber", "select erase_caller('+13125550142', null)"), "42501");
    expect_refused(ask_as("plumber", "select grant_agent('ringdown_agent_plumber', 'x', "
                                     "'{\"customers\":\"write\"}')"),
                   "42501");
    expect_refused(ask_as("plumber", "select pg_read_file('pg_hba.conf')"), "42501");
    expect_refused(ask_as("plumber", "select 1; select 2"), "42601");
}

static void test_an_agent_has_nothing_to_keep_or_to_hold(void **state)
{
    (void)state;
    expect_refused(ask_as("plumber", "select lo_from_bytea(0, '\\x00')"), "42501");
    expect_refused(ask_as("plumber", "select lo_creat(-1)"), "42501");
    expect_refused(ask_as("plumber", "select 1 as n into temporary mine"), "42501");
    expect_refused(ask_as("plumber", "select pg_advisory_lock(1)"), "42501");
    expect_refused(ask_as("plumber", "select pg_try_advisory_xact_lock_shared(1, 2)"), "42501");
    expect_refused(ask_as("plumber", "select pg_notify('ringdown_agents', '9')"), "42501");
    expect_refused(ask_as("plumber", "select pg_sleep(0)"), "42501");
    expect_refused(ask_as("plumber", "select set_config('statement_timeout', '0', false)"),
                   "42501");
    run("select pg_notify('ringdown_agents', '9'), pg_advisory_xact_lock(1)");
}

static void test_agents_do_not_see_each_other_and_grants_follow_the_file(void **state)
{
    (void)state;
    expect_refused(ask_as("plumber", "select * from price_list where 1/0 = 1"), "22012");
    strcpy(tables, "{\"price_list\":\"read\"}");
    expect_refused(ask_as("plumber", "select * from visits"), "42501");
    strcpy(tables, "{}");
    expect_refused(ask_as("dentist", "select * from price_list"), "42501");
}

static void test_nothing_of_a_question_stays_in_the_session(void **state)
{
    struct answer *a;

    (void)state;
    strcpy(tables, "{}");
    answer_free(ask_as("plumber", "begin"));
    answer_free(ask_as("plumber", "set statement_timeout = 0"));
    expect_text(ask_as("plumber", "select current_setting('statement_timeout')"), "300ms");
    expect_refused(ask_as("plumber", "select count(*) from generate_series(1, 1000000000)"),
                   "57014");
    a = ask_as("plumber", "select 1 where false");
    assert_int_equal(a->rc, 0);
    assert_int_equal(a->n_rows, 0);
    answer_free(a);
}

static void test_a_table_that_is_not_there_is_told_with_the_agent(void **state)
{
    struct answer *a;

    (void)state;
    strcpy(tables, "{\"no_such_table\":\"read\"}");
    a = ask_as("plumber", "select 1");
    assert_int_equal(a->rc, RD_ECONFIG);
    assert_non_null(strstr(a->why, "agent plumber"));
    assert_non_null(strstr(a->why, "no_such_table"));
    answer_free(a);
}

static int set_up(void **state)
{
    struct asker_opts o = {.conninfo = ours};
    struct asker_opts mine = {.conninfo = theirs, .threads = 2, .discard = true};
    struct migrate_opts m = {.folder = "sql", .binary = "99.0.0"};
    struct pg *pg;
    char why[1024];

    (void)state;
    fake_cluster_up(&server);
    assert_int_equal(pg_open_within(&pg, fake_cluster_conninfo(&server), 10000, why, sizeof(why)),
                     0);
    if (migrate_run(pg, &m, NULL, NULL, why, sizeof(why)))
        fail_msg("%s", why);
    pg_close(pg);
    assert_int_equal(asker_start(&asker, &o), 0);
    return asker_start(&agents, &mine);
}

static int tear_down(void **state)
{
    (void)state;
    asker_stop(asker);
    asker_stop(agents);
    fake_cluster_down(&server);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_answer_has_rows_types_and_nulls),
        cmocka_unit_test(test_what_the_server_refuses_has_its_state),
        cmocka_unit_test(test_an_answer_without_end_is_not_read_to_it),
        cmocka_unit_test(test_who_is_hushed_does_not_wait),
        cmocka_unit_test(test_questions_that_wait_are_bounded),
        cmocka_unit_test(test_an_agent_has_its_tables_and_no_others),
        cmocka_unit_test(test_an_agent_cannot_become_somebody_else),
        cmocka_unit_test(test_an_agent_has_nothing_to_keep_or_to_hold),
        cmocka_unit_test(test_agents_do_not_see_each_other_and_grants_follow_the_file),
        cmocka_unit_test(test_nothing_of_a_question_stays_in_the_session),
        cmocka_unit_test(test_a_table_that_is_not_there_is_told_with_the_agent),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
