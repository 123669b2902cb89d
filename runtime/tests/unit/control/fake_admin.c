/* SPDX-License-Identifier: Apache-2.0 */
/* fake_admin.c - see fake_admin.h. */
#include "unit/control/fake_admin.h"
#include "base/log.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

static const char fine[] =
    "{\"status\":200,\"type\":\"application/"
    "json\",\"headers\":{\"etag\":\"\\\"7\\\"\"},\"body\":\"{\\\"a\\\":1}\"}";

/* ---- the loop's side ---- */

static void on_unknown(void *arg, uint64_t key)
{
    admin_unknown(((struct world *)arg)->admin, key);
}

static void on_order(struct message *m, void *arg)
{
    order_fn *fn;

    memcpy(&fn, m->s[0].p, sizeof(fn));
    fn(arg);
    message_free(m);
}

void order(struct world *w, order_fn *fn)
{
    struct rd_str s = {(const char *)&fn, sizeof(fn)};

    assert_int_equal(mailbox_post(w->orders, message_new(MSG_STOP, 0, &s, 1)), 0);
}

static void stop(struct world *w)
{
    loop_stop(w->loop);
}

int admin_set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct api_opts ao = {.on_unknown = on_unknown, .arg = w};
    struct readers_opts ro = {0};
    struct admin_opts lo = {.settings = &w->settings};

    log_config(LOG_ERROR, LOG_LOGFMT);
    w->node = calloc(1, sizeof(*w->node));
    w->node->api_result = fine;
    w->node->status =
        "{\"calls\":1,\"max_calls\":10,\"agents\":[{}],\"agent_errors\":0,\"uptime_s\":5}";
    w->node->readiness.configured = true;
    w->settings.admin_listen = (char *)(uintptr_t) "127.0.0.1:0";
    w->settings.admin_hosts = (char *)(uintptr_t) "";
    assert_int_equal(loop_new(&w->loop), 0);
    ao.loop = ro.loop = lo.loop = w->loop;
    (void)snprintf(w->data, sizeof(w->data), "/tmp/test_admin.XXXXXX");
    assert_non_null(mkdtemp(w->data));
    ao.data = w->data;
    assert_int_equal(events_new(&w->events), 0);
    assert_int_equal(api_new(&w->api, &ao), 0);
    ro.events = w->events;
    ro.api = lo.api = w->api;
    assert_int_equal(readers_new(&w->readers, &ro), 0);
    api_set_readers(w->api, w->readers);
    lo.readers = w->readers;
    assert_int_equal(admin_new(&w->admin, &lo), 0);
    admin_listen(w->admin);
    api_attach(w->api, fake_as_node(w->node));
    admin_attach(w->admin, fake_as_node(w->node));
    assert_int_equal(mailbox_new(&w->orders, w->loop, 256, on_order, w), 0);
    *state = w;
    return 0;
}

int admin_tear_down(void **state)
{
    struct world *w = *state;

    mailbox_free(w->orders);
    admin_free(w->admin);
    readers_free(w->readers);
    api_free(w->api);
    events_free(w->events);
    loop_free(w->loop);
    free(w->node);
    (void)rmdir(w->data);
    free(w);
    return 0;
}

/* ---- the peer's side ---- */

int dial(const struct world *w)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(admin_port(w->admin))};
    struct timeval patience = {.tv_sec = 5};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

const char *hear(int fd, char *out, size_t cap, const char *until)
{
    size_t n = strlen(out);
    ssize_t got;

    while (!(until && strstr(out, until)) && n + 1 < cap &&
           (got = recv(fd, out + n, cap - 1 - n, 0)) > 0) {
        n += (size_t)got;
        out[n] = '\0';
    }
    return out;
}

const char *ask(struct world *w, const char *line, const char *headers)
{
    char request[4096];
    int fd = dial(w);

    (void)snprintf(request, sizeof(request), "%s HTTP/1.1\r\n%s%s\r\n", line,
                   strstr(headers, "ost:") ? "" : "Host: localhost\r\n", headers);
    w->got[0] = '\0';
    say(fd, request);
    hear(fd, w->got, sizeof(w->got), NULL);
    close(fd);
    return w->got;
}

void want(const char *got, int status, const char *text)
{
    char head[32];

    (void)snprintf(head, sizeof(head), "HTTP/1.1 %d ", status);
    if (strncmp(got, head, strlen(head)) != 0 || !strstr(got, text))
        fail_msg("wanted %d with %s, got: %.1500s", status, text, got);
    assert_non_null(strstr(got, "\r\nx-content-type-options: nosniff\r\n"));
    assert_non_null(strstr(got, "\r\ncache-control: no-store\r\n"));
    if (status == 503)
        assert_non_null(strstr(got, "\r\nretry-after: "));
}

static void *run(void *arg)
{
    struct world *w = arg;

    w->peer(w);
    order(w, stop);
    return NULL;
}

void play(void **state, void (*peer)(struct world *w))
{
    struct world *w = *state;

    w->peer = peer;
    assert_int_equal(pthread_create(&w->thread, NULL, run, w), 0);
    loop_run(w->loop);
    pthread_join(w->thread, NULL);
}
