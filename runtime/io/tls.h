/* SPDX-License-Identifier: Apache-2.0 */
/* tls.h - certificates and trust, shared by all threads. OpenSSL stays behind io/. */
#ifndef IO_TLS_H
#define IO_TLS_H

#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tls_server; /* our certificate and key; can be replaced while connections use the old one */
struct tls_client; /* whom we trust */

/* Errors: RD_ETLS with the reason and the remedy in `why` (terminated, cut to cap). */
int tls_server_new(struct tls_server **out, const char *cert_file, const char *key_file, char *why,
                   size_t cap);

/* Reads the files again; on error the old pair stays. Any thread. */
int tls_server_reload(struct tls_server *t, char *why, size_t cap);
void tls_server_free(struct tls_server *t);

/* Seconds until the certificate expires (negative: it has). */
int64_t tls_server_expires_in(struct tls_server *t);

/* Is it made out to this host name or address? */
bool tls_server_is_for(struct tls_server *t, const char *host);

/* What a stranger who trusts the system's authorities makes of a certificate file, as Twilio does: nothing is
 * fetched, so the chain must be whole. */
struct tls_chain {
    int n;                /* certificates in the file */
    bool trusted;         /* up to an authority of the system */
    int64_t expires_in_s; /* the first of them that does */
    char why[160];        /* when not trusted */
};
int tls_chain_look(struct tls_chain *out, const char *cert_file); /* RD_ETLS: cannot be read */

/* ca_file NULL or "": the system's store. Verification of chain and host name is always on. */
int tls_client_new(struct tls_client **out, const char *ca_file, char *why, size_t cap);
void tls_client_free(struct tls_client *t);

/* HMAC and random, the two other things we need from OpenSSL. Both any thread. */
void hmac_sha1(uint8_t out[20], const void *key, size_t n_key, const void *data, size_t n);
void hmac_sha256(uint8_t out[32], const void *key, size_t n_key, const void *data, size_t n);

/* A phone number as those who must not keep it know it: hexadecimal HMAC-SHA256 under `secret`. */
enum { NUMBER_HASH = 65 };
void number_hash(char out[NUMBER_HASH], const char *secret, struct rd_str number);
void sha256(uint8_t out[32], const void *data, size_t n);
int random_bytes(void *out, size_t n); /* 0, or -EIO: then refuse whatever needed it */

#endif
