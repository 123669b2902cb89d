/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_api.c - module: control. A request of the admin API on its way to a script: whatever comes in,
 * what goes out is one JSON object in UTF-8, its path has no way around, and no token is in it.
 * Lines of the input: method, target, authorization, if-match, content type, accept; the rest: body. */
#include "base/json.h"
#include "control/api_request.h"
#include "control/mask.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static struct rd_str next_line(struct rd_str *in)
{
    const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
    struct rd_str line = {in->p, end ? (size_t)(end - in->p) : in->n};

    in->p += line.n + (end ? 1 : 0);
    in->n -= line.n + (end ? 1 : 0);
    return line;
}

static void check_utf8(struct rd_str s)
{
    while (s.n > 0) {
        size_t n = rd_utf8_sequence(s.p, s.n);

        if (n == 0)
            abort();
        s.p += n;
        s.n -= n;
    }
}

static void check_path(const struct json_value *payload)
{
    struct json_value v = json_get(payload, "path");
    char path[16384];

    if (v.type != JSON_STRING || json_copy(&v, path, sizeof(path)) != 0)
        abort();
    if (path[0] != '/' || strstr(path, "//") || strstr(path, "/../") || strstr(path, "/./"))
        abort();
    for (const char *p = path; *p; p++)
        if ((unsigned char)*p < ' ')
            abort();
}

static void check_members(const struct json_value *v)
{
    struct json_value member;
    struct json_iter it;
    struct rd_str name;

    json_iter_init(&it, v);
    while (json_next(&it, &name, &member))
        if (member.type == JSON_OBJECT)
            check_members(&member);
    if (it.err)
        abort();
}

static void check(struct rd_str text)
{
    struct json_value payload;
    struct buf out;

    check_utf8(text);
    if (json_parse(text, &payload) != 0 || payload.type != JSON_OBJECT)
        abort();
    check_members(&payload);
    check_path(&payload);
    buf_init(&out, 4 << 20); /* besides: whatever is an object can be masked, and is one still */
    if (mask_event(&out, text) == 0 &&
        (json_parse((struct rd_str){out.data, out.n}, &payload) != 0 ||
         payload.type != JSON_OBJECT))
        abort();
    buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct rd_str in = {(const char *)data, n};
    struct api_request r = {.peer = "127.0.0.1"};
    struct api_asker asker;
    struct buf out;

    r.method = next_line(&in);
    r.target = next_line(&in);
    r.authorization = next_line(&in);
    r.if_match = next_line(&in);
    r.content_type = next_line(&in);
    r.accept = next_line(&in);
    r.body = in;
    if (r.target.n == 0) /* the HTTP parser lets none through */
        return 0;
    buf_init(&out, 4 << 20);
    if (!api_request_payload(&out, &r, &asker))
        check((struct rd_str){out.data, out.n});
    buf_fini(&out);
    return 0;
}
