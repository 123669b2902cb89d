/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_openai_talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct scenario_reply talk_replies[3] = {
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
static struct scenario booking = {.name = "booking", .replies = talk_replies, .n_replies = 3};

static void on_send(const char *event, size_t n, void *arg)
{
    struct talk *l = arg;

    assert_true(l->n < EVENTS_MAX);
    assert_false(l->closed);
    l->events[l->n] = json_loadb(event, n, 0, NULL);
    assert_non_null(l->events[l->n]);
    l->n++;
}

static void on_close(int code, const char *reason, void *arg)
{
    struct talk *l = arg;

    assert_non_null(reason);
    l->closed = true;
    l->close_code = code;
}

static void on_fact(json_t *fact, void *arg)
{
    struct talk *l = arg;

    json_array_append_new(l->facts, fact);
}

static int on_hear(uint32_t ticket, struct sound pcm, void *arg)
{
    struct talk *l = arg;

    l->jobs[l->n_jobs++] = (struct job){.ticket = ticket, .pcm = pcm};
    return 0;
}

static int on_say(uint32_t ticket, const char *text, const char *voice, void *arg)
{
    struct talk *l = arg;

    l->jobs[l->n_jobs++] =
        (struct job){.ticket = ticket, .text = strdup(text), .voice = strdup(voice)};
    return 0;
}

static const struct openai_session_events events = {
    .send = on_send, .close = on_close, .fact = on_fact, .hear = on_hear, .say = on_say};

static void do_job(struct talk *l)
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

void talk_pass(struct talk *l, uint64_t ms)
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

void talk_client(struct talk *l, const char *event)
{
    openai_session_receive(l->session, event, strlen(event), l->now_ms);
}

void talk_append(struct talk *l, const int16_t *pcm)
{
    uint8_t ulaw[TALK_FRAME];
    char text[320], event[400];
    size_t n;

    for (int i = 0; i < TALK_FRAME; i++)
        ulaw[i] = sim_ulaw_encode(pcm ? pcm[i] : (int16_t)0);
    n = sim_base64_encode(text, ulaw, TALK_FRAME);
    snprintf(event, sizeof(event), "{\"type\":\"input_audio_buffer.append\",\"audio\":\"%.*s\"}",
             (int)n, text);
    talk_client(l, event);
    talk_pass(l, 20);
}

void talk_silence(struct talk *l, unsigned ms)
{
    for (unsigned i = 0; i < ms && !l->closed; i += 20)
        talk_append(l, NULL);
}

void talk_caller_says(struct talk *l, const char *words)
{
    struct sound s;

    assert_int_equal(0, sound_say(&s, words, NULL));
    for (size_t i = 0; i + TALK_FRAME <= s.n; i += TALK_FRAME)
        talk_append(l, s.pcm + i);
    sound_fini(&s);
}

struct talk *talk_new(void **state, const char *fault)
{
    struct talk *l = calloc(1, sizeof(*l));
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
        talk_client(l, CONFIGURE);
    return l;
}

void talk_free(struct talk *l)
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

const char *event_type(const json_t *event)
{
    return json_string_value(json_object_get(event, "type"));
}

json_t *talk_find(const struct talk *l, size_t from, const char *type, size_t *at)
{
    for (size_t i = from; i < l->n; i++)
        if (strcmp(event_type(l->events[i]), type) == 0) {
            if (at)
                *at = i;
            return l->events[i];
        }
    return NULL;
}

unsigned talk_count(const struct talk *l, const char *type)
{
    unsigned n = 0;

    for (size_t i = 0; i < l->n; i++)
        n += strcmp(event_type(l->events[i]), type) == 0;
    return n;
}

void talk_expect_order(const struct talk *l, size_t from, const char *const *types)
{
    for (; *types; types++) {
        if (!talk_find(l, from, *types, &from))
            print_error("missing: %s\n", *types);
        assert_non_null(talk_find(l, from, *types, &from));
        from++;
    }
}

json_t *event_path(json_t *v, const char *a, const char *b)
{
    v = json_object_get(v, a);
    return b ? json_object_get(v, b) : v;
}

const char *event_text(json_t *v, const char *a, const char *b)
{
    return json_string_value(event_path(v, a, b));
}

uint64_t talk_audio_bytes(const struct talk *l, const char *item)
{
    uint64_t n = 0;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(event_type(l->events[i]), "response.output_audio.delta") == 0 &&
            strcmp(event_text(l->events[i], "item_id", NULL), item) == 0) {
            const json_t *delta = json_object_get(l->events[i], "delta");
            uint8_t bytes[8192];
            ssize_t got =
                sim_base64_decode(bytes, json_string_value(delta), json_string_length(delta));
            assert_true(got > 0);
            n += (uint64_t)got;
        }
    return n;
}

const char *talk_last_error(const struct talk *l)
{
    json_t *e = NULL;

    for (size_t i = 0; i < l->n; i++)
        if (strcmp(event_type(l->events[i]), "error") == 0)
            e = l->events[i];
    return e ? event_text(e, "error", "code") : NULL;
}

/* ---- the fixture ---- */

int talk_set_up(void **state)
{
    struct scenario *scenarios[] = {&booking};
    struct openai_script *script = NULL;
    char why[200];

    assert_int_equal(0, openai_script_new(&script, scenarios, 1, why, sizeof(why)));
    *state = script;
    return 0;
}

int talk_tear_down(void **state)
{
    openai_script_free(*state);
    return 0;
}
