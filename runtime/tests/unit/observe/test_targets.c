/* SPDX-License-Identifier: Apache-2.0 */
/* One breaker per target, shared by all threads, with an alarm while it is open. */
#include "base/json.h"
#include "observe/alarm.h"
#include "observe/metrics.h"
#include "observe/targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { LONG_MS = 30000 };

static uint64_t now;

static int begin(void **state)
{
    (void)state;
    targets_reset();
    alarm_reset();
    metrics_reset();
    now = 1000000;
    return 0;
}

static void fails(const char *name, unsigned times)
{
    for (unsigned i = 0; i < times; i++)
        target_tell(name, target_ask(name, now), BREAKER_FAILED, "HTTP 503", now);
}

static void test_a_target_that_fails_is_left_alone_and_an_alarm_says_so(void **state)
{
    struct alarm a;

    (void)state;
    fails("twilio", 4);
    assert_int_not_equal(target_ask("twilio", now), 0);
    fails("twilio", 1);
    assert_int_equal(target_ask("twilio", now), 0);
    assert_in_range(target_wait_ms("twilio", now), 1000, 2000);
    assert_int_equal(alarm_list(&a, 1), 1);
    assert_string_equal(a.kind, "target.open");
    assert_string_equal(a.subject, "twilio");
    assert_string_equal(a.text, "twilio fails: HTTP 503");
    assert_int_equal(metric_value(M_TARGET_OPENED), 1);
    assert_int_equal(metric_value(M_TARGET_REFUSED), 1);
    assert_int_not_equal(target_ask("openai", now), 0); /* somebody else's trouble */
}

static void test_a_probe_that_works_ends_the_alarm(void **state)
{
    struct alarm a;
    uint32_t probe;

    (void)state;
    fails("twilio", 5);
    now += 2000;
    probe = target_ask("twilio", now);
    assert_int_not_equal(probe, 0);
    assert_int_equal(target_ask("twilio", now), 0);
    assert_int_equal(alarm_list(&a, 1), 1);
    target_tell("twilio", probe, BREAKER_WORKED, NULL, now);
    assert_int_equal(alarm_list(&a, 1), 0);
    assert_int_not_equal(target_ask("twilio", now), 0);
}

static void test_whoever_asks_in_the_background_opens_and_closes_it_too(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++)
        target_seen("openai", false, "insufficient_quota", now);
    assert_int_equal(target_ask("openai", now), 0);
    target_seen("openai", false, "insufficient_quota", now);
    target_seen("openai", true, NULL, now);
    assert_int_not_equal(target_ask("openai", now), 0);
    assert_int_equal(metric_gauge_value(G_ALARMS), 0);
}

static void test_more_names_than_places_give_way_to_each_other_but_not_to_open_ones(void **state)
{
    struct target list[TARGETS_MAX];
    char name[32];

    (void)state;
    fails("broken.example", 5);
    for (int i = 0; i < 10 * TARGETS_MAX; i++) {
        snprintf(name, sizeof(name), "host-%d.example", i);
        now++;
        target_tell(name, target_ask(name, now), BREAKER_WORKED, NULL, now);
    }
    assert_int_equal(targets_list(list, TARGETS_MAX), TARGETS_MAX);
    assert_int_equal(target_ask("broken.example", now), 0);
    for (int i = 0; i < TARGETS_MAX; i++) {
        snprintf(name, sizeof(name), "dead-%d.example", i);
        fails(name, 5);
    }
    assert_int_not_equal(target_ask("newcomer.example", now), 0);
    fails("newcomer.example", 50);
    assert_int_not_equal(target_ask("newcomer.example", now), 0);
    assert_int_equal(target_ask("broken.example", now), 0);
}

static void test_a_long_name_stays_itself(void **state)
{
    char name[200];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof(name); i++)
        name[i] = 'a';
    name[sizeof(name) - 1] = '\0';
    fails(name, 5);
    assert_int_equal(target_ask(name, now), 0);
    assert_in_range(target_wait_ms(name, now), 1, LONG_MS);
}

static void test_status_can_show_them(void **state)
{
    struct json_value list;
    struct buf out;

    (void)state;
    fails("twilio", 5);
    (void)target_ask("twilio", now);
    buf_init(&out, 4096);
    assert_int_equal(targets_to_json(&out), 0);
    assert_string_equal(buf_text(&out), "[{\"name\":\"twilio\",\"state\":\"open\",\"worked\":0,"
                                        "\"failed\":5,\"refused\":1,\"opened\":1,"
                                        "\"why\":\"HTTP 503\"}]");
    assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &list), 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_target_that_fails_is_left_alone_and_an_alarm_says_so, begin),
        cmocka_unit_test_setup(test_a_probe_that_works_ends_the_alarm, begin),
        cmocka_unit_test_setup(test_whoever_asks_in_the_background_opens_and_closes_it_too, begin),
        cmocka_unit_test_setup(
            test_more_names_than_places_give_way_to_each_other_but_not_to_open_ones, begin),
        cmocka_unit_test_setup(test_a_long_name_stays_itself, begin),
        cmocka_unit_test_setup(test_status_can_show_them, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
