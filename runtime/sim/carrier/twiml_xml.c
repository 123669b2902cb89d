/* SPDX-License-Identifier: Apache-2.0 */
/* Reads an XML document in one pass, without recursion: a stack of open elements, each byte seen
 * once.
 *
 * Happy path: an optional <?xml …?> as the very first bytes, then one root element; start tags open
 * an element below the open one, end tags must match it; text, CDATA and entities go to the open
 * one.
 *
 * Failure modes, each refused with the line it was seen on
 *   - a byte before <?xml, text outside the root, a second root, no root at all;
 *   - a wrong or missing end tag, an attribute twice or without quotes, '<' in an attribute;
 *   - a bare '&', an unknown entity, a character XML forbids, broken UTF-8, "]]>" in text;
 *   - a DOCTYPE or a processing instruction: TwiML needs neither, attackers do;
 *   - more than 64 KiB, 512 elements or 16 levels.
 */
#include "sim/carrier/twiml_xml.h"

#include "base/buf.h"
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reader {
    const char *p, *end;
    int line;
    struct xml_doc *doc;
    int open; /* place of the open element; -1: none */
    int depth;
    bool had_root;
    struct buf scratch; /* value of the attribute, or text run, that is being read */
    char *why;
    size_t cap;
};

__attribute__((format(printf, 2, 3))) static int broken(struct reader *r, const char *fmt, ...)
{
    int n = snprintf(r->why, r->cap, "line %d: ", r->line);
    va_list ap;

    if (n < 0 || (size_t)n >= r->cap)
        return RD_EPROTO;
    va_start(ap, fmt);
    vsnprintf(r->why + n, r->cap - (size_t)n, fmt, ap);
    va_end(ap);
    return RD_EPROTO;
}

static struct xml_element *opened(const struct reader *r)
{
    return r->open >= 0 && r->doc->elements ? &r->doc->elements[r->open] : NULL;
}

static bool starts(const struct reader *r, const char *z)
{
    size_t n = strlen(z);

    return (size_t)(r->end - r->p) >= n && memcmp(r->p, z, n) == 0;
}

static void skip(struct reader *r, size_t n)
{
    for (; n > 0; n--, r->p++)
        r->line += *r->p == '\n';
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool skip_space(struct reader *r)
{
    bool any = false;

    for (; r->p < r->end && is_space(*r->p); any = true)
        skip(r, 1);
    return any;
}

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
}

static bool is_name(char c)
{
    return is_name_start(c) || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

static struct rd_str read_name(struct reader *r)
{
    const char *from = r->p;

    if (r->p < r->end && is_name_start(*r->p)) {
        while (r->p < r->end && is_name(*r->p))
            r->p++;
    }
    return (struct rd_str){from, (size_t)(r->p - from)};
}

/* Characters of XML 1.0. */
static bool is_char(unsigned c)
{
    return c == 9 || c == 10 || c == 13 || (c >= 0x20 && c <= 0xD7FF) ||
           (c >= 0xE000 && c <= 0xFFFD) || (c >= 0x10000 && c <= 0x10FFFF);
}

static int add_code_point(struct buf *b, unsigned c)
{
    unsigned char u[4];
    size_t n;

    if (c < 0x80) {
        u[0] = (unsigned char)c;
        n = 1;
    } else if (c < 0x800) {
        u[0] = (unsigned char)(0xC0 | (c >> 6));
        u[1] = (unsigned char)(0x80 | (c & 63));
        n = 2;
    } else if (c < 0x10000) {
        u[0] = (unsigned char)(0xE0 | (c >> 12));
        u[1] = (unsigned char)(0x80 | ((c >> 6) & 63));
        u[2] = (unsigned char)(0x80 | (c & 63));
        n = 3;
    } else {
        u[0] = (unsigned char)(0xF0 | (c >> 18));
        u[1] = (unsigned char)(0x80 | ((c >> 12) & 63));
        u[2] = (unsigned char)(0x80 | ((c >> 6) & 63));
        u[3] = (unsigned char)(0x80 | (c & 63));
        n = 4;
    }
    return buf_add(b, u, n);
}

/* One UTF-8 character from the input to the scratch. */
static int read_char(struct reader *r)
{
    unsigned char first = (unsigned char)*r->p;
    size_t n = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC2 ? 2 : 0;
    unsigned c = n == 1 ? first : n == 2 ? first & 31u : n == 3 ? first & 15u : first & 7u;
    int rc;

    if (n == 0 || first > 0xF4 || (size_t)(r->end - r->p) < n)
        return broken(r, "not UTF-8");
    for (size_t i = 1; i < n; i++) {
        unsigned char u = (unsigned char)r->p[i];
        if ((u & 0xC0) != 0x80)
            return broken(r, "not UTF-8");
        c = c << 6 | (u & 63u);
    }
    if ((n == 3 && c < 0x800) || (n == 4 && c < 0x10000) || !is_char(c))
        return broken(r, "a character XML does not allow");
    rc = buf_add(&r->scratch, r->p, n);
    skip(r, n);
    return rc;
}

static int read_number_entity(struct reader *r, struct rd_str digits)
{
    bool hex = digits.n > 0 && digits.p[0] == 'x';
    unsigned c = 0;
    size_t i = hex ? 1 : 0;

    if (i == digits.n)
        return broken(r, "an empty character reference");
    for (; i < digits.n; i++) {
        char d = digits.p[i];
        unsigned v = d >= '0' && d <= '9'          ? (unsigned)(d - '0')
                     : hex && d >= 'a' && d <= 'f' ? (unsigned)(d - 'a' + 10)
                     : hex && d >= 'A' && d <= 'F' ? (unsigned)(d - 'A' + 10)
                                                   : 99;
        if (v == 99)
            return broken(r, "a broken character reference");
        c = c * (hex ? 16 : 10) + v;
        if (c > 0x10FFFF)
            return broken(r, "a character reference beyond Unicode");
    }
    if (!is_char(c))
        return broken(r, "a character XML does not allow");
    return add_code_point(&r->scratch, c);
}

/* At '&'. */
static int read_entity(struct reader *r)
{
    static const struct {
        const char *text;
        char c;
    } known[] = {{"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
    size_t left = (size_t)(r->end - r->p), max = left < 12 ? left : 12;
    const char *semi = memchr(r->p, ';', max);
    struct rd_str name;
    int rc;

    if (!semi)
        return broken(r, "a bare '&'; write &amp;");
    name = (struct rd_str){r->p + 1, (size_t)(semi - r->p - 1)};
    if (name.n > 0 && name.p[0] == '#') {
        rc = read_number_entity(r, (struct rd_str){name.p + 1, name.n - 1});
        skip(r, name.n + 2);
        return rc;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        if (rd_str_eq(name, rd_str(known[i].text))) {
            skip(r, name.n + 2);
            return buf_add(&r->scratch, &known[i].c, 1);
        }
    }
    return broken(r, "unknown entity &" RD_STR_FMT ";", RD_STR_ARG(name));
}

static struct xml_element *element_new(struct reader *r, struct rd_str name)
{
    struct xml_doc *d = r->doc;
    struct xml_element *e;

    if (d->n == XML_ELEMENTS_MAX)
        return NULL;
    if ((d->n & (d->n - 1)) == 0) { /* room doubles at each power of two */
        size_t cap = d->n ? d->n * 2 : 1;
        struct xml_element *more = realloc(d->elements, cap * sizeof(*more));
        if (!more)
            return NULL;
        d->elements = more;
    }
    e = &d->elements[d->n];
    *e = (struct xml_element){.parent = r->open, .first = -1, .last = -1, .next = -1};
    e->line = r->line;
    e->name = strndup(name.p, name.n);
    e->text = strdup("");
    d->n++;
    if (!e->name || !e->text)
        return NULL;
    if (r->open >= 0) {
        struct xml_element *up = &d->elements[r->open];
        int place = (int)d->n - 1;
        if (up->last >= 0)
            d->elements[up->last].next = place;
        else
            up->first = place;
        up->last = place;
    }
    return e;
}

static int read_value(struct reader *r)
{
    char quote = r->p < r->end ? *r->p : 0;

    if (quote != '"' && quote != '\'')
        return broken(r, "an attribute without quotes");
    skip(r, 1);
    buf_clear(&r->scratch);
    while (r->p < r->end && *r->p != quote) {
        int rc = *r->p == '<'   ? broken(r, "'<' in an attribute")
                 : *r->p == '&' ? read_entity(r)
                                : read_char(r);
        if (rc)
            return rc;
    }
    if (r->p == r->end)
        return broken(r, "an attribute without its closing quote");
    skip(r, 1);
    return 0;
}

static int read_attr(struct reader *r, struct xml_element *e)
{
    struct rd_str name = read_name(r);
    struct xml_attr *more;
    const char *value;
    int rc;

    if (name.n == 0)
        return broken(r, "not an attribute name");
    for (size_t i = 0; i < e->n_attrs; i++) {
        if (rd_str_eq(rd_str(e->attrs[i].name), name))
            return broken(r, "attribute " RD_STR_FMT " twice", RD_STR_ARG(name));
    }
    skip_space(r);
    if (r->p == r->end || *r->p != '=')
        return broken(r, "attribute " RD_STR_FMT " without a value", RD_STR_ARG(name));
    skip(r, 1);
    skip_space(r);
    rc = read_value(r);
    if (rc)
        return rc;
    more = realloc(e->attrs, (e->n_attrs + 1) * sizeof(*more));
    value = buf_text(&r->scratch);
    if (!more || !value) {
        e->attrs = more ? more : e->attrs;
        return -ENOMEM;
    }
    e->attrs = more;
    more[e->n_attrs] = (struct xml_attr){strndup(name.p, name.n), strdup(value)};
    e->n_attrs++;
    return more[e->n_attrs - 1].name && more[e->n_attrs - 1].value ? 0 : -ENOMEM;
}

static int read_start_tag(struct reader *r)
{
    struct xml_element *e;
    struct rd_str name;
    bool space;
    int rc;

    skip(r, 1);
    name = read_name(r);
    if (name.n == 0)
        return broken(r, "'<' is not followed by a name");
    if (r->open < 0 && r->had_root)
        return broken(r, "a second root element <" RD_STR_FMT ">", RD_STR_ARG(name));
    if (r->depth == XML_DEPTH_MAX || r->doc->n == XML_ELEMENTS_MAX)
        return broken(r, "too deep or too many elements");
    e = element_new(r, name);
    if (!e)
        return -ENOMEM;
    r->had_root = true;
    for (;;) {
        space = skip_space(r);
        if (starts(r, "/>")) {
            skip(r, 2);
            return 0;
        }
        if (starts(r, ">")) {
            skip(r, 1);
            r->open = (int)r->doc->n - 1;
            r->depth++;
            return 0;
        }
        if (!space)
            return broken(r, "<%s> does not end", e->name);
        rc = read_attr(r, e);
        if (rc)
            return rc;
    }
}

static int read_end_tag(struct reader *r)
{
    const struct xml_element *e = opened(r);
    struct rd_str name;

    skip(r, 2);
    name = read_name(r);
    skip_space(r);
    if (!e || !rd_str_eq(name, rd_str(e->name)))
        return broken(r, "</" RD_STR_FMT "> closes what is not open", RD_STR_ARG(name));
    if (r->p == r->end || *r->p != '>')
        return broken(r, "</" RD_STR_FMT " does not end", RD_STR_ARG(name));
    skip(r, 1);
    r->open = e->parent;
    r->depth--;
    return 0;
}

/* Moves the scratch to the open element's text. */
static int text_take(struct reader *r)
{
    struct xml_element *e;
    size_t n;
    char *more;

    if (r->scratch.n == 0)
        return 0;
    e = &r->doc->elements[r->open];
    n = strlen(e->text);
    more = realloc(e->text, n + r->scratch.n + 1);
    if (!more)
        return -ENOMEM;
    memcpy(more + n, r->scratch.data, r->scratch.n);
    more[n + r->scratch.n] = '\0';
    e->text = more;
    buf_clear(&r->scratch);
    return 0;
}

static int read_cdata(struct reader *r)
{
    skip(r, strlen("<![CDATA["));
    buf_clear(&r->scratch);
    while (r->p < r->end && !starts(r, "]]>")) {
        int rc = read_char(r);
        if (rc)
            return rc;
    }
    if (r->p == r->end)
        return broken(r, "CDATA does not end");
    skip(r, 3);
    return text_take(r);
}

static int read_text(struct reader *r)
{
    buf_clear(&r->scratch);
    while (r->p < r->end && *r->p != '<') {
        int rc = 0;
        if (r->open < 0 && !is_space(*r->p))
            return broken(r, "text outside the root element");
        if (starts(r, "]]>"))
            return broken(r, "]]> in text");
        rc = *r->p == '&' ? read_entity(r) : read_char(r);
        if (rc)
            return rc;
    }
    if (r->open < 0)
        return 0;
    return text_take(r);
}

static int skip_past(struct reader *r, size_t from, const char *end, const char *what)
{
    skip(r, from);
    while (r->p < r->end && !starts(r, end))
        skip(r, 1);
    if (r->p == r->end)
        return broken(r, "%s does not end", what);
    skip(r, strlen(end));
    return 0;
}

static int read_piece(struct reader *r)
{
    if (*r->p != '<')
        return read_text(r);
    if (starts(r, "</"))
        return read_end_tag(r);
    if (starts(r, "<!--"))
        return skip_past(r, 4, "-->", "a comment");
    if (starts(r, "<![CDATA[") && r->open >= 0)
        return read_cdata(r);
    if (starts(r, "<!") || starts(r, "<?"))
        return broken(r, "a declaration in the wrong place");
    return read_start_tag(r);
}

int xml_parse(struct xml_doc **out, struct rd_str text, char *why, size_t cap)
{
    struct reader r = {.p = text.p, .end = text.p + text.n, .line = 1, .open = -1, .why = why};
    int rc = 0;

    r.cap = cap;
    if (text.n > XML_BYTES_MAX)
        return RD_ETOOBIG;
    buf_init(&r.scratch, XML_BYTES_MAX);
    r.doc = calloc(1, sizeof(*r.doc));
    if (!r.doc)
        return -ENOMEM;
    if (starts(&r, "<?xml") && text.n > 5 && is_space(text.p[5]))
        rc = skip_past(&r, 5, "?>", "the XML declaration");
    while (rc == 0 && r.p < r.end)
        rc = read_piece(&r);
    if (rc == 0 && opened(&r))
        rc = broken(&r, "<%s> is never closed", opened(&r)->name);
    if (rc == 0 && !r.had_root)
        rc = broken(&r, "no root element");
    buf_fini(&r.scratch);
    if (rc) {
        xml_free(r.doc);
        return rc;
    }
    *out = r.doc;
    return 0;
}

void xml_free(struct xml_doc *d)
{
    if (!d)
        return;
    for (size_t i = 0; i < d->n; i++) {
        struct xml_element *e = &d->elements[i];
        for (size_t k = 0; k < e->n_attrs; k++) {
            free(e->attrs[k].name);
            free(e->attrs[k].value);
        }
        free(e->attrs);
        free(e->name);
        free(e->text);
    }
    free(d->elements);
    free(d);
}

const char *xml_attr(const struct xml_element *e, const char *name)
{
    for (size_t i = 0; i < e->n_attrs; i++) {
        if (strcmp(e->attrs[i].name, name) == 0)
            return e->attrs[i].value;
    }
    return NULL;
}
