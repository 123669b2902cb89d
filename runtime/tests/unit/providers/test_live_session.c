/* SPDX-License-Identifier: Apache-2.0 */
/* test_live_session.c - one leg to GPT-Live, from session.start to its end: what is written, what is told,
 * tools, seconds, refusals. */
#include "base/err.h"
#include "base/now.h"
#include "observe/targets.h"
#include "providers/live/events.h"
#include "unit/providers/fake_live.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define CALLS(id)                                                                                \
    "{\"type\":\"response.event\",\"event_id\":\"e\",\"delegation_id\":\"d1\",\"event\":"        \
    "{\"type\":\"response.output_item.done\",\"item\":{\"type\":\"function_call\",\"id\":\"f\"," \
    "\"call_id\":\"" id "\",\"name\":\"book\",\"arguments\":\"{\\\"day\\\":\\\"today\\\"}\"}}}"
#define BACKEND(what)                                                                            \
    "{\"type\":\"response.event\",\"delegation_id\":\"d1\",\"event\":{\"type\":\"response." what \
    "\",\"response\":{\"id\":\"r\",\"model\":\"gpt-5.5-x\",\"usage\":{\"input_tokens\":900,"     \
    "\"input_tokens_details\":{\"cached_tokens\":400},\"output_tokens\":30}}}}"

/* --- the start --- */

static void test_the_first_message_holds_all_that_the_session_needs(void **state)
{
    (void)state;
    (void)live_opened();
    assert_string_equal(fake_url(0), "wss://api.openai.com/v1/live/sessions");
    assert_string_equal(fake_header(0), "Authorization: Bearer sk-live");
    fake_open(0);
    assert_string_equal(
        fake_sent(0, 0),
        "{\"type\":\"session.start\",\"session\":{\"model\":\"gpt-live-1.1\",\"instructions\":\"Be "
        "kind.\",\"audio\":{\"format\":{\"type\":\"audio/pcmu\",\"rate\":8000},\"output\":"
        "{\"voice\":\"marin\"}},\"delegation\":{\"type\":\"responses\",\"responses\":{\"model\":"
        "\"gpt-5.5\",\"instructions\":\"Be kind.\",\"tools\":[{\"type\":\"function\",\"name\":"
        "\"book\",\"description\":\"Books.\",\"parameters\":{}}]}}}}");
    assert_int_equal(live_core.n_told, 0);
    fake_text(0, LIVE_STARTED);
    assert_true(core_heard(&live_core, "named live_1"));
    assert_string_equal(core_last(&live_core), "ready");
    fake_advance(60000);
    assert_int_equal(live_core.n_told, 2); /* the start-up clock is off */
}

static void test_a_session_that_does_not_start_in_time_is_lost(void **state)
{
    (void)state;
    (void)live_opened();
    fake_open(0);
    fake_advance(3999);
    assert_int_equal(live_core.n_told, 0);
    fake_advance(1);
    assert_true(core_heard(&live_core, "error timeout"));
    assert_string_equal(core_last(&live_core), "end lost");
}

static void test_the_end_that_the_service_sets_is_told(void **state)
{
    char text[200];

    (void)state;
    (void)live_opened();
    fake_open(0);
    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"session.started\",\"session\":{\"id\":\"s\",\"expires_at\":%lld}}",
                   (long long)(unix_ms() / 1000 + 600));
    fake_text(0, text);
    assert_in_range(live_core.expires_in_ms, 590000, 600000);
}

static void test_a_refusal_says_what_to_do(void **state)
{
    (void)state;
    (void)live_opened();
    fake_open(0);
    fake_text(0, "{\"type\":\"error\",\"error\":{\"type\":\"invalid_request_error\",\"code\":"
                 "\"unknown_parameter\",\"message\":\"Unknown: 'voice'.\"}}");
    fake_turn();
    assert_true(core_heard(&live_core, "error unknown_parameter fatal"));
    assert_string_equal(live_core.message, "Unknown: 'voice'.");
    assert_string_equal(core_last(&live_core), "end refused");
}

static void test_a_refused_key_is_not_repeated(void **state)
{
    (void)state;
    (void)live_opened();
    fake_end(0, WS_END_REFUSED, 401, 0,
             "{\"error\":{\"code\":\"invalid_api_key\",\"message\":\"Wrong: sk-li****\"}}");
    fake_turn();
    assert_true(core_heard(&live_core, "error invalid_api_key fatal"));
    assert_string_equal(live_core.message, "");
    assert_true(strlen(live_core.fix) > 0);
    assert_string_equal(core_last(&live_core), "end refused");
}

static void test_a_service_that_fails_is_worth_another_try(void **state)
{
    (void)state;
    (void)live_opened();
    fake_end(0, WS_END_REFUSED, 503, 0, "");
    fake_turn();
    assert_true(core_heard(&live_core, "error http_503"));
    assert_string_equal(core_last(&live_core), "end lost");
}

static void test_it_is_given_up_for_a_while_when_it_fails(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 10 && fake_dials() == i; i++) {
        (void)live_opened();
        if (fake_dials() == i + 1)
            fake_end(i, WS_END_LOST, 0, -ECONNREFUSED, "");
        fake_turn();
        assert_true(live_core.ended);
        live_core.ended = false;
    }
    assert_in_range(fake_dials(), 2, 9);
    assert_string_equal(core_last(&live_core), "end lost");
    live_core.ended = true;
}

static void test_what_cannot_work_is_not_dialled(void **state)
{
    static char prompt[48 * 1024 + 2];
    struct brief b = live_agent;
    const struct live_session s = {.brief = &b, .call_sid = "CA1"};
    struct provider_leg *leg = NULL;

    (void)state;
    memset(prompt, 'a', sizeof(prompt) - 1);
    b.instructions = prompt;
    assert_int_equal(live_open(&leg, live, &s, &fake_core_events, &live_core), RD_ECONFIG);
    b = live_agent;
    b.tools_json = "[{\"name\":\"two words\"}]";
    assert_int_equal(live_open(&leg, live, &s, &fake_core_events, &live_core), RD_ECONFIG);
    assert_null(leg);
    assert_int_equal(fake_dials(), 0);
}

/* --- what the call wants --- */

static void test_the_caller_goes_on_the_wire_as_he_came(void **state)
{
    const struct audio_span a = {.b64 = "AAAA", .n_b64 = 4, .n_bytes = 3};
    struct provider_leg *leg = live_opened();

    (void)state;
    assert_int_equal(live_provider.audio(leg, &a), RD_ESTATE);
    fake_open(0);
    fake_text(0, LIVE_STARTED);
    assert_int_equal(live_provider.audio(leg, &a), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"session.input_audio.append\",\"audio\":\"AAAA\"}");
}

static void test_words_of_ours_are_asked_for_word_for_word(void **state)
{
    const struct provider_prompt p = {.tag = 7, .exact_words = RD_STR("Hello \"you\"")};

    (void)state;
    assert_int_equal(live_provider.respond(live_ready(), &p), 0);
    assert_non_null(strstr(fake_last(0), "\"type\":\"session.commentary.append\","
                                         "\"delegation_id\":null,\"content\":\"Say exactly"));
    assert_non_null(strstr(fake_last(0), "\\u201cHello \\\"you\\\"\\u201d\"}"));
}

static void test_what_is_to_be_known_goes_in_pieces_that_fit(void **state)
{
    struct provider_leg *leg = live_ready();
    char text[4001], back[8001] = "";
    unsigned before = fake_sent_count(0);
    size_t used = 0;

    (void)state;
    for (size_t i = 0; i < 4000; i++)
        text[i] = i % 10 == 9 ? ' ' : (char)('a' + i % 10);
    text[4000] = '\0';
    assert_int_equal(live_provider.note(leg, rd_str(text)), 0);
    assert_int_equal(fake_sent_count(0), before + 3);
    for (unsigned i = before; i < fake_sent_count(0); i++) {
        const char *from = strstr(fake_sent(0, i), "\"content\":\"");
        size_t n;

        assert_non_null(strstr(fake_sent(0, i), "session.thinking.append"));
        assert_non_null(from);
        from += strlen("\"content\":\"");
        n = strlen(from) - 2;
        assert_true(n <= 1500 && used + n < sizeof(back));
        memcpy(back + used, from, n);
        used += n;
    }
    assert_string_equal(back, text);
}

static void test_letters_are_not_cut_and_too_much_is_refused(void **state)
{
    struct provider_leg *leg = live_ready();
    static char text[20000];

    (void)state;
    for (size_t i = 0; i + 2 < 4000; i += 2)
        memcpy(text + i, "\xc3\xbc", 2);
    text[0] = 'a'; /* so that a limit of bytes falls into a letter */
    memmove(text + 1, text + 2, 3996);
    text[3997] = '\0';
    assert_int_equal(live_provider.note(leg, rd_str(text)), 0);
    for (unsigned i = 1; i < fake_sent_count(0); i++)
        assert_null(strstr(fake_sent(0, i), "\xef\xbf\xbd"));
    memset(text, 'x', sizeof(text) - 1);
    assert_int_equal(live_provider.note(leg, rd_str(text)), RD_ETOOBIG);
}

static void test_a_later_session_is_told_what_was_before(void **state)
{
    struct provider_leg *leg = live_ready();
    const struct history_item said = {.kind = HISTORY_CALLER, .text = RD_STR("I am Ann")};
    const struct history_item tool = {.kind = HISTORY_TOOL,
                                      .name = RD_STR("book"),
                                      .text = RD_STR("{}"),
                                      .output = RD_STR("done"),
                                      .has_output = true};
    const struct history_item runs = {.kind = HISTORY_TOOL, .name = RD_STR("book")};
    unsigned before;

    (void)state;
    assert_int_equal(live_provider.remember(leg, &said), 0);
    assert_non_null(strstr(fake_last(0), "the caller said: I am Ann"));
    assert_int_equal(live_provider.remember(leg, &tool), 0);
    assert_non_null(strstr(fake_last(0), "tool book was called with {} and returned: done"));
    before = fake_sent_count(0);
    assert_int_equal(live_provider.remember(leg, &runs), 0);
    assert_int_equal(fake_sent_count(0), before);
}

/* --- tools --- */

static void test_the_backend_goes_on_once_all_its_calls_are_answered(void **state)
{
    struct provider_leg *leg = live_ready();

    (void)state;
    fake_text(0, BACKEND("created"));
    fake_text(0, CALLS("c1"));
    assert_true(core_heard(&live_core, "tool l1.c1 book {\"day\":\"today\"}"));
    fake_text(0, CALLS("c2"));
    assert_int_equal(live_provider.tool_result(leg, RD_STR("l1.c1"), RD_STR("\"ok\"")), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"response.item.create\",\"item\":{\"type\":"
                        "\"function_call_output\",\"call_id\":\"c1\",\"output\":\"\\\"ok\\\"\"}}");
    fake_text(0, BACKEND("completed"));
    assert_null(strstr(fake_last(0), "response.create"));
    assert_int_equal(live_provider.tool_result(leg, RD_STR("l1.c2"), RD_STR("ok")), 0);
    assert_string_equal(fake_last(0), "{\"type\":\"response.create\"}");
}

static void test_a_result_that_is_faster_than_the_backend_waits_for_it(void **state)
{
    struct provider_leg *leg = live_ready();
    const struct provider_prompt answer = {.tag = 3};
    unsigned sent;

    (void)state;
    fake_text(0, BACKEND("created"));
    fake_text(0, CALLS("c1"));
    assert_int_equal(live_provider.tool_result(leg, RD_STR("l1.c1"), RD_STR("ok")), 0);
    assert_null(strstr(fake_last(0), "\"response.create\""));
    fake_text(0, BACKEND("completed"));
    assert_string_equal(fake_last(0), "{\"type\":\"response.create\"}");
    sent = fake_sent_count(0); /* that it shall answer is said with that */
    assert_int_equal(live_provider.respond(leg, &answer), 0);
    assert_int_equal(fake_sent_count(0), sent);
    live_sounds(20);
    assert_true(core_heard(&live_core, "response l1.r1 started #3"));
}

static void test_a_call_ends_what_the_caller_was_saying(void **state)
{
    (void)state;
    (void)live_ready();
    live_caller_words("Bye");
    fake_text(0, CALLS("c1"));
    assert_true(strstr(live_core.told, "stopped ") < strstr(live_core.told, "tool "));
    live_caller_words(" now.");
    fake_advance(800);
    assert_true(core_heard(&live_core, "words caller l1.c1 final \"Bye now.\""));
    assert_int_equal(core_count(&live_core, "started"), 1);
}

static void test_its_tokens_are_told_under_its_own_name(void **state)
{
    (void)state;
    (void)live_ready();
    fake_text(0, BACKEND("completed"));
    assert_string_equal(core_last(&live_core), "usage");
    assert_int_equal(live_core.usage.text_in, 900);
    assert_int_equal(live_core.usage.text_in_cached, 400);
    assert_int_equal(live_core.usage.text_out, 30);
    assert_true(live_core.usage.seconds == 0);
}

static void test_results_of_another_session_are_refused(void **state)
{
    (void)state;
    assert_int_equal(live_provider.tool_result(live_ready(), RD_STR("l2.c1"), RD_STR("ok")),
                     RD_EGONE);
}

static void test_a_call_that_cannot_be_answered_is_counted(void **state)
{
    (void)state;
    (void)live_ready();
    fake_text(0, "{\"type\":\"response.event\",\"event\":{\"type\":\"response.output_item.done\","
                 "\"item\":{\"type\":\"function_call\",\"name\":\"book\"}}}");
    fake_text(0, CALLS("c1"));
    fake_text(0, CALLS("c1"));
    assert_int_equal(core_count(&live_core, "tool "), 1);
    assert_int_equal(live_pool_counts(live).bad_frames, 2);
}

static void test_a_call_too_many_is_answered_by_ourselves(void **state)
{
    char call[256], id[16];
    struct provider_leg *leg = live_ready();

    (void)state;
    fake_text(0, BACKEND("created"));
    for (int i = 0; i < LIVE_CALLS + 1; i++) {
        (void)snprintf(
            call, sizeof(call),
            "{\"type\":\"response.event\",\"event\":{\"type\":\"response.output_item.done\","
            "\"item\":{\"type\":\"function_call\",\"call_id\":\"c%d\",\"name\":\"book\","
            "\"arguments\":\"{}\"}}}",
            i);
        fake_text(0, call);
    }
    assert_int_equal(core_count(&live_core, "tool "), LIVE_CALLS);
    assert_non_null(strstr(fake_last(0), "\"call_id\":\"c16\",\"output\":\"{\\\"error\\\":"));
    fake_text(0, BACKEND("completed"));
    assert_null(strstr(fake_last(0), "response.create\""));
    for (int i = 0; i < LIVE_CALLS; i++) {
        (void)snprintf(id, sizeof(id), "l1.c%d", i);
        assert_int_equal(live_provider.tool_result(leg, rd_str(id), RD_STR("ok")), 0);
    }
    assert_string_equal(fake_last(0), "{\"type\":\"response.create\"}");
}

static void test_a_backend_that_fails_is_not_asked_to_go_on(void **state)
{
    struct provider_leg *leg = live_ready();

    (void)state;
    fake_text(0, BACKEND("created"));
    fake_text(0, CALLS("c1"));
    fake_text(0, BACKEND("failed"));
    assert_int_equal(live_provider.tool_result(leg, RD_STR("l1.c1"), RD_STR("ok")), 0);
    assert_null(strstr(fake_last(0), "\"response.create\""));
}

/* --- seconds, and the end --- */

static void seconds(double s)
{
    char text[200];

    (void)snprintf(text, sizeof(text),
                   "{\"type\":\"session.usage.updated\",\"usage\":{\"seconds\":%.1f},"
                   "\"context_window\":{\"usage_ratio\":0.1}}",
                   s);
    fake_text(0, text);
}

static void test_seconds_are_told_now_and_then_and_add_up(void **state)
{
    (void)state;
    (void)live_ready();
    for (int i = 1; i <= 65; i++) {
        fake_advance(1000);
        seconds(i);
    }
    assert_int_equal(core_count(&live_core, "usage"), 2);
    assert_true(live_core.usage.seconds == 30);
    assert_string_equal(live_core.raw, "{\"seconds\":30.000,\"session_seconds\":60.000}");
    seconds(3); /* it cannot go back */
    live_provider.close(live_core.leg);
    fake_text(0, "{\"type\":\"session.closed\",\"reason\":\"close_requested\",\"usage\":"
                 "{\"seconds\":66.5}}");
    fake_turn();
    assert_true(live_core.usage.seconds == 6.5);
    assert_string_equal(core_last(&live_core), "end closed_by_us");
}

static void test_a_close_waits_for_the_bill_but_not_for_ever(void **state)
{
    struct provider_leg *leg = live_ready();

    (void)state;
    live_provider.close(leg);
    live_provider.close(leg);
    assert_string_equal(fake_last(0), "{\"type\":\"session.close\"}");
    live_sounds(20); /* nobody hears it */
    fake_advance(1479);
    assert_int_equal(live_core.n_told, 0);
    fake_advance(1);
    fake_turn();
    assert_string_equal(core_last(&live_core), "end closed_by_us");
}

static void test_a_session_that_is_left_tells_what_it_cost_so_far(void **state)
{
    struct provider_leg *leg = live_ready();

    (void)state;
    fake_advance(5000);
    seconds(5);
    assert_int_equal(live_core.n_told, 0);
    live_provider.forget(leg);
    assert_string_equal(core_last(&live_core), "usage");
    fake_text(0, "{\"type\":\"session.closed\",\"usage\":{\"seconds\":6}}");
    fake_turn();
    assert_int_equal(live_core.n_told, 1);
    live_core.ended = true;
}

static void test_a_session_that_ends_by_itself_is_worth_another(void **state)
{
    (void)state;
    (void)live_ready();
    live_agent_words("We are op");
    live_sounds(100);
    fake_text(0, "{\"type\":\"session.closed\",\"reason\":\"expired\",\"usage\":{\"seconds\":9}}");
    fake_turn();
    assert_true(core_heard(&live_core, "response l1.r1 incomplete"));
    assert_true(core_heard(&live_core, "words agent l1.a1 final \"We are op\""));
    assert_true(live_core.usage.seconds == 9);
    assert_string_equal(core_last(&live_core), "end closed_by_peer");
}

static void test_a_connection_that_breaks_is_a_lost_session(void **state)
{
    (void)state;
    (void)live_ready();
    seconds(4);
    fake_end(0, WS_END_LOST, 0, -ECONNRESET, "");
    fake_turn();
    assert_true(core_heard(&live_core, "error connection_lost"));
    assert_true(live_core.usage.seconds == 4);
    assert_string_equal(core_last(&live_core), "end lost");
}

/* The call core says what it has waited to say when a response is over; here the end of the socket ended it. */
static void test_a_connection_that_breaks_in_mid_sentence_takes_nothing_more(void **state)
{
    (void)state;
    live_core.leg = live_ready();
    live_core.ops = &live_provider;
    live_sounds(200);
    live_core.respond_on = "response l1.r1 incomplete";
    fake_end(0, WS_END_LOST, 0, -ECONNRESET, "");
    fake_turn();
    assert_null(live_core.respond_on);
    assert_int_equal(live_core.responded, RD_ESTATE);
    assert_int_equal(live_core.fed, RD_ESTATE);
    assert_string_equal(core_last(&live_core), "end lost");
}

static void test_an_error_changes_nothing_unless_it_must(void **state)
{
    (void)state;
    (void)live_ready();
    fake_text(0, "{\"type\":\"error\",\"error\":{\"code\":\"bad_thing\",\"message\":\"m\"}}");
    assert_string_equal(core_last(&live_core), "error bad_thing");
    fake_text(0, "{\"type\":\"error\",\"error\":{\"code\":\"insufficient_quota\"}}");
    fake_turn();
    assert_true(core_heard(&live_core, "error insufficient_quota fatal"));
    assert_string_equal(core_last(&live_core), "end refused");
}

static void test_what_is_no_event_or_is_unknown_is_counted(void **state)
{
    (void)state;
    (void)live_ready();
    fake_text(0, "[]");
    fake_text(0, "{\"type\":5}");
    fake_text(0, "{\"type\":\"session.output_audio.delta\",\"delta\":\"!!\"}");
    fake_text(0, "{\"type\":\"session.sings\"}");
    assert_int_equal(live_pool_counts(live).bad_frames, 3);
    assert_int_equal(live_pool_counts(live).unknown_events, 1);
    assert_int_equal(live_core.n_told, 0);
}

static bool knows_nobody(void *arg, const void *leg_arg)
{
    (void)arg, (void)leg_arg;
    return false;
}

static void test_a_leg_whose_call_is_gone_is_cut(void **state)
{
    (void)state;
    (void)live_ready();
    assert_int_equal(live_pool_disown(live, knows_nobody, NULL), 1);
    assert_int_equal(live_pool_disown(live, knows_nobody, NULL), 0);
    fake_turn();
    assert_int_equal(live_core.n_told, 0);
    live_core.ended = true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVE_STORY(test_the_first_message_holds_all_that_the_session_needs),
        LIVE_STORY(test_a_session_that_does_not_start_in_time_is_lost),
        LIVE_STORY(test_the_end_that_the_service_sets_is_told),
        LIVE_STORY(test_a_refusal_says_what_to_do),
        LIVE_STORY(test_a_refused_key_is_not_repeated),
        LIVE_STORY(test_a_service_that_fails_is_worth_another_try),
        LIVE_STORY(test_it_is_given_up_for_a_while_when_it_fails),
        LIVE_STORY(test_what_cannot_work_is_not_dialled),
        LIVE_STORY(test_the_caller_goes_on_the_wire_as_he_came),
        LIVE_STORY(test_words_of_ours_are_asked_for_word_for_word),
        LIVE_STORY(test_what_is_to_be_known_goes_in_pieces_that_fit),
        LIVE_STORY(test_letters_are_not_cut_and_too_much_is_refused),
        LIVE_STORY(test_a_later_session_is_told_what_was_before),
        LIVE_STORY(test_the_backend_goes_on_once_all_its_calls_are_answered),
        LIVE_STORY(test_a_result_that_is_faster_than_the_backend_waits_for_it),
        LIVE_STORY(test_a_call_ends_what_the_caller_was_saying),
        LIVE_STORY(test_its_tokens_are_told_under_its_own_name),
        LIVE_STORY(test_results_of_another_session_are_refused),
        LIVE_STORY(test_a_call_that_cannot_be_answered_is_counted),
        LIVE_STORY(test_a_call_too_many_is_answered_by_ourselves),
        LIVE_STORY(test_a_backend_that_fails_is_not_asked_to_go_on),
        LIVE_STORY(test_seconds_are_told_now_and_then_and_add_up),
        LIVE_STORY(test_a_close_waits_for_the_bill_but_not_for_ever),
        LIVE_STORY(test_a_session_that_is_left_tells_what_it_cost_so_far),
        LIVE_STORY(test_a_session_that_ends_by_itself_is_worth_another),
        LIVE_STORY(test_a_connection_that_breaks_is_a_lost_session),
        LIVE_STORY(test_a_connection_that_breaks_in_mid_sentence_takes_nothing_more),
        LIVE_STORY(test_an_error_changes_nothing_unless_it_must),
        LIVE_STORY(test_what_is_no_event_or_is_unknown_is_counted),
        LIVE_STORY(test_a_leg_whose_call_is_gone_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
