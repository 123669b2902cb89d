/* SPDX-License-Identifier: Apache-2.0 */
/* http_fence.c - the rules for requests of scripts.
 *
 * - The URL is read by libcurl's own parser, so that what is checked is what is connected to:
 *   "https://good@evil/", "https://0x7f.1/" and the like have no second meaning.
 * - A host must be on the list, letter by letter. An address in its place never is.
 * - https only, except to hosts that the operator points somewhere by http.resolve.
 * - The address is checked when the socket is made, after DNS: a name that suddenly leads to
 *   127.0.0.1 gets nowhere. A pointed host goes to its one address and never to our own ports.
 *
 * Failure: what cannot be read is refused. */
#include "io/http_fence.h"

#include "base/lines.h"
#include "io/public_address.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool part(CURLU *u, CURLUPart what, unsigned flags, char *out, size_t cap)
{
    char *text = NULL;
    bool ok;

    if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
        return false;
    ok = strlen(text) < cap;
    if (ok)
        strcpy(out, text); /* NOLINT: measured in the line above */
    curl_free(text);
    return ok;
}

static bool has_credentials(CURLU *u)
{
    char *user = NULL;
    bool has = curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK;

    curl_free(user);
    return has;
}

/* 0, or -EACCES when the URL says nothing that we understand. */
static int read_place(const char *url, struct http_place *out, char why[HTTP_WHY_MAX])
{
    char scheme[8] = "", port[8] = "";
    CURLU *u = curl_url();
    int rc = -EACCES;

    (void)snprintf(why, HTTP_WHY_MAX, "the URL cannot be read; write https://host/path");
    if (!u || curl_url_set(u, CURLUPART_URL, url, 0) != CURLUE_OK)
        goto out;
    if (!part(u, CURLUPART_SCHEME, 0, scheme, sizeof(scheme)) ||
        !part(u, CURLUPART_HOST, 0, out->host, sizeof(out->host)) ||
        !part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT, port, sizeof(port)))
        goto out;
    out->https = strcasecmp(scheme, "https") == 0;
    out->port = (unsigned)atoi(port);
    if (!out->https && strcasecmp(scheme, "http") != 0)
        (void)snprintf(why, HTTP_WHY_MAX, "%s:// is not allowed; use https://", scheme);
    else if (has_credentials(u))
        (void)snprintf(why, HTTP_WHY_MAX, "a URL must not hold a user or password; use `basic`");
    else
        rc = 0;
out:
    curl_url_cleanup(u);
    return rc;
}

static bool is_listed(const char *const *hosts, const char *host)
{
    for (; hosts && *hosts; hosts++)
        if (strcasecmp(*hosts, host) == 0)
            return true;
    return false;
}

int http_fence_check(const struct http_fence *f, const char *const *hosts, const char *url,
                     struct http_place *out, char why[HTTP_WHY_MAX])
{
    struct rd_str to;

    *out = (struct http_place){0};
    if (read_place(url, out, why))
        return -EACCES;
    if (!is_listed(hosts, out->host)) {
        (void)snprintf(why, HTTP_WHY_MAX, "%.150s is not in needs.hosts; add it there", out->host);
        return -EACCES;
    }
    for (char *p = out->host; *p; p++)
        *p = (char)(*p >= 'A' && *p <= 'Z' ? *p | 0x20 : *p);
    to = lines_find(f->resolve, rd_str(out->host));
    if (to.p && !rd_str_copy(out->to, sizeof(out->to), to)) {
        (void)snprintf(why, HTTP_WHY_MAX, "http.resolve gives %.150s no address", out->host);
        return -EACCES;
    }
    if (!out->https && !out->to[0]) {
        (void)snprintf(why, HTTP_WHY_MAX, "%.150s must be asked by https://", out->host);
        return -EACCES;
    }
    return 0;
}

static bool is_own_port(const struct http_fence *f, unsigned port)
{
    for (const uint16_t *p = f->own_ports; p && *p; p++)
        if (*p == port)
            return true;
    return false;
}

const char *http_fence_address(const struct http_fence *f, const struct http_place *place,
                               const struct sockaddr *address)
{
    const char *refused;

    if (place->to[0])
        return is_own_port(f, address_port(address)) && address_is_ours(address)
                   ? "one of this node's own ports"
                   : NULL;
    refused = address_refused(address);
    if (refused)
        return refused;
    return address_is_ours(address) ? "an address of this machine" : NULL;
}

bool http_place_same(const struct http_place *a, const struct http_place *b)
{
    return a->https == b->https && a->port == b->port && strcmp(a->host, b->host) == 0;
}
