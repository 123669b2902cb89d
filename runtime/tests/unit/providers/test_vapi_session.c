/* SPDX-License-Identifier: Apache-2.0 */
/* test_vapi_session.c - one leg to Vapi, from the call that is asked for to its end. */
#include "base/err.h"
#include "observe/targets.h"
#include "unit/providers/fake_vapi.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

/* --- the start --- */

static void test_a_leg_is_a_call_and_then_a_socket(void **state)
{
    (void)state;
    (void)vapi_opened();
    assert_string_equal(fake_http_url(), "POST https://api.vapi.ai/call");
    assert_true(fake_http_has_header("Authorization: Bearer vapi-key"));
    assert_string_equal(
        fake_http_body(),
        "{\"assistantId\":\"5f0c2d1e-7a34-4b6f-9c1d-2e8a6b0f4d11\",\"transport\":{\"provider\":"
        "\"vapi.websocket\",\"audioFormat\":{\"format\":\"mulaw\",\"container\":\"raw\","
        "\"sampleRate\":8000}},\"assistantOverrides\":{\"variableValues\":{\"ringdown_call\":"
        "\"CA1\",\"caller_number\":\"+13125550142\",\"site\":\"North\"},\"firstMessageMode\":"
        "\"assistant-waits-for-user\",\"backgroundSound\":\"off\",\"maxDurationSeconds\":660,"
        "\"clientMessages\":[\"status-update\",\"speech-update\",\"transcript\","
        "\"user-interrupted\",\"hang\"]}}");
    assert_int_equal(fake_dials(), 0);
    fake_http_answer(201, VAPI_CALL);
    assert_string_equal(fake_url(0), "wss://api.vapi.ai/c-1/transport");
    assert_string_equal(fake_header(0), "Authorization: Bearer vapi-key");
    fake_open(0);
    assert_int_equal(vapi_core.n_told, 0);
    fake_text(0, "{\"type\":\"status-update\",\"status\":\"in-progress\"}");
    assert_true(core_heard(&vapi_core, "named c-1"));
    assert_string_equal(core_last(&vapi_core), "ready");
    fake_advance(60000);
    assert_int_equal(vapi_core.n_told, 2); /* the start-up clock is off */
}

static void test_a_socket_that_says_nothing_is_ready_all_the_same(void **state)
{
    (void)state;
    (void)vapi_opened();
    fake_http_answer(201, VAPI_CALL);
    fake_open(0);
    fake_advance(499);
    assert_int_equal(vapi_core.n_told, 0);
    fake_advance(1);
    assert_string_equal(core_last(&vapi_core), "ready");
}

static void test_no_answer_in_time_is_a_lost_leg(void **state)
{
    (void)state;
    (void)vapi_opened();
    fake_advance(3999);
    assert_int_equal(vapi_core.n_told, 0);
    fake_advance(1);
    assert_false(fake_http_waits());
    assert_true(core_heard(&vapi_core, "error timeout"));
    assert_string_equal(core_last(&vapi_core), "end lost");
}

static void test_a_socket_that_does_not_open_is_a_lost_leg(void **state)
{
    (void)state;
    (void)vapi_opened();
    fake_advance(3500);
    fake_http_answer(201, VAPI_CALL);
    fake_advance(999); /* it has a second at least */
    assert_int_equal(vapi_core.n_told, 0);
    fake_advance(1);
    assert_true(fake_dropped(0));
    assert_string_equal(core_last(&vapi_core), "end lost");
}

static void test_a_refusal_says_what_to_do(void **state)
{
    (void)state;
    (void)vapi_opened();
    fake_http_answer(401, "{\"message\":\"Invalid Key.\"}");
    fake_turn();
    assert_true(core_heard(&vapi_core, "error unauthorized fatal"));
    assert_string_equal(vapi_core.message, "Invalid Key.");
    assert_true(strlen(vapi_core.fix) > 0);
    assert_string_equal(core_last(&vapi_core), "end refused");
    assert_int_equal(fake_dials(), 0);
}

static void test_a_foreign_socket_gets_no_key(void **state)
{
    (void)state;
    (void)vapi_opened();
    fake_http_answer(
        201, "{\"id\":\"c\",\"transport\":{\"websocketCallUrl\":\"wss://evil.example/c\"}}");
    fake_turn();
    assert_int_equal(fake_dials(), 0);
    assert_string_equal(core_last(&vapi_core), "end refused");
}

static void test_vapi_is_given_up_for_a_while_when_it_fails(void **state)
{
    (void)state;
    for (int i = 0; i < 10 && fake_http_asked() == (unsigned)i; i++) {
        (void)vapi_opened();
        if (fake_http_waits())
            fake_http_breaks(-ECONNREFUSED);
        fake_turn();
        assert_true(vapi_core.ended);
        vapi_core.ended = false;
    }
    assert_in_range(fake_http_asked(), 2, 9);
    assert_string_equal(core_last(&vapi_core), "end lost");
    vapi_core.ended = true;
}

static void test_a_leg_without_assistant_or_key_is_none(void **state)
{
    struct brief b = vapi_agent;
    const struct vapi_session s = {.brief = &b, .call_sid = "CA1"};
    struct provider_leg *leg = NULL;

    (void)state;
    b.vapi_assistant = "";
    assert_int_equal(vapi_open(&leg, vapi, &s, &fake_core_events, &vapi_core), RD_ECONFIG);
    assert_null(leg);
    assert_int_equal(fake_http_asked(), 0);
}

static void test_a_leg_closed_while_it_asks_just_ends(void **state)
{
    struct provider_leg *leg = vapi_opened();

    (void)state;
    vapi_provider.close(leg);
    vapi_provider.close(leg);
    assert_false(fake_http_waits());
    assert_int_equal(vapi_core.n_told, 0); /* never from inside */
    fake_turn();
    assert_string_equal(core_last(&vapi_core), "end closed_by_us");
}

/* --- the call --- */

static void test_what_the_call_wants_goes_on_the_wire(void **state)
{
    struct provider_leg *leg = vapi_ready();
    const struct provider_prompt words = {.tag = 1, .exact_words = RD_STR("One \"moment\".")};
    const struct provider_prompt instructions = {.tag = 2, .instructions = RD_STR("Ask when.")};
    const struct provider_prompt answer = {.tag = 3};

    (void)state;
    assert_int_equal(vapi_provider.respond(leg, &answer), 0);
    assert_string_equal(fake_last(0), "{\"type\":\"control\",\"control\":\"say-first-message\"}");
    assert_int_equal(vapi_provider.respond(leg, &words), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"say\",\"content\":\"One \\\"moment\\\".\","
                        "\"endCallAfterSpoken\":false,\"interruptAssistantEnabled\":true}");
    assert_int_equal(vapi_provider.respond(leg, &instructions), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"add-message\",\"message\":{\"role\":\"system\","
                        "\"content\":\"Ask when.\"},\"triggerResponseEnabled\":true}");
    assert_int_equal(vapi_provider.respond(leg, &answer), 0);
    assert_non_null(strstr(fake_last(0), "\"triggerResponseEnabled\":true"));
    assert_int_equal(vapi_provider.note(leg, RD_STR("The gate is open.")), 0);
    assert_string_equal(fake_last(0),
                        "{\"type\":\"add-message\",\"message\":{\"role\":\"system\",\"content\":"
                        "\"The gate is open.\"},\"triggerResponseEnabled\":false}");
    assert_int_equal(vapi_provider.cancel(leg, RD_STR("resp_of_openai")), RD_EGONE);
    assert_int_equal(vapi_provider.tool_result(leg, RD_STR("call_1"), RD_STR("{}")), RD_EGONE);
}

static void test_what_was_said_before_is_told(void **state)
{
    struct provider_leg *leg = vapi_ready();
    const struct history_item agent = {.kind = HISTORY_AGENT, .text = RD_STR("Hello.")};
    const struct history_item caller = {.kind = HISTORY_CALLER,
                                        .text = RD_STR("I need a plumber.")};
    const struct history_item tool = {.kind = HISTORY_TOOL,
                                      .name = RD_STR("eta"),
                                      .id = RD_STR("call_1"),
                                      .text = RD_STR("{}"),
                                      .output = RD_STR("{\"minutes\":35}"),
                                      .has_output = true};
    const struct history_item runs = {
        .kind = HISTORY_TOOL, .name = RD_STR("still_runs"), .id = RD_STR("call_2")};

    (void)state;
    assert_int_equal(vapi_provider.remember(leg, &agent), 0);
    assert_int_equal(vapi_provider.remember(leg, &caller), 0);
    assert_int_equal(vapi_provider.remember(leg, &tool), 0);
    assert_int_equal(vapi_provider.remember(leg, &runs), 0);
    assert_int_equal(fake_sent_count(0), 3);
    assert_string_equal(fake_sent(0, 0),
                        "{\"type\":\"add-message\",\"message\":{\"role\":\"assistant\",\"content\":"
                        "\"Hello.\"},\"triggerResponseEnabled\":false}");
    assert_non_null(strstr(fake_sent(0, 1), "\"role\":\"user\",\"content\":\"I need a plumber.\""));
    assert_non_null(strstr(fake_sent(0, 2), "eta was called with {} and returned: {\\\"minutes"));
    /* It is no beginning any more: no first message. */
    assert_int_equal(vapi_provider.respond(leg, &(struct provider_prompt){.tag = 1}), 0);
    assert_null(strstr(fake_last(0), "say-first-message"));
}

static void test_the_callers_sound_goes_out_as_bytes(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_caller_audio(200);
    assert_int_equal(fake_binary_sent(0), 1600);
    assert_int_equal(fake_sent_count(0), 0);
}

static void test_tools_are_their_servers_to_run(void **state)
{
    (void)state;
    (void)vapi_ready();
    assert_null(strstr(fake_http_body(), "tool-calls"));
    fake_text(0, "{\"type\":\"tool-calls\",\"toolCallList\":[{\"id\":\"t1\",\"name\":\"eta\"}]}");
    fake_text(0, "{\"type\":\"function-call\",\"functionCall\":{\"name\":\"eta\"}}");
    assert_int_equal(core_count(&vapi_core, "tool "),
                     0); /* it was asked for at /vapi/events, too */
}

static void test_a_tool_without_a_server_is_ours_where_the_agent_says_so(void **state)
{
    struct provider_leg *leg;

    (void)state;
    vapi_agent.vapi_tools = "line";
    leg = vapi_ready();
    vapi_agent.vapi_tools = "";
    assert_non_null(strstr(fake_http_body(), "\"hang\",\"tool-calls\",\"function-call\"]"));
    fake_text(0,
              "{\"type\":\"tool-calls\",\"toolWithToolCallList\":["
              "{\"type\":\"function\",\"server\":{\"url\":\"https://gw/vapi/events\"},"
              "\"toolCall\":{\"id\":\"t0\",\"function\":{\"name\":\"served\"}}},"
              "{\"type\":\"function\",\"toolCall\":{\"id\":\"t1\",\"function\":{\"name\":\"eta\","
              "\"parameters\":{\"zip\":\"60614\"}}}}]}");
    assert_int_equal(core_count(&vapi_core, "tool "), 1);
    assert_true(core_heard(&vapi_core, "tool v1.t1 eta {\"zip\":\"60614\"}"));
    fake_text(0, "{\"type\":\"tool-calls\",\"toolCallList\":["
                 "{\"id\":\"t2\",\"type\":\"function\",\"function\":{\"name\":\"eta\","
                 "\"arguments\":\"{\\\"zip\\\":\\\"1\\\"}\"}},"
                 "{\"id\":\"t3\",\"name\":\"eta\",\"arguments\":{}},"
                 "{\"id\":\"t4\",\"name\":\"eta\",\"parameters\":{}}]}");
    assert_true(core_heard(&vapi_core, "tool v1.t2 eta {\"zip\":\"1\"}"));
    assert_true(core_heard(&vapi_core, "tool v1.t3 eta {}"));
    assert_true(core_heard(&vapi_core, "tool v1.t4 eta {}"));
    fake_text(0, "{\"type\":\"function-call\",\"functionCall\":{\"name\":\"eta\","
                 "\"parameters\":{}}}");
    assert_true(core_heard(&vapi_core, "tool v1.call-1 eta {}"));
    assert_int_equal(vapi_provider.tool_result(leg, RD_STR("v1.t1"), RD_STR("35 minutes")), 0);
    assert_string_equal(fake_last(0), "{\"type\":\"add-message\",\"message\":{\"role\":\"system\","
                                      "\"content\":\"The tool call t1 returned: 35 minutes\"},"
                                      "\"triggerResponseEnabled\":false}");
}

static void test_nonsense_is_counted_and_changes_nothing(void **state)
{
    static const char *const nonsense[] = {
        "",
        "{",
        "[]",
        "{\"type\":7}",
        "{\"type\":\"speech-update\",\"role\":\"assistant\",\"status\":9}",
        "{\"type\":\"transcript\",\"role\":\"user\",\"transcriptType\":\"final\"}",
        "{\"type\":\"tool-calls\",\"toolCallList\":[{\"id\":\"x\"},7]}",
        "{\"type\":\"transcript\",\"role\":\"user\",\"transcriptType\":\"final\","
        "\"transcript\":\"\\ud800\\q\"}",
        "{\"type\":\"from-the-future\"}",
    };

    (void)state;
    (void)vapi_ready();
    for (size_t i = 0; i < sizeof(nonsense) / sizeof(nonsense[0]); i++)
        fake_text_n(0, nonsense[i], strlen(nonsense[i]) + (i == 0));
    assert_int_equal(vapi_core.n_told, 0);
    assert_in_range(vapi_pool_counts(vapi).bad_frames, 5, 9);
    assert_int_equal(vapi_pool_counts(vapi).unknown_events, 1);
}

/* --- the end --- */

static void test_closing_ends_the_call_at_vapi_too(void **state)
{
    struct provider_leg *leg = vapi_ready();

    (void)state;
    vapi_provider.close(leg);
    assert_string_equal(fake_last(0), "{\"type\":\"end-call\"}");
    assert_int_equal(fake_close_code(0), 1000);
    fake_turn();
    assert_string_equal(core_last(&vapi_core), "end closed_by_us");
}

static void test_an_assistant_that_hangs_up_is_heard_to_the_end(void **state)
{
    (void)state;
    (void)vapi_ready();
    vapi_update("assistant", "started");
    vapi_burst(2000);
    vapi_transcript("assistant", "final", "Goodbye.");
    fake_text(0, "{\"type\":\"status-update\",\"status\":\"ended\","
                 "\"endedReason\":\"assistant-ended-call\"}");
    assert_true(core_heard(&vapi_core, "hang_up"));
    fake_end(0, WS_END_PEER, 1000, 0, "");
    fake_advance(1000);
    assert_false(vapi_core.ended); /* a second of it still waits */
    fake_advance(1500);
    assert_int_equal(vapi_core.audio_bytes, 16000);
    assert_true(core_heard(&vapi_core, "words agent v1.a1 final \"Goodbye.\""));
    assert_string_equal(core_last(&vapi_core), "end closed_by_peer");
}

static void test_what_breaks_is_lost_and_no_goodbye(void **state)
{
    (void)state;
    (void)vapi_ready();
    fake_text(0, "{\"type\":\"status-update\",\"status\":\"ended\","
                 "\"endedReason\":\"call.in-progress.error-vapifault-worker-died\"}");
    fake_turn();
    assert_int_equal(core_count(&vapi_core, "hang_up"), 0);
    assert_int_equal(fake_close_code(0), 1000);
    assert_string_equal(core_last(&vapi_core), "end lost");
}

static void test_a_socket_that_breaks_is_lost(void **state)
{
    (void)state;
    (void)vapi_ready();
    fake_end(0, WS_END_LOST, 0, -ECONNRESET, "");
    assert_false(vapi_core.ended); /* never from inside */
    fake_turn();
    assert_string_equal(core_last(&vapi_core), "end lost");
}

static void test_a_leg_that_is_let_go_tells_nobody(void **state)
{
    struct provider_leg *leg = vapi_ready();

    (void)state;
    vapi_core.leg = NULL;
    vapi_provider.forget(leg);
    vapi_update("assistant", "started");
    vapi_burst(100);
    fake_turn();
    assert_int_equal(vapi_core.n_told, 0);
}

static bool knows_nobody(void *arg, const void *leg_arg)
{
    (void)arg, (void)leg_arg;
    return false;
}

static void test_a_leg_whose_call_is_gone_is_cut(void **state)
{
    (void)state;
    (void)vapi_ready();
    assert_int_equal(vapi_pool_disown(vapi, knows_nobody, NULL), 1);
    assert_int_equal(vapi_pool_disown(vapi, knows_nobody, NULL), 0);
    fake_turn();
    assert_int_equal(vapi_pool_legs(vapi), 0);
    vapi_core.leg = NULL;
}

static void test_a_call_may_close_from_anywhere(void **state)
{
    static const char *const moments[] = {"ready", "placed",  "response", "audio",   "started",
                                          "words", "hang_up", "tool",     "stopped", "audio_done"};

    for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
        if (i > 0)
            assert_int_equal(vapi_set_up(state), 0);
        vapi_core.close_on = moments[i];
        vapi_agent.vapi_tools = "line";
        (void)vapi_opened();
        vapi_agent.vapi_tools = "";
        fake_http_answer(201, VAPI_CALL);
        fake_open(0);
        fake_advance(500);
        for (int round = 0; round < 2 && fake_ws(0); round++) {
            vapi_update("assistant", "started");
            vapi_burst(300);
            vapi_transcript("assistant", "final", "Hello.");
            fake_text(0, "{\"type\":\"user-interrupted\"}");
            vapi_transcript("user", "final", "Wait.");
            vapi_update("user", "stopped");
            fake_text(0, "{\"type\":\"function-call\",\"functionCall\":{\"name\":\"eta\"}}");
            vapi_update("assistant", "started");
            fake_text(0, "{\"type\":\"status-update\",\"status\":\"ended\","
                         "\"endedReason\":\"assistant-ended-call\"}");
        }
        fake_advance(3000);
        assert_true(vapi_core.ended);
        assert_null(vapi_core.close_on);
        if (i + 1 < sizeof(moments) / sizeof(moments[0]))
            assert_int_equal(vapi_put_away(state), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        VAPI_STORY(test_a_leg_is_a_call_and_then_a_socket),
        VAPI_STORY(test_a_socket_that_says_nothing_is_ready_all_the_same),
        VAPI_STORY(test_no_answer_in_time_is_a_lost_leg),
        VAPI_STORY(test_a_socket_that_does_not_open_is_a_lost_leg),
        VAPI_STORY(test_a_refusal_says_what_to_do),
        VAPI_STORY(test_a_foreign_socket_gets_no_key),
        VAPI_STORY(test_vapi_is_given_up_for_a_while_when_it_fails),
        VAPI_STORY(test_a_leg_without_assistant_or_key_is_none),
        VAPI_STORY(test_a_leg_closed_while_it_asks_just_ends),
        VAPI_STORY(test_what_the_call_wants_goes_on_the_wire),
        VAPI_STORY(test_what_was_said_before_is_told),
        VAPI_STORY(test_the_callers_sound_goes_out_as_bytes),
        VAPI_STORY(test_tools_are_their_servers_to_run),
        VAPI_STORY(test_a_tool_without_a_server_is_ours_where_the_agent_says_so),
        VAPI_STORY(test_nonsense_is_counted_and_changes_nothing),
        VAPI_STORY(test_closing_ends_the_call_at_vapi_too),
        VAPI_STORY(test_an_assistant_that_hangs_up_is_heard_to_the_end),
        VAPI_STORY(test_what_breaks_is_lost_and_no_goodbye),
        VAPI_STORY(test_a_socket_that_breaks_is_lost),
        VAPI_STORY(test_a_leg_that_is_let_go_tells_nobody),
        VAPI_STORY(test_a_leg_whose_call_is_gone_is_cut),
        VAPI_STORY(test_a_call_may_close_from_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
