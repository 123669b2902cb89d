/* SPDX-License-Identifier: Apache-2.0 */
/* agents.h - the two halves of `ringdown agents`: what the live node tells, and what the database
 * keeps. */
#ifndef CLI_AGENTS_H
#define CLI_AGENTS_H

#include "cli/options.h"

struct agents_order {
    const struct settings *settings;
    const char *verb;
    const char *word, *other; /* behind it; NULL: not given */
    const char *note;         /* --note; NULL: none */
    const char *replay;       /* --replay; NULL: without */
    bool json, write, yes, accept_lost;
};

/* agents_live.c */
int agents_list(const struct agents_order *o);
int agents_show(const struct agents_order *o);
int agents_reload(const struct agents_order *o);

/* agents_releases.c */
int agents_publish(const struct agents_order *o);
int agents_restore(const struct agents_order *o);
int agents_diff(const struct agents_order *o);
int agents_history(const struct agents_order *o);

#endif
