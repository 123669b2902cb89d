/* SPDX-License-Identifier: Apache-2.0 */
/* http_client.c - libcurl's multi interface on the loop.
 *
 *   http_call_start ─▶ curl ⇄ uv_poll per socket, one timer ─▶ done list ─▶ `done`, freed
 *
 * - curl says which sockets and which timeout it wants (on_want_socket, on_want_timer); the loop
 *   tells it what happened (act); what is finished is then taken out of curl before anybody hears
 *   of it, so that callbacks may start, cancel and free as they like.
 * - what curl is told of a request is in http_setup.c, the fence around it in http_follow.c.
 *
 * Failure modes: each transfer ends with curl's code translated to one of ours and curl's words. */
#include "io/http_client.h"

#include "base/err.h"
#include "io/http_private.h"
#include "io/loop_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BODY = 1 << 20, MAX_PER_HOST = 16 };

/* One socket curl wants to hear of. */
struct watch {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
};

/* --- calls ------------------------------------------------------------------------------------ */

static void link_to(struct http_call **list, struct http_call *h)
{
    h->next = *list;
    h->at = list;
    if (h->next)
        h->next->at = &h->next;
    *list = h;
}

static void unlink_call(struct http_call *h)
{
    if (!h->at)
        return;
    *h->at = h->next;
    if (h->next)
        h->next->at = h->at;
    h->at = NULL;
    h->next = NULL;
}

static struct http_call *pop(struct http_call **list)
{
    struct http_call *h = *list;

    if (!h)
        return NULL;
    *list = h->next;
    if (h->next)
        h->next->at = list;
    h->at = NULL;
    h->next = NULL;
    return h;
}

static void call_free(struct http_call *h)
{
    if (!h)
        return;
    unlink_call(h);
    if (h->easy) {
        curl_multi_remove_handle(h->client->multi, h->easy);
        curl_easy_cleanup(h->easy);
    }
    curl_slist_free_all(h->header);
    curl_slist_free_all(h->public);
    curl_slist_free_all(h->connect_to);
    for (char **p = h->hosts; p && *p; p++)
        free(*p);
    free(h->hosts);
    buf_fini(&h->body);
    buf_fini(&h->head);
    free(h);
}

static int translate(const struct http_call *h)
{
    if (h->off_list || (h->refused && h->code == CURLE_COULDNT_CONNECT))
        return -EACCES;
    switch (h->code) {
    case CURLE_OK:
        return 0;
    case CURLE_OPERATION_TIMEDOUT:
        return -ETIMEDOUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
        return -ECONNREFUSED;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
        return RD_ETLS;
    case CURLE_FILESIZE_EXCEEDED:
        return RD_ETOOBIG;
    default:
        return h->too_big ? RD_ETOOBIG : -EIO;
    }
}

static struct rd_str answer_header(const struct http_call *h, const char *name)
{
    struct curl_header *found = NULL;

    if (curl_easy_header(h->easy, name, 0, CURLH_HEADER, -1, &found) != CURLHE_OK)
        return RD_STR("");
    return rd_str(found->value);
}

static const char *describe_refusal(struct http_call *h)
{
    (void)snprintf(h->text, sizeof(h->text),
                   "%.100s leads to %s; scripts reach public addresses only, unless http.resolve "
                   "points there",
                   h->place.host, h->refused);
    return h->text;
}

static void deliver_one(struct http_call *h)
{
    struct http_result r = {.err = translate(h)};
    const char *type = NULL;
    long status = 0;

    if (r.err) {
        r.text = *h->text ? h->text : curl_easy_strerror(h->code);
        if (h->too_big)
            r.text = "the answer is larger than allowed";
        else if (r.err == -EACCES && !h->off_list)
            r.text = describe_refusal(h);
        r.was_sent = h->hops > 0 || h->off_list;
    } else {
        curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(h->easy, CURLINFO_CONTENT_TYPE, &type);
        r.status = (int)status;
        r.content_type = rd_str(type ? type : "");
        r.retry_after = answer_header(h, "retry-after");
        r.body = (struct rd_str){h->body.data ? h->body.data : "", h->body.n};
        r.head = (struct rd_str){h->head.data ? h->head.data : "", h->head.n};
    }
    h->done(&r, h->arg);
    call_free(h);
}

static void client_free_now(struct http_client *c);

/* Takes what is finished out of curl, then tells its owners. */
static void deliver(struct http_client *c)
{
    struct http_call *h;
    CURLMsg *msg;
    int left;

    while ((msg = curl_multi_info_read(c->multi, &left))) {
        if (msg->msg != CURLMSG_DONE)
            continue;
        h = NULL;
        curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&h);
        h->code = msg->data.result;
        curl_multi_remove_handle(c->multi, h->easy);
        unlink_call(h);
        if (http_call_follow(h) && curl_multi_add_handle(c->multi, h->easy) == CURLM_OK)
            link_to(&c->running, h);
        else
            link_to(&c->finished, h);
    }
    if (c->delivering)
        return;
    c->delivering = true;
    while (!c->dead && (h = pop(&c->finished)))
        deliver_one(h);
    c->delivering = false;
    if (c->dead)
        client_free_now(c);
}

/* --- curl and the loop ------------------------------------------------------------------------ */

static void act(struct http_client *c, curl_socket_t fd, int events)
{
    int running;

    loop_woke(c->loop);
    curl_multi_socket_action(c->multi, fd, events, &running);
    deliver(c);
}

static void on_timer(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static void on_socket(uv_poll_t *h, int status, int events)
{
    struct watch *w = h->data;
    int what = 0;

    if (status)
        what = CURL_CSELECT_ERR;
    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    act(w->client, w->fd, what);
}

static void free_watch(uv_handle_t *h)
{
    free(h->data);
}

static struct watch *watch_new(struct http_client *c, curl_socket_t fd)
{
    struct watch *w = calloc(1, sizeof(*w));

    if (!w)
        return NULL;
    w->client = c;
    w->fd = fd;
    if (uv_poll_init_socket(loop_uv(c->loop), &w->poll, fd)) {
        free(w);
        return NULL;
    }
    w->poll.data = w;
    curl_multi_assign(c->multi, fd, w);
    return w;
}

static int on_want_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *assigned)
{
    struct http_client *c = arg;
    struct watch *w = assigned;
    int events = 0;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (w)
            uv_close((uv_handle_t *)&w->poll, free_watch);
        curl_multi_assign(c->multi, fd, NULL);
        return 0;
    }
    if (!w)
        w = watch_new(c, fd);
    if (!w)
        return -1;
    if (what != CURL_POLL_OUT)
        events |= UV_READABLE;
    if (what != CURL_POLL_IN)
        events |= UV_WRITABLE;
    uv_poll_start(&w->poll, events, on_socket);
    return 0;
}

/* Never calls back into curl from here: a timeout of 0 waits for the loop too. */
static int on_want_timer(CURLM *multi, long ms, void *arg)
{
    struct http_client *c = arg;

    (void)multi;
    if (ms < 0)
        loop_timer_stop(c->timer);
    else
        loop_timer_in(c->timer, (uint64_t)ms);
    return 0;
}

/* --- starting --------------------------------------------------------------------------------- */

int http_call_start(struct http_call **out, struct http_client *c, const struct http_call_opts *o,
                    http_done_fn *done, void *arg)
{
    struct http_call *h;
    int rc = -ENOMEM;

    if (!o->url || c->dead)
        return -EINVAL;
    h = calloc(1, sizeof(*h));
    if (!h)
        return -ENOMEM;
    h->client = c;
    h->done = done;
    h->arg = arg;
    buf_init(&h->body, o->max_body ? o->max_body : MAX_BODY);
    buf_init(&h->head, HTTP_HEAD_MAX);
    h->easy = curl_easy_init();
    if (!h->easy)
        goto fail;
    rc = http_call_set_up(h, o);
    if (rc)
        goto fail;
    if (curl_multi_add_handle(c->multi, h->easy) != CURLM_OK) {
        rc = -ENOMEM;
        goto fail;
    }
    link_to(&c->running, h);
    if (out)
        *out = h;
    return 0;
fail:
    if (rc == -EACCES && o->why)
        (void)snprintf(o->why, HTTP_WHY_MAX, "%.200s", *h->text ? h->text : "no hosts are allowed");
    call_free(h);
    return rc;
}

void http_call_cancel(struct http_call *h)
{
    call_free(h);
}

/* --- life ------------------------------------------------------------------------------------- */

int http_client_new(struct http_client **out, struct loop *l, const char *ca_file)
{
    struct http_client *c = calloc(1, sizeof(*c));
    int rc = -ENOMEM;

    if (!c)
        return -ENOMEM;
    c->loop = l;
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) { /* counted, any thread since 7.84 */
        free(c);
        return -EIO;
    }
    if (ca_file && *ca_file) {
        c->ca_file = strdup(ca_file);
        if (!c->ca_file)
            goto fail;
    }
    rc = loop_timer_new(&c->timer, l, on_timer, c);
    if (rc)
        goto fail;
    c->multi = curl_multi_init();
    rc = -ENOMEM;
    if (!c->multi)
        goto fail;
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, on_want_socket);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, on_want_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAX_HOST_CONNECTIONS, (long)MAX_PER_HOST);
    *out = c;
    return 0;
fail:
    http_client_free(c);
    return rc;
}

void http_client_fence(struct http_client *c, const struct http_fence *f)
{
    c->fence = *f;
    c->fenced = true;
}

static void client_free_now(struct http_client *c)
{
    struct http_call *h;

    while ((h = pop(&c->running)) || (h = pop(&c->finished)))
        call_free(h);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    loop_timer_free(c->timer);
    curl_global_cleanup();
    free(c->ca_file);
    free(c);
}

void http_client_free(struct http_client *c)
{
    if (!c)
        return;
    c->dead = true;
    if (!c->delivering)
        client_free_now(c);
}
