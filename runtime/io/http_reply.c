/* SPDX-License-Identifier: Apache-2.0 */
/* http_reply.c - status line, headers, body. Every answer closes, so there is no state. */
#include "io/http_reply.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { HEAD_CAP = 4096 };

static const struct {
    int status;
    const char *text;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {303, "See Other"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
};

static const char *reason(int status)
{
    size_t i;

    for (i = 0; i < sizeof(reasons) / sizeof(*reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].text;
    }
    return "Status";
}

static void date(char *out, size_t cap)
{
    time_t now = time(NULL);
    struct tm tm;

    out[0] = '\0';
    if (gmtime_r(&now, &tm))
        strftime(out, cap, "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &tm);
}

int http_reply_write(struct conn *c, int status, const char *type, const char *extra,
                     struct rd_str body, bool send_body)
{
    char head[HEAD_CAP], when[64], length[48] = "";
    int n, rc;

    date(when, sizeof(when));
    if (status != 204 && status != 304) /* which have no body, and must not say how long it is */
        snprintf(length, sizeof(length), "content-length: %zu\r\n", body.n);
    n = snprintf(head, sizeof(head), "HTTP/1.1 %d %s\r\n%sconnection: close\r\n%s%s%s%s%s\r\n",
                 status, reason(status), when, length, type ? "content-type: " : "",
                 type ? type : "", type ? "\r\n" : "", extra ? extra : "");
    if (n < 0 || (size_t)n >= sizeof(head))
        return RD_ETOOBIG;
    rc = conn_write(c, head, (size_t)n);
    if (rc || !send_body || status == 204 || status == 304 || body.n == 0)
        return rc;
    return conn_write(c, body.p, body.n);
}

int http_reply_stream(struct conn *c, int status, const char *type, const char *extra,
                      uint64_t n_body)
{
    char head[HEAD_CAP], when[64], length[48] = "";
    int n;

    date(when, sizeof(when));
    if (n_body != HTTP_ENDLESS)
        snprintf(length, sizeof(length), "content-length: %" PRIu64 "\r\n", n_body);
    n = snprintf(head, sizeof(head),
                 "HTTP/1.1 %d %s\r\n%s%sconnection: close\r\ncontent-type: %s\r\n%s\r\n", status,
                 reason(status), when, length, type, extra ? extra : "");
    if (n < 0 || (size_t)n >= sizeof(head))
        return RD_ETOOBIG;
    return conn_write(c, head, (size_t)n);
}

int http_reply_upgrade(struct conn *c, const char *key)
{
    char head[256];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 101 Switching Protocols\r\n"
                     "Upgrade: websocket\r\n"
                     "Connection: Upgrade\r\n"
                     "Sec-WebSocket-Accept: %s\r\n\r\n",
                     key);

    return conn_write(c, head, (size_t)n);
}
