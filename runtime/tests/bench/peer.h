/* SPDX-License-Identifier: Apache-2.0 */
/* peer.h - the other end of a WebSocket for a benchmark: canned bytes on a socket, no parser of the
 * product but its codec. Whatever goes wrong ends the program. */
#ifndef TESTS_BENCH_PEER_H
#define TESTS_BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

enum { PEER_BYTES = 65536 };

struct peer {
    int fd;
    bool masks; /* a client's frames are */
    char heard[PEER_BYTES + 1];
};

/* A pair of sockets: ours, and the one returned. */
int peer_pair(struct peer *p);

/* Listens on loopback; where, is written into `url`. Then whether somebody came. */
int peer_listen(char *url, size_t cap);
bool peer_accept(struct peer *p, int door);

void peer_say(struct peer *p, const char *bytes, size_t n);
void peer_frame(struct peer *p, const char *text);
bool peer_has(const struct peer *p);

/* All that is there, into `heard`; how much. It must hold `word`, unless that is NULL. */
size_t peer_hear(struct peer *p, const char *word);

/* Reads the request of a client and takes the upgrade. */
void peer_answer_upgrade(struct peer *p);

/* The name of the last mark in all that is there. */
bool peer_last_mark(struct peer *p, char *name, size_t cap);

void peer_close(struct peer *p);

#endif
