/* SPDX-License-Identifier: Apache-2.0 */
/* brief.h - what a call must know about its agent, rendered by the script at the start of the call
 * and immutable afterwards. Reference-counted, because webhook and stream may be on different
 * threads. The words are neutral; each provider translates them. Any thread. */
#ifndef PORTS_BRIEF_H
#define PORTS_BRIEF_H

#include "base/str.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct brief {
    _Atomic int refs;                 /* brief_ref(), brief_unref() */
    void (*destroy)(struct brief *b); /* frees the whole; NULL: nobody owns it (static, tests) */

    const char *agent;   /* "northside-plumbing" */
    const char *version; /* hash of the source it was made from */

    /* Who speaks, and who takes the call over when that one cannot go on. */
    const char *system; /* "openai", "vapi"; empty: openai */
    const char *other;  /* "bypass": Vapi, but not over this stream; empty: nobody */

    /* For Vapi. */
    const char *vapi_assistant; /* its id there; empty: there is none */
    const char *vapi_variables; /* JSON object for its templates; empty: none */
    const char *vapi_tools; /* "line": we run them; empty: whoever their server is, perhaps us */

    /* For the provider. */
    const char *api;     /* of OpenAI: "live" is GPT-Live; else the Realtime API */
    const char *backend; /* GPT-Live: the model that thinks and calls tools; empty: its default */
    const char *model;   /* empty: the configured default */
    const char *voice;
    const char
        *audio; /* "pcm": the session's is 16-bit PCM at 24 kHz; else the telephone's µ-law */
    const char *instructions;
    const char *language;   /* ISO 639-1 of the first language; empty: let it guess */
    const char *tools_json; /* JSON array of {"name","description","parameters"}; "[]" */
    uint32_t vad_silence_ms;
    double vad_threshold;
    uint32_t context_tokens; /* of the conversation that the model keeps; 0: what fits the model */

    /* For the conversation. */
    const char *opening;     /* notice and greeting, spoken first; empty: the model begins */
    const char *notice;      /* the part of it that must be heard; empty: nothing must */
    const char *still_there; /* after silence_ms without a word from either side */
    const char *silence_bye; /* after silence_times of those, then hang up */
    const char *moment;      /* when an answer is late; empty: nothing is said */
    const char *time_up;     /* spoken at max_call_ms, then hang up */
    uint32_t silence_ms;     /* 0: never */
    uint32_t silence_times;
    uint32_t max_call_ms;
    bool record; /* the call's sound is kept, once the notice was heard */
};

static inline struct brief *brief_ref(struct brief *b)
{
    if (b)
        atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}

static inline void brief_unref(struct brief *b)
{
    if (b && atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) == 1 && b->destroy)
        b->destroy(b);
}

#endif
