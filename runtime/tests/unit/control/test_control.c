/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket from outside: a peer thread asks, the loop answers. */
#include "control/control.h"

#include "base/err.h"
#include "control/socket.h"
#include "unit/control/fake_node.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

enum { ASKS_MAX = 4 };

struct world {
    char dir[64];
    struct settings settings;
    struct loop *loop;
    struct control *control;
    struct fake_node node;
    struct mailbox *done; /* tells the loop that the peer has its answers */
    pthread_t thread;
    const char *asks[ASKS_MAX]; /* "GET /api/v1/status" */
    const char *bodies[ASKS_MAX];
    char answers[ASKS_MAX][4096];
};

static void on_done(struct message *m, void *arg)
{
    struct world *w = arg;

    message_free(m);
    loop_stop(w->loop);
}

static int set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct control_opts o = {0};
    char why[512];

    strcpy(w->dir, "/tmp/control.XXXXXX");
    if (!mkdtemp(w->dir) || loop_new(&w->loop) != 0)
        return -1;
    w->settings.data = w->dir;
    w->settings.library_path = (char *)(uintptr_t) "scripts";
    w->node.status = "{\"calls\":1}";
    w->node.calls = "[{\"call\":\"CAlive\",\"state\":\"taken\"}]";
    o.settings = &w->settings;
    o.loop = w->loop;
    if (control_new(&w->control, &o, why, sizeof(why)) != 0) {
        print_error("%s\n", why);
        return -1;
    }
    if (control_listen(w->control, why, sizeof(why)) != 0)
        return -1;
    control_attach(w->control, fake_as_node(&w->node));
    if (mailbox_new(&w->done, w->loop, 4, on_done, w) != 0)
        return -1;
    *state = w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;
    char command[128];

    mailbox_free(w->done);
    control_free(w->control);
    loop_free(w->loop);
    snprintf(command, sizeof(command), "rm -rf %s", w->dir);
    free(w);
    return system(command);
}

static int dial(const char *dir)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    snprintf(a.sun_path, sizeof(a.sun_path), "%s/control.sock", dir);
    if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
        return fd;
    close(fd);
    return -1;
}

static void ask(struct world *w, int i)
{
    static char request[32768];
    size_t n = 0;
    ssize_t got;
    int fd = dial(w->dir);

    snprintf(request, sizeof(request),
             "%s HTTP/1.1\r\nhost: x\r\nx-ringdown-command: 1\r\ncontent-length: %zu\r\n\r\n%s",
             w->asks[i], w->bodies[i] ? strlen(w->bodies[i]) : 0, w->bodies[i] ? w->bodies[i] : "");
    if (fd < 0 || write(fd, request, strlen(request)) < 0)
        return;
    while ((got = read(fd, w->answers[i] + n, sizeof(w->answers[i]) - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
}

static void *peer(void *arg)
{
    struct world *w = arg;

    for (int i = 0; i < ASKS_MAX && w->asks[i]; i++)
        ask(w, i);
    mailbox_post(w->done, message_new(MSG_STOP, 0, NULL, 0));
    return NULL;
}

static void run_peer(struct world *w)
{
    assert_int_equal(0, pthread_create(&w->thread, NULL, peer, w));
    loop_run(w->loop);
    pthread_join(w->thread, NULL);
}

static void assert_answer(const struct world *w, int i, const char *status, const char *body)
{
    const char *head = w->answers[i], *end = strstr(head, "\r\n\r\n");

    assert_non_null(end);
    if (strncmp(head + 9, status, 3) != 0 || strcmp(end + 4, body) != 0)
        fail_msg("expected %s %s, got: %s", status, body, head);
}

static void record(struct world *w, const char *json)
{
    struct rd_str s = rd_str(json);

    assert_int_equal(0,
                     mailbox_post(control_mailbox(w->control), message_new(MSG_RECORD, 0, &s, 1)));
}

static void test_status_and_calls_are_answered(void **state)
{
    struct world *w = *state;

    w->asks[0] = "GET /api/v1/status";
    w->asks[1] = "POST /api/v1/calls/CAlive/hang-up";
    w->asks[2] = "POST /api/v1/calls/CAgone/hang-up";
    w->asks[3] = "DELETE /api/v1/status";
    run_peer(w);
    assert_answer(w, 0, "200", "{\"calls\":1}");
    assert_non_null(strstr(w->answers[1], "202"));
    assert_non_null(strstr(w->answers[2], "404"));
    assert_string_equal("CAgone", w->node.asked_of);
    assert_non_null(strstr(w->answers[3], "405"));
}

static void test_what_is_sent_reaches_the_call_with_who_sent_it(void **state)
{
    struct world *w = *state;
    char expected[128];

    w->asks[0] = "POST /api/v1/calls/CAlive/whisper";
    w->bodies[0] = "{\"text\":\"Offer a discount.\",\"now\":true}";
    run_peer(w);
    assert_non_null(strstr(w->answers[0], "202"));
    snprintf(expected, sizeof(expected), "whisper Offer a discount. now by control socket uid %u",
             (unsigned)geteuid());
    assert_string_equal(expected, w->node.asked);
    assert_string_equal("CAlive", w->node.asked_of);
}

static void test_what_is_no_json_or_too_much_of_it_reaches_nobody(void **state)
{
    static char large[20000];
    struct world *w = *state;

    memset(large, 'x', sizeof(large) - 1);
    w->asks[0] = w->asks[1] = w->asks[2] = "POST /api/v1/calls/CAlive/transfer";
    w->bodies[0] = "{\"to\":";
    w->bodies[1] = "[\"office\"]";
    w->bodies[2] = large;
    run_peer(w);
    assert_non_null(strstr(w->answers[0], "400"));
    assert_non_null(strstr(w->answers[1], "400"));
    assert_non_null(strstr(w->answers[2], "413"));
    assert_string_equal("", w->node.asked);
}

static void test_records_become_events_and_summaries(void **state)
{
    struct world *w = *state;

    record(w, "{\"type\":\"turn\",\"call\":\"CAx\",\"role\":\"caller\",\"text\":\"hello\"}");
    record(w, "{\"type\":\"ended\",\"call\":\"CAx\",\"reason\":\"caller_hangup\",\"turns\":1}");
    w->asks[0] = "GET /api/v1/calls/CAx";
    w->asks[1] = "GET /api/v1/events?after=1";
    run_peer(w);
    assert_non_null(strstr(w->answers[0], "\"reason\":\"caller_hangup\""));
    assert_answer(w, 1, "200",
                  "[{\"event\":2,\"type\":\"ended\",\"call\":\"CAx\",\"reason\":\"caller_hangup\","
                  "\"turns\":1}]");
}

/* The peer waits for an event that comes only once it asked. */
static void on_later(void *arg)
{
    record(arg, "{\"type\":\"dtmf\",\"call\":\"CAx\",\"digit\":\"5\"}");
}

static void test_who_waits_for_an_event_gets_it_when_it_comes(void **state)
{
    struct world *w = *state;
    struct loop_timer *later;

    assert_int_equal(0, loop_timer_new(&later, w->loop, on_later, w));
    loop_timer_in(later, 50);
    w->asks[0] = "GET /api/v1/events?after=0";
    run_peer(w);
    loop_timer_free(later);
    assert_answer(w, 0, "200",
                  "[{\"event\":1,\"type\":\"dtmf\",\"call\":\"CAx\",\"digit\":\"5\"}]");
}

static void test_without_a_node_requests_are_told_so(void **state)
{
    struct world *w = *state;

    control_attach(w->control, NULL);
    w->asks[0] = "GET /api/v1/status";
    w->asks[1] = "GET /api/v1/calls";
    run_peer(w);
    assert_non_null(strstr(w->answers[0], "503"));
    assert_non_null(strstr(w->answers[1], "503"));
}

static void test_a_broken_record_is_dropped(void **state)
{
    struct world *w = *state;

    record(w, "not json");
    record(w, "{\"type\":7,\"call\":[]}");
    w->asks[0] = "GET /api/v1/events?after=0";
    run_peer(w);
    assert_answer(w, 0, "200", "[{\"event\":1,\"type\":7,\"call\":[]}]");
}

static void test_the_socket_is_for_its_user_alone(void **state)
{
    struct world *w = *state;
    struct stat st;
    char path[128];
    int ends[2];

    snprintf(path, sizeof(path), "%s/control.sock", w->dir);
    assert_int_equal(0, stat(path, &st));
    assert_int_equal(0600, st.st_mode & 0777);
    assert_int_equal(0, socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
    assert_true(control_peer_allowed(ends[0])); /* ourselves */
    close(ends[0]);
    close(ends[1]);
    assert_false(control_peer_allowed(STDIN_FILENO)); /* no socket: nobody */
}

static void test_a_second_ringdown_on_the_folder_is_refused(void **state)
{
    struct world *w = *state;
    struct control_opts o = {.settings = &w->settings, .loop = w->loop};
    struct control *second = NULL;
    char why[512] = "";

    assert_int_equal(-EADDRINUSE, control_new(&second, &o, why, sizeof(why)));
    assert_null(second);
    assert_non_null(strstr(why, "another ringdown serves the data folder"));
    assert_int_not_equal(-1, dial(w->dir)); /* the first one's socket is still there */
}

static void test_the_socket_of_a_dead_process_is_replaced(void **state)
{
    char dir[] = "/tmp/control.XXXXXX", path[64], why[256];
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct control_socket s;
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/control.sock", dir);
    assert_int_equal(0, bind(fd, (struct sockaddr *)&a, sizeof(a)));
    close(fd); /* its name stays, as after a crash */
    assert_int_equal(0, control_socket_open(&s, dir, 0, why, sizeof(why)));
    assert_int_equal(0, control_socket_listen(&s, dir, why, sizeof(why)));
    fd = dial(dir);
    assert_int_not_equal(-1, fd);
    close(fd);
    control_socket_close(&s);
    assert_int_equal(-1, dial(dir));
    snprintf(path, sizeof(path), "%s/lock", dir);
    unlink(path);
    assert_int_equal(0, rmdir(dir)); /* nothing else was left */
}

static void test_a_missing_library_is_told(void **state)
{
    char dir[] = "/tmp/control.XXXXXX", why[1024] = "", command[64];
    struct settings s = {.data = dir, .library_path = dir};
    struct control *c = NULL;
    struct control_opts o = {.settings = &s};

    (void)state;
    assert_non_null(mkdtemp(dir));
    assert_int_equal(0, loop_new(&o.loop));
    assert_int_equal(RD_ESCRIPT, control_new(&c, &o, why, sizeof(why)));
    assert_non_null(strstr(why, "ringdown.api"));
    loop_free(o.loop);
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    assert_int_equal(0, system(command));
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_status_and_calls_are_answered),
        STORY(test_what_is_sent_reaches_the_call_with_who_sent_it),
        STORY(test_what_is_no_json_or_too_much_of_it_reaches_nobody),
        STORY(test_records_become_events_and_summaries),
        STORY(test_who_waits_for_an_event_gets_it_when_it_comes),
        STORY(test_without_a_node_requests_are_told_so),
        STORY(test_a_broken_record_is_dropped),
        STORY(test_the_socket_is_for_its_user_alone),
        STORY(test_a_second_ringdown_on_the_folder_is_refused),
        cmocka_unit_test(test_the_socket_of_a_dead_process_is_replaced),
        cmocka_unit_test(test_a_missing_library_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
