/* SPDX-License-Identifier: Apache-2.0 */
/* Which addresses a script may reach: the edges of each block, and the disguises. */
#include "io/public_address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static union address parse(const char *text)
{
    union address a = {0};

    if (strchr(text, ':')) {
        a.v6.sin6_family = AF_INET6;
        assert_int_equal(inet_pton(AF_INET6, text, &a.v6.sin6_addr), 1);
    } else {
        a.v4.sin_family = AF_INET;
        assert_int_equal(inet_pton(AF_INET, text, &a.v4.sin_addr), 1);
    }
    return a;
}

static void test_what_is_inside_is_refused(void **state)
{
    static const char *const inside[] = {
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
        "127.0.0.1", "127.255.255.254", "169.254.169.254", "169.254.0.1", "172.16.0.1",
        "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.168.0.1", "198.18.0.1", "198.19.255.255",
        "198.51.100.7", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255",
        /* IPv6 */
        "::", "::1", "fe80::1", "febf::1", "fc00::1", "fd00:ec2::254", "ff02::1", "fec0::1",
        "100::1", "2001:db8::1", "2001::1", "2001:10::1", "3fff::1", "4000::1", "5f00::1",
        /* disguises of IPv4 */
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1", "::127.0.0.1", "::8.8.8.8",
        "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::7f00:1",
        "2002:7f00:1::1", "2002:c0a8:101::", "2002:a9fe:a9fe::"};

    (void)state;
    for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++) {
        union address a = parse(inside[i]);

        if (!address_refused(&a.any))
            fail_msg("%s is not refused", inside[i]);
    }
}

static void test_what_is_public_is_reached(void **state)
{
    static const char *const outside[] = {
        "1.1.1.1",          "8.8.8.8",         "9.255.255.255",   "11.0.0.0",
        "100.63.255.255",   "100.128.0.0",     "126.255.255.255", "128.0.0.1",
        "169.253.255.255",  "169.255.0.0",     "172.15.255.255",  "172.32.0.0",
        "192.167.255.255",  "192.169.0.0",     "198.17.255.255",  "198.20.0.0",
        "223.255.255.255",  "2606:4700::1111", "2a00:1450::1",    "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8", "2002:808:808::1", "2001:200::1"};

    (void)state;
    for (size_t i = 0; i < sizeof(outside) / sizeof(outside[0]); i++) {
        union address a = parse(outside[i]);

        if (address_refused(&a.any))
            fail_msg("%s is refused: %s", outside[i], address_refused(&a.any));
    }
}

static void test_the_reason_is_told(void **state)
{
    union address a = parse("127.0.0.1"), b = parse("::ffff:192.168.1.1");
    struct sockaddr other = {.sa_family = AF_UNIX};

    (void)state;
    assert_string_equal(address_refused(&a.any), "a loopback address");
    assert_string_equal(address_refused(&b.any), "a private address");
    assert_string_equal(address_refused(&other), "no internet address");
}

static void test_this_machine_knows_itself(void **state)
{
    union address a = parse("127.0.0.1"), b = parse("8.8.8.8");

    (void)state;
    a.v4.sin_port = htons(443);
    assert_true(address_is_ours(&a.any));
    assert_int_equal(address_port(&a.any), 443);
    assert_false(address_is_ours(&b.any));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_inside_is_refused),
        cmocka_unit_test(test_what_is_public_is_reached),
        cmocka_unit_test(test_the_reason_is_told),
        cmocka_unit_test(test_this_machine_knows_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
