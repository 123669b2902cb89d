/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.c - names are compared without their port and case; a name must be there as a whole. */
#include "control/hosts.h"

#include <string.h>
#include <strings.h>

/* "name", "name:port", "[v6]", "[v6]:port": without the port; n 0 when it is neither. */
static struct rd_str name_of(struct rd_str host)
{
    const char *end = NULL;

    if (host.n > 0 && host.p[0] == '[') {
        end = memchr(host.p, ']', host.n);
        return (struct rd_str){host.p, end ? (size_t)(end - host.p) + 1 : 0};
    }
    end = host.n > 0 ? memchr(host.p, ':', host.n) : NULL;
    return (struct rd_str){host.p, end ? (size_t)(end - host.p) : host.n};
}

static bool same(struct rd_str a, struct rd_str b)
{
    return a.n > 0 && a.n == b.n && strncasecmp(a.p, b.p, a.n) == 0;
}

static bool is_listed(const char *others, struct rd_str name)
{
    for (const char *p = others ? others : ""; *p;) {
        size_t n = strcspn(p, ",");

        if (same(name_of((struct rd_str){p, n}), name))
            return true;
        p += n + (p[n] == ',');
    }
    return false;
}

bool hosts_has(const struct hosts *h, struct rd_str host)
{
    struct rd_str name = name_of(host);

    return same(name, RD_STR("localhost")) || same(name, RD_STR("127.0.0.1")) ||
           same(name, RD_STR("[::1]")) || same(name, name_of(rd_str(h->listen))) ||
           is_listed(h->others, name);
}

bool hosts_has_origin(const struct hosts *h, struct rd_str origin, struct rd_str host)
{
    static const char *const schemes[] = {"https://", "http://"};

    if (!origin.p)
        return true;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t n = strlen(schemes[i]);
        struct rd_str rest = {origin.p + n, origin.n - n};

        if (origin.n <= n || strncasecmp(origin.p, schemes[i], n) != 0)
            continue;
        return same(rest, host) || is_listed(h->others, name_of(rest));
    }
    return false;
}
