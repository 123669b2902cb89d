/* SPDX-License-Identifier: Apache-2.0 */
/* build_facts.h - what this program was made of. The .c is written at each build (packaging/facts.cmake), anew only when
 * something changed; there is no time in it unless SOURCE_DATE_EPOCH gave one. */
#ifndef CLI_BUILD_FACTS_H
#define CLI_BUILD_FACTS_H

#include <stdbool.h>

struct build_facts {
    const char *
        commit; /* twelve digits, "+" behind them when the tree was changed; "" when not from git */
    const char *compiler;   /* "GNU 12.2.0" */
    const char *type;       /* "RelWithDebInfo" */
    const char *sanitizers; /* "address,undefined"; "" when none */
    const char *built;      /* "2026-11-27T14:09:11Z"; "" without SOURCE_DATE_EPOCH */
    bool console;           /* the page in the browser is in it */
};

extern const struct build_facts build_facts;

#endif
