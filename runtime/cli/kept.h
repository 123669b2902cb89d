/* SPDX-License-Identifier: Apache-2.0 */
/* kept.h - calls as the database has them, for `ringdown calls --kept` and `--search`. */
#ifndef CLI_KEPT_H
#define CLI_KEPT_H

#include "gateway/settings.h"

/* The last calls, newest first; with `call`, that one's transcript. EXIT_*. */
int kept_calls(const struct settings *s, const char *call, bool json);

/* Turns that hold these words (as people type them: words, "a phrase", or, -without), of calls that
 * began before a moment; NULL: of all. A search that takes long tells on stderr how far it came. */
int kept_search(const struct settings *s, const char *words, const char *before, bool json);

#endif
