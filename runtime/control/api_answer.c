/* SPDX-License-Identifier: Apache-2.0 */
/* api_answer.c - see api_answer.h. */
#include "control/api_answer.h"

#include "base/buf.h"
#include "base/err.h"
#include "control/problem.h"

#include <ctype.h>
#include <string.h>

enum { HEADERS_MAX = 3000, ANSWER_MAX = 32 << 20 };

int api_answer_status(struct rd_str text, struct json_value *result)
{
    struct json_value v;
    uint64_t status;

    if (json_parse(text, result) != 0 || result->type != JSON_OBJECT)
        return 0;
    v = json_get(result, "status");
    return json_u64(&v, &status) && status >= 200 && status <= 599 ? (int)status : 0;
}

/* A name and a value that cannot become two lines. */
static bool is_header(struct rd_str name, struct rd_str value)
{
    static const char *const ours[] = {
        "content-length", "content-type", "connection", "transfer-encoding",
        "cache-control",  "set-cookie",   "date"};

    if (name.n == 0 || name.n > 40 || value.n > 512)
        return false;
    for (size_t i = 0; i < name.n; i++)
        if (!islower((unsigned char)name.p[i]) && !isdigit((unsigned char)name.p[i]) &&
            name.p[i] != '-')
            return false;
    for (size_t i = 0; i < value.n; i++)
        if ((unsigned char)value.p[i] < ' ' || value.p[i] == 0x7f)
            return false;
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        if (rd_str_eq(name, rd_str(ours[i])))
            return false;
    return true;
}

static int add_header(struct buf *out, struct rd_str name, const struct json_value *v)
{
    struct buf value;
    int rc = 0;

    buf_init(&value, 1024);
    rc = v->type == JSON_STRING ? json_unescape(v, &value)
                                : buf_add(&value, v->raw.p, v->raw.n); /* a number */
    if (!rc && is_header(name, (struct rd_str){value.data ? value.data : "", value.n}))
        rc = buf_addf(out, RD_STR_FMT ": %.*s\r\n", RD_STR_ARG(name), (int)value.n,
                      value.data ? value.data : "");
    buf_fini(&value);
    return rc;
}

static int add_headers(struct buf *out, const struct json_value *headers)
{
    int rc = buf_add_str(out, ADMIN_HEADERS);
    struct json_value v;
    struct json_iter it;
    struct rd_str name;

    if (headers->type != JSON_OBJECT)
        return rc;
    json_iter_init(&it, headers);
    while (!rc && json_next(&it, &name, &v))
        rc = add_header(out, name, &v);
    return rc;
}

int api_answer(struct http_request *r, const struct json_value *result, int status)
{
    struct json_value headers = json_get(result, "headers"), body = json_get(result, "body"),
                      type = json_get(result, "type");
    char type_text[128] = "application/json";
    struct buf head, text;
    int rc;

    buf_init(&head, HEADERS_MAX);
    buf_init(&text, ANSWER_MAX);
    rc = add_headers(&head, &headers);
    if (!rc && body.type == JSON_STRING)
        rc = json_unescape(&body, &text);
    if (!rc && type.type == JSON_STRING)
        rc = json_copy(&type, type_text, sizeof(type_text));
    if (!rc && strpbrk(type_text, "\r\n"))
        rc = RD_EPROTO;
    if (!rc)
        http_reply_with(r, status, text.n > 0 ? type_text : NULL,
                        buf_text(&head) ? head.data : ADMIN_HEADERS,
                        (struct rd_str){text.data ? text.data : "", text.n});
    buf_fini(&head);
    buf_fini(&text);
    return rc;
}
