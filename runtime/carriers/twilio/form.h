/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - application/x-www-form-urlencoded, as hostile input. At most 128 fields, 64 KiB decoded.
 */
#ifndef CARRIERS_TWILIO_FORM_H
#define CARRIERS_TWILIO_FORM_H

#include "base/buf.h"
#include "base/str.h"

struct form_field {
    struct rd_str name, value; /* decoded; point into the form */
};

struct form;

/* RD_EPROTO for a broken %XX, RD_ETOOBIG, -ENOMEM. Order and duplicates are kept. */
int form_parse(struct form **out, struct rd_str body);
void form_free(struct form *f);
size_t form_count(const struct form *f);
struct form_field form_at(const struct form *f, size_t i);
struct rd_str form_get(const struct form *f, const char *name); /* the first; p NULL when absent */

/* The fields as one JSON object (first of duplicates wins), for scripts. */
int form_to_json(const struct form *f, struct buf *out);

#endif
