/* SPDX-License-Identifier: Apache-2.0 */
/* wire_ws.c - as much of RFC 6455 as a load run needs: whole frames, a handshake, a mask of 0. */
#include "io/ws_codec.h"
#include "sim/load/wire.h"

#include <stdio.h>
#include <string.h>

enum { LENGTH_16 = 126, LENGTH_64 = 127, MASKED = 0x80, FIN = 0x80, SEND_MAX = 64 * 1024 };

static void unmask(char *p, size_t n, const char key[4])
{
    uint64_t wide, word;
    size_t i = 0;

    memcpy(&wide, key, 4);
    memcpy((char *)&wide + 4, key, 4);
    if (wide == 0)
        return;
    for (; i + 8 <= n; i += 8) {
        memcpy(&word, p + i, 8);
        word ^= wide;
        memcpy(p + i, &word, 8);
    }
    for (; i < n; i++)
        p[i] = (char)(p[i] ^ key[i % 4]);
}

size_t wire_ws_read(char *p, size_t n, struct wire_message *out)
{
    const unsigned char *b = (const unsigned char *)p;
    size_t head = 2, size;
    bool masked;

    if (n < 2)
        return 0;
    masked = b[1] & MASKED;
    size = b[1] & 127;
    if (size == LENGTH_16)
        head = 4;
    else if (size == LENGTH_64)
        head = 10;
    if (n < head + (masked ? 4 : 0))
        return 0;
    if (head > 2)
        size = 0;
    for (size_t i = 2; i < head; i++)
        size = size << 8 | b[i];
    head += masked ? 4 : 0;
    if (size > n || n < head + size)
        return 0;
    if (masked)
        unmask(p + head, size, p + head - 4);
    *out = (struct wire_message){.op = b[0] & 15, .p = p + head, .n = size};
    return head + size;
}

size_t wire_ws_header(char *payload, size_t n, int op, bool client)
{
    size_t size = (n < LENGTH_16 ? 2 : 4) + (client ? 4u : 0);
    unsigned char *h = (unsigned char *)payload - size;
    unsigned char mask = client ? MASKED : 0;

    h[0] = (unsigned char)(FIN | op);
    h[1] = (unsigned char)(mask | (n < LENGTH_16 ? n : LENGTH_16));
    if (n >= LENGTH_16) {
        h[2] = (unsigned char)(n >> 8);
        h[3] = (unsigned char)n;
    }
    if (client)
        memset(payload - 4, 0, 4);
    return size;
}

static void send_frame(struct wire_conn *c, int op, const char *text, size_t n, bool client)
{
    static char frame[WIRE_HEADER_MAX + SEND_MAX];
    size_t head;

    if (n >= SEND_MAX)
        return;
    memcpy(frame + WIRE_HEADER_MAX, text, n);
    head = wire_ws_header(frame + WIRE_HEADER_MAX, n, op, client);
    wire_send(c, frame + WIRE_HEADER_MAX - head, head + n);
}

void wire_ws_send(struct wire_conn *c, const char *text, size_t n, bool client)
{
    send_frame(c, 1, text, n, client);
}

void wire_ws_pong(struct wire_conn *c, const struct wire_message *ping, bool client)
{
    send_frame(c, 10, ping->p, ping->n, client);
}

size_t wire_head(const char *p, size_t n)
{
    const char *end = memmem(p, n, "\r\n\r\n", 4);

    return end ? (size_t)(end - p) + 4 : 0;
}

bool wire_ws_accept(struct wire_conn *c, char *head, size_t n)
{
    char accept[WS_KEY_CAP], answer[256], *key;
    int size;

    head[n - 1] = '\0';
    key = strcasestr(head, "\r\nSec-WebSocket-Key:");
    if (!key)
        return false;
    key += 20;
    key += strspn(key, " ");
    if (!ws_accept_key(accept, (struct rd_str){key, strcspn(key, "\r\n")}))
        return false;
    size = snprintf(answer, sizeof(answer),
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
                    "Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
                    accept);
    wire_send(c, answer, (size_t)size);
    return true;
}
