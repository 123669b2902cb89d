/* SPDX-License-Identifier: Apache-2.0 */
/* matcher.c - does a pattern match here? The language is Lua's (manual, 6.4.1): classes, sets, the
 * repetitions * + - ?, captures, %b, %f and back-references.
 *
 * - item_end() finds where one item of the pattern ends, item_matches() compares it with one byte,
 *   match_from() walks along both. Backtracking is recursion: one level per repetition, capture or
 *   frontier that is open, never per byte of the text.
 * - Each comparison is a step. A call has so many, and then it ends, however clever the pattern.
 *
 * Failure: a pattern that is none (MATCH_BROKEN) or takes too long (MATCH_LONG) sets `why`. */
#include "lua/matcher.h"

#include "base/urgent.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

enum {
    DEPTH_MAX = 200,
    BREATH_STEPS = 16384, /* about 200 us: then others may have the processor, audio above all */
};

static enum match match_from(struct matcher *m, const char *s, const char *p, const char **end);

static enum match broken(struct matcher *m, const char *why)
{
    m->why = why;
    return MATCH_BROKEN;
}

static enum match too_long(struct matcher *m, const char *why)
{
    m->why = why;
    return MATCH_LONG;
}

/* One step is gone; MATCH_YES while there are some. */
static enum match step(struct matcher *m)
{
    if (m->steps == 0)
        return too_long(m, "takes too long; use fewer repetitions (* + -) or a shorter text");
    if (m->steps-- % BREATH_STEPS == 0)
        breathe();
    return MATCH_YES;
}

/* --- single items --- */

/* Behind the set that begins at p, "[…]"; NULL when it never ends. */
static const char *set_end(const struct matcher *m, const char *p)
{
    p++;
    if (p < m->pattern_end && *p == '^')
        p++;
    do { /* a ] that comes first is an ordinary one */
        if (p >= m->pattern_end)
            return NULL;
        if (*p++ == '%') {
            if (p >= m->pattern_end)
                return NULL;
            p++;
        }
    } while (p >= m->pattern_end || *p != ']');
    return p + 1;
}

/* Behind the item at p, without its repetition; NULL with `why` when it is broken. */
static const char *item_end(struct matcher *m, const char *p)
{
    const char *end;

    if (*p == '%') {
        if (p + 1 < m->pattern_end)
            return p + 2;
        (void)broken(m, "malformed pattern (ends with '%')");
        return NULL;
    }
    if (*p != '[')
        return p + 1;
    end = set_end(m, p);
    if (!end)
        (void)broken(m, "malformed pattern (missing ']')");
    return end;
}

static bool in_class(unsigned char c, unsigned char class)
{
    bool yes;

    switch (tolower(class)) {
    case 'a':
        yes = isalpha(c);
        break;
    case 'c':
        yes = iscntrl(c);
        break;
    case 'd':
        yes = isdigit(c);
        break;
    case 'g':
        yes = isgraph(c);
        break;
    case 'l':
        yes = islower(c);
        break;
    case 'p':
        yes = ispunct(c);
        break;
    case 's':
        yes = isspace(c);
        break;
    case 'u':
        yes = isupper(c);
        break;
    case 'w':
        yes = isalnum(c);
        break;
    case 'x':
        yes = isxdigit(c);
        break;
    case 'z':
        yes = c == 0;
        break;
    default:
        return class == c; /* an escaped byte stands for itself */
    }
    return isupper(class) ? !yes : yes;
}

/* The set from p "[" to last "]". */
static bool in_set(unsigned char c, const char *p, const char *last)
{
    bool found = true;

    p++;
    if (*p == '^') {
        found = false;
        p++;
    }
    for (; p < last; p++) {
        if (*p == '%') {
            p++;
            if (in_class(c, (unsigned char)*p))
                return found;
        } else if (p[1] == '-' && p + 2 < last) {
            if ((unsigned char)p[0] <= c && c <= (unsigned char)p[2])
                return found;
            p += 2;
        } else if ((unsigned char)*p == c) {
            return found;
        }
    }
    return !found;
}

static bool item_matches(const struct matcher *m, const char *s, const char *p, const char *p_end)
{
    unsigned char c;

    if (s >= m->text_end)
        return false;
    c = (unsigned char)*s;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return in_class(c, (unsigned char)p[1]);
    case '[':
        return in_set(c, p, p_end - 1);
    default:
        return (unsigned char)*p == c;
    }
}

/* --- repetitions --- */

/* As many as possible first, then fewer. */
static enum match greedy(struct matcher *m, const char *s, const char *p, const char *p_end,
                         const char **end)
{
    const char *last = s;
    enum match r;

    while (item_matches(m, last, p, p_end)) {
        r = step(m);
        if (r != MATCH_YES)
            return r;
        last++;
    }
    for (; last >= s; last--) {
        r = match_from(m, last, p_end + 1, end);
        if (r != MATCH_NO)
            return r;
    }
    return MATCH_NO;
}

/* As few as possible first, then more. */
static enum match lazy(struct matcher *m, const char *s, const char *p, const char *p_end,
                       const char **end)
{
    for (;;) {
        enum match r = match_from(m, s, p_end + 1, end);

        if (r != MATCH_NO)
            return r;
        if (!item_matches(m, s, p, p_end))
            return MATCH_NO;
        s++;
    }
}

static enum match optional(struct matcher *m, const char *s, const char *p, const char *p_end,
                           const char **end)
{
    enum match r = MATCH_NO;

    if (item_matches(m, s, p, p_end))
        r = match_from(m, s + 1, p_end + 1, end);
    return r == MATCH_NO ? match_from(m, s, p_end + 1, end) : r;
}

/* --- captures --- */

static enum match open_capture(struct matcher *m, const char *s, const char *p, ptrdiff_t length,
                               const char **end)
{
    enum match r;

    if (m->n_captures >= MATCHER_CAPTURES)
        return broken(m, "too many captures");
    m->captures[m->n_captures].begin = s;
    m->captures[m->n_captures].length = length;
    m->n_captures++;
    r = match_from(m, s, p, end);
    if (r == MATCH_NO)
        m->n_captures--;
    return r;
}

static enum match close_capture(struct matcher *m, const char *s, const char *p, const char **end)
{
    int i = m->n_captures - 1;
    enum match r;

    while (i >= 0 && m->captures[i].length != CAPTURE_OPEN)
        i--;
    if (i < 0)
        return broken(m, "invalid pattern capture");
    m->captures[i].length = s - m->captures[i].begin;
    r = match_from(m, s, p, end);
    if (r == MATCH_NO)
        m->captures[i].length = CAPTURE_OPEN;
    return r;
}

/* %1: what was captured, once more. */
static enum match back_reference(struct matcher *m, const char **s, unsigned char digit)
{
    int i = digit - '1';
    ptrdiff_t n;

    if (i < 0 || i >= m->n_captures || m->captures[i].length == CAPTURE_OPEN)
        return broken(m, "invalid capture index");
    n = m->captures[i].length;
    if (n == CAPTURE_POSITION)
        return MATCH_NO;
    if (m->steps < (uint64_t)n)
        m->steps = 0;
    else
        m->steps -= (uint64_t)n;
    if (m->text_end - *s < n || memcmp(*s, m->captures[i].begin, (size_t)n) != 0)
        return MATCH_NO;
    *s += n;
    return MATCH_YES;
}

/* --- %b and %f --- */

/* %bxy: from an x to the y that balances it. */
static enum match balanced(struct matcher *m, const char **s, const char *p)
{
    const char *at = *s;
    size_t open = 1;

    if (p + 1 >= m->pattern_end)
        return broken(m, "malformed pattern (missing arguments to '%b')");
    if (at >= m->text_end || *at != p[0])
        return MATCH_NO;
    for (at++; at < m->text_end; at++) {
        enum match r = step(m);

        if (r != MATCH_YES)
            return r;
        if (*at == p[1]) {
            if (--open == 0) {
                *s = at + 1;
                return MATCH_YES;
            }
        } else if (*at == p[0]) {
            open++;
        }
    }
    return MATCH_NO;
}

/* %f[set]: the byte before is not in the set, this one is; outside of the text there are zeros. */
static enum match frontier(struct matcher *m, const char *s, const char *p, const char **p_end)
{
    unsigned char before = s == m->text ? 0 : (unsigned char)s[-1];
    unsigned char here = s < m->text_end ? (unsigned char)*s : 0;

    if (p >= m->pattern_end || *p != '[')
        return broken(m, "missing '[' after '%f' in pattern");
    *p_end = item_end(m, p);
    if (!*p_end)
        return MATCH_BROKEN;
    return !in_set(before, p, *p_end - 1) && in_set(here, p, *p_end - 1) ? MATCH_YES : MATCH_NO;
}

/* --- the walk --- */

/* %b, %f and back-references, which take no repetition. MATCH_YES: *s and *p are behind it. */
static enum match special(struct matcher *m, const char **s, const char **p)
{
    const char *at = *p;
    enum match r;

    switch (at[1]) {
    case 'b':
        r = balanced(m, s, at + 2);
        *p = at + 4;
        return r;
    case 'f':
        return frontier(m, *s, at + 2, p);
    default:
        *p = at + 2;
        return back_reference(m, s, (unsigned char)at[1]);
    }
}

static bool is_special(const struct matcher *m, const char *p)
{
    return *p == '%' && p + 1 < m->pattern_end &&
           (p[1] == 'b' || p[1] == 'f' || isdigit((unsigned char)p[1]));
}

/* The item at *p with whatever repetition stands behind it. *done: the rest was matched as well. */
static enum match plain(struct matcher *m, const char **s, const char **p, bool *done,
                        const char **end)
{
    const char *p_end = item_end(m, *p);
    char repetition = p_end && p_end < m->pattern_end ? *p_end : '\0';

    if (!p_end)
        return MATCH_BROKEN;
    *done = true;
    switch (repetition) {
    case '*':
        return greedy(m, *s, *p, p_end, end);
    case '+':
        return item_matches(m, *s, *p, p_end) ? greedy(m, *s + 1, *p, p_end, end) : MATCH_NO;
    case '-':
        return lazy(m, *s, *p, p_end, end);
    case '?':
        return optional(m, *s, *p, p_end, end);
    default:
        break;
    }
    *done = false;
    if (!item_matches(m, *s, *p, p_end))
        return MATCH_NO;
    (*s)++;
    *p = p_end;
    return MATCH_YES;
}

static enum match walk(struct matcher *m, const char *s, const char *p, const char **end)
{
    bool done = false;
    enum match r;

    while (p < m->pattern_end) {
        r = step(m);
        if (r != MATCH_YES)
            return r;
        if (*p == '(' && p + 1 < m->pattern_end && p[1] == ')')
            return open_capture(m, s, p + 2, CAPTURE_POSITION, end);
        if (*p == '(')
            return open_capture(m, s, p + 1, CAPTURE_OPEN, end);
        if (*p == ')')
            return close_capture(m, s, p + 1, end);
        if (*p == '$' && p + 1 == m->pattern_end) {
            p++;
            r = s == m->text_end ? MATCH_YES : MATCH_NO;
        } else if (is_special(m, p)) {
            r = special(m, &s, &p);
        } else {
            r = plain(m, &s, &p, &done, end);
        }
        if (r != MATCH_YES || done)
            return r;
    }
    *end = s;
    return MATCH_YES;
}

static enum match match_from(struct matcher *m, const char *s, const char *p, const char **end)
{
    enum match r;

    if (m->depth == 0)
        return too_long(m, "is nested too deep; use fewer captures and repetitions");
    m->depth--;
    r = walk(m, s, p, end);
    m->depth++;
    return r;
}

void matcher_init(struct matcher *m, const char *text, size_t n_text, const char *pattern,
                  size_t n_pattern, uint64_t steps)
{
    m->text = text;
    m->text_end = text + n_text;
    m->pattern = pattern;
    m->pattern_end = pattern + n_pattern;
    m->why = "";
    m->steps = steps;
    m->depth = DEPTH_MAX;
    m->n_captures = 0;
}

enum match matcher_at(struct matcher *m, const char *at, const char **end)
{
    m->n_captures = 0;
    m->depth = DEPTH_MAX;
    return match_from(m, at, m->pattern, end);
}

enum match matcher_search(struct matcher *m, const char *at, const char **begin, const char **end)
{
    for (; at <= m->text_end; at++) {
        enum match r = step(m);

        if (r == MATCH_YES)
            r = matcher_at(m, at, end);
        if (r != MATCH_NO) {
            *begin = at;
            return r;
        }
    }
    return MATCH_NO;
}
