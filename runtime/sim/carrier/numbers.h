/* SPDX-License-Identifier: Apache-2.0 */
/* numbers.h - the telephone numbers of the simulated account: where each sends its calls and texts. Pure
 * but for reading a file. */
#ifndef SIM_CARRIER_NUMBERS_H
#define SIM_CARRIER_NUMBERS_H

#include "sim/carrier/fault.h"

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { CARRIER_NUMBERS_MAX = 10000, CARRIER_NUMBER_FIELDS = 13 };

/* What an update may change. */
extern const struct carrier_number_field {
    const char *member, *form; /* in the answer, and in the form of an update */
    enum { NUMBER_TEXT, NUMBER_URL, NUMBER_METHOD, NUMBER_APPLICATION, NUMBER_TRUNK } kind;
} carrier_number_fields[CARRIER_NUMBER_FIELDS];

struct carrier_number {
    char number[20], sid[35];
    char *fields[CARRIER_NUMBER_FIELDS]; /* own; "": nothing */
    enum rest_fault always; /* what becomes of each update; REST_WELL: as the list says */
    int64_t updated_unix;
};

struct carrier_numbers {
    struct carrier_number *all; /* owns */
    size_t n;
};

/* `from` is how many (+13125550100 and so on, each as an import into Vapi leaves it), or a file:
 * [{"phone_number": "+1…", "voice_url": …, "always": "500"}], where what is left out is as Vapi leaves it.
 * NULL: none. RD_ECONFIG with a sentence in `why`, -ENOMEM. */
int carrier_numbers_read(struct carrier_numbers *n, const char *from, char *why, size_t cap);
void carrier_numbers_fini(struct carrier_numbers *n);

struct carrier_number *carrier_number_by_sid(const struct carrier_numbers *n, const char *sid);
struct carrier_number *carrier_number_of(const struct carrier_numbers *n, const char *number);

/* -ENOMEM: as it was. */
int carrier_number_set(struct carrier_number *n, size_t field, const char *value);
const char *carrier_number_get(const struct carrier_number *n, const char *member);

#endif
