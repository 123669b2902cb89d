/* SPDX-License-Identifier: Apache-2.0 */
/* log_watch.h - calls of which the log has every line for a while. For log.c and its tests. */
#ifndef BASE_LOG_WATCH_H
#define BASE_LOG_WATCH_H

#include "base/log.h"

/* Is any call watched? One relaxed load. */
bool log_watch_any(void);

/* Are these the fields of a line of a watched call, and may it have one more? */
bool log_watch_takes(const struct log_field *f, int n);

/* Those watched now, into out->watches. */
void log_watch_list(struct log_state *out);

#endif
