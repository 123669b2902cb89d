/* SPDX-License-Identifier: Apache-2.0 */
/* typed.c - a model that can be told what to do, for conversations in text that no scenario knows.
 *
 *   "/tool NAME {json}"   calls that function
 *   a function's result   is read out: what it says, else all of it
 *   anything else         is repeated, with how to get more out of it
 *
 * Failure: "/tool" without a name is anything else; arguments that are no JSON go out as they are,
 * because real models do that too. */
#include "sim/openai/private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char order[] = "/tool ";

static bool call_function(struct response *r, const char *text)
{
    const char *name = text + sizeof(order) - 1, *arguments;
    size_t n;

    name += strspn(name, " ");
    n = strcspn(name, " ");
    if (n == 0)
        return false;
    arguments = name + n + strspn(name + n, " ");
    r->tool = strndup(name, n);
    r->arguments = strdup(*arguments ? arguments : "{}");
    return true;
}

/* The words for the caller, where a result has such. */
static void read_out(struct response *r, const char *output)
{
    json_t *json = json_loads(output, 0, NULL);
    const char *says = json_string_value(json_object_get(json, "say"));

    if (asprintf(&r->says, "(as told) %s", says ? says : output) < 0)
        r->says = NULL;
    json_decref(json);
}

bool typed_answer(const struct openai_session *s, struct response *r)
{
    const json_t *item = s->n_items ? s->items[s->n_items - 1]->json : NULL;
    const char *type = json_string_value(json_object_get(item, "type"));
    const char *output = json_string_value(json_object_get(item, "output"));
    const char *text = json_string_value(
        json_object_get(json_array_get(json_object_get(item, "content"), 0), "text"));
    const char *role = json_string_value(json_object_get(item, "role"));

    if (type && strcmp(type, "function_call_output") == 0 && output) {
        read_out(r, output);
        return r->says != NULL;
    }
    if (!text || !role || strcmp(role, "user") != 0)
        return false;
    if (strncmp(text, order, sizeof(order) - 1) == 0 && call_function(r, text))
        return true;
    if (asprintf(&r->says, "You said: %s", text) < 0)
        r->says = NULL;
    return r->says != NULL;
}
