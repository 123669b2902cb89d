/* SPDX-License-Identifier: Apache-2.0 */
/* scenario.h - a conversation as one small Lua file (examples/scenarios/): what the caller does,
 * what the model answers when it recognises an utterance, and what must have happened in the end.
 *
 *   return {
 *     name = "booking", from = "+13125550142", to = "+13125550100", max = "60s", dial = "busy",
 *     caller = {
 *       { after = "agent", say = "Hi, I need a plumber tomorrow at nine." },  -- the agent fell
 * silent { during = "agent", at = "1200ms", say = "Wait, make it ten." },      -- cuts in { wait =
 * "2s" }, { after = "agent", digits = "42#" }, { after = "agent", hangup = true },
 *       -- The network loses the stream, here while these words are spoken; `stops`: with Twilio's `stop`.
 *       { after = "agent", say = "I live at forty-one", breaks = "400ms" }, { stops = "0ms" },
 *     },
 *     model = {
 *       { hears = "Hi, I need a plumber tomorrow at nine.",
 *         tool = { name = "book_visit", arguments = { day = "tomorrow", time = "09:00" } },
 *         then_says = "You are booked for tomorrow at nine." },
 *       { hears = "No thanks, goodbye.", says = "Goodbye.", tool = { name = "end_call" } },
 *     },
 *     -- A recorded prompt instead of espeak-ng: the caller plays it, the model knows the file.
 *     -- caller: { play = "/usr/share/asterisk/sounds/en_US_f_Allison/vm-goodbye.wav" }
 *     -- model:  { hears_file = "/usr/…/vm-goodbye.wav", hears = "Goodbye.", says = … }
 *     -- Who is at the other telephones. What is not said here: a human who answers after half a
 *     -- second, takes the call with a 1, and talks for a second (`dial` says otherwise for all).
 *     people = {
 *       ["+13125550188"] = {
 *         answers = "human",    -- or "voicemail" (presses nothing), "busy", "no-answer", "failed"
 *         after = "2s",         -- rings that long
 *         presses = "1",        -- keys, when a <Gather> waits for some; "": none
 *         thinks = "1s",        -- so long after the <Gather> began
 *         talks = "5s",         -- once put through; then hangs up
 *         text = 30006,         -- what becomes of texts to it: 21xxx refuses, 30xxx not delivered
 *         callbacks = "twice",  -- of these texts: or "backwards", "none"
 *         replies = { { "1", after = "2s" } },  -- one to each text it gets, while there are any
 *       },
 *     },
 *     texts = { { at = "3s", body = "Is it you?" } },  -- from the caller's phone, after it rang;
 *                                                      -- also from, to
 *     expect = { ended_by = "agent", barge_ins = 0, tools = { "book_visit" },
 *                heard = { "booked for tomorrow" }, verbs = { "Connect", "Redirect", "Hangup" } },
 *   }
 */
#ifndef SIM_SCENARIO_H
#define SIM_SCENARIO_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scenario_step {  /* what the caller does */
    bool after, during; /* after: once the agent fell silent; during: while it is being heard;
                         * neither: right after the step before */
    uint32_t at_ms;     /* during: from the start of the agent's speech; else: extra wait */
    char *say, *voice;  /* espeak-ng; NULL when not speaking */
    char *play;         /* a WAV file instead of `say` */
    const int16_t *pcm; /* borrows: sound, 8 kHz, instead of both; never of a file */
    size_t n_pcm;
    char *digits;     /* DTMF */
    uint32_t wait_ms; /* silence of the caller, on purpose */
    bool hangup;
    bool breaks, stops;  /* the network loses the stream: without a word, or with `stop` and a close
                         * frame. Where something is said: while it is */
    uint32_t lost_at_ms; /* so long after the step began */
};

struct scenario_reply {     /* what the model does once it recognised `hears` */
    char *hears;            /* what the caller said, in words; also the transcript of hears_file */
    char *hears_file;       /* a WAV file to recognise instead of `hears` spoken; NULL: none */
    char *voice;            /* of the caller saying it, for the recogniser; NULL: default */
    char *told;             /* only once a system message held these words; NULL: always */
    char *says;             /* spoken before or instead of the tool; NULL: nothing */
    char *tool, *arguments; /* function call; arguments as JSON text */
    char *then_says;        /* spoken after the tool's result */
    char *then_tool, *then_arguments;
    char *fault; /* misbehave here: see openai_double.h; NULL: none */
};

struct scenario_text { /* somebody texts */
    char *from, *to;   /* NULL: as the call, or back to whom it answers */
    char *body;
    uint32_t at_ms; /* after the call rang, or after the text it answers */
};

enum scenario_answer {
    SCENARIO_HUMAN,
    SCENARIO_VOICEMAIL,
    SCENARIO_BUSY,
    SCENARIO_NO_ANSWER,
    SCENARIO_FAILED
};

enum scenario_callbacks { SCENARIO_IN_ORDER, SCENARIO_TWICE, SCENARIO_BACKWARDS, SCENARIO_NONE };

struct scenario_person { /* who is at another telephone */
    char *number;
    enum scenario_answer answers;
    uint32_t after_ms, thinks_ms, talks_ms;
    char *presses; /* "": nothing */
    int text;      /* 0: texts arrive; else Twilio's error code */
    enum scenario_callbacks callbacks;
    struct scenario_text *replies;
    size_t n_replies;
};

struct scenario_expect {
    char *ended_by; /* "agent", "caller", "fallback", "transfer", "timeout", "error"; NULL: any */
    int barge_ins;  /* -1: any */
    char **tools;   /* in this order, NULL-terminated; NULL: any */
    char **heard;   /* words the caller must have heard played to the end, by the agent or the
                     * network's own voice; NULL-terminated */
    char *voice;    /* of the agent, espeak-ng's name; NULL: what `marin` sounds like (en-us+f3) */
    char **verbs;   /* TwiML verbs the call must have run, in this order; NULL: any */
};

struct scenario {
    char *name, *file, *from, *to;
    struct scenario_step *steps;
    size_t n_steps;
    struct scenario_reply *replies;
    size_t n_replies;
    uint32_t max_ms; /* the caller gives up; default 60000 */
    char *dial;      /* what a <Dial> comes to where `people` do not say: "busy", "no-answer",
                      * "failed"; NULL: "completed" */
    struct scenario_person *people;
    size_t n_people;
    struct scenario_text *texts;
    size_t n_texts;
    struct scenario_expect expect;
};

/* A `play` or `hears_file` that is no absolute path is looked for beside the scenario's file.
 * RD_ECONFIG with "file:line: …" lines in `complaints`. */
int scenario_load(struct scenario **out, const char *file, struct buf *complaints);
void scenario_free(struct scenario *s);
void scenario_people_fini(struct scenario *s);

/* Who is at that number; NULL: nobody that the scenario knows. */
const struct scenario_person *scenario_person(const struct scenario *s, const char *number);

/* Every *.lua of a folder, sorted by name; `out` is an array of n. */
int scenario_load_folder(struct scenario ***out, size_t *n, const char *folder,
                         struct buf *complaints);

#endif
