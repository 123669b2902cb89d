/* SPDX-License-Identifier: Apache-2.0 */
/* Compares a call with what its scenario expects.
 *
 * Happy path: ended by whom it should, as many barge-ins as it should, the verbs in order, every
 * sentence recognised in the sound that reached the caller's ear, nothing sent that Twilio would
 * refuse. Failure modes: each difference is one clause of `why`; an end by "error" or "timeout" is
 * never right unless the scenario asks for it.
 *
 * `tools` is not judged here: the telephone network cannot see them. The double of the model tells
 * them (its log), and a sentence that is only spoken after the tool proves it to the ear.
 */
#include "sim/carrier/judge.h"

#include "sim/speech/recognise.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char agent_voice[] = "en-us+f3"; /* the double's voice for `marin`, the usual one */

/* The sentence of a reply that holds the words; the words when none does. */
static const char *sentence_of(const struct scenario *s, const char *words)
{
    for (size_t i = 0; i < s->n_replies; i++) {
        const struct scenario_reply *y = &s->replies[i];
        if (y->says && strcasestr(y->says, words))
            return y->says;
        if (y->then_says && strcasestr(y->then_says, words))
            return y->then_says;
    }
    return words;
}

/* The agent says it, or the network itself with <Say>. The better score of the two. */
static bool is_heard(const struct sound *agent, const char *sentence, const char *voice,
                     float *score)
{
    const char *const voices[] = {voice ? voice : agent_voice, NULL};

    for (size_t i = 0; i < 2; i++) {
        float one = 0;
        if (recognise_sound(agent, sentence, voices[i], &one) == 1)
            return true;
        *score = i == 0 || one < *score ? one : *score;
    }
    return false;
}

void judge_heard(const struct scenario *s, const struct sound *agent, char *unheard, size_t cap)
{
    unheard[0] = '\0';
    for (size_t i = 0; s->expect.heard && s->expect.heard[i]; i++) {
        const char *words = s->expect.heard[i];
        float score = 0;
        if (agent->n > 0 && is_heard(agent, sentence_of(s, words), s->expect.voice, &score))
            continue;
        snprintf(unheard, cap, "\"%s\" was not heard to its end (%.1f dB off)", words,
                 (double)score);
        return;
    }
}

__attribute__((format(printf, 2, 3))) static void missing(struct call_report *r, const char *fmt,
                                                          ...)
{
    size_t n = strlen(r->why);
    va_list ap;

    r->ok = false;
    if (n > 0 && n + 3 < sizeof(r->why)) {
        memcpy(r->why + n, "; ", 3);
        n += 2;
    }
    va_start(ap, fmt);
    vsnprintf(r->why + n, sizeof(r->why) - n, fmt, ap);
    va_end(ap);
}

static void judge_end(struct call_report *r, const struct scenario *s, const char *error)
{
    const char *want = s->expect.ended_by;
    bool failed = strcmp(r->ended_by, "error") == 0 || strcmp(r->ended_by, "timeout") == 0;

    if (want ? strcmp(want, r->ended_by) != 0 : failed)
        missing(r, "ended by %s, not %s%s%s", r->ended_by, want ? want : "agent or caller",
                error[0] ? ": " : "", error);
}

static void judge_verbs(struct call_report *r, char **verbs)
{
    char want[sizeof(r->verbs)] = "";
    size_t n = 0;

    for (size_t i = 0; verbs && verbs[i] && n < sizeof(want); i++)
        n += (size_t)snprintf(want + n, sizeof(want) - n, "%s%s", i ? "," : "", verbs[i]);
    if (verbs && strcmp(want, r->verbs) != 0)
        missing(r, "ran %s, not %s", r->verbs, want);
}

void judge_report(struct call_report *r, const struct scenario *s, const char *unheard,
                  const char *error)
{
    r->ok = true;
    r->why[0] = '\0';
    judge_end(r, s, error);
    if (s->expect.barge_ins >= 0 && r->barge_ins != (uint32_t)s->expect.barge_ins)
        missing(r, "%u barge-ins, not %d", r->barge_ins, s->expect.barge_ins);
    judge_verbs(r, s->expect.verbs);
    if (unheard[0])
        missing(r, "%s", unheard);
    if (r->violations > 0)
        missing(r, "%u messages refused, the first: %s", r->violations, error);
}
