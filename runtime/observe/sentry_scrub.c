/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_scrub.c - what of a text may leave this machine, and what a traceback says. */
#include "base/scrub.h"
#include "observe/sentry.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

int sentry_scrub(struct buf *out, struct rd_str text)
{
    return scrub_text(out, text);
}

/* --- tracebacks --- */

enum { FRAMES_MAX = 100 };

static bool starts(struct rd_str w, const char *with)
{
    return w.n >= strlen(with) && strncasecmp(w.p, with, strlen(with)) == 0;
}

static bool has(struct rd_str s, const char *what)
{
    return memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static int add_text(struct buf *out, const char *key, struct rd_str s)
{
    int rc = buf_addf(out, "\"%s\":\"", key);

    if (!rc)
        rc = buf_add_json(out, s);
    return rc ? rc : buf_add_str(out, "\"");
}

/* "agents/x.lua:12: in function 'name'", "[C]: in function 'error'" */
static int add_frame(struct buf *out, struct rd_str line, bool first)
{
    const char *in = memmem(line.p, line.n, ": in ", 5), *p;
    struct rd_str file, name = {"?", 1};
    unsigned long lineno = 0, unit = 1;
    bool lua, ours;
    int rc;

    if (!in)
        return 0;
    file = (struct rd_str){line.p, (size_t)(in - line.p)};
    for (p = in; p > line.p && isdigit((unsigned char)p[-1]); unit *= 10)
        lineno += unit * (unsigned long)(*--p - '0');
    if (p > line.p && p < in && p[-1] == ':')
        file.n = (size_t)(p - 1 - line.p);
    if (in + 5 < line.p + line.n)
        name = (struct rd_str){in + 5, (size_t)(line.p + line.n - in - 5)};
    lua = has(file, ".lua");
    ours = has(file, "scripts/ringdown/") || starts(file, "ringdown/");
    rc = buf_add_str(out, first ? "{" : ",{");
    if (!rc)
        rc = add_text(out, "filename", file);
    if (!rc)
        rc = buf_add_str(out, ",");
    if (!rc)
        rc = add_text(out, "function", name);
    if (!rc && lineno)
        rc = buf_addf(out, ",\"lineno\":%lu", lineno);
    return rc ? rc : buf_addf(out, ",\"in_app\":%s}", lua && !ours ? "true" : "false");
}

int sentry_frames(struct buf *out, const char *traceback)
{
    const char *p = strstr(traceback, "stack traceback:");
    struct rd_str lines[FRAMES_MAX];
    size_t n = 0, start;
    int rc = buf_add_str(out, "[");

    for (p = p ? strchr(p, '\n') : NULL; p && n < FRAMES_MAX; p = strchr(p, '\n')) {
        p += 1 + strspn(p + 1, "\t ");
        lines[n++] = (struct rd_str){p, strcspn(p, "\n")};
    }
    start = out->n;
    for (size_t i = n; i > 0 && !rc; i--) {
        size_t before = out->n;

        rc = add_frame(out, lines[i - 1], before == start);
    }
    return rc ? rc : buf_add_str(out, "]");
}
