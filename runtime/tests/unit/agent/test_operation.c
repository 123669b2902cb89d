/* SPDX-License-Identifier: Apache-2.0 */
/* test_operation.c - jobs of the library on real script threads, of no agent and no call: their life, and
 * those beside the calls with a node around them. What they may do is in test_operation_host.c. */
#include "base/err.h"
#include "unit/agent/fake_operation.h"

#include <errno.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

/* --- its life --- */

static void test_it_tells_as_it_goes_and_then_the_result(void **state)
{
    (void)state;
    expect("count", "{\"to\":3}", "{\"done\":3,\"who\":\"ann\"}");
    assert_int_equal(heard.lines, 3);
    assert_string_equal(heard.last_line, "{\"step\":3}");
    assert_int_equal(heard.ends, 1);
}

static void test_what_is_raised_is_words_for_people_with_the_traceback_apart(void **state)
{
    (void)state;
    assert_int_equal(post("raise", "{}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_equal(heard.rc, RD_ESCRIPT);
    assert_string_equal(heard.text, "there is no such number; see: ringdown numbers list");
    assert_non_null(strstr(heard.traceback, "stack traceback"));
    assert_true(fake_vms_become(&node, 0));
}

static void test_memory_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(post("greedy", "{}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_not_equal(heard.rc, 0);
    assert_true(fake_vms_become(&node, 0));
}

static void test_time_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(post("sleep", "{}", NULL, 20), 0);
    wait_for_ends(1);
    assert_int_equal(heard.rc, -ETIMEDOUT);
    assert_string_equal(heard.text, "it took too long");
}

static void test_it_hears_that_it_shall_end(void **state)
{
    atomic_bool stop = false;

    (void)state;
    assert_int_equal(post("until_stopped", "{}", &stop, 0), 0);
    wait_for_line();
    assert_int_equal(heard.ends, 0);
    atomic_store(&stop, true);
    wait_for_ends(1);
    assert_string_equal(heard.text, "{\"stopped\":true}");
}

static void test_a_pool_that_stops_tells_whoever_waits(void **state)
{
    (void)state;
    assert_int_equal(post("sleep", "{}", NULL, 0), 0);
    credits_free(node.credits);
    script_pool_stop(node.pool);
    node.pool = NULL;
    node.credits = NULL;
    assert_int_equal(heard.ends, 1);
    assert_int_equal(heard.rc, RD_EGONE);
    assert_string_equal(heard.text, "this process ends");
}

static void test_so_many_at_once_and_no_more(void **state)
{
    atomic_bool stop = false;
    unsigned begun = 0;
    int rc = 0;

    (void)state;
    while (!rc && begun < 100) {
        rc = post("until_stopped", "{}", &stop, 0);
        begun += rc == 0;
    }
    assert_int_equal(rc, RD_EFULL);
    assert_int_equal(begun, 8);
    atomic_store(&stop, true);
    wait_for_ends(begun);
    assert_int_equal(post("count", "{\"to\":1}", NULL, 0), 0);
    wait_for_ends(begun + 1);
}

static void test_a_wish_that_is_too_long_is_refused(void **state)
{
    char *json = malloc((5 << 20) + 1);

    (void)state;
    assert_non_null(json);
    memset(json, ' ', 5 << 20);
    json[5 << 20] = '\0';
    assert_int_equal(post("count", json, NULL, 0), RD_ETOOBIG);
    free(json);
}

/* --- beside the calls, with a node around it --- */

static int lend_status(void *arg, struct buf *out)
{
    (void)arg;
    return buf_add_str(out, "up");
}

static int lend_hang_up(void *arg, const char *sid, const char *who)
{
    (void)arg;
    return strcmp(sid, "CA1") == 0 && strcmp(who, "ann") == 0 ? 0 : RD_EGONE;
}

static int lend_drill(void *arg, const char *agent, const char *rule, const char *who,
                      char id[SCRIPT_DRILL_ID])
{
    (void)arg;
    (void)snprintf(id, SCRIPT_DRILL_ID, "%s%s%s", agent, rule, who);
    return 0;
}

static uint64_t lend_reload(void *arg)
{
    (void)arg;
    return 9;
}

static int lend_operate(void *arg, const char *kind, const char *json)
{
    (void)arg;
    return strcmp(kind, "x") == 0 && strcmp(json, "{}") == 0 ? 0 : RD_EFULL;
}

static const struct script_node can = {.status = lend_status,
                                       .hang_up = lend_hang_up,
                                       .drill = lend_drill,
                                       .reload = lend_reload,
                                       .operate = lend_operate};
static struct script_lent of_node = {&can, NULL};

static int set_up_aside(void **state)
{
    of_node.arg = &of_node;
    stand.lent = &of_node;
    stand.aside = true;
    return operation_set_up(state);
}

static int tear_down_aside(void **state)
{
    int rc = operation_tear_down(state);

    stand.lent = NULL;
    stand.aside = false;
    return rc;
}

/* A database that says only who was asked. */
static int say_who(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                   void *arg)
{
    (void)out;
    (void)role;
    (void)grants;
    (void)snprintf(why, cap, "%s", (const char *)arg);
    return RD_ESTATE;
}

static int set_up_askers(void **state)
{
    struct asker_opts ours = {.conninfo = say_who, .arg = (void *)(uintptr_t) "for calls"};
    struct asker_opts theirs = {.conninfo = say_who, .arg = (void *)(uintptr_t) "aside"};

    assert_int_equal(asker_start(&stand.asker, &ours), 0);
    assert_int_equal(asker_start(&stand.aside_asker, &theirs), 0);
    return set_up_aside(state);
}

static int tear_down_askers(void **state)
{
    int rc = tear_down_aside(state);

    asker_stop(stand.asker);
    asker_stop(stand.aside_asker);
    stand.asker = stand.aside_asker = NULL;
    return rc;
}

/* The one thread of the asker waits for a server that says nothing, until the test is over. */
static sem_t silence;

static int say_nothing(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                       void *arg)
{
    sem_wait(&silence);
    return say_who(out, role, grants, why, cap, arg);
}

static int set_up_slow(void **state)
{
    struct asker_opts o = {
        .conninfo = say_nothing, .threads = 1, .arg = (void *)(uintptr_t) "slow"};

    sem_init(&silence, 0, 0);
    assert_int_equal(asker_start(&stand.asker, &o), 0);
    return operation_set_up(state);
}

static int tear_down_slow(void **state)
{
    int rc;

    sem_post(&silence);
    sem_post(&silence);
    rc = operation_tear_down(state);
    asker_stop(stand.asker);
    stand.asker = NULL;
    return rc;
}

static void test_who_waits_for_others_hears_that_it_is_busy(void **state)
{
    (void)state;
    expect("ask_twice", "{}",
           "[\"the database is slow\",\"down\",\"too many questions wait for the "
           "database\",\"busy\"]");
}

static void test_aside_the_database_is_asked_beside_the_calls(void **state)
{
    (void)state;
    expect("ask", "{}", "{\"why\":\"aside\"}");
    stand.aside = false;
    expect("ask", "{}", "{\"why\":\"for calls\"}");
}

static void test_the_node_around_it_is_asked(void **state)
{
    (void)state;
    expect("node", "{}",
           "{\"code\":\"gone\",\"drill\":\"arw\",\"lived\":true,\"operated\":true,"
           "\"reload\":9,\"status\":\"up\",\"why\":\"the call is over\"}");
}

static void test_in_a_command_there_is_no_node(void **state)
{
    (void)state;
    expect("node", "{}", "{\"none\":true}");
}

/* More at once than among calls, and files may be long. */
static void test_aside_there_is_room_for_those_who_wait(void **state)
{
    atomic_bool stop = false;
    char *json = malloc((5 << 20) + 1);
    unsigned begun = 0;

    (void)state;
    assert_non_null(json);
    memset(json, ' ', 5 << 20);
    memcpy(json, "{\"to\":1}", 8);
    json[5 << 20] = '\0';
    while (post("until_stopped", "{}", &stop, 0) == 0)
        begun++;
    atomic_store(&stop, true);
    wait_for_ends(begun);
    assert_int_equal(begun, 24);
    assert_int_equal(post("count", json, NULL, 0), 0);
    wait_for_ends(begun + 1);
    assert_int_equal(heard.rc, 0);
    free(json);
}

static void test_an_unreadable_library_is_told(void **state)
{
    char path[200];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/ringdown", node.library);
    assert_int_equal(rename(path, stand.data) == 0 ? 0 : errno, 0);
    assert_int_equal(post("count", "{\"to\":1}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_not_equal(heard.rc, 0);
    assert_non_null(strstr(heard.text, "ringdown"));
    assert_int_equal(rename(stand.data, path), 0);
    assert_int_equal(mkdir(stand.data, 0700), 0);
}

int main(void)
{
#define ASIDE(test) cmocka_unit_test_setup_teardown(test, set_up_aside, tear_down_aside)
    const struct CMUnitTest tests[] = {
        LIVES(test_it_tells_as_it_goes_and_then_the_result),
        LIVES(test_what_is_raised_is_words_for_people_with_the_traceback_apart),
        LIVES(test_memory_has_an_end),
        LIVES(test_time_has_an_end),
        LIVES(test_it_hears_that_it_shall_end),
        LIVES(test_a_pool_that_stops_tells_whoever_waits),
        LIVES(test_so_many_at_once_and_no_more),
        LIVES(test_a_wish_that_is_too_long_is_refused),
        LIVES(test_an_unreadable_library_is_told),
        ASIDE(test_the_node_around_it_is_asked),
        LIVES(test_in_a_command_there_is_no_node),
        ASIDE(test_aside_there_is_room_for_those_who_wait),
        cmocka_unit_test_setup_teardown(test_aside_the_database_is_asked_beside_the_calls,
                                        set_up_askers, tear_down_askers),
        cmocka_unit_test_setup_teardown(test_who_waits_for_others_hears_that_it_is_busy,
                                        set_up_slow, tear_down_slow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
