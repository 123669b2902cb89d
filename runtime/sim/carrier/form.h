/* SPDX-License-Identifier: Apache-2.0 */
/* form.h - application/x-www-form-urlencoded as the telephone network writes, reads and
 * signs it (X-Twilio-Signature). Pure. */
#ifndef SIM_CARRIER_FORM_H
#define SIM_CARRIER_FORM_H

#include "base/buf.h"
#include "base/str.h"

#include <stddef.h>

enum { CARRIER_FIELDS_MAX = 64, CARRIER_SIGNATURE_BYTES = 29 };

struct carrier_form {
    struct {
        char *name, *value; /* own */
    } fields[CARRIER_FIELDS_MAX];
    size_t n;
};

/* -ENOMEM, RD_EFULL. */
int carrier_form_add(struct carrier_form *f, const char *name, const char *value);

/* Adds what a body holds. RD_EPROTO for broken escapes. */
int carrier_form_read(struct carrier_form *f, struct rd_str body);

/* The first value of that name, or NULL. */
const char *carrier_form_get(const struct carrier_form *f, const char *name);
int carrier_form_write(const struct carrier_form *f, struct buf *out);
void carrier_form_fini(struct carrier_form *f);

/* Of a URL as called and the fields of the body (NULL: none). Terminated base64. -ENOMEM, RD_EFULL.
 */
int carrier_sign(char out[CARRIER_SIGNATURE_BYTES], const char *token, const char *url,
                 const struct carrier_form *f);

#endif
