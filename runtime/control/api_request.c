/* SPDX-License-Identifier: Apache-2.0 */
/* api_request.c - what may come in, and what of it is passed on.
 *
 * - percent-encoding is undone once; what is then no UTF-8, holds control characters or a way around
 *   the path (empty, "." and ".." segments, an encoded slash) is refused, not repaired
 * - a parameter comes once; one that names a token is refused: addresses end up in logs
 * - bodies are of the types that a web page cannot send across origins without asking first
 * - a token and a ticket leave here as SHA-256: no script, log or message ever holds them */
#include "control/api_request.h"

#include "base/err.h"
#include "base/json_out.h"
#include "io/tls.h"

#include <string.h>
#include <strings.h>

enum {
    TEXT_MAX = 8192,
    NAME_MAX_BYTES = 64,
    HEADER_MAX = 512,
    TOKEN_MAX = 256,
    FAST_MS = 10000,
    LONG_MS = 30000
};

static const struct problem
    bad_path = {400,
                "path",
                "This path cannot be read",
                "it is not percent-encoded UTF-8, or has an empty, . or .. segment or an encoded "
                "slash in it",
                "send the path as docs/api.md has it",
                NULL},
    bad_query = {400,
                 "query",
                 "The query cannot be read",
                 "it is no percent-encoded UTF-8, has too much in it, or names a parameter twice",
                 "send each parameter once",
                 NULL},
    token_in_url =
        {400,
         "token-in-url",
         "A token must not stand in an address",
         "addresses are kept in logs and histories; consider this token known to others",
         "revoke it (ringdown tokens revoke) and send the new one as Authorization: Bearer rd_...",
         NULL},
    bad_body = {400,
                "body",
                "The body is no text",
                "it is not valid UTF-8, or holds a zero byte",
                "send UTF-8",
                NULL},
    bad_header =
        {400,
         "header",
         "A header cannot be read",
         "If-Match, Idempotency-Key, Content-Type, Accept and Last-Event-ID are short texts",
         "send fewer than 512 bytes of UTF-8",
         NULL},
    bad_type = {415,
                "media-type",
                "The body is of another type",
                "this API takes JSON, and CSV where files are imported",
                "send Content-Type: application/json",
                NULL},
    bad_method = {405,
                  "method",
                  "This method is not known here",
                  "GET, HEAD, POST, PUT, PATCH, DELETE and OPTIONS are",
                  "see docs/api.md",
                  "allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"},
    no_memory = {503,
                 "busy",
                 "There is no memory for this now",
                 "the machine is short of it",
                 "ask again in a minute",
                 "retry-after: 60\r\n"};

/* ---- text ---- */

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* UTF-8 without control characters. */
static bool is_plain(struct rd_str s)
{
    while (s.n > 0) {
        size_t n = rd_utf8_sequence(s.p, s.n);

        if (n == 0 || (unsigned char)*s.p < ' ' || *s.p == 0x7f)
            return false;
        s.p += n;
        s.n -= n;
    }
    return true;
}

static bool is_text(struct rd_str s)
{
    if (s.n > 0 && memchr(s.p, '\0', s.n))
        return false;
    while (s.n > 0) {
        size_t n = rd_utf8_sequence(s.p, s.n);

        if (n == 0)
            return false;
        s.p += n;
        s.n -= n;
    }
    return true;
}

/* Room that decoded texts lie in. */
struct arena {
    char text[TEXT_MAX];
    size_t n;
};

/* The byte that in.p[*i] stands for; moves *i to its last letter. -1: broken. */
static int decode_byte(struct rd_str in, size_t *i, bool form)
{
    int high, low;

    if (in.p[*i] == '+' && form)
        return ' ';
    if (in.p[*i] != '%')
        return (unsigned char)in.p[*i];
    if (in.n - *i < 3)
        return -1;
    high = digit(in.p[*i + 1]);
    low = digit(in.p[*i + 2]);
    *i += 2;
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* False: broken, or no plain text. */
static bool decode(struct arena *a, struct rd_str in, bool form, struct rd_str *out)
{
    *out = (struct rd_str){a->text + a->n, 0};
    for (size_t i = 0; i < in.n; i++) {
        int c = decode_byte(in, &i, form);

        if (c < 0 || a->n == sizeof(a->text))
            return false;
        a->text[a->n++] = (char)c;
        out->n++;
    }
    return is_plain(*out);
}

/* Up to `at`, which is stepped over; what is left of *s behind it. */
static struct rd_str take_until(struct rd_str *s, char at)
{
    const char *end = s->n > 0 ? memchr(s->p, at, s->n) : NULL;
    struct rd_str piece = {s->p, end ? (size_t)(end - s->p) : s->n};

    s->n -= piece.n + (end ? 1 : 0);
    s->p += piece.n + (end ? 1 : 0);
    return piece;
}

/* ---- the path ---- */

static bool is_way_around(struct rd_str segment)
{
    return segment.n == 0 || rd_str_eq(segment, RD_STR(".")) || rd_str_eq(segment, RD_STR("..")) ||
           memchr(segment.p, '/', segment.n) || memchr(segment.p, '\\', segment.n);
}

/* `raw` stands behind API_PREFIX: "" or "/…". */
static const struct problem *read_path(struct arena *a, struct rd_str raw, struct rd_str *out)
{
    struct rd_str segment;

    *out = (struct rd_str){a->text + a->n, 0};
    if (raw.n > 0) { /* its slash */
        raw.p++;
        raw.n--;
    }
    if (raw.n == 0) {
        *out = RD_STR("/");
        return NULL;
    }
    for (;;) {
        struct rd_str piece = take_until(&raw, '/');
        bool more = raw.p[-1] == '/';

        if (a->n == sizeof(a->text))
            return &bad_path;
        a->text[a->n++] = '/';
        if (!decode(a, piece, false, &segment) || is_way_around(segment))
            return &bad_path;
        if (!more)
            break;
    }
    out->n = (size_t)(a->text + a->n - out->p);
    return NULL;
}

/* ---- the query ---- */

struct parameter {
    struct rd_str name, value;
};

struct query {
    struct parameter list[API_QUERY_MAX];
    unsigned n;
};

static bool is_secret(struct rd_str name)
{
    static const char *const names[] = {"token", "access_token", "api_key", "apikey",
                                        "authorization"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (name.n == strlen(names[i]) && strncasecmp(name.p, names[i], name.n) == 0)
            return true;
    return false;
}

static bool is_known(const struct query *q, struct rd_str name)
{
    for (unsigned i = 0; i < q->n; i++)
        if (rd_str_eq(q->list[i].name, name))
            return true;
    return false;
}

static const struct problem *read_query(struct arena *a, struct rd_str raw, struct query *q)
{
    while (raw.n > 0) {
        struct rd_str value = take_until(&raw, '&'), name;
        struct parameter *p = &q->list[q->n];

        if (value.n == 0)
            continue;
        if (q->n == API_QUERY_MAX)
            return &bad_query;
        name = take_until(&value, '=');
        if (!decode(a, name, true, &p->name) || !decode(a, value, true, &p->value) ||
            p->name.n == 0 || p->name.n > NAME_MAX_BYTES || is_known(q, p->name))
            return &bad_query;
        if (is_secret(p->name))
            return &token_in_url;
        q->n++;
    }
    return NULL;
}

/* ---- who asks ---- */

static void digest(char out[API_DIGEST], struct rd_str secret)
{
    uint8_t hash[32];

    sha256(hash, secret.p, secret.n);
    rd_hex(out, hash, sizeof(hash));
}

/* "Bearer rd_…"; what is none of these is no token. */
static void read_token(struct rd_str authorization, char out[API_DIGEST])
{
    static const char scheme[] = "bearer ";
    const size_t n = sizeof(scheme) - 1;

    out[0] = '\0';
    if (!authorization.p || authorization.n <= n || strncasecmp(authorization.p, scheme, n) != 0 ||
        authorization.n > n + TOKEN_MAX)
        return;
    authorization.p += n;
    authorization.n -= n;
    while (authorization.n > 0 && *authorization.p == ' ') {
        authorization.p++;
        authorization.n--;
    }
    if (authorization.n > 0 && !memchr(authorization.p, ' ', authorization.n))
        digest(out, authorization);
}

/* A ticket is taken out of the query. */
static void take_ticket(struct query *q, char out[API_DIGEST])
{
    out[0] = '\0';
    for (unsigned i = 0; i < q->n; i++) {
        if (!rd_str_eq(q->list[i].name, RD_STR("ticket")))
            continue;
        digest(out, q->list[i].value);
        q->list[i] = q->list[--q->n];
        return;
    }
}

/* ---- the rest ---- */

static bool is_method(struct rd_str method)
{
    static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (rd_str_eq(method, rd_str(known[i])))
            return true;
    return false;
}

static bool has_type(struct rd_str value, const char *type)
{
    size_t n = strlen(type);

    return value.p && value.n >= n && strncasecmp(value.p, type, n) == 0 &&
           (value.n == n || value.p[n] == ';' || value.p[n] == ' ');
}

static const struct problem *check_body(const struct api_request *in)
{
    if (in->body.n > 0 && !has_type(in->content_type, "application/json") &&
        !has_type(in->content_type, "application/merge-patch+json") &&
        !has_type(in->content_type, "text/csv"))
        return &bad_type;
    return is_text(in->body) ? NULL : &bad_body;
}

static const struct problem *check_headers(const struct api_request *in)
{
    const struct rd_str *all[] = {&in->if_match, &in->idempotency_key, &in->content_type,
                                  &in->accept, &in->last_event_id};

    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        if (all[i]->p && (all[i]->n >= HEADER_MAX || !is_plain(*all[i])))
            return &bad_header;
    return NULL;
}

static int add_query(struct buf *out, const struct query *q)
{
    int rc = buf_add_str(out, ",\"query\":{");

    for (unsigned i = 0; !rc && i < q->n; i++) {
        rc = buf_add_str(out, i > 0 ? ",\"" : "\"");
        if (!rc)
            rc = buf_add_json(out, q->list[i].name);
        if (!rc)
            rc = buf_add_str(out, "\":\"");
        if (!rc)
            rc = buf_add_json(out, q->list[i].value);
        if (!rc)
            rc = buf_add_str(out, "\"");
    }
    return rc ? rc : buf_add_str(out, "}");
}

static int add_headers(struct buf *out, const struct api_request *in)
{
    int rc = buf_add_str(out, ",\"headers\":");

    return rc ? rc
              : json_add_object(out, JSON_MEMBERS(J_TEXT("if-match", in->if_match),
                                                  J_TEXT("idempotency-key", in->idempotency_key),
                                                  J_TEXT("content-type", in->content_type),
                                                  J_TEXT("accept", in->accept),
                                                  J_TEXT("last-event-id", in->last_event_id)));
}

static const char *or_none(const char *text)
{
    return text && text[0] ? text : NULL;
}

/* HEAD is a GET whose body the server leaves out. */
static struct rd_str method_of(const struct api_request *in)
{
    return rd_str_eq(in->method, RD_STR("HEAD")) ? RD_STR("GET") : in->method;
}

static int add_all(struct buf *out, const struct api_request *in, struct rd_str path,
                   struct query *q, const struct api_asker *asker)
{
    char ticket[API_DIGEST];
    int rc = buf_add_str(out, "{");

    take_ticket(q, ticket);
    if (!rc)
        rc = json_members(out,
                          JSON_MEMBERS(J_TEXT("method", method_of(in)), J_TEXT("path", path),
                                       J_STR("peer", in->peer), J_STR("who", or_none(in->who)),
                                       J_STR("token_sha256", or_none(asker->token_sha256)),
                                       J_STR("ticket_sha256", or_none(ticket)),
                                       J_TEXT("body", in->body.p ? in->body : RD_STR(""))),
                          true);
    if (rc >= 0)
        rc = add_query(out, q);
    if (!rc)
        rc = add_headers(out, in);
    return rc ? rc : buf_add_str(out, "}");
}

bool api_request_is_ours(struct rd_str path)
{
    const size_t n = sizeof(API_PREFIX) - 1;

    return path.n >= n && memcmp(path.p, API_PREFIX, n) == 0 && (path.n == n || path.p[n] == '/');
}

const struct problem *api_request_payload(struct buf *out, const struct api_request *in,
                                          struct api_asker *asker)
{
    struct arena arena = {.n = 0};
    struct query query = {.n = 0};
    struct rd_str rest = in->target, raw = take_until(&rest, '?'), path;
    const struct problem *why;

    read_token(in->authorization, asker->token_sha256);
    if (!is_method(in->method))
        return &bad_method;
    if (!api_request_is_ours(raw) || memchr(in->target.p, '#', in->target.n))
        return &bad_path;
    raw.p += sizeof(API_PREFIX) - 1;
    raw.n -= sizeof(API_PREFIX) - 1;
    why = read_path(&arena, raw, &path);
    if (!why)
        why = read_query(&arena, rest, &query);
    if (!why)
        why = check_headers(in);
    if (!why)
        why = check_body(in);
    if (!why && add_all(out, in, path, &query, asker))
        why = &no_memory;
    return why;
}

int api_request_me(struct buf *out, const char token_sha256[API_DIGEST])
{
    return json_add_object(
        out, JSON_MEMBERS(J_STR("method", "GET"), J_STR("path", "/me"), J_STR("peer", "local"),
                          J_STR("body", ""), J_STR("token_sha256", token_sha256),
                          J_RAW("query", RD_STR("{}")), J_RAW("headers", RD_STR("{}"))));
}

/* ---- what takes more than others ---- */

static bool ends_with(struct rd_str s, struct rd_str tail)
{
    return s.n >= tail.n && memcmp(s.p + s.n - tail.n, tail.p, tail.n) == 0;
}

struct api_limits api_request_limits(struct rd_str method, struct rd_str path)
{
    if (rd_str_eq(method, RD_STR("POST")) && ends_with(path, RD_STR("/import")))
        return (struct api_limits){API_FILE_MAX, LONG_MS};
    return (struct api_limits){API_BODY_MAX,
                               ends_with(path, RD_STR("/export")) ? LONG_MS : FAST_MS};
}
