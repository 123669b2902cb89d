/* SPDX-License-Identifier: Apache-2.0 */
/* twiml.c - writing and checking small XML documents.
 *
 * The writers escape everything they insert. twiml_check() is a strict reader without recursion: a
 * stack of open element names, 32 deep. It accepts what TwiML needs (elements, attributes, text,
 * comments, CDATA, the five entities and character references) and refuses what it does not
 * (DOCTYPE and thereby every other entity, processing instructions), because a document that Twilio
 * cannot read costs the caller the call (error 12100).
 *   - 64 KiB or more: RD_ETOOBIG
 *   - anything else that is wrong: RD_EPROTO */
#include "carriers/twilio/twiml.h"

#include "base/err.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { MAX_BYTES = 65536, MAX_DEPTH = 32, MAX_ATTRIBUTES = 32 };

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response>"
#define TAIL "</Response>\n"

/* HEAD, then pieces: those at odd places are inserted text and get escaped. All or nothing. */
static int document(struct buf *out, const char *const *pieces, int n)
{
    size_t start = out->n;
    int rc = buf_add_str(out, HEAD);

    for (int i = 0; i < n && !rc; i++)
        rc = i % 2 ? buf_add_xml(out, rd_str(pieces[i])) : buf_add_str(out, pieces[i]);
    if (!rc)
        rc = buf_add_str(out, TAIL);
    if (rc)
        out->n = start;
    return rc;
}

int twiml_stream(struct buf *out, const char *stream_url, const char *resume_url)
{
    const char *const pieces[] = {"<Connect><Stream url=\"", stream_url,
                                  "\"/></Connect><Redirect method=\"POST\">", resume_url,
                                  "</Redirect>"};

    return document(out, pieces, 5);
}

int twiml_hangup(struct buf *out)
{
    const char *const pieces[] = {"<Hangup/>"};

    return document(out, pieces, 1);
}

int twiml_say_hangup(struct buf *out, const char *words)
{
    const char *const pieces[] = {"<Say>", words, "</Say><Hangup/>"};

    return document(out, pieces, 3);
}

int twiml_redirect(struct buf *out, const char *url)
{
    const char *const pieces[] = {"<Redirect method=\"POST\">", url, "</Redirect>"};

    return document(out, pieces, 3);
}

int twiml_nothing(struct buf *out)
{
    return document(out, NULL, 0);
}

int twiml_press_key(struct buf *out, const char *words, const char *action)
{
    const char *const pieces[] = {"<Gather numDigits=\"1\" timeout=\"10\" action=\"", action,
                                  "\" method=\"POST\"><Say>", words, "</Say></Gather><Hangup/>"};

    return document(out, pieces, 5);
}

/* The checker -----------------------------------------------------------------------------------*/

struct xml {
    const char *p, *end;
    struct rd_str open[MAX_DEPTH]; /* names of the elements we are in */
    int depth;
};

static bool looking_at(const struct xml *x, const char *word)
{
    size_t n = strlen(word);

    return (size_t)(x->end - x->p) >= n && memcmp(x->p, word, n) == 0;
}

static bool take(struct xml *x, const char *word)
{
    if (!looking_at(x, word))
        return false;
    x->p += strlen(word);
    return true;
}

static bool skip_space(struct xml *x)
{
    const char *start = x->p;

    while (x->p < x->end && strchr(" \t\r\n", *x->p) && *x->p)
        x->p++;
    return x->p > start;
}

static bool skip_past(struct xml *x, const char *word)
{
    size_t n = strlen(word);
    const char *hit = memmem(x->p, (size_t)(x->end - x->p), word, n);

    if (!hit)
        return false;
    x->p = hit + n;
    return true;
}

static bool name_char(char c, bool first)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c == ':')
        return true;
    return !first && ((c >= '0' && c <= '9') || c == '-' || c == '.');
}

static bool take_name(struct xml *x, struct rd_str *name)
{
    name->p = x->p;
    while (x->p < x->end && name_char(*x->p, x->p == name->p))
        x->p++;
    name->n = (size_t)(x->p - name->p);
    return name->n > 0;
}

static bool xml_character(uint32_t c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    return c < 0xD800 || (c > 0xDFFF && c != 0xFFFE && c != 0xFFFF && c <= 0x10FFFF);
}

/* Behind "&#". */
static bool take_character_reference(struct xml *x)
{
    bool hex = take(x, "x");
    uint32_t code = 0;
    const char *start = x->p;

    for (; x->p < x->end && *x->p != ';'; x->p++) {
        char c = *x->p;
        uint32_t digit;

        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if (hex && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')))
            digit = (uint32_t)((c | 0x20) - 'a' + 10);
        else
            return false;
        code = code * (hex ? 16 : 10) + digit;
        if (code > 0x10FFFF)
            return false;
    }
    return x->p > start && take(x, ";") && xml_character(code);
}

static bool take_reference(struct xml *x)
{
    return take(x, "&amp;") || take(x, "&lt;") || take(x, "&gt;") || take(x, "&quot;") ||
           take(x, "&apos;") || (take(x, "&#") && take_character_reference(x));
}

static bool take_attribute(struct xml *x, struct rd_str *name)
{
    char quote;

    if (!take_name(x, name))
        return false;
    skip_space(x);
    if (!take(x, "="))
        return false;
    skip_space(x);
    if (x->p == x->end || (*x->p != '"' && *x->p != '\''))
        return false;
    quote = *x->p++;
    while (x->p < x->end && *x->p != quote) {
        if (*x->p == '<')
            return false;
        if (*x->p != '&')
            x->p++;
        else if (!take_reference(x))
            return false;
    }
    if (x->p == x->end)
        return false;
    x->p++;
    return true;
}

/* Behind the name of a start tag, up to and including its '>'. */
static bool take_attributes(struct xml *x, bool *empty)
{
    struct rd_str names[MAX_ATTRIBUTES];
    int n = 0;

    for (;;) {
        bool space = skip_space(x);

        *empty = take(x, "/>");
        if (*empty || take(x, ">"))
            return true;
        if (!space || n == MAX_ATTRIBUTES || !take_attribute(x, &names[n]))
            return false;
        for (int i = 0; i < n; i++)
            if (rd_str_eq(names[i], names[n]))
                return false;
        n++;
    }
}

static bool take_start_tag(struct xml *x)
{
    struct rd_str name;
    bool empty;

    if (!take(x, "<") || !take_name(x, &name) || x->depth == MAX_DEPTH)
        return false;
    if (x->depth == 0 && !rd_str_eq(name, RD_STR("Response")))
        return false;
    if (!take_attributes(x, &empty))
        return false;
    if (!empty)
        x->open[x->depth++] = name;
    return true;
}

static bool take_end_tag(struct xml *x)
{
    struct rd_str name;

    if (!take(x, "</") || !take_name(x, &name) || x->depth == 0)
        return false;
    skip_space(x);
    x->depth--;
    return take(x, ">") && rd_str_eq(name, x->open[x->depth]);
}

/* "--" may not stand inside, nor a third dash at the end. */
static bool take_comment(struct xml *x)
{
    return take(x, "<!--") && skip_past(x, "--") && take(x, ">");
}

/* One thing inside an element. */
static bool take_content(struct xml *x)
{
    if (*x->p == '&')
        return take_reference(x);
    if (*x->p != '<') {
        if (looking_at(x, "]]>"))
            return false;
        x->p++;
        return true;
    }
    if (looking_at(x, "</"))
        return take_end_tag(x);
    if (looking_at(x, "<!--"))
        return take_comment(x);
    if (take(x, "<![CDATA["))
        return skip_past(x, "]]>");
    return take_start_tag(x);
}

/* White space and comments around the root. */
static bool take_around(struct xml *x)
{
    while (skip_space(x) || looking_at(x, "<!--"))
        if (looking_at(x, "<!--") && !take_comment(x))
            return false;
    return true;
}

/* name="value" with this value, in any case and either kind of quotes. */
static bool take_exactly(struct xml *x, const char *name, const char *value)
{
    size_t n = strlen(value);
    char quote;

    if (!take(x, name))
        return false;
    skip_space(x);
    if (!take(x, "="))
        return false;
    skip_space(x);
    if ((size_t)(x->end - x->p) < n + 2 || (*x->p != '"' && *x->p != '\''))
        return false;
    quote = *x->p;
    if (strncasecmp(x->p + 1, value, n) != 0 || x->p[n + 1] != quote)
        return false;
    x->p += n + 2;
    return true;
}

/* <?xml version="1.0" encoding="UTF-8"?>; only the encoding may be left out. */
static bool take_declaration(struct xml *x)
{
    bool space;

    if (!take(x, "<?xml") || !skip_space(x) || !take_exactly(x, "version", "1.0"))
        return false;
    space = skip_space(x);
    if (looking_at(x, "encoding") && !(space && take_exactly(x, "encoding", "UTF-8")))
        return false;
    skip_space(x);
    return take(x, "?>");
}

/* Only well-formed UTF-8 of characters that XML allows. */
static bool characters_ok(struct rd_str s)
{
    for (size_t i = 0; i < s.n;) {
        size_t len = rd_utf8_sequence(s.p + i, s.n - i);
        unsigned char c = (unsigned char)s.p[i];

        if (len == 0 || (len == 1 && !xml_character(c)))
            return false;
        if (len == 3 && c == 0xEF && memcmp(s.p + i + 1, "\xBF\xBE", 2) >= 0)
            return false; /* U+FFFE, U+FFFF */
        i += len;
    }
    return true;
}

int twiml_check(struct rd_str xml)
{
    struct xml x = {.p = xml.p, .end = xml.p + xml.n};

    if (xml.n >= MAX_BYTES)
        return RD_ETOOBIG;
    if (xml.n == 0 || !characters_ok(xml))
        return RD_EPROTO;
    if (!looking_at(&x, "<?xml") && !looking_at(&x, "<Response"))
        return RD_EPROTO;
    if (looking_at(&x, "<?xml") && !take_declaration(&x))
        return RD_EPROTO;
    if (!take_around(&x) || !take_start_tag(&x))
        return RD_EPROTO;
    while (x.depth > 0)
        if (x.p == x.end || !take_content(&x))
            return RD_EPROTO;
    return take_around(&x) && x.p == x.end ? 0 : RD_EPROTO;
}
