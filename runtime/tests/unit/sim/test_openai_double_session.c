/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_double_session.c - whole conversations with the OpenAI double, in virtual time and
 * with a captured output: the order of events, turns found in the audio, interruptions, tools,
 * faults. */
#include "sim/openai/session.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { EVENTS_MAX = 4096, JOBS_MAX = 16, FRAME = 160 };

static struct scenario_reply replies[] = {
    {.hears = "Hi, I need a plumber tomorrow at nine.",
     .says = "One moment please.",
     .tool = "book_visit",
     .arguments = "{\"day\":\"tomorrow\",\"time\":\"09:00\"}",
     .then_says = "You are booked for tomorrow at nine."},
    {.hears = "No thanks, goodbye.", .says = "Goodbye, and thank you for calling us today."},
    {.hears = "All circuits are busy now.",
     .hears_file = "/usr/share/asterisk/sounds/en_US_f_Allison/all-circuits-busy-now.wav",
     .says = "Then try again later."},
};
static struct scenario booking = {.name = "booking", .replies = replies, .n_replies = 3};

struct job {
    uint32_t ticket;
    struct sound pcm;
    char *text, *voice;
};

struct line {
    struct openai_session *session;
    struct openai_script *script;
    json_t *events[EVENTS_MAX];
    size_t n;
    struct job jobs[JOBS_MAX];
    size_t n_jobs;
    uint64_t now_ms;
    bool closed;
    int close_code;
    json_t *facts;
};

/* ---- the other side of the session ---- */

static void on_send(const char *event, size_t n, void *arg)
{
    struct line *l = arg;

    assert_true(l->n < EVENTS_MAX);
    assert_false(l->closed);
    l->events[l->n] = json_loadb(event, n, 0, NULL);
    assert_non_null(l->events[l->n]);
    l->n++;
}

static void on_close(int code, const char *reason, void *arg)
{
    struct line *l = arg;

    assert_non_null(reason);
    l->closed = true;
    l->close_code = code;
}

static void on_fact(json_t *fact, void *arg)
{
    struct line *l = arg;

    json_array_append_new(l->facts, fact);
}

static int on_hear(uint32_t ticket, struct sound pcm, void *arg)
{
    struct line *l = arg;

    l->jobs[l->n_jobs++] = (struct job){.ticket = ticket, .pcm = pcm};
    return 0;
}

static int on_say(uint32_t ticket, const char *text, const char *voice, void *arg)
{
    struct line *l = arg;

    l->jobs[l->n_jobs++] =
        (struct job){.ticket = ticket, .text = strdup(text), .voice = strdup(voice)};
    return 0;
}

static const struct openai_session_events events = {
    .send = on_send, .close = on_close, .fact = on_fact, .hear = on_hear, .say = on_say};

static void do_job(struct line *l)
{
    struct job j = l->jobs[0];

    memmove(l->jobs, l->jobs + 1, --l->n_jobs * sizeof(l->jobs[0]));
    if (j.text) {
        assert_int_equal(0, sound_say(&j.pcm, j.text, j.voice));
        openai_session_said(l->session, j.ticket, &j.pcm, l->now_ms);
    } else {
        float score;
        int index = recogniser_best(openai_script_ears(l->script), j.pcm.pcm, j.pcm.n, &score);
        openai_session_heard(l->session, j.ticket, index, score, l->now_ms);
    }
    sound_fini(&j.pcm);
    free(j.text);
    free(j.voice);
}

static void pass(struct line *l, uint64_t ms)
{
    uint64_t until_ms = l->now_ms + ms;

    while (l->n_jobs)
        do_job(l);
    while (openai_session_due(l->session) <= until_ms) {
        uint64_t due_ms = openai_session_due(l->session);

        l->now_ms = due_ms > l->now_ms ? due_ms : l->now_ms;
        openai_session_tick(l->session, l->now_ms);
        while (l->n_jobs)
            do_job(l);
    }
    l->now_ms = until_ms;
}

static void client(struct line *l, const char *event)
{
    openai_session_receive(l->session, event, strlen(event), l->now_ms);
}

static void append(struct line *l, const int16_t *pcm)
{
    uint8_t ulaw[FRAME];
    char text[320], event[400];
    size_t n;

    for (int i = 0; i < FRAME; i++)
        ulaw[i] = sim_ulaw_encode(pcm ? pcm[i] : (int16_t)0);
    n = sim_base64_encode(text, ulaw, FRAME);
    snprintf(event, sizeof(event), "{\"type\":\"input_audio_buffer.append\",\"audio\":\"%.*s\"}",
             (int)n, text);
    client(l, event);
    pass(l, 20);
}

static void silence(struct line *l, unsigned ms)
{
    for (unsigned i = 0; i < ms && !l->closed; i += 20)
        append(l, NULL);
}

static void caller_says(struct line *l, const char *words)
{
    struct sound s;

    assert_int_equal(0, sound_say(&s, words, NULL));
    for (size_t i = 0; i + FRAME <= s.n; i += FRAME)
        append(l, s.pcm + i);
    sound_fini(&s);
}

#define FORMATS                                                                                    \
    "\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\"},\"transcription\":{\"model\":"     \
    "\"gpt-transcribe\"},\"turn_detection\":{\"type\":\"server_vad\",\"silence_duration_ms\":500," \
    "\"interrupt_response\":true}},\"output\":{\"format\":{\"type\":\"audio/pcmu\"},\"voice\":"    \
    "\"marin\"}}"
#define CONFIGURE "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\"," FORMATS "}}"

static struct line *line_new(void **state, const char *fault)
{
    struct line *l = calloc(1, sizeof(*l));
    struct openai_session_opts o = {.script = *state,
                                    .events = &events,
                                    .arg = l,
                                    .model = "gpt-realtime-2.1",
                                    .number = 1,
                                    .unix_s = 1795000000};

    assert_non_null(l);
    l->script = *state;
    l->facts = json_array();
    l->now_ms = 1000;
    if (fault)
        assert_int_equal(0, openai_fault_parse(&o.misery, fault, strlen(fault)));
    assert_int_equal(0, openai_session_new(&l->session, &o));
    openai_session_start(l->session, l->now_ms);
    if (!l->closed)
        client(l, CONFIGURE);
    return l;
}

static void line_free(struct line *l)
{
    openai_session_free(l->session);
    for (size_t i = 0; i < l->n; i++)
        json_decref(l->events[i]);
    for (size_t i = 0; i < l->n_jobs; i++) {
        sound_fini(&l->jobs[i].pcm);
        free(l->jobs[i].text);
        free(l->jobs[i].voice);
    }
    json_decref(l->facts);
    free(l);
}

/* ---- looking at what came ---- */

static const char *type_of(const json_t *event)
{
    return json_string_value(json_object_get(event, "type"));
}

/* The n-th event of a type from `from` on, or NULL. */
static json_t *find(const struct line *l, size_t from, const char *type, size_t *at)
{
    for (size_t i = from; i < l->n; i++)
        if (strcmp(type_of(l->events[i]), type) == 0) {
            if (at)
                *at = i;
            return l->events[i];
        }
    return NULL;
}

static unsigned count(const struct line *l, const char *type)
{
    unsigned n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += strcmp(type_of(l->events[i]), type) == 0;
    return n;
}

/* These types must come in this order; others may stand between. */
static void expect_order(const struct line *l, size_t from, const char *const *types)
{
    for (; *types; types++) {
        if (!find(l, from, *types, &from))
            print_error("missing: %s\n", *types);
        assert_non_null(find(l, from, *types, &from));
        from++;
    }
}

static json_t *path(json_t *v, const char *a, const char *b)
{
    v = json_object_get(v, a);
    return b ? json_object_get(v, b) : v;
}

static const char *text_at(json_t *v, const char *a, const char *b)
{
    return json_string_value(path(v, a, b));
}

static uint64_t audio_bytes(const struct line *l, const char *item)
{
    uint64_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(type_of(l->events[i]), "response.output_audio.delta") == 0 &&
            strcmp(text_at(l->events[i], "item_id", NULL), item) == 0) {
            const json_t *delta = json_object_get(l->events[i], "delta");
            uint8_t bytes[8192];
            ssize_t got =
                sim_base64_decode(bytes, json_string_value(delta), json_string_length(delta));
            assert_true(got > 0);
            n += (uint64_t)got;
        }
    return n;
}

static const char *last_error(const struct line *l)
{
    json_t *e = NULL;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(type_of(l->events[i]), "error") == 0)
            e = l->events[i];
    return e ? text_at(e, "error", "code") : NULL;
}

/* ---- stories ---- */

static void test_the_session_begins_with_defaults_and_takes_an_update(void **state)
{
    struct line *l = line_new(state, NULL);
    json_t *created = path(l->events[0], "session", NULL), *updated;

    assert_string_equal("session.created", type_of(l->events[0]));
    assert_string_equal(
        "audio/pcm", text_at(path(path(created, "audio", "input"), "format", NULL), "type", NULL));
    assert_int_equal(
        200, json_integer_value(path(path(path(created, "audio", "input"), "turn_detection", NULL),
                                     "silence_duration_ms", NULL)));
    assert_string_equal("session.updated", type_of(l->events[1]));
    updated = path(path(l->events[1], "session", "audio"), "input", NULL);
    assert_string_equal("audio/pcmu", text_at(updated, "format", "type"));
    assert_int_equal(300, json_integer_value(path(updated, "turn_detection", "prefix_padding_ms")));
    assert_int_equal(1795003600, json_integer_value(path(l->events[1], "session", "expires_at")));
    line_free(l);
}

static void test_a_greeting_is_spoken_word_for_word(void **state)
{
    struct line *l = line_new(state, NULL);
    static const char *const order[] = {"response.created",
                                        "rate_limits.updated",
                                        "response.output_item.added",
                                        "conversation.item.added",
                                        "response.content_part.added",
                                        "response.output_audio_transcript.delta",
                                        "response.output_audio.delta",
                                        "response.output_audio.done",
                                        "response.output_audio_transcript.done",
                                        "response.content_part.done",
                                        "conversation.item.done",
                                        "response.output_item.done",
                                        "response.done",
                                        NULL};
    json_t *done, *usage;
    uint64_t begun_ms = l->now_ms, bytes;

    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"Northside Plumbing, how can I help?\\\"\"}}");
    pass(l, 3000);
    expect_order(l, 2, order);
    assert_string_equal(
        "Northside Plumbing, how can I help?",
        text_at(find(l, 0, "response.output_audio_transcript.done", NULL), "transcript", NULL));
    done = path(find(l, 0, "response.done", NULL), "response", NULL);
    assert_string_equal("completed", text_at(done, "status", NULL));
    bytes =
        audio_bytes(l, text_at(find(l, 0, "response.output_audio.delta", NULL), "item_id", NULL));
    assert_in_range(bytes, 8000, 40000);
    usage = path(done, "usage", NULL);
    assert_int_equal(bytes / 8 / 50,
                     json_integer_value(path(usage, "output_token_details", "audio_tokens")));
    assert_int_equal(json_integer_value(path(usage, "total_tokens", NULL)),
                     json_integer_value(path(usage, "input_tokens", NULL)) +
                         json_integer_value(path(usage, "output_tokens", NULL)));
    assert_true(l->now_ms - begun_ms >= 90);
    assert_int_equal(0, openai_session_violations(l->session));
    line_free(l);
}

static void test_a_booking_goes_through_a_tool(void **state)
{
    struct line *l = line_new(state, NULL);
    static const char *const turn[] = {"input_audio_buffer.speech_started",
                                       "input_audio_buffer.speech_stopped",
                                       "input_audio_buffer.committed",
                                       "conversation.item.added",
                                       "conversation.item.done",
                                       "response.created",
                                       "response.output_audio.delta",
                                       "response.output_audio.done",
                                       "response.output_item.added",
                                       "response.function_call_arguments.delta",
                                       "response.function_call_arguments.done",
                                       "conversation.item.done",
                                       "response.output_item.done",
                                       "response.done",
                                       NULL};
    json_t *call;
    char event[300];
    size_t at = 0;

    silence(l, 400);
    caller_says(l, replies[0].hears);
    silence(l, 2000);
    expect_order(l, 2, turn);
    assert_string_equal(
        replies[0].hears,
        text_at(find(l, 0, "conversation.item.input_audio_transcription.completed", NULL),
                "transcript", NULL));
    call = find(l, 0, "response.function_call_arguments.done", NULL);
    assert_string_equal("book_visit", text_at(call, "name", NULL));
    assert_string_equal(replies[0].arguments, text_at(call, "arguments", NULL));
    assert_int_equal(1, count(l, "response.done"));

    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\","
             "\"call_id\":\"%s\",\"output\":\"{\\\"ok\\\":true}\"}}",
             text_at(call, "call_id", NULL));
    client(l, event);
    silence(l, 600);
    assert_int_equal(1, count(l, "response.created")); /* it waits to be asked */
    client(l, "{\"type\":\"response.create\"}");
    silence(l, 2000);
    assert_non_null(find(l, 0, "response.done", &at));
    assert_string_equal(
        replies[0].then_says,
        text_at(find(l, at, "response.output_audio_transcript.done", NULL), "transcript", NULL));
    assert_int_equal(0, openai_session_violations(l->session));
    line_free(l);
}

static void test_items_are_chained(void **state)
{
    struct line *l = line_new(state, NULL);
    const char *last = NULL;

    silence(l, 400);
    caller_says(l, replies[0].hears);
    silence(l, 2500);
    for (size_t i = 0; i < l->n; i++) {
        if (strcmp(type_of(l->events[i]), "conversation.item.added") != 0)
            continue;
        if (last)
            assert_string_equal(last, text_at(l->events[i], "previous_item_id", NULL));
        else
            assert_true(json_is_null(path(l->events[i], "previous_item_id", NULL)));
        last = text_at(l->events[i], "item", "id");
    }
    assert_int_equal(3, count(l, "conversation.item.added"));
    line_free(l);
}

static void test_speech_interrupts_the_answer(void **state)
{
    struct line *l = line_new(state, NULL);
    json_t *done, *item;
    char event[256];
    const char *id;
    uint64_t ms;
    size_t at = 0;

    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
              "nobody is here and you would have to leave us a message after the tone. We are open "
              "from nine to five on every day of the week, except for Sunday, when nobody is here "
              "and you would have to leave a message.\\\"\"}}");
    silence(l, 300);
    caller_says(l, replies[1].hears);
    assert_non_null(find(l, 0, "input_audio_buffer.speech_started", &at));
    done = path(find(l, at, "response.done", NULL), "response", NULL);
    assert_string_equal("cancelled", text_at(done, "status", NULL));
    assert_string_equal("turn_detected", text_at(done, "status_details", "reason"));
    item = json_array_get(path(done, "output", NULL), 0);
    assert_string_equal("incomplete", text_at(item, "status", NULL));
    id = text_at(item, "id", NULL);
    ms = audio_bytes(l, id) / 8;

    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.truncate\",\"item_id\":\"%s\",\"content_index\":0,"
             "\"audio_end_ms\":%llu}",
             id, (unsigned long long)ms + 1);
    client(l, event);
    assert_int_equal(1, openai_session_violations(l->session));
    assert_non_null(
        strstr(text_at(find(l, at, "error", NULL), "error", "message"), "is already shorter than"));
    snprintf(event, sizeof(event),
             "{\"type\":\"conversation.item.truncate\",\"item_id\":\"%s\",\"content_index\":0,"
             "\"audio_end_ms\":%llu}",
             id, (unsigned long long)ms / 2);
    client(l, event);
    assert_int_equal(ms / 2,
                     json_integer_value(path(find(l, at, "conversation.item.truncated", NULL),
                                             "audio_end_ms", NULL)));
    assert_int_equal(1, openai_session_violations(l->session));
    line_free(l);
}

static void test_what_is_not_recognised_has_no_transcript(void **state)
{
    struct line *l = line_new(state, NULL);

    silence(l, 400);
    caller_says(l, "The quick brown fox jumps over the lazy dog.");
    silence(l, 2000);
    assert_null(find(l, 0, "conversation.item.input_audio_transcription.completed", NULL));
    assert_string_equal(
        "audio_unintelligible",
        text_at(find(l, 0, "conversation.item.input_audio_transcription.failed", NULL), "error",
                "code"));
    assert_int_equal(1, count(l, "response.done"));
    line_free(l);
}

/* µ-law sent before the format was agreed is noise at 24 kHz: never a transcript. */
static void test_audio_in_the_wrong_format_is_not_understood(void **state)
{
    struct line *l = line_new(state, NULL);

    client(l,
           "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":"
           "{\"format\":{\"type\":\"audio/pcm\",\"rate\":24000}}}}}");
    silence(l, 400);
    caller_says(l, replies[0].hears);
    silence(l, 3000);
    assert_int_equal(0, count(l, "conversation.item.input_audio_transcription.completed"));
    line_free(l);
}

static void test_errors_of_timing_are_no_violations(void **state)
{
    struct line *l = line_new(state, NULL);

    client(l, "{\"type\":\"response.cancel\",\"event_id\":\"e7\"}");
    assert_string_equal("response_cancel_not_active", last_error(l));
    assert_string_equal("e7", text_at(find(l, 0, "error", NULL), "error", "event_id"));
    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"Hello there.\\\"\"}}");
    client(l, "{\"type\":\"response.create\"}");
    assert_string_equal("conversation_already_has_active_response", last_error(l));
    client(l, "{\"type\":\"input_audio_buffer.commit\"}");
    assert_string_equal("input_audio_buffer_commit_empty", last_error(l));
    assert_int_equal(0, openai_session_violations(l->session));
    client(l, "{\"type\":\"response.cancel\"}");
    assert_string_equal("client_cancelled",
                        text_at(path(path(find(l, 0, "response.done", NULL), "response", NULL),
                                     "status_details", NULL),
                                "reason", NULL));
    line_free(l);
}

static void test_wrong_messages_are_violations(void **state)
{
    static const struct {
        const char *event, *code;
    } wrong[] = {
        {"no json", "invalid_event"},
        {"{\"type\":\"input_audio_buffer.append\",\"audio\":\"???\"}", "invalid_value"},
        {"{\"type\":\"conversation.item.delete\",\"item_id\":\"item_x\"}", "item_not_found"},
        {"{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"function_call_output\","
         "\"call_id\":\"call_x\",\"output\":\"\"}}",
         "invalid_tool_call_id"},
        {"{\"type\":\"conversation.item.create\",\"previous_item_id\":\"item_x\",\"item\":{"
         "\"type\":"
         "\"message\",\"role\":\"system\",\"content\":[]}}",
         "invalid_value"},
        {"{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"model\":\"gpt-"
         "realtime\"}"
         "}",
         "invalid_value"},
        {"{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"voice\":\"marin\"}}",
         "unknown_parameter"},
    };
    struct line *l = line_new(state, NULL);

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        client(l, wrong[i].event);
        assert_string_equal(wrong[i].code, last_error(l));
        assert_int_equal(i + 1, openai_session_violations(l->session));
    }
    assert_false(l->closed);
    line_free(l);
}

static void test_the_voice_is_locked_after_the_first_audio(void **state)
{
    static const char other[] = "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\","
                                "\"audio\":{\"output\":{\"voice\":\"cedar\"}}}}";
    struct line *l = line_new(state, NULL);

    client(l, other);
    assert_null(last_error(l));
    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"Hello.\\\"\"}}");
    pass(l, 2000);
    client(l, CONFIGURE);
    assert_string_equal("cannot_update_voice", last_error(l));
    line_free(l);
}

static void test_an_answer_beside_the_conversation_leaves_no_trace(void **state)
{
    struct line *l = line_new(state, NULL);
    json_t *done;

    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"Hello there, my friend.\\\"\"}}");
    client(l, "{\"type\":\"response.create\",\"response\":{\"conversation\":\"none\",\"input\":[],"
              "\"metadata\":{\"purpose\":\"filler\"},\"instructions\":\"Say exactly: \\\"One "
              "moment.\\\"\"}}");
    pass(l, 4000);
    assert_null(last_error(l));
    assert_int_equal(2, count(l, "response.done"));
    assert_int_equal(1, count(l, "conversation.item.added"));
    done = path(find(l, 0, "response.done", NULL), "response", NULL);
    assert_true(json_is_null(path(done, "conversation_id", NULL)));
    assert_string_equal("filler", text_at(done, "metadata", "purpose"));
    line_free(l);
}

static void type(struct line *l, const char *words)
{
    char event[512];

    (void)snprintf(event, sizeof(event),
                   "{\"type\":\"conversation.item.create\",\"item\":{\"type\":\"message\",\"role\":"
                   "\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"%s\"}]}}",
                   words);
    client(l, event);
    client(l, "{\"type\":\"response.create\"}");
    pass(l, 1000);
}

/* What was said last, in text. */
static const char *last_words(const struct line *l)
{
    const char *text = NULL;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(type_of(l->events[i]), "response.output_text.done") == 0)
            text = text_at(l->events[i], "text", NULL);
    return text;
}

static void test_a_conversation_in_text_follows_the_scenario_or_the_typist(void **state)
{
    struct line *l = line_new(state, NULL);
    json_t *call;

    client(l, "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\","
              "\"output_modalities\":[\"text\"],\"instructions\":\"x\"}}");
    type(l, "no thanks, GOODBYE");
    assert_string_equal(last_words(l), "Goodbye, and thank you for calling us today.");
    type(l, "How are you?");
    assert_string_equal(last_words(l), "You said: How are you?");
    type(l, "/tool book_visit {\\\"day\\\":\\\"today\\\"}");
    call = find(l, 0, "response.function_call_arguments.done", NULL);
    assert_string_equal(text_at(call, "name", NULL), "book_visit");
    assert_string_equal(text_at(call, "arguments", NULL), "{\"day\":\"today\"}");
    assert_int_equal(0, count(l, "response.output_audio.delta"));
    assert_null(last_error(l));
    line_free(l);
}

#define TAGGED_HELLO                                                           \
    "{\"type\":\"response.create\",\"response\":{\"metadata\":{\"rd\":\"7\"}," \
    "\"instructions\":\"Say exactly: \\\"Hello.\\\"\"}}"

static void test_metadata_comes_back_unless_it_is_left_out(void **state)
{
    static const char *const pictures[] = {"response.created", "response.done"};
    struct line *l = line_new(state, NULL);

    client(l, TAGGED_HELLO);
    pass(l, 4000);
    for (size_t i = 0; i < 2; i++)
        assert_string_equal(
            "7", text_at(path(find(l, 0, pictures[i], NULL), "response", NULL), "metadata", "rd"));
    line_free(l);

    l = line_new(state, "no-metadata");
    client(l, TAGGED_HELLO);
    pass(l, 4000);
    for (size_t i = 0; i < 2; i++) {
        json_t *event = find(l, 0, pictures[i], NULL);

        assert_non_null(path(event, "response", "id"));
        assert_null(path(event, "response", "metadata"));
        assert_null(path(event, "response", "conversation_id"));
    }
    assert_null(last_error(l));
    line_free(l);
}

static void test_deltas_come_faster_than_they_play(void **state)
{
    struct line *l = line_new(state, NULL);
    uint64_t begun_ms = l->now_ms, bytes;

    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
              "nobody is here and you would have to leave us a message.\\\"\"}}");
    while (!count(l, "response.done") && l->now_ms < begun_ms + 10000)
        pass(l, 10);
    bytes =
        audio_bytes(l, text_at(find(l, 0, "response.output_audio.delta", NULL), "item_id", NULL));
    assert_true(bytes / 8 > 5000);
    assert_true((l->now_ms - begun_ms) * 5 < bytes / 8);
    line_free(l);
}

static void test_a_late_session_update_comes_two_seconds_late(void **state)
{
    struct line *l = line_new(state, "slow");

    pass(l, 1900);
    assert_int_equal(0, count(l, "session.updated"));
    pass(l, 200);
    assert_int_equal(1, count(l, "session.updated"));
    line_free(l);
    l = line_new(state, "slow-300ms");
    pass(l, 290);
    assert_int_equal(0, count(l, "session.updated"));
    pass(l, 20);
    assert_int_equal(1, count(l, "session.updated"));
    line_free(l);
    l = line_new(state, "stuck");
    pass(l, 60000);
    assert_int_equal(0, count(l, "session.updated"));
    line_free(l);
}

static void test_connections_end_as_asked(void **state)
{
    static const struct {
        const char *fault;
        int code;
        uint64_t after_ms;
    } ends[] = {{"drop", 0, 5000}, {"drop-700ms", 0, 700}, {"1011", 1011, 5000},
                {"3000", 3000, 0}, {"quota", 1000, 0},     {"expire-100ms", 1001, 100}};

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        struct line *l = line_new(state, ends[i].fault);

        if (ends[i].after_ms) {
            pass(l, ends[i].after_ms - 1);
            assert_false(l->closed);
            pass(l, 1);
        }
        assert_true(l->closed);
        assert_int_equal(ends[i].code, l->close_code);
        line_free(l);
    }
}

static void test_an_answer_breaks_off_in_the_middle(void **state)
{
    struct line *l = line_new(state, "drop-answer");

    silence(l, 400);
    caller_says(l, replies[1].hears);
    silence(l, 2000);
    assert_true(l->closed);
    assert_int_equal(0, l->close_code);
    assert_in_range(count(l, "response.output_audio.delta"), 1, 3);
    assert_int_equal(0, count(l, "response.done"));
    line_free(l);
}

static void test_late_deltas_follow_a_cancelled_answer(void **state)
{
    struct line *l = line_new(state, "late-deltas");
    size_t at = 0;

    client(l, "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say exactly: "
              "\\\"We are open from nine to five on every day of the week, except for Sunday, when "
              "nobody is here and you would have to leave us a message.\\\"\"}}");
    while (count(l, "response.output_audio.delta") < 3)
        pass(l, 10);
    client(l, "{\"type\":\"response.cancel\"}");
    pass(l, 1000);
    assert_non_null(find(l, 0, "response.done", &at));
    assert_non_null(find(l, at, "response.output_audio.delta", NULL));
    line_free(l);
}

static void test_failures_are_told_in_response_done(void **state)
{
    struct line *l = line_new(state, "rate-limit");
    json_t *done;

    client(l, "{\"type\":\"response.create\"}");
    pass(l, 100);
    done = path(find(l, 0, "response.done", NULL), "response", NULL);
    assert_string_equal("failed", text_at(done, "status", NULL));
    assert_string_equal("rate_limit_exceeded",
                        text_at(path(done, "status_details", "error"), "code", NULL));
    line_free(l);
}

static void test_limits_are_told_with_every_response(void **state)
{
    struct line *l = line_new(state, "low-limits");
    json_t *tokens;

    client(l, "{\"type\":\"response.create\"}");
    pass(l, 100);
    tokens =
        json_array_get(json_object_get(find(l, 0, "rate_limits.updated", NULL), "rate_limits"), 1);
    assert_int_equal(400000, json_integer_value(json_object_get(tokens, "limit")));
    assert_int_equal(1200, json_integer_value(json_object_get(tokens, "remaining")));
    line_free(l);
}

static void test_silence_nulls_and_unknown_events(void **state)
{
    struct line *l = line_new(state, "silent");

    client(l, "{\"type\":\"response.create\"}");
    pass(l, 5000);
    assert_int_equal(0, l->n);
    line_free(l);

    l = line_new(state, "null-fields");
    client(l, "{\"type\":\"response.create\"}");
    pass(l, 5000);
    assert_true(json_is_null(path(find(l, 0, "response.done", NULL), "response", "usage")));
    line_free(l);

    l = line_new(state, "unknown-events");
    client(l, "{\"type\":\"response.create\"}");
    pass(l, 5000);
    assert_non_null(find(l, 0, "response.weather.updated", NULL));
    assert_non_null(find(l, 0, "response.done", NULL));
    line_free(l);
}

static void test_without_a_detector_the_client_commits(void **state)
{
    struct line *l = line_new(state, NULL);

    client(l,
           "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\",\"audio\":{\"input\":"
           "{\"turn_detection\":null}}}}");
    caller_says(l, replies[1].hears);
    silence(l, 1000);
    assert_int_equal(0, count(l, "input_audio_buffer.speech_started"));
    client(l, "{\"type\":\"input_audio_buffer.commit\"}");
    client(l, "{\"type\":\"response.create\"}");
    pass(l, 3000);
    assert_string_equal(
        replies[1].says,
        text_at(find(l, 0, "response.output_audio_transcript.done", NULL), "transcript", NULL));
    line_free(l);
}

static void test_a_recording_is_recognised_as_its_words(void **state)
{
    struct line *l = line_new(state, NULL);
    struct sound s;

    assert_int_equal(0, sound_load(&s, replies[2].hears_file));
    silence(l, 400);
    for (size_t i = 0; i + FRAME <= s.n; i += FRAME)
        append(l, s.pcm + i);
    silence(l, 2000);
    assert_string_equal(
        replies[2].hears,
        text_at(find(l, 0, "conversation.item.input_audio_transcription.completed", NULL),
                "transcript", NULL));
    sound_fini(&s);
    line_free(l);
}

static int setup(void **state)
{
    struct scenario *scenarios[] = {&booking};
    struct openai_script *script = NULL;
    char why[200];

    assert_int_equal(0, openai_script_new(&script, scenarios, 1, why, sizeof(why)));
    *state = script;
    return 0;
}

static int teardown(void **state)
{
    openai_script_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_session_begins_with_defaults_and_takes_an_update),
        cmocka_unit_test(test_a_greeting_is_spoken_word_for_word),
        cmocka_unit_test(test_a_booking_goes_through_a_tool),
        cmocka_unit_test(test_items_are_chained),
        cmocka_unit_test(test_speech_interrupts_the_answer),
        cmocka_unit_test(test_what_is_not_recognised_has_no_transcript),
        cmocka_unit_test(test_audio_in_the_wrong_format_is_not_understood),
        cmocka_unit_test(test_errors_of_timing_are_no_violations),
        cmocka_unit_test(test_wrong_messages_are_violations),
        cmocka_unit_test(test_the_voice_is_locked_after_the_first_audio),
        cmocka_unit_test(test_an_answer_beside_the_conversation_leaves_no_trace),
        cmocka_unit_test(test_a_conversation_in_text_follows_the_scenario_or_the_typist),
        cmocka_unit_test(test_metadata_comes_back_unless_it_is_left_out),
        cmocka_unit_test(test_deltas_come_faster_than_they_play),
        cmocka_unit_test(test_a_late_session_update_comes_two_seconds_late),
        cmocka_unit_test(test_connections_end_as_asked),
        cmocka_unit_test(test_an_answer_breaks_off_in_the_middle),
        cmocka_unit_test(test_late_deltas_follow_a_cancelled_answer),
        cmocka_unit_test(test_failures_are_told_in_response_done),
        cmocka_unit_test(test_limits_are_told_with_every_response),
        cmocka_unit_test(test_silence_nulls_and_unknown_events),
        cmocka_unit_test(test_without_a_detector_the_client_commits),
        cmocka_unit_test(test_a_recording_is_recognised_as_its_words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
