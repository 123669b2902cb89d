/* SPDX-License-Identifier: Apache-2.0 */
/* load_curve.c - calls against delay and CPU, step by step, until it bends.
 *
 * - each step has a fresh node and as many calls more as the first had; --calls is where it ends.
 * - it has bent when a call fails, a frame is lost, or a hundredth of the frames takes longer than
 *   20 ms; what did first is said in words.
 * - a step in which we ourselves lagged says so. When it bends there, it may have been we. */
#include "base/err.h"
#include "cli/commands.h"
#include "cli/load.h"

#include <stdio.h>
#include <stdlib.h>

enum { STEPS_MAX = 40, LATE_US = 20000, RATE_S = 8 };

/* What gave way, or NULL. */
static const char *bent(const struct load_wish *w, const struct load_report *r)
{
    bool lagged = load_lagged(w, r);

    if (r->failed)
        return lagged ? "calls failed, and we lagged" : "calls failed to come up";
    if (r->dropped)
        return lagged ? "calls dropped, and we lagged" : "calls dropped";
    if (load_lost(r))
        return lagged ? "frames were lost, and we lagged" : "frames were lost";
    if (r->clears_missed)
        return lagged ? "barge-ins were missed, and we lagged" : "barge-ins were missed";
    if (load_quantile_us(&r->up, 0.99) > LATE_US)
        return lagged ? "frames to the model were late, and we lagged"
                      : "frames to the model were late (p99 over 20 ms)";
    if (load_quantile_us(&r->down, 0.99) > LATE_US)
        return lagged ? "frames to the caller were late, and we lagged"
                      : "frames to the caller were late (p99 over 20 ms)";
    return NULL;
}

static void print_head(void)
{
    printf("  calls   up p50     p99   p99.9   down p50     p99   p99.9   node, cores   ms/call   "
           "ours   KB/call   lost\n");
}

static void print_step(const struct load_wish *w, const struct load_result *s)
{
    const struct load_report *r = &s->report;

    printf(
        "%7u  %7.2f %7.2f %7.2f    %7.2f %7.2f %7.2f       %7.2f   %7.3f   %4.2f   %7.0f   %4u%s\n",
        r->established, load_quantile_us(&r->up, 0.5) / 1000.0,
        load_quantile_us(&r->up, 0.99) / 1000.0, load_quantile_us(&r->up, 0.999) / 1000.0,
        load_quantile_us(&r->down, 0.5) / 1000.0, load_quantile_us(&r->down, 0.99) / 1000.0,
        load_quantile_us(&r->down, 0.999) / 1000.0, s->cpu_s / r->seconds, load_cpu_ms(s, s->cpu_s),
        r->harness_cpu_s / r->seconds, load_kb_per_call(s), (unsigned)load_lost(r),
        load_lagged(w, r) ? "   we lagged" : "");
    (void)fflush(stdout);
}

static void json_steps(const struct load_wish *w, const struct load_result *steps, unsigned n,
                       const char *why)
{
    printf("{\"mix\":\"%s\",\"tls\":%s,\"cores\":%u,\"bent\":%s%s%s,\"steps\":[", w->mix,
           w->model_tls ? "true" : "false", w->cores, why ? "\"" : "", why ? why : "null",
           why ? "\"" : "");
    for (unsigned i = 0; i < n; i++) {
        printf(i ? "," : "");
        load_print_json(w, &steps[i]);
    }
    printf("]}\n");
}

static int write_page(const struct load_wish *w, const struct load_result *steps, unsigned n,
                      const char *why)
{
    struct load_page page = {
        .steps = steps, .n_steps = n, .title = "Calls against delay and CPU", .verdict = why};

    return w->html ? load_write_page(w, &page) : 0;
}

int load_curve(const struct load_wish *w)
{
    struct load_result *steps = calloc(STEPS_MAX, sizeof(*steps));
    unsigned n = 0, step = w->run.calls > 1000 ? w->run.calls / 10 : 100;
    const char *why = NULL;
    int code = steps ? EXIT_OK : EXIT_FAILED;

    if (step > w->run.calls)
        step = w->run.calls;
    if (!w->json && !code)
        print_head();
    for (unsigned calls = step; !code && !why && calls <= w->run.calls && n < STEPS_MAX;
         calls += step) {
        struct load_wish one = *w;
        char name[32];

        one.run.calls = calls;
        if (one.run.per_second < calls / RATE_S)
            one.run.per_second = calls / RATE_S;
        (void)snprintf(name, sizeof(name), "%u: ", calls);
        code = load_once(&one, false, name, &steps[n]);
        if (code)
            break;
        why = bent(w, &steps[n].report);
        if (!w->json)
            print_step(w, &steps[n]);
        n++;
    }
    if (!code && w->json)
        json_steps(w, steps, n, why);
    else if (!code && why)
        printf("\nat %u calls %s\n", steps[n - 1].report.attempted, why);
    else if (!code)
        printf("\nup to %u calls it did not bend\n", steps[n - 1].report.attempted);
    if (!code && write_page(w, steps, n, why))
        code = EXIT_FAILED;
    free(steps);
    return code;
}
