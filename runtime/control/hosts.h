/* SPDX-License-Identifier: Apache-2.0 */
/* hosts.h - by which names the admin listener may be asked: its own address, loopback, and what
 * `admin.hosts` lists. A web page of somebody else's, or a name of his that points here, is none. */
#ifndef CONTROL_HOSTS_H
#define CONTROL_HOSTS_H

#include "base/str.h"

#include <stdbool.h>

struct hosts {
    const char *listen; /* borrows: "127.0.0.1:8081" */
    const char *others; /* borrows: names with commas between; "": none */
};

/* The value of a Host header; whatever port. */
bool hosts_has(const struct hosts *h, struct rd_str host);

/* An Origin header (p NULL: there is none) of a request to `host`: the same, or one of admin.hosts. */
bool hosts_has_origin(const struct hosts *h, struct rd_str origin, struct rd_str host);

#endif
