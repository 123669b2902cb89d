/* SPDX-License-Identifier: Apache-2.0 */
/* brief.c - JSON to struct brief: the struct and all its strings in one block, so that the last
 * reader frees it with one free() on whatever thread it is. */
#include "agent/brief.h"

#include "base/err.h"
#include "observe/families.h"

#include <errno.h>
#include <jansson.h>
#include <stddef.h>
#include <stdlib.h>

static const struct {
    const char *name;
    size_t offset;
} texts[] = {
    {"system", offsetof(struct brief, system)},
    {"other", offsetof(struct brief, other)},
    {"vapi_assistant", offsetof(struct brief, vapi_assistant)},
    {"vapi_variables", offsetof(struct brief, vapi_variables)},
    {"vapi_tools", offsetof(struct brief, vapi_tools)},
    {"api", offsetof(struct brief, api)},
    {"backend", offsetof(struct brief, backend)},
    {"model", offsetof(struct brief, model)},
    {"voice", offsetof(struct brief, voice)},
    {"audio", offsetof(struct brief, audio)},
    {"instructions", offsetof(struct brief, instructions)},
    {"language", offsetof(struct brief, language)},
    {"tools_json", offsetof(struct brief, tools_json)},
    {"opening", offsetof(struct brief, opening)},
    {"notice", offsetof(struct brief, notice)},
    {"still_there", offsetof(struct brief, still_there)},
    {"silence_bye", offsetof(struct brief, silence_bye)},
    {"moment", offsetof(struct brief, moment)},
    {"time_up", offsetof(struct brief, time_up)},
};

static const struct {
    const char *name;
    size_t offset;
} numbers[] = {
    {"vad_silence_ms", offsetof(struct brief, vad_silence_ms)},
    {"context_tokens", offsetof(struct brief, context_tokens)},
    {"silence_ms", offsetof(struct brief, silence_ms)},
    {"silence_times", offsetof(struct brief, silence_times)},
    {"max_call_ms", offsetof(struct brief, max_call_ms)},
};

enum {
    N_TEXTS = sizeof(texts) / sizeof(texts[0]),
    N_NUMBERS = sizeof(numbers) / sizeof(numbers[0])
};

static void brief_free(struct brief *b)
{
    free(b);
}

static const char *put(char **at, const char *text)
{
    size_t n = strlen(text) + 1;
    char *p = *at;

    memcpy(p, text, n);
    *at += n;
    return p;
}

static int check(json_t *root)
{
    if (!json_is_object(root) || !json_is_number(json_object_get(root, "vad_threshold")) ||
        !json_is_boolean(json_object_get(root, "record")))
        return RD_ECONFIG;
    for (int i = 0; i < N_TEXTS; i++)
        if (!json_is_string(json_object_get(root, texts[i].name)))
            return RD_ECONFIG;
    for (int i = 0; i < N_NUMBERS; i++) {
        json_t *v = json_object_get(root, numbers[i].name);
        double n = json_number_value(v);

        if (!json_is_number(v) || !(n >= 0 && n <= UINT32_MAX))
            return RD_ECONFIG;
    }
    return 0;
}

/* What the model may call is told apart in the metrics; what it calls besides is not. */
static void name_tools(const char *tools_json)
{
    json_t *tools = json_loads(tools_json, 0, NULL), *tool;
    size_t i;

    json_array_foreach(tools, i, tool)(void)
        metric_label(LABEL_TOOL, json_string_value(json_object_get(tool, "name")));
    json_decref(tools);
}

int brief_from_json(struct brief **out, struct rd_str json, const char *agent, const char *version)
{
    json_t *root = json_loadb(json.p, json.n, 0, NULL);
    size_t bytes = sizeof(struct brief) + strlen(agent) + strlen(version) + 2;
    struct brief *b = NULL;
    char *at;
    int rc = check(root);

    for (int i = 0; !rc && i < N_TEXTS; i++)
        bytes += json_string_length(json_object_get(root, texts[i].name)) + 1;
    if (!rc) {
        b = calloc(1, bytes);
        rc = b ? 0 : -ENOMEM;
    }
    if (rc) {
        json_decref(root);
        return rc;
    }
    atomic_init(&b->refs, 1);
    b->destroy = brief_free;
    at = (char *)(b + 1);
    b->agent = put(&at, agent);
    b->version = put(&at, version);
    for (int i = 0; i < N_TEXTS; i++)
        *(const char **)((char *)b + texts[i].offset) =
            put(&at, json_string_value(json_object_get(root, texts[i].name)));
    for (int i = 0; i < N_NUMBERS; i++)
        *(uint32_t *)((char *)b + numbers[i].offset) =
            (uint32_t)json_number_value(json_object_get(root, numbers[i].name));
    b->vad_threshold = json_number_value(json_object_get(root, "vad_threshold"));
    b->record = json_is_true(json_object_get(root, "record"));
    json_decref(root);
    name_tools(b->tools_json);
    *out = b;
    return 0;
}
