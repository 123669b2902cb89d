/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.c - numbers that are imported from Twilio. What the real import writes at Twilio, this one does
 * not: nobody's account is behind it. A number is imported once; `null` in a change unsets a field. */
#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *z)
{
    size_t n = *z == '+' ? strspn(z + 1, "0123456789") : 0;

    return n >= 8 && n <= 15 && z[n + 1] == '\0' && z[1] != '0';
}

static json_t *complaints_of(struct vapi_ask *a, const struct vapi_field *fields)
{
    json_t *complaints = json_array();
    const char *number = json_string_value(json_object_get(a->body, "number"));

    vapi_check(complaints, a->body, fields);
    if (number && !is_number(number))
        json_array_append_new(
            complaints, json_string("number must be a valid phone number in the E.164 format"));
    return complaints;
}

static void create(struct vapi_ask *a)
{
    json_t *number;
    char id[VAPI_ID];

    if (vapi_checked(a, complaints_of(a, vapi_number_fields)))
        return;
    if (vapi_find(a->d->numbers, "number", vapi_text(a->body, "number"))) {
        vapi_refuse(a, 400, json_string("Existing Phone Number Has Identical `number`."));
        return;
    }
    number = json_deep_copy(a->body);
    vapi_id(id);
    json_object_set_new(number, "id", json_string(id));
    json_object_set_new(number, "status", json_string("active"));
    vapi_stamp(number, true);
    json_array_append(a->d->numbers, number);
    vapi_answer(a, 201, number);
}

/* What is changed, and what is unset. */
void vapi_change(json_t *resource, const json_t *changes)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)changes, name, value)
    {
        if (json_is_null(value))
            json_object_del(resource, name);
        else
            json_object_set_new(resource, name, json_deep_copy(value));
    }
    vapi_stamp(resource, false);
}

void vapi_remove(struct vapi_ask *a, json_t *list, json_t *one)
{
    size_t i;
    json_t *at;

    json_incref(one);
    json_array_foreach(list, i, at)
    {
        if (at == one) {
            json_array_remove(list, i);
            break;
        }
    }
    vapi_answer(a, 200, one);
}

static json_t *show_itself(const void *what)
{
    return json_incref((json_t *)what);
}

void vapi_list(struct vapi_ask *a, const json_t *list)
{
    size_t n = json_array_size(list);
    struct vapi_entry *entries = calloc(n + 1, sizeof(*entries));

    for (size_t i = 0; entries && i < n; i++) {
        const json_t *one = json_array_get(list, n - 1 - i);
        entries[i] = (struct vapi_entry){.id = vapi_text(one, "id"),
                                         .assistant_id = vapi_text(one, "assistantId"),
                                         .number_id = "",
                                         .created_ms = vapi_time(vapi_text(one, "createdAt")),
                                         .updated_ms = vapi_time(vapi_text(one, "updatedAt")),
                                         .show = show_itself,
                                         .what = one};
    }
    vapi_page(a, entries, entries ? n : 0);
    free(entries);
}

void vapi_numbers(struct vapi_ask *a)
{
    json_t *number = a->id[0] ? vapi_find(a->d->numbers, "id", a->id) : NULL;

    if (!a->id[0] && strcmp(a->method, "GET") == 0) {
        vapi_list(a, a->d->numbers);
    } else if (!a->id[0] && strcmp(a->method, "POST") == 0) {
        create(a);
    } else if (!number || a->below[0]) {
        vapi_not_found(a, "Couldn't Get Phone Number. It Does Not Exist.");
    } else if (strcmp(a->method, "GET") == 0) {
        vapi_answer(a, 200, json_incref(number));
    } else if (strcmp(a->method, "DELETE") == 0) {
        vapi_remove(a, a->d->numbers, number);
    } else if (!vapi_checked(a, complaints_of(a, vapi_number_changes))) {
        vapi_change(number, a->body);
        vapi_answer(a, 200, json_incref(number));
    }
}
