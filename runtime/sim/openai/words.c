/* SPDX-License-Identifier: Apache-2.0 */
/* words.c - the words an instruction wants to be said, and no others.
 *
 *   Say exactly: "Northside Plumbing, how can I help?"     ▶ what is between the quotes
 *   Say exactly this to the caller: “Good morning.”        ▶ likewise
 *   Say exactly: Good morning.                             ▶ the rest of the line
 *
 * Escapes inside straight quotes are JSON's. No "exactly", nothing quoted and no colon: no words.
 */
#include "sim/openai/check.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define OPENING "\xe2\x80\x9c"
#define CLOSING "\xe2\x80\x9d"

/* The string whose opening quote is at `p`, by JSON's rules. */
static char *straight(const char *p)
{
    const char *end = p + 1;
    char *words = NULL;
    json_t *value;

    while (*end && *end != '"')
        end += *end == '\\' && end[1] ? 2 : 1;
    if (*end != '"')
        return NULL;
    value = json_loadb(p, (size_t)(end - p) + 1, JSON_DECODE_ANY, NULL);
    if (json_is_string(value))
        words = strdup(json_string_value(value));
    json_decref(value);
    return words ? words : strndup(p + 1, (size_t)(end - p) - 1);
}

static char *typographic(const char *p)
{
    const char *end = strstr(p + strlen(OPENING), CLOSING);

    return end ? strndup(p + strlen(OPENING), (size_t)(end - p) - strlen(OPENING)) : NULL;
}

char *openai_exact_words(const char *instructions)
{
    const char *after = instructions ? strcasestr(instructions, "exactly") : NULL;
    const char *quote, *curly, *colon;

    if (!after)
        return NULL;
    quote = strchr(after, '"');
    curly = strstr(after, OPENING);
    if (curly && (!quote || curly < quote))
        return typographic(curly);
    if (quote)
        return straight(quote);
    colon = strchr(after, ':');
    if (!colon)
        return NULL;
    colon += 1 + strspn(colon + 1, " \t");
    return *colon ? strndup(colon, strcspn(colon, "\n")) : NULL;
}
