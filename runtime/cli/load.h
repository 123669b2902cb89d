/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - what `ringdown load` was asked for, and one run of it, shared by load.c (options),
 * load_run.c (one run), load_pairs.c (runs compared) and load_print.c (what comes out). */
#ifndef CLI_LOAD_H
#define CLI_LOAD_H

#include "sim/load/load.h"

#include <sys/types.h>

enum { LOAD_UNRULY_MAX = 16, LOAD_CALLS_MAX = 4000, LOAD_LAG_MAX_US = 500, LOAD_NOT_MEASURED = 3 };

struct load_wish {
    struct load_opts run;
    const char *agents;
    const char *unruly[LOAD_UNRULY_MAX];
    unsigned pairs;
    bool json, pinned;
};

/* One run, against a node of its own or a relay. */
struct load_result {
    struct load_report report;
    double cpu_s; /* of the node or the relay, while it was measured */
    double rss_idle_mb, rss_mb;
    uint64_t triage_n, triage_p50_us, triage_p99_us;
};

/* What it says of itself on stderr begins with `name`. 0, or an exit code; why is on stderr. */
int load_once(const struct load_wish *w, bool relay, const char *name, struct load_result *out);

int load_in_pairs(const struct load_wish *w); /* an exit code */

/* ms of CPU for one call in one second */
double load_cpu_ms(const struct load_result *r, double cpu_s);
bool load_is_good(const struct load_report *r);
bool load_lagged(const struct load_report *r);
double load_kb_per_call(const struct load_result *r);
void load_print_table(const struct load_wish *w, const struct load_result *r);
void load_print_json(const struct load_result *r);

#endif
