/* SPDX-License-Identifier: Apache-2.0 */
/* test_operation_host.c - what a job of the library may do that a call may not: secrets, files that are
 * kept, mails and requests, facts of others, Vapi. */
#include "unit/agent/fake_operation.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* --- what it may do --- */

static void test_it_may_tell_people_by_mail_and_request(void **state)
{
    (void)state;
    expect("tells", "{}",
           "{\"after\":0,\"code\":\"refused\","
           "\"hmac\":\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\","
           "\"how\":\"not_sent\",\"kind\":\"target.openxwords\",\"no\":\"Connection refused\","
           "\"posted\":\"nil\",\"ready\":false,\"sent\":\"nil\",\"split\":false,"
           "\"why\":\"there is no mail server: set smtp.url and smtp.from\"}");
}

static void test_it_sees_the_agents(void **state)
{
    (void)state;
    expect(
        "agents", "{}",
        "{\"broken\":0,\"has_vapi\":false,\"name\":\"test\",\"number\":\"+13125550100\",\"shown\":"
        "\"test\",\"url\":\"\"}");
}

static void test_it_has_no_call_and_no_agents_data(void **state)
{
    (void)state;
    expect("no_call", "{}", "{\"db\":\"nil\",\"say\":\"nil\"}");
}

static void test_it_makes_secrets_and_acts_for_whoever_turns_out_to_ask(void **state)
{
    (void)state;
    expect("secret", "{}",
           "{\"after\":\"token ops (operator)\",\"before\":\"ann\",\"differ\":true,\"digest\":"
           "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"hex\":64}");
}

static void test_its_facts_are_of_whom_it_says(void **state)
{
    (void)state;
    expect("fact", "{}", "{\"kept\":true}");
    assert_string_equal(fake_next_fact(&node), "vapi 0 test {\"seen_by\":\"poll\"}");
}

static void test_files_are_kept_whole_and_ours_alone(void **state)
{
    struct stat st;
    char path[200];

    (void)state;
    expect("keep", "{}",
           "{\"empty\":\"\",\"gone\":true,\"names\":\"a/+1.json "
           "a/b.json\",\"some\":1,\"text\":\"two\"}");
    (void)snprintf(path, sizeof(path), "%s/a/c/d", stand.kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof(path), "%s/a/c", stand.kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_no_name_leaves_the_folder(void **state)
{
    (void)state;
    expect("names", "{}", "{\"refused\":24}");
}

static void test_a_disk_that_refuses_is_told(void **state)
{
    char path[200];
    FILE *f;

    (void)state;
    assert_int_equal(mkdir(stand.kept, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/file", stand.kept);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fclose(f);
    expect("full", "{}", "{\"why\":\"Not a directory\"}");
}

/* --- Vapi --- */

static struct {
    int fd;
    pthread_t thread;
    char asked[4096];
} server;

static void *serve(void *arg)
{
    static const char reply[] =
        "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    int fd = accept(server.fd, NULL, NULL);
    size_t n = 0;

    (void)arg;
    while (fd >= 0 && !strstr(server.asked, "{\"a\":1}") && n < sizeof(server.asked) - 1) {
        ssize_t got = recv(fd, server.asked + n, sizeof(server.asked) - 1 - n, 0);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static int set_up_vapi(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    memset(&server, 0, sizeof(server));
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(server.fd, 4), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(stand.vapi_api, sizeof(stand.vapi_api), "http://127.0.0.1:%d",
                   ntohs(at.sin_port));
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    return operation_set_up(state);
}

static int tear_down_vapi(void **state)
{
    stand.vapi_api[0] = '\0';
    close(server.fd);
    return operation_tear_down(state);
}

static void test_vapi_is_asked_with_the_key(void **state)
{
    (void)state;
    expect("vapi", "{}", "{\"body\":\"{}\",\"ready\":true,\"status\":201}");
    pthread_join(server.thread, NULL);
    assert_memory_equal(server.asked, "POST /call?limit=2 HTTP/1.1\r\n", 29);
    assert_non_null(strstr(server.asked, "Authorization: Bearer key-123\r\n"));
    assert_non_null(strstr(server.asked, "Content-Type: application/json\r\n"));
}

static void test_without_a_key_it_says_what_to_do(void **state)
{
    (void)state;
    expect(
        "vapi", "{}",
        "{\"ready\":false,\"sent\":\"not_sent\",\"why\":\"there is no key for Vapi: set vapi.key "
        "(VAPI_API_KEY)\"}");
    expect("vapi_path", "{}", "{\"ok\":false}");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIVES(test_it_may_tell_people_by_mail_and_request),
        LIVES(test_it_sees_the_agents),
        LIVES(test_it_has_no_call_and_no_agents_data),
        LIVES(test_it_makes_secrets_and_acts_for_whoever_turns_out_to_ask),
        LIVES(test_its_facts_are_of_whom_it_says),
        LIVES(test_files_are_kept_whole_and_ours_alone),
        LIVES(test_no_name_leaves_the_folder),
        LIVES(test_a_disk_that_refuses_is_told),
        cmocka_unit_test_setup_teardown(test_vapi_is_asked_with_the_key, set_up_vapi,
                                        tear_down_vapi),
        LIVES(test_without_a_key_it_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
