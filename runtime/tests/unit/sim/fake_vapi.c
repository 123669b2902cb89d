/* SPDX-License-Identifier: Apache-2.0 */
/* fake_vapi.c - see fake_vapi.h. Nothing waits longer than it takes. */
#include "fake_vapi.h"

#include "base/log.h"
#include "io/accepter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ACCOUNT "AC5f1d0e7a29b84c36a1e0d9c7b6a59483"

/* ---- the server that messages go to ---- */

static void keep_header(char *out, size_t cap, const struct http_request *r, const char *name)
{
    struct rd_str got = http_header(r, name);

    if (got.p)
        (void)rd_str_copy(out, cap, got);
}

static void take_message(struct desk *d, struct http_request *r)
{
    static const char *const proofs[] = {"authorization", "x-vapi-secret", "x-signature"};
    char body[sizeof(d->body)];
    json_t *whole, *message;
    const char *text = NULL;

    assert_true(rd_str_copy(body, sizeof(body), http_body(r)));
    d->bodies_alike = strcmp(body, d->body) == 0;
    memcpy(d->body, body, sizeof(body));
    for (size_t i = 0; i < 3; i++)
        keep_header(d->proof, sizeof(d->proof), r, proofs[i]);
    keep_header(d->stamp, sizeof(d->stamp), r, "x-timestamp");
    whole = json_loads(body, 0, NULL);
    message = json_object_get(whole, "message");
    assert_non_null(message);
    json_array_append(d->messages, message);
    if (d->answer)
        text = d->answer(json_string_value(json_object_get(message, "type")), message);
    http_reply(r, d->answer_status ? d->answer_status : 200, "application/json",
               rd_str(text ? text : "{}"));
    json_decref(whole);
    if (d->wanted > 0 && json_array_size(d->messages) >= d->wanted)
        loop_stop(d->loop);
}

static void on_request(struct http_request *r, void *arg)
{
    struct desk *d = arg;

    if (rd_str_eq(http_path(r), RD_STR("/vapi/events")))
        take_message(d, r);
    else if (d->page && rd_str_eq(http_path(r), RD_STR("/twilio/voice")))
        http_reply(r, 200, "text/xml", rd_str(d->page));
    else
        http_reply(r, 204, NULL, RD_STR(""));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    (void)r;
    (void)accept;
    (void)arg;
    return 404;
}

/* ---- coming and going ---- */

static void on_give_up(void *arg)
{
    struct desk *d = arg;

    fprintf(stderr, "gave up with %zu messages\n", json_array_size(d->messages));
    d->gave_up = true;
    loop_stop(d->loop);
}

static void on_pause(void *arg)
{
    loop_stop(((struct desk *)arg)->loop);
}

int desk_set_up_with(void **state, struct vapi_double_opts o)
{
    static const struct http_handlers handlers = {
        .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};
    struct desk *d = calloc(1, sizeof(*d));
    struct http_server_opts h = {
        .handlers = &handlers, .arg = d, .max_body = sizeof(d->body), .max_connections = 100};
    char why[400], server[100];
    int fd;

    *state = d;
    log_config(LOG_ERROR, LOG_LOGFMT);
    assert_int_equal(loop_new(&d->loop), 0);
    h.loop = o.loop = d->loop;
    d->messages = json_array();
    assert_int_equal(http_client_new(&d->client, d->loop, NULL), 0);
    assert_int_equal(listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)), 0);
    assert_int_equal(listener_start(&d->listener, &h, fd), 0);
    snprintf(d->url, sizeof(d->url), "http://127.0.0.1:%u", listener_port(d->listener));
    snprintf(server, sizeof(server), "%s/vapi/events", d->url);
    o.server = server;
    o.listen = "127.0.0.1:0";
    o.account = ACCOUNT;
    o.log = getenv("RINGDOWN_VAPI_LOG"); /* for spec/judge/ */
    assert_int_equal(vapi_double_start(&d->vapi, &o, why, sizeof(why)), 0);
    snprintf(d->origin, sizeof(d->origin), "127.0.0.1:%u", vapi_double_port(d->vapi));
    assert_int_equal(loop_timer_new(&d->give_up, d->loop, on_give_up, d), 0);
    assert_int_equal(loop_timer_new(&d->pause, d->loop, on_pause, d), 0);
    return 0;
}

int desk_set_up(void **state)
{
    return desk_set_up_with(state, (struct vapi_double_opts){.listen = NULL});
}

int desk_tear_down(void **state)
{
    struct desk *d = *state;

    desk_wait(d, 50); /* what is on its way arrives */
    vapi_double_stop(d->vapi);
    listener_stop(d->listener);
    http_client_free(d->client);
    loop_timer_free(d->give_up);
    loop_timer_free(d->pause);
    loop_free(d->loop);
    json_decref(d->messages);
    json_decref(d->json);
    free(d);
    return 0;
}

/* ---- asking ---- */

static void on_answer(const struct http_result *r, void *arg)
{
    struct desk *d = arg;

    d->err = r->err;
    d->status = r->status;
    assert_true(rd_str_copy(d->text, sizeof(d->text), r->body));
    assert_true(rd_str_copy(d->head, sizeof(d->head), r->head));
    json_decref(d->json);
    d->json = json_loads(d->text, 0, NULL);
    loop_stop(d->loop);
}

static void ask(struct desk *d, const struct http_call_opts *o)
{
    struct http_call *call;

    assert_int_equal(http_call_start(&call, d->client, o, on_answer, d), 0);
    loop_timer_in(d->give_up, DESK_GIVE_UP_MS);
    loop_run(d->loop);
    loop_timer_stop(d->give_up);
}

void desk_ask_as(struct desk *d, const char *key, const char *method, const char *path,
                 const char *body)
{
    char url[400], authorization[120];
    const char *const header[] = {"Content-Type: application/json", key ? authorization : NULL,
                                  NULL};
    struct http_call_opts o = {
        .method = method, .url = url, .header = header, .body = rd_str(body ? body : "")};

    snprintf(url, sizeof(url), "http://%s%s", d->origin, path);
    snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s", key ? key : "");
    ask(d, &o);
}

void desk_ask(struct desk *d, const char *method, const char *path, const char *body)
{
    desk_ask_as(d, VAPI_DOUBLE_KEY, method, path, body);
}

void desk_form(struct desk *d, const char *path, const char *form)
{
    char url[400];
    const char *const header[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    struct http_call_opts o = {
        .method = "POST", .url = url, .header = header, .body = rd_str(form)};

    snprintf(url, sizeof(url), "http://%s%s", d->origin, path);
    ask(d, &o);
}

void desk_wait(struct desk *d, unsigned ms)
{
    loop_timer_in(d->pause, ms);
    loop_run(d->loop);
}

void desk_wait_messages(struct desk *d, size_t n)
{
    d->wanted = n;
    if (json_array_size(d->messages) < n) {
        loop_timer_in(d->give_up, DESK_GIVE_UP_MS);
        loop_run(d->loop);
        loop_timer_stop(d->give_up);
    }
    d->wanted = 0;
    assert_true(json_array_size(d->messages) >= n);
}

/* ---- looking ---- */

const json_t *desk_message(const struct desk *d, const char *type, size_t n)
{
    json_t *one;
    size_t i;

    json_array_foreach(d->messages, i,
                       one) if (strcmp(json_at(one, "type"), type) == 0 && n-- == 0) return one;
    return NULL;
}

const char *json_at(const json_t *tree, const char *path)
{
    static char number[40];
    char word[64];

    while (tree && *path) {
        size_t n = strcspn(path, ".");
        assert_true(rd_str_copy(word, sizeof(word), (struct rd_str){path, n}));
        tree = json_is_array(tree) ? json_array_get(tree, strtoul(word, NULL, 10))
                                   : json_object_get(tree, word);
        path += n;
        path += *path == '.';
    }
    if (json_is_number(tree)) {
        snprintf(number, sizeof(number), "%.10g", json_number_value(tree));
        return number;
    }
    return json_is_string(tree) ? json_string_value(tree) : "";
}

const char *desk_at(const struct desk *d, const char *path)
{
    return json_at(d->json, path);
}
