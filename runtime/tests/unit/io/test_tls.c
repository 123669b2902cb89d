/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates that cannot be used, and the digests against published vectors. Connections over
 * TLS are in test_ws.c and test_http_client.c. */
#include "base/err.h"
#include "io/tls.h"
#include "unit/io/fake_certs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static void assert_hex(const uint8_t *got, size_t n, const char *want)
{
    char text[65];
    size_t i;

    for (i = 0; i < n; i++)
        snprintf(text + 2 * i, 3, "%02x", got[i]);
    assert_string_equal(text, want);
}

static void test_digests_match_rfc_2202_and_4231(void **state)
{
    uint8_t out[32];

    (void)state;
    hmac_sha1(out, "Jefe", 4, "what do ya want for nothing?", 28);
    assert_hex(out, 20, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    hmac_sha256(out, "Jefe", 4, "what do ya want for nothing?", 28);
    assert_hex(out, 32, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    hmac_sha1(out, "", 0, "", 0);
    assert_hex(out, 20, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
    sha256(out, "abc", 3);
    assert_hex(out, 32, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void test_random_bytes_differ(void **state)
{
    uint8_t a[32] = {0}, b[32] = {0};

    (void)state;
    assert_int_equal(random_bytes(a, sizeof(a)), 0);
    assert_int_equal(random_bytes(b, sizeof(b)), 0);
    assert_memory_not_equal(a, b, sizeof(a));
}

static void refuse(const char *cert, const char *key, const char *about)
{
    struct tls_server *t = NULL;
    char why[256] = "";

    assert_int_equal(tls_server_new(&t, cert, key, why, sizeof(why)), RD_ETLS);
    assert_null(t);
    if (!strstr(why, about))
        fail_msg("wanted '%s' in: %s", about, why);
}

static void test_unusable_pairs_are_refused_with_the_file_named(void **state)
{
    struct fake_certs certs;

    (void)state;
    fake_certs_init(&certs);
    refuse("/nonexistent/cert.pem", certs.key, "/nonexistent/cert.pem");
    refuse(certs.cert, "/nonexistent/key.pem", "/nonexistent/key.pem");
    refuse(certs.key, certs.key, certs.key);    /* no certificate */
    refuse(certs.cert, certs.cert, certs.cert); /* no key */
    refuse(certs.ca, certs.key, "belong");      /* not a pair */
    fake_certs_fini(&certs);
}

static void test_a_ca_file_must_be_one(void **state)
{
    struct tls_client *t = NULL;
    char why[256] = "";

    (void)state;
    assert_int_equal(tls_client_new(&t, "/nonexistent/ca.pem", why, sizeof(why)), RD_ETLS);
    assert_null(t);
    assert_non_null(strstr(why, "/nonexistent/ca.pem"));
    assert_int_equal(tls_client_new(&t, "", why, sizeof(why)), 0);
    tls_client_free(t);
    tls_client_free(NULL);
    tls_server_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digests_match_rfc_2202_and_4231),
        cmocka_unit_test(test_random_bytes_differ),
        cmocka_unit_test(test_unusable_pairs_are_refused_with_the_file_named),
        cmocka_unit_test(test_a_ca_file_must_be_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
