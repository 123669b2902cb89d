/* SPDX-License-Identifier: Apache-2.0 */
/* standing.h - what a node stands on, measured here: disk, descriptors, and what the settings say of limits
 * elsewhere. Judged in scripts/ringdown/health and scripts/ringdown/doctor.lua. Any thread; no secrets. */
#ifndef GATEWAY_STANDING_H
#define GATEWAY_STANDING_H

#include "base/buf.h"
#include "gateway/settings.h"

/* Appends one JSON object. Asks the file system, which may take its time: no media thread. */
int standing_json(const struct settings *s, struct buf *out);

/* What of the settings can be looked at without a node: the pair of the certificate, which services have
 * keys, who is told alerts. Appends one JSON object. */
int standing_installed_json(const struct settings *s, struct buf *out);

#endif
