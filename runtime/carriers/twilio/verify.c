/* SPDX-License-Identifier: Apache-2.0 */
/* verify.c - is this request really Twilio's?
 *
 * Twilio signs the URL it was told to call, with the form's parameters behind it, by HMAC-SHA1
 * under the account's auth token. We rebuild that string from public.url and the request target,
 * never from Host or X-Forwarded-*. Its backend is not consistent about ports and about the
 * spelling of a few characters in the query, so the spellings the official libraries try are tried
 * here:
 *   - port:  as configured; without; and with the scheme's own (443, 80) written out
 *   - query: as it came; and as a browser would write it (' as %27)
 *   - upgrade: wss as is, wss with a slash behind the path, https
 * Each token is tried with each spelling. Everything else is refused: no token, no signature, a
 * body that is neither a form nor covered by bodySHA256, a public.url that is none, no memory. */
#include "carriers/twilio/verify.h"

#include "base/buf.h"
#include "carriers/twilio/form.h"
#include "io/tls.h"
#include "media/base64.h"

#include <stdint.h>
#include <stdlib.h>
#include <strings.h>

enum { MAX_SIGNED = 256 * 1024, SHA1_BYTES = 20, SHA256_BYTES = 32 };

/* What is signed, before the spellings. */
struct request {
    bool tls;
    struct rd_str host; /* with user:password@ when configured so; without port */
    struct rd_str port; /* as configured, without colon; may be empty */
    struct rd_str prefix;
    struct rd_str path, query; /* query from the '?' on */
    struct rd_str params;      /* names and values, sorted */
};

enum port { PORT_AS_IS, PORT_NONE, PORT_OWN, PORT_SPELLINGS };

struct spelling {
    const char *scheme;
    enum port port;
    bool slash, browser_query;
};

static struct rd_str from(struct rd_str s, size_t i)
{
    return (struct rd_str){s.p + i, s.n - i};
}

/* Where the first of `any` stands; s.n when none does. */
static size_t find_any(struct rd_str s, const char *any)
{
    size_t i = 0;

    while (i < s.n && !(s.p[i] && strchr(any, s.p[i])))
        i++;
    return i;
}

static bool skip_scheme(struct rd_str *s, const char *scheme)
{
    size_t n = strlen(scheme);

    if (s->n < n || strncasecmp(s->p, scheme, n) != 0)
        return false;
    *s = from(*s, n);
    return true;
}

/* Splits host and port at the last colon, unless that stands inside [::1] or user:password@. */
static void split_port(struct request *r)
{
    size_t i = r->host.n;

    while (i > 0 && r->host.p[i - 1] >= '0' && r->host.p[i - 1] <= '9')
        i--;
    if (i == 0 || i == r->host.n || r->host.p[i - 1] != ':')
        return;
    r->port = from(r->host, i);
    r->host.n = i - 1;
}

static bool read_request(struct request *r, const struct twilio_auth *a, struct rd_str target)
{
    struct rd_str url = rd_str(a->public_url);
    size_t n;

    *r = (struct request){.tls = false};
    if (skip_scheme(&url, "https://") || skip_scheme(&url, "wss://"))
        r->tls = true;
    else if (!skip_scheme(&url, "http://") && !skip_scheme(&url, "ws://"))
        return false;
    n = find_any(url, "/?#");
    r->host = (struct rd_str){url.p, n};
    r->prefix = from(url, n);
    r->prefix.n = find_any(r->prefix, "?#");
    while (r->prefix.n > 0 && r->prefix.p[r->prefix.n - 1] == '/')
        r->prefix.n--;
    split_port(r);
    if (r->host.n == 0 || target.n == 0 || target.p[0] != '/')
        return false;
    target.n = find_any(target, "#");
    n = find_any(target, "?");
    r->path = (struct rd_str){target.p, n};
    r->query = from(target, n);
    return true;
}

/* The query as the WHATWG URL standard writes it: what it percent-encodes beyond what HTTP lets in.
 */
static bool browser_encodes(uint8_t c)
{
    return c == '\'' || c == '"' || c == '<' || c == '>' || c >= 0x7F || c <= ' ';
}

static bool query_has_two_spellings(struct rd_str query)
{
    for (size_t i = 0; i < query.n; i++)
        if (browser_encodes((uint8_t)query.p[i]))
            return true;
    return false;
}

static int add_query(struct buf *s, struct rd_str query, bool browser)
{
    int rc = 0;

    if (!browser)
        return buf_add(s, query.p, query.n);
    for (size_t i = 0; i < query.n && !rc; i++) {
        uint8_t c = (uint8_t)query.p[i];
        rc = browser_encodes(c) ? buf_addf(s, "%%%02X", c) : buf_add(s, &query.p[i], 1);
    }
    return rc;
}

static int add_port(struct buf *s, const struct request *r, enum port port)
{
    if (port == PORT_OWN)
        return buf_add_str(s, r->tls ? ":443" : ":80");
    if (port == PORT_NONE || r->port.n == 0)
        return 0;
    return buf_addf(s, ":" RD_STR_FMT, RD_STR_ARG(r->port));
}

static int spell(struct buf *s, const struct request *r, const struct spelling *how)
{
    int rc;

    buf_clear(s);
    rc = buf_addf(s, "%s://" RD_STR_FMT, how->scheme, RD_STR_ARG(r->host));
    if (!rc)
        rc = add_port(s, r, how->port);
    if (!rc)
        rc = buf_add(s, r->prefix.p, r->prefix.n);
    if (!rc)
        rc = buf_add(s, r->path.p, r->path.n);
    if (!rc && how->slash)
        rc = buf_add_str(s, "/");
    if (!rc)
        rc = add_query(s, r->query, how->browser_query);
    return rc ? rc : buf_add(s, r->params.p, r->params.n);
}

/* A port that is not the scheme's own: https was seen to lose it, http to keep it. */
static bool port_spelling_occurs(const struct request *r, enum port port)
{
    bool own = r->port.n == 0 || rd_str_eq(r->port, rd_str(r->tls ? "443" : "80"));

    switch (port) {
    case PORT_NONE:
        return r->port.n > 0 && (own || r->tls);
    case PORT_OWN:
        return r->port.n == 0;
    default:
        return true;
    }
}

static bool signed_by(struct rd_str text, const char *token, struct rd_str signature)
{
    uint8_t mac[SHA1_BYTES];
    char expected[BASE64_ENCODED(SHA1_BYTES)];
    size_t n;

    if (!*token)
        return false;
    hmac_sha1(mac, token, strlen(token), text.p, text.n);
    n = base64_encode(expected, mac, sizeof(mac));
    return rd_str_same_secret(signature, (struct rd_str){expected, n});
}

static bool any_token(const struct twilio_auth *a, struct rd_str text, struct rd_str signature)
{
    for (size_t i = 0; a->tokens[i]; i++)
        if (signed_by(text, a->tokens[i], signature))
            return true;
    return false;
}

/* All ports and queries of one scheme and path. */
static bool any_spelling(const struct twilio_auth *a, const struct request *r, const char *scheme,
                         bool slash, struct rd_str signature)
{
    bool two = query_has_two_spellings(r->query), ok = false;
    struct buf s;

    buf_init(&s, MAX_SIGNED);
    for (int i = 0; i < PORT_SPELLINGS * 2 && !ok; i++) {
        struct spelling how = {scheme, (enum port)(i / 2), slash, i % 2 == 1};

        if ((how.browser_query && !two) || !port_spelling_occurs(r, how.port))
            continue;
        if (spell(&s, r, &how) == 0)
            ok = any_token(a, (struct rd_str){s.data, s.n}, signature);
    }
    buf_fini(&s);
    return ok;
}

static int compare_str(struct rd_str a, struct rd_str b)
{
    size_t n = a.n < b.n ? a.n : b.n;
    int order = n > 0 ? memcmp(a.p, b.p, n) : 0;

    return order ? order : (a.n > b.n) - (a.n < b.n);
}

static int compare_fields(const void *a, const void *b)
{
    const struct form_field *x = a, *y = b;
    int order = compare_str(x->name, y->name);

    return order ? order : compare_str(x->value, y->value);
}

/* Sorted by name, then value, and each pair once: what Twilio's libraries do with repeated fields.
 */
static int add_params(struct buf *out, const struct form *f)
{
    size_t n = form_count(f);
    struct form_field *sorted = n > 0 ? calloc(n, sizeof(*sorted)) : NULL;
    int rc = n == 0 || sorted ? 0 : -1;

    for (size_t i = 0; i < n && sorted; i++)
        sorted[i] = form_at(f, i);
    if (sorted)
        qsort(sorted, n, sizeof(*sorted), compare_fields);
    for (size_t i = 0; i < n && !rc; i++) {
        if (i > 0 && compare_fields(&sorted[i - 1], &sorted[i]) == 0)
            continue;
        rc = buf_add(out, sorted[i].name.p, sorted[i].name.n);
        if (!rc)
            rc = buf_add(out, sorted[i].value.p, sorted[i].value.n);
    }
    free(sorted);
    return rc;
}

/* "Application/JSON; charset=utf-8" is "application/json". */
static bool type_is(struct rd_str content_type, const char *name)
{
    size_t n = strlen(name), i;

    if (content_type.n < n || strncasecmp(content_type.p, name, n) != 0)
        return false;
    for (i = n; i < content_type.n && (content_type.p[i] == ' ' || content_type.p[i] == '\t'); i++)
        ;
    return i == content_type.n || content_type.p[i] == ';';
}

static struct rd_str query_value(struct rd_str query, const char *name)
{
    size_t n_name = strlen(name);

    while (query.n > 0) {
        struct rd_str pair = from(query, 1); /* behind '?' or '&' */

        pair.n = find_any(pair, "&");
        query = from(query, 1 + pair.n);
        if (pair.n > n_name && memcmp(pair.p, name, n_name) == 0 && pair.p[n_name] == '=')
            return from(pair, n_name + 1);
    }
    return (struct rd_str){NULL, 0};
}

static bool body_hash_ok(struct rd_str query, struct rd_str body)
{
    static const char digits[] = "0123456789abcdef";
    struct rd_str given = query_value(query, "bodySHA256");
    uint8_t hash[SHA256_BYTES];
    char hex[2 * SHA256_BYTES];

    sha256(hash, body.p, body.n);
    for (size_t i = 0; i < sizeof(hash); i++) {
        hex[2 * i] = digits[hash[i] >> 4];
        hex[2 * i + 1] = digits[hash[i] & 15];
    }
    return rd_str_same_secret(given, (struct rd_str){hex, sizeof(hex)});
}

static bool form_ok(const struct twilio_auth *a, struct request *r, struct rd_str body,
                    struct rd_str signature)
{
    struct form *f = NULL;
    struct buf params;
    bool ok = false;

    buf_init(&params, MAX_SIGNED);
    if (form_parse(&f, body) || add_params(&params, f))
        goto out;
    r->params = (struct rd_str){params.data, params.n};
    ok = any_spelling(a, r, r->tls ? "https" : "http", false, signature);
out:
    buf_fini(&params);
    form_free(f);
    return ok;
}

static bool configured(const struct twilio_auth *a)
{
    return a->public_url && a->tokens && a->tokens[0];
}

bool twilio_signed_ok(const struct twilio_auth *a, struct rd_str text, struct rd_str signature)
{
    return configured(a) && signature.n > 0 && any_token(a, text, signature);
}

bool twilio_webhook_ok(const struct twilio_auth *a, struct rd_str target,
                       struct rd_str content_type, struct rd_str body, struct rd_str signature)
{
    struct request r;

    if (!configured(a) || signature.n == 0 || !read_request(&r, a, target))
        return false;
    if (type_is(content_type, "application/x-www-form-urlencoded"))
        return form_ok(a, &r, body, signature);
    if (type_is(content_type, "application/json")) {
        if (!body_hash_ok(r.query, body))
            return false;
    } else if (body.n > 0) {
        return false;
    }
    return any_spelling(a, &r, r.tls ? "https" : "http", false, signature);
}

bool twilio_upgrade_ok(const struct twilio_auth *a, struct rd_str target, struct rd_str signature)
{
    struct request r;
    const char *scheme;

    if (!configured(a) || signature.n == 0 || !read_request(&r, a, target))
        return false;
    scheme = r.tls ? "wss" : "ws";
    return any_spelling(a, &r, scheme, false, signature) ||
           any_spelling(a, &r, scheme, true, signature) ||
           any_spelling(a, &r, r.tls ? "https" : "http", false, signature);
}
