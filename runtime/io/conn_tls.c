/* SPDX-License-Identifier: Apache-2.0 */
/* conn_tls.c - OpenSSL between a connection's socket and its owner.
 *
 * - Reading: one recv() into the thread's wire buffer; OpenSSL takes records from there through a
 *   BIO of our own until nothing is left. So a burst of records costs one system call, and an idle
 *   connection keeps no wire buffer.
 * - Writing: what OpenSSL seals goes to the socket at once, without SIGPIPE.
 * - Either direction may need the other (a handshake, a key update): read_on_write, write_on_read.
 *
 * Failure modes: whatever OpenSSL reports becomes RD_ETLS and its static reason text; a certificate
 * that is not trusted gives the verifier's words. */
#include "io/conn_private.h"

#include "base/err.h"
#include "io/tls_private.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <string.h>

static int bio_read(BIO *bio, char *buf, int cap)
{
    struct conn *c = BIO_get_data(bio);
    size_t n = c->n_wire < (size_t)cap ? c->n_wire : (size_t)cap;

    BIO_clear_retry_flags(bio);
    if (n == 0) {
        if (c->peer_done)
            return 0;
        BIO_set_retry_read(bio);
        return -1;
    }
    memcpy(buf, c->wire, n);
    c->wire += n;
    c->n_wire -= n;
    return (int)n;
}

static int bio_write(BIO *bio, const char *p, int n)
{
    struct conn *c = BIO_get_data(bio);
    ssize_t sent;

    BIO_clear_retry_flags(bio);
    do {
        sent = send(c->fd, p, (size_t)n, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        BIO_set_retry_write(bio);
    return (int)sent;
}

static long bio_ctrl(BIO *bio, int command, long num, void *ptr)
{
    (void)num;
    (void)ptr;
    if (command == BIO_CTRL_EOF) {
        struct conn *c = BIO_get_data(bio);

        return c->peer_done && c->n_wire == 0;
    }
    return command == BIO_CTRL_FLUSH;
}

static void free_method(void *method)
{
    BIO_meth_free(method);
}

/* One per loop: it must outlive every connection of the loop, and the loop does. */
static BIO_METHOD *bio_method(struct loop *l)
{
    struct loop_slot *slot = loop_tls_slot(l);
    BIO_METHOD *m = slot->object;

    if (m)
        return m;
    m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "conn");
    if (!m)
        return NULL;
    BIO_meth_set_read(m, bio_read);
    BIO_meth_set_write(m, bio_write);
    BIO_meth_set_ctrl(m, bio_ctrl);
    slot->object = m;
    slot->free = free_method;
    return m;
}

int conn_tls_attach(struct conn *c, SSL *ssl)
{
    BIO_METHOD *method = bio_method(c->loop);
    BIO *bio = method && loop_wire(c->loop) ? BIO_new(method) : NULL;

    if (!bio) {
        SSL_free(ssl);
        return -ENOMEM;
    }
    BIO_set_data(bio, c);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl, bio, bio);
    c->ssl = ssl;
    return 0;
}

ssize_t conn_tls_fill(struct conn *c)
{
    char *buf = loop_wire(c->loop);
    ssize_t n;

    do {
        n = recv(c->fd, buf, LOOP_WIRE_BYTES, 0);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return -errno;
    c->wire = buf;
    c->n_wire = (size_t)n;
    if (n == 0)
        c->peer_done = true;
    return n;
}

static int failed(const struct conn *c, const char **text)
{
    unsigned long e = ERR_peek_error();
    long verdict = SSL_get_verify_result(c->ssl);

    if (verdict != X509_V_OK)
        *text = X509_verify_cert_error_string(verdict);
    else
        *text = e ? ERR_reason_error_string(e) : NULL;
    if (!*text)
        *text = "the connection broke under TLS";
    ERR_clear_error();
    return RD_ETLS;
}

int conn_tls_handshake(struct conn *c, const char **text)
{
    int rc;

    ERR_clear_error();
    c->read_on_write = false;
    rc = SSL_do_handshake(c->ssl);
    if (rc == 1)
        return 1;
    switch (SSL_get_error(c->ssl, rc)) {
    case SSL_ERROR_WANT_READ:
        return 0;
    case SSL_ERROR_WANT_WRITE:
        c->read_on_write = true;
        return 0;
    default:
        return failed(c, text);
    }
}

ssize_t conn_tls_read(struct conn *c, char *buf, size_t cap, const char **text)
{
    size_t have = 0;

    c->read_on_write = false;
    while (have < cap) {
        size_t n = 0;
        int rc;

        ERR_clear_error();
        rc = SSL_read_ex(c->ssl, buf + have, cap - have, &n);
        if (rc == 1) {
            have += n;
            continue;
        }
        if (have > 0)
            break; /* what ended it shows again next time */
        switch (SSL_get_error(c->ssl, rc)) {
        case SSL_ERROR_WANT_READ:
            return 0;
        case SSL_ERROR_WANT_WRITE:
            c->read_on_write = true;
            return 0;
        case SSL_ERROR_ZERO_RETURN:
            return -EPIPE;
        default:
            if (c->peer_done) {
                /* Ended without a goodbye. Messages have their own ends; it is just over. */
                ERR_clear_error();
                return -EPIPE;
            }
            return failed(c, text);
        }
    }
    return (ssize_t)have;
}

ssize_t conn_tls_write(struct conn *c, const char *p, size_t n, const char **text)
{
    size_t sent = 0;
    int rc, err;

    ERR_clear_error();
    c->write_on_read = false;
    errno = 0;
    rc = SSL_write_ex(c->ssl, p, n, &sent);
    if (rc == 1)
        return (ssize_t)sent;
    err = SSL_get_error(c->ssl, rc);
    if (err == SSL_ERROR_WANT_WRITE)
        return 0;
    if (err == SSL_ERROR_WANT_READ) {
        c->write_on_read = true;
        return 0;
    }
    if (err == SSL_ERROR_SYSCALL && errno != 0) {
        ERR_clear_error();
        return -errno;
    }
    return failed(c, text);
}

void conn_tls_bye(struct conn *c)
{
    ERR_clear_error();
    if (SSL_is_init_finished(c->ssl))
        SSL_shutdown(c->ssl);
    ERR_clear_error();
}
