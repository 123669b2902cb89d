/* SPDX-License-Identifier: Apache-2.0 */
/* What Sentry is told, how often, and what it never sees. */
#include "base/err.h"
#include "base/json.h"
#include "observe/metrics.h"
#include "observe/sentry.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- the address --- */

static void test_a_dsn_is_an_address_and_a_key(void **state)
{
    static const char *const bad[] = {"https://sentry.example.com/1",
                                      "https://k@sentry.example.com",
                                      "https://k@sentry.example.com/",
                                      "ftp://k@sentry.example.com/1",
                                      "https://@sentry.example.com/1",
                                      "https://k@/1",
                                      "https://k\r\nX: y@host/1",
                                      "https://k,x@host/1",
                                      "https://k@user@host/1",
                                      "https://k@host/1?x",
                                      "nonsense"};
    struct sentry_dsn d;

    (void)state;
    assert_int_equal(sentry_dsn_parse(&d, "https://public@sentry.example.com/1"), 0);
    assert_string_equal(d.url, "https://sentry.example.com/api/1/envelope/");
    assert_string_equal(d.key, "public");
    assert_string_equal(d.secret, "");
    assert_int_equal(sentry_dsn_parse(&d, "https://k:s@h:8443/sub/dir/42"), 0);
    assert_string_equal(d.url, "https://h:8443/sub/dir/api/42/envelope/");
    assert_string_equal(d.key, "k");
    assert_string_equal(d.secret, "s");
    assert_int_equal(sentry_dsn_parse(&d, ""), -ENOENT);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(sentry_dsn_parse(&d, bad[i]), -EINVAL);
}

/* --- limits --- */

static void test_the_longest_of_all_limits_holds(void **state)
{
    struct sentry_limits l = {.all_until_ms = 0};

    (void)state;
    sentry_limits_heard(&l, 200, "60:transaction:key, 2700:default;error;security:organization", "",
                        1000);
    assert_int_equal(l.until_ms[SENTRY_ERROR], 2701000);
    assert_int_equal(l.until_ms[SENTRY_TRANSACTION], 61000);
    assert_int_equal(l.all_until_ms, 0);
    sentry_limits_heard(&l, 200, "10:error:key", "", 1000);
    assert_int_equal(l.until_ms[SENTRY_ERROR], 2701000);
    assert_false(sentry_limited(&l, SENTRY_MONITOR, 1001));
    sentry_limits_heard(&l, 200, "60::organization, 2700::organization", "", 1000);
    assert_true(sentry_limited(&l, SENTRY_MONITOR, 2700999));
    assert_true(sentry_limited(&l, SENTRY_INTERNAL, 2700999));
    assert_false(sentry_limited(&l, SENTRY_MONITOR, 2701000));
}

static uint64_t all_after(long status, const char *limits, const char *retry_after)
{
    struct sentry_limits l = {.all_until_ms = 0};

    sentry_limits_heard(&l, status, limits, retry_after, 0);
    return l.all_until_ms;
}

static void test_limits_nobody_can_read_are_ignored(void **state)
{
    struct sentry_limits l = {.all_until_ms = 0};

    (void)state;
    sentry_limits_heard(&l, 429, "2700:metric_bucket:organization:quota_exceeded:custom", "", 0);
    for (int i = 0; i < SENTRY_CATEGORIES; i++)
        assert_int_equal(l.until_ms[i], 0);
    assert_int_equal(l.all_until_ms, 0);
    sentry_limits_heard(&l, 200, "1.5:error:key", "", 0);
    assert_int_equal(l.until_ms[SENTRY_ERROR], 1500);
    assert_int_equal(all_after(429, "", "7"), 7000);
    assert_int_equal(all_after(429, "", ""), 60000);
    assert_int_equal(all_after(429, "garbage", "soon"), 60000);
    assert_int_equal(all_after(429, "-5::key,nan::key,inf::key", ""), 60000);
    assert_int_equal(all_after(200, "", "7"), 0);
    assert_int_equal(all_after(200, "9999999::key", ""), 86400000);
}

/* --- scrubbing --- */

static void scrubs(const char *text, const char *wanted)
{
    struct buf out;

    buf_init(&out, 64 * 1024);
    assert_int_equal(sentry_scrub(&out, rd_str(text)), 0);
    assert_string_equal(buf_text(&out), wanted);
    buf_fini(&out);
}

static void test_numbers_keys_and_addresses_are_taken_out(void **state)
{
    (void)state;
    scrubs("call +13125550142 back", "call [phone] back");
    scrubs("(312) 555-0142", "[phone]");
    scrubs("312.555.0142, please", "[phone], please");
    scrubs("(312) 555-0142 2nd floor", "[phone] 2nd floor");
    scrubs("312 555 0142 at 5pm", "[phone] at 5pm");
    scrubs("312-555-0142 5pm", "[phone] 5pm");
    scrubs("1234567890-12ab", "1234567890-12ab"); /* an id */
    scrubs("card 4111 1111 1111 1111 now", "card [card] now");
    scrubs("ssn 123-45-6789", "ssn [ssn]");
    scrubs("key sk-abc refused", "key [key] refused");
    scrubs("Authorization: Bearer abc123", "Authorization: Bearer [key]");
    scrubs("api_key=abc x", "api_key=[key] x");
    scrubs("at https://u:p@h.example/a?token=1#x", "at https://h.example/a?[query]");
    scrubs("ask jane.doe@example.com", "ask [mail]");
    scrubs("of AC0123456789abcdef0123456789abcdef", "of [key]");
    scrubs("of CA0123456789abcdef0123456789abcdef", "of CA0123456789abcdef0123456789abcdef");
    scrubs("agents/x.lua:12: attempt to index a nil value (field 'x')",
           "agents/x.lua:12: attempt to index a nil value (field 'x')");
    scrubs("127.0.0.1:8080 took 480 ms, 3 times", "127.0.0.1:8080 took 480 ms, 3 times");
    scrubs("", "");
}

/* --- frames --- */

static const char traceback[] = "agents/x.lua:12: Jane Doe of 4 Elm Street said no\n"
                                "stack traceback:\n"
                                "\t[C]: in function 'error'\n"
                                "\tagents/x.lua:12: in field 'look'\n"
                                "\t(...tail calls...)\n"
                                "\tscripts/ringdown/session.lua:88: in function <scripts/x:80>";

static void test_a_traceback_is_frames_the_oldest_first(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 64 * 1024);
    assert_int_equal(sentry_frames(&out, traceback), 0);
    assert_string_equal(
        buf_text(&out),
        "[{\"filename\":\"scripts/ringdown/session.lua\",\"function\":\"function <scripts/x:80>\","
        "\"lineno\":88,\"in_app\":false},"
        "{\"filename\":\"agents/x.lua\",\"function\":\"field 'look'\",\"lineno\":12,"
        "\"in_app\":true},"
        "{\"filename\":\"[C]\",\"function\":\"function 'error'\",\"in_app\":false}]");
    buf_clear(&out);
    assert_int_equal(sentry_frames(&out, "no traceback at all"), 0);
    assert_string_equal(buf_text(&out), "[]");
    buf_fini(&out);
}

/* --- the queue --- */

static unsigned woken;

static void count_wake(void *arg)
{
    (void)arg;
    woken++;
}

static void hear(struct sentry_queue *q, const char *event, const char *why, uint64_t at_ms)
{
    const struct log_field f[] = {F_STR("why", why)};

    sentry_heard(q, LOG_ERROR, event, f, 1, (int64_t)at_ms, at_ms);
}

static void test_the_same_error_is_told_once_in_ten_seconds(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    struct sentry_record r;

    (void)state;
    woken = 0;
    for (uint64_t i = 0; i < 5; i++)
        hear(q, "disk.bad", i % 2 ? "sector 17" : "sector 4", 100000 + i);
    hear(q, "disk.bad", "another reason", 100010);
    assert_int_equal(woken, 2);
    assert_true(sentry_next(q, &r));
    assert_int_equal(r.repeated, 0);
    assert_true(sentry_next(q, &r));
    assert_string_equal(sentry_field(&r, "why"), "another reason");
    assert_false(sentry_next(q, &r));
    hear(q, "disk.bad", "sector 1", 100000 + SENTRY_AGAIN_MS);
    assert_true(sentry_next(q, &r));
    assert_int_equal(r.repeated, 4);
    sentry_queue_free(q);
}

static void hear_other(struct sentry_queue *q, int i)
{
    char why[3] = {(char)('a' + i % 26), (char)('a' + i / 26), '\0'};

    hear(q, "disk.bad", why, 100000);
}

static void test_what_does_not_fit_is_dropped_and_reported_once(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    struct sentry_record r;
    struct buf out;

    (void)state;
    metrics_reset();
    for (int i = 0; i < SENTRY_QUEUE + 3; i++)
        hear_other(q, i);
    assert_true(sentry_next(q, &r));
    assert_string_equal(sentry_field(&r, "why"), "aa"); /* the newest were dropped */
    assert_int_equal(metric_value(M_SENTRY_OVERFLOW), 3);
    sentry_answered(q, 429, "", "5", 100000);
    hear(q, "disk.bad", "limited", 104999);
    assert_int_equal(metric_value(M_SENTRY_LIMITED), 1);
    assert_false(sentry_may(q, SENTRY_INTERNAL, 104999));
    assert_true(sentry_may(q, SENTRY_INTERNAL, 105000));

    buf_init(&out, 8192);
    assert_int_equal(sentry_report(q, &out, 1795329401332), 0);
    assert_string_equal(
        buf_text(&out),
        "{}\n{\"type\":\"client_report\",\"length\":172}\n"
        "{\"timestamp\":1795329401.332,\"discarded_events\":["
        "{\"reason\":\"queue_overflow\",\"category\":\"error\",\"quantity\":3},"
        "{\"reason\":\"ratelimit_backoff\",\"category\":\"error\",\"quantity\":1}]}\n");
    assert_int_equal(sentry_report(q, &out, 1795329401332), RD_EGONE);
    buf_fini(&out);
    sentry_queue_free(q);
}

/* --- the event --- */

static void who(void *arg, const char *number, char out[65])
{
    (void)arg;
    snprintf(out, 65, "hash%zu", strlen(number));
}

static const struct sentry_about about = {.release = "ringdown@1",
                                          .environment = "test",
                                          .node = "box",
                                          .id = "8b81de3256e64f50ae2eaa29a5a4ea43",
                                          .who = who};

static void event_of(struct sentry_queue *q, struct buf *out)
{
    struct sentry_crumb crumbs[SENTRY_CRUMBS_TOLD];
    struct sentry_record r;
    struct json_value v;

    buf_init(out, 200 * 1024);
    assert_true(sentry_next(q, &r));
    assert_int_equal(sentry_event(out, &r, &about, crumbs, sentry_crumbs(q, &r, crumbs)), 0);
    assert_int_equal(json_parse((struct rd_str){out->data, out->n}, &v), 0);
    assert_non_null(buf_text(out));
}

static void holds(const struct buf *b, const char *what)
{
    if (!strstr(b->data, what))
        fail_msg("%s is not in %s", what, b->data);
}

static void lacks(const struct buf *b, const char *what)
{
    if (strstr(b->data, what))
        fail_msg("%s is in %s", what, b->data);
}

static void test_a_lua_error_has_frames_and_nobodys_words(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    const struct log_field line[] = {F_INT("port", 5), F_WORDS("heard", "secret")};
    const struct log_field of_a_call[] = {F_CALL("CA1"), F_INT("line", 8)};
    const struct log_field f[] = {F_CALL("CA1"),
                                  F_STR("agent", "x"),
                                  F_STR("in", "tool look"),
                                  F_STR("error", "Jane Doe of 4 Elm Street said no"),
                                  F_PHONE("from", "+13125550142"),
                                  F_WORDS("heard", "my name is Jane"),
                                  F_SECRET("key", "sk-1"),
                                  F_INT("n", 7),
                                  F_ERR(-EIO),
                                  F_STR("traceback", traceback)};
    struct buf out;

    (void)state;
    assert_true(crumbs_want(true));
    crumb_fact("CA1", "tool", RD_STR("{\"name\":\"look\",\"took_ms\":5,\"text\":\"Jane\"}"), 999);
    crumb_fact("CA1", "ended", RD_STR("{\"n\":1}"), 1001);
    crumb_fact("CA2", "turn", RD_STR("{\"other\":6}"), 999);
    sentry_heard(q, LOG_INFO, "node.ready", line, 2, 998, 1);
    sentry_heard(q, LOG_INFO, "call.began", of_a_call, 2, 999, 1);
    sentry_heard(q, LOG_WARN, "script.failed", f, 10, 1000, 1);
    event_of(q, &out);
    holds(&out, "\"platform\":\"other\",\"level\":\"warning\"");
    holds(&out, "\"release\":\"ringdown@1\",\"environment\":\"test\"");
    holds(&out, "\"type\":\"script.failed\",\"value\":\"raised by a script;");
    holds(&out, "\"filename\":\"agents/x.lua\"");
    holds(&out, "\"tags\":{\"node\":\"box\",\"agent\":\"x\",\"in\":\"tool look\"}");
    holds(&out, "\"user\":{\"id\":\"hmac:hash12\"}");
    holds(&out, "\"call\":{\"call_sid\":\"CA1\"}");
    holds(&out, "\"category\":\"log\",\"level\":\"info\",\"message\":\"node.ready\","
                "\"data\":{\"port\":5}}");
    holds(&out, "\"category\":\"call\",\"level\":\"info\",\"message\":\"tool\","
                "\"data\":{\"name\":\"look\",\"took_ms\":5}}");
    assert_true(strstr(out.data, "node.ready") < strstr(out.data, "\"message\":\"tool\""));
    lacks(&out, "\"line\":8"); /* of a call its facts are told, not its lines */
    lacks(&out, "\"ended\"");  /* what came after it */
    holds(&out, "\"n\":7");
    holds(&out, "\"from\":\"[phone]\"");
    lacks(&out, "other\":6"); /* another call's */
    lacks(&out, "Jane");
    lacks(&out, "Elm");
    lacks(&out, "secret");
    lacks(&out, "sk-1");
    lacks(&out, "3125550142");
    assert_true(crumbs_want(false));
    buf_fini(&out);
    sentry_queue_free(q);
}

static void test_lua_itself_may_say_what_is_wrong(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    const struct log_field f[] = {
        F_STR("traceback", "agents/x.lua:3: attempt to index a nil value (local 'customer')\n"
                           "stack traceback:\n\tagents/x.lua:3: in function 'f'")};
    const struct log_field forged[] = {
        F_STR("traceback", "agents/x.lua:3: Jane will attempt to flee\nstack traceback:\n")};
    struct buf out;

    (void)state;
    sentry_heard(q, LOG_ERROR, "script.failed", f, 1, 1000, 1);
    event_of(q, &out);
    holds(&out, "\"value\":\"attempt to index a nil value (local 'customer')\"");
    buf_fini(&out);
    sentry_heard(q, LOG_ERROR, "operation.failed", forged, 1, 1000, 1);
    event_of(q, &out);
    lacks(&out, "flee");
    buf_fini(&out);
    sentry_queue_free(q);
}

static void alarm_line(struct sentry_queue *q, const char *kind, const char *severity)
{
    const struct log_field f[] = {F_STR("kind", kind), F_STR("subject", "n2"),
                                  F_STR("severity", severity), F_STR("text", "it is so")};

    sentry_heard(q, LOG_ERROR, "alarm", f, 4, 1000, 100000);
}

static void test_critical_alarms_and_lost_nodes_are_told_by_their_code(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    struct buf out;

    (void)state;
    alarm_line(q, "journal.lag", "warning");
    alarm_line(q, "process.crashed", "critical"); /* it comes with its frames, by sentry_crash() */
    alarm_line(q, "database.down", "critical");
    alarm_line(q, "node.lost", "warning");
    event_of(q, &out);
    holds(&out, "\"platform\":\"native\"");
    holds(&out, "\"type\":\"database.down\"");
    holds(&out, "\"message\":\"alarm\""); /* the warning is a breadcrumb */
    buf_fini(&out);
    event_of(q, &out);
    holds(&out, "\"type\":\"node.lost\"");
    holds(&out, "\"subject\":\"n2\"");
    buf_fini(&out);
    sentry_queue_free(q);
}

static void test_a_line_of_any_size_makes_a_bounded_event(void **state)
{
    struct sentry_queue *q = sentry_queue_new(count_wake, NULL);
    char *big = malloc(100000);
    struct log_field f[12];
    struct buf out;

    (void)state;
    assert_non_null(big);
    memset(big, '"', 99999);
    big[99999] = '\0';
    memcpy(big, "stack traceback:\n", 17);
    for (int i = 0; i < 12; i++)
        f[i] = F_STR(i == 0 ? "traceback" : "t", big);
    sentry_heard(q, LOG_ERROR, "x.y", f, 12, 1000, 1);
    event_of(q, &out);
    assert_true(out.n < 64 * 1024);
    buf_fini(&out);
    free(big);
    sentry_queue_free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_dsn_is_an_address_and_a_key),
        cmocka_unit_test(test_the_longest_of_all_limits_holds),
        cmocka_unit_test(test_limits_nobody_can_read_are_ignored),
        cmocka_unit_test(test_numbers_keys_and_addresses_are_taken_out),
        cmocka_unit_test(test_a_traceback_is_frames_the_oldest_first),
        cmocka_unit_test(test_the_same_error_is_told_once_in_ten_seconds),
        cmocka_unit_test(test_what_does_not_fit_is_dropped_and_reported_once),
        cmocka_unit_test(test_a_lua_error_has_frames_and_nobodys_words),
        cmocka_unit_test(test_lua_itself_may_say_what_is_wrong),
        cmocka_unit_test(test_critical_alarms_and_lost_nodes_are_told_by_their_code),
        cmocka_unit_test(test_a_line_of_any_size_makes_a_bounded_event),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
