/* SPDX-License-Identifier: Apache-2.0 */
/* matcher.h - Lua's patterns with a count of steps, because no instruction hook runs inside a match:
 * one that backtracks for minutes would hold up every call of its thread. For lua/ only. */
#ifndef LUA_MATCHER_H
#define LUA_MATCHER_H

#include <lua.h>
#include <stddef.h>
#include <stdint.h>

enum { MATCHER_CAPTURES = 32 };

struct matcher {
    const char *text, *text_end;
    const char *pattern, *pattern_end; /* without the anchor */
    const char *why;                   /* of MATCH_BROKEN and MATCH_LONG: a sentence, static */
    uint64_t steps;                    /* left */
    unsigned depth;                    /* repetitions and captures that may still nest */
    int n_captures;
    struct {
        const char *begin;
        ptrdiff_t length; /* or one of the two below */
    } captures[MATCHER_CAPTURES];
};

enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

enum match {
    MATCH_NO,
    MATCH_YES,
    MATCH_BROKEN, /* the pattern is none */
    MATCH_LONG    /* out of steps, or nested too deep */
};

void matcher_init(struct matcher *m, const char *text, size_t n_text, const char *pattern,
                  size_t n_pattern, uint64_t steps);

/* Does the pattern match from `at` on? *end is behind the match. Forgets the captures before. */
enum match matcher_at(struct matcher *m, const char *at, const char **end);

/* The same from `at` or later; *begin is where. */
enum match matcher_search(struct matcher *m, const char *at, const char **begin, const char **end);

/* Replaces find, match, gmatch and gsub of the table `string` on top of the stack. */
void matcher_register(lua_State *L);

#endif
