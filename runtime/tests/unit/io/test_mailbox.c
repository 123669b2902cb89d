/* SPDX-License-Identifier: Apache-2.0 */
/* Mailboxes: nothing that has a credit is ever refused, nothing overflows, nothing leaks. */
#include "base/err.h"
#include "io/mailbox.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct story {
    struct loop *loop;
    struct mailbox *mb;
    int received;
    int stop_after;
    uint64_t sum;
    char last[64];
};

static void receive(struct message *m, void *arg)
{
    struct story *s = arg;

    s->received++;
    s->sum += m->aux;
    rd_str_copy(s->last, sizeof(s->last), m->s[0]);
    message_free(m);
    if (s->received == s->stop_after)
        loop_stop(s->loop);
}

static void begin(struct story *s, size_t capacity)
{
    *s = (struct story){0};
    assert_int_equal(loop_new(&s->loop), 0);
    assert_int_equal(mailbox_new(&s->mb, s->loop, capacity, receive, s), 0);
}

static void end(struct story *s)
{
    mailbox_free(s->mb);
    loop_free(s->loop);
}

static struct message *word(const char *text)
{
    struct rd_str s = rd_str(text);

    return message_new(MSG_CALL_EVENT, 7, &s, 1);
}

static void receive_n(struct story *s, int n)
{
    s->stop_after = s->received + n;
    loop_run(s->loop);
}

static void test_the_deepest_it_was_is_told_for_two_windows(void **state)
{
    struct story s;

    (void)state;
    begin(&s, 16);
    (void)mailbox_worst(s.mb, 1000, 100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    receive_n(&s, 3);
    assert_int_equal(mailbox_depth(s.mb), 0);
    assert_int_equal(mailbox_worst(s.mb, 1050, 100), 3);
    assert_int_equal(mailbox_worst(s.mb, 1100, 100), 3); /* another one begins */
    assert_int_equal(mailbox_worst(s.mb, 1199, 100), 3); /* whoever else looks */
    assert_int_equal(mailbox_worst(s.mb, 1200, 100), 0);
    end(&s);
}

static void test_strings_are_copied_into_the_message(void **state)
{
    char text[] = "hello";
    struct rd_str s[2] = {{text, 5}, {NULL, 0}};
    struct message *m = message_new(MSG_RECORD, 42, s, 2);

    (void)state;
    text[0] = 'j';
    assert_string_equal(m->s[0].p, "hello");
    assert_string_equal(m->s[1].p, "");
    assert_string_equal(m->s[3].p, "");
    assert_int_equal(m->fd, -1);
    assert_int_equal(m->call, 42);
    message_free(m);
    message_free(NULL);
}

static void test_a_message_that_is_dropped_closes_its_socket(void **state)
{
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)state;
    m->fd = dup(0);
    assert_true(m->fd > 0);
    int fd = m->fd;
    message_free(m);
    assert_int_equal(fcntl(fd, F_GETFD), -1);
}

static void test_messages_arrive_in_order(void **state)
{
    struct story s;

    (void)state;
    begin(&s, 10);
    assert_int_equal(mailbox_post(s.mb, word("one")), 0);
    assert_int_equal(mailbox_post(s.mb, word("two")), 0);
    assert_int_equal(mailbox_depth(s.mb), 2);
    receive_n(&s, 1);
    assert_string_equal(s.last, "two"); /* both, in one wake-up */
    assert_int_equal(s.received, 2);
    assert_int_equal(mailbox_depth(s.mb), 0);
    end(&s);
}

static void test_a_full_box_refuses_and_frees(void **state)
{
    struct story s;
    int i;

    (void)state;
    begin(&s, 3);
    for (i = 0; i < 3; i++)
        assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(mailbox_post(s.mb, word("x")), RD_EFULL);
    receive_n(&s, 3);
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    end(&s); /* with one still queued */
}

static void test_a_credit_is_room_that_others_cannot_take(void **state)
{
    struct credits *c;
    struct story s;

    (void)state;
    begin(&s, 4);
    assert_int_equal(credits_new(&c, s.mb, 3), 0);
    assert_int_equal(mailbox_reserved(s.mb), 3);
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(mailbox_post(s.mb, word("x")), RD_EFULL);
    assert_int_equal(credits_post(c, word("a"), false), 0);
    assert_int_equal(credits_post(c, word("b"), false), 0);
    assert_int_equal(credits_post(c, word("c"), false), RD_EFULL); /* the last is for the end */
    assert_int_equal(credits_post(c, word("end"), true), 0);
    assert_int_equal(credits_post(c, word("end again"), true), RD_EFULL);
    receive_n(&s, 4);
    assert_string_equal(s.last, "end");
    assert_int_equal(credits_post(c, word("d"), false), 0); /* they came back */
    credits_free(c);
    end(&s);
}

static void test_more_credits_than_room_are_not_given(void **state)
{
    struct credits *a, *b;
    struct story s;

    (void)state;
    begin(&s, 10);
    assert_int_equal(credits_new(&a, s.mb, 8), 0);
    assert_int_equal(credits_new(&b, s.mb, 3), RD_EFULL);
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(credits_new(&b, s.mb, 2), RD_EFULL);
    assert_int_equal(credits_new(&b, s.mb, 1), 0);
    credits_free(a);
    assert_int_equal(mailbox_reserved(s.mb), 1);
    credits_free(b);
    assert_int_equal(mailbox_reserved(s.mb), 0);
    end(&s);
}

static void test_credits_freed_early_keep_what_is_queued(void **state)
{
    struct credits *c;
    struct story s;

    (void)state;
    begin(&s, 4);
    assert_int_equal(credits_new(&c, s.mb, 4), 0);
    assert_int_equal(credits_post(c, word("end"), true), 0);
    credits_free(c);
    assert_int_equal(mailbox_reserved(s.mb), 1); /* the message's own */
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(mailbox_post(s.mb, word("x")), 0);
    assert_int_equal(mailbox_post(s.mb, word("x")), RD_EFULL);
    receive_n(&s, 4);
    assert_int_equal(mailbox_reserved(s.mb), 0);
    end(&s);
}

static void test_a_closed_box_says_gone(void **state)
{
    struct credits *c;
    struct story s;

    (void)state;
    begin(&s, 4);
    assert_int_equal(credits_new(&c, s.mb, 2), 0);
    mailbox_close(s.mb);
    assert_int_equal(mailbox_post(s.mb, word("x")), RD_EGONE);
    assert_int_equal(credits_post(c, word("x"), true), RD_EGONE);
    credits_free(c);
    end(&s);
}

enum { POSTERS = 4, EACH = 5000 };

struct poster {
    pthread_t thread;
    struct mailbox *mb;
    struct credits *credits;
    int posted, full;
    _Atomic int *running;
};

static void *post_many(void *arg)
{
    struct poster *p = arg;
    int i;

    for (i = 0; i < EACH; i++) {
        struct message *m = word("x");
        int rc;

        m->aux = 1;
        rc = i % 2 ? credits_post(p->credits, m, i == EACH - 1) : mailbox_post(p->mb, m);
        if (rc == 0)
            p->posted++;
        else
            p->full++;
    }
    atomic_fetch_sub(p->running, 1);
    return NULL;
}

static void stop(void *arg)
{
    loop_stop(arg);
}

static void test_four_threads_post_at_once_and_nothing_is_lost_or_above_capacity(void **state)
{
    _Atomic int running = POSTERS;
    struct poster p[POSTERS];
    struct story s;
    uint64_t posted = 0;
    struct loop_timer *t;
    int i;

    (void)state;
    begin(&s, 64);
    assert_int_equal(loop_timer_new(&t, s.loop, stop, s.loop), 0);
    for (i = 0; i < POSTERS; i++) {
        p[i] = (struct poster){.mb = s.mb, .running = &running};
        assert_int_equal(credits_new(&p[i].credits, s.mb, 8), 0);
    }
    for (i = 0; i < POSTERS; i++)
        pthread_create(&p[i].thread, NULL, post_many, &p[i]);
    while (atomic_load(&running) > 0) {
        loop_timer_in(t, 1);
        loop_run(s.loop);
        assert_true(mailbox_depth(s.mb) <= 64);
    }
    for (i = 0; i < POSTERS; i++) {
        pthread_join(p[i].thread, NULL);
        posted += (uint64_t)p[i].posted;
        assert_int_equal(p[i].posted + p[i].full, EACH);
        credits_free(p[i].credits);
    }
    loop_timer_in(t, 20);
    loop_run(s.loop);
    assert_int_equal(s.sum, posted);
    assert_int_equal(mailbox_reserved(s.mb), 0);
    loop_timer_free(t);
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_deepest_it_was_is_told_for_two_windows),
        cmocka_unit_test(test_strings_are_copied_into_the_message),
        cmocka_unit_test(test_a_message_that_is_dropped_closes_its_socket),
        cmocka_unit_test(test_messages_arrive_in_order),
        cmocka_unit_test(test_a_full_box_refuses_and_frees),
        cmocka_unit_test(test_a_credit_is_room_that_others_cannot_take),
        cmocka_unit_test(test_more_credits_than_room_are_not_given),
        cmocka_unit_test(test_credits_freed_early_keep_what_is_queued),
        cmocka_unit_test(test_a_closed_box_says_gone),
        cmocka_unit_test(test_four_threads_post_at_once_and_nothing_is_lost_or_above_capacity),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
