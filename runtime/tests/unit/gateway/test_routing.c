/* SPDX-License-Identifier: Apache-2.0 */
/* Where operators want calls to go: found among many, kept in a file, and overruled at this machine. */
#include "base/err.h"
#include "base/json.h"
#include "base/now.h"
#include "gateway/override.h"
#include "gateway/routing.h"
#include "gateway/routing_copy.h"
#include "gateway/sealed.h"
#include "observe/alarm.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

/* ---- answers of the database ---- */

static void add_cell(struct answer *a, const char *text)
{
    int32_t n = text ? (int32_t)strlen(text) : -1;

    assert_int_equal(buf_add(&a->cells, &n, sizeof(n)), 0);
    if (text)
        assert_int_equal(buf_add_str(&a->cells, text), 0);
}

static void add_row(struct answer *a, const char *kind, const char *key, const char *agent,
                    const char *value)
{
    add_cell(a, "7");
    add_cell(a, kind);
    add_cell(a, key);
    add_cell(a, agent);
    add_cell(a, value);
    a->n_rows++;
}

static struct answer *new_answer(void)
{
    struct answer *a = calloc(1, sizeof(*a));

    assert_non_null(a);
    a->n_columns = ROUTING_COLUMNS;
    buf_init(&a->cells, 32 << 20);
    return a;
}

static struct answer *some_plans(void)
{
    struct answer *a = new_answer();

    add_row(a, "f", "vapi", NULL, NULL);
    add_row(a, "r", "support", NULL, "{\"version\":3}");
    add_row(a, "r", "sales", NULL, "{\"version\":17,\"percent_bp\":2500}");
    add_row(a, "a", "+13125550142", "sales", NULL);
    add_row(a, "d", "+13125550143", "sales", NULL);
    add_row(a, "a", "+13125550144", "sales", NULL);
    add_row(a, "d", "+13125550144", "sales", NULL);
    add_row(a, "d", "+13125550142", "support", NULL);
    return a;
}

static struct followed *made(struct answer *a)
{
    struct followed *c = NULL;

    assert_int_equal(routing_copy_new(&c, a), 0);
    return c;
}

static const char *listed(const struct followed *c, const char *agent, const char *number)
{
    return routing_copy_listed((const struct routing_copy *)c, rd_str(agent), rd_str(number));
}

static void test_a_plan_is_its_agents_and_a_list_too(void **state)
{
    struct followed *f = made(some_plans());
    const struct routing_copy *c = (const struct routing_copy *)f;

    (void)state;
    assert_true(rd_str_eq(routing_copy_force(c), RD_STR("vapi")));
    assert_true(rd_str_eq(routing_copy_plan(c, RD_STR("support")), RD_STR("{\"version\":3}")));
    assert_null(routing_copy_plan(c, RD_STR("sale")).p);
    assert_string_equal(listed(f, "sales", "+13125550142"), "allow");
    assert_string_equal(listed(f, "sales", "+13125550143"), "deny");
    assert_string_equal(listed(f, "support", "+13125550142"), "deny");
    assert_null(listed(f, "support", "+13125550143"));
    assert_null(listed(f, "sales", "anonymous"));
    followed_unref(f);
}

static void test_who_is_on_both_lists_is_denied(void **state)
{
    struct followed *f = made(some_plans());

    (void)state;
    assert_string_equal(listed(f, "sales", "+13125550144"), "deny");
    followed_unref(f);
}

/* As the bucket's key is read (ringdown.rollout.number): nobody leaves a list by how their number is written. */
static void test_a_caller_is_listed_however_the_carrier_writes_the_number(void **state)
{
    static const char *const parties[] = {"sip:+13125550143@example.com",
                                          "sips:+13125550143;user=phone@example.com",
                                          " sip:+1-312-555-0143@example.com",
                                          "+1 312 555 0143",
                                          "+1 (312) 555-0143",
                                          "+1.312.555.0143 "};
    static const char *const others[] = {"sip:bob@example.com",
                                         "sip:13125550143@example.com",
                                         "+131255501430",
                                         "tel:+13125550143",

                                         "sip:",
                                         "+13125550143@example.com",
                                         ""};
    struct followed *f = made(some_plans());
    char longer[200] = "sip:+13125550143";

    (void)state;
    for (size_t i = 0; i < sizeof(parties) / sizeof(parties[0]); i++)
        assert_string_equal(listed(f, "sales", parties[i]), "deny");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(listed(f, "sales", others[i]));
    memset(longer + 16, '0', sizeof(longer) - 17);
    assert_null(listed(f, "sales", longer));
    followed_unref(f);
}

static void test_no_plan_at_all_is_a_state_too(void **state)
{
    struct answer *a = new_answer();
    struct followed *f;

    (void)state;
    add_row(a, NULL, NULL, NULL, NULL);
    f = made(a);
    assert_int_equal(f->version, 7);
    assert_null(routing_copy_force((const struct routing_copy *)f).p);
    followed_unref(f);
    assert_null(routing_copy_plan(NULL, RD_STR("sales")).p);
    assert_null(routing_copy_listed(NULL, RD_STR("sales"), RD_STR("+1")));
}

static void test_rows_that_make_no_sense_are_refused(void **state)
{
    static const char *const rows[][4] = {{"r", "sales", NULL, NULL},
                                          {"a", "+13125550142", NULL, NULL},
                                          {"x", "sales", "sales", "{}"},
                                          {"f", NULL, NULL, NULL}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct answer *a = new_answer();
        struct followed *f = NULL;

        add_row(a, rows[i][0], rows[i][1], rows[i][2], rows[i][3]);
        assert_int_equal(routing_copy_new(&f, a), RD_EPROTO);
    }
}

static void test_a_look_among_1000_agents_and_20000_callers_is_short(void **state)
{
    struct answer *a = new_answer();
    struct followed *f;
    char agent[32], number[32];
    uint64_t began_us;

    (void)state;
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(agent, sizeof(agent), "agent-%d", i);
        add_row(a, "r", agent, NULL, "{\"version\":1}");
    }
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(number, sizeof(number), "+1415%07d", i);
        add_row(a, i % 2 ? "a" : "d", number, i < 10000 ? "agent-500" : agent, NULL);
    }
    f = made(a);
    began_us = monotonic_us();
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(number, sizeof(number), "+1415%07d", i);
        assert_string_equal(listed(f, "agent-500", number), i % 2 ? "allow" : "deny");
        assert_non_null(routing_copy_plan((struct routing_copy *)f, rd_str(agent)).p);
    }
    assert_in_range(monotonic_us() - began_us, 0, 10000 * 100); /* 0.1 ms each, sanitized */
    followed_unref(f);
}

/* ---- what a call is told ---- */

static struct routing *started(const char *force)
{
    struct routing_opts o = {.data = folder, .secret = "secret", .force = force};
    struct routing *r = NULL;

    assert_int_equal(routing_start(&r, &o), 0);
    return r;
}

static void expect_known(struct routing *r, const struct routing_call *call, const char *json)
{
    struct buf out;

    buf_init(&out, 4096);
    assert_int_equal(routing_known(r, call, &out), 0);
    assert_string_equal(buf_text(&out), json);
    buf_fini(&out);
}

static void order(const char *json)
{
    char path[128], part[136];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/kept/override.json", folder);
    if (!json) {
        assert_int_equal(unlink(path), 0);
        return;
    }
    (void)snprintf(part, sizeof(part), "%s.part", path);
    f = fopen(part, "we");
    assert_non_null(f);
    (void)fputs(json, f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(rename(part, path), 0);
}

/* The database is away, from the start: what was known last, orders, and what this moment says. */
static void test_a_call_is_told_what_is_known_also_without_a_database(void **state)
{
    static const struct routing_call call = {.agent = {"sales", 5},
                                             .from = {"+13125550142", 12},
                                             .pinned = "openai",
                                             .openai_down = "breaker"};
    struct routing *r = started("");

    (void)state;
    expect_known(r, &call, "{\"pinned\":\"openai\",\"down\":{\"openai\":\"breaker\"}}");
    assert_null(routing_force(r));
    routing_stop(r);
}

static void wait_for_force(struct routing *r, const char *system)
{
    uint64_t until_us = monotonic_us() + 20000000; /* the promise is a second, on a quiet machine */
    const char *force;

    do {
        force = routing_force(r);
        if (system ? force && strcmp(force, system) == 0 : !force)
            return;
        usleep(5000);
    } while (monotonic_us() < until_us);
    fail_msg("calls do not go to %s", system ? system : "where the database says");
}

static bool is_alarmed(void)
{
    struct alarm alarms[ALARMS_MAX];
    size_t n = alarm_list(alarms, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(alarms[i].kind, "routing.override") == 0)
            return true;
    return false;
}

/* An order holds a moment before it is told, and likewise its end. */
static void wait_for_alarm(bool wanted)
{
    uint64_t until_us = monotonic_us() + 20000000;

    while (is_alarmed() != wanted && monotonic_us() < until_us)
        usleep(5000);
    assert_int_equal(is_alarmed(), wanted);
}

static void test_an_order_at_this_machine_holds_within_a_second_and_until_it_is_taken_back(
    void **state)
{
    static const struct routing_call sales = {.agent = {"sales", 5}},
                                     other = {.agent = {"other", 5}};
    struct routing *r = started("off");

    (void)state;
    assert_null(routing_force(r));
    order("{\"version\":1,\"who\":\"alice\",\"force\":\"vapi\","
          "\"agents\":{\"sales\":{\"rollback\":0,\"rollback_by\":{\"who\":\"bob\"}},"
          "\"other\":{\"force\":\"vapi\"}}}");
    wait_for_force(r, "vapi");
    wait_for_alarm(true);
    expect_known(r, &sales, "{\"override\":{\"rollback\":0},\"force\":\"vapi\"}");
    expect_known(r, &other, "{\"override\":{\"force\":\"vapi\"},\"force\":\"vapi\"}");
    order(NULL);
    wait_for_force(r, NULL);
    wait_for_alarm(false);
    expect_known(r, &sales, "{}");
    routing_stop(r);
}

static void test_an_order_is_there_before_the_first_call(void **state)
{
    struct routing *r;

    (void)state;
    order("{\"version\":1,\"force\":\"openai\"}");
    r = started("");
    assert_string_equal(routing_force(r), "openai");
    routing_stop(r);
    r = started("vapi"); /* the configuration is stronger */
    assert_string_equal(routing_force(r), "vapi");
    routing_stop(r);
    order(NULL);
}

static void test_an_order_that_cannot_be_read_changes_nothing(void **state)
{
    static const char *const broken[] = {"{\"force\":\"vapi\"",
                                         "[]",
                                         "{\"force\":\"off?\"}",
                                         "{\"agents\":[]}",
                                         "{\"agents\":{\"sales\":{\"rollback\":10001}}}",
                                         "{\"agents\":{\"sales\":{\"force\":\"of\"}}}",
                                         "{\"agents\":{\"sales\":{}}}"};
    struct override *o = NULL;

    (void)state;
    order("{\"version\":1,\"force\":\"vapi\"}");
    assert_int_equal(override_new(&o, folder), 0);
    override_look(o);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        order(broken[i]);
        override_look(o);
        assert_string_equal(override_force(o), "vapi");
    }
    order("{\"version\":2,\"force\":\"off\"}");
    override_look(o);
    assert_string_equal(override_force(o), "off");
    override_free(o);
    order(NULL);
}

static int set_up(void **state)
{
    char kept[80];

    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/ringdown-routing-XXXXXX");
    assert_non_null(mkdtemp(folder));
    (void)snprintf(kept, sizeof(kept), "%s/kept", folder);
    return mkdir(kept, 0700);
}

static int tear_down(void **state)
{
    char kept[80];

    (void)state;
    alarm_reset();
    (void)snprintf(kept, sizeof(kept), "%s/kept", folder);
    (void)rmdir(kept);
    return rmdir(folder);
}

#define STORY(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_plan_is_its_agents_and_a_list_too),
        STORY(test_who_is_on_both_lists_is_denied),
        STORY(test_a_caller_is_listed_however_the_carrier_writes_the_number),
        STORY(test_no_plan_at_all_is_a_state_too),
        STORY(test_rows_that_make_no_sense_are_refused),
        STORY(test_a_look_among_1000_agents_and_20000_callers_is_short),
        STORY(test_a_call_is_told_what_is_known_also_without_a_database),
        STORY(test_an_order_at_this_machine_holds_within_a_second_and_until_it_is_taken_back),
        STORY(test_an_order_is_there_before_the_first_call),
        STORY(test_an_order_that_cannot_be_read_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
