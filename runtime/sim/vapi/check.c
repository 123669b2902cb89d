/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - bodies against tables of their fields. A field that no table has is a mistake too:
 * "property colour should not exist". Inside an object a mistake is told with the way to it. */
#include "sim/vapi/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PATH_MAX_BYTES = 160, TEXT_MAX = 400 };

static const struct vapi_field backoff_fields[] = {
    {.name = "type", .kind = VAPI_WORD, .required = true, .allowed = "fixed, exponential"},
    {.name = "maxRetries", .kind = VAPI_NUMBER, .required = true},
    {.name = "baseDelaySeconds", .kind = VAPI_NUMBER, .required = true},
    {.name = "excludedStatusCodes", .kind = VAPI_ARRAY},
    {.name = NULL}};

static const struct vapi_field server_fields[] = {
    {.name = "timeoutSeconds", .kind = VAPI_NUMBER},
    {.name = "credentialId", .kind = VAPI_UUID},
    {.name = "staticIpAddressesEnabled", .kind = VAPI_BOOL},
    {.name = "encryptedPaths", .kind = VAPI_ARRAY},
    {.name = "url", .kind = VAPI_STRING},
    {.name = "headers", .kind = VAPI_OBJECT},
    {.name = "backoffPlan", .kind = VAPI_OBJECT, .inside = backoff_fields},
    {.name = NULL}};

static const struct vapi_field monitor_fields[] = {
    {.name = "listenEnabled", .kind = VAPI_BOOL},
    {.name = "listenAuthenticationEnabled", .kind = VAPI_BOOL},
    {.name = "controlEnabled", .kind = VAPI_BOOL},
    {.name = "controlAuthenticationEnabled", .kind = VAPI_BOOL},
    {.name = "monitorIds", .kind = VAPI_ARRAY},
    {.name = NULL}};

#define FIRST_MODES                                                                 \
    "assistant-speaks-first, assistant-speaks-first-with-model-generated-message, " \
    "assistant-waits-for-user"
#define ASSISTANT_FIELDS                                                                       \
    {.name = "transcriber", .kind = VAPI_OBJECT}, {.name = "model", .kind = VAPI_OBJECT},      \
        {.name = "voice", .kind = VAPI_OBJECT}, {.name = "firstMessage", .kind = VAPI_STRING}, \
        {.name = "firstMessageInterruptionsEnabled", .kind = VAPI_BOOL},                       \
        {.name = "firstMessageMode", .kind = VAPI_WORD, .allowed = FIRST_MODES},               \
        {.name = "voicemailDetection", .kind = VAPI_OBJECT},                                   \
        {.name = "clientMessages", .kind = VAPI_ARRAY},                                        \
        {.name = "serverMessages", .kind = VAPI_ARRAY},                                        \
        {.name = "maxDurationSeconds", .kind = VAPI_NUMBER},                                   \
        {.name = "backgroundSound", .kind = VAPI_STRING},                                      \
        {.name = "modelOutputInMessagesEnabled", .kind = VAPI_BOOL},                           \
        {.name = "transportConfigurations", .kind = VAPI_ARRAY},                               \
        {.name = "observabilityPlan", .kind = VAPI_OBJECT},                                    \
        {.name = "credentials", .kind = VAPI_ARRAY}, {.name = "hooks", .kind = VAPI_ARRAY},    \
        {.name = "name", .kind = VAPI_STRING, .max = 40},                                      \
        {.name = "voicemailMessage", .kind = VAPI_STRING},                                     \
        {.name = "endCallMessage", .kind = VAPI_STRING},                                       \
        {.name = "endCallPhrases", .kind = VAPI_ARRAY},                                        \
        {.name = "compliancePlan", .kind = VAPI_OBJECT},                                       \
        {.name = "metadata", .kind = VAPI_OBJECT},                                             \
        {.name = "backgroundSpeechDenoisingPlan", .kind = VAPI_OBJECT},                        \
        {.name = "analysisPlan", .kind = VAPI_OBJECT},                                         \
        {.name = "artifactPlan", .kind = VAPI_OBJECT},                                         \
        {.name = "startSpeakingPlan", .kind = VAPI_OBJECT},                                    \
        {.name = "stopSpeakingPlan", .kind = VAPI_OBJECT},                                     \
        {.name = "monitorPlan", .kind = VAPI_OBJECT, .inside = monitor_fields},                \
        {.name = "credentialIds", .kind = VAPI_ARRAY},                                         \
        {.name = "server", .kind = VAPI_OBJECT, .inside = server_fields},                      \
    {                                                                                          \
        .name = "keypadInputPlan", .kind = VAPI_OBJECT                                         \
    }

const struct vapi_field vapi_assistant_fields[] = {ASSISTANT_FIELDS, {.name = NULL}};
const struct vapi_field vapi_override_fields[] = {
    ASSISTANT_FIELDS, {.name = "variableValues", .kind = VAPI_OBJECT}, {.name = NULL}};

const struct vapi_field vapi_destination_fields[] = {
    {.name = "type", .kind = VAPI_WORD, .required = true, .allowed = "number"},
    {.name = "number", .kind = VAPI_STRING, .required = true},
    {.name = "message", .kind = VAPI_STRING},
    {.name = "numberE164CheckEnabled", .kind = VAPI_BOOL},
    {.name = "extension", .kind = VAPI_STRING},
    {.name = "callerId", .kind = VAPI_STRING},
    {.name = "transferPlan", .kind = VAPI_OBJECT},
    {.name = "name", .kind = VAPI_STRING},
    {.name = "description", .kind = VAPI_STRING},
    {.name = NULL}};

#define NUMBER_FIELDS                                                                            \
    {.name = "twilioAuthToken", .kind = VAPI_STRING},                                            \
        {.name = "twilioApiKey", .kind = VAPI_STRING},                                           \
        {.name = "twilioApiSecret", .kind = VAPI_STRING},                                        \
        {.name = "smsEnabled", .kind = VAPI_BOOL},                                               \
        {.name = "name", .kind = VAPI_STRING, .max = 40},                                        \
        {.name = "assistantId", .kind = VAPI_UUID}, {.name = "squadId", .kind = VAPI_UUID},      \
        {.name = "workflowId", .kind = VAPI_UUID},                                               \
        {.name = "server", .kind = VAPI_OBJECT, .inside = server_fields},                        \
        {.name = "fallbackDestination", .kind = VAPI_OBJECT, .inside = vapi_destination_fields}, \
    {                                                                                            \
        .name = "hooks", .kind = VAPI_ARRAY                                                      \
    }

const struct vapi_field vapi_number_fields[] = {
    {.name = "provider", .kind = VAPI_WORD, .required = true, .allowed = "twilio"},
    {.name = "number", .kind = VAPI_STRING, .required = true},
    {.name = "twilioAccountSid", .kind = VAPI_STRING, .required = true},
    NUMBER_FIELDS,
    {.name = NULL}};
const struct vapi_field vapi_number_changes[] = {{.name = "number", .kind = VAPI_STRING},
                                                 {.name = "twilioAccountSid", .kind = VAPI_STRING},
                                                 NUMBER_FIELDS,
                                                 {.name = NULL}};

static const struct vapi_field customer_fields[] = {
    {.name = "number", .kind = VAPI_STRING},
    {.name = "name", .kind = VAPI_STRING, .max = 40},
    {.name = "externalId", .kind = VAPI_STRING, .max = 40},
    {.name = "sipUri", .kind = VAPI_STRING},
    {.name = "extension", .kind = VAPI_STRING, .max = 10},
    {.name = "email", .kind = VAPI_STRING, .max = 40},
    {.name = "numberE164CheckEnabled", .kind = VAPI_BOOL},
    {.name = "assistantOverrides", .kind = VAPI_OBJECT, .inside = vapi_override_fields},
    {.name = "squadOverrides", .kind = VAPI_OBJECT},
    {.name = NULL}};

static const struct vapi_field own_number_fields[] = {
    {.name = "twilioPhoneNumber", .kind = VAPI_STRING, .required = true},
    {.name = "twilioAccountSid", .kind = VAPI_STRING, .required = true},
    NUMBER_FIELDS,
    {.name = NULL}};

static const struct vapi_field audio_fields[] = {
    {.name = "format", .kind = VAPI_WORD, .required = true, .allowed = "pcm_s16le, mulaw"},
    {.name = "container", .kind = VAPI_WORD, .allowed = "raw"},
    {.name = "sampleRate", .kind = VAPI_NUMBER, .required = true},
    {.name = NULL}};
static const struct vapi_field transport_fields[] = {
    {.name = "provider", .kind = VAPI_WORD, .required = true, .allowed = "vapi.websocket, twilio"},
    {.name = "conversationType", .kind = VAPI_WORD, .allowed = "voice, chat"},
    {.name = "audioFormat", .kind = VAPI_OBJECT, .inside = audio_fields},
    {.name = NULL}};

const struct vapi_field vapi_call_fields[] = {
    {.name = "assistantVersion", .kind = VAPI_STRING},
    {.name = "transport", .kind = VAPI_OBJECT, .inside = transport_fields},
    {.name = "customers", .kind = VAPI_ARRAY, .inside = customer_fields},
    {.name = "name", .kind = VAPI_STRING, .max = 40},
    {.name = "schedulePlan", .kind = VAPI_OBJECT},
    {.name = "assistantId", .kind = VAPI_UUID},
    {.name = "assistant", .kind = VAPI_OBJECT, .inside = vapi_assistant_fields},
    {.name = "assistantOverrides", .kind = VAPI_OBJECT, .inside = vapi_override_fields},
    {.name = "squadId", .kind = VAPI_UUID},
    {.name = "squad", .kind = VAPI_OBJECT},
    {.name = "squadOverrides", .kind = VAPI_OBJECT},
    {.name = "workflowId", .kind = VAPI_UUID},
    {.name = "workflow", .kind = VAPI_OBJECT},
    {.name = "workflowOverrides", .kind = VAPI_OBJECT},
    {.name = "phoneNumberId", .kind = VAPI_UUID},
    {.name = "phoneNumber", .kind = VAPI_OBJECT, .inside = own_number_fields},
    {.name = "customerId", .kind = VAPI_UUID},
    {.name = "customer", .kind = VAPI_OBJECT, .inside = customer_fields},
    /* Of guides and practice, and in no schema. */
    {.name = "metadata", .kind = VAPI_OBJECT},
    {.name = "phoneCallProviderBypassEnabled", .kind = VAPI_BOOL},
    {.name = NULL}};
const struct vapi_field vapi_call_changes[] = {{.name = "name", .kind = VAPI_STRING, .max = 40},
                                               {.name = NULL}};

__attribute__((format(printf, 2, 3))) static void complain(json_t *complaints, const char *fmt, ...)
{
    char text[TEXT_MAX];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    json_array_append_new(complaints, json_string(text));
}

bool vapi_is_uuid(const char *z)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (!z || strlen(z) != sizeof(shape) - 1)
        return false;
    for (size_t i = 0; shape[i]; i++)
        if (shape[i] == '-' ? z[i] != '-' : !strchr("0123456789abcdefABCDEF", z[i]))
            return false;
    return true;
}

int64_t vapi_time(const char *z)
{
    struct tm t = {0};
    double seconds;
    int used = 0;

    if (sscanf(z, "%4d-%2d-%2dT%2d:%2d:%lfZ%n", &t.tm_year, &t.tm_mon, &t.tm_mday, &t.tm_hour,
               &t.tm_min, &seconds, &used) != 6 ||
        used == 0 || z[used] || seconds < 0 || seconds > 61)
        return -1;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)timegm(&t) * 1000 + llround(seconds * 1000);
}

/* Is `word` one of "one, two"? */
static bool is_allowed(const char *allowed, const char *word)
{
    size_t n = strlen(word);

    for (const char *at = allowed; n > 0 && *at; at += strspn(at, ", ")) {
        size_t one = strcspn(at, ",");
        if (one == n && strncmp(at, word, n) == 0)
            return true;
        at += one;
    }
    return false;
}

static void check_at(json_t *complaints, const json_t *body, const struct vapi_field *fields,
                     const char *path);

static void check_inside(json_t *complaints, const json_t *value, const struct vapi_field *f,
                         const char *path)
{
    char deeper[PATH_MAX_BYTES];
    const json_t *one;
    size_t i;

    if (!f->inside)
        return;
    snprintf(deeper, sizeof(deeper), "%s%s.", path, f->name);
    if (f->kind == VAPI_OBJECT)
        check_at(complaints, value, f->inside, deeper);
    json_array_foreach((json_t *)value, i, one) check_at(complaints, one, f->inside, deeper);
}

static void check_string(json_t *complaints, const char *z, const struct vapi_field *f,
                         const char *path)
{
    if (!z)
        complain(complaints, "%s%s must be a string", path, f->name);
    else if (f->kind == VAPI_UUID && !vapi_is_uuid(z))
        complain(complaints, "%s%s must be a UUID", path, f->name);
    else if (f->kind == VAPI_WORD && !is_allowed(f->allowed, z))
        complain(complaints, "%s%s must be one of the following values: %s", path, f->name,
                 f->allowed);
    else if (f->max > 0 && strlen(z) > f->max)
        complain(complaints, "%s%s must be shorter than or equal to %zu characters", path, f->name,
                 f->max);
}

static void check_value(json_t *complaints, const json_t *value, const struct vapi_field *f,
                        const char *path)
{
    switch (f->kind) {
    case VAPI_BOOL:
        if (!json_is_boolean(value))
            complain(complaints, "%s%s must be a boolean value", path, f->name);
        break;
    case VAPI_NUMBER:
        if (!json_is_number(value))
            complain(complaints, "%s%s must be a number conforming to the specified constraints",
                     path, f->name);
        break;
    case VAPI_OBJECT:
        if (!json_is_object(value))
            complain(complaints, "%s%s must be an object", path, f->name);
        else
            check_inside(complaints, value, f, path);
        break;
    case VAPI_ARRAY:
        if (!json_is_array(value))
            complain(complaints, "%s%s must be an array", path, f->name);
        else
            check_inside(complaints, value, f, path);
        break;
    default:
        check_string(complaints, json_string_value(value), f, path);
        break;
    }
}

static const struct vapi_field *field_of(const struct vapi_field *fields, const char *name)
{
    while (fields->name && strcmp(fields->name, name) != 0)
        fields++;
    return fields->name ? fields : NULL;
}

static void check_at(json_t *complaints, const json_t *body, const struct vapi_field *fields,
                     const char *path)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)body, name, value)
    {
        const struct vapi_field *f = field_of(fields, name);
        if (!f)
            complain(complaints, "%sproperty %s should not exist", path, name);
        else if (!json_is_null(value)) /* unset, on purpose */
            check_value(complaints, value, f, path);
    }
    for (const struct vapi_field *f = fields; f->name; f++)
        if (f->required && !json_object_get(body, f->name))
            complain(complaints, "%s%s should not be empty", path, f->name);
}

void vapi_check(json_t *complaints, const json_t *body, const struct vapi_field *fields)
{
    check_at(complaints, body, fields, "");
}
