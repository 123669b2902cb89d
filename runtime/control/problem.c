/* SPDX-License-Identifier: Apache-2.0 */
/* problem.c - problems as text. Those of the HTTP server are whole texts, made at compile time: it
 * has nothing to allocate with when it refuses somebody. */
#include "control/problem.h"

#include "base/json_out.h"

#include <stdio.h>

#define TYPE_PREFIX "https://ringdown.dev/problems/"

enum { BODY_MAX = 4096, HEADERS_MAX = 2048 };

/* Appends it as JSON. 0, -ENOMEM, RD_EFULL. */
static int problem_write(struct buf *out, const struct problem *p)
{
    char type[128];

    (void)snprintf(type, sizeof(type), TYPE_PREFIX "%s", p->slug);
    return json_add_object(out, JSON_MEMBERS(J_STR("type", type), J_STR("title", p->title),
                                             J_INT("status", p->status), J_STR("detail", p->detail),
                                             J_STR("fix", p->fix)));
}

void problem_reply(struct http_request *r, const struct problem *p)
{
    char headers[HEADERS_MAX];
    struct buf body;

    buf_init(&body, BODY_MAX);
    (void)problem_write(&body, p); /* without memory the status alone must do */
    (void)snprintf(headers, sizeof(headers), ADMIN_HEADERS "%s", p->headers ? p->headers : "");
    http_reply_with(r, p->status, PROBLEM_TYPE, headers,
                    (struct rd_str){body.data ? body.data : "", body.n});
    buf_fini(&body);
}

#define BODY(status, slug, title, fix)                                                      \
    RD_STR("{\"type\":\"" TYPE_PREFIX slug "\",\"title\":\"" title "\",\"status\":" #status \
           ",\"fix\":\"" fix "\"}")

static const struct {
    struct rd_str body;
    int status;
    bool again; /* worth asking again */
} refusals[] = {
    {BODY(400, "http", "This is no HTTP request", "send HTTP/1.1 as RFC 9112 has it"), 400, false},
    {BODY(408, "slow", "The request took too long",
          "send its head within 5 s, its body within 10 s"),
     408, false},
    {BODY(411, "length", "The body has no length", "send Content-Length"), 411, false},
    {BODY(413, "too-long", "The body is too long", "send less at once: 256 KiB, files 8 MiB"), 413,
     false},
    {BODY(417, "expectation", "Nothing of that kind is expected here", "leave Expect out"), 417,
     false},
    {BODY(426, "upgrade", "There is no WebSocket here", "GET /api/v1/events is the stream"), 426,
     false},
    {BODY(431, "head-too-long", "The head is too long",
          "keep request line and headers below 8 KiB"),
     431, false},
    {BODY(501, "encoding", "This encoding is not known here", "send the body as it is"), 501,
     false},
    {BODY(503, "busy", "Too much is asked at once", "ask again in a second"), 503, true},
    {BODY(505, "version", "This version of HTTP is not spoken here", "send HTTP/1.1"), 505, false},
};

void problem_of_http(int status, struct http_refusal *out, void *arg)
{
    (void)arg;
    out->extra = ADMIN_HEADERS;
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].status != status)
            continue;
        out->type = PROBLEM_TYPE;
        out->body = refusals[i].body;
        if (refusals[i].again)
            out->extra = ADMIN_HEADERS "retry-after: 1\r\n";
    }
}
