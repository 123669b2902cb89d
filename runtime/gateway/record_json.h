/* SPDX-License-Identifier: Apache-2.0 */
/* record_json.h - a record as one JSON object, as control and console read it. Pure. */
#ifndef GATEWAY_RECORD_JSON_H
#define GATEWAY_RECORD_JSON_H

#include "base/buf.h"
#include "gateway/directory.h"
#include "ports/records.h"

/* {"type":"turn","call":"CA…","agent":…,"from":…,"at_ms":…, …}. RD_EFULL, -ENOMEM. */
int record_json(struct buf *out, const struct directory_view *call, const struct record *r);
const char *record_type_name(enum record_type t);

#endif
