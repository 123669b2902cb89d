/* SPDX-License-Identifier: Apache-2.0 */
/* specs.h - busted inside this program, with agents in boxes (box.h). One thread. */
#ifndef AGENT_SPECS_H
#define AGENT_SPECS_H

#include "base/buf.h"

#include <stddef.h>

/* Runs the specs that busted finds with these arguments (paths, --filter=…); each test may compute for
 * `limit_s`. busted ends the program by itself, with 0 when all passed, else 1; this
 * returns only when it could not begin, or ran nothing: `why`. */
int specs_run(const char *agents_path, const char *library_path, unsigned limit_s,
              const char *const *args, size_t n, struct buf *why);

#endif
