/* SPDX-License-Identifier: Apache-2.0 */
/* mask.h - an event as somebody sees it who may not see personal data. What is not known to be harmless
 * is hidden: a new member of an event is, until it is listed here. */
#ifndef CONTROL_MASK_H
#define CONTROL_MASK_H

#include "base/buf.h"
#include "base/str.h"

/* Appends the JSON object `json` with numbers shortened ("+1…42") and words hidden. RD_EPROTO. */
int mask_event(struct buf *out, struct rd_str json);

#endif
