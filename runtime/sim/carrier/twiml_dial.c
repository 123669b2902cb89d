/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the verbs that hold others: <Dial> with the numbers it rings, <Gather> with its prompts.
 *
 * Happy path: <Dial>+1…</Dial> is one target; each <Number> is one, with what is asked of him before
 * he is put through. <Say>, <Play digits> and <Pause> inside a <Gather> are its prompts.
 *
 * Failure modes, all TWIML_BAD with 12200
 *   - nobody to dial, more than ten, or somebody who is no number (<Sip>, <Client>, <Conference>);
 *   - a <Gather> that wants speech, or holds a verb that is no prompt.
 */
#include "sim/carrier/twiml_verbs.h"

#include <string.h>

enum { RING_S = 30, GATHER_S = 5 };

static void add_target(struct twiml *t, const struct xml_element *e)
{
    struct twiml_action *a = &t->now;
    struct twiml_target *target = &a->targets[a->n_targets];
    const char *method = xml_attr(e, "method"), *status_method;

    if (strcmp(e->name, "Number") != 0) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Dial> of a <%s> is not offered by this network", e->name);
        return;
    }
    if (twiml_all_space(e->text) || a->n_targets == TWIML_TARGETS_MAX) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Dial> with a <Number> that %s",
                      twiml_all_space(e->text) ? "is empty" : "is the eleventh");
        return;
    }
    twiml_check_attrs(t, e,
                      " url method statusCallback statusCallbackMethod statusCallbackEvent "
                      "sendDigits ");
    status_method = xml_attr(e, "statusCallbackMethod");
    *target = (struct twiml_target){.number = twiml_trimmed(e->text),
                                    .url = xml_attr(e, "url"),
                                    .method = method ? method : "POST",
                                    .status = xml_attr(e, "statusCallback"),
                                    .status_method = status_method ? status_method : "POST",
                                    .events = xml_attr(e, "statusCallbackEvent")};
    a->n_targets++;
}

void twiml_on_dial(struct twiml *t, const struct xml_element *e)
{
    struct twiml_action *a = &t->now;

    a->kind = TWIML_DIAL;
    a->action = xml_attr(e, "action");
    a->caller_id = xml_attr(e, "callerId");
    a->seconds = twiml_number(t, e, "timeout", RING_S);
    for (int c = e->first; c >= 0 && t->now.kind == TWIML_DIAL; c = t->doc->elements[c].next)
        add_target(t, &t->doc->elements[c]);
    if (a->kind != TWIML_DIAL)
        return;
    if (a->n_targets == 0 && twiml_all_space(e->text)) {
        twiml_give_up(t, TWILIO_SCHEMA, "<%s> without a number", e->name);
        return;
    }
    if (a->n_targets == 0)
        a->targets[a->n_targets++] = (struct twiml_target){.number = twiml_trimmed(e->text)};
    a->text = a->targets[0].number;
}

/* Reads a nested verb as if it stood alone, and keeps what a prompt needs of it. */
static void add_prompt(struct twiml *t, const struct xml_element *e)
{
    static const struct {
        const char *name;
        twiml_verb_fn *read;
    } prompts[] = {{"Say", twiml_on_say}, {"Play", twiml_on_play}, {"Pause", twiml_on_pause}};
    struct twiml_action gather = t->now;
    twiml_verb_fn *read = NULL;

    for (size_t i = 0; i < sizeof(prompts) / sizeof(prompts[0]); i++)
        read = strcmp(prompts[i].name, e->name) == 0 ? prompts[i].read : read;
    if (!read || gather.n_prompts == TWIML_PROMPTS_MAX) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Gather> holds %s<%s>", read ? "too many " : "", e->name);
        return;
    }
    t->now = (struct twiml_action){.verb = gather.verb};
    read(t, e);
    if (t->now.kind == TWIML_BAD)
        return;
    gather.prompts[gather.n_prompts++] =
        (struct twiml_prompt){t->now.kind, t->now.text, t->now.seconds, t->now.loop};
    t->now = gather;
}

void twiml_on_gather(struct twiml *t, const struct xml_element *e)
{
    const char *input = xml_attr(e, "input"), *finish = xml_attr(e, "finishOnKey");
    const char *empty = xml_attr(e, "actionOnEmptyResult");

    twiml_check_attrs(t, e,
                      " input action method timeout finishOnKey numDigits actionOnEmptyResult "
                      "language bargeIn ");
    if (input && strcmp(input, "dtmf") != 0) {
        twiml_give_up(t, TWILIO_SCHEMA, "<Gather input=\"%s\"> is not offered: only dtmf", input);
        return;
    }
    t->now.kind = TWIML_GATHER;
    t->now.action = xml_attr(e, "action");
    t->now.seconds = twiml_number(t, e, "timeout", GATHER_S);
    t->now.max_digits = twiml_number(t, e, "numDigits", 0);
    t->now.finish = finish ? finish[0] : '#';
    t->now.empty_too = empty && strcmp(empty, "true") == 0;
    for (int c = e->first; c >= 0 && t->now.kind == TWIML_GATHER; c = t->doc->elements[c].next)
        add_prompt(t, &t->doc->elements[c]);
}
