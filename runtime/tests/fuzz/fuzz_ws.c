/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_ws.c - module: io. WebSocket frames, as a server and as a client, whole and torn: the same
 * bytes must give the same events however they are cut. First byte: side and cut; the rest: wire.
 */
#include "io/ws_codec.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_MESSAGE = 4096 };

struct trace {
    uint64_t hash;
    int events, end;
};

static void mix(struct trace *t, const void *p, size_t n)
{
    const uint8_t *b = p;

    while (n-- > 0)
        t->hash = (t->hash ^ *b++) * 0x100000001b3U;
}

static struct trace run(const uint8_t *data, size_t n, bool server, size_t step)
{
    struct trace t = {.hash = 0xcbf29ce484222325U};
    struct ws_decoder d;
    size_t at = 0;
    int rc = 0;

    ws_decoder_init(&d, server, MAX_MESSAGE);
    while (at < n && rc >= 0) {
        size_t len = n - at < step ? n - at : step, left = len;
        char *piece = malloc(len), *p = piece;
        struct ws_event ev;

        if (!piece)
            abort();
        memcpy(piece, data + at, len);
        at += len;
        while ((rc = ws_decode(&d, &p, &left, &ev)) > 0) {
            if (ev.n > MAX_MESSAGE || !ev.data)
                abort();
            if (ev.op == WS_OP_TEXT && !ws_utf8_valid(ev.data, ev.n))
                abort();
            mix(&t, &ev.op, sizeof(ev.op));
            mix(&t, ev.data, ev.n);
            memset(ev.data, 0x55, ev.n); /* the handler may write into it */
            t.events++;
        }
        if (rc == 0 && left != 0)
            abort();
        free(piece);
    }
    t.end = rc;
    ws_decoder_fini(&d);
    return t;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct trace whole, torn;
    bool server;

    if (n < 2)
        return 0;
    server = data[0] & 1;
    whole = run(data + 1, n - 1, server, n);
    torn = run(data + 1, n - 1, server, 1 + (data[0] >> 1) % 16);
    if (whole.hash != torn.hash || whole.events != torn.events || whole.end != torn.end)
        abort();
    return 0;
}
