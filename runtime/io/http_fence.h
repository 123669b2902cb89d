/* SPDX-License-Identifier: Apache-2.0 */
/* http_fence.h - where a request that a script asked for may go: hosts that were declared, over
 * https, at public addresses. Checked for each URL, redirects included, and again for the address
 * that a connection is really made to. */
#ifndef IO_HTTP_FENCE_H
#define IO_HTTP_FENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

struct http_fence {
    /* Borrowed; "host=address:port" lines. The only way to an address that is not public, and to
     * plain http. NULL: none. */
    const char *resolve;
    const uint16_t *own_ports; /* borrowed; 0-terminated: our own doors, closed even then */
};

/* Where a URL leads. */
struct http_place {
    char host[256];
    unsigned port;
    bool https;
    char to[64]; /* the address that `resolve` gives the host; "" when DNS is asked */
};

enum { HTTP_WHY_MAX = 256 };

/* May a request go there? `hosts` is NULL-terminated, lower case. 0, or -EACCES with the reason and
 * the remedy in `why`. */
int http_fence_check(const struct http_fence *f, const char *const *hosts, const char *url,
                     struct http_place *out, char why[HTTP_WHY_MAX]);

/* NULL when this place may be reached at that address; else what the address is. */
const char *http_fence_address(const struct http_fence *f, const struct http_place *place,
                               const struct sockaddr *address);

bool http_place_same(const struct http_place *a, const struct http_place *b); /* origin */

#endif
