/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_chain.c - a certificate that no authority of this system signed is told as that, whole or not. */
#include "io/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/rd_chain_XXXXXX";
static char path[128];

static void shell(const char *line)
{
    assert_int_equal(system(line), 0);
}

static int set_up(void **state)
{
    char line[1024];

    (void)state;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/chain.pem", folder);
    (void)snprintf(line, sizeof(line),
                   "cd %s && openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                   "-keyout k.pem -out a.pem -days 30 -subj /CN=calls.example.com 2>/dev/null && "
                   "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes "
                   "-keyout k.pem -out b.pem -days 3 -subj /CN=other.example.com 2>/dev/null",
                   folder);
    shell(line);
    return 0;
}

static int tear_down(void **state)
{
    char line[256];

    (void)state;
    (void)snprintf(line, sizeof(line), "rm -rf %s", folder);
    shell(line);
    return 0;
}

static void put(const char *files)
{
    char line[512];

    (void)snprintf(line, sizeof(line), "cd %s && cat %s > chain.pem", folder, files);
    shell(line);
}

static void test_nobody_knows_a_certificate_of_our_own(void **state)
{
    struct tls_chain c;

    (void)state;
    put("a.pem");
    assert_int_equal(tls_chain_look(&c, path), 0);
    assert_int_equal(c.n, 1);
    assert_false(c.trusted);
    assert_true(c.why[0]);
    assert_in_range(c.expires_in_s, 29 * 86400, 30 * 86400);
}

static void test_the_first_that_expires_counts(void **state)
{
    struct tls_chain c;

    (void)state;
    put("a.pem b.pem");
    assert_int_equal(tls_chain_look(&c, path), 0);
    assert_int_equal(c.n, 2);
    assert_in_range(c.expires_in_s, 2 * 86400, 3 * 86400);
}

static void test_what_is_no_certificate_is_an_error(void **state)
{
    struct tls_chain c;

    (void)state;
    put("k.pem");
    assert_true(tls_chain_look(&c, path) < 0);
    assert_true(tls_chain_look(&c, "/nowhere/chain.pem") < 0);
    assert_int_equal(c.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_knows_a_certificate_of_our_own),
        cmocka_unit_test(test_the_first_that_expires_counts),
        cmocka_unit_test(test_what_is_no_certificate_is_an_error),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
