/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - a fixed list of numbers, made at start; see numbers.h.
 *
 * - a count: numbers in a row, each imported into Vapi
 * - a file: numbers as they are told; an unknown member, a number twice or none are mistakes */
#include "sim/carrier/numbers.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VAPI "https://api.vapi.ai/twilio/"

static const uint64_t first_number = 13125550100;

const struct carrier_number_field carrier_number_fields[CARRIER_NUMBER_FIELDS] = {
    {"friendly_name", "FriendlyName", NUMBER_TEXT},
    {"voice_url", "VoiceUrl", NUMBER_URL},
    {"voice_method", "VoiceMethod", NUMBER_METHOD},
    {"voice_fallback_url", "VoiceFallbackUrl", NUMBER_URL},
    {"voice_fallback_method", "VoiceFallbackMethod", NUMBER_METHOD},
    {"voice_application_sid", "VoiceApplicationSid", NUMBER_APPLICATION},
    {"trunk_sid", "TrunkSid", NUMBER_TRUNK},
    {"status_callback", "StatusCallback", NUMBER_URL},
    {"status_callback_method", "StatusCallbackMethod", NUMBER_METHOD},
    {"sms_url", "SmsUrl", NUMBER_URL},
    {"sms_method", "SmsMethod", NUMBER_METHOD},
    {"sms_fallback_url", "SmsFallbackUrl", NUMBER_URL},
    {"sms_application_sid", "SmsApplicationSid", NUMBER_APPLICATION},
};

static const struct {
    const char *member, *value;
} imported[] = {
    {"voice_url", VAPI "inbound_call"},
    {"sms_url", VAPI "sms"},
    {"status_callback", VAPI "status"},
};

static size_t place_of(const char *member)
{
    size_t i = 0;

    while (i < CARRIER_NUMBER_FIELDS && strcmp(carrier_number_fields[i].member, member) != 0)
        i++;
    return i;
}

int carrier_number_set(struct carrier_number *n, size_t field, const char *value)
{
    char *copy = strdup(value);

    if (!copy)
        return -ENOMEM;
    free(n->fields[field]);
    n->fields[field] = copy;
    return 0;
}

const char *carrier_number_get(const struct carrier_number *n, const char *member)
{
    return n->fields[place_of(member)];
}

/* As Twilio sells it and Vapi imports it. */
static int fill_in(struct carrier_number *n, const char *number)
{
    int rc = 0;

    snprintf(n->number, sizeof(n->number), "%s", number);
    snprintf(n->sid, sizeof(n->sid), "PN%032llx", strtoull(number + 1, NULL, 10));
    for (size_t i = 0; i < CARRIER_NUMBER_FIELDS && !rc; i++)
        rc = carrier_number_set(n, i, carrier_number_fields[i].kind == NUMBER_METHOD ? "POST" : "");
    for (size_t i = 0; i < sizeof(imported) / sizeof(imported[0]) && !rc; i++)
        rc = carrier_number_set(n, place_of(imported[i].member), imported[i].value);
    return rc ? rc : carrier_number_set(n, place_of("friendly_name"), number);
}

static int make(struct carrier_numbers *n, size_t how_many)
{
    n->all = calloc(how_many ? how_many : 1, sizeof(*n->all));
    if (!n->all)
        return -ENOMEM;
    n->n = how_many;
    return 0;
}

static int count_up(struct carrier_numbers *n, size_t how_many)
{
    int rc = make(n, how_many);

    for (size_t i = 0; i < how_many && !rc; i++) {
        char number[20];
        snprintf(number, sizeof(number), "+%llu", (unsigned long long)first_number + i);
        rc = fill_in(&n->all[i], number);
    }
    return rc;
}

/* One member of the file. */
static int read_member(struct carrier_number *n, const char *member, const char *value)
{
    size_t field = place_of(member);

    if (strcmp(member, "phone_number") == 0)
        return 0;
    if (strcmp(member, "always") == 0)
        return rest_fault_named(&n->always, value);
    return field < CARRIER_NUMBER_FIELDS ? carrier_number_set(n, field, value) : RD_ECONFIG;
}

static int read_one(struct carrier_numbers *n, size_t i, json_t *about, char *why, size_t cap)
{
    const char *number = json_string_value(json_object_get(about, "phone_number")), *member;
    json_t *value;
    int rc;

    if (!number || number[0] != '+' || strlen(number) > 16 || carrier_number_of(n, number)) {
        snprintf(why, cap, "entry %zu needs a phone_number of its own, like \"+13125550100\"",
                 i + 1);
        return RD_ECONFIG;
    }
    rc = fill_in(&n->all[i], number);
    json_object_foreach(about, member, value)
    {
        rc = rc ? rc
                : read_member(&n->all[i], member,
                              json_string_value(value) ? json_string_value(value) : "");
        if (rc) {
            snprintf(why, cap, "entry %zu: \"%s\" cannot be that", i + 1, member);
            return rc;
        }
    }
    return rc;
}

static int read_file(struct carrier_numbers *n, const char *path, char *why, size_t cap)
{
    json_error_t error;
    json_t *list = json_load_file(path, 0, &error), *about;
    size_t i;
    int rc = RD_ECONFIG;

    if (!json_is_array(list) || json_array_size(list) > CARRIER_NUMBERS_MAX) {
        snprintf(why, cap, "%s is no JSON list of at most %d numbers: %.100s", path,
                 CARRIER_NUMBERS_MAX, list ? "" : error.text);
        json_decref(list);
        return rc;
    }
    rc = make(n, json_array_size(list));
    json_array_foreach(list, i, about)
    {
        rc = rc ? rc : read_one(n, i, about, why, cap);
    }
    json_decref(list);
    return rc;
}

int carrier_numbers_read(struct carrier_numbers *n, const char *from, char *why, size_t cap)
{
    unsigned long how_many = from ? strtoul(from, NULL, 10) : 0;

    *n = (struct carrier_numbers){NULL, 0};
    if (!from)
        return 0;
    if (from[strspn(from, "0123456789")] != '\0')
        return read_file(n, from, why, cap);
    if (how_many > CARRIER_NUMBERS_MAX) {
        snprintf(why, cap, "at most %d numbers", CARRIER_NUMBERS_MAX);
        return RD_ECONFIG;
    }
    return count_up(n, how_many);
}

void carrier_numbers_fini(struct carrier_numbers *n)
{
    for (size_t i = 0; i < n->n; i++)
        for (size_t k = 0; k < CARRIER_NUMBER_FIELDS; k++)
            free(n->all[i].fields[k]);
    free(n->all);
    *n = (struct carrier_numbers){NULL, 0};
}

struct carrier_number *carrier_number_by_sid(const struct carrier_numbers *n, const char *sid)
{
    for (size_t i = 0; i < n->n; i++)
        if (strcmp(n->all[i].sid, sid) == 0)
            return &n->all[i];
    return NULL;
}

struct carrier_number *carrier_number_of(const struct carrier_numbers *n, const char *number)
{
    for (size_t i = 0; i < n->n; i++)
        if (strcmp(n->all[i].number, number) == 0)
            return &n->all[i];
    return NULL;
}
