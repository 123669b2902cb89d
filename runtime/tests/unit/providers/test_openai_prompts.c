/* SPDX-License-Identifier: Apache-2.0 */
/* Which response answers which prompt, whatever the provider echoes, and in whatever order. */
#include "unit/providers/fake_leg_story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BARE(type, id, conversation)                             \
    "{\"type\":\"response." type "\",\"response\":{\"id\":\"" id \
    "\",\"status\":\"completed\"" conversation "}}"
#define RESPONSE(type, id, conversation) BARE(type, id, ",\"conversation_id\":" conversation)
#define TAGGED(type, id, conversation, tag) \
    BARE(type, id, ",\"conversation_id\":" conversation ",\"metadata\":{\"rd\":\"" tag "\"}")
#define CONV "\"conv_1\""

#define HEARS(json, line)                            \
    do {                                             \
        fake_text(0, json);                          \
        assert_string_equal(core_last(&core), line); \
    } while (0)

static void ask(struct provider_leg *leg, uint32_t tag)
{
    const struct provider_prompt p = {.tag = tag};

    assert_int_equal(openai_provider.respond(leg, &p), 0);
}

static void ask_aside(struct provider_leg *leg, uint32_t tag)
{
    const struct provider_prompt p = {
        .tag = tag, .exact_words = RD_STR("One moment."), .out_of_band = true};

    assert_int_equal(openai_provider.respond(leg, &p), 0);
}

static void test_a_response_says_which_prompt_it_answers(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    ask(leg, 6);
    HEARS(TAGGED("created", "r2", CONV, "6"), "response r2 started #6");
    HEARS(TAGGED("created", "r1", CONV, "5"), "response r1 started #5");
    HEARS(TAGGED("done", "r1", CONV, "5"), "response r1 completed #5");
    HEARS(RESPONSE("done", "r2", CONV), "response r2 completed #6"); /* remembered */
    fake_put_away(leg, &core, pool);
}

static void test_the_models_own_turn_takes_no_prompts_place(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    HEARS(TAGGED("created", "r1", CONV, "5"), "response r1 started #5");
    HEARS(TAGGED("done", "r1", CONV, "5"), "response r1 completed #5");
    ask(leg, 6);
    ask_aside(leg, 7);
    HEARS(RESPONSE("created", "vad", CONV), "response vad started");
    HEARS(RESPONSE("created", "nul", "null"), "response nul started"); /* with a null too many */
    leg_says_error("conversation_already_has_active_response", "x", "y", "respond-6");
    assert_string_equal(core_last(&core), "error conversation_already_has_active_response busy #6");
    HEARS(RESPONSE("done", "vad", CONV), "response vad completed");
    HEARS(TAGGED("created", "r7", "null", "7"), "response r7 started beside #7");
    fake_put_away(leg, &core, pool);
}

static void test_an_aside_is_known_by_its_tag_whatever_its_conversation(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    ask_aside(leg, 6);
    HEARS(TAGGED("created", "r6", "\"none\"", "6"), "response r6 started beside #6");
    HEARS(TAGGED("done", "r6", CONV, "6"), "response r6 completed beside #6");
    HEARS(TAGGED("created", "r5", "null", "5"), "response r5 started #5");
    HEARS(TAGGED("done", "r5", "null", "5"), "response r5 completed #5");
    /* Its beginning was never told. */
    ask_aside(leg, 8);
    HEARS(TAGGED("done", "r8", CONV, "8"), "response r8 completed beside #8");
    /* Of one that nobody remembers only its conversation can tell. */
    HEARS(TAGGED("created", "r9", "null", "9"), "response r9 started beside #9");
    fake_put_away(leg, &core, pool);
}

static void test_without_an_echo_the_oldest_prompt_of_its_kind_is_answered(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    HEARS(BARE("created", "vad", ""), "response vad started");
    HEARS(BARE("done", "vad", ""), "response vad completed");
    ask(leg, 5);
    ask(leg, 6);
    ask_aside(leg, 7);
    HEARS(RESPONSE("created", "r5", CONV), "response r5 started #5");
    HEARS(RESPONSE("created", "r5", CONV), "response r5 started #5"); /* said twice */
    HEARS(BARE("created", "r7", ""), "response r7 started beside #7");
    HEARS(BARE("created", "r6", ""), "response r6 started #6");
    HEARS(BARE("done", "r7", ",\"metadata\":null"), "response r7 completed beside #7");
    HEARS(BARE("done", "r5", ",\"metadata\":{\"rd\":null}"), "response r5 completed #5");
    HEARS(BARE("done", "r6", ",\"metadata\":{\"rd\":\"six\"}"), "response r6 completed #6");
    HEARS(BARE("done", "r6", ""), "response r6 completed");
    fake_put_away(leg, &core, pool);
}

static void test_a_wrong_guess_is_taken_back(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    ask(leg, 5);
    HEARS(RESPONSE("created", "vad", CONV), "response vad started #5");
    leg_says_error("conversation_already_has_active_response", "x", "y", "respond-5");
    assert_string_equal(core_last(&core), "error conversation_already_has_active_response busy #5");
    HEARS(RESPONSE("done", "vad", CONV), "response vad completed");
    fake_put_away(leg, &core, pool);
}

static void test_only_words_we_asked_for_are_beside_the_conversation(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);

    (void)state;
    HEARS(RESPONSE("created", "r1", "null"), "response r1 started"); /* with a null too many */
    ask_aside(leg, 2);
    HEARS(RESPONSE("created", "r2", "null"), "response r2 started beside #2");
    HEARS(RESPONSE("done", "r1", "null"), "response r1 completed");
    HEARS(RESPONSE("done", "r2", CONV), "response r2 completed beside #2");
    HEARS(RESPONSE("done", "r2", "null"), "response r2 completed");
    /* One that failed is not waited for. */
    ask_aside(leg, 3);
    leg_says_error("invalid_value", "x", "y", "aside-3");
    assert_string_equal(core_last(&core), "error invalid_value #3");
    HEARS(RESPONSE("created", "r3", "null"), "response r3 started");
    fake_put_away(leg, &core, pool);
}

static void test_prompts_that_nobody_answers_do_not_pile_up(void **state)
{
    struct provider_leg *leg = fake_ready_leg(pool, &core);
    char json[256], line[64];

    (void)state;
    for (uint32_t tag = 1; tag <= 40; tag++)
        ask(leg, tag);
    for (unsigned i = 25; i <= 40; i++) { /* the youngest 16 are remembered */
        (void)snprintf(json, sizeof(json), RESPONSE("created", "r%u", CONV), i);
        (void)snprintf(line, sizeof(line), "response r%u started #%u", i, i);
        HEARS(json, line);
    }
    HEARS(RESPONSE("created", "more", CONV), "response more started");
    for (unsigned i = 27; i <= 40; i++) {
        (void)snprintf(json, sizeof(json), RESPONSE("done", "r%u", CONV), i);
        (void)snprintf(line, sizeof(line), "response r%u completed #%u", i, i);
        HEARS(json, line);
    }
    ask(leg, 41);
    ask(leg, 41); /* once more: for one response */
    HEARS(RESPONSE("created", "r41", CONV), "response r41 started #41");
    HEARS(RESPONSE("created", "r42", CONV), "response r42 started");
    fake_put_away(leg, &core, pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_response_says_which_prompt_it_answers),
        STORY(test_the_models_own_turn_takes_no_prompts_place),
        STORY(test_an_aside_is_known_by_its_tag_whatever_its_conversation),
        STORY(test_without_an_echo_the_oldest_prompt_of_its_kind_is_answered),
        STORY(test_a_wrong_guess_is_taken_back),
        STORY(test_only_words_we_asked_for_are_beside_the_conversation),
        STORY(test_prompts_that_nobody_answers_do_not_pile_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
