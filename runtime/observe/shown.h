/* SPDX-License-Identifier: Apache-2.0 */
/* shown.h - the numbers as people and Prometheus see them: one row each, in the order they are shown. For
 * prometheus.c and the page docs/metrics.md. */
#ifndef OBSERVE_SHOWN_H
#define OBSERVE_SHOWN_H

#include "base/buf.h"
#include "observe/metrics.h"

enum shown_kind { SHOWN_COUNTER, SHOWN_GAUGE, SHOWN_HISTOGRAM };

enum shown_source {
    FROM_COUNTERS,  /* parts: one series each */
    FROM_GAUGES,    /* the same */
    FROM_HISTOGRAM, /* id */
    FROM_FAMILY,    /* id */
    FROM_FUNCTION
};

enum { SHOWN_PARTS = 12, SHOWN_LINE = 512 };

struct shown_part {
    const char *value; /* of the label; "" when there is none */
    int id;            /* of the counter or gauge */
};

/* In the order it is written, not the one that packs best.
 * NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct metric_shown {
    const char *name; /* whole: "ringdown_calls_total" */
    enum shown_kind kind;
    enum shown_source source;
    const char *unit;  /* "seconds", "bytes", "ratio", "usd"; what is counted else: "calls" */
    unsigned scale;    /* of the number kept: 1000 when it is in ms and shown in seconds */
    const char *label; /* that the parts differ in, or that a function writes; NULL: none */
    struct shown_part parts[SHOWN_PARTS]; /* the first is enough without a label; value NULL ends */
    int id;
    int (*write)(struct buf *out, const struct metric_shown *m); /* its series; FROM_FUNCTION */
    const char *about; /* one sentence without its dot: HELP */
    const char *act;   /* when it moves */
};

struct shown_group {
    const char *title;
    const struct metric_shown *rows;
    size_t n;
};
extern const struct shown_group shown_calls, shown_sound, shown_work, shown_node;

/* One line: name, labels in braces ("" for none), value / scale. For the functions. */
int shown_line(struct buf *out, const char *name, const char *labels, uint64_t value,
               unsigned scale);

/* Appends `label="value"`, escaped. */
int shown_label(struct buf *out, const char *label, const char *value);

/* Of this process: process_*, for Prometheus' own names. */
int shown_cpu(struct buf *out, const struct metric_shown *m);
int shown_resident(struct buf *out, const struct metric_shown *m);
int shown_heap(struct buf *out, const struct metric_shown *m);
int shown_virtual(struct buf *out, const struct metric_shown *m);
int shown_started(struct buf *out, const struct metric_shown *m);
int shown_open_files(struct buf *out, const struct metric_shown *m);
int shown_max_files(struct buf *out, const struct metric_shown *m);
int shown_threads(struct buf *out, const struct metric_shown *m);

/* Of the tables beside the metrics. */
int shown_build(struct buf *out, const struct metric_shown *m);
int shown_target_open(struct buf *out, const struct metric_shown *m);
int shown_target_requests(struct buf *out, const struct metric_shown *m);
int shown_log_lines(struct buf *out, const struct metric_shown *m);
int shown_log_lost(struct buf *out, const struct metric_shown *m);
int shown_labels_refused(struct buf *out, const struct metric_shown *m);

#endif
