/* SPDX-License-Identifier: Apache-2.0 */
/* draining.h - processes that handed the data folder over and still have calls. */
#ifndef CLI_DRAINING_H
#define CLI_DRAINING_H

#include "base/buf.h"

/* A line of the status for each. */
void draining_add(struct buf *out, const char *data);

#endif
