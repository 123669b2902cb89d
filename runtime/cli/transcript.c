/* SPDX-License-Identifier: Apache-2.0 */
/* transcript.c - one event, a few lines:
 *
 *    0:04 e1f3  I would like to book a
 *               visit
 *    0:05 e1f3         -- book_visit {"zip":"60614"} --
 *    0:07 e1f3                              On Tuesday at nine, then.
 *
 * - time since the stream began, the last four letters of the call, then the words
 * - what people said comes from a telephone: control characters never reach the terminal
 * - each kind of event has one function in the table; unknown kinds print nothing */
#include "cli/transcript.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { GUTTER = 12, GAP = 3, NARROWEST = 40, WIDEST = 160, SAID_MAX = 16 << 10 };

struct column {
    unsigned indent, width;
    const char *colour; /* an SGR number */
};

/* ---- text ---- */

/* Appends s without what a terminal would obey: C0, DEL, and C1 as UTF-8. */
static int add_safe(struct buf *out, struct rd_str s)
{
    int rc = 0;

    for (size_t i = 0; i < s.n && !rc; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (c == 0xC2 && i + 1 < s.n && ((unsigned char)s.p[i + 1] & 0xE0) == 0x80)
            i++;
        else
            rc = buf_add(out, c < 0x20 || c == 0x7f ? " " : &s.p[i], 1);
    }
    return rc;
}

int add_shown(struct buf *out, const struct json_value *object, const char *key)
{
    struct json_value v = json_get(object, key);
    struct buf text;
    int rc;

    if (v.type == JSON_NONE || v.type == JSON_NULL)
        return 0;
    if (v.type != JSON_STRING)
        return add_safe(out, v.raw);
    buf_init(&text, SAID_MAX);
    rc = json_unescape(&v, &text);
    if (!rc)
        rc = add_safe(out, (struct rd_str){text.data, text.n});
    buf_fini(&text);
    return rc == RD_EPROTO || rc == RD_EFULL ? buf_add_str(out, "?") : rc;
}

static bool starts_letter(char c)
{
    return ((unsigned char)c & 0xC0) != 0x80;
}

/* Cuts the next line of at most `width` letters off the front of `rest`, between words if it can.
 */
static struct rd_str next_line(struct rd_str *rest, unsigned width)
{
    struct rd_str line = *rest;
    size_t i = 0, space = 0;
    unsigned letters = 0;

    for (; i < rest->n; i++) {
        if (!starts_letter(rest->p[i]))
            continue;
        if (letters == width)
            break;
        if (rest->p[i] == ' ')
            space = i;
        letters++;
    }
    if (i < rest->n)
        line.n = rest->p[i] == ' ' || space == 0 ? i : space;
    rest->p += line.n;
    rest->n -= line.n;
    while (rest->n > 0 && rest->p[0] == ' ') {
        rest->p++;
        rest->n--;
    }
    return line;
}

static int add_gutter(const struct json_value *event, bool first, struct buf *out)
{
    struct json_value at = json_get(event, "at_ms"), call = json_get(event, "call");
    struct rd_str id = call.type == JSON_STRING ? call.raw : (struct rd_str){0};
    uint64_t ms = 0;

    if (!first)
        return buf_addf(out, "%*s", GUTTER, "");
    json_u64(&at, &ms);
    if (id.n > 4)
        id = (struct rd_str){id.p + id.n - 4, 4};
    return buf_addf(out, "%2" PRIu64 ":%02" PRIu64 " %4.*s  ", ms / 60000 % 100, ms / 1000 % 60,
                    RD_STR_ARG(id));
}

static int add_column(const struct transcript *t, const struct column *c,
                      const struct json_value *event, const struct buf *text, struct buf *out)
{
    struct rd_str rest = {text->data, text->n};
    bool first = true;
    int rc = 0;

    while (rest.n > 0 && !rc) {
        struct rd_str line = next_line(&rest, c->width);

        rc = add_gutter(event, first, out);
        if (!rc)
            rc = buf_addf(out, "%*s", (int)c->indent, "");
        if (!rc && t->colour)
            rc = buf_addf(out, "\033[%sm", c->colour);
        if (!rc)
            rc = buf_add(out, line.p, line.n);
        if (!rc)
            rc = buf_add_str(out, t->colour ? "\033[0m\n" : "\n");
        first = false;
    }
    return rc;
}

/* ---- events ---- */

enum side { LEFT, MIDDLE, RIGHT };

static int add_side(const struct transcript *t, enum side side, const char *colour,
                    const struct json_value *event, const struct buf *text, struct buf *out)
{
    unsigned width = t->width < NARROWEST ? NARROWEST : t->width > WIDEST ? WIDEST : t->width;
    unsigned half = (width - GUTTER - GAP) / 2;
    struct column c = {0, half, colour};

    if (side == RIGHT)
        c.indent = half + GAP;
    if (side == MIDDLE) {
        c.indent = half / 2;
        c.width = width - GUTTER - c.indent;
    }
    return add_column(t, &c, event, text, out);
}

static int on_turn(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value role = json_get(event, "role");
    struct json_value cut = json_get(event, "interrupted");
    struct json_value withheld = json_get(event, "withheld");
    bool agent = json_is(&role, "agent");
    struct buf text;
    int rc;

    buf_init(&text, SAID_MAX + 64);
    rc = withheld.type == JSON_STRING ? buf_add_str(&text, "(not kept: ") : 0;
    if (!rc)
        rc = add_shown(&text, event, withheld.type == JSON_STRING ? "withheld" : "text");
    if (!rc && withheld.type == JSON_STRING)
        rc = buf_add_str(&text, ")");
    if (!rc && cut.type == JSON_TRUE)
        rc = buf_add_str(&text, " --");
    if (!rc)
        rc = add_side(t, agent ? RIGHT : LEFT, agent ? "32" : "36", event, &text, out);
    buf_fini(&text);
    return rc;
}

/* "-- what name rest --" in the middle. */
static int add_middle(const struct transcript *t, const struct json_value *event, const char *what,
                      const char *key, const char *second, const char *colour, struct buf *out)
{
    struct buf text;
    int rc;

    buf_init(&text, 2 * SAID_MAX + 64);
    rc = buf_addf(&text, "-- %s%s", what, what[0] && key ? " " : "");
    if (!rc && key)
        rc = add_shown(&text, event, key);
    if (!rc && second)
        rc = buf_add_str(&text, " ");
    if (!rc && second)
        rc = add_shown(&text, event, second);
    if (!rc)
        rc = buf_add_str(&text, " --");
    if (!rc)
        rc = add_side(t, MIDDLE, colour, event, &text, out);
    buf_fini(&text);
    return rc;
}

static int on_tool(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value done = json_get(event, "done");

    if (done.type == JSON_TRUE)
        return add_middle(t, event, "answer of", "name", "output", "33", out);
    return add_middle(t, event, "tool", "name", "arguments", "33", out);
}

static int on_barge_in(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value heard = json_get(event, "heard_ms");
    uint64_t ms = 0;
    char what[64];

    json_u64(&heard, &ms);
    snprintf(what, sizeof(what), "caller cuts in after %" PRIu64 " ms were heard", ms);
    return add_middle(t, event, what, NULL, NULL, "35", out);
}

static int on_state(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value state = json_get(event, "state");

    if (json_is(&state, "ended")) /* the record of the end says more */
        return 0;
    return add_middle(t, event, "", "state", NULL, "2", out);
}

static int on_dtmf(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "caller presses", "digit", NULL, "33", out);
}

static int on_notice(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "notice heard:", "text", NULL, "2", out);
}

static int on_pause(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value on = json_get(event, "on");

    return add_middle(t, event,
                      on.type == JSON_TRUE ? "not kept from here on, by" : "kept again, by", "by",
                      NULL, "33", out);
}

static int on_error(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "error", "code", "message", "31", out);
}

static int on_operator(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "operator:", "action", "detail", "33", out);
}

static int on_transfer(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value why = json_get(event, "why");
    bool refused = why.type == JSON_STRING;

    return add_middle(t, event, "transfer", "state", refused ? "why" : "whom",
                      refused ? "31" : "33", out);
}

static int on_resumed(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "resumed:", "reason", NULL, "33", out);
}

static int on_ended(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    return add_middle(t, event, "ended:", "reason", NULL, "1", out);
}

static const struct {
    const char *type;
    int (*add)(const struct transcript *t, const struct json_value *event, struct buf *out);
} kinds[] = {
    {"turn", on_turn},         {"tool", on_tool},         {"barge_in", on_barge_in},
    {"state", on_state},       {"dtmf", on_dtmf},         {"error", on_error},
    {"ended", on_ended},       {"notice", on_notice},     {"pause", on_pause},
    {"operator", on_operator}, {"transfer", on_transfer}, {"resumed", on_resumed},
};

int transcript_add(const struct transcript *t, const struct json_value *event, struct buf *out)
{
    struct json_value type = json_get(event, "type");

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (json_is(&type, kinds[i].type))
            return kinds[i].add(t, event, out);
    return 0;
}
