/* SPDX-License-Identifier: Apache-2.0 */
/* Which bytes somebody asks for; and whatever is no range gets the whole. */
#include "io/http_range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void expect(const char *header, uint64_t size, int status, uint64_t first, uint64_t n)
{
    struct http_range r;
    struct rd_str s = header ? rd_str(header) : (struct rd_str){0};

    if (http_range_read(&r, s, size) != status)
        fail_msg("%s of %u is not %d", header ? header : "nothing", (unsigned)size, status);
    if (status != 416 && (r.first != first || r.n != n))
        fail_msg("%s: %u, %u", header ? header : "nothing", (unsigned)r.first, (unsigned)r.n);
}

static void test_a_piece(void **state)
{
    (void)state;
    expect("bytes=0-499", 1000, 206, 0, 500);
    expect("bytes=500-", 1000, 206, 500, 500);
    expect("bytes=-300", 1000, 206, 700, 300);
    expect("bytes=0-0", 1000, 206, 0, 1);
    expect("bytes=0-5000", 1000, 206, 0, 1000);
    expect("bytes=-5000", 1000, 206, 0, 1000);
    expect("Bytes= 999-999 ", 1000, 206, 999, 1);
    expect("bytes=0-", 1, 206, 0, 1);
}

static void test_a_piece_that_is_not_there(void **state)
{
    (void)state;
    expect("bytes=1000-", 1000, 416, 0, 0);
    expect("bytes=1000-2000", 1000, 416, 0, 0);
    expect("bytes=-0", 1000, 416, 0, 0);
    expect("bytes=0-", 0, 416, 0, 0);
    expect("bytes=-5", 0, 416, 0, 0);
    expect("bytes=999999999999999999-", 1000, 416, 0, 0);
}

static void test_no_range_is_the_whole(void **state)
{
    static const char *const odd[] = {"",
                                      "bytes",
                                      "bytes=",
                                      "bytes=-",
                                      "bytes=a-b",
                                      "bytes=5-4",
                                      "bytes=0-1,5-6",
                                      "bytes=--5",
                                      "bytes=1-2-3",
                                      "bytes=+1-2",
                                      "bytes=0x1-2",
                                      "items=0-5",
                                      "bytes=99999999999999999999999-",
                                      "bytes=0-99999999999999999999999"};

    (void)state;
    expect(NULL, 1000, 200, 0, 1000);
    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++)
        expect(odd[i], 1000, 200, 0, 1000);
    expect("bytes=a", 0, 200, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_piece),
        cmocka_unit_test(test_a_piece_that_is_not_there),
        cmocka_unit_test(test_no_range_is_the_whole),
    };

    return cmocka_run_group_tests_name("http_range", tests, NULL, NULL);
}
