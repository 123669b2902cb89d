/* SPDX-License-Identifier: Apache-2.0 */
/* tls.c - who we are and whom we trust.
 *
 * - A tls_server holds the current SSL_CTX behind a lock. A connection refs the one it began with,
 *   so reloading swaps the pointer and the old pair lives until its last connection has ended.
 * - A tls_client is one SSL_CTX that verifies the chain; the host name is set per connection. There
 *   is no way to switch either off.
 * - TLS 1.2 and newer, no renegotiation, no compression, no server-side session store.
 *
 * Failure modes: each is RD_ETLS and a sentence with the file and the remedy. A failed reload
 * leaves the old certificate in use. */
#include "io/tls.h"

#include "base/err.h"
#include "io/tls_private.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tls_server {
    char *cert_file, *key_file; /* owns */
    pthread_mutex_t lock;
    SSL_CTX *ctx; /* refs; guarded by lock */
};

struct tls_client {
    SSL_CTX *ctx; /* refs */
};

static int fail(char *why, size_t cap, const char *what, const char *file, const char *remedy)
{
    unsigned long e = ERR_peek_last_error();
    const char *reason = e ? ERR_reason_error_string(e) : NULL;

    if (why && cap > 0)
        snprintf(why, cap, "%s %s: %s; %s", what, file, reason ? reason : "not usable", remedy);
    ERR_clear_error();
    return RD_ETLS;
}

static SSL_CTX *context_new(const SSL_METHOD *method)
{
    SSL_CTX *ctx = SSL_CTX_new(method);

    if (!ctx)
        return NULL;
    if (!SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION)) {
        SSL_CTX_free(ctx);
        return NULL;
    }
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    /* Releasing the record buffers costs no CPU that one could measure (OpenSSL allocates per
     * record all the same) and saves 33 KB per connection. */
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                              SSL_MODE_RELEASE_BUFFERS);
    return ctx;
}

/* HTTP/1.1 is all we speak; a client that offers nothing we know goes on without. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *n_out,
                           const unsigned char *in, unsigned n_in, void *arg)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char *chosen = NULL;

    (void)ssl;
    (void)arg;
    if (SSL_select_next_proto(&chosen, n_out, ours, sizeof(ours) - 1, in, n_in) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_NOACK;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

static int server_context(SSL_CTX **out, const struct tls_server *t, char *why, size_t cap)
{
    SSL_CTX *ctx;
    int rc;

    ERR_clear_error();
    if (access(t->cert_file, R_OK))
        return fail(why, cap, "certificate", t->cert_file, strerror(errno)); /* NOLINT */
    if (access(t->key_file, R_OK))
        return fail(why, cap, "private key", t->key_file, strerror(errno)); /* NOLINT */
    ctx = context_new(TLS_server_method());
    if (!ctx)
        return fail(why, cap, "certificate", t->cert_file, "OpenSSL could not start");
    if (SSL_CTX_use_certificate_chain_file(ctx, t->cert_file) != 1) {
        rc =
            fail(why, cap, "certificate", t->cert_file, "it must be PEM, the whole chain in order");
        goto fail;
    }
    if (SSL_CTX_use_PrivateKey_file(ctx, t->key_file, SSL_FILETYPE_PEM) != 1) {
        rc = fail(why, cap, "private key", t->key_file,
                  "it must be PEM, without a passphrase, and "
                  "belong to the certificate");
        goto fail;
    }
    if (SSL_CTX_check_private_key(ctx) != 1) {
        rc = fail(why, cap, "private key", t->key_file, "it does not belong to the certificate");
        goto fail;
    }
    SSL_CTX_set_alpn_select_cb(ctx, choose_protocol, NULL);
    *out = ctx;
    return 0;
fail:
    SSL_CTX_free(ctx);
    return rc;
}

int tls_server_new(struct tls_server **out, const char *cert_file, const char *key_file, char *why,
                   size_t cap)
{
    struct tls_server *t = calloc(1, sizeof(*t));
    int rc = -ENOMEM;

    if (!t)
        return -ENOMEM;
    pthread_mutex_init(&t->lock, NULL);
    t->cert_file = strdup(cert_file);
    t->key_file = strdup(key_file);
    if (!t->cert_file || !t->key_file)
        goto fail;
    rc = server_context(&t->ctx, t, why, cap);
    if (rc)
        goto fail;
    *out = t;
    return 0;
fail:
    tls_server_free(t);
    return rc;
}

int tls_server_reload(struct tls_server *t, char *why, size_t cap)
{
    SSL_CTX *fresh, *old;
    int rc = server_context(&fresh, t, why, cap);

    if (rc)
        return rc;
    pthread_mutex_lock(&t->lock);
    old = t->ctx;
    t->ctx = fresh;
    pthread_mutex_unlock(&t->lock);
    SSL_CTX_free(old);
    return 0;
}

void tls_server_free(struct tls_server *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    pthread_mutex_destroy(&t->lock);
    free(t->cert_file);
    free(t->key_file);
    free(t);
}

int64_t tls_server_expires_in(struct tls_server *t)
{
    int days = 0, seconds = 0;
    const X509 *cert;

    pthread_mutex_lock(&t->lock);
    cert = SSL_CTX_get0_certificate(t->ctx);
    if (cert)
        ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert));
    pthread_mutex_unlock(&t->lock);
    return (int64_t)days * 86400 + seconds;
}

bool tls_server_is_for(struct tls_server *t, const char *host)
{
    struct in6_addr address;
    X509 *cert;
    int match = 0;

    pthread_mutex_lock(&t->lock);
    cert = SSL_CTX_get0_certificate(t->ctx);
    if (cert &&
        (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1))
        match = X509_check_ip_asc(cert, host, 0);
    else if (cert)
        match = X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL);
    pthread_mutex_unlock(&t->lock);
    return match == 1;
}

SSL *tls_server_ssl(struct tls_server *t)
{
    SSL *ssl;

    pthread_mutex_lock(&t->lock);
    ssl = SSL_new(t->ctx); /* refs the context */
    pthread_mutex_unlock(&t->lock);
    if (ssl)
        SSL_set_accept_state(ssl);
    return ssl;
}

int tls_client_new(struct tls_client **out, const char *ca_file, char *why, size_t cap)
{
    struct tls_client *t = calloc(1, sizeof(*t));
    int rc;

    if (!t)
        return -ENOMEM;
    ERR_clear_error();
    t->ctx = context_new(TLS_client_method());
    if (!t->ctx) {
        rc = fail(why, cap, "TLS", "client", "OpenSSL could not start");
        goto fail;
    }
    SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
    if (ca_file && *ca_file) {
        if (SSL_CTX_load_verify_file(t->ctx, ca_file) != 1) {
            rc = fail(why, cap, "trusted certificates", ca_file, "it must be readable PEM");
            goto fail;
        }
    } else if (SSL_CTX_set_default_verify_paths(t->ctx) != 1) {
        rc = fail(why, cap, "trusted certificates", "of the system", "install ca-certificates");
        goto fail;
    }
    *out = t;
    return 0;
fail:
    tls_client_free(t);
    return rc;
}

void tls_client_free(struct tls_client *t)
{
    if (!t)
        return;
    SSL_CTX_free(t->ctx);
    free(t);
}

static int expect_host(SSL *ssl, const char *host)
{
    struct in6_addr address;

    if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host);
    SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

SSL *tls_client_ssl(struct tls_client *t, const char *host)
{
    static const unsigned char protocols[] = "\x08http/1.1";
    SSL *ssl = SSL_new(t->ctx);

    if (!ssl)
        return NULL;
    if (!expect_host(ssl, host) || SSL_set_alpn_protos(ssl, protocols, sizeof(protocols) - 1)) {
        SSL_free(ssl);
        return NULL;
    }
    SSL_set_connect_state(ssl);
    return ssl;
}
