/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - what `ringdown load` was asked for, and one run of it, shared by load.c (options),
 * load_run.c (one run), load_pairs.c (runs compared) and load_print.c (what comes out). */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "sim/load/load.h"

#include <sys/types.h>

enum {
    LOAD_UNRULY_MAX = 16,
    LOAD_CALLS_MAX = 4000,
    LOAD_PAIRS_MAX = 25,
    LOAD_SAMPLES = 1024,
    LOAD_NOT_MEASURED = 3
};

struct load_wish {
    struct load_opts run;
    const char *agents, *mix;
    const char *unruly[LOAD_UNRULY_MAX];
    const char *html; /* borrows: a file to write; NULL: none */
    unsigned pairs, cores, ramp, lag_max_us;
    bool json, pinned, model_tls, self_test, curve;
};

/* One second of a run. */
struct load_sample {
    unsigned up;
    double cpu_s, own_cpu_s; /* so far */
    double lag_ms;           /* the worst */
};

/* One run, against a node of its own or a relay. */
struct load_result {
    struct load_report report;
    double cpu_s; /* of the node or the relay, while it was measured */
    double rss_idle_mb, rss_mb;
    uint64_t triage_n, triage_p50_us, triage_p99_us;
    struct load_sample samples[LOAD_SAMPLES];
    unsigned n_samples;
};

/* One run. What it says of itself on stderr begins with `name`. 0, or an exit code; why is on
 * stderr. */
int load_once(const struct load_wish *w, bool relay, const char *name, struct load_result *out);

/* Each an exit code. */
int load_in_pairs(const struct load_wish *w);
int load_curve(const struct load_wish *w);

double load_cpu_ms(const struct load_result *r, double cpu_s); /* for one call in one second */
double load_kb_per_call(const struct load_result *r);
uint64_t load_lost(const struct load_report *r); /* frames, both ways */
bool load_is_good(const struct load_report *r);
bool load_lagged(const struct load_wish *w, const struct load_report *r);

void load_print_table(const struct load_wish *w, const struct load_result *r);
void load_print_self_test(const struct load_wish *w, const struct load_result *r);
void load_print_json(const struct load_wish *w, const struct load_result *r);

/* A page by itself, with plots. Results are the node's and, where there was one, the relay's. */
struct load_page {
    const struct load_result *node, *relay; /* NULL: none */
    const struct load_result *steps;        /* of a curve */
    unsigned n_steps;
    const char *title, *verdict;
};
int load_write_page(const struct load_wish *w, const struct load_page *page);

#endif
