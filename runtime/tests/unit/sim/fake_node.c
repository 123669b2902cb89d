/* SPDX-License-Identifier: Apache-2.0 */
/* fake_node.c - see fake_node.h. Nothing waits longer than it takes. */
#include "fake_node.h"

#include "base/log.h"
#include "io/accepter.h"
#include "io/mailbox.h"
#include "sim/carrier/form.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the node's side ---- */

static bool is_signed(struct node *n, struct http_request *r, const char *scheme, const char *form)
{
    struct carrier_form f = {.n = 0};
    char url[512], want[CARRIER_SIGNATURE_BYTES];
    struct rd_str got = http_header(r, "x-twilio-signature"), target = http_target(r);

    snprintf(url, sizeof(url), "%s%s" RD_STR_FMT, scheme, n->url + strlen("http"),
             RD_STR_ARG(target));
    carrier_form_read(&f, rd_str(form));
    carrier_sign(want, CARRIER_DOUBLE_TOKEN, url, &f);
    carrier_form_fini(&f);
    return got.p && rd_str_eq(got, rd_str(want));
}

static void on_request(struct http_request *r, void *arg)
{
    struct node *n = arg;
    struct rd_str path = http_path(r), body = http_body(r);
    char *form = strndup(body.p ? body.p : "", body.n);
    bool status = rd_str_eq(path, RD_STR("/twilio/status"));

    snprintf(n->asked + strlen(n->asked), sizeof(n->asked) - strlen(n->asked), RD_STR_FMT " ",
             RD_STR_ARG(path));
    n->unsigned_request = n->unsigned_request || !is_signed(n, r, "http", form);
    snprintf(status ? n->status_form : n->last_voice, sizeof(n->last_voice), "%s", form);
    if (n->n_forms < NODE_FORMS)
        snprintf(n->forms[n->n_forms++], sizeof(n->forms[0]), "%s", form);
    free(form);
    for (size_t i = 0; i < NODE_PAGES && n->pages[i].path; i++) {
        if (rd_str_eq(path, rd_str(n->pages[i].path))) {
            http_reply(r, n->pages[i].status, n->pages[i].type, rd_str(n->pages[i].body));
            return;
        }
    }
    http_reply(r, status ? 204 : 404, NULL, RD_STR(""));
}

static void on_gone(struct http_request *r, void *arg)
{
    (void)r;
    (void)arg;
}

static void on_text(struct ws *w, char *msg, size_t size, void *arg)
{
    struct node *n = arg;
    json_t *m = json_loadb(msg, size, 0, NULL);
    const char *event = json_string_value(json_object_get(m, "event"));

    assert_non_null(event);
    if (strcmp(event, "media") == 0)
        n->media++;
    else
        snprintf(n->heard + strlen(n->heard), sizeof(n->heard) - strlen(n->heard), "%s ", event);
    if (strcmp(event, "start") == 0)
        snprintf(n->stream_sid, sizeof(n->stream_sid), "%s",
                 json_string_value(json_object_get(m, "streamSid")));
    n->on_stream(n, w, event, m);
    json_decref(m);
}

static void on_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    (void)w;
    (void)c;
    (void)arg;
}

static int on_upgrade(struct http_request *r, struct ws_accept *accept, void *arg)
{
    static const struct ws_handlers handlers = {.text = on_text, .closed = on_closed};
    struct node *n = arg;

    if (!n->on_stream)
        return 503;
    n->unsigned_request = n->unsigned_request || !is_signed(n, r, "ws", "");
    accept->handlers = &handlers;
    accept->arg = n;
    return 0;
}

static void on_socket(int fd, const char *peer, void *arg)
{
    struct node *n = arg;
    struct message *m = message_new(MSG_SOCKET, 0, NULL, 0);

    (void)peer;
    m->fd = fd;
    mailbox_post(n->sockets, m);
}

static void on_message(struct message *m, void *arg)
{
    struct node *n = arg;

    http_server_adopt(n->http, m->fd);
    m->fd = -1;
    message_free(m);
}

static void on_give_up(void *arg)
{
    struct node *n = arg;

    fprintf(stderr, "gave up; asked: %s\nheard: %s\n%s\n", n->asked, n->heard, n->events);
    loop_stop(n->loop);
}

static void on_event(const char *json, void *arg)
{
    struct node *n = arg;

    snprintf(n->events + strlen(n->events), sizeof(n->events) - strlen(n->events), "%s\n", json);
    if (n->watch)
        n->watch(n, json);
}

static int start(void **state, const char *numbers, const char *fault)
{
    static const struct http_handlers handlers = {
        .on_request = on_request, .on_gone = on_gone, .on_upgrade = on_upgrade};
    struct node *n = calloc(1, sizeof(*n));
    struct http_server_opts o = {.handlers = &handlers, .arg = n, .max_connections = 100};
    struct carrier_double_opts c = {.node_url = n->url,
                                    .account_sid = CARRIER_DOUBLE_ACCOUNT,
                                    .auth_token = CARRIER_DOUBLE_TOKEN,
                                    .rest_listen = "127.0.0.1:0",
                                    .rest_fault = fault,
                                    .numbers = numbers,
                                    .on_event = on_event,
                                    .event_arg = n};
    static char name[] = "story", from[] = "+13125550142", to[] = "+13125550100";
    char why[200], fallback[100];
    int fd;

    *state = n;
    n->scenario = (struct scenario){
        .name = name, .from = from, .to = to, .max_ms = 20000, .expect = {.barge_ins = -1}};
    n->scenarios[0] = &n->scenario;
    c.scenarios = n->scenarios;
    c.n_scenarios = 1;
    log_config(LOG_ERROR, LOG_LOGFMT); /* the stories are full of warnings */
    assert_int_equal(loop_new(&n->loop), 0);
    o.loop = c.loop = n->loop;
    assert_int_equal(http_server_new(&n->http, &o), 0);
    assert_int_equal(http_client_new(&n->client, n->loop, NULL), 0);
    assert_int_equal(mailbox_new(&n->sockets, n->loop, 100, on_message, n), 0);
    assert_int_equal(listen_tcp(&fd, "127.0.0.1:0", why, sizeof(why)), 0);
    snprintf(n->url, sizeof(n->url), "http://127.0.0.1:%u", listen_port(fd));
    snprintf(fallback, sizeof(fallback), "%s/fallback", n->url);
    c.fallback_url = fallback;
    assert_int_equal(accepter_start(&n->accepter, fd, on_socket, n), 0);
    assert_int_equal(carrier_double_start(&n->carrier, &c, why, sizeof(why)), 0);
    assert_int_equal(loop_timer_new(&n->give_up, n->loop, on_give_up, n), 0);
    return 0;
}

int node_set_up(void **state)
{
    return start(state, NULL, NULL);
}

int node_set_up_with(void **state, const char *fault)
{
    return start(state, NULL, fault);
}

int node_set_up_numbers(void **state, const char *numbers, const char *fault)
{
    return start(state, numbers, fault);
}

int node_tear_down(void **state)
{
    struct node *n = *state;

    carrier_double_stop(n->carrier);
    accepter_stop(n->accepter);
    mailbox_free(n->sockets);
    http_server_free(n->http);
    http_client_free(n->client);
    loop_timer_free(n->give_up);
    loop_free(n->loop);
    free(n);
    return 0;
}

static void on_report(const struct call_report *r, void *arg)
{
    struct node *n = arg;

    n->report = *r;
    loop_stop(n->loop);
}

void node_call(struct node *n)
{
    n->scenario.dial = n->dial[0] ? n->dial : NULL;
    n->n_forms = 0;
    n->asked[0] = n->heard[0] = n->events[0] = '\0';
    assert_int_equal(carrier_double_call(n->carrier, &n->scenario, NULL, NULL, on_report, n), 0);
    loop_timer_in(n->give_up, NODE_GIVE_UP_MS);
    loop_run(n->loop);
}

void node_page(struct node *n, const char *path, const char *twiml)
{
    size_t i = 0;

    while (n->pages[i].path && strcmp(n->pages[i].path, path) != 0)
        i++;
    assert_true(i < NODE_PAGES);
    n->pages[i] = (struct node_page){path, "text/xml", twiml, 200};
}

void assert_field(const char *body, const char *name, const char *want)
{
    struct carrier_form f = {.n = 0};

    assert_int_equal(carrier_form_read(&f, rd_str(body)), 0);
    assert_non_null(carrier_form_get(&f, name));
    assert_string_equal(carrier_form_get(&f, name), want);
    carrier_form_fini(&f);
}

/* With RINGDOWN_REST_LOG every form and its answer become a line there, for spec/judge/. */
static void keep_for_the_judge(const struct node *n, json_t *answer)
{
    const char *file = getenv("RINGDOWN_REST_LOG");
    FILE *f = file ? fopen(file, "ae") : NULL;
    json_t *line = json_pack("{s:s, s:i, s:O*, s:s}", "request", n->rest_asked, "status",
                             n->rest_status, "answer", answer, "form", n->rest_form);

    if (f) /* one write a line: other tests add theirs */
        setvbuf(f, NULL, _IOFBF, 1 << 17);
    if (f && line && json_dumpf(line, f, JSON_COMPACT) == 0)
        fputc('\n', f);
    if (f)
        fclose(f);
    json_decref(line);
}

static void on_rest(const struct http_result *r, void *arg)
{
    struct node *n = arg;
    json_t *tree = json_loadb(r->body.p ? r->body.p : "", r->body.n, 0, NULL);

    n->rest_status = r->status;
    n->rest_err = r->err;
    n->rest_code = (int)json_integer_value(json_object_get(tree, "code"));
    snprintf(n->rest_body, sizeof(n->rest_body), RD_STR_FMT, RD_STR_ARG(r->body));
    if (r->status)
        keep_for_the_judge(n, tree);
    json_decref(tree);
    if (n->step == NODE_WAITS)
        loop_stop(n->loop);
}

void node_ask(struct node *n, const char *method, const char *path, const char *body)
{
    static const char *const header[] = {"Content-Type: application/x-www-form-urlencoded", NULL};
    char url[600];
    struct http_call_opts o = {.method = method,
                               .url = url,
                               .header = header,
                               .user_password = CARRIER_DOUBLE_ACCOUNT ":" CARRIER_DOUBLE_TOKEN,
                               .body = rd_str(body)};
    struct http_call *h;

    snprintf(url, sizeof(url), "http://127.0.0.1:%u/2010-04-01/Accounts/%s%s",
             carrier_double_rest_port(n->carrier), CARRIER_DOUBLE_ACCOUNT, path);
    snprintf(n->rest_asked, sizeof(n->rest_asked), "%s %s", method, path);
    snprintf(n->rest_form, sizeof(n->rest_form), "%s",
             strlen(body) < sizeof(n->rest_form) ? body : "");
    assert_int_equal(http_call_start(&h, n->client, &o, on_rest, n), 0);
}

void node_rest(struct node *n, const char *method, const char *path, const char *body)
{
    n->step = NODE_WAITS;
    node_ask(n, method, path, body);
    node_wait(n, NODE_GIVE_UP_MS);
    n->step = 0;
}

/* In small steps, one after the other: a process that is paused for long has still most of its time. */
enum { WAIT_STEPS = 20 };

struct waits {
    struct loop *loop;
    struct loop_timer *timer;
    unsigned left, step_ms;
};

static void on_waited(void *arg)
{
    struct waits *w = arg;

    if (--w->left == 0)
        loop_stop(w->loop);
    else
        loop_timer_in(w->timer, w->step_ms);
}

void node_wait(struct node *n, unsigned ms)
{
    struct waits w = {
        .loop = n->loop, .left = WAIT_STEPS, .step_ms = (ms + WAIT_STEPS - 1) / WAIT_STEPS};

    assert_int_equal(loop_timer_new(&w.timer, n->loop, on_waited, &w), 0);
    loop_timer_in(w.timer, w.step_ms);
    loop_run(n->loop);
    loop_timer_free(w.timer);
}

const char *node_form(const struct node *n, size_t *at, const char *name, const char *value)
{
    while (*at < n->n_forms) {
        const char *form = n->forms[(*at)++], *got;
        struct carrier_form f = {.n = 0};
        bool found;
        carrier_form_read(&f, rd_str(form));
        got = carrier_form_get(&f, name);
        found = got && strcmp(got, value) == 0;
        carrier_form_fini(&f);
        if (found)
            return form;
    }
    return NULL;
}
