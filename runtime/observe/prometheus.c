/* SPDX-License-Identifier: Apache-2.0 */
/* prometheus.c - writes the rows of shown_*.c.
 *
 *   # HELP and # TYPE once, then all series of the name, then the next name: contiguous because a name
 *   is one row. Numbers are whole ones inside; seconds and dollars get their point here, exactly.
 *
 * A histogram's buckets are added up while they are written, and its count is their sum: +Inf and count
 * are the same number, whoever counts meanwhile. The sum beside them may be one value ahead or behind.
 *
 * It takes half a millisecond with many agents: between rows, who waits for the processor may have it.
 *
 * Failure: no memory, or more than fits: nothing is added, and whoever asked is told so; a scrape that
 * is cut would be taken for series that ended. */
#include "observe/prometheus.h"

#include "base/urgent.h"
#include "observe/shown.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

const char prometheus_content_type[] = "text/plain; version=0.0.4; charset=utf-8";

enum { DIGITS = 40, SERIES_A_BREATH = 8 };

static const struct shown_group *const groups[] = {&shown_calls, &shown_sound, &shown_work,
                                                   &shown_node};

static struct {
    pthread_mutex_t lock;
    metrics_collect_fn *fn;
    void *arg;
} collector = {.lock = PTHREAD_MUTEX_INITIALIZER};

void metrics_collector(metrics_collect_fn *fn, void *arg)
{
    pthread_mutex_lock(&collector.lock);
    collector.fn = fn;
    collector.arg = arg;
    pthread_mutex_unlock(&collector.lock);
}

/* --- lines --- */

/* value / scale without rounding; scale is a power of ten. */
static const char *decimal(char out[DIGITS], uint64_t value, unsigned scale)
{
    int n = snprintf(out, DIGITS, "%" PRIu64, value / scale), width = 0;

    if (value % scale == 0)
        return out;
    for (unsigned s = scale; s > 1; s /= 10)
        width++;
    n += snprintf(out + n, (size_t)(DIGITS - n), ".%0*" PRIu64, width, value % scale);
    while (out[n - 1] == '0')
        out[--n] = '\0';
    return out;
}

int shown_line(struct buf *out, const char *name, const char *labels, uint64_t value,
               unsigned scale)
{
    char digits[DIGITS];

    return buf_addf(out, *labels ? "%s{%s} %s\n" : "%s%s %s\n", name, labels,
                    decimal(digits, value, scale));
}

/* A level may be below zero. */
static int level_line(struct buf *out, const char *name, const char *labels, int64_t value,
                      unsigned scale)
{
    char digits[DIGITS];
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    return buf_addf(out, *labels ? "%s{%s} %s%s\n" : "%s%s %s%s\n", name, labels,
                    value < 0 ? "-" : "", decimal(digits, size, scale));
}

int shown_label(struct buf *out, const char *label, const char *value)
{
    int rc = buf_addf(out, "%s%s=\"", out->n ? "," : "", label);

    for (; *value && !rc; value++) {
        if (*value == '\n')
            rc = buf_add_str(out, "\\n");
        else if (*value == '\\' || *value == '"')
            rc = buf_addf(out, "\\%c", *value);
        else
            rc = buf_add(out, value, 1);
    }
    return rc ? rc : buf_add_str(out, "\"");
}

struct buckets {
    const uint64_t *edges, *counts;
    unsigned n_edges;
    uint64_t sum;
};

static int histogram_lines(struct buf *out, const struct metric_shown *m, const char *labels,
                           const struct buckets *b)
{
    const char *comma = *labels ? "," : "";
    char digits[DIGITS];
    uint64_t count = 0;
    int rc = 0;

    for (unsigned i = 0; i < b->n_edges && !rc; i++) {
        count += b->counts[i];
        rc = buf_addf(out, "%s_bucket{%s%sle=\"%s\"} %" PRIu64 "\n", m->name, labels, comma,
                      decimal(digits, b->edges[i], m->scale), count);
    }
    count += b->counts[b->n_edges];
    if (!rc)
        rc = buf_addf(out, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", m->name, labels, comma,
                      count);
    if (!rc)
        rc = buf_addf(out, *labels ? "%s_sum{%s} %s\n" : "%s_sum%s %s\n", m->name, labels,
                      decimal(digits, b->sum, m->scale));
    if (!rc)
        rc = buf_addf(out, *labels ? "%s_count{%s} %" PRIu64 "\n" : "%s_count%s %" PRIu64 "\n",
                      m->name, labels, count);
    return rc;
}

/* --- rows --- */

static int add_parts(struct buf *out, const struct metric_shown *m)
{
    char labels[SHOWN_LINE] = "";
    int rc = 0;

    for (int i = 0; i < SHOWN_PARTS && m->parts[i].value && !rc; i++) {
        const struct shown_part *p = &m->parts[i];

        if (m->label)
            (void)snprintf(labels, sizeof(labels), "%s=\"%s\"", m->label, p->value);
        if (m->source == FROM_COUNTERS)
            rc = shown_line(out, m->name, labels, metric_value((enum metric_counter)p->id),
                            m->scale);
        else
            rc = level_line(out, m->name, labels, metric_gauge_value((enum metric_gauge)p->id),
                            m->scale);
    }
    return rc;
}

static int add_histogram(struct buf *out, const struct metric_shown *m)
{
    struct metric_buckets b = metric_buckets((enum metric_histogram)m->id);

    return histogram_lines(out, m, "", &(struct buckets){b.edges, b.counts, b.n_edges, b.sum});
}

struct family_row {
    struct buf *out, labels;
    const struct metric_shown *m;
    const struct metric_family_info *info;
    unsigned n;
};

static int add_series(void *arg, const struct metric_series *s)
{
    struct family_row *f = arg;
    const char *labels;
    int rc = 0;

    if (++f->n % SERIES_A_BREATH == 0)
        breathe();
    buf_clear(&f->labels);
    for (int i = 0; i < METRIC_LABELS && s->values[i] && !rc; i++)
        rc = shown_label(&f->labels, metric_label_name(f->info->labels[i]), s->values[i]);
    labels = rc ? NULL : buf_text(&f->labels);
    if (!labels)
        return -1;
    if (f->info->edges)
        return histogram_lines(
            f->out, f->m, labels,
            &(struct buckets){f->info->edges, s->buckets, f->info->n_edges, s->sum});
    if (f->m->kind == SHOWN_GAUGE)
        return level_line(f->out, f->m->name, labels, (int64_t)s->value, f->m->scale);
    return shown_line(f->out, f->m->name, labels, s->value, f->m->scale);
}

static int add_family(struct buf *out, const struct metric_shown *m)
{
    struct family_row f = {
        .out = out, .m = m, .info = metric_family_info((enum metric_family)m->id)};
    int rc;

    buf_init(&f.labels, SHOWN_LINE);
    rc = metric_each((enum metric_family)m->id, add_series, &f);
    buf_fini(&f.labels);
    return rc;
}

static const char *const kinds[] = {
    [SHOWN_COUNTER] = "counter", [SHOWN_GAUGE] = "gauge", [SHOWN_HISTOGRAM] = "histogram"};

static int add_row(struct buf *out, const struct metric_shown *m)
{
    int rc =
        buf_addf(out, "# HELP %s %s.\n# TYPE %s %s\n", m->name, m->about, m->name, kinds[m->kind]);

    if (rc)
        return rc;
    switch (m->source) {
    case FROM_COUNTERS:
    case FROM_GAUGES:
        return add_parts(out, m);
    case FROM_HISTOGRAM:
        return add_histogram(out, m);
    case FROM_FAMILY:
        return add_family(out, m);
    case FROM_FUNCTION:
        break;
    }
    return m->write(out, m);
}

int metrics_to_prometheus(struct buf *out)
{
    size_t start = out->n;
    int rc = 0;

    pthread_mutex_lock(&collector.lock);
    if (collector.fn)
        collector.fn(collector.arg);
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (size_t i = 0; i < groups[g]->n && !rc; i++) {
            rc = add_row(out, &groups[g]->rows[i]);
            breathe();
        }
    pthread_mutex_unlock(&collector.lock);
    if (rc)
        out->n = start;
    return rc;
}

/* --- the page --- */

static int add_labels_cell(struct buf *out, const struct metric_shown *m)
{
    const struct metric_family_info *info =
        m->source == FROM_FAMILY ? metric_family_info((enum metric_family)m->id) : NULL;
    int rc = 0;

    if (!info)
        return m->label ? buf_addf(out, "%s", m->label) : buf_add_str(out, "–");
    for (int i = 0; i < METRIC_LABELS && info->labels[i] && !rc; i++)
        rc = buf_addf(out, "%s%s", i ? ", " : "", metric_label_name(info->labels[i]));
    return rc;
}

static int add_page_row(struct buf *out, const struct metric_shown *m)
{
    int rc = buf_addf(out, "| `%s` | %s | ", m->name, kinds[m->kind]);

    if (!rc)
        rc = add_labels_cell(out, m);
    return rc ? rc : buf_addf(out, " | %s | %s | %s |\n", m->unit, m->about, m->act);
}

int metrics_to_markdown(struct buf *out)
{
    int rc = buf_add_str(
        out,
        "# Metrics\n\n"
        "What a node tells Prometheus at `/metrics` of its admin listener: each number, what it "
        "says, "
        "and what to do when\nit moves. This page is printed by `ringdown metrics --markdown`. "
        "Rules "
        "and a dashboard that use these names are "
        "in\n[examples/prometheus](../examples/prometheus) and "
        "[examples/grafana](../examples/grafana).\n\n"
        "- Numbers are of one node and of one process: counters begin at 0 with it; add nodes up "
        "with "
        "`sum()`.\n"
        "- `agent` and `tool` are names of agents that were loaded, `metrics.agents` of them at "
        "most "
        "(64 unless configured)\n  and 250 tools; whatever else there is, is `other`. `system` is "
        "`openai`, `vapi`, or `fallback` for calls that\n  neither had. No label holds a call, a "
        "number, an address or words.\n"
        "- Edges of histograms lie where something is promised or alarmed at; a quantile is as "
        "exact as "
        "the bucket it falls in.\n"
        "- A `target` is somebody we depend on: `openai`, `twilio`, or a host that a tool asks; 64 "
        "at "
        "most, the quietest gives way.\n");

    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]) && !rc; g++) {
        rc = buf_addf(out,
                      "\n## %s\n\n| name | type | labels | unit | what it tells | when it moves |\n"
                      "|---|---|---|---|---|---|\n",
                      groups[g]->title);
        for (size_t i = 0; i < groups[g]->n && !rc; i++)
            rc = add_page_row(out, &groups[g]->rows[i]);
    }
    return rc;
}
