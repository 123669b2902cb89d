/* SPDX-License-Identifier: Apache-2.0 */
/* http_follow.c - a request that must not leave its fence.
 *
 * - Before it starts, its URL is checked; when curl wants a socket, the address it has resolved is.
 * - A redirect is followed here, at most three times: the new URL is checked like the first, and
 *   headers and password go along only to the same scheme, host and port. A POST that is answered
 *   303 (or 301, 302, as browsers do) goes on as a GET without its body.
 *
 * Failure: a refused URL or address ends the request with -EACCES and the reason; nothing was sent
 * to where it must not go. */
#include "io/http_private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *a)
{
    struct http_call *h = arg;
    const char *refused = http_fence_address(&h->client->fence, &h->place, &a->addr);

    (void)purpose;
    if (refused) {
        h->refused = refused;
        return CURL_SOCKET_BAD;
    }
    return socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
}

static int copy_hosts(struct http_call *h, const char *const *hosts)
{
    size_t n = 0;

    while (hosts[n])
        n++;
    h->hosts = calloc(n + 1, sizeof(*h->hosts));
    if (!h->hosts)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        h->hosts[i] = strdup(hosts[i]);
        if (!h->hosts[i])
            return -ENOMEM;
    }
    return 0;
}

/* Names the one address of a host that the operator points somewhere, or nothing. */
static int point(struct http_call *h)
{
    char entry[96];
    struct curl_slist *list = NULL;

    if (h->place.to[0]) {
        (void)snprintf(entry, sizeof(entry), "::%s", h->place.to);
        list = curl_slist_append(NULL, entry);
        if (!list)
            return -ENOMEM;
    }
    curl_easy_setopt(h->easy, CURLOPT_CONNECT_TO, list);
    curl_slist_free_all(h->connect_to);
    h->connect_to = list;
    return 0;
}

static int check(struct http_call *h, const char *url, struct http_place *place)
{
    char why[HTTP_WHY_MAX];
    int rc = http_fence_check(&h->client->fence, (const char *const *)h->hosts, url, place, why);

    if (rc)
        (void)snprintf(h->text, sizeof(h->text), "%.200s", why);
    return rc;
}

int http_call_fence(struct http_call *h, const struct http_call_opts *o)
{
    int rc;

    if (!h->client->fenced)
        return o->hosts ? -EINVAL : 0;
    if (!o->hosts)
        return -EACCES;
    rc = copy_hosts(h, o->hosts);
    if (!rc)
        rc = check(h, o->url, &h->place);
    if (rc)
        return rc;
    curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(h->easy, CURLOPT_OPENSOCKETDATA, h);
    return point(h);
}

/* --- redirects --------------------------------------------------------------------------------- */

static void go_on_as_get(struct http_call *h, long status)
{
    char *method = NULL;

    curl_easy_getinfo(h->easy, CURLINFO_EFFECTIVE_METHOD, &method);
    if (status == 307 || status == 308 || !method || strcmp(method, "HEAD") == 0)
        return;
    if (status != 303 && strcmp(method, "POST") != 0)
        return;
    curl_easy_setopt(h->easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, "GET");
}

static void drop_credentials(struct http_call *h)
{
    curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->public);
    curl_easy_setopt(h->easy, CURLOPT_USERPWD, NULL);
}

static bool time_is_left(struct http_call *h)
{
    uint64_t now = clock_ms(loop_clock());

    if (now >= h->until_ms)
        return false;
    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)(h->until_ms - now));
    return true;
}

static bool redirects(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void refuse(struct http_call *h, const char *why)
{
    char reason[HTTP_WHY_MAX];

    (void)snprintf(reason, sizeof(reason), "a redirect was not followed: %.200s", why);
    (void)snprintf(h->text, sizeof(h->text), "%s", reason);
    h->off_list = true;
}

bool http_call_follow(struct http_call *h)
{
    struct http_place place;
    char *url = NULL, why[CURL_ERROR_SIZE];
    long status = 0;

    if (!h->hosts || h->code != CURLE_OK)
        return false;
    curl_easy_getinfo(h->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(h->easy, CURLINFO_REDIRECT_URL, &url);
    if (!redirects(status) || !url)
        return false;
    if (h->hops >= HTTP_MAX_HOPS) {
        refuse(h, "there were three before it");
        return false;
    }
    if (check(h, url, &place)) {
        memcpy(why, h->text, sizeof(why));
        refuse(h, why);
        return false;
    }
    if (!time_is_left(h)) {
        h->code = CURLE_OPERATION_TIMEDOUT;
        return false;
    }
    if (curl_easy_setopt(h->easy, CURLOPT_URL, url) != CURLE_OK)
        return false;
    go_on_as_get(h, status);
    if (!http_place_same(&h->place, &place))
        drop_credentials(h);
    h->place = place;
    h->hops++;
    h->refused = NULL;
    buf_clear(&h->body);
    buf_clear(&h->head);
    h->n_head = 0;
    return point(h) == 0;
}
