/* SPDX-License-Identifier: Apache-2.0 */
/* client.c - the smallest HTTP client that serves: connect, one request, read until the node
 * closes.
 *
 * The node answers one request per connection and says so, thus the end of the body is the end of
 * the stream; Content-Length tells whether it is whole. Everything is bounded: 20 s, head 16 KiB,
 * body CLIENT_BODY_MAX. */
#include "cli/client.h"

#include "base/err.h"
#include "base/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { HEAD_MAX = 16 << 10, TIMEOUT_S = 20, CHUNK = 8192 };

static int connect_to(const char *data, const char *name)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = TIMEOUT_S};
    int n = snprintf(a.sun_path, sizeof(a.sun_path), "%s/%s", data, name);
    int fd;

    if (n < 0 || (size_t)n >= sizeof(a.sun_path))
        return -ENAMETOOLONG;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) != 0) {
        int rc = -errno;

        close(fd);
        return rc;
    }
    return fd;
}

static int send_all(int fd, const char *p, size_t n)
{
    while (n > 0) {
        ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return sent < 0 ? -errno : -EIO;
        p += sent;
        n -= (size_t)sent;
    }
    return 0;
}

static int receive_all(int fd, struct buf *in)
{
    for (;;) {
        ssize_t got;
        int rc = buf_reserve(in, CHUNK);

        if (rc)
            return rc == RD_EFULL ? RD_ETOOBIG : rc;
        got = recv(fd, in->data + in->n, CHUNK, 0);
        if (got == 0)
            return 0;
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return errno == EAGAIN || errno == EWOULDBLOCK ? -ETIMEDOUT : -errno;
        in->n += (size_t)got;
    }
}

/* The value of a header, by its name with colon; NULL when absent. */
static const char *header(const char *head, const char *name)
{
    for (const char *p = strstr(head, "\r\n"); p; p = strstr(p + 2, "\r\n")) {
        if (strncasecmp(p + 2, name, strlen(name)) == 0) {
            p += 2 + strlen(name);
            return p + strspn(p, " \t");
        }
    }
    return NULL;
}

/* Status of the answer; its body is moved into `body`. */
static int take_apart(struct buf *in, struct buf *body)
{
    const char *text = buf_text(in), *end, *length;
    char head[HEAD_MAX];
    size_t n_head, n_body;
    int status, rc;

    if (!text)
        return -ENOMEM;
    end = strstr(text, "\r\n\r\n");
    n_head = end ? (size_t)(end - text) + 4 : 0;
    if (!end || n_head >= sizeof(head) || strncmp(text, "HTTP/1.", 7) != 0)
        return RD_EPROTO;
    memcpy(head, text, n_head);
    head[n_head] = '\0';
    status = atoi(head + strcspn(head, " "));
    n_body = in->n - n_head;
    length = header(head, "content-length:");
    if (status < 100 || status > 599 || (length && strtoull(length, NULL, 10) != n_body))
        return RD_EPROTO; /* cut short */
    rc = buf_add(body, text + n_head, n_body);
    return rc ? rc : status;
}

static void tell(int rc, const char *data, char *why, size_t cap)
{
    if (rc == -ENOENT || rc == -ECONNREFUSED)
        snprintf(why, cap,
                 "no ringdown is running on the data folder %s; start one with: ringdown serve "
                 "(another folder: RINGDOWN_DATA)",
                 data);
    else if (rc == -EACCES)
        snprintf(why, cap, "%s/control.sock belongs to another user; run this as that user", data);
    else if (rc == -ETIMEDOUT)
        snprintf(why, cap, "the node on %s does not answer; its log may say why", data);
    else
        snprintf(why, cap, "the node on %s closed the connection: %s", data, rd_strerror(rc));
}

int client_request(const char *data, const char *method, const char *target, struct buf *body,
                   char *why, size_t cap)
{
    return client_send(data, method, target, RD_STR(""), body, why, cap);
}

static int ask(const char *data, const char *name, const char *method, const char *target,
               struct rd_str json, struct buf *body, char *why, size_t cap)
{
    struct buf text;
    int fd, rc;

    buf_init(&text, HEAD_MAX + CLIENT_BODY_MAX);
    fd = connect_to(data, name);
    rc = fd < 0 ? fd
                : buf_addf(&text,
                           "%s %s HTTP/1.1\r\nhost: ringdown\r\nx-ringdown-command: "
                           "1\r\ncontent-length: %zu\r\n"
                           "connection: close\r\n\r\n" RD_STR_FMT,
                           method, target, json.n, RD_STR_ARG(json));
    if (!rc)
        rc = send_all(fd, text.data, text.n);
    buf_clear(&text);
    if (!rc)
        rc = receive_all(fd, &text);
    if (!rc)
        rc = take_apart(&text, body);
    if (rc < 0)
        tell(rc, data, why, cap);
    if (fd >= 0)
        close(fd);
    buf_fini(&text);
    return rc;
}

int client_send(const char *data, const char *method, const char *target, struct rd_str json,
                struct buf *body, char *why, size_t cap)
{
    return ask(data, "control.sock", method, target, json, body, why, cap);
}

int client_request_at(const char *data, const char *name, const char *method, const char *target,
                      struct buf *body, char *why, size_t cap)
{
    return ask(data, name, method, target, RD_STR(""), body, why, cap);
}

void client_complain(const char *command, int http, const struct buf *body, const char *why)
{
    struct json_value v, error, fix;
    char message[512] = "", remedy[512] = "";

    if (http < 0) {
        fprintf(stderr, "ringdown %s: %s\n", command, why);
        return;
    }
    if (http == 404 || http == 405) { /* its remedy is for programs: other paths */
        fprintf(stderr,
                "ringdown %s: the node does not know this request; are both of one version?\n",
                command);
        return;
    }
    if (json_parse((struct rd_str){body->data, body->n}, &v) == 0 && v.type == JSON_OBJECT) {
        error = json_get(&v, "error");
        fix = json_get(&v, "fix");
        if (json_copy(&error, message, sizeof(message)) != 0)
            message[0] = '\0';
        if (json_copy(&fix, remedy, sizeof(remedy)) != 0)
            remedy[0] = '\0';
    }
    fprintf(stderr, "ringdown %s: %s%s%s\n", command,
            message[0] ? message : "the node answered with an error", remedy[0] ? "; " : "",
            remedy);
}
