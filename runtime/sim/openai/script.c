/* SPDX-License-Identifier: Apache-2.0 */
/* script.c - replies by what was heard.
 *
 *   - each reply's `hears` is learnt once per (text, voice), a `hears_file` by its samples
 *   - a conversation stays in its scenario as long as that has an answer; within it, answers come
 * in the order they are written, so that two "yes" can mean two things. */
#include "sim/openai/script.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct line {
    int index; /* of the recogniser */
    struct openai_cue cue;
};

struct openai_script {
    struct recogniser *ears; /* owns */
    struct line *lines;      /* owns; in the scenarios' order */
    size_t n;
};

/* How the caller says it: the reply's `voice`, else that of the scenario's step with these words.
 */
static const char *voice_of(const struct scenario *s, const struct scenario_reply *reply)
{
    for (size_t i = 0; !reply->voice && i < s->n_steps; i++)
        if (s->steps[i].say && strcmp(s->steps[i].say, reply->hears) == 0)
            return s->steps[i].voice;
    return reply->voice;
}

static int learn(struct openai_script *s, const struct scenario *scenario,
                 const struct scenario_reply *reply)
{
    int index = reply->hears_file
                    ? recogniser_add_file(s->ears, reply->hears_file)
                    : recogniser_add(s->ears, reply->hears, voice_of(scenario, reply));

    if (index < 0)
        return index;
    s->lines[s->n++] = (struct line){.index = index, .cue = {scenario, reply}};
    return 0;
}

static int learn_all(struct openai_script *s, struct scenario *const *scenarios, size_t n,
                     char *why, size_t cap)
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < scenarios[i]->n_replies; k++) {
            const struct scenario_reply *reply = &scenarios[i]->replies[k];
            int rc = reply->hears ? learn(s, scenarios[i], reply) : 0;

            if (rc) {
                snprintf(why, cap, "%s: cannot make the sound of \"%.100s\": %s",
                         scenarios[i]->name ? scenarios[i]->name : "scenario", reply->hears,
                         rc == -ENOENT ? "is espeak-ng installed, and the file there?" : "failed");
                return rc;
            }
        }
    return 0;
}

int openai_script_new(struct openai_script **out, struct scenario *const *scenarios, size_t n,
                      char *why, size_t cap)
{
    struct openai_script *s = calloc(1, sizeof(*s));
    size_t n_lines = 0;
    int rc = s ? recogniser_new(&s->ears) : -ENOMEM;

    for (size_t i = 0; i < n; i++)
        n_lines += scenarios[i]->n_replies;
    if (rc == 0) {
        s->lines = calloc(n_lines + 1, sizeof(*s->lines));
        rc = s->lines ? learn_all(s, scenarios, n, why, cap) : -ENOMEM;
    }
    if (rc) {
        openai_script_free(s);
        return rc;
    }
    *out = s;
    return 0;
}

void openai_script_free(struct openai_script *s)
{
    if (!s)
        return;
    recogniser_free(s->ears);
    free(s->lines);
    free(s);
}

const struct recogniser *openai_script_ears(const struct openai_script *s)
{
    return s->ears;
}

enum { BEST_RANK = 0, NO_RANK = 4 };

/* How good a line is after the last one: the lower, the better. */
static int rank(const struct openai_cue *c, const struct openai_cue *last, const char *notes)
{
    if (c->reply->told)
        return strstr(notes, c->reply->told) ? BEST_RANK : NO_RANK;
    if (!last->scenario || c->scenario != last->scenario)
        return last->scenario ? 3 : 1;
    return c->reply > last->reply ? 1 : 2;
}

/* People type as they like: only letters and digits count. */
static bool same_words(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a && (unsigned char)*a < 128 && !isalnum((unsigned char)*a))
            a++;
        while (*b && (unsigned char)*b < 128 && !isalnum((unsigned char)*b))
            b++;
        if (tolower((unsigned char)*a) != tolower((unsigned char)*b))
            return false;
        if (!*a)
            return true;
    }
}

static struct openai_cue best_of(const struct openai_script *s, int index, const char *text,
                                 struct openai_cue last, const char *notes)
{
    struct openai_cue best = {0};
    int best_rank = NO_RANK;

    for (size_t i = 0; i < s->n; i++) {
        const struct line *l = &s->lines[i];
        bool same = text ? same_words(l->cue.reply->hears, text) : l->index == index;
        int r = same ? rank(&l->cue, &last, notes) : NO_RANK;

        if (r < best_rank) {
            best = l->cue;
            best_rank = r;
        }
    }
    return best;
}

struct openai_cue openai_script_heard(const struct openai_script *s, int index,
                                      struct openai_cue last, const char *notes)
{
    return index < 0 ? (struct openai_cue){0} : best_of(s, index, NULL, last, notes);
}

struct openai_cue openai_script_read(const struct openai_script *s, const char *text,
                                     struct openai_cue last, const char *notes)
{
    return text ? best_of(s, -1, text, last, notes) : (struct openai_cue){0};
}

const char *openai_script_rest(const struct openai_script *s, const char *said)
{
    size_t n = strlen(said);

    for (size_t i = 0; n > 0 && i < s->n; i++) {
        const char *says = s->lines[i].cue.reply->says;

        if (says && strncmp(says, said, n) == 0 && says[n])
            return says + n;
    }
    return NULL;
}

const struct scenario_reply *openai_script_calling(const struct openai_script *s, const char *tool)
{
    for (size_t i = 0; i < s->n; i++) {
        const struct scenario_reply *reply = s->lines[i].cue.reply;

        if (reply->tool && strcmp(reply->tool, tool) == 0)
            return reply;
    }
    return NULL;
}
