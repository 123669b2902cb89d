/* SPDX-License-Identifier: Apache-2.0 */
/* settings_lines.c - on which line of the configuration a key is given.
 *
 * Lua keeps no lines for the fields of a table, so the source is scanned for `name =`, `["name"] =`
 * and braces; comments and strings are stepped over.
 * - exact for files that return one table written out, which is how configurations look
 * - for tables put together by code, the last place that gives the key's last word
 * - 0 when not even that is there: then the complaint comes without a line */
#include "gateway/settings_table.h"

#include <ctype.h>
#include <string.h>

enum { DEPTH_MAX = 8, PATH_MAX_ = 128 };

struct scan {
    const char *p;
    int line;
    int depth;                       /* braces open; names are kept for the first DEPTH_MAX */
    char open[DEPTH_MAX][PATH_MAX_]; /* the path that each open brace belongs to */
    char name[PATH_MAX_];            /* the last name seen: a key if `=` follows */
    int name_line;
    char key[PATH_MAX_]; /* path of the value that comes next; "" when none */
};

/* At "[" + n times "=" + "[": steps behind the closing bracket and tells so. */
static bool skip_long(struct scan *s)
{
    const char *p = s->p + 1;
    size_t level = 0;

    while (*p == '=') {
        level++;
        p++;
    }
    if (*p != '[')
        return false;
    for (p++; *p; p++) {
        if (*p == '\n')
            s->line++;
        if (*p == ']' && strspn(p + 1, "=") == level && p[1 + level] == ']') {
            p += level + 2;
            break;
        }
    }
    s->p = p;
    return true;
}

static void skip_comment(struct scan *s)
{
    s->p += 2;
    if (*s->p == '[' && skip_long(s))
        return;
    s->p += strcspn(s->p, "\n");
}

/* Steps over a quoted string and keeps what it holds as the last name: it may be a key. */
static void take_string(struct scan *s)
{
    char quote = *s->p++;
    size_t n = 0;

    s->name_line = s->line;
    while (*s->p && *s->p != quote && *s->p != '\n') {
        if (*s->p == '\\' && s->p[1])
            s->p++;
        if (*s->p == '\n')
            s->line++;
        if (n + 1 < sizeof(s->name))
            s->name[n++] = *s->p;
        s->p++;
    }
    s->name[n] = '\0';
    if (*s->p == quote)
        s->p++;
}

static void take_name(struct scan *s)
{
    size_t n = 0;

    s->name_line = s->line;
    while (isalnum((unsigned char)*s->p) || *s->p == '_') {
        if (n + 1 < sizeof(s->name))
            s->name[n++] = *s->p;
        s->p++;
    }
    s->name[n] = '\0';
}

static const char *path_here(const struct scan *s)
{
    int top = s->depth < DEPTH_MAX ? s->depth : DEPTH_MAX;

    return top > 0 ? s->open[top - 1] : "";
}

static void join(char *out, const char *front, const char *back)
{
    size_t n = strlen(front), m = strlen(back);

    if (n + m + 2 > PATH_MAX_) {
        out[0] = '\0';
        return;
    }
    memmove(out, front, n);
    if (n > 0 && m > 0)
        out[n++] = '.';
    memcpy(out + n, back, m + 1);
}

static void open_brace(struct scan *s)
{
    if (s->depth < DEPTH_MAX) {
        if (s->key[0])
            memcpy(s->open[s->depth], s->key, PATH_MAX_);
        else
            join(s->open[s->depth], path_here(s), "");
    }
    s->depth++;
    s->key[0] = s->name[0] = '\0';
}

/* Moves to the next `name =`; false at the end of the source. */
static bool next_key(struct scan *s)
{
    while (*s->p) {
        char c = *s->p;

        if (c == '\n') {
            s->line++;
            s->p++;
        } else if (c == '-' && s->p[1] == '-') {
            skip_comment(s);
        } else if (c == '"' || c == '\'') {
            take_string(s);
        } else if (isalpha((unsigned char)c) || c == '_') {
            take_name(s);
        } else if (c == '[' && skip_long(s)) {
            s->name[0] = '\0';
        } else if (c == '=' && s->p[1] != '=' && s->name[0]) {
            s->p++;
            join(s->key, path_here(s), s->name);
            return true;
        } else {
            s->p += c == '=' && s->p[1] == '=' ? 2 : 1;
            if (c == '{') {
                open_brace(s);
            } else if (c == '}') {
                s->depth -= s->depth > 0;
                s->key[0] = '\0';
            } else if (c == ',' || c == ';') {
                s->key[0] = s->name[0] = '\0';
            }
        }
    }
    return false;
}

int settings_line(const char *source, const char *path)
{
    struct scan s = {.p = source, .line = 1};
    const char *dot = strrchr(path, '.');
    const char *last = dot ? dot + 1 : path;
    int exact = 0, similar = 0;

    while (next_key(&s)) {
        if (strcmp(s.key, path) == 0)
            exact = s.name_line;
        if (strcmp(s.name, last) == 0)
            similar = s.name_line;
    }
    return exact ? exact : similar;
}
