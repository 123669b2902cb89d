/* SPDX-License-Identifier: Apache-2.0 */
/* fake_io.h - connections and timers that a test moves by hand. Stands in for io/ws.h and for the
 * timers of io/loop.h: what an executable defines goes before what an archive holds. */
#ifndef TESTS_FAKE_IO_H
#define TESTS_FAKE_IO_H

#include "io/loop.h"
#include "io/ws.h"

#include <stdbool.h>
#include <stddef.h>

void fake_io_reset(void); /* checks that everything was freed, and that nobody waits for `closed` */

/* Lets time pass: timers run in their order, and what is due to close is closed. */
void fake_advance(uint64_t ms);
void fake_turn(void); /* the same without time: only what is due now */

struct loop *fake_loop(void);

/* Connections by the order in which they were dialled, from 0. */
unsigned fake_dials(void);
struct ws *fake_ws(unsigned i); /* NULL once closed */
const char *fake_url(unsigned i);
const char *fake_header(unsigned i); /* the first one, "" if none */

/* What the peer does. */
void fake_open(unsigned i);
void fake_text(unsigned i, const char *json);
void fake_text_n(unsigned i, const char *json, size_t n);
void fake_binary(unsigned i, const void *bytes, size_t n);
void fake_end(unsigned i, enum ws_end why, int code, int err, const char *reason);

/* What we did. Messages are counted from 0 per connection; only the last 64 stay. */
unsigned fake_sent_count(unsigned i);
const char *fake_sent(unsigned i, unsigned n); /* "" if there is none */
const char *fake_last(unsigned i);
size_t fake_binary_sent(unsigned i); /* bytes of binary messages, which are not among the others */
bool fake_dropped(unsigned i);
int fake_close_code(unsigned i); /* 0: not closed by us */

void fake_keep_messages(bool keep); /* false: only counted, without allocation */
void fake_send_fails(int rc);       /* the next send returns rc */
void fake_connect_fails(int rc);    /* the next connect returns rc */

#endif
