/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - a client event held against its shape.
 *
 * A shape lists the fields an object may have; a field says which JSON types it takes and, if an
 * object, a string or an array, what may be inside. Objects that come in kinds ("type", "role")
 * name the key and one shape per kind. See openai_shapes.c:
 *
 *   - a field that is not in the table is unknown_parameter (all of the beta's are)
 *   - a missing one is missing_required_parameter, a wrong type invalid_type, a wrong word or
 *     number invalid_value
 *
 * The depth of the walk is that of the tables, whatever the message holds. */
#include "sim/openai/check.h"

#include "base/err.h"
#include "sim/openai/shapes.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the walk ---- */

static int complain(struct complaint *c, const char *code, const char *param, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

static int complain(struct complaint *c, const char *code, const char *param, const char *fmt, ...)
{
    va_list ap;

    snprintf(c->code, sizeof(c->code), "%s", code);
    snprintf(c->param, sizeof(c->param), "%s", param);
    va_start(ap, fmt);
    vsnprintf(c->message, sizeof(c->message), fmt, ap);
    va_end(ap);
    return RD_EPROTO;
}

static unsigned type_of(const json_t *v)
{
    switch (json_typeof(v)) {
    case JSON_STRING:
        return STR;
    case JSON_INTEGER:
        return INT | NUM;
    case JSON_REAL:
        return NUM;
    case JSON_TRUE:
    case JSON_FALSE:
        return BOOL;
    case JSON_OBJECT:
        return OBJ;
    case JSON_ARRAY:
        return ARR;
    default:
        return NIL;
    }
}

static const char *type_name(unsigned takes)
{
    static const struct {
        unsigned bit;
        const char *name;
    } names[] = {{STR, "a string"},  {INT, "an integer"}, {NUM, "a decimal"}, {BOOL, "a boolean"},
                 {OBJ, "an object"}, {ARR, "an array"},   {NIL, "null"}};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (takes & names[i].bit)
            return names[i].name;
    return "nothing";
}

static bool word_in(const char *const *words, const char *word)
{
    for (; *words; words++)
        if (strcmp(*words, word) == 0)
            return true;
    return false;
}

static int complain_of_word(struct complaint *c, const char *path, const char *word,
                            const char *const *words, const struct kind *kinds)
{
    char list[384] = "";
    size_t n = 0;

    while (n < sizeof(list) - 1 && (words ? *words != NULL : kinds->word != NULL)) {
        int more = snprintf(list + n, sizeof(list) - n, "%s'%s'", n ? ", " : "",
                            words ? *words++ : (kinds++)->word);
        n += more > 0 ? (size_t)more : 0;
    }
    return complain(c, "invalid_value", path, "Invalid value: '%.60s'. Supported values are: %s.",
                    word, list);
}

static int check_number(const struct field *f, const json_t *v, const char *path,
                        struct complaint *c)
{
    double x = json_number_value(v);

    if ((f->min != 0 || f->max != 0) && (x < f->min || x > f->max))
        return complain(c, x < f->min ? "integer_below_min_value" : "integer_above_max_value", path,
                        "Invalid '%s': expected a value between %g and %g, but got %g instead.",
                        path, f->min, f->max, x);
    return 0;
}

static int check_string(const struct field *f, const json_t *v, const char *path,
                        struct complaint *c)
{
    if (f->max > 0 && !f->words && (double)json_string_length(v) > f->max)
        return complain(c, "string_above_max_length", path,
                        "Invalid '%s': string too long. Expected a string with maximum length %g.",
                        path, f->max);
    if (f->words && !word_in(f->words, json_string_value(v)))
        return complain_of_word(c, path, json_string_value(v), f->words, NULL);
    return 0;
}

static int check_object(const struct shape *s, const json_t *v, const char *path,
                        struct complaint *c);

static int check_value(const struct field *f, const json_t *v, const char *path,
                       struct complaint *c)
{
    unsigned type = type_of(v);
    size_t n = json_array_size(v);
    int rc = 0;

    if (!(type & f->takes))
        return complain(c, "invalid_type", path,
                        "Invalid type for '%s': expected %s, but got %s instead.", path,
                        type_name(f->takes), type_name(type));
    if (type & (INT | NUM))
        return check_number(f, v, path, c);
    if (type == STR)
        return check_string(f, v, path, c);
    if (type == OBJ)
        return f->shape ? check_object(f->shape, v, path, c) : 0;
    if (type == ARR && f->max > 0 && ((double)n < f->min || (double)n > f->max))
        return complain(c, "invalid_value", path,
                        "Invalid '%s': expected an array with %g to %g elements.", path, f->min,
                        f->max);
    for (size_t i = 0; type == ARR && f->each && rc == 0 && i < n; i++) {
        char inner[160];
        snprintf(inner, sizeof(inner), "%.110s[%zu]", path, i);
        rc = check_value(f->each, json_array_get(v, i), inner, c);
    }
    return rc;
}

static void join(char *out, size_t cap, const char *path, const char *name)
{
    snprintf(out, cap, "%.80s%s%.40s", path, *path ? "." : "", name);
}

/* Which kind of object is this? NULL with a complaint. */
static const struct shape *kind_of(const struct shape *s, const json_t *v, const char *path,
                                   struct complaint *c)
{
    while (s && s->by) {
        const json_t *key = json_object_get(v, s->by);
        const struct kind *k = s->kinds;
        char inner[128];

        join(inner, sizeof(inner), path, s->by);
        if (!key) {
            complain(c, "missing_required_parameter", inner, "Missing required parameter: '%s'.",
                     inner);
            return NULL;
        }
        if (!json_is_string(key)) {
            complain(c, "invalid_type", inner,
                     "Invalid type for '%s': expected a string, but got %s instead.", inner,
                     type_name(type_of(key)));
            return NULL;
        }
        while (k->word && strcmp(k->word, json_string_value(key)) != 0)
            k++;
        if (!k->word)
            complain_of_word(c, inner, json_string_value(key), NULL, s->kinds);
        s = k->shape;
    }
    return s;
}

static const struct field *field_of(const struct shape *s, const char *name)
{
    for (const struct field *f = s->fields; f->name; f++)
        if (strcmp(f->name, name) == 0)
            return f;
    return NULL;
}

static int check_object(const struct shape *s, const json_t *v, const char *path,
                        struct complaint *c)
{
    const char *name;
    json_t *value;
    char inner[128];

    s = kind_of(s, v, path, c);
    if (!s)
        return RD_EPROTO;
    json_object_foreach((json_t *)v, name, value)
    {
        const struct field *f = field_of(s, name);

        join(inner, sizeof(inner), path, name);
        if (!f)
            return complain(c, "unknown_parameter", inner, "Unknown parameter: '%s'.", inner);
        if (check_value(f, value, inner, c))
            return RD_EPROTO;
    }
    for (const struct field *f = s->fields; f->name; f++) {
        if (!f->required || json_object_get(v, f->name))
            continue;
        join(inner, sizeof(inner), path, f->name);
        return complain(c, "missing_required_parameter", inner, "Missing required parameter: '%s'.",
                        inner);
    }
    return 0;
}

/* What the tables cannot say: fields that go only with certain transcription models, and metadata.
 */
static int check_rest(const json_t *event, struct complaint *c)
{
    const json_t *t = json_object_get(
        json_object_get(json_object_get(json_object_get(event, "session"), "audio"), "input"),
        "transcription");
    const json_t *metadata = json_object_get(json_object_get(event, "response"), "metadata");
    const char *model = json_string_value(json_object_get(t, "model"));
    const char *key;
    json_t *value;

    if (model && strcmp(model, "gpt-transcribe") != 0 &&
        strcmp(model, "gpt-live-transcribe") != 0 &&
        (json_object_get(t, "languages") || json_object_get(t, "keywords")))
        return complain(c, "invalid_value", "session.audio.input.transcription",
                        "'languages' and 'keywords' are not supported by the model '%.40s'.",
                        model);
    if (model && strcmp(model, "gpt-realtime-whisper") != 0 && json_object_get(t, "delay"))
        return complain(c, "invalid_value", "session.audio.input.transcription.delay",
                        "'delay' is not supported by the model '%.40s'.", model);
    if (json_object_size(metadata) > 16)
        return complain(c, "invalid_value", "response.metadata",
                        "Invalid 'response.metadata': too many properties. At most 16.");
    json_object_foreach((json_t *)metadata, key, value) if (!json_is_string(value)) return complain(
        c, "invalid_type", "response.metadata",
        "Invalid type for 'response.metadata.%.40s': expected a string.", key);
    return 0;
}

int openai_check(const json_t *event, struct complaint *out)
{
    if (!json_is_object(event))
        return complain(out, "invalid_event", "", "Expected a JSON object.");
    if (check_object(&openai_client_event, event, "", out))
        return RD_EPROTO;
    return check_rest(event, out);
}
