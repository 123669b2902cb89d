/* SPDX-License-Identifier: Apache-2.0 */
/* talk_news.h - what happens around a call that is typed, as lines on the screen. */
#ifndef CLI_TALK_NEWS_H
#define CLI_TALK_NEWS_H

#include <stdbool.h>

/* A fact that a script told (docs/records.md). */
void talk_news_fact(const char *type, const char *json);

/* What the telephones did (sim/carrier/double.h). True: the caller is with somebody else from now on. */
bool talk_news_event(const char *json);

#endif
