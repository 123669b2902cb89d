/* SPDX-License-Identifier: Apache-2.0 */
/* What a URL leaves open is decided on the safe side; what it says is left alone. */
#include "base/err.h"
#include "store/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf text;
static char why[1024];

static int conninfo(const char *url, const char *ca_file)
{
    struct database_opts o = {.url = url, .data = "/nowhere", .ca_file = ca_file, .who = "unit"};

    why[0] = '\0';
    return database_conninfo(&text, &o, why, sizeof(why));
}

/* Of a URL that can be read. */
static const char *of(const char *url)
{
    assert_int_equal(conninfo(url, ""), 0);
    return text.data;
}

static void has(const char *what)
{
    if (!strstr(text.data, what))
        fail_msg("\"%s\" is missing in: %s", what, text.data);
}

static void has_not(const char *what)
{
    if (strstr(text.data, what))
        fail_msg("\"%s\" is in: %s", what, text.data);
}

static void test_another_machine_must_prove_who_it_is(void **state)
{
    (void)state;
    of("postgresql://me:pw@db.example.com:5433/calls");
    has("host='db.example.com'");
    has("port='5433'");
    has("user='me'");
    has("password='pw'");
    has("dbname='calls'");
    has("sslmode='verify-full'");
    has("sslrootcert='/etc/ssl/certs/ca-certificates.crt'");
}

static void test_the_authority_of_ca_file_is_trusted_instead_of_the_systems(void **state)
{
    (void)state;
    assert_int_equal(conninfo("postgresql://db.example.com/calls", "/etc/my-ca.pem"), 0);
    has("sslrootcert='/etc/my-ca.pem'");
    has_not("ca-certificates.crt");
}

static void test_this_machine_needs_no_tls(void **state)
{
    static const char *const urls[] = {
        "postgresql://localhost/calls", "postgresql://127.0.0.1/calls",
        "postgresql://[::1]/calls",     "postgresql:///calls?host=/run/postgresql",
        "postgresql:///calls",          "postgresql://127.0.0.1,localhost:5433/calls"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        of(urls[i]);
        has_not("sslmode");
        has_not("sslrootcert");
    }
}

static void test_one_of_several_hosts_elsewhere_is_enough_for_tls(void **state)
{
    (void)state;
    of("postgresql://localhost,10.0.0.7/calls");
    has("host='localhost,10.0.0.7'");
    has("sslmode='verify-full'");
    of("postgresql://localhost/calls?hostaddr=10.0.0.7");
    has("sslmode='verify-full'");
    of("postgresql://127.0.0.1.evil.example/calls"); /* a name, whatever it begins with */
    has("sslmode='verify-full'");
}

static void test_what_the_url_says_about_tls_wins(void **state)
{
    (void)state;
    of("postgresql://db.example.com/calls?sslmode=disable");
    has("sslmode='disable'");
    has_not("verify-full");
    has_not("sslrootcert");
    of("postgresql://db.example.com/calls?sslmode=verify-ca&sslrootcert=/x.pem");
    has("sslmode='verify-ca'");
    has("sslrootcert='/x.pem'");
    has_not("ca-certificates");
    of("postgresql://db.example.com/calls?sslmode=verify-full&sslrootcert=system");
    has("sslrootcert='/etc/ssl/certs/ca-certificates.crt'");
    has_not("'system'");
}

static void test_waiting_has_a_limit_everywhere(void **state)
{
    (void)state;
    of("postgresql://db.example.com/calls");
    has("connect_timeout='10'");
    has("keepalives_idle='30'");
    has("tcp_user_timeout='30000'");
    has("statement_timeout=30000");
    has("timezone=UTC");
    of("postgresql://db.example.com/calls?connect_timeout=3&options=");
    has("connect_timeout='3'");
    has_not("connect_timeout='10'");
    has_not("statement_timeout"); /* a pooler that does not know `options` */
}

static void test_a_standby_is_refused_unless_the_url_wants_one(void **state)
{
    (void)state;
    of("postgresql://a.example.com,b.example.com/calls");
    has("target_session_attrs='read-write'");
    of("postgresql://a.example.com/calls?target_session_attrs=any");
    has("target_session_attrs='any'");
    has_not("read-write");
}

static void test_it_tells_the_server_who_is_calling(void **state)
{
    (void)state;
    of("postgresql://localhost/calls");
    has("application_name='unit'");
    of("postgresql://localhost/calls?application_name=other");
    has("application_name='other'");
    has_not("'unit'");
}

static void test_quotes_in_a_password_stay_inside_their_quotes(void **state)
{
    (void)state;
    of("postgresql://me:a%27%20host=evil%5C@localhost/calls");
    has("password='a\\' host=evil\\\\'");
}

static void test_a_broken_url_is_told_without_its_password(void **state)
{
    static const char *const urls[] = {"postgresql://me:sesame@host/x?sesame",
                                       "postgresql://me:sesame@[::1/x",
                                       "postgresql://me:sesame@host/x?sesame=1", "sesame"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        assert_int_equal(conninfo(urls[i], ""), RD_ECONFIG);
        assert_null(strstr(why, "sesame"));
        assert_non_null(strstr(why, "postgresql://user:password@host"));
    }
}

static void test_a_private_database_that_was_never_made_says_how_to_make_it(void **state)
{
    (void)state;
    assert_int_equal(conninfo("", ""), RD_ESTATE);
    assert_non_null(strstr(why, "ringdown db up"));
}

static void test_a_database_of_somebody_else_is_not_started(void **state)
{
    struct database_opts o = {.url = "postgresql://db.example.com/calls", .data = "/nowhere"};
    struct database *d = NULL;

    (void)state;
    assert_int_equal(database_up(&d, &o, why, sizeof(why)), 0);
    database_down(d);
    database_down(NULL);
    assert_int_equal(access("/nowhere", F_OK), -1);
}

static void test_libpqs_words_get_a_remedy(void **state)
{
    (void)state;
    strcpy(why, "connection to server at \"db\" failed: session is read-only");
    database_explain(why, sizeof(why));
    assert_non_null(strstr(why, "point database.url at the primary"));
    strcpy(why, "something nobody has seen");
    database_explain(why, sizeof(why));
    assert_string_equal(why, "something nobody has seen");
}

static int begin(void **state)
{
    (void)state;
    buf_init(&text, 64 * 1024);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_fini(&text);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_another_machine_must_prove_who_it_is),
        cmocka_unit_test(test_the_authority_of_ca_file_is_trusted_instead_of_the_systems),
        cmocka_unit_test(test_this_machine_needs_no_tls),
        cmocka_unit_test(test_one_of_several_hosts_elsewhere_is_enough_for_tls),
        cmocka_unit_test(test_what_the_url_says_about_tls_wins),
        cmocka_unit_test(test_waiting_has_a_limit_everywhere),
        cmocka_unit_test(test_a_standby_is_refused_unless_the_url_wants_one),
        cmocka_unit_test(test_it_tells_the_server_who_is_calling),
        cmocka_unit_test(test_quotes_in_a_password_stay_inside_their_quotes),
        cmocka_unit_test(test_a_broken_url_is_told_without_its_password),
        cmocka_unit_test(test_a_private_database_that_was_never_made_says_how_to_make_it),
        cmocka_unit_test(test_a_database_of_somebody_else_is_not_started),
        cmocka_unit_test(test_libpqs_words_get_a_remedy),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
