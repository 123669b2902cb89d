/* SPDX-License-Identifier: Apache-2.0 */
/* http_setup.c - what curl is told of a request: method, headers, limits, whom to trust.
 *
 * - http and https only, no redirects of curl's own, no proxy, cookies or .netrc, no signals, bodies
 *   bounded after decompression and heads as they come.
 * - A request that is given up while DNS is asked does not wait for DNS.
 *
 * Failure: what could break the request's lines (a line break in a header) is -EINVAL. */
#include "io/http_private.h"

#include "io/loop.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { CONNECT_MS = 5000, TIMEOUT_MS = 15000 };

static size_t on_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_call *h = arg;

    n *= size;
    if (n > h->body.max - h->body.n) {
        h->too_big = true;
        return 0;
    }
    return buf_add(&h->body, p, n) ? 0 : n;
}

/* Each line of the head; that of an answer before the last one (100, a redirect) is forgotten. */
static size_t on_head(char *p, size_t size, size_t n, void *arg)
{
    struct http_call *h = arg;

    n *= size;
    h->n_head += n;
    if (h->n_head > HTTP_HEAD_MAX) {
        h->too_big = true;
        return 0;
    }
    if (n > 5 && strncmp(p, "HTTP/", 5) == 0) {
        buf_clear(&h->head);
        return n;
    }
    return buf_add(&h->head, p, n) ? 0 : n;
}

static int add_line(struct curl_slist **to, const char *line)
{
    struct curl_slist *list;

    if (strpbrk(line, "\r\n"))
        return -EINVAL;
    list = curl_slist_append(*to, line);
    if (!list)
        return -ENOMEM;
    *to = list;
    return 0;
}

/* What says how to read a request, and nothing of who sends it. */
static bool is_harmless(const char *line)
{
    static const char *const names[] = {"Expect:", "Accept:", "Accept-Language:", "Content-Type:"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strncasecmp(line, names[i], strlen(names[i])) == 0)
            return true;
    return false;
}

static int add_header(struct http_call *h, const char *line)
{
    int rc = add_line(&h->header, line);

    return rc || !is_harmless(line) ? rc : add_line(&h->public, line);
}

static int set_headers(struct http_call *h, const struct http_call_opts *o)
{
    const char *const *line;
    int rc = add_header(h, "Expect:"); /* or curl waits for a 100 that few servers send */

    for (line = o->header; line && *line && !rc; line++)
        rc = add_header(h, *line);
    if (!rc)
        curl_easy_setopt(h->easy, CURLOPT_HTTPHEADER, h->header);
    return rc;
}

static int set_method(struct http_call *h, const struct http_call_opts *o)
{
    const char *method = o->method ? o->method : "GET";
    bool has_body = o->body.n > 0 || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 ||
                    strcmp(method, "PATCH") == 0;

    if (strspn(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != strlen(method) || !*method)
        return -EINVAL;
    if (strcmp(method, "HEAD") == 0)
        curl_easy_setopt(h->easy, CURLOPT_NOBODY, 1L);
    if (!has_body) {
        curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, method);
        return 0;
    }
    curl_easy_setopt(h->easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)o->body.n);
    if (curl_easy_setopt(h->easy, CURLOPT_COPYPOSTFIELDS, o->body.n > 0 ? o->body.p : "") !=
        CURLE_OK)
        return -ENOMEM;
    curl_easy_setopt(h->easy, CURLOPT_CUSTOMREQUEST, method);
    /* On a connection that was kept, curl repeats by itself what got no answer, and a POST that is
     * repeated may happen twice. */
    curl_easy_setopt(h->easy, CURLOPT_FRESH_CONNECT, 1L);
    return 0;
}

static void set_limits(struct http_call *h, const struct http_call_opts *o)
{
    unsigned timeout_ms = o->timeout_ms ? o->timeout_ms : TIMEOUT_MS;

    curl_easy_setopt(h->easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->easy, CURLOPT_REDIR_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(h->easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(h->easy, CURLOPT_PROXY, "");
    curl_easy_setopt(h->easy, CURLOPT_NOPROXY, "*");
    curl_easy_setopt(h->easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    curl_easy_setopt(h->easy, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(h->easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(h->easy, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)(o->connect_timeout_ms ? o->connect_timeout_ms : CONNECT_MS));
    curl_easy_setopt(h->easy, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
    h->until_ms = clock_ms(loop_clock()) + timeout_ms;
    curl_easy_setopt(h->easy, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(h->easy, CURLOPT_USERAGENT, "ringdown/" RD_VERSION);
}

int http_call_set_up(struct http_call *h, const struct http_call_opts *o)
{
    const char *ca_file = h->client->ca_file;
    int rc;

    set_limits(h, o);
    curl_easy_setopt(h->easy, CURLOPT_PRIVATE, h);
    curl_easy_setopt(h->easy, CURLOPT_ERRORBUFFER, h->text);
    curl_easy_setopt(h->easy, CURLOPT_WRITEFUNCTION, on_body);
    curl_easy_setopt(h->easy, CURLOPT_WRITEDATA, h);
    curl_easy_setopt(h->easy, CURLOPT_HEADERFUNCTION, on_head);
    curl_easy_setopt(h->easy, CURLOPT_HEADERDATA, h);
    if (ca_file && curl_easy_setopt(h->easy, CURLOPT_CAINFO, ca_file) != CURLE_OK)
        return -ENOMEM;
    if (curl_easy_setopt(h->easy, CURLOPT_URL, o->url) != CURLE_OK)
        return -ENOMEM;
    if (o->user_password &&
        curl_easy_setopt(h->easy, CURLOPT_USERPWD, o->user_password) != CURLE_OK)
        return -ENOMEM;
    rc = set_method(h, o);
    if (!rc)
        rc = set_headers(h, o);
    return rc ? rc : http_call_fence(h, o);
}
