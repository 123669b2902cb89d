/* SPDX-License-Identifier: Apache-2.0 */
/* tls_private.h - OpenSSL objects for conn_tls.c and http_client.c only. */
#ifndef IO_TLS_PRIVATE_H
#define IO_TLS_PRIVATE_H

#include "io/tls.h"

#include <openssl/ssl.h>

/* A new server side with today's certificate; NULL without memory. Any thread. */
SSL *tls_server_ssl(struct tls_server *t);

/* A new client side that will accept only a certificate for `host` (a name or an IP address). */
SSL *tls_client_ssl(struct tls_client *t, const char *host);

#endif
