/* SPDX-License-Identifier: Apache-2.0 */
/* scrub.h - takes out of a text, beside what redact.h does: phone numbers "[phone]", mail addresses "[mail]",
 * keys and tokens "[key]", and what follows the ? of an address. Names are no pattern, and stay. Linear; any
 * thread. */
#ifndef BASE_SCRUB_H
#define BASE_SCRUB_H

#include "base/buf.h"
#include "base/str.h"

/* Appends what is left. 0, -ENOMEM, RD_EFULL. */
int scrub_text(struct buf *out, struct rd_str text);

#endif
