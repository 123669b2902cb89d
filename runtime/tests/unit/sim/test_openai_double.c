/* SPDX-License-Identifier: Apache-2.0 */
/* test_openai_double.c - the OpenAI double as a network peer: a real socket, a real upgrade, a
 * greeting spoken by the real program, and what it wrote down of it. */
#include "sim/openai/double.h"

#include "io/ws.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

struct visit {
    struct loop *loop;
    struct openai_double *peer;
    struct loop_timer *patience;
    struct ws *ws;
    char record[32], log[32];
    bool closed, updated, done;
    unsigned deltas;
    int code;
    enum ws_end why;
    char reason[256];
};

static void on_text(struct ws *w, char *msg, size_t n, void *arg)
{
    struct visit *v = arg;
    json_t *event = json_loadb(msg, n, 0, NULL);
    const char *type = json_string_value(json_object_get(event, "type"));

    (void)w;
    assert_non_null(type);
    v->updated = v->updated || strcmp(type, "session.updated") == 0;
    v->deltas += strcmp(type, "response.output_audio.delta") == 0;
    if (strcmp(type, "response.done") == 0) {
        v->done = true;
        ws_close(v->ws, 1000, "bye");
    }
    json_decref(event);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    struct visit *v = arg;

    (void)w;
    v->ws = NULL;
    v->closed = true;
    v->code = c->code;
    v->why = c->why;
    snprintf(v->reason, sizeof(v->reason), RD_STR_FMT, RD_STR_ARG(c->reason));
    loop_timer_in(v->patience, 50); /* the other end hears of it, too */
}

static void on_open(struct ws *w, void *arg)
{
    static const char update[] =
        "{\"type\":\"session.update\",\n\"session\":{\"type\":\"realtime\",\"audio\":{\"output\":{"
        "\"format\":{\"type\":\"audio/pcmu\"},\"voice\":\"marin\"}}}}";
    static const char greet[] =
        "{\"type\":\"response.create\",\"response\":{\"instructions\":\"Say "
        "exactly: \\\"Hello there.\\\"\"}}";

    (void)arg;
    assert_int_equal(0, ws_send(w, update, strlen(update)));
    assert_int_equal(0, ws_send(w, greet, strlen(greet)));
}

static const struct ws_handlers client = {.open = on_open, .text = on_text, .closed = on_closed};

static void out_of_patience(void *arg)
{
    struct visit *v = arg;

    loop_stop(v->loop);
}

static void pay_visit(struct visit *v, const char *path, const char *key)
{
    const char *header[] = {key, NULL};
    struct openai_double_opts o = {.listen = "127.0.0.1:0"};
    struct ws_connect_opts c = {.header = header, .handlers = &client, .arg = v};
    char url[200], why[200];

    memset(v, 0, sizeof(*v));
    snprintf(v->record, sizeof(v->record), "/tmp/rd-record-XXXXXX");
    snprintf(v->log, sizeof(v->log), "/tmp/rd-log-XXXXXX");
    close(mkstemp(v->record));
    close(mkstemp(v->log));
    assert_int_equal(0, loop_new(&v->loop));
    assert_int_equal(0, loop_timer_new(&v->patience, v->loop, out_of_patience, v));
    o.loop = c.loop = v->loop;
    o.record = v->record;
    o.log = v->log;
    assert_int_equal(0, openai_double_start(&v->peer, &o, why, sizeof(why)));
    snprintf(url, sizeof(url), "ws://127.0.0.1:%u%s", openai_double_port(v->peer), path);
    c.url = url;
    assert_int_equal(0, ws_connect(&v->ws, &c));
    loop_timer_in(v->patience, 10000);
    loop_run(v->loop);
}

static void leave(struct visit *v)
{
    openai_double_stop(v->peer);
    loop_timer_free(v->patience);
    loop_free(v->loop);
    unlink(v->record);
    unlink(v->log);
}

static void read_back(const char *path, char *out, size_t cap)
{
    FILE *f = fopen(path, "re");
    size_t n;

    assert_non_null(f);
    n = fread(out, 1, cap - 1, f);
    out[n] = '\0';
    fclose(f);
}

static void test_a_greeting_arrives_over_a_real_socket(void **state)
{
    char text[8192];
    struct visit v;

    (void)state;
    pay_visit(&v, "/v1/realtime?model=gpt-realtime-2.1", "Authorization: Bearer sk-test");
    assert_true(v.updated);
    assert_true(v.done);
    assert_true(v.deltas > 0);
    assert_int_equal(0, openai_double_violations(v.peer));
    read_back(v.record, text, sizeof(text));
    assert_memory_equal("{\"type\":\"session.update\"", text, 24);
    assert_non_null(strstr(strchr(text, '\n') + 1, "\"response.create\""));
    read_back(v.log, text, sizeof(text));
    assert_non_null(strstr(text, "\"ev\":\"response_done\""));
    leave(&v);
}

static void test_visitors_are_refused_by_status(void **state)
{
    static const struct {
        const char *path, *key;
        int status;
    } cases[] = {
        {"/v1/realtime?model=gpt-realtime-2.1", "Authorization: Bearer sk-wrong", 401},
        {"/v1/realtime?model=gpt-nothing", "Authorization: Bearer sk-test", 404},
        {"/fault/429/v1/realtime?model=gpt-realtime-2.1", "Authorization: Bearer sk-test", 429},
        {"/fault/500/v1/realtime?model=gpt-realtime-2.1", "Authorization: Bearer sk-test", 500},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct visit v;

        pay_visit(&v, cases[i].path, cases[i].key);
        assert_true(v.closed);
        assert_int_equal(WS_END_REFUSED, v.why);
        assert_int_equal(cases[i].status, v.code);
        leave(&v);
    }
}

static void test_a_wrong_key_may_be_told_after_the_upgrade(void **state)
{
    struct visit v;

    (void)state;
    pay_visit(&v, "/fault/3000/v1/realtime?model=gpt-realtime-2.1",
              "Authorization: Bearer sk-test");
    assert_true(v.closed);
    assert_int_equal(WS_END_PEER, v.why);
    assert_int_equal(3000, v.code);
    assert_string_equal("invalid_request_error.invalid_api_key", v.reason);
    leave(&v);
}

static void test_a_connection_breaks_when_asked(void **state)
{
    struct visit v;

    (void)state;
    pay_visit(&v, "/fault/drop-30ms/v1/realtime?model=gpt-realtime-2.1",
              "Authorization: Bearer sk-test");
    assert_true(v.closed);
    assert_int_equal(WS_END_LOST, v.why);
    leave(&v);
}

static void test_a_port_in_use_is_told(void **state)
{
    struct openai_double *one = NULL, *two = NULL;
    struct openai_double_opts o = {.listen = "127.0.0.1:0"};
    char why[200] = "", address[40];

    (void)state;
    assert_int_equal(0, loop_new(&o.loop));
    assert_int_equal(0, openai_double_start(&one, &o, why, sizeof(why)));
    snprintf(address, sizeof(address), "127.0.0.1:%u", openai_double_port(one));
    o.listen = address;
    assert_true(openai_double_start(&two, &o, why, sizeof(why)) < 0);
    assert_null(two);
    assert_true(strlen(why) > 0);
    openai_double_stop(one);
    loop_free(o.loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_greeting_arrives_over_a_real_socket),
        cmocka_unit_test(test_visitors_are_refused_by_status),
        cmocka_unit_test(test_a_wrong_key_may_be_told_after_the_upgrade),
        cmocka_unit_test(test_a_connection_breaks_when_asked),
        cmocka_unit_test(test_a_port_in_use_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
