/* SPDX-License-Identifier: Apache-2.0 */
/* check.h - is this body what the API takes? Told as the API tells it: one sentence for each mistake. Pure. */
#ifndef SIM_VAPI_CHECK_H
#define SIM_VAPI_CHECK_H

#include <jansson.h>
#include <stdbool.h>

enum vapi_kind {
    VAPI_STRING,
    VAPI_UUID,
    VAPI_WORD, /* one of `allowed` */
    VAPI_BOOL,
    VAPI_NUMBER,
    VAPI_OBJECT, /* with `inside`: those fields and no others */
    VAPI_ARRAY   /* of objects; with `inside` as above */
};

struct vapi_field {
    const char *name; /* NULL: the end of the table */
    enum vapi_kind kind;
    bool required;
    const char *allowed; /* "one, two" */
    size_t max;          /* of a string's length; 0: any */
    const struct vapi_field *inside;
};

/* Adds what is wrong with `body` to `complaints`, an array of strings. */
void vapi_check(json_t *complaints, const json_t *body, const struct vapi_field *fields);

/* The tables. */
extern const struct vapi_field vapi_assistant_fields[], vapi_override_fields[];
extern const struct vapi_field vapi_number_fields[], vapi_number_changes[];
extern const struct vapi_field vapi_call_fields[], vapi_call_changes[];
extern const struct vapi_field vapi_destination_fields[];

bool vapi_is_uuid(const char *z);

/* "2026-11-27T12:30:05.250Z" as milliseconds; negative: not such a time. */
int64_t vapi_time(const char *z);

#endif
