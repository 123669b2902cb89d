/* SPDX-License-Identifier: Apache-2.0 */
/* shown_rows.h - how rows of shown.h are written, for shown_calls.c and shown_node.c. */
#ifndef OBSERVE_SHOWN_ROWS_H
#define OBSERVE_SHOWN_ROWS_H

#include "observe/shown.h"

#define ROW(n, k, s, u, d, ...)                                                                   \
    {                                                                                             \
        .name = "ringdown_" n, .kind = (k), .source = (s), .unit = (u), .scale = (d), __VA_ARGS__ \
    }

#define COUNTER(n, u, d, c, a, w) \
    ROW(n, SHOWN_COUNTER, FROM_COUNTERS, u, d, .parts = {{"", c}}, .about = (a), .act = (w))
#define GAUGE(n, u, d, g, a, w) \
    ROW(n, SHOWN_GAUGE, FROM_GAUGES, u, d, .parts = {{"", g}}, .about = (a), .act = (w))
#define HISTOGRAM(n, u, d, h, a, w) \
    ROW(n, SHOWN_HISTOGRAM, FROM_HISTOGRAM, u, d, .id = (h), .about = (a), .act = (w))
#define FAMILY(n, k, u, d, f, a, w) \
    ROW(n, k, FROM_FAMILY, u, d, .id = (f), .about = (a), .act = (w))
#define FUNCTION(n, k, u, l, fn, a, w) \
    ROW(n, k, FROM_FUNCTION, u, 1, .label = (l), .write = (fn), .about = (a), .act = (w))

/* Parts told apart by one label: PARTS("reason", {"full", M_REFUSED_FULL}, …). */
#define PARTS(l, ...) .label = (l), .parts = {__VA_ARGS__}

#define GROUP(id, t, r) \
    const struct shown_group id = {.title = (t), .rows = (r), .n = sizeof(r) / sizeof((r)[0])}

#endif
