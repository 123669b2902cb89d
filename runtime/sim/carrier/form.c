/* SPDX-License-Identifier: Apache-2.0 */
/* Forms and their signature.
 *
 * Happy path: fields are kept in the order they were added, written percent-encoded, read back with
 * '+' and %XX resolved. The signature is HMAC-SHA1 over the URL and all fields sorted by name,
 * duplicate values once, in base64. Failure modes: more than 64 fields, a broken escape, no memory.
 */
#include "sim/carrier/form.h"

#include "base/err.h"
#include "io/tls.h"
#include "sim/speech/sound.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNED_MAX = 1 << 20 };

int carrier_form_add(struct carrier_form *f, const char *name, const char *value)
{
    char *n, *v;

    if (f->n == CARRIER_FIELDS_MAX)
        return RD_EFULL;
    n = strdup(name);
    v = strdup(value);
    if (!n || !v) {
        free(n);
        free(v);
        return -ENOMEM;
    }
    f->fields[f->n].name = n;
    f->fields[f->n].value = v;
    f->n++;
    return 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* Heap memory, or NULL: broken, a NUL inside, or no memory. */
static char *unescape(struct rd_str s)
{
    char *out = malloc(s.n + 1);
    size_t n = 0;

    for (size_t i = 0; out && i < s.n; i++) {
        char c = s.p[i] == '+' ? ' ' : s.p[i];
        if (c == '%') {
            int high = i + 2 < s.n ? hex_digit(s.p[i + 1]) : -1;
            int low = i + 2 < s.n ? hex_digit(s.p[i + 2]) : -1;
            c = (char)(high < 0 || low < 0 ? 0 : high << 4 | low);
            i += 2;
        }
        if (c == '\0') {
            free(out);
            return NULL;
        }
        out[n++] = c;
    }
    if (out)
        out[n] = '\0';
    return out;
}

int carrier_form_read(struct carrier_form *f, struct rd_str body)
{
    while (body.n > 0) {
        const char *amp = memchr(body.p, '&', body.n);
        size_t n = amp ? (size_t)(amp - body.p) : body.n;
        const char *eq = memchr(body.p, '=', n);
        size_t n_name = eq ? (size_t)(eq - body.p) : n;
        char *name = unescape((struct rd_str){body.p, n_name});
        char *value =
            unescape((struct rd_str){body.p + n_name + (eq ? 1 : 0), n - n_name - (eq ? 1 : 0)});
        int rc = !name || !value ? RD_EPROTO : n > 0 ? carrier_form_add(f, name, value) : 0;
        free(name);
        free(value);
        if (rc)
            return rc;
        body.p += amp ? n + 1 : n;
        body.n -= amp ? n + 1 : n;
    }
    return 0;
}

const char *carrier_form_get(const struct carrier_form *f, const char *name)
{
    for (size_t i = 0; i < f->n; i++) {
        if (strcmp(f->fields[i].name, name) == 0)
            return f->fields[i].value;
    }
    return NULL;
}

static int escape(struct buf *out, const char *z)
{
    int rc = 0;

    for (; *z && rc == 0; z++) {
        unsigned char c = (unsigned char)*z;
        if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
            strchr("-._", c))
            rc = buf_add(out, z, 1);
        else if (c == ' ')
            rc = buf_add(out, "+", 1);
        else
            rc = buf_addf(out, "%%%02X", c);
    }
    return rc;
}

int carrier_form_write(const struct carrier_form *f, struct buf *out)
{
    int rc = 0;

    for (size_t i = 0; i < f->n && rc == 0; i++) {
        rc = i > 0 ? buf_add(out, "&", 1) : 0;
        rc = rc ? rc : escape(out, f->fields[i].name);
        rc = rc ? rc : buf_add(out, "=", 1);
        rc = rc ? rc : escape(out, f->fields[i].value);
    }
    return rc;
}

void carrier_form_fini(struct carrier_form *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->fields[i].name);
        free(f->fields[i].value);
    }
    f->n = 0;
}

/* By name, then by value. */
static int field_order(const void *a, const void *b, void *form)
{
    const struct carrier_form *f = form;
    size_t i = *(const size_t *)a, k = *(const size_t *)b;
    int c = strcmp(f->fields[i].name, f->fields[k].name);

    return c ? c : strcmp(f->fields[i].value, f->fields[k].value);
}

static int add_fields(struct buf *text, const struct carrier_form *f)
{
    size_t order[CARRIER_FIELDS_MAX];
    int rc = 0;

    for (size_t i = 0; i < f->n; i++)
        order[i] = i;
    qsort_r(order, f->n, sizeof(order[0]), field_order, (void *)f);
    for (size_t i = 0; i < f->n && rc == 0; i++) {
        if (i > 0 && field_order(&order[i - 1], &order[i], (void *)f) == 0)
            continue;
        rc = buf_add_str(text, f->fields[order[i]].name);
        rc = rc ? rc : buf_add_str(text, f->fields[order[i]].value);
    }
    return rc;
}

int carrier_sign(char out[CARRIER_SIGNATURE_BYTES], const char *token, const char *url,
                 const struct carrier_form *f)
{
    uint8_t mac[20];
    struct buf text;
    int rc;

    buf_init(&text, SIGNED_MAX);
    rc = buf_add(&text, url, strcspn(url, "#"));
    if (rc == 0 && f)
        rc = add_fields(&text, f);
    if (rc == 0) {
        hmac_sha1(mac, token, strlen(token), text.data, text.n);
        out[sim_base64_encode(out, mac, sizeof(mac))] = '\0';
    }
    buf_fini(&text);
    return rc;
}
