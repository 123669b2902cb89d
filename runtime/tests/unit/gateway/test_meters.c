/* SPDX-License-Identifier: Apache-2.0 */
/* Facts become numbers: which result, which class, how long an emergency took. */
#include "call/toolcall.h"
#include "gateway/meters.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct metered_call ours = {.agent = "plumber", .system = "openai", .first = true};

static int clean(void **state)
{
    (void)state;
    metrics_reset();
    (void)metric_label(LABEL_AGENT, "plumber");
    (void)metric_label(LABEL_TOOL, "plumber_eta");
    return 0;
}

struct wanted {
    const char *values[METRIC_LABELS];
    uint64_t value, count;
};

static int look(void *arg, const struct metric_series *s)
{
    struct wanted *w = arg;

    for (int i = 0; i < METRIC_LABELS && w->values[i]; i++)
        if (strcmp(s->values[i], w->values[i]) != 0)
            return 0;
    w->value = s->value;
    for (unsigned i = 0; i <= METRIC_EDGES; i++)
        w->count += s->buckets[i];
    return 1;
}

static struct wanted number(enum metric_family f, const char *a, const char *b, const char *c)
{
    struct wanted w = {.values = {a, b, c}};

    (void)metric_each(f, look, &w);
    return w;
}

static void tool(const char *name, const char *output, uint32_t took_ms)
{
    meter_record(&ours, &(struct record){.type = RECORD_TOOL,
                                         .done = true,
                                         .name = rd_str(name),
                                         .text = rd_str(output),
                                         .took_ms = took_ms});
}

static uint64_t tools(const char *name, const char *result)
{
    return number(F_TOOL_CALLS, name, result, NULL).value;
}

static void test_a_tool_counts_as_what_came_of_it(void **state)
{
    (void)state;
    tool("plumber_eta", "{\"minutes\":35}", 120);
    tool("plumber_eta", "[1,2]", 120);
    tool("plumber_eta", "{\"failed\":true,\"say\":\"The map is not answering.\"}", 4000);
    tool("plumber_eta", "{\"refused\":\"Nobody is free today.\"}", 90);
    tool("plumber_eta", "{\"error\":\"The arguments are wrong.\"}", 1);
    tool("plumber_eta", "{\"failed\":true}", TOOLCALL_TIMEOUT_MS);
    assert_int_equal(tools("plumber_eta", "ok"), 2);
    assert_int_equal(tools("plumber_eta", "failed"), 1);
    assert_int_equal(tools("plumber_eta", "no"), 2);
    assert_int_equal(tools("plumber_eta", "late"), 1);
    assert_int_equal(number(F_TOOL_MS, "plumber_eta", NULL, NULL).count, 6);
}

static void test_a_tool_that_the_model_made_up_is_other(void **state)
{
    (void)state;
    tool("+13125550142; drop table", "{\"error\":\"There is no such tool.\"}", 1);
    assert_int_equal(tools("other", "no"), 1);
}

static uint64_t errors(const char *class)
{
    return number(F_PROVIDER_ERRORS, "openai", class, NULL).value;
}

static void test_errors_have_a_class(void **state)
{
    static const struct {
        const char *code, *class;
    } known[] = {{"rate_limit_exceeded", "rate_limit"},
                 {"insufficient_quota", "quota"},
                 {"invalid_api_key", "credentials"},
                 {"http_401", "credentials"},
                 {"close_3000", "credentials"},
                 {"timeout", "late"},
                 {"http_503", "server"},
                 {"server_error", "server"},
                 {"close_1006", "connection"},
                 {"provider", "connection"},
                 {"http_404", "request"},
                 {"invalid_value", "request"},
                 {"what nobody knows", "other"},
                 {"", "other"}};

    (void)state;
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        uint64_t before = errors(known[i].class);

        meter_record(&ours, &(struct record){.type = RECORD_ERROR, .name = rd_str(known[i].code)});
        assert_int_equal(errors(known[i].class), before + 1);
    }
}

/* A call that comes back from a transfer ends a second time; it is still one call. */
static void test_a_call_counts_once(void **state)
{
    struct metered_call again = ours;
    struct call_totals totals = {.duration_ms = 61000, .first_audio_ms = 400, .frames_in = 10};
    struct record end = {.type = RECORD_ENDED,
                         .reason = CALL_END_TRANSFERRED,
                         .text = RD_STR("transferred"),
                         .totals = &totals};

    (void)state;
    meter_record(&ours, &end);
    again.first = false;
    end.reason = CALL_END_CALLER_HANGUP;
    end.text = RD_STR("caller_hangup");
    meter_record(&again, &end);
    assert_int_equal(number(F_CALLS, "plumber", "openai", "transferred").value, 1);
    assert_int_equal(number(F_CALLS, "plumber", "openai", "caller_hangup").value, 0);
    assert_int_equal(number(F_DURATION_MS, "openai", NULL, NULL).count, 1);
    assert_int_equal(number(F_FIRST_AUDIO_MS, "plumber", "openai", NULL).count, 1);
    assert_int_equal(metric_value(M_CALLS_ENDED), 1);
    assert_int_equal(metric_value(M_FRAMES_IN), 20);
}

static void test_a_call_without_a_stream_is_told_apart(void **state)
{
    (void)state;
    meter_without_stream("plumber", "fallback");
    meter_without_stream("plumber", "sent");
    meter_without_stream(NULL, "fallback");
    assert_int_equal(number(F_CALLS, "plumber", "fallback", "fallback").value, 1);
    assert_int_equal(number(F_CALLS, "plumber", "vapi", "sent").value, 1);
    assert_int_equal(number(F_CALLS, "other", "fallback", "fallback").value, 1);
}

static void test_texts_count_as_they_come_along(void **state)
{
    (void)state;
    meter_text(RD_STR("out"), RD_STR("sent"));
    meter_text(RD_STR("out"), RD_STR("delivered"));
    meter_text(RD_STR("out"), RD_STR(""));
    meter_text(RD_STR("out"), RD_STR("what Twilio never said"));
    assert_int_equal(number(F_TEXTS, "out", "sent", NULL).value, 1);
    assert_int_equal(number(F_TEXTS, "out", "delivered", NULL).value, 1);
    assert_int_equal(number(F_TEXTS, "out", "other", NULL).value, 1);
}

static void test_an_emergency_has_a_time_if_it_began_here(void **state)
{
    (void)state;
    meter_triage(RD_STR("CA1"), RD_STR("gas"), RD_STR("open"));
    meter_triage(RD_STR("CA1"), RD_STR("flood"), RD_STR("open"));
    meter_triage(RD_STR("CA1"), RD_STR("gas"), RD_STR("handled"));
    meter_triage(RD_STR("CA1"), RD_STR("gas"), RD_STR("handled")); /* its time is gone */
    meter_triage(RD_STR("CA2"), RD_STR("flood"), RD_STR("handled"));
    meter_triage(RD_STR("CA1"), RD_STR("flood"), RD_STR("abandoned"));
    assert_int_equal(metric_value(M_TRIAGE_HANDLED), 3);
    assert_int_equal(metric_value(M_TRIAGE_ABANDONED), 1);
    assert_int_equal(metric_summarise(H_TRIAGE_HANDLED_MS).count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_a_tool_counts_as_what_came_of_it, clean),
        cmocka_unit_test_setup(test_a_tool_that_the_model_made_up_is_other, clean),
        cmocka_unit_test_setup(test_errors_have_a_class, clean),
        cmocka_unit_test_setup(test_a_call_counts_once, clean),
        cmocka_unit_test_setup(test_a_call_without_a_stream_is_told_apart, clean),
        cmocka_unit_test_setup(test_texts_count_as_they_come_along, clean),
        cmocka_unit_test_setup(test_an_emergency_has_a_time_if_it_began_here, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
