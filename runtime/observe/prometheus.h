/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus.h - all numbers in Prometheus' text format 0.0.4, and the page that explains them. */
#ifndef OBSERVE_PROMETHEUS_H
#define OBSERVE_PROMETHEUS_H

#include "base/buf.h"

/* "text/plain; version=0.0.4; charset=utf-8": without it Prometheus 3 refuses the answer. */
extern const char prometheus_content_type[];

/* Room that is enough for all of it. */
enum { PROMETHEUS_MAX = 4 * 1024 * 1024 };

/* Appends all series; asks the collector first. Any thread; one at a time. -ENOMEM, RD_EFULL (nothing
 * was added). */
int metrics_to_prometheus(struct buf *out);

/* Levels are taken when somebody looks: `fn` sets them, on the thread that looks. NULL before what it
 * reads is gone: when this returns nobody is inside. */
typedef void(metrics_collect_fn)(void *arg);
void metrics_collector(metrics_collect_fn *fn, void *arg);

/* docs/metrics.md. */
int metrics_to_markdown(struct buf *out);

#endif
