/* SPDX-License-Identifier: Apache-2.0 */
/* sign_check.c - puts our signature check on stdin and stdout, so that a judge written by others
 * can question it (spec/judge/signatures.js).
 *
 * One JSON object per line: kind ("webhook" or "upgrade"), public_url, target, tokens (a list),
 * content_type, body, signature. One word per line back: "ok" or "bad"; "broken" when the question
 * itself was none (then exit 1). */
#include "carriers/twilio/verify.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOKENS_MAX = 4 };

static struct rd_str member(const json_t *question, const char *key)
{
    const json_t *value = json_object_get(question, key);

    if (!json_is_string(value))
        return (struct rd_str){"", 0};
    return (struct rd_str){json_string_value(value), json_string_length(value)};
}

static const char *verdict(const json_t *question)
{
    const char *tokens[TOKENS_MAX + 1] = {NULL};
    const json_t *list = json_object_get(question, "tokens");
    struct twilio_auth auth = {.public_url = member(question, "public_url").p, .tokens = tokens};
    struct rd_str target = member(question, "target");
    struct rd_str signature = member(question, "signature");
    struct rd_str kind = member(question, "kind");

    for (size_t i = 0; i < json_array_size(list) && i < TOKENS_MAX; i++)
        tokens[i] = json_string_value(json_array_get(list, i));
    if (rd_str_eq(kind, RD_STR("upgrade")))
        return twilio_upgrade_ok(&auth, target, signature) ? "ok" : "bad";
    if (rd_str_eq(kind, RD_STR("webhook")))
        return twilio_webhook_ok(&auth, target, member(question, "content_type"),
                                 member(question, "body"), signature)
                   ? "ok"
                   : "bad";
    return NULL;
}

int main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    int status = 0;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        json_t *question = json_loadb(line, (size_t)n, JSON_ALLOW_NUL, NULL);
        const char *word = question ? verdict(question) : NULL;

        if (!word)
            status = 1;
        puts(word ? word : "broken");
        json_decref(question);
    }
    free(line);
    return status;
}
