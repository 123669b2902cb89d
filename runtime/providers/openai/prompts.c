/* SPDX-License-Identifier: Apache-2.0 */
/* prompts.c - which response answers which prompt.
 *
 *   prompts_asked ──▶ asked ──response.created──▶ running ──response.done──▶ forgotten
 *
 * Each response.create carries its tag in the metadata, and the server gives it back in every
 * picture of the response. Then nothing is guessed: a response without a tag is the model's own
 * turn, even while a prompt of ours waits.
 *   - a server that has given no tag back so far: a response takes the oldest prompt of its kind,
 *     beside the conversation if it has none and one like that was asked for (a missing
 *     conversation alone may be one of the API's many nulls)
 *   - a guess that an error then refutes: the response loses its tag
 *   - a done without a tag: that of its beginning
 *   - more prompts or responses than there is room for: the oldest are forgotten */
#include "providers/openai/prompts.h"

#include <string.h>

uint64_t prompts_hash(struct rd_str id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < id.n; i++)
        hash = (hash ^ (unsigned char)id.p[i]) * UINT64_C(1099511628211);
    return hash ? hash : 1;
}

/* --- those that wait for their response ------------------------------------------------------ */

static struct prompt take_at(struct prompts *p, unsigned i)
{
    struct prompt taken = p->asked[i];

    p->n_asked--;
    memmove(&p->asked[i], &p->asked[i + 1], (p->n_asked - i) * sizeof(p->asked[0]));
    return taken;
}

static bool take_tag(struct prompts *p, uint32_t tag, struct prompt *out)
{
    for (unsigned i = 0; i < p->n_asked; i++)
        if (p->asked[i].tag == tag) {
            *out = take_at(p, i);
            return true;
        }
    return false;
}

static bool take_oldest(struct prompts *p, bool aside, struct prompt *out)
{
    for (unsigned i = 0; i < p->n_asked; i++)
        if (p->asked[i].aside == aside) {
            *out = take_at(p, i);
            return true;
        }
    return false;
}

void prompts_asked(struct prompts *p, struct prompt asked)
{
    struct prompt before;

    (void)take_tag(p, asked.tag, &before); /* the same once more: waits for one response only */
    if (p->n_asked == PROMPTS_ASKED)
        (void)take_at(p, 0);
    p->asked[p->n_asked++] = asked;
}

/* --- those that have one --------------------------------------------------------------------- */

static struct running *running_find(struct prompts *p, struct rd_str response_id)
{
    uint64_t hash = prompts_hash(response_id);

    for (int i = 0; response_id.n > 0 && i < PROMPTS_RUNNING; i++)
        if (p->running[i].id_hash == hash)
            return &p->running[i];
    return NULL;
}

static void running_add(struct prompts *p, struct rd_str response_id, struct prompt prompt)
{
    struct running *place = NULL;

    if (response_id.n == 0)
        return;
    for (int i = 0; i < PROMPTS_RUNNING && !place; i++)
        if (p->running[i].id_hash == 0)
            place = &p->running[i];
    if (!place)
        place = &p->running[p->next_running++ % PROMPTS_RUNNING];
    *place = (struct running){prompts_hash(response_id), prompt};
}

void prompts_refused(struct prompts *p, uint32_t tag)
{
    struct prompt refused;

    if (tag == 0)
        return;
    (void)take_tag(p, tag, &refused);
    for (int i = 0; i < PROMPTS_RUNNING; i++)
        if (p->running[i].prompt.tag == tag)
            p->running[i].prompt.tag = 0;
}

/* --- what the server tells ------------------------------------------------------------------- */

/* A tag that waits no more is believed; only its kind has to be guessed. */
static struct prompt by_tag(struct prompts *p, const struct prompt_echo *e)
{
    struct prompt found;

    p->echoed = true;
    if (take_tag(p, e->tag, &found))
        return found;
    return (struct prompt){.tag = e->tag, .aside = e->no_conversation};
}

static struct prompt by_age(struct prompts *p, const struct prompt_echo *e)
{
    struct prompt found;

    if (p->echoed || e->response_id.n == 0)
        return (struct prompt){0};
    if (e->no_conversation && take_oldest(p, true, &found))
        return found;
    return take_oldest(p, false, &found) ? found : (struct prompt){0};
}

struct prompt prompts_started(struct prompts *p, const struct prompt_echo *e)
{
    const struct running *known = running_find(p, e->response_id);
    struct prompt prompt;

    if (known) /* told twice: as it was told first */
        return known->prompt;
    prompt = e->tag ? by_tag(p, e) : by_age(p, e);
    running_add(p, e->response_id, prompt);
    return prompt;
}

struct prompt prompts_done(struct prompts *p, const struct prompt_echo *e)
{
    struct running *known = running_find(p, e->response_id);
    struct prompt prompt = {0}, echoed;

    if (known) {
        prompt = known->prompt;
        *known = (struct running){0};
    }
    if (e->tag && e->tag != prompt.tag) {
        echoed = by_tag(p, e);
        prompt.tag = echoed.tag;
        prompt.aside = known ? prompt.aside : echoed.aside;
    }
    return prompt;
}
