/* SPDX-License-Identifier: Apache-2.0 */
/* Deeds wait for the words that caused them, and never for long. */
#include "cli/order.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct order *o;
static struct buf shown; /* the names of what was shown, each with a blank behind it */

static void show(const struct json_value *event, void *arg)
{
    struct json_value name = json_get(event, "n");

    (void)arg;
    buf_add(&shown, name.raw.p, name.raw.n);
    buf_add_str(&shown, " ");
}

static int set_up(void **state)
{
    (void)state;
    buf_init(&shown, 1 << 20);
    return order_new(&o, show, NULL);
}

static int tear_down(void **state)
{
    (void)state;
    order_free(o);
    buf_fini(&shown);
    return 0;
}

/* An event of that call: its type, or "caller" and "agent" for words; its name is what is shown. */
static void take(const char *call, const char *type, const char *name, uint64_t now_ms)
{
    bool words = strcmp(type, "caller") == 0 || strcmp(type, "agent") == 0;
    struct json_value event;
    char json[256];

    snprintf(json, sizeof(json), "{\"type\":\"%s\",\"role\":\"%s\",\"call\":\"%s\",\"n\":\"%s\"}",
             words ? "turn" : type, type, call, name);
    assert_int_equal(0, json_parse(rd_str(json), &event));
    order_take(o, &event, now_ms);
}

static void assert_shown(const char *names)
{
    assert_string_equal(names, buf_text(&shown));
}

static void test_the_callers_words_go_ahead_of_what_they_caused(void **state)
{
    (void)state;
    take("CA1", "agent", "offer", 1000);
    take("CA1", "tool", "end_call", 2000);
    take("CA1", "tool", "answer", 2010);
    take("CA1", "state", "leaving", 2020);
    assert_shown("offer ");
    take("CA1", "caller", "goodbye", 2400);
    assert_shown("offer goodbye end_call answer leaving ");
}

static void test_the_agents_words_and_the_end_come_behind_what_was_done(void **state)
{
    (void)state;
    take("CA1", "tool", "book", 1000);
    take("CA1", "agent", "booked", 1200);
    assert_shown("book booked ");
    take("CA1", "state", "closing", 2000);
    take("CA1", "ended", "hangup", 2001);
    assert_shown("book booked closing hangup ");
}

static void test_nothing_waits_longer_than_a_moment(void **state)
{
    (void)state;
    assert_int_equal(0, order_due(o, 0));
    take("CA1", "tool", "one", 1000);
    take("CA2", "tool", "two", 1600);
    assert_int_equal(1, order_due(o, 999 + ORDER_WAIT_MS));
    assert_shown("");
    assert_int_equal(600, order_due(o, 1000 + ORDER_WAIT_MS));
    assert_shown("one ");
    take("CA3", "agent", "late", 1600 + ORDER_WAIT_MS);
    assert_shown("one two late ");
    assert_int_equal(0, order_due(o, 9000));
}

static void test_calls_do_not_wait_for_each_other(void **state)
{
    (void)state;
    take("CA1", "tool", "one", 1000);
    take("CA2", "caller", "hello", 1001);
    assert_shown("hello ");
}

static void test_what_comes_behind_a_deed_stays_behind_it(void **state)
{
    (void)state;
    take("CA1", "dtmf", "five", 1000);
    take("CA1", "tool", "menu", 1010);
    take("CA1", "barge_in", "cut", 1020);
    assert_shown("five ");
    take("CA1", "caller", "stop", 1030);
    assert_shown("five stop menu cut ");
}

static void test_a_clock_that_begins_anew_ends_the_wait(void **state)
{
    (void)state;
    take("CA1", "state", "closing", 60000);
    take("CA1", "caller", "again", 10);
    assert_shown("closing again ");
}

static void test_neither_many_deeds_nor_many_calls_are_lost(void **state)
{
    char call[16], name[16];
    const char *all;
    unsigned n = 0;

    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        snprintf(call, sizeof(call), "CA%u", i / 3);
        snprintf(name, sizeof(name), "%u", i);
        take(call, "tool", name, 1000 + i);
    }
    for (unsigned i = 0; i < 40; i++)
        take("CAbusy", "tool", "busy", 1400);
    order_flush(o);
    all = buf_text(&shown);
    for (const char *p = all; *p; p++)
        n += *p == ' ';
    assert_int_equal(340, n);
}

static void test_strange_events_are_shown_as_they_come(void **state)
{
    char id[200];

    (void)state;
    memset(id, 'A', sizeof(id) - 1);
    id[sizeof(id) - 1] = '\0';
    take(id, "tool", "long", 1);
    take("", "tool", "nobody", 1);
    take("CA1", "usage", "unknown", 1);
    assert_shown("long nobody unknown ");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_the_callers_words_go_ahead_of_what_they_caused),
        STORY(test_the_agents_words_and_the_end_come_behind_what_was_done),
        STORY(test_nothing_waits_longer_than_a_moment),
        STORY(test_calls_do_not_wait_for_each_other),
        STORY(test_what_comes_behind_a_deed_stays_behind_it),
        STORY(test_a_clock_that_begins_anew_ends_the_wait),
        STORY(test_neither_many_deeds_nor_many_calls_are_lost),
        STORY(test_strange_events_are_shown_as_they_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
