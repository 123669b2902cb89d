/* SPDX-License-Identifier: Apache-2.0 */
/* fake_ws.h - a socket and timers without a network: what the product sends is kept as text, what
 * the other side says is put in by the test. Takes the place of io/ws.c and of io/loop.c's timers.
 */
#ifndef TESTS_FAKE_WS_H
#define TESTS_FAKE_WS_H

#include "io/ws.h"

#include <stdbool.h>

enum { FAKE_WS_SENT_BYTES = 256 * 1024 };

struct fake_ws {
    const struct ws_handlers *handlers;
    void *arg;
    size_t max_message;
    int sends;                     /* messages */
    char sent[FAKE_WS_SENT_BYTES]; /* the last message, terminated */
    int result;                    /* what ws_sendv() answers */
    int close_code;                /* 0: not closed by us */
    bool dropped;
};

void fake_ws_open(struct fake_ws *f, const struct ws_accept *accept);
void fake_ws_says(struct fake_ws *f,
                  const char *text); /* a copy: messages may be changed in place */
void fake_ws_closed(struct fake_ws *f, enum ws_end why, int code);

/* Lets virtual time pass; timers that are due fire. */
void fake_timers_advance(uint64_t ms);
int fake_timers_alive(void);
void fake_timers_fail_next(int rc);

#endif
