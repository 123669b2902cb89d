/* SPDX-License-Identifier: Apache-2.0 */
/* fake_http.c - one request at a time is enough for a leg. */
#include "unit/providers/fake_http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct http_client {
    int open;
};

struct http_call {
    http_done_fn *done;
    void *arg;
};

static struct {
    struct http_client client;
    struct http_call call;
    bool waits;
    unsigned asked;
    char url[512], body[8192], headers[1024];
} http;

int http_client_new(struct http_client **out, struct loop *l, const char *ca_file)
{
    (void)l, (void)ca_file;
    http.client.open++;
    *out = &http.client;
    return 0;
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    c->open--;
    http.waits = false;
}

int http_call_start(struct http_call **out, struct http_client *c, const struct http_call_opts *o,
                    http_done_fn *done, void *arg)
{
    assert_ptr_equal(c, &http.client);
    assert_false(http.waits);
    http.waits = true;
    http.asked++;
    http.call = (struct http_call){done, arg};
    (void)snprintf(http.url, sizeof(http.url), "%s %s", o->method, o->url);
    assert_true(rd_str_copy(http.body, sizeof(http.body), o->body));
    http.headers[0] = '\0';
    for (const char *const *h = o->header; h && *h; h++)
        (void)snprintf(http.headers + strlen(http.headers),
                       sizeof(http.headers) - strlen(http.headers), "%s\n", *h);
    *out = &http.call;
    return 0;
}

void http_call_cancel(struct http_call *h)
{
    assert_ptr_equal(h, &http.call);
    http.waits = false;
}

static void answer(const struct http_result *r)
{
    assert_true(http.waits);
    http.waits = false;
    http.call.done(r, http.call.arg);
}

void fake_http_answer(int status, const char *body)
{
    answer(&(struct http_result){.status = status, .body = rd_str(body)});
}

void fake_http_breaks(int err)
{
    answer(&(struct http_result){.err = err, .text = "it broke"});
}

unsigned fake_http_asked(void)
{
    return http.asked;
}

const char *fake_http_url(void)
{
    return http.url;
}

const char *fake_http_body(void)
{
    return http.body;
}

bool fake_http_has_header(const char *line)
{
    const char *at = strstr(http.headers, line);

    return at && at[strlen(line)] == '\n';
}

bool fake_http_waits(void)
{
    return http.waits;
}

void fake_http_reset(void)
{
    assert_false(http.waits);
    assert_int_equal(http.client.open, 0);
    memset(&http, 0, sizeof(http));
}
