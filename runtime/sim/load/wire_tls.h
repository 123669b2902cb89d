/* SPDX-License-Identifier: Apache-2.0 */
/* wire_tls.h - the encrypted connections of wire.c. */
#ifndef SIM_LOAD_WIRE_TLS_H
#define SIM_LOAD_WIRE_TLS_H

#include "sim/load/wire.h"

#include <sys/types.h>

struct ssl_st; /* OpenSSL's */

struct ssl_st *wire_ssl_new(struct wire_tls *t, int fd, bool client); /* NULL for t NULL */
void wire_ssl_free(struct ssl_st *s);

/* How many bytes were taken; 0 and *held: not before something was read. */
ssize_t wire_ssl_write(struct ssl_st *s, const char *p, size_t n, bool *held);

/* All that is there. -EAGAIN: nothing; 0: the end. */
ssize_t wire_ssl_read(struct ssl_st *s, char *p, size_t cap);

#endif
