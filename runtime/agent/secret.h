/* SPDX-License-Identifier: Apache-2.0 */
/* secret.h - the value behind a secret's name. It goes into requests and nowhere else. */
#ifndef AGENT_SECRET_H
#define AGENT_SECRET_H

#include "agent/agents.h"
#include "base/buf.h"

enum { SECRET_MAX = 4096 };

/* From the configuration's "NAME=value" lines, else the environment's NAME, else the file that
 * NAME_FILE names. Appends to `out`; 0, -ENOENT, RD_ECONFIG when it holds what no header can. */
int secret_read(const char *configured, const char *name, struct buf *out);

/* Each secret that an agent needs and that nobody gave. */
typedef void(secret_missing_fn)(void *arg, const struct agent_info *agent, const char *name);
void secrets_missing(const struct agent_set *s, const char *configured, secret_missing_fn *tell,
                     void *arg);

#endif
