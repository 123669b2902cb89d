/* SPDX-License-Identifier: Apache-2.0 */
/* assistants.c - assistants: made, read, changed key by key, deleted. */
#include "sim/vapi/check.h"
#include "sim/vapi/private.h"

#include <string.h>

static json_t *complaints_of(struct vapi_ask *a)
{
    json_t *complaints = json_array();

    vapi_check(complaints, a->body, vapi_assistant_fields);
    return complaints;
}

static void create(struct vapi_ask *a)
{
    json_t *assistant;
    char id[VAPI_ID];

    if (vapi_checked(a, complaints_of(a)))
        return;
    assistant = json_deep_copy(a->body);
    vapi_id(id);
    json_object_set_new(assistant, "id", json_string(id));
    vapi_stamp(assistant, true);
    json_array_append(a->d->assistants, assistant);
    vapi_answer(a, 201, assistant);
}

void vapi_assistants(struct vapi_ask *a)
{
    json_t *assistant = a->id[0] ? vapi_find(a->d->assistants, "id", a->id) : NULL;

    if (!a->id[0] && strcmp(a->method, "GET") == 0) {
        vapi_list(a, a->d->assistants);
    } else if (!a->id[0] && strcmp(a->method, "POST") == 0) {
        create(a);
    } else if (!assistant || a->below[0]) {
        vapi_not_found(a, "Couldn't Get Assistant. It Does Not Exist.");
    } else if (strcmp(a->method, "GET") == 0) {
        vapi_answer(a, 200, json_incref(assistant));
    } else if (strcmp(a->method, "DELETE") == 0) {
        vapi_remove(a, a->d->assistants, assistant);
    } else if (!vapi_checked(a, complaints_of(a))) {
        vapi_change(assistant, a->body);
        vapi_answer(a, 200, json_incref(assistant));
    }
}
