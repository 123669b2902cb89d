/* SPDX-License-Identifier: Apache-2.0 */
/* fake_ws.h - a server and a client on one loop, and what each of them heard. */
#ifndef TESTS_FAKE_WS_H
#define TESTS_FAKE_WS_H

#include "io/http_server.h"
#include "io/ws.h"
#include "unit/io/fake_certs.h"
#include "unit/io/fake_node.h"

enum { MEGABYTE = 1 << 20 };

struct fake_ws;

/* One end of a connection and what it heard. */
struct fake_side {
    struct fake_ws *story;
    struct ws *ws;
    int opens, texts, closes;
    size_t bytes;
    char last[64];
    struct ws_closed closed;
    char reason[1100];
    void (*on_text)(struct fake_side *s, char *msg, size_t n);
    void (*on_open)(struct fake_side *s);
};

struct fake_ws {
    struct fake_node node;
    struct fake_certs certs;
    struct tls_server *tls_server;
    struct tls_client *tls_client;
    struct fake_side client, server;
    int refuse_with;
    size_t max_message, max_output;
    int frames_left;

    /* for a raw peer */
    int listen_fd, fd;
    const char *raw;
    size_t n_raw;
    char got[4096];
    size_t n_got;
};

/* elsewhere: with a certificate for another host. */
struct fake_ws *fake_ws_begin(bool tls, bool elsewhere);

/* Also checks that both sides heard of every end, once. */
void fake_ws_end(struct fake_ws *s);

/* url NULL: the node's own. `closed` of either side stops the loop when the other has none open. */
struct ws *fake_ws_dial(struct fake_ws *s, const char *url);

void fake_ws_hello(struct fake_side *s); /* sends "hello" */
char *fake_ws_megabyte(void);            /* to be freed */

extern const struct ws_handlers fake_ws_handlers;

#endif
