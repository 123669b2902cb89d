/* SPDX-License-Identifier: Apache-2.0 */
/* form.c - application/x-www-form-urlencoded.
 *
 * The body is decoded once into one block that also holds the fields; names and values point into
 * it. Order and duplicates stay, because the signature is over all of them.
 *   - more than 128 fields, or more than 64 KiB decoded: RD_ETOOBIG
 *   - a '%' without two hexadecimal digits: RD_EPROTO
 *   - an empty pair ("a=1&&b=2") is nothing; a name without '=' has an empty value */
#include "carriers/twilio/form.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>

enum { MAX_FIELDS = 128, MAX_DECODED = 65536, MAX_RAW = 3 * MAX_DECODED + 2 * MAX_FIELDS };

struct form {
    size_t n;
    struct form_field fields[MAX_FIELDS];
    char text[]; /* what the fields point into */
};

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

/* Decodes s to out (never longer than s) and says where it ended, or NULL. */
static char *decode(char *out, struct rd_str s)
{
    for (size_t i = 0; i < s.n; i++) {
        int high, low;

        if (s.p[i] != '%') {
            *out++ = s.p[i] == '+' ? ' ' : s.p[i];
            continue;
        }
        if (s.n - i < 3)
            return NULL;
        high = hex_digit(s.p[i + 1]);
        low = hex_digit(s.p[i + 2]);
        if (high < 0 || low < 0)
            return NULL;
        *out++ = (char)(high * 16 + low);
        i += 2;
    }
    return out;
}

/* One "name=value" to the next field; *text moves behind what it took. */
static int add_pair(struct form *f, char **text, struct rd_str pair)
{
    const char *equals = memchr(pair.p, '=', pair.n);
    size_t n_name = equals ? (size_t)(equals - pair.p) : pair.n;
    struct rd_str value = {pair.p + n_name, 0};
    char *name_end, *value_end;

    if (equals)
        value = (struct rd_str){equals + 1, pair.n - n_name - 1};
    if (f->n == MAX_FIELDS)
        return RD_ETOOBIG;
    name_end = decode(*text, (struct rd_str){pair.p, n_name});
    value_end = name_end ? decode(name_end, value) : NULL;
    if (!value_end)
        return RD_EPROTO;
    f->fields[f->n++] = (struct form_field){
        .name = {*text, (size_t)(name_end - *text)},
        .value = {name_end, (size_t)(value_end - name_end)},
    };
    *text = value_end;
    return 0;
}

int form_parse(struct form **out, struct rd_str body)
{
    const char *p = body.p, *end = body.p + body.n;
    struct form *f;
    char *text;
    int rc = 0;

    if (body.n > MAX_RAW)
        return RD_ETOOBIG;
    f = malloc(sizeof(*f) + body.n + 1);
    if (!f)
        return -ENOMEM;
    f->n = 0;
    text = f->text;
    while (p < end && !rc) {
        const char *amp = memchr(p, '&', (size_t)(end - p));
        size_t n = (size_t)((amp ? amp : end) - p);

        if (n > 0)
            rc = add_pair(f, &text, (struct rd_str){p, n});
        p += n + (amp ? 1 : 0);
    }
    if (!rc && text - f->text > MAX_DECODED)
        rc = RD_ETOOBIG;
    if (rc)
        goto fail;
    *out = f;
    return 0;
fail:
    form_free(f);
    return rc;
}

void form_free(struct form *f)
{
    free(f);
}

size_t form_count(const struct form *f)
{
    return f->n;
}

struct form_field form_at(const struct form *f, size_t i)
{
    return f->fields[i];
}

/* Index of the first field of that name; f->n when absent. */
static size_t find(const struct form *f, struct rd_str name)
{
    size_t i = 0;

    while (i < f->n && !rd_str_eq(f->fields[i].name, name))
        i++;
    return i;
}

struct rd_str form_get(const struct form *f, const char *name)
{
    size_t i = find(f, rd_str(name));

    return i < f->n ? f->fields[i].value : (struct rd_str){NULL, 0};
}

static int add_member(struct buf *out, const struct form_field *field, bool first)
{
    int rc = buf_add_str(out, first ? "\"" : ",\"");

    if (!rc)
        rc = buf_add_json(out, field->name);
    if (!rc)
        rc = buf_add_str(out, "\":\"");
    if (!rc)
        rc = buf_add_json(out, field->value);
    return rc ? rc : buf_add_str(out, "\"");
}

int form_to_json(const struct form *f, struct buf *out)
{
    size_t start = out->n;
    int rc = buf_add_str(out, "{");

    for (size_t i = 0; i < f->n && !rc; i++)
        if (find(f, f->fields[i].name) == i)
            rc = add_member(out, &f->fields[i], out->n == start + 1);
    if (!rc)
        rc = buf_add_str(out, "}");
    if (rc)
        out->n = start;
    return rc;
}
