/* SPDX-License-Identifier: Apache-2.0 */
/* Who follows what happens through the admin listener: streams, and those who ask again and again. */
#include "control/polls.h"
#include "unit/control/fake_admin.h"

#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- streams ---- */

static const char listen_text[] =
    "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n";
static const char stream_of_all[] = "{\"status\":200,\"stream\":{\"masked\":false}}";

static int listen_with(struct world *w, const char *headers, char *got, size_t cap)
{
    int fd = dial(w);

    got[0] = '\0';
    say(fd, listen_text);
    say(fd, headers);
    say(fd, "\r\n");
    hear(fd, got, cap, "retry: 2000\n\n");
    if (strncmp(got, "HTTP/1.1 200 ", 13) != 0)
        fail_msg("no stream: %s", got);
    return fd;
}

static void happen(struct world *w)
{
    events_add(w->events,
               RD_STR("{\"type\":\"turn\",\"agent\":\"dentist\",\"from\":\"+13125550142\",\n"
                      "\"text\":\"hello\"}"));
    readers_news(w->readers);
}

static void happen_elsewhere(struct world *w)
{
    events_add(w->events, RD_STR("{\"type\":\"turn\",\"agent\":\"plumber\",\"text\":\"there\"}"));
    events_add(w->events, RD_STR("{\"type\":\"agents\"}"));
    readers_news(w->readers);
}

static void listen_to_all(struct world *w)
{
    char id[64] = "", again[128], *at;
    int fd;

    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    assert_non_null(strstr(w->got, "\r\ncontent-type: text/event-stream\r\n"));
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "hello\"}\n\n");
    at = strstr(w->got, "id: ");
    assert_non_null(at);
    assert_int_equal(sscanf(at, "id: %60[0-9]", id), 1);
    assert_non_null(
        strstr(at, "\ndata: {\"type\":\"turn\",\"agent\":\"dentist\",\"from\":\"+13125550142\", "
                   "\"text\":\"hello\"}\n\n"));
    close(fd);
    order(w, happen_elsewhere);
    usleep(20000);
    (void)snprintf(again, sizeof(again), "Last-Event-ID: %s\r\n", id);
    fd = listen_with(w, again, w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_null(strstr(w->got, "hello"));
    assert_null(strstr(w->got, "missed"));
    assert_non_null(strstr(w->got, "plumber"));
    close(fd);
    fd = listen_with(w, "Last-Event-ID: 12\r\n", w->got, sizeof(w->got)); /* of another process */
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_non_null(strstr(w->got, "event: missed\ndata: {\"from\":13,"));
    assert_non_null(strstr(w->got, "hello"));
    close(fd);
    fd = listen_with(w, "Last-Event-ID: 9000000000000000\r\n", w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), "}\n\n"); /* of another process, which is further */
    assert_non_null(strstr(w->got, "event: missed\ndata: {\"from\":"));
    close(fd);
    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"after\":0}}";
    fd = listen_with(w, "", w->got, sizeof(w->got)); /* all there is */
    hear(fd, w->got, sizeof(w->got), "\"agents\"}\n\n");
    assert_null(strstr(w->got, "missed"));
    assert_non_null(strstr(w->got, "hello"));
    close(fd);
    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got)); /* from now on */
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "hello\"}\n\n");
    assert_null(strstr(w->got, "plumber"));
    close(fd);
}

static void test_who_comes_back_goes_on_where_he_was(void **state)
{
    play(state, listen_to_all);
}

static void listen_to_one(struct world *w)
{
    int fd;

    w->node->api_result = "{\"status\":200,\"stream\":{\"agents\":[\"dentist\"],\"masked\":true}}";
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen_elsewhere);
    order(w, happen);
    hear(fd, w->got, sizeof(w->got), "\"}\n\n");
    assert_non_null(strstr(w->got, "\"from\":\"+1\u202642\",\"text\":\"[hidden]\"}"));
    assert_null(strstr(w->got, "plumber"));
    assert_null(strstr(w->got, "\"agents\""));
    close(fd);
    w->node->api_result =
        "{\"status\":200,\"stream\":{\"agents\":{}}}"; /* an empty list, as Lua has it */
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen);
    w->node->api_result = stream_of_all;
    close(listen_with(w, "", w->got + ANSWER / 2, ANSWER / 2));
    w->got[ANSWER / 2] = '\0';
    usleep(20000);
    assert_int_equal(recv(fd, w->got + ANSWER / 2, 100, MSG_DONTWAIT), -1); /* nothing is theirs */
    close(fd);
}

static void test_a_scope_and_a_mask_hold_for_every_event(void **state)
{
    play(state, listen_to_one);
}

static void say_more(struct world *w)
{
    char got[4096] = "";
    int fd = dial(w);

    w->node->api_result = stream_of_all;
    say(fd, "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nHost: "
            "localhost\r\n\r\n");
    want(hear(fd, got, sizeof(got), NULL), 400, "/problems/http");
    close(fd);
    fd = listen_with(w, "", w->got, sizeof(w->got));
    say(fd, "GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n");
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_null(strstr(w->got, "ok"));
    close(fd);
}

static void test_a_request_behind_a_stream_ends_it(void **state)
{
    play(state, say_more);
    assert_int_equal(readers_count(((struct world *)*state)->readers), 0);
}

static void come_in_numbers(struct world *w)
{
    int fds[READERS_MAX];

    w->node->api_result = stream_of_all;
    for (int i = 0; i < READERS_MAX; i++)
        fds[i] = listen_with(w, "", w->got, sizeof(w->got));
    want(ask(w, "GET /api/v1/events", ""), 503, "Too many streams");
    want(ask(w, "HEAD /api/v1/events", ""), 200, "text/event-stream");
    for (int i = 0; i < READERS_MAX; i++)
        close(fds[i]);
}

/* One token has its part of the places; another one, and whoever has none, still has a place. */
static void one_token_reads(struct world *w)
{
    int fds[READERS_OF_ONE];

    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"holder\":7}}";
    for (int i = 0; i < READERS_OF_ONE; i++)
        fds[i] = listen_with(w, "", w->got, sizeof(w->got));
    want(ask(w, "GET /api/v1/events", ""), 429, "This token has too many streams open");
    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"holder\":8}}";
    close(listen_with(w, "", w->got, sizeof(w->got)));
    w->node->api_result = stream_of_all;
    close(listen_with(w, "", w->got, sizeof(w->got)));
    for (int i = 0; i < READERS_OF_ONE; i++)
        close(fds[i]);
}

static void test_one_token_has_not_all_places_of_readers(void **state)
{
    play(state, one_token_reads);
}

static void test_there_is_room_for_so_many_readers(void **state)
{
    play(state, come_in_numbers);
}

static void end_all(struct world *w)
{
    readers_end_all(w->readers, "another process goes on");
}

static void listen_until_the_end(struct world *w)
{
    int fd;

    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"expires_unix\":1000}}";
    fd = listen_with(w, "", w->got, sizeof(w->got));
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_non_null(strstr(w->got, "event: ended\ndata: {\"why\":\"the token has expired\"}\n\n"));
    close(fd);
    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, end_all);
    hear(fd, w->got, sizeof(w->got), NULL);
    assert_non_null(
        strstr(w->got, "event: ended\ndata: {\"why\":\"another process goes on\"}\n\n"));
    close(fd);
}

static void test_the_end_of_a_stream_is_told(void **state)
{
    play(state, listen_until_the_end);
}

static void happen_much(struct world *w)
{
    static char event[30000];

    (void)memset(event, 'x', sizeof(event));
    memcpy(event, "{\"type\":\"", 9);
    memcpy(event + sizeof(event) - 2, "\"}", 2);
    for (int i = 0; i < 250; i++)
        events_add(w->events, (struct rd_str){event, sizeof(event)});
    readers_news(w->readers);
}

/* Eight megabytes at once: what is not taken waits in the ring, and nothing of it is lost. */
static void catch_up(struct world *w)
{
    static char all[16 << 20];
    size_t n = 0;
    ssize_t got;
    int fd, count = 0;

    w->node->api_result = stream_of_all;
    fd = listen_with(w, "", w->got, sizeof(w->got));
    order(w, happen_much);
    while (count < 250 && (got = recv(fd, all + n, sizeof(all) - n, 0)) > 0)
        for (n += (size_t)got; got > 0; got--)
            count += all[n - (size_t)got] == '}';
    assert_int_equal(count, 250);
    close(fd);
}

static void test_a_reader_who_is_behind_gets_it_all(void **state)
{
    play(state, catch_up);
}

/* ---- those who ask again and again ---- */

static const char *poll(struct world *w, const char *stream)
{
    char result[512];

    (void)snprintf(result, sizeof(result), "{\"status\":200,\"stream\":%s}", stream);
    w->node->api_result = result;
    want(ask(w, "GET /api/v1/events", ""), 200, "{\"items\":[");
    return strstr(w->got, "{\"items\":[");
}

static uint64_t next_of(const char *answer)
{
    const char *at = strstr(answer, "\"next\":");

    assert_non_null(at);
    return strtoull(at + 7, NULL, 10);
}

static void *later(void *arg)
{
    struct world *w = arg;

    usleep(30000);
    order(w, happen_elsewhere);
    order(w, happen);
    return NULL;
}

/* Nothing, all there is, what comes while it waits, and behind that. */
static void ask_again_and_again(struct world *w)
{
    char stream[256];
    pthread_t thread;
    uint64_t next;

    next = next_of(poll(w, "{\"masked\":false,\"after\":0,\"wait_s\":0}"));
    assert_non_null(strstr(w->got, "\"items\":[],"));
    assert_int_equal(pthread_create(&thread, NULL, later, w), 0);
    (void)snprintf(stream, sizeof(stream),
                   "{\"masked\":true,\"agents\":[\"dentist\"],\"after\":%" PRIu64 ",\"wait_s\":55}",
                   next);
    poll(w, stream);
    pthread_join(thread, NULL);
    assert_non_null(strstr(w->got, "\"text\":\"[hidden]\"}}],"));
    assert_non_null(strstr(w->got, "\"missed\":false,\"more\":false}"));
    assert_null(strstr(w->got, "plumber"));
    assert_int_equal(next_of(w->got), next + 3);
    assert_int_equal(next_of(poll(w, "{\"masked\":false,\"after\":0,\"wait_s\":55}")), next + 3);
    assert_non_null(strstr(w->got, "\"event\":{\"type\":\"agents\"}"));
    poll(w, "{\"masked\":false,\"after\":77,\"wait_s\":55}"); /* of another process */
    assert_non_null(strstr(w->got, "\"missed\":true"));
    (void)snprintf(stream, sizeof(stream), "{\"masked\":false,\"after\":%" PRIu64 ",\"wait_s\":55}",
                   next + 4); /* of another one, which is further */
    assert_int_equal(next_of(poll(w, stream)), next + 3);
    assert_non_null(strstr(w->got, "\"missed\":true"));
    assert_int_equal(next_of(poll(w, "{\"masked\":false,\"wait_s\":0}")), next + 3);
    assert_non_null(strstr(w->got, "\"items\":[],"));
}

static void test_who_cannot_hold_a_stream_asks_again(void **state)
{
    play(state, ask_again_and_again);
}

static void flood(struct world *w)
{
    for (int i = 0; i < 1200; i++)
        events_add(w->events, RD_STR("{\"type\":\"turn\",\"agent\":\"dentist\"}"));
    readers_news(w->readers);
}

static void ask_for_much(struct world *w)
{
    char stream[128];
    uint64_t first = next_of(poll(w, "{\"masked\":false,\"wait_s\":0}")), next = first;

    order(w, flood);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(stream, sizeof(stream),
                       "{\"masked\":false,\"after\":%" PRIu64 ",\"wait_s\":5}", next);
        next = next_of(poll(w, stream));
        assert_int_equal(!strstr(w->got, "\"more\":true}"), i == 2);
    }
    assert_int_equal(next, first + 1200);
}

static void test_much_comes_in_pieces(void **state)
{
    play(state, ask_for_much);
}

/* A place is free again when its owner leaves. */
static void crowd_polls(struct world *w)
{
    int fds[POLLS_MAX];

    w->node->api_result = "{\"status\":200,\"stream\":{\"masked\":false,\"wait_s\":55}}";
    for (int i = 0; i < POLLS_MAX; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (int ms = 0; ms < 5000 && w->node->api_asked < POLLS_MAX; ms++)
        usleep(1000);
    want(ask(w, "GET /api/v1/events", ""), 503, "\r\nretry-after: ");
    order(w, happen);
    for (int i = 0; i < POLLS_MAX; i++) {
        w->got[0] = '\0';
        want(hear(fds[i], w->got, sizeof(w->got), NULL), 200, "hello");
        close(fds[i]);
    }
}

static void one_token_waits(struct world *w)
{
    int fds[POLLS_OF_ONE];

    w->node->api_result = "{\"status\":200,\"stream\":{\"holder\":7,\"wait_s\":55}}";
    for (int i = 0; i < POLLS_OF_ONE; i++) {
        fds[i] = dial(w);
        say(fds[i], "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n");
    }
    for (int ms = 0; ms < 5000 && w->node->api_asked < POLLS_OF_ONE; ms++)
        usleep(1000);
    want(ask(w, "GET /api/v1/events", ""), 429, "\r\nretry-after: ");
    assert_non_null(strstr(poll(w, "{\"holder\":8,\"wait_s\":0}"), "items"));
    for (int i = 0; i < POLLS_OF_ONE; i++)
        close(fds[i]);
}

static void test_one_token_has_not_all_places_of_those_who_wait(void **state)
{
    play(state, one_token_waits);
}

static void test_there_is_room_for_so_many_who_wait(void **state)
{
    play(state, crowd_polls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVES(test_who_comes_back_goes_on_where_he_was),
        LIVES(test_a_scope_and_a_mask_hold_for_every_event),
        LIVES(test_a_request_behind_a_stream_ends_it),
        LIVES(test_there_is_room_for_so_many_readers),
        LIVES(test_one_token_has_not_all_places_of_readers),
        LIVES(test_the_end_of_a_stream_is_told),
        LIVES(test_a_reader_who_is_behind_gets_it_all),
        LIVES(test_who_cannot_hold_a_stream_asks_again),
        LIVES(test_much_comes_in_pieces),
        LIVES(test_there_is_room_for_so_many_who_wait),
        LIVES(test_one_token_has_not_all_places_of_those_who_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
