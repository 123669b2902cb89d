/* SPDX-License-Identifier: Apache-2.0 */
/* What reaches stderr, and what of it anybody may read. */
#include "base/err.h"
#include "base/json.h"
#include "base/log.h"
#include "base/log_line.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const int64_t noon_ms = INT64_C(1795348800123); /* 2026-11-22T12:00:00.123Z */

static void assert_line(enum log_format format, enum log_level level, const struct log_field *f,
                        int n, const char *expected)
{
    const struct log_fact fact = {level, "call.ended", noon_ms, f, n};
    struct buf out;

    buf_init(&out, LOG_LINE_MAX);
    assert_int_equal(log_line(&out, format, &fact), 0);
    assert_string_equal(buf_text(&out), expected);
    buf_fini(&out);
}

#define LOGFMT(level, expected, ...)                                                           \
    assert_line(LOG_LOGFMT, level, (struct log_field[]){__VA_ARGS__}, LOG_COUNT_(__VA_ARGS__), \
                expected)
#define JSON(level, expected, ...)                                                           \
    assert_line(LOG_JSON, level, (struct log_field[]){__VA_ARGS__}, LOG_COUNT_(__VA_ARGS__), \
                expected)

static void test_a_fact_is_one_line_in_either_format(void **state)
{
    (void)state;
    LOGFMT(LOG_INFO,
           "level=info ts=2026-11-22T12:00:00.123Z ev=call.ended call=CA1 reason=caller_hangup "
           "dur_ms=48210 cost=0.25\n",
           F_CALL("CA1"), F_STR("reason", "caller_hangup"), F_INT("dur_ms", 48210),
           F_DOUBLE("cost", 0.25));
    JSON(LOG_WARN,
         "{\"level\":\"warn\",\"ts\":\"2026-11-22T12:00:00.123Z\",\"ev\":\"call.ended\","
         "\"call\":\"CA1\",\"err\":\"peer broke the protocol\",\"code\":-10002,\"n\":-1}\n",
         F_CALL("CA1"), F_ERR(RD_EPROTO), F_INT("n", -1));
}

static void test_nobody_can_write_a_second_line_into_ours(void **state)
{
    (void)state;
    LOGFMT(LOG_INFO,
           "level=info ts=2026-11-22T12:00:00.123Z ev=call.ended a=\"x\\nlevel=error y\" b=\"\" "
           "c=\"say \\\"hi\\\"\" d=\"\\u001b[2J\" e=\"\xEF\xBF\xBD\" f=\"k=v\"\n",
           F_STR("a", "x\nlevel=error y"), F_STR("b", ""), F_STR("c", "say \"hi\""),
           F_STR("d", "\x1b[2J"), F_STR("e", "\xFF"), F_STR("f", "k=v"));
    JSON(LOG_INFO,
         "{\"level\":\"info\",\"ts\":\"2026-11-22T12:00:00.123Z\",\"ev\":\"call.ended\","
         "\"a\":\"\\\",\\\"admin\\\":\\\"\\n\",\"b\":\"\"}\n",
         F_STR("a", "\",\"admin\":\"\n"), F_STR("b", NULL));
}

static void test_phone_numbers_keep_country_and_two_digits(void **state)
{
    static const struct {
        const char *number, *shown;
    } phones[] = {
        {"+13125550142", "+1..42"},
        {"+4930123456", "+49..56"},
        {"+35312345678", "+353..78"},
        {"+79161234567", "+7..67"},
        {"+12345", ".."},
        {"5550142", ".."},
        {"anonymous", "anonymous"},
        {"client:alice", "client:.."},
        {"sip:bob@example.com", "sip:.."},
        {"sips:bob@x", "sip:.."},
        {"+1312x550142", ".."},
        {"Alice", ".."},
        {"", ""},
    };
    char shown[64];

    (void)state;
    for (size_t i = 0; i < sizeof(phones) / sizeof(phones[0]); i++) {
        log_phone(shown, sizeof(shown), phones[i].number);
        assert_string_equal(shown, phones[i].shown);
    }
}

static void test_words_show_at_debug_and_secrets_never(void **state)
{
    (void)state;
    LOGFMT(LOG_INFO,
           "level=info ts=2026-11-22T12:00:00.123Z ev=call.ended said=\"(13 bytes)\" key=(set) "
           "token=(empty) from=+1..42\n",
           F_WORDS("said", "my PIN is 123"), F_SECRET("key", "sk-123"), F_SECRET("token", ""),
           F_PHONE("from", "+13125550142"));
    LOGFMT(
        LOG_DEBUG,
        "level=debug ts=2026-11-22T12:00:00.123Z ev=call.ended said=\"my PIN is 123\" key=(set)\n",
        F_WORDS("said", "my PIN is 123"), F_SECRET("key", "sk-123"));
}

static void test_an_error_that_quotes_a_caller_shows_no_card(void **state)
{
    (void)state;
    LOGFMT(LOG_ERROR,
           "level=error ts=2026-11-22T12:00:00.123Z ev=call.ended why=\"no such card: [card]\" "
           "id=4111111111111111\n",
           F_STR("why", "no such card: 4111 1111 1111 1111"), F_STR("id", "4111111111111111"));
    LOGFMT(LOG_ERROR,
           "level=error ts=2026-11-22T12:00:00.123Z ev=call.ended "
           "error=\"agents/x.lua:3: ask [mail] or [phone], key [key]\"\n",
           F_RAISED("error",
                    "agents/x.lua:3: ask jane@mail.example or +13125550142, key sk-12345678"));
    LOGFMT(LOG_DEBUG,
           "level=debug ts=2026-11-22T12:00:00.123Z ev=call.ended said=\"it is [ssn]\"\n",
           F_WORDS("said", "it is 123-45-6789"));
    LOGFMT(LOG_DEBUG, "level=debug ts=2026-11-22T12:00:00.123Z ev=call.ended said=[card]\n",
           F_WORDS("said", "4111111111111111"));
}

static void test_long_values_are_cut_between_characters(void **state)
{
    char text[3 * 1000 + 1];
    const struct log_field f = F_STR("t", text);
    const struct log_fact fact = {LOG_INFO, "x", noon_ms, &f, 1};
    struct buf out;

    (void)state;
    for (size_t i = 0; i < sizeof(text) - 1; i += 3)
        memcpy(text + i, "\xE2\x82\xAC", 3);
    text[sizeof(text) - 1] = '\0';
    buf_init(&out, LOG_LINE_MAX);
    assert_int_equal(log_line(&out, LOG_LOGFMT, &fact), 0);
    assert_null(strstr(buf_text(&out), "\xEF\xBF\xBD"));
    assert_non_null(strstr(buf_text(&out), "\xE2\x82\xAC...\"\n"));
    assert_in_range(out.n, LOG_VALUE_MAX, LOG_VALUE_MAX + 80);
    buf_fini(&out);
}

static void test_fields_that_do_not_fit_are_left_out_and_said_to_be(void **state)
{
    struct log_field f[20];
    char big[1500];
    const struct log_fact fact = {LOG_ERROR, "x", noon_ms, f, 20};
    struct json_value v;
    struct buf out;

    (void)state;
    memset(big, '\x01', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    for (int i = 0; i < 20; i++)
        f[i] = F_STR("t", big);
    buf_init(&out, LOG_LINE_MAX);
    assert_int_equal(log_line(&out, LOG_JSON, &fact), 0);
    assert_int_equal(json_parse((struct rd_str){out.data, out.n}, &v), 0);
    assert_int_equal(json_get(&v, "left_out").type, JSON_NUMBER);
    buf_fini(&out);
    buf_init(&out, 20);
    assert_int_equal(log_line(&out, LOG_JSON, &fact), RD_EFULL);
    assert_int_equal(out.n, 0);
    buf_fini(&out);
}

/* The real thing
 * ---------------------------------------------------------------------------------*/

struct captured {
    int saved, read_end;
};

static void capture(struct captured *c)
{
    int ends[2];

    assert_int_equal(pipe(ends), 0);
    c->saved = dup(STDERR_FILENO);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    c->read_end = ends[0];
}

/* Puts stderr back and returns everything that was written, terminated. */
static char *released(struct captured *c, size_t cap)
{
    char *text = malloc(cap);
    size_t n = 0;
    ssize_t got;

    assert_non_null(text);
    dup2(c->saved, STDERR_FILENO);
    close(c->saved);
    while (n < cap - 1 && (got = read(c->read_end, text + n, cap - 1 - n)) > 0)
        n += (size_t)got;
    text[n] = '\0';
    close(c->read_end);
    return text;
}

static int occurrences(const char *text, const char *word)
{
    int n = 0;

    for (; (text = strstr(text, word)); text += strlen(word))
        n++;
    return n;
}

static void test_levels_decide_and_errors_are_counted(void **state)
{
    enum log_level level;
    struct captured c;
    uint64_t errors = log_count(LOG_ERROR);
    char *text;

    (void)state;
    capture(&c);
    log_config(LOG_WARN, LOG_LOGFMT);
    log_error("a.broke", F_FIX("mend it"));
    log_warn("b.odd", F_INT("n", 1));
    log_info("c.fine", F_INT("n", 2));
    text = released(&c, 4096);
    assert_int_equal(occurrences(text, "\n"), 2);
    assert_non_null(strstr(text, "ev=a.broke fix=\"mend it\"\n"));
    assert_non_null(strstr(text, "ev=b.odd"));
    free(text);
    assert_int_equal(log_count(LOG_ERROR), errors + 1);
    assert_int_equal(log_level_parse("DEBUG", &level), 0);
    assert_int_equal(level, LOG_DEBUG);
    assert_int_equal(log_level_parse("loud", &level), RD_ECONFIG);
}

static void *say_hundred(void *arg)
{
    for (int i = 0; i < 100; i++)
        log_info("t.said", F_STR("by", arg), F_INT("n", i));
    return NULL;
}

static void test_lines_of_many_threads_arrive_whole(void **state)
{
    pthread_t threads[4];
    struct captured c;
    char *text;

    (void)state;
    log_config(LOG_INFO, LOG_JSON);
    capture(&c);
    assert_int_equal(fcntl(c.read_end, F_SETPIPE_SZ, 1 << 18) > 0, 1);
    assert_int_equal(log_start(), 0);
    assert_int_equal(log_start(), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, say_hundred, "me"), 0);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    log_stop();
    log_stop();
    text = released(&c, 1 << 18);
    assert_int_equal(occurrences(text, "{\"level\":\"info\""), 400);
    assert_int_equal(occurrences(text, "}\n"), 400);
    free(text);
    log_config(LOG_INFO, LOG_LOGFMT);
}

static void *read_slowly(void *arg)
{
    struct captured *c = arg;
    char *text = malloc(8 << 20);
    size_t n = 0;
    ssize_t got;

    while (text && (got = read(c->read_end, text + n, (8 << 20) - 1 - n)) > 0)
        n += (size_t)got;
    if (text)
        text[n] = '\0';
    return text;
}

/* Nobody reads at first: the pipe fills, then the queue, and whoever logs still goes on. */
static void test_a_stuck_terminal_loses_lines_but_stops_nobody(void **state)
{
    uint64_t lost = log_lost();
    struct captured c;
    pthread_t reader;
    char big[1000];
    void *text;

    (void)state;
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    capture(&c);
    assert_int_equal(log_start(), 0);
    for (int i = 0; i < 2000; i++)
        log_info("t.big", F_STR("x", big));
    assert_true(log_lost() > lost);
    assert_int_equal(pthread_create(&reader, NULL, read_slowly, &c), 0);
    for (uint64_t before = log_lost() + 1; before != log_lost();) {
        before = log_lost();
        log_info("t.after", F_INT("n", 1));
    }
    log_stop();
    dup2(c.saved, STDERR_FILENO);
    close(c.saved);
    pthread_join(reader, &text);
    close(c.read_end);
    assert_non_null(text);
    assert_true(occurrences(text, "ev=log.lost lines=") >= 1);
    assert_true(occurrences(text, "ev=t.after") >= 1);
    free(text);
}

/* What is logged of two calls at every level. */
static void log_two_calls(void)
{
    log_debug("t.fact", F_CALL("CA1"), F_WORDS("words", "hello"));
    log_debug("t.fact", F_CALL("CA2"), F_WORDS("words", "good bye"));
    log_debug("t.fact", F_INT("n", 1));
    log_info("t.fine", F_CALL("CA2"));
}

static void test_one_call_may_be_watched_and_nobody_else_is(void **state)
{
    struct log_state s;
    struct captured c;
    char *text;

    (void)state;
    log_config(LOG_WARN, LOG_LOGFMT);
    assert_int_equal(log_watch("CA1", 60000), 0);
    capture(&c);
    log_two_calls();
    text = released(&c, 4096);
    assert_int_equal(occurrences(text, "\n"), 1);
    assert_non_null(strstr(text, "level=debug"));
    assert_non_null(strstr(text, "ev=t.fact call=CA1 words=hello\n"));
    free(text);
    log_state(&s);
    assert_int_equal(s.n_watches, 1);
    assert_string_equal(s.watches[0].call, "CA1");
    assert_int_equal(s.watches[0].lines, 1);
    assert_int_equal(s.now, LOG_WARN);
    log_config(LOG_INFO, LOG_LOGFMT);
    capture(&c);
    assert_int_equal(log_watch("CA1", 0), 0);
    log_two_calls();
    text = released(&c, 4096);
    assert_non_null(strstr(text, "ev=log.watch_over call=CA1 lines=1 dropped=0\n"));
    assert_null(strstr(text, "t.fact"));
    free(text);
    assert_false(log_on(LOG_DEBUG));
}

/* A call that talks too much is cut off, a second at a time; eight are watched, not nine. */
static void test_watching_is_bounded(void **state)
{
    struct log_state s;
    struct captured c;
    char call[LOG_WATCH_CALL + 1];

    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    for (int i = 0; i < LOG_WATCHES; i++) {
        (void)snprintf(call, sizeof(call), "CA%d", i);
        assert_int_equal(log_watch(call, 60000), 0);
    }
    assert_int_equal(log_watch("CA9", 60000), RD_EFULL);
    assert_int_equal(log_watch("CA0", 60000), 0);
    memset(call, 'A', LOG_WATCH_CALL);
    call[LOG_WATCH_CALL] = '\0';
    assert_int_equal(log_watch(call, 60000), RD_ETOOBIG);
    assert_int_equal(log_watch("", 60000), RD_ETOOBIG);
    capture(&c);
    for (int i = 0; i < 3 * LOG_WATCH_SECOND; i++)
        log_debug("t.x", F_CALL("CA0"));
    free(released(&c, 65536));
    log_state(&s);
    assert_true(s.watches[0].lines < 3 * LOG_WATCH_SECOND);
    assert_int_equal(s.watches[0].lines + s.watches[0].dropped, 3 * LOG_WATCH_SECOND);
    for (int i = 0; i < LOG_WATCHES; i++) {
        (void)snprintf(call, sizeof(call), "CA%d", i);
        assert_int_equal(log_watch(call, 0), 0);
    }
    log_state(&s);
    assert_int_equal(s.n_watches, 0);
}

static void test_another_level_holds_for_a_while(void **state)
{
    struct log_state s;

    (void)state;
    log_config(LOG_INFO, LOG_LOGFMT);
    log_level_for(LOG_DEBUG, 30);
    assert_true(log_on(LOG_DEBUG));
    log_state(&s);
    assert_int_equal(s.configured, LOG_INFO);
    assert_int_equal(s.now, LOG_DEBUG);
    assert_in_range(s.now_left_ms, 1, 30);
    while (log_on(LOG_DEBUG)) /* for as long as it was said, and no longer */
        usleep(1000);
    log_level_for(LOG_ERROR, 60000);
    assert_false(log_on(LOG_INFO));
    log_level_for(LOG_ERROR, 0);
    assert_true(log_on(LOG_INFO));
}

static char taken[64];

static void take(enum log_level level, const char *event, const struct log_field *f, int n)
{
    (void)snprintf(taken, sizeof(taken), "%d %s %s %d", (int)level, event, f[0].str, n);
}

static void test_a_command_may_show_lines_its_own_way(void **state)
{
    (void)state;
    log_take(take);
    log_error("script.failed", F_STR("in", "map"), F_INT("n", 1));
    log_take(NULL);
    assert_string_equal(taken, "0 script.failed map 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_fact_is_one_line_in_either_format),
        cmocka_unit_test(test_a_command_may_show_lines_its_own_way),
        cmocka_unit_test(test_nobody_can_write_a_second_line_into_ours),
        cmocka_unit_test(test_phone_numbers_keep_country_and_two_digits),
        cmocka_unit_test(test_words_show_at_debug_and_secrets_never),
        cmocka_unit_test(test_an_error_that_quotes_a_caller_shows_no_card),
        cmocka_unit_test(test_long_values_are_cut_between_characters),
        cmocka_unit_test(test_fields_that_do_not_fit_are_left_out_and_said_to_be),
        cmocka_unit_test(test_levels_decide_and_errors_are_counted),
        cmocka_unit_test(test_one_call_may_be_watched_and_nobody_else_is),
        cmocka_unit_test(test_watching_is_bounded),
        cmocka_unit_test(test_another_level_holds_for_a_while),
        cmocka_unit_test(test_lines_of_many_threads_arrive_whole),
        cmocka_unit_test(test_a_stuck_terminal_loses_lines_but_stops_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
