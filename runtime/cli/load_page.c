/* SPDX-License-Identifier: Apache-2.0 */
/* load_page.c - what a load run found, as one page that needs nothing else: delays as shares of the
 * frames, the run second by second, a curve step by step, and the figures as a table. */
#include "cli/load.h"
#include "cli/load_plot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS_MAX = 64 };

static const char head[] =
    "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport "
    "content=\"width=device-width\">\n<title>ringdown load</title>\n<style>\n"
    ":root{color-scheme:light dark;--bg:#fff;--fg:#1b1f24;--soft:#6a737d;--line:#e1e4e8;"
    "--a:#0b63ce;--b:#c2410c;--c:#15803d;--d:#8b3fc7}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14171a;--fg:#e6e8ea;--soft:#9aa4ad;"
    "--line:#30363c;--a:#6cb0ff;--b:#ff9d66;--c:#6fd08c;--d:#cf9bff}}\n"
    "body{background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif;"
    "max-width:46rem;margin:2rem auto;padding:0 1rem}\n"
    "figure{margin:2rem 0}figcaption{font-weight:600}svg{width:100%;height:auto}\n"
    "text{fill:var(--soft);font-size:12px}.e{text-anchor:end}.m{text-anchor:middle}\n"
    ".g{stroke:var(--line)}polyline{fill:none;stroke-width:2;stroke-linejoin:round}\n"
    ".s0{stroke:var(--a)}.s1{stroke:var(--b)}.s2{stroke:var(--c)}.s3{stroke:var(--d)}\n"
    ".k0{color:var(--a)}.k1{color:var(--b)}.k2{color:var(--c)}.k3{color:var(--d)}\n"
    ".l{margin:0;font-size:13px}.l span::before{content:'\\25AC\\00A0'}"
    ".l span{margin-right:1rem}\n"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "th,td{text-align:right;padding:.2rem .6rem;border-bottom:1px solid var(--line)}"
    "th:first-child,td:first-child{text-align:left}\n</style>\n";

/* --- delays --- */

/* The shares of a histogram as points. */
struct shares {
    double x[LOAD_BUCKETS], y[LOAD_BUCKETS];
    size_t n;
};

static void add_shares(struct load_plot *p, struct shares *s, const char *name,
                       const struct load_histogram *h)
{
    uint64_t seen = 0;

    s->n = 0;
    for (unsigned i = 0; i < LOAD_BUCKETS && h->n; i++) {
        if (!h->counts[i])
            continue;
        seen += h->counts[i];
        s->x[s->n] = load_bucket_us(i) / 1000.0;
        s->y[s->n++] = (double)seen / (double)h->n;
    }
    if (s->n)
        p->series[p->n++] = (struct load_series){name, s->x, s->y, s->n};
}

static int write_delays(FILE *f, const struct load_result *node, const struct load_result *relay)
{
    struct load_plot p = {.title = "Delay: so many of the frames came within so many milliseconds",
                          .x = {.title = "ms", .log = true},
                          .y = {.title = "share of the frames", .nines = true}};
    struct shares *s = calloc(LOAD_SERIES_MAX, sizeof(*s));

    if (!s)
        return -ENOMEM;
    if (node) {
        add_shares(&p, &s[0], "caller to model, node", &node->report.up);
        add_shares(&p, &s[1], "model to caller, node", &node->report.down);
    }
    if (relay) {
        add_shares(&p, &s[2], "caller to model, relay", &relay->report.up);
        add_shares(&p, &s[3], "model to caller, relay", &relay->report.down);
    }
    load_plot_write(f, &p);
    free(s);
    return 0;
}

/* --- over time --- */

struct lines {
    double x[LOAD_SAMPLES], up[LOAD_SAMPLES], node[LOAD_SAMPLES], own[LOAD_SAMPLES],
        lag[LOAD_SAMPLES];
};

static int write_seconds(FILE *f, const struct load_result *r)
{
    struct load_plot up = {.title = "Calls", .x = {.title = "seconds"}, .y = {.title = "calls up"}};
    struct load_plot cpu = {
        .title = "Processors used", .x = {.title = "seconds"}, .y = {.title = "processors"}};
    struct load_plot lag = {
        .title = "Our own lag", .x = {.title = "seconds"}, .y = {.title = "ms, worst"}};
    struct lines *l = calloc(1, sizeof(*l));
    size_t n = r->n_samples;

    if (!l)
        return -ENOMEM;
    for (size_t i = 0; i < n; i++) {
        const struct load_sample *s = &r->samples[i];

        l->x[i] = (double)i + 1;
        l->up[i] = s->up;
        l->node[i] = i ? s->cpu_s - s[-1].cpu_s : 0;
        l->own[i] = i ? s->own_cpu_s - s[-1].own_cpu_s : 0;
        l->lag[i] = s->lag_ms;
    }
    up.series[up.n++] = (struct load_series){"calls", l->x, l->up, n};
    cpu.series[cpu.n++] = (struct load_series){"under load", l->x, l->node, n};
    cpu.series[cpu.n++] = (struct load_series){"ourselves", l->x, l->own, n};
    lag.series[lag.n++] = (struct load_series){"lag", l->x, l->lag, n};
    load_plot_write(f, &up);
    load_plot_write(f, &cpu);
    load_plot_write(f, &lag);
    free(l);
    return 0;
}

/* --- a curve --- */

static void write_curve(FILE *f, const struct load_result *steps, size_t n)
{
    double x[STEPS_MAX], up[STEPS_MAX], down[STEPS_MAX], node[STEPS_MAX], own[STEPS_MAX];
    struct load_plot delay = {.title = "Delay at the 99th percentile",
                              .x = {.title = "calls"},
                              .y = {.title = "ms", .log = true}};
    struct load_plot cpu = {
        .title = "Processors used", .x = {.title = "calls"}, .y = {.title = "processors"}};

    n = n < STEPS_MAX ? n : STEPS_MAX;
    for (size_t i = 0; i < n; i++) {
        const struct load_report *r = &steps[i].report;

        x[i] = r->established;
        up[i] = load_quantile_us(&r->up, 0.99) / 1000.0;
        down[i] = load_quantile_us(&r->down, 0.99) / 1000.0;
        node[i] = r->seconds > 0 ? steps[i].cpu_s / r->seconds : 0;
        own[i] = r->seconds > 0 ? r->harness_cpu_s / r->seconds : 0;
    }
    delay.series[delay.n++] = (struct load_series){"caller to model", x, up, n};
    delay.series[delay.n++] = (struct load_series){"model to caller", x, down, n};
    cpu.series[cpu.n++] = (struct load_series){"the node", x, node, n};
    cpu.series[cpu.n++] = (struct load_series){"ourselves", x, own, n};
    load_plot_write(f, &delay);
    load_plot_write(f, &cpu);
}

/* --- the table --- */

static void write_row(FILE *f, const char *who, const struct load_result *r)
{
    const struct load_report *p = &r->report;

    fprintf(f,
            "<tr><td>%s<td>%u<td>%.2f<td>%.2f<td>%.2f<td>%.2f<td>%.2f<td>%.3f<td>%.0f<td>%" PRIu64
            "\n",
            who, p->established, load_quantile_us(&p->up, 0.5) / 1000.0,
            load_quantile_us(&p->up, 0.99) / 1000.0, load_quantile_us(&p->down, 0.5) / 1000.0,
            load_quantile_us(&p->down, 0.99) / 1000.0, load_quantile_us(&p->clear, 0.99) / 1000.0,
            load_cpu_ms(r, r->cpu_s), load_kb_per_call(r), load_lost(p));
}

static void write_table(FILE *f, const struct load_page *page)
{
    fputs("<table><tr><th><th>calls<th>up p50, ms<th>p99<th>down p50<th>p99<th>clear p99<th>CPU ms "
          "per call and second<th>KB per call<th>lost\n",
          f);
    if (page->relay)
        write_row(f, "relay", page->relay);
    if (page->node)
        write_row(f, "node", page->node);
    for (unsigned i = 0; i < page->n_steps; i++)
        write_row(f, "node", &page->steps[i]);
    fputs("</table>\n", f);
}

int load_write_page(const struct load_wish *w, const struct load_page *page)
{
    const struct load_result *shown = page->node ? page->node : page->relay;
    time_t now = time(NULL);
    struct tm tm;
    char when[32];
    FILE *f = fopen(w->html, "we");
    int rc = 0;

    if (!f) {
        fprintf(stderr, "%s cannot be written (%s); name a file in a folder that is yours\n",
                w->html, strerror(errno));
        return -errno;
    }
    (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M UTC", gmtime_r(&now, &tm));
    fprintf(f, "%s<h1>%s</h1><p>%s, traffic %s, %u s, TLS to the model %s.</p>\n", head,
            page->title, when, w->mix, w->run.seconds, w->model_tls ? "on" : "off");
    if (page->verdict)
        fprintf(f, "<p><strong>It bent: %s.</strong></p>\n", page->verdict);
    write_table(f, page);
    if (page->n_steps)
        write_curve(f, page->steps, page->n_steps);
    if (shown)
        rc = write_delays(f, page->node, page->relay);
    if (shown && !rc)
        rc = write_seconds(f, shown);
    if (fclose(f) && !rc)
        rc = -EIO;
    return rc;
}
