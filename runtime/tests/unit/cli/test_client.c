/* SPDX-License-Identifier: Apache-2.0 */
/* The client against a node that answers well, badly, or not at all. */
#include "cli/client.h"

#include "base/err.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

struct node {
    char dir[64];
    int listen_fd;
    pthread_t thread;
    const char *answer;
    char asked[1024];
};

/* Takes one request, answers with the given bytes, closes. */
static void *answer_once(void *arg)
{
    struct node *n = arg;
    int fd = accept(n->listen_fd, NULL, NULL);
    ssize_t got = read(fd, n->asked, sizeof(n->asked) - 1);

    n->asked[got > 0 ? got : 0] = '\0';
    if (write(fd, n->answer, strlen(n->answer)) < 0)
        n->asked[0] = '\0';
    close(fd);
    return NULL;
}

static int set_up(void **state)
{
    struct node *n = calloc(1, sizeof(*n));
    struct sockaddr_un a = {.sun_family = AF_UNIX};

    strcpy(n->dir, "/tmp/client.XXXXXX");
    if (!mkdtemp(n->dir))
        return -1;
    snprintf(a.sun_path, sizeof(a.sun_path), "%s/control.sock", n->dir);
    n->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    *state = n;
    return bind(n->listen_fd, (struct sockaddr *)&a, sizeof(a)) || listen(n->listen_fd, 4);
}

static int tear_down(void **state)
{
    struct node *n = *state;
    char path[128];

    close(n->listen_fd);
    snprintf(path, sizeof(path), "%s/control.sock", n->dir);
    unlink(path);
    rmdir(n->dir);
    free(n);
    return 0;
}

/* One exchange; returns what client_request() returned. */
static int ask(struct node *n, const char *answer, struct buf *body, char why[256])
{
    int rc;

    n->answer = answer;
    why[0] = '\0';
    assert_int_equal(0, pthread_create(&n->thread, NULL, answer_once, n));
    rc = client_request(n->dir, "GET", "/api/v1/status", body, why, 256);
    pthread_join(n->thread, NULL);
    return rc;
}

static void test_a_body_comes_back_with_its_status(void **state)
{
    struct node *n = *state;
    struct buf body;
    char why[256];

    buf_init(&body, CLIENT_BODY_MAX);
    assert_int_equal(404,
                     ask(n, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", &body, why));
    assert_string_equal("{}", buf_text(&body));
    assert_non_null(strstr(n->asked, "GET /api/v1/status HTTP/1.1\r\n"));
    buf_fini(&body);
}

static void test_what_is_sent_goes_as_it_is(void **state)
{
    struct node *n = *state;
    struct buf body;
    char why[256];

    n->answer = "HTTP/1.1 202 Accepted\r\ncontent-length: 2\r\n\r\n{}";
    buf_init(&body, CLIENT_BODY_MAX);
    assert_int_equal(0, pthread_create(&n->thread, NULL, answer_once, n));
    assert_int_equal(202, client_send(n->dir, "POST", "/x", RD_STR("{\"to\":\"office\"}"), &body,
                                      why, sizeof(why)));
    pthread_join(n->thread, NULL);
    assert_non_null(strstr(n->asked, "POST /x HTTP/1.1\r\n"));
    assert_non_null(strstr(n->asked, "content-length: 15\r\n"));
    assert_non_null(strstr(n->asked, "\r\n\r\n{\"to\":\"office\"}"));
    buf_fini(&body);
}

static void test_an_answer_cut_short_is_no_answer(void **state)
{
    static const char *const broken[] = {"", "HTTP/1.1 200 OK\r\n",
                                         "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}",
                                         "HTTP/1.1 xyz\r\n\r\n", "SSH-2.0-OpenSSH\r\n\r\n"};
    struct node *n = *state;
    struct buf body;
    char why[256];

    buf_init(&body, CLIENT_BODY_MAX);
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        assert_int_equal(RD_EPROTO, ask(n, broken[i], &body, why));
        assert_non_null(strstr(why, "closed the connection"));
        assert_int_equal(0, body.n);
    }
    buf_fini(&body);
}

static void test_a_body_beyond_the_limit_is_refused(void **state)
{
    struct node *n = *state;
    struct buf small;
    char why[256];

    buf_init(&small, 4);
    assert_int_equal(RD_EFULL, ask(n, "HTTP/1.1 200 OK\r\n\r\n12345", &small, why));
    buf_fini(&small);
}

static void test_nobody_there_is_told_with_the_remedy(void **state)
{
    struct buf body;
    char why[256];

    (void)state;
    buf_init(&body, 16);
    assert_true(client_request("/nonexistent", "GET", "/", &body, why, sizeof(why)) < 0);
    assert_non_null(strstr(why, "ringdown serve"));
    buf_fini(&body);
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_body_comes_back_with_its_status),
        STORY(test_what_is_sent_goes_as_it_is),
        STORY(test_an_answer_cut_short_is_no_answer),
        STORY(test_a_body_beyond_the_limit_is_refused),
        cmocka_unit_test(test_nobody_there_is_told_with_the_remedy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
