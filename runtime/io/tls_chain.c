/* SPDX-License-Identifier: Apache-2.0 */
/* tls_chain.c - a certificate file as a stranger sees it.
 *
 * Failure modes: no PEM in it, no authorities on this system: RD_ETLS. A chain that ends in nobody's hands is no
 * failure here, it is what is told. */
#include "base/err.h"
#include "io/tls.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>
#include <stdio.h>

static int64_t expires_in(const X509 *cert)
{
    int days = 0, seconds = 0;

    (void)ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert));
    return (int64_t)days * 86400 + seconds;
}

static STACK_OF(X509) * read_all(const char *path, struct tls_chain *out)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    FILE *f = fopen(path, "re");
    X509 *cert;

    while (f && certs && (cert = PEM_read_X509(f, NULL, NULL, NULL))) {
        int64_t left = expires_in(cert);

        if (!sk_X509_push(certs, cert)) {
            X509_free(cert);
            break;
        }
        out->expires_in_s = out->n == 0 || left < out->expires_in_s ? left : out->expires_in_s;
        out->n++;
    }
    if (f)
        (void)fclose(f);
    return certs;
}

static void tell(struct tls_chain *out, const X509_STORE_CTX *ctx)
{
    int code = X509_STORE_CTX_get_error(ctx);

    if (code == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
        code == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE)
        (void)snprintf(out->why, sizeof(out->why),
                       "its chain of %d ends before any authority that this system knows", out->n);
    else
        (void)snprintf(out->why, sizeof(out->why), "%s", X509_verify_cert_error_string(code));
}

static int verify(struct tls_chain *out, STACK_OF(X509) * certs)
{
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    int rc = RD_ETLS;

    if (store && ctx && X509_STORE_set_default_paths(store) == 1 &&
        X509_STORE_CTX_init(ctx, store, sk_X509_value(certs, 0), certs) == 1) {
        X509_STORE_CTX_set_purpose(ctx, X509_PURPOSE_SSL_SERVER);
        out->trusted = X509_verify_cert(ctx) == 1;
        if (!out->trusted)
            tell(out, ctx);
        rc = 0;
    }
    X509_STORE_CTX_free(ctx);
    X509_STORE_free(store);
    return rc;
}

int tls_chain_look(struct tls_chain *out, const char *cert_file)
{
    STACK_OF(X509) * certs;
    int rc = RD_ETLS;

    *out = (struct tls_chain){.n = 0};
    certs = read_all(cert_file, out);
    if (out->n > 0)
        rc = verify(out, certs);
    sk_X509_pop_free(certs, X509_free);
    return rc;
}
