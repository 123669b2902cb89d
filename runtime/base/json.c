/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - reads JSON in place.
 *
 *   json_parse()  walks the whole text once and checks its grammar (RFC 8259), so that whatever is
 *                 asked for later stands in a text that is JSON from end to end
 *   json_next()   walks one container, skipping each value with the same code
 *
 * skip_value() is a state machine without recursion: one bit per open container says whether it is
 * an object, 32 bits are the depth limit. Strings, most of an audio frame, are stepped over sixteen
 * bytes at a time.
 *   - a text that breaks the grammar, or is deeper than 32: RD_EPROTO, and iteration stops there
 *   - UTF-8 is not checked: bytes above 0x7F are passed on as they came */
#include "base/json.h"

#include "base/err.h"
#include "base/lanes.h"

#include <math.h>
#include <stdlib.h>

enum { MAX_DEPTH = 32, NUMBER_CHARS = 48 };
#define MAX_EXACT (UINT64_C(1) << 53)

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static const char *skip_space(const char *p, const char *end)
{
    while (p < end && is_space(*p))
        p++;
    return p;
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* The four digits of \uXXXX, or -1. */
static int hex4(const char *p, const char *end)
{
    int code = 0;

    if (end - p < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        code = code * 16 + d;
    }
    return code;
}

/* The first quote, backslash or control character, or `end`. The text itself is what most of a frame consists
 * of, and most other strings are a word or two: so none of it is looked at byte by byte but the last few of
 * a message. */
static const char *skip_ordinary(const char *p, const char *end)
{
    for (; end - p >= LANES; p += LANES) {
        lanes v = lanes_load(p);
        size_t at = lanes_first((lanes)((v == '"') | (v == '\\') | (v < 0x20)));

        if (at < LANES)
            return p + at;
    }
    while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
        p++;
    return p;
}

/* p stands after the opening quote; returns the closing one, or NULL. */
static const char *skip_string(const char *p, const char *end, bool *escaped)
{
    static const char escapes[] = "\"\\/bfnrtu";

    *escaped = false;
    for (;;) {
        p = skip_ordinary(p, end);
        if (p == end || (unsigned char)*p < 0x20)
            return NULL;
        if (*p == '"')
            return p;
        *escaped = true;
        if (end - p < 2 || !memchr(escapes, p[1], sizeof(escapes) - 1))
            return NULL;
        if (p[1] == 'u' && hex4(p + 2, end) < 0)
            return NULL;
        p += p[1] == 'u' ? 6 : 2;
    }
}

static const char *skip_digits(const char *p, const char *end)
{
    const char *start = p;

    while (p < end && is_digit(*p))
        p++;
    return p > start ? p : NULL;
}

static const char *skip_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = skip_digits(p, end);
    if (p && p < end && *p == '.')
        p = skip_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '+' || *p == '-'))
            p++;
        p = skip_digits(p, end);
    }
    return p;
}

static const char *skip_word(const char *p, const char *end, struct rd_str word)
{
    return (size_t)(end - p) >= word.n && memcmp(p, word.p, word.n) == 0 ? p + word.n : NULL;
}

/* A value that holds no others. Fills `v` and returns what follows it, or NULL. */
static const char *scan_scalar(const char *p, const char *end, struct json_value *v)
{
    const char *q;

    *v = (struct json_value){.type = JSON_NONE};
    switch (*p) {
    case '"':
        q = skip_string(p + 1, end, &v->escaped);
        v->type = JSON_STRING;
        v->raw = (struct rd_str){p + 1, q ? (size_t)(q - p - 1) : 0};
        return q ? q + 1 : NULL;
    case 't':
        v->type = JSON_TRUE;
        q = skip_word(p, end, RD_STR("true"));
        break;
    case 'f':
        v->type = JSON_FALSE;
        q = skip_word(p, end, RD_STR("false"));
        break;
    case 'n':
        v->type = JSON_NULL;
        q = skip_word(p, end, RD_STR("null"));
        break;
    default:
        v->type = JSON_NUMBER;
        q = skip_number(p, end);
        break;
    }
    v->raw = (struct rd_str){p, q ? (size_t)(q - p) : 0};
    return q;
}

/* A member's name and its colon; returns where its value starts, or NULL. */
static const char *scan_key(const char *p, const char *end, struct rd_str *key)
{
    const char *q;
    bool escaped;

    if (p == end || *p != '"')
        return NULL;
    q = skip_string(p + 1, end, &escaped);
    if (!q)
        return NULL;
    *key = (struct rd_str){p + 1, (size_t)(q - p - 1)};
    q = skip_space(q + 1, end);
    if (q == end || *q != ':')
        return NULL;
    return skip_space(q + 1, end);
}

struct walk {
    uint32_t objects; /* bit per level: that container is an object */
    int depth;
};

/* After a value inside a container: closes what closes here, or steps over the comma and (in
 * objects) the next key. Returns where the next value starts, or what follows the outermost
 * container once w->depth is 0, or NULL. */
static const char *walk_on(struct walk *w, const char *p, const char *end)
{
    struct rd_str key;

    while (w->depth > 0) {
        bool object = w->objects & 1u;

        p = skip_space(p, end);
        if (p == end)
            return NULL;
        if (*p == ',') {
            p = skip_space(p + 1, end);
            return object ? scan_key(p, end, &key) : p;
        }
        if (*p != (object ? '}' : ']'))
            return NULL;
        p++;
        w->objects >>= 1;
        w->depth--;
    }
    return p;
}

/* Opens a container at p. An empty one is closed at once; *value tells whether a value comes next.
 */
static const char *walk_in(struct walk *w, const char *p, const char *end, bool *value)
{
    bool object = *p == '{';
    struct rd_str key;

    if (w->depth == MAX_DEPTH)
        return NULL;
    w->objects = w->objects << 1 | object;
    w->depth++;
    p = skip_space(p + 1, end);
    *value = p == end || *p != (object ? '}' : ']');
    if (!*value)
        return walk_on(w, p, end);
    return object ? scan_key(p, end, &key) : p;
}

/* Any value: fills `out` and returns what follows it, or NULL. */
static const char *scan_value(const char *p, const char *end, struct json_value *out)
{
    struct walk w = {0, 0};
    struct json_value inner;
    const char *start = p;
    bool value;

    if (p == end)
        return NULL;
    if (*p != '{' && *p != '[')
        return scan_scalar(p, end, out);
    do {
        if (p == end)
            return NULL;
        if (*p == '{' || *p == '[') {
            p = walk_in(&w, p, end, &value);
        } else {
            p = scan_scalar(p, end, &inner);
            p = p ? walk_on(&w, p, end) : NULL;
        }
    } while (p && w.depth > 0);
    if (!p)
        return NULL;
    *out = (struct json_value){.type = *start == '{' ? JSON_OBJECT : JSON_ARRAY,
                               .raw = {start, (size_t)(p - start)}};
    return p;
}

int json_parse(struct rd_str text, struct json_value *out)
{
    struct json_value v;
    const char *end = text.p + text.n, *p;

    if (text.n == 0)
        return RD_EPROTO;
    p = scan_value(skip_space(text.p, end), end, &v);
    if (!p || skip_space(p, end) != end)
        return RD_EPROTO;
    *out = v;
    return 0;
}

void json_iter_init(struct json_iter *it, const struct json_value *container)
{
    bool fits = container->type == JSON_OBJECT || container->type == JSON_ARRAY;

    *it = (struct json_iter){.first = true, .array = container->type == JSON_ARRAY};
    if (!fits || container->raw.n < 2) {
        it->err = RD_EPROTO;
        return;
    }
    it->p = container->raw.p + 1;
    it->end = container->raw.p + container->raw.n;
}

bool json_next(struct json_iter *it, struct rd_str *key, struct json_value *value)
{
    const char *p = it->p;

    if (it->err || !p)
        return false;
    p = skip_space(p, it->end);
    if (p < it->end && *p == (it->array ? ']' : '}')) {
        it->p = NULL;
        it->end = p + 1;
        return false;
    }
    if (!it->first && (p == it->end || *p++ != ','))
        goto broken;
    p = skip_space(p, it->end);
    it->first = false;
    *key = (struct rd_str){"", 0};
    if (!it->array)
        p = scan_key(p, it->end, key);
    if (!p)
        goto broken;
    it->p = scan_value(p, it->end, value);
    if (it->p)
        return true;
broken:
    it->err = RD_EPROTO;
    return false;
}

struct json_value json_get(const struct json_value *object, const char *key)
{
    struct rd_str want = rd_str(key), name;
    struct json_value v;
    struct json_iter it;

    if (object->type != JSON_OBJECT)
        return (struct json_value){.type = JSON_NONE};
    json_iter_init(&it, object);
    while (json_next(&it, &name, &v))
        if (rd_str_eq(name, want))
            return v;
    return (struct json_value){.type = JSON_NONE};
}

bool json_is(const struct json_value *v, const char *literal)
{
    return v->type == JSON_STRING && !v->escaped && rd_str_eq(v->raw, rd_str(literal));
}

static bool holds_number(const struct json_value *v)
{
    return v->type == JSON_NUMBER || (v->type == JSON_STRING && !v->escaped);
}

bool json_u64(const struct json_value *v, uint64_t *out)
{
    uint64_t sum = 0;

    if (!holds_number(v) || v->raw.n == 0 || v->raw.n > 16)
        return false;
    for (size_t i = 0; i < v->raw.n; i++) {
        if (!is_digit(v->raw.p[i]))
            return false;
        sum = sum * 10 + (uint64_t)(v->raw.p[i] - '0');
    }
    if (sum > MAX_EXACT)
        return false;
    *out = sum;
    return true;
}

bool json_double(const struct json_value *v, double *out)
{
    char text[NUMBER_CHARS];
    const char *end;
    double d;

    if (!holds_number(v) || v->raw.n == 0)
        return false;
    /* The grammar is checked here, because strtod() also likes "inf", "0x10" and leading spaces. */
    end = v->raw.p + v->raw.n;
    if (skip_number(v->raw.p, end) != end || !rd_str_copy(text, sizeof(text), v->raw))
        return false;
    d = strtod(text, NULL);
    if (!isfinite(d))
        return false;
    *out = d;
    return true;
}

static size_t utf8_put(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* One escape at p (a backslash): its bytes to out[4], their number to *n. Returns what follows. */
static const char *unescape_one(const char *p, const char *end, char out[4], size_t *n)
{
    static const char names[] = "\"\\/bfnrt", bytes[] = "\"\\/\b\f\n\r\t";
    const char *hit;
    int high, low;

    if (end - p < 2)
        return NULL;
    *n = 1;
    if (p[1] != 'u') {
        hit = memchr(names, p[1], sizeof(names) - 1);
        out[0] = hit ? bytes[hit - names] : 0;
        return hit ? p + 2 : NULL;
    }
    high = hex4(p + 2, end);
    if (high < 0)
        return NULL;
    p += 6;
    if (high >= 0xD800 && high <= 0xDFFF) {
        low = high < 0xDC00 && end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
        if (low < 0xDC00 || low > 0xDFFF) {
            *n = utf8_put(out, 0xFFFD);
            return p;
        }
        *n = utf8_put(out, 0x10000u + ((uint32_t)(high - 0xD800) << 10) + (uint32_t)(low - 0xDC00));
        return p + 6;
    }
    *n = utf8_put(out, (uint32_t)high);
    return p;
}

int json_unescape(const struct json_value *v, struct buf *out)
{
    size_t start = out->n, n;
    const char *p, *end;
    char bytes[4];
    int rc = 0;

    if (v->type != JSON_STRING)
        return RD_EPROTO;
    p = v->raw.p;
    end = p + v->raw.n;
    if (!v->escaped)
        return buf_add(out, v->raw.p, v->raw.n);
    while (p < end && !rc) {
        const char *slash = memchr(p, '\\', (size_t)(end - p));

        rc = buf_add(out, p, (size_t)((slash ? slash : end) - p));
        p = slash ? unescape_one(slash, end, bytes, &n) : end;
        if (!rc && slash)
            rc = p ? buf_add(out, bytes, n) : RD_EPROTO;
    }
    if (rc)
        out->n = start;
    return rc;
}

int json_copy(const struct json_value *v, char *out, size_t cap)
{
    size_t used = 0, n;
    const char *p, *end;
    char bytes[4];

    if (v->type != JSON_STRING)
        return RD_EPROTO;
    p = v->raw.p;
    end = p + v->raw.n;
    while (p < end) {
        n = 1;
        bytes[0] = *p;
        p = *p == '\\' ? unescape_one(p, end, bytes, &n) : p + 1;
        if (!p)
            return RD_EPROTO;
        if (n >= cap - used)
            return RD_ETOOBIG;
        memcpy(out + used, bytes, n);
        used += n;
    }
    out[used] = '\0';
    return 0;
}
