/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - what GPT-Live accepts: every member of every event by name and type. One that is not listed is
 * refused, as the service is said to do. */
#include "sim/live/private.h"

#include <string.h>

enum { APPEND_MAX = 2000 }; /* 500 tokens of English */

struct member {
    const char *path; /* "session.audio.format"; "[]" stands for each element */
    char type;        /* o, a, s, i, n (a string or null), * (anything) */
    bool needed;
};

static const struct member start[] = {
    {"type", 's', true},
    {"event_id", 's', false},
    {"session", 'o', true},
    {"session.model", 's', true},
    {"session.instructions", 's', false},
    {"session.audio", 'o', false},
    {"session.audio.format", 'o', false},
    {"session.audio.format.type", 's', false},
    {"session.audio.format.rate", 'i', false},
    {"session.audio.output", 'o', false},
    {"session.audio.output.voice", 's', false},
    {"session.delegation", 'o', false},
    {"session.delegation.type", 's', false},
    {"session.delegation.responses", 'o', false},
    {"session.delegation.responses.model", 's', false},
    {"session.delegation.responses.instructions", 's', false},
    {"session.delegation.responses.tools", 'a', false},
    {"session.delegation.responses.tools[]", 'o', false},
    {"session.delegation.responses.tools[].type", 's', false},
    {"session.delegation.responses.tools[].name", 's', false},
    {"session.delegation.responses.tools[].description", 's', false},
    {"session.delegation.responses.tools[].parameters", '*', false},
    {NULL, 0, false},
};

static const struct member audio[] = {
    {"type", 's', true}, {"event_id", 's', false}, {"audio", 's', true}, {NULL, 0, false}};

static const struct member append[] = {{"type", 's', true},
                                       {"event_id", 's', false},
                                       {"delegation_id", 'n', true},
                                       {"content", 's', true},
                                       {NULL, 0, false}};

static const struct member item[] = {
    {"type", 's', true},      {"event_id", 's', false},    {"item", 'o', true},
    {"item.type", 's', true}, {"item.call_id", 's', true}, {"item.output", 's', true},
    {NULL, 0, false}};

static const struct member bare[] = {
    {"type", 's', true}, {"event_id", 's', false}, {NULL, 0, false}};

static const struct {
    const char *type;
    const struct member *members;
} kinds[] = {
    {"session.start", start},
    {"session.input_audio.append", audio},
    {"session.commentary.append", append},
    {"session.thinking.append", append},
    {"session.instructions.append", append},
    {"response.item.create", item},
    {"response.create", bare},
    {"session.close", bare},
};

static bool fits(const json_t *v, char type)
{
    switch (type) {
    case 'o':
        return json_is_object(v);
    case 'a':
        return json_is_array(v);
    case 's':
        return json_is_string(v);
    case 'i':
        return json_is_integer(v);
    case 'n':
        return json_is_string(v) || json_is_null(v);
    default:
        return true;
    }
}

static const struct member *member_at(const struct member *m, const char *path)
{
    while (m->path && strcmp(m->path, path) != 0)
        m++;
    return m->path ? m : NULL;
}

static int walk(const json_t *v, const struct member *m, const char *at, char why[WHY_MAX])
{
    const char *key;
    char path[96];
    json_t *child;
    size_t i;

    json_object_foreach((json_t *)(uintptr_t)v, key, child)
    {
        const struct member *known;

        snprintf(path, sizeof(path), "%s%s%s", at, *at ? "." : "", key);
        known = member_at(m, path);
        if (!known || !fits(child, known->type)) {
            snprintf(why, WHY_MAX, "%s: '%s'", known ? "invalid_type" : "unknown_parameter", path);
            return -1;
        }
        if (known->type != '*' && walk(child, m, path, why))
            return -1;
    }
    snprintf(path, sizeof(path), "%s[]", at);
    if (json_is_array(v) && member_at(m, path))
        json_array_foreach((json_t *)(uintptr_t)v, i,
                           child) if (walk(child, m, path, why)) return -1;
    return 0;
}

/* Those at the top, and of the session's. */
static int needed(const json_t *event, const struct member *m, char why[WHY_MAX])
{
    for (; m->path; m++) {
        const char *dot = strchr(m->path, '.');
        const json_t *in = event;
        char first[32];

        if (!m->needed)
            continue;
        if (dot) {
            snprintf(first, sizeof(first), "%.*s", (int)(dot - m->path), m->path);
            in = json_object_get(event, first);
        }
        if (!json_object_get(in, dot ? dot + 1 : m->path)) {
            snprintf(why, WHY_MAX, "missing_required_parameter: '%s'", m->path);
            return -1;
        }
    }
    return 0;
}

int live_check(const json_t *event, bool started, char why[WHY_MAX])
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *content = json_string_value(json_object_get(event, "content"));
    const struct member *m = NULL;

    for (size_t i = 0; type && i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (strcmp(kinds[i].type, type) == 0)
            m = kinds[i].members;
    if (!m || started == (m == start)) {
        snprintf(why, WHY_MAX, "invalid_event: '%.60s'", type ? type : "");
        return -1;
    }
    if (walk(event, m, "", why) || needed(event, m, why))
        return -1;
    if (content && strlen(content) > APPEND_MAX) {
        snprintf(why, WHY_MAX, "string_above_max_length: 'content'");
        return -1;
    }
    return 0;
}
