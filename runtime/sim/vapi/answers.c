/* SPDX-License-Identifier: Apache-2.0 */
/* answers.c - would Vapi take this answer? What its pages and its schema say, with the strict reading where they
 * differ: a result has its id, the tool's name, and a string without line breaks; all ids are answered at
 * once and with 200; whoever picks an assistant says one thing. */
#include "sim/vapi/answers.h"

#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include <stdarg.h>
#include <string.h>

struct verdict {
    char *wrong;
    size_t cap;
};

/* The first complaint stays. */
__attribute__((format(printf, 2, 3))) static void complain(const struct verdict *v, const char *fmt,
                                                           ...)
{
    va_list ap;

    if (v->wrong[0])
        return;
    va_start(ap, fmt);
    vsnprintf(v->wrong, v->cap, fmt, ap);
    va_end(ap);
}

static bool is_line(const json_t *value)
{
    const char *z = json_string_value(value);

    return z && !strpbrk(z, "\r\n");
}

/* Nothing but these keys. */
static void check_keys(const struct verdict *v, const json_t *object, const char *known)
{
    const char *name;
    json_t *value;
    char word[72];

    json_object_foreach((json_t *)object, name, value)
    {
        snprintf(word, sizeof(word), " %.64s ", name);
        if (!strstr(known, word))
            complain(v, "property %s should not exist", name);
    }
}

static void check_spoken(const struct verdict *v, const json_t *message)
{
    const char *type = vapi_text(message, "type");

    if (!message)
        return;
    check_keys(v, message, " type content contents endCallAfterSpokenEnabled conditions ");
    if (strncmp(type, "request-", 8) != 0)
        complain(v, "message.type must be request-start, request-complete or request-failed");
    if (!json_is_string(json_object_get(message, "content")))
        complain(v, "message.content must be a string");
}

/* ---- tools ---- */

static void check_result(const struct verdict *v, const json_t *one, const json_t *call)
{
    const json_t *result = json_object_get(one, "result"), *error = json_object_get(one, "error");
    const char *name = vapi_text(json_object_get(call, "function"), "name");

    if (!one) {
        complain(v, "no result for %s", vapi_text(call, "id"));
        return;
    }
    check_keys(v, one, " toolCallId name result error message metadata ");
    if (strcmp(vapi_text(one, "name"), *name ? name : vapi_text(call, "name")) != 0)
        complain(v, "name must be the tool's");
    if (!result == !error)
        complain(v, "exactly one of result and error");
    else if (!is_line(result ? result : error))
        complain(v, "%s must be a string without line breaks", result ? "result" : "error");
    check_spoken(v, json_object_get(one, "message"));
}

static void check_tools(const struct verdict *v, const json_t *message, const json_t *answer)
{
    json_t *calls = json_object_get(message, "toolCallList"), *call;
    json_t *results = json_object_get(answer, "results");
    size_t i;

    check_keys(v, answer, " results error ");
    if (is_line(json_object_get(answer, "error")) && !results)
        return;
    if (!json_is_array(results)) {
        complain(v, "results must be an array");
        return;
    }
    json_array_foreach(calls, i, call)
        check_result(v, vapi_find(results, "toolCallId", vapi_text(call, "id")), call);
    if (json_array_size(results) != json_array_size(calls))
        complain(v, "%zu results for %zu calls", json_array_size(results), json_array_size(calls));
}

static void check_function(const struct verdict *v, const json_t *message, const json_t *answer)
{
    (void)message;
    check_keys(v, answer, " result ");
    if (!is_line(json_object_get(answer, "result")))
        complain(v, "result must be a string without line breaks");
}

/* ---- who speaks, and to whom ---- */

static void check_fields(const struct verdict *v, const json_t *object,
                         const struct vapi_field *fields)
{
    json_t *complaints = json_array();

    if (object)
        vapi_check(complaints, object, fields);
    if (json_array_size(complaints) > 0)
        complain(v, "%s", json_string_value(json_array_get(complaints, 0)));
    json_decref(complaints);
}

static void check_assistant(const struct verdict *v, const json_t *message, const json_t *answer)
{
    static const char *const who[] = {"assistantId", "assistant", "squadId",     "squad",
                                      "workflowId",  "workflow",  "destination", "error"};
    const json_t *error = json_object_get(answer, "error");
    const char *id = vapi_text(answer, "assistantId");
    unsigned n = 0;

    (void)message;
    check_keys(v, answer,
               " assistantId assistant assistantOverrides squadId squad squadOverrides workflowId "
               "workflow workflowOverrides destination error ");
    for (size_t i = 0; i < sizeof(who) / sizeof(who[0]); i++)
        n += json_object_get(answer, who[i]) != NULL;
    if (n != 1)
        complain(v, "exactly one of assistantId, assistant, squadId, destination, error");
    if (*id && !vapi_is_uuid(id))
        complain(v, "assistantId must be a UUID");
    if (error && (!json_is_string(error) || json_string_length(error) == 0))
        complain(v, "error must be spoken words: Vapi says \"Unknown Error. Contact Support.\"");
    check_fields(v, json_object_get(answer, "assistant"), vapi_assistant_fields);
    check_fields(v, json_object_get(answer, "assistantOverrides"), vapi_override_fields);
    check_fields(v, json_object_get(answer, "destination"), vapi_destination_fields);
}

static void check_transfer(const struct verdict *v, const json_t *message, const json_t *answer)
{
    const json_t *destination = json_object_get(answer, "destination");

    (void)message;
    check_keys(v, answer, " destination message error ");
    if (!destination == !json_object_get(answer, "error"))
        complain(v, "exactly one of destination and error");
    check_fields(v, destination, vapi_destination_fields);
    check_spoken(v, json_object_get(answer, "message"));
}

void vapi_answer_check(char *wrong, size_t cap, const json_t *message, int status,
                       const json_t *answer)
{
    static const struct {
        const char *type;
        void (*check)(const struct verdict *v, const json_t *message, const json_t *answer);
    } questions[] = {{"tool-calls", check_tools},
                     {"function-call", check_function},
                     {"assistant-request", check_assistant},
                     {"transfer-destination-request", check_transfer}};
    struct verdict v = {wrong, cap};
    const char *type = vapi_text(message, "type");

    wrong[0] = '\0';
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        if (strcmp(questions[i].type, type) != 0)
            continue;
        if (status != 200)
            complain(&v, "answered with status %d: ignored entirely", status);
        else if (!json_is_object(answer))
            complain(&v, "the answer must be a JSON object");
        else
            questions[i].check(&v, message, answer);
        return;
    }
    if (status < 200 || status > 299)
        complain(&v, "answered with status %d", status);
    else if (answer && (!json_is_object(answer) || json_object_size(answer) > 0))
        complain(&v, "nobody reads this answer: {} is enough");
}
