/* SPDX-License-Identifier: Apache-2.0 */
/* talk_news.c - emergencies from the facts that scripts tell, texts and telephones from the simulated
 * network. What is not in here is not worth a line to who types. */
#include "cli/talk_news.h"

#include "cli/talk_screen.h"

#include <jansson.h>
#include <string.h>

static const char *text_of(const json_t *o, const char *key)
{
    const char *z = json_string_value(json_object_get(o, key));

    return z ? z : "";
}

void talk_news_fact(const char *type, const char *json)
{
    json_t *fact = json_loads(json, 0, NULL);

    if (strcmp(type, "triage") == 0)
        screen_line(SCREEN_TRIAGE, "%s (%s) %s: %s", text_of(fact, "rule"),
                    text_of(fact, "severity"), text_of(fact, "state"),
                    *text_of(fact, "by") ? text_of(fact, "by") : text_of(fact, "words"));
    else if (strcmp(type, "triage_step") == 0)
        screen_line(SCREEN_TRIAGE, "%s: %s%s%s: %s", text_of(fact, "rule"), text_of(fact, "kind"),
                    *text_of(fact, "target") ? " " : "", text_of(fact, "target"),
                    text_of(fact, "state"));
    else if (strcmp(type, "near_miss") == 0)
        screen_line(SCREEN_TRIAGE, "%s nearly (%s): \"%s\"", text_of(fact, "rule"),
                    text_of(fact, "why"), text_of(fact, "words"));
    json_decref(fact);
}

/* "to +1…: the words" out of an event: what stands before and behind the number, and a member. */
static const struct {
    const char *event, *before, *behind, *member;
    enum screen_who who;
} lines[] = {
    {"text.created", "to ", ": ", "body", SCREEN_TEXT},
    {"text.undelivered", "to ", ": not delivered", NULL, SCREEN_TEXT},
    {"text.refused", "to ", ": refused, ", "why", SCREEN_TEXT},
    {"text.received", "to ", ", from a telephone: ", "body", SCREEN_TEXT},
    {"leg.ringing", "", " rings", NULL, SCREEN_PHONE},
    {"leg.answered", "", " answers", NULL, SCREEN_PHONE},
    {"leg.hears", "", " hears: ", "text", SCREEN_PHONE},
    {"leg.digit", "", " presses ", "digit", SCREEN_PHONE},
    {"leg.through", "", " has the caller", NULL, SCREEN_PHONE},
    {"leg.ended", "", " is off the phone: ", "status", SCREEN_PHONE},
    {"error", "the network complains: ", "", "why", SCREEN_PHONE},
};

bool talk_news_event(const char *json)
{
    json_t *e = json_loads(json, 0, NULL);
    const char *event = text_of(e, "ev");
    bool goes_away = strcmp(event, "dial.begun") == 0; /* Twilio ends the stream then */

    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
        if (strcmp(event, lines[i].event) == 0)
            screen_line(lines[i].who, "%s%s%s%s", lines[i].before, text_of(e, "to"),
                        lines[i].behind, lines[i].member ? text_of(e, lines[i].member) : "");
    if (strcmp(event, "twiml.verb") == 0 && strcmp(text_of(e, "verb"), "Say") == 0)
        screen_line(SCREEN_AGENT, "%s", text_of(e, "text")); /* in the network's own voice */
    json_decref(e);
    return goes_away;
}
