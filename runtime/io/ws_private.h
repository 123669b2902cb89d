/* SPDX-License-Identifier: Apache-2.0 */
/* ws_private.h - the inside of a WebSocket, shared by ws.c (open connections), ws_client.c (getting
 * there as a client) and http_server.c (getting there as a server). */
#ifndef IO_WS_PRIVATE_H
#define IO_WS_PRIVATE_H

#include "io/conn.h"
#include "io/loop_private.h"
#include "io/ws.h"
#include "io/ws_codec.h"

enum ws_state {
    WS_DIALLING, /* client: until the upgrade is answered */
    WS_OPEN,
    WS_CLOSING, /* our close frame is out, the peer's is awaited */
    WS_ENDED    /* `closed` is due */
};

struct ws_dial;

struct ws {
    struct loop *loop;
    struct conn *conn; /* owns; NULL while resolving and when ended */
    const struct ws_handlers *handlers;
    void *arg;
    enum ws_state state;
    bool server;
    bool pinged;
    size_t max_output;
    unsigned max_wait_ms; /* 0: output may wait for ever */
    uint64_t last_rx_ms;
    unsigned ping_after_ms, give_up_after_ms; /* 20 s and 30 s; tests are in a hurry */
    struct loop_timer *timer; /* owns: dialling deadline, liveness, or closing deadline */
    struct ws_decoder decoder;
    struct ws_dial *dial; /* owns: client, until open */
    struct loop_flush ending;
    struct loop_guest guest;
    struct ws_closed closed; /* from the end on; reason owns its bytes */
};

/* Neither open nor known to anybody: fill in handlers, then ws_begin() or ws_discard(). */
int ws_make(struct ws **out, struct loop *l, bool server);
void ws_discard(struct ws *w);

/* Takes the upgraded connection, calls `open`, then reads the n bytes at p that came along. */
void ws_begin(struct ws *w, struct conn *c, size_t max_message, char *p, size_t n);

/* The one way to the end. polite: what is queued still leaves (conn_finish). */
void ws_end(struct ws *w, enum ws_end why, int code, int err, struct rd_str reason, bool polite);

/* ws_client.c */
void ws_dial_timeout(struct ws_dial *d);
void ws_dial_free(struct ws_dial *d);

#endif
