/* SPDX-License-Identifier: Apache-2.0 */
/* peer.c - see peer.h. */
#include "bench/peer.h"

#include "io/ws_codec.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    exit(1);
}

int peer_pair(struct peer *p)
{
    int ends[2];

    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0, "socketpair");
    *p = (struct peer){.fd = ends[0], .masks = true};
    return ends[1];
}

int peer_listen(char *url, size_t cap)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    must(fd >= 0 && bind(fd, (struct sockaddr *)&a, n) == 0 && listen(fd, 8) == 0 &&
             getsockname(fd, (struct sockaddr *)&a, &n) == 0,
         "listen");
    (void)snprintf(url, cap, "ws://127.0.0.1:%u/v1/realtime", ntohs(a.sin_port));
    return fd;
}

bool peer_accept(struct peer *p, int door)
{
    int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

    if (fd < 0)
        return false;
    *p = (struct peer){.fd = fd};
    return true;
}

void peer_say(struct peer *p, const char *bytes, size_t n)
{
    must(send(p->fd, bytes, n, MSG_NOSIGNAL) == (ssize_t)n, "send");
}

void peer_frame(struct peer *p, const char *text)
{
    const uint32_t mask = 0x5bd1e995;
    size_t n = strlen(text), head;
    char *wire = malloc(n + WS_HEADER_MAX);

    must(wire != NULL, "malloc");
    head = ws_header((uint8_t *)wire, WS_OP_TEXT, n, p->masks ? &mask : NULL);
    if (p->masks)
        ws_mask(wire + head, text, n, mask, 0);
    else
        memcpy(wire + head, text, n);
    peer_say(p, wire, head + n);
    free(wire);
}

bool peer_has(const struct peer *p)
{
    struct pollfd f = {.fd = p->fd, .events = POLLIN};

    return poll(&f, 1, 0) == 1;
}

size_t peer_hear(struct peer *p, const char *word)
{
    struct pollfd f = {.fd = p->fd, .events = POLLIN};
    ssize_t n = poll(&f, 1, PATIENCE_MS) == 1 ? recv(p->fd, p->heard, PEER_BYTES, 0) : 0;

    must(n > 0, "nothing to hear");
    p->heard[n] = '\0';
    must(!word || memmem(p->heard, (size_t)n, word, strlen(word)), word ? word : "");
    return (size_t)n;
}

void peer_answer_upgrade(struct peer *p)
{
    static const char name[] = "Sec-WebSocket-Key: ";
    char answer[256], accept[WS_KEY_CAP], *key;

    (void)peer_hear(p, name);
    key = strstr(p->heard, name) + sizeof(name) - 1;
    must(ws_accept_key(accept, (struct rd_str){key, strcspn(key, "\r")}), "accept key");
    (void)snprintf(answer, sizeof(answer),
                   "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                   accept);
    peer_say(p, answer, strlen(answer));
}

bool peer_last_mark(struct peer *p, char *name, size_t cap)
{
    static const char key[] = "\"mark\":{\"name\":\"";
    size_t n = peer_hear(p, NULL), length;
    char *at = p->heard, *last = NULL;

    while ((at = memmem(at, n - (size_t)(at - p->heard), key, sizeof(key) - 1)))
        last = at += sizeof(key) - 1;
    length = last ? strcspn(last, "\"") : 0;
    if (length == 0 || length >= cap)
        return false;
    memcpy(name, last, length);
    name[length] = '\0';
    return true;
}

void peer_close(struct peer *p)
{
    close(p->fd);
    p->fd = -1;
}
