/* SPDX-License-Identifier: Apache-2.0 */
/* fake_openai_talk.h - one session of the OpenAI double with its output captured, in virtual time: the
 * client's events go in, speech is made and recognised at once, and what came out is looked at. */
#ifndef TESTS_FAKE_OPENAI_TALK_H
#define TESTS_FAKE_OPENAI_TALK_H

#include "sim/openai/session.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENTS_MAX = 4096, JOBS_MAX = 16, TALK_FRAME = 160 };

struct job {
    uint32_t ticket;
    struct sound pcm;
    char *text, *voice;
};

struct talk {
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

#define FORMATS                                                                                    \
    "\"audio\":{\"input\":{\"format\":{\"type\":\"audio/pcmu\"},\"transcription\":{\"model\":"     \
    "\"gpt-transcribe\"},\"turn_detection\":{\"type\":\"server_vad\",\"silence_duration_ms\":500," \
    "\"interrupt_response\":true}},\"output\":{\"format\":{\"type\":\"audio/pcmu\"},\"voice\":"    \
    "\"marin\"}}"
#define CONFIGURE "{\"type\":\"session.update\",\"session\":{\"type\":\"realtime\"," FORMATS "}}"

/* What the scenario has: a booking by a tool, a goodbye, a recording. */
extern struct scenario_reply talk_replies[3];

/* The fixture of a group: the scenario that all its sessions follow. */
int talk_set_up(void **state);
int talk_tear_down(void **state);

/* Configured already, unless the fault closed it. */
struct talk *talk_new(void **state, const char *fault);
void talk_free(struct talk *l);

void talk_pass(struct talk *l, uint64_t ms); /* of time */
void talk_client(struct talk *l, const char *event);
void talk_append(struct talk *l, const int16_t *pcm); /* a frame of 20 ms; NULL: silence */
void talk_silence(struct talk *l, unsigned ms);
void talk_caller_says(struct talk *l, const char *words);

const char *event_type(const json_t *event);
json_t *event_path(json_t *v, const char *a, const char *b);
const char *event_text(json_t *v, const char *a, const char *b);

/* The first event of a type from `from` on, or NULL. */
json_t *talk_find(const struct talk *l, size_t from, const char *type, size_t *at);
unsigned talk_count(const struct talk *l, const char *type);

/* These types must come in this order; others may stand between. NULL ends them. */
void talk_expect_order(const struct talk *l, size_t from, const char *const *types);
uint64_t talk_audio_bytes(const struct talk *l, const char *item);
const char *talk_last_error(const struct talk *l); /* its code */

#endif
