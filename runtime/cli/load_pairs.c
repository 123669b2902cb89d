/* SPDX-License-Identifier: Apache-2.0 */
/* load_pairs.c - a node compared with a byte relay between the same two ends.
 *
 * - relay, node, relay, node…, each fresh, with the same calls; the first pair only warms the
 *   machine up.
 * - a pair in which our own clock lagged says nothing: it is discarded and made again, up to three
 *   tries for each pair wanted.
 * - what is told are medians over the pairs, also of the differences and the ratio.
 *
 * Failure modes: too few pairs left: NOT MEASURED, exit 3; a call that failed or a frame that was
 * lost in a pair that counts: exit 1. */
#include "cli/commands.h"
#include "cli/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 3 };

/* What is told of a pair: the relay's, the node's, and the two together. */
struct figure {
    const char *key, *title, *unit;
    double (*of)(const struct load_result *r);
    int digits;
    bool node_only, ratio;
};

struct pair {
    struct load_result relay, node;
};

#define MS(name, histogram, q)                                     \
    static double name(const struct load_result *r)                \
    {                                                              \
        return load_quantile_us(&r->report.histogram, q) / 1000.0; \
    }
MS(up_p50, up, 0.5)
MS(up_p99, up, 0.99)
MS(up_p999, up, 0.999)
MS(down_p50, down, 0.5)
MS(down_p99, down, 0.99)
MS(down_p999, down, 0.999)
MS(clear_p50, clear, 0.5)
MS(clear_p99, clear, 0.99)
MS(setup_p50, setup, 0.5)
MS(setup_p99, setup, 0.99)
MS(lag_p99, lag, 0.99)

static double cpu_of(const struct load_result *r)
{
    return load_cpu_ms(r, r->cpu_s);
}

static double own_cpu_of(const struct load_result *r)
{
    return load_cpu_ms(r, r->report.harness_cpu_s);
}

static double idle_of(const struct load_result *r)
{
    return r->rss_idle_mb;
}

static double lost_of(const struct load_result *r)
{
    return (double)load_lost(&r->report);
}

static const struct figure figures[] = {
    {"cpu_ms_per_call_second", "CPU per call and second", "ms", cpu_of, 4, false, true},
    {"up_p50_ms", "caller to model, p50", "ms", up_p50, 3, false, false},
    {"up_p99_ms", "caller to model, p99", "ms", up_p99, 3, false, false},
    {"up_p999_ms", "caller to model, p99.9", "ms", up_p999, 3, false, false},
    {"down_p50_ms", "model to caller, p50", "ms", down_p50, 3, false, false},
    {"down_p99_ms", "model to caller, p99", "ms", down_p99, 3, false, false},
    {"down_p999_ms", "model to caller, p99.9", "ms", down_p999, 3, false, false},
    {"clear_p50_ms", "speech_started to clear, p50", "ms", clear_p50, 3, false, false},
    {"clear_p99_ms", "speech_started to clear, p99", "ms", clear_p99, 3, false, false},
    {"setup_p50_ms", "webhook to open stream, p50", "ms", setup_p50, 2, true, false},
    {"setup_p99_ms", "webhook to open stream, p99", "ms", setup_p99, 2, true, false},
    {"idle_mb", "memory, idle", "MB", idle_of, 1, true, false},
    {"kb_per_call", "memory, more per call", "KB", load_kb_per_call, 0, true, false},
    {"lost_frames", "frames lost", "", lost_of, 0, false, false},
    {"harness_cpu_ms_per_call_second", "our own CPU per call and second", "ms", own_cpu_of, 4,
     false, false},
    {"harness_lag_p99_ms", "our own lag, p99", "ms", lag_p99, 3, false, false}};
enum { FIGURES = sizeof(figures) / sizeof(figures[0]) };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, unsigned n)
{
    qsort(values, n, sizeof(*values), compare);
    return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

enum column { RELAY, NODE, BOTH };

static double middle(const struct pair *pairs, unsigned n, const struct figure *f, enum column what)
{
    double values[LOAD_PAIRS_MAX];

    for (unsigned i = 0; i < n; i++) {
        double relay = f->of(&pairs[i].relay), node = f->of(&pairs[i].node);

        if (what == BOTH)
            values[i] = !f->ratio ? node - relay : relay > 0 ? node / relay : 0;
        else
            values[i] = what == RELAY ? relay : node;
    }
    return median(values, n);
}

static void print_medians(const struct pair *pairs, unsigned n)
{
    printf("\n  medians of %u %-23s %10s %10s %12s\n", n, n == 1 ? "pair" : "pairs", "relay",
           "node", "node/relay");
    for (unsigned i = 0; i < FIGURES; i++) {
        const struct figure *f = &figures[i];
        double node = middle(pairs, n, f, NODE), both = middle(pairs, n, f, BOTH);

        printf("  %-31s %-2s ", f->title, f->unit);
        if (f->node_only)
            printf("%10s %10.*f\n", "", f->digits, node);
        else
            printf("%10.*f %10.*f %s%.*f\n", f->digits, middle(pairs, n, f, RELAY), f->digits, node,
                   f->ratio    ? "      × "
                   : both >= 0 ? "      + "
                               : "      - ",
                   f->ratio ? 2 : f->digits, both < 0 ? -both : both);
    }
}

static void json_medians(const struct pair *pairs, unsigned n, unsigned tries,
                         const struct load_wish *w)
{
    printf("{\"calls\":%u,\"mix\":\"%s\",\"pairs\":%u,\"tries\":%u,\"measured\":%s", w->run.calls,
           w->mix, n, tries, n == w->pairs ? "true" : "false");
    for (unsigned i = 0; n && i < FIGURES; i++) {
        const struct figure *f = &figures[i];

        printf(",\"%s\":{\"node\":%.4f", f->key, middle(pairs, n, f, NODE));
        if (!f->node_only)
            printf(",\"relay\":%.4f,\"%s\":%.4f", middle(pairs, n, f, RELAY),
                   f->ratio ? "ratio" : "added", middle(pairs, n, f, BOTH));
        printf("}");
    }
    printf("}\n");
}

static void tell(const char *what, const struct load_result *r, const char *note)
{
    fprintf(stderr,
            "%s: CPU %.4f ms per call and second, up p99 %.2f, down p99 %.2f, clear p99 %.2f ms, "
            "lag p99 %.2f ms, %.0f lost%s\n",
            what, cpu_of(r), up_p99(r), down_p99(r), clear_p99(r), lag_p99(r), lost_of(r), note);
}

/* 0, or an exit code. */
static int run_pair(const struct load_wish *w, struct pair *p, bool *quiet)
{
    int code = load_once(w, true, "relay: ", &p->relay);

    if (!code)
        code = load_once(w, false, "node: ", &p->node);
    if (code)
        return code;
    *quiet = !load_lagged(w, &p->relay.report) && !load_lagged(w, &p->node.report);
    tell("relay", &p->relay, *quiet ? "" : "   discarded: we lagged in this pair");
    tell("node ", &p->node, *quiet ? "" : "   discarded: we lagged in this pair");
    return 0;
}

/* The last pair, drawn. */
static int write_page(const struct load_wish *w, const struct pair *p)
{
    struct load_page page = {.node = &p->node, .relay = &p->relay, .title = "A node and a relay"};

    return w->html ? load_write_page(w, &page) : 0;
}

static int warm_up(const struct load_wish *w)
{
    struct load_wish warm = *w;
    struct pair *p = calloc(1, sizeof(*p));
    bool quiet;
    int code;

    warm.run.seconds = w->run.seconds < 3 ? w->run.seconds : 3;
    fprintf(stderr, "a pair that only warms up:\n");
    code = p ? run_pair(&warm, p, &quiet) : EXIT_FAILED;
    free(p);
    return code;
}

static int tell_all(const struct load_wish *w, const struct pair *pairs, unsigned n, unsigned tries,
                    bool good)
{
    if (w->json)
        json_medians(pairs, n, tries, w);
    else if (n)
        print_medians(pairs, n);
    if (n < w->pairs) {
        fprintf(stderr,
                "NOT MEASURED: %u of %u pairs were quiet enough in %u tries; run it again on a "
                "quiet machine\n",
                n, w->pairs, tries);
        return LOAD_NOT_MEASURED;
    }
    if (write_page(w, &pairs[n - 1]))
        return EXIT_FAILED;
    return good ? EXIT_OK : EXIT_FAILED;
}

int load_in_pairs(const struct load_wish *w)
{
    struct pair *pairs = calloc(w->pairs, sizeof(*pairs));
    unsigned n = 0, tries = 0;
    bool quiet, good = true;
    int code = pairs ? warm_up(w) : EXIT_FAILED;

    while (!code && n < w->pairs && tries < TRIES * w->pairs) {
        code = run_pair(w, &pairs[n], &quiet);
        tries++;
        if (code || !quiet)
            continue;
        good = good && load_is_good(&pairs[n].relay.report) && load_is_good(&pairs[n].node.report);
        n++;
    }
    if (!code)
        code = tell_all(w, pairs, n, tries, good);
    free(pairs);
    return code;
}
