/* SPDX-License-Identifier: Apache-2.0 */
/* speech.h - who speaks on a Vapi leg: what Vapi tells of it, and its sound, as turns, responses and items
 * with ids, which Vapi has not. Loop's thread only; time comes from outside.
 *
 *   agent:  silent ──"started", or sound──▶ speaks ──"stopped", or 1.5 s without sound──▶ silent
 *                                             └── "user-interrupted", cancelled: the rest is dropped
 *   caller: silent ──"started"──▶ speaks ──"stopped"──▶ silent; over the agent only what interrupts it
 *
 * What the agent says is one response with one item. It answers the oldest prompt that is out, if there is
 * one: words of ours are never spoken by anybody else's choice, but that it was they says the transcript. */
#ifndef PROVIDERS_VAPI_SPEECH_H
#define PROVIDERS_VAPI_SPEECH_H

#include "base/buf.h"
#include "ports/provider.h"
#include "providers/vapi/pacer.h"
#include "providers/vapi/vapi.h"

#include <stdbool.h>
#include <stdint.h>

enum { SPEECH_ID = 40, SPEECH_PREFIX = 16, SPEECH_PROMPTS = 8, SPEECH_WORDS_MAX = 16 * 1024 };

struct speech_prompt {
    uint32_t tag;
    bool aside;
    uint64_t asked_us;
};

struct speech_agent {
    bool open;    /* it speaks; or is done, and the rest waits to be heard */
    bool dead;    /* what comes of it is dropped */
    bool stopped; /* Vapi says that it does not speak any more… */
    uint64_t stopped_us;
    uint64_t opened_us, audible_us;
    uint64_t deaf_until_us; /* it was interrupted: what comes late of it is no new sentence */
    struct speech_prompt prompt;
    uint32_t number; /* of the response and its item */
    char item[SPEECH_ID], response[SPEECH_ID];
    struct buf words;      /* owns */
    bool owes_words;       /* the item was not told its final words yet… */
    uint64_t words_due_us; /* …which it is by then; 0: not before the end of the response */
};

struct speech_caller {
    bool speaks; /* as Vapi says */
    bool told;   /* the core knows */
    bool placed, worded;
    uint32_t number; /* of the item */
    uint32_t start_ms, stop_ms;
    char item[SPEECH_ID];
};

struct speech {
    const struct provider_events *up; /* borrows; NULL: nobody listens */
    void *up_arg;
    struct vapi_counts *counts; /* borrows */
    char prefix[SPEECH_PREFIX]; /* no two sessions of a call have the same ids */
    char placed[SPEECH_ID];     /* the item that took its place last */
    struct speech_prompt asked[SPEECH_PROMPTS];
    unsigned n_asked;
    struct pacer out;
    struct speech_agent agent;
    struct speech_caller caller;
    uint64_t fed_bytes; /* of caller audio */
};

int speech_init(struct speech *s, unsigned session, struct vapi_counts *counts); /* -ENOMEM */
void speech_fini(struct speech *s);

/* What Vapi says. Whoever is told may set `up` to NULL: then nothing more is told. */
void speech_agent(struct speech *s, bool speaks, uint64_t now_us);
void speech_caller(struct speech *s, bool speaks, uint64_t now_us);
void speech_interrupted(struct speech *s, uint64_t now_us);
void speech_words(struct speech *s, enum provider_role role, struct rd_str text, uint64_t now_us);
void speech_sound(struct speech *s, const uint8_t *ulaw, size_t n, uint64_t now_us);

/* What the core wants. */
void speech_asked(struct speech *s, uint32_t tag, bool aside, uint64_t now_us);
int speech_cancel(struct speech *s, struct rd_str response_id); /* RD_EGONE: another session's */
void speech_fed(struct speech *s, size_t n_bytes);

/* An id of Vapi's as it is told, and back again. False: it is of another session, or too long. */
bool speech_told_id(const struct speech *s, struct rd_str own, char *out, size_t cap);
bool speech_own_id(const struct speech *s, struct rd_str told, struct rd_str *own);

/* Time passes. When it wants to be told again, in µs; 0: nothing waits. */
void speech_tick(struct speech *s, uint64_t now_us);
uint64_t speech_due_us(const struct speech *s);

/* The session is over, and what was said with it: whole, or it broke off. Before: is some of it still on
 * its way? */
void speech_over(struct speech *s, bool whole, uint64_t now_us);
bool speech_drains(const struct speech *s);

#endif
