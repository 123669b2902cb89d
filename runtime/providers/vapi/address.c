/* SPDX-License-Identifier: Apache-2.0 */
/* address.c - compares two URLs by scheme, host and port. Anything unusual (a user, a fragment, white
 * space, no path, a host that is no name, a port that is no number) is refused. */
#include "providers/vapi/address.h"

#include <ctype.h>
#include <strings.h>

#define HOUSE ".vapi.ai"

struct address {
    bool secure;
    struct rd_str host, port; /* the port is empty where none is named */
};

static bool take(struct rd_str *s, const char *prefix)
{
    size_t n = strlen(prefix);

    if (s->n < n || strncasecmp(s->p, prefix, n) != 0)
        return false;
    *s = (struct rd_str){s->p + n, s->n - n};
    return true;
}

static bool is_plain(struct rd_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] <= 0x20 || (unsigned char)s.p[i] >= 0x7F ||
            strchr("@#\\", s.p[i]))
            return false;
    return true;
}

static bool split(struct address *a, struct rd_str url, const char *secure, const char *plain)
{
    size_t n = 0, colon;

    *a = (struct address){.secure = take(&url, secure)};
    if ((!a->secure && !take(&url, plain)) || !is_plain(url))
        return false;
    while (n < url.n && url.p[n] != '/' && url.p[n] != '?')
        n++;
    for (colon = 0; colon < n && url.p[colon] != ':';)
        colon++;
    a->host = (struct rd_str){url.p, colon};
    a->port = (struct rd_str){url.p + colon, n - colon};
    for (size_t i = 0; i < colon; i++)
        if (!isalnum((unsigned char)url.p[i]) && !strchr("-._", url.p[i]))
            return false;
    for (size_t i = 1; i < a->port.n; i++)
        if (a->port.p[i] < '0' || a->port.p[i] > '9')
            return false;
    return colon > 0;
}

static bool same(struct rd_str a, struct rd_str b)
{
    return a.n == b.n && (a.n == 0 || strncasecmp(a.p, b.p, a.n) == 0);
}

static bool is_usual(const struct address *a)
{
    return a->port.n == 0 || same(a->port, a->secure ? RD_STR(":443") : RD_STR(":80"));
}

static bool is_of_the_house(const struct address *a)
{
    size_t n = sizeof(HOUSE) - 1;

    return a->secure && is_usual(a) && a->host.n > n &&
           strncasecmp(a->host.p + a->host.n - n, HOUSE, n) == 0;
}

bool vapi_address_ok(struct rd_str api, struct rd_str url)
{
    struct address ours, theirs;

    if (!split(&ours, api, "https://", "http://") || !split(&theirs, url, "wss://", "ws://"))
        return false;
    if (is_of_the_house(&theirs))
        return true;
    return ours.secure == theirs.secure && same(ours.host, theirs.host) &&
           (same(ours.port, theirs.port) || (is_usual(&ours) && is_usual(&theirs)));
}
