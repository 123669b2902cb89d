/* SPDX-License-Identifier: Apache-2.0 */
/* wire_tls.c - OpenSSL on the sockets themselves. Reads until nothing is left: what stays in
 * OpenSSL's buffer wakes no epoll. */
#include "sim/load/wire_tls.h"
#include "base/err.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>

struct wire_tls {
    SSL_CTX *ctx; /* owns */
};

static int tls_new(struct wire_tls **out, const SSL_METHOD *method)
{
    struct wire_tls *t = calloc(1, sizeof(*t));

    if (!t)
        return -ENOMEM;
    t->ctx = SSL_CTX_new(method);
    if (!t->ctx) {
        free(t);
        return RD_ETLS;
    }
    (void)SSL_CTX_set_mode(t->ctx,
                           SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    *out = t;
    return 0;
}

int wire_tls_server(struct wire_tls **out, const char *cert, const char *key)
{
    int rc = tls_new(out, TLS_server_method());

    if (rc)
        return rc;
    if (SSL_CTX_use_certificate_chain_file((*out)->ctx, cert) == 1 &&
        SSL_CTX_use_PrivateKey_file((*out)->ctx, key, SSL_FILETYPE_PEM) == 1)
        return 0;
    wire_tls_free(*out);
    *out = NULL;
    return RD_ETLS;
}

int wire_tls_client(struct wire_tls **out)
{
    return tls_new(out, TLS_client_method());
}

void wire_tls_free(struct wire_tls *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

SSL *wire_ssl_new(struct wire_tls *t, int fd, bool client)
{
    SSL *s = t ? SSL_new(t->ctx) : NULL;

    if (!s)
        return NULL;
    (void)SSL_set_fd(s, fd);
    if (client)
        SSL_set_connect_state(s);
    else
        SSL_set_accept_state(s);
    return s;
}

void wire_ssl_free(SSL *s)
{
    SSL_free(s);
}

ssize_t wire_ssl_write(SSL *s, const char *p, size_t n, bool *held)
{
    int done, why;

    ERR_clear_error();
    done = SSL_write(s, p, (int)n);
    if (done > 0)
        return done;
    why = SSL_get_error(s, done);
    *held = why == SSL_ERROR_WANT_READ;
    return *held || why == SSL_ERROR_WANT_WRITE ? 0 : -EPIPE;
}

ssize_t wire_ssl_read(SSL *s, char *p, size_t cap)
{
    size_t n = 0;

    while (n < cap) {
        int got, why;

        ERR_clear_error();
        got = SSL_read(s, p + n, (int)(cap - n));
        if (got > 0) {
            n += (size_t)got;
            continue;
        }
        why = SSL_get_error(s, got);
        if (n > 0)
            break;
        return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? -EAGAIN : 0;
    }
    return (ssize_t)n;
}
