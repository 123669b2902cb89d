/* SPDX-License-Identifier: Apache-2.0 */
/* http_private.h - one request and its client, inside. For io/http_*.c only. */
#ifndef IO_HTTP_PRIVATE_H
#define IO_HTTP_PRIVATE_H

#include "base/buf.h"
#include "io/http_client.h"
#include "io/http_fence.h"

#include <curl/curl.h>

enum { HTTP_MAX_HOPS = 3, HTTP_HEAD_MAX = 32 * 1024 };

struct http_call {
    struct http_client *client;         /* borrows */
    CURL *easy;                         /* owns */
    struct curl_slist *header, *public; /* own; all lines, and those that no secret stands in */
    struct curl_slist *connect_to;      /* owns */
    struct buf body, head;
    size_t n_head; /* of this hop, dropped lines included */
    bool too_big;
    CURLcode code;

    /* fenced requests only */
    char **hosts; /* owns; NULL: not fenced */
    struct http_place place;
    const char *refused; /* static; what the address was that we did not connect to */
    bool off_list;       /* a redirect led where we do not go; `text` says why */
    unsigned hops;
    uint64_t until_ms;

    http_done_fn *done;
    void *arg;
    struct http_call **at, *next; /* in `running` or `finished` */
    char text[CURL_ERROR_SIZE];
};

struct http_client {
    struct loop *loop;
    CURLM *multi; /* owns */
    struct loop_timer *timer;
    char *ca_file; /* owns; NULL: the system's */
    struct http_fence fence;
    bool fenced;
    struct http_call *running, *finished;
    bool delivering; /* callbacks run: freeing waits */
    bool dead;
};

/* http_setup.c: everything curl must know of the request. */
int http_call_set_up(struct http_call *h, const struct http_call_opts *o);

/* http_follow.c: the fence around a request, and whether its answer sends us on. follow() true: the
 * request was changed and wants to be run again. */
int http_call_fence(struct http_call *h, const struct http_call_opts *o);
bool http_call_follow(struct http_call *h);

#endif
