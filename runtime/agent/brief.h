/* SPDX-License-Identifier: Apache-2.0 */
/* brief.h - makes a call's brief from what the script rendered. Any thread. */
#ifndef AGENT_BRIEF_H
#define AGENT_BRIEF_H

#include "base/str.h"
#include "ports/brief.h"

/* One heap block, one reference. RD_ECONFIG when `json` is not what scripts/ringdown/brief.lua
 * renders (member names are the struct's), -ENOMEM. */
int brief_from_json(struct brief **out, struct rd_str json, const char *agent, const char *version);

#endif
