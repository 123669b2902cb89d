/* SPDX-License-Identifier: Apache-2.0 */
/* The ring of events: numbered, bounded, and nothing in it that is not one JSON object. */
#include "control/events.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int set_up(void **state)
{
    return events_new((struct events **)state);
}

static int tear_down(void **state)
{
    events_free(*state);
    return 0;
}

static void assert_after(struct events *e, uint64_t after, int n, const char *text)
{
    struct buf out;

    buf_init(&out, 16 << 20);
    assert_int_equal(n, events_after(e, after, &out));
    if (text)
        assert_string_equal(text, buf_text(&out));
    buf_fini(&out);
}

static void test_events_come_back_with_their_numbers(void **state)
{
    struct events *e = *state;

    assert_after(e, 0, 0, "[]");
    assert_int_equal(1, events_add(e, RD_STR("{\"type\":\"turn\"}")));
    assert_int_equal(2, events_add(e, RD_STR(" { } ")));
    assert_int_equal(3, events_add(e, RD_STR("{ \"a\" : [1, {\"b\":2}] }\n")));
    assert_after(e, 0, 3,
                 "[{\"event\":1,\"type\":\"turn\"},{\"event\":2 },"
                 "{\"event\":3, \"a\" : [1, {\"b\":2}] }]");
    assert_after(e, 2, 1, "[{\"event\":3, \"a\" : [1, {\"b\":2}] }]");
    assert_after(e, 3, 0, "[]");
    assert_after(e, 99, 0, "[]");
}

static void test_the_oldest_go_when_the_ring_is_full(void **state)
{
    struct events *e = *state;
    char text[32];

    for (int i = 1; i <= EVENTS_MAX + 5; i++) {
        snprintf(text, sizeof(text), "{\"n\":%d}", i);
        assert_int_equal(i, events_add(e, rd_str(text)));
    }
    assert_after(e, 0, EVENTS_MAX, NULL);
    assert_int_equal(0, memcmp("{\"n\":6}", events_at(e, 0).p, 7));
    assert_non_null(events_at(e, EVENTS_MAX - 1).p);
    assert_null(events_at(e, EVENTS_MAX).p);
    assert_int_equal(EVENTS_MAX + 5, events_last(e));
}

static void test_bytes_are_bounded_too(void **state)
{
    struct events *e = *state;
    char *big = malloc(EVENT_MAX_BYTES + 1);
    size_t kept = 0;

    assert_non_null(big);
    memset(big, ' ', EVENT_MAX_BYTES + 1);
    big[0] = '{';
    big[EVENT_MAX_BYTES - 1] = '}';
    for (int i = 0; i < EVENTS_MAX; i++)
        assert_true(events_add(e, (struct rd_str){big, EVENT_MAX_BYTES}) > 0);
    for (unsigned i = 0; events_at(e, i).p; i++)
        kept += events_at(e, i).n;
    assert_true(kept <= EVENTS_MAX_BYTES);
    assert_true(kept > EVENTS_MAX_BYTES - 2 * EVENT_MAX_BYTES);
    big[EVENT_MAX_BYTES] = '}';
    assert_int_equal(RD_ETOOBIG, events_add(e, (struct rd_str){big, EVENT_MAX_BYTES + 1}));
    free(big);
}

static void test_an_answer_holds_what_fits_and_the_next_one_goes_on(void **state)
{
    struct events *e = *state;
    struct buf out;
    int n;

    for (int i = 0; i < 100; i++)
        events_add(e, RD_STR("{\"text\":\"twenty letters at least\"}"));
    buf_init(&out, 1000);
    n = events_after(e, 0, &out);
    assert_in_range(n, 5, 30);
    buf_clear(&out);
    assert_true(events_after(e, (uint64_t)n, &out) > 0);
    assert_non_null(strstr(buf_text(&out), "[{\"event\":"));
    buf_fini(&out);
}

static void test_what_is_no_object_is_refused_and_counted(void **state)
{
    static const char *const bad[] = {"",         "null",      "[]",         "{",  "{}{}",
                                      "{\"a\":}", "{\"a\" 1}", "{\"a\":1}]", "x{}"};
    struct events *e = *state;

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(RD_EPROTO, events_add(e, rd_str(bad[i])));
    assert_int_equal(sizeof(bad) / sizeof(bad[0]), events_refused(e));
    assert_int_equal(0, events_last(e));
    assert_after(e, 0, 0, "[]");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_events_come_back_with_their_numbers),
        STORY(test_the_oldest_go_when_the_ring_is_full),
        STORY(test_bytes_are_bounded_too),
        STORY(test_an_answer_holds_what_fits_and_the_next_one_goes_on),
        STORY(test_what_is_no_object_is_refused_and_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
