/* SPDX-License-Identifier: Apache-2.0 */
/* script.h - what the model knows to answer: the replies of all scenarios, found by the
 * sound of an utterance or by written words. Built once, then read-only; any thread. */
#ifndef SIM_OPENAI_SCRIPT_H
#define SIM_OPENAI_SCRIPT_H

#include "sim/scenario.h"
#include "sim/speech/recognise.h"

struct openai_script;

/* Which reply of which scenario; both NULL: none. Borrowed from the scenarios. */
struct openai_cue {
    const struct scenario *scenario;
    const struct scenario_reply *reply;
};

/* Learns every utterance (runs espeak-ng). Borrows the scenarios. The errors of sound_say() and
 * sound_load() with the utterance in `why`. */
int openai_script_new(struct openai_script **out, struct scenario *const *scenarios, size_t n,
                      char *why, size_t cap);
void openai_script_free(struct openai_script *s);

const struct recogniser *openai_script_ears(const struct openai_script *s);

/* The reply to an utterance heard (index of the recogniser) or read, after the last cue: the same
 * scenario's next such reply, else its first, else another scenario's. `notes`: all that system
 * messages said so far; a reply that waits for such words goes first once they were said. */
struct openai_cue openai_script_heard(const struct openai_script *s, int index,
                                      struct openai_cue last, const char *notes);
struct openai_cue openai_script_read(const struct openai_script *s, const char *text,
                                     struct openai_cue last, const char *notes);

/* What a model says that was told of the first words of one of its replies; NULL: of none. Borrowed. */
const char *openai_script_rest(const struct openai_script *s, const char *said);

/* The reply that calls this function; NULL: none does. */
const struct scenario_reply *openai_script_calling(const struct openai_script *s, const char *tool);

#endif
