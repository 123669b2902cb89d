/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.h - a listening HTTP server on its loop, and a blocking peer on a helper thread. */
#ifndef TESTS_FAKE_NODE_H
#define TESTS_FAKE_NODE_H

#include "io/http_server.h"
#include "io/loop.h"
#include "io/tls.h"

#include <stdint.h>

struct fake_node {
    struct loop *loop;
    struct http_server *http;
    void *listening; /* the poll handle */
    int listen_fd;
    uint16_t port;
    char url[96]; /* "ws://127.0.0.1:12345/x", "wss://localhost:…" with TLS */
};

void fake_node_init(struct fake_node *n, const struct http_server_opts *o);
void fake_node_fini(struct fake_node *n);

/* Runs `work` on a helper thread while the loop runs; returns when it is done. */
void fake_node_while(struct fake_node *n, loop_work_fn *work, void *arg);

/* Runs the loop for so long. */
void fake_node_for(struct fake_node *n, unsigned ms);

/* Blocking helpers for `work`; they give up after 5 s. */
int fake_peer_connect(uint16_t port);
int fake_peer_accept(int listen_fd);
void fake_peer_send(int fd, const void *p, size_t n);
/* Reads to the end of file, or until `until` was seen (may be NULL). Terminates. */
size_t fake_peer_read(int fd, char *out, size_t cap, const char *until);

#endif
