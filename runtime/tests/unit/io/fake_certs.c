/* SPDX-License-Identifier: Apache-2.0 */
/* fake_certs.c - two small authorities and two servers' certificates, P-256, valid for a day. */
#include "unit/io/fake_certs.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;
    X509_EXTENSION *e;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    if (!e || !X509_add_ext(x, e, -1))
        abort();
    X509_EXTENSION_free(e);
}

static X509 *certificate(const char *name, EVP_PKEY *key, X509 *issuer, EVP_PKEY *issuer_key,
                         const char *names)
{
    static long serial = 1;
    X509 *x = X509_new();
    X509_NAME *n = X509_get_subject_name(x);

    X509_set_version(x, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x), serial++);
    X509_gmtime_adj(X509_getm_notBefore(x), -3600);
    X509_gmtime_adj(X509_getm_notAfter(x), 86400);
    X509_set_pubkey(x, key);
    X509_NAME_add_entry_by_txt(n, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
    X509_set_issuer_name(x, issuer ? X509_get_subject_name(issuer) : n);
    add_extension(x, issuer ? issuer : x, NID_basic_constraints,
                  names ? "critical,CA:FALSE" : "critical,CA:TRUE");
    if (names)
        add_extension(x, issuer, NID_subject_alt_name, names);
    else
        add_extension(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
    if (!X509_sign(x, issuer_key ? issuer_key : key, EVP_sha256()))
        abort();
    return x;
}

static void write_cert(char *path, size_t cap, const char *dir, const char *name, X509 *x)
{
    FILE *f;

    snprintf(path, cap, "%s/%s.pem", dir, name);
    f = fopen(path, "w");
    if (!f || !PEM_write_X509(f, x) || fclose(f))
        abort();
}

static void write_key(char *path, size_t cap, const char *dir, const char *name, EVP_PKEY *k)
{
    FILE *f;

    snprintf(path, cap, "%s/%s.key", dir, name);
    f = fopen(path, "w");
    if (!f || !PEM_write_PrivateKey(f, k, NULL, NULL, 0, NULL, NULL) || fclose(f))
        abort();
}

void fake_certs_init(struct fake_certs *c)
{
    EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *other_key = EVP_EC_gen("P-256");
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *ca = certificate("Test CA", ca_key, NULL, NULL, NULL);
    X509 *other = certificate("Other CA", other_key, NULL, NULL, NULL);
    X509 *here = certificate("here", key, ca, ca_key, "DNS:localhost,IP:127.0.0.1");
    X509 *elsewhere = certificate("elsewhere", key, ca, ca_key, "DNS:elsewhere.example");

    snprintf(c->dir, sizeof(c->dir), "/tmp/ringdown-certs-XXXXXX");
    if (!mkdtemp(c->dir))
        abort();
    write_cert(c->ca, sizeof(c->ca), c->dir, "ca", ca);
    write_cert(c->other_ca, sizeof(c->other_ca), c->dir, "other", other);
    write_cert(c->cert, sizeof(c->cert), c->dir, "here", here);
    write_key(c->key, sizeof(c->key), c->dir, "here", key);
    write_cert(c->elsewhere_cert, sizeof(c->elsewhere_cert), c->dir, "elsewhere", elsewhere);
    write_key(c->elsewhere_key, sizeof(c->elsewhere_key), c->dir, "elsewhere", key);
    X509_free(ca);
    X509_free(other);
    X509_free(here);
    X509_free(elsewhere);
    EVP_PKEY_free(ca_key);
    EVP_PKEY_free(other_key);
    EVP_PKEY_free(key);
}

void fake_certs_fini(struct fake_certs *c)
{
    unlink(c->ca);
    unlink(c->other_ca);
    unlink(c->cert);
    unlink(c->key);
    unlink(c->elsewhere_cert);
    unlink(c->elsewhere_key);
    rmdir(c->dir);
}
