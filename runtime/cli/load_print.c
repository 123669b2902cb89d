/* SPDX-License-Identifier: Apache-2.0 */
/* load_print.c - a run as a table and as JSON, and what is judged of it. */
#include "cli/load.h"

#include <inttypes.h>
#include <stdio.h>

double load_cpu_ms(const struct load_result *r, double cpu_s)
{
    double call_seconds = r->report.seconds * (double)r->report.established;

    return call_seconds > 0 ? 1000.0 * cpu_s / call_seconds : 0;
}

double load_kb_per_call(const struct load_result *r)
{
    return r->report.established
               ? (r->rss_mb - r->rss_idle_mb) * 1024.0 / (double)r->report.established
               : 0;
}

bool load_lagged(const struct load_wish *w, const struct load_report *r)
{
    return load_quantile_us(&r->lag, 0.99) > w->lag_max_us;
}

uint64_t load_lost(const struct load_report *r)
{
    return r->up_order.lost + r->down_order.lost;
}

static double lost_ms(const struct load_report *r)
{
    return ((double)r->bytes_sent - (double)r->bytes_arrived) / 8.0;
}

bool load_is_good(const struct load_report *r)
{
    return r->established == r->attempted && r->dropped == 0 && r->bytes_sent == r->bytes_arrived &&
           load_lost(r) == 0 && r->clears_missed == 0 && r->beyond_apologised == r->beyond;
}

static void print_row(const char *name, const struct load_histogram *h)
{
    printf("  %-34s %9.2f %9.2f %9.2f %9.2f   %" PRIu64 "\n", name,
           load_quantile_us(h, 0.5) / 1000.0, load_quantile_us(h, 0.99) / 1000.0,
           load_quantile_us(h, 0.999) / 1000.0, h->max_us / 1000.0, h->n);
}

static void print_order(const char *name, uint64_t sent, const struct load_order *o)
{
    printf("  %-34s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9" PRIu64 "   %" PRIu64 "\n", name,
           sent, o->arrived, o->lost, o->duplicated, o->reordered);
}

static void print_ends(const struct load_wish *w, const struct load_report *r)
{
    printf("\n  %.1f calls a second came up until all were\n", r->setup_per_s);
    if (w->run.drops)
        printf("  %u callers vanished; %u models went away, and were asked anew %u times\n",
               r->vanished, r->models_cut, r->models_back);
    if (r->beyond)
        printf("  %u calls more than it takes: %u heard its apology, %u were admitted\n", r->beyond,
               r->beyond_apologised, r->beyond_admitted);
}

void load_print_table(const struct load_wish *w, const struct load_result *result)
{
    const struct load_report *r = &result->report;

    printf("%u calls attempted, %u established, %u failed, %u dropped; %u barge-ins, %u not "
           "cleared\n\n",
           r->attempted, r->established, r->failed, r->dropped, r->barge_ins, r->clears_missed);
    printf(
        "  milliseconds                             p50       p99     p99.9     worst   samples\n");
    print_row("caller to model, one way", &r->up);
    print_row("model to caller, one way", &r->down);
    print_row("speech_started to clear", &r->clear);
    print_row("webhook to open stream", &r->setup);
    print_row("webhook to first agent audio", &r->first);
    if (r->tool.n)
        print_row("function call to its output", &r->tool);
    if (w->run.work && result->triage_n)
        printf("  %-34s %9.2f %9.2f %31" PRIu64 "\n", "words to rules, in the node",
               (double)result->triage_p50_us / 1000.0, (double)result->triage_p99_us / 1000.0,
               result->triage_n);
    printf(
        "\n  frames                                  sent   arrived      lost   doubled   out of "
        "order\n");
    print_order("from callers, 20 ms each", r->frames_sent, &r->up_order);
    print_order("from models", r->deltas_sent, &r->down_order);
    print_ends(w, r);
    printf("\n  node: %.3f ms of CPU per call and second, %.1f MB idle, %.0f KB more per call\n",
           load_cpu_ms(result, result->cpu_s), result->rss_idle_mb, load_kb_per_call(result));
    printf("  we ourselves: %.3f ms of CPU per call and second; our clock lagged by %.2f ms at "
           "p99, %.2f ms at worst%s\n",
           load_cpu_ms(result, r->harness_cpu_s), load_quantile_us(&r->lag, 0.99) / 1000.0,
           r->lag.max_us / 1000.0, load_lagged(w, r) ? ": the delays above hold that too" : "");
}

static void json_row(const char *name, const struct load_histogram *h)
{
    printf(",\"%s\":{\"p50_us\":%u,\"p99_us\":%u,\"p999_us\":%u,\"worst_us\":%u,\"n\":%" PRIu64 "}",
           name, load_quantile_us(h, 0.5), load_quantile_us(h, 0.99), load_quantile_us(h, 0.999),
           h->max_us, h->n);
}

static void json_order(const char *name, uint64_t sent, const struct load_order *o)
{
    printf(",\"%s\":{\"sent\":%" PRIu64 ",\"arrived\":%" PRIu64 ",\"lost\":%" PRIu64
           ",\"duplicated\":%" PRIu64 ",\"reordered\":%" PRIu64 "}",
           name, sent, o->arrived, o->lost, o->duplicated, o->reordered);
}

void load_print_self_test(const struct load_wish *w, const struct load_result *result)
{
    const struct load_report *r = &result->report;

    printf("%u calls through a byte relay\n\n", r->established);
    printf(
        "  milliseconds                             p50       p99     p99.9     worst   samples\n");
    print_row("caller to model, one way", &r->up);
    print_row("model to caller, one way", &r->down);
    print_row("speech_started, one way", &r->clear);
    print_row("our own lag", &r->lag);
    printf(
        "\n  frames                                  sent   arrived      lost   doubled   out of "
        "order\n");
    print_order("from callers, 20 ms each", r->frames_sent, &r->up_order);
    print_order("from models", r->deltas_sent, &r->down_order);
    printf("\n  cost: %.3f ms of our CPU per call and second (%.2f of a processor), the relay "
           "%.3f ms\n",
           load_cpu_ms(result, r->harness_cpu_s), r->harness_cpu_s / r->seconds,
           load_cpu_ms(result, result->cpu_s));
    printf("  error: a delay of a node is told too long by at most what stands above: the relay's, "
           "the kernel's and ours\n");
    printf("  %s\n", load_lagged(w, r)
                         ? "WE LAGGED: runs with so many calls, now and here, say nothing"
                         : "we kept time");
}

static void json_ends(const struct load_report *r)
{
    printf(",\"setup_per_s\":%.1f,\"vanished\":%u,\"models_cut\":%u,\"models_back\":%u,"
           "\"beyond\":%u,\"beyond_apologised\":%u,\"beyond_admitted\":%u",
           r->setup_per_s, r->vanished, r->models_cut, r->models_back, r->beyond,
           r->beyond_apologised, r->beyond_admitted);
}

void load_print_json(const struct load_wish *w, const struct load_result *result)
{
    const struct load_report *r = &result->report;

    printf(
        "{\"attempted\":%u,\"established\":%u,\"failed\":%u,\"dropped\":%u,\"frames_sent\":%" PRIu64
        ",\"lost_ms\":%.0f,\"deltas_sent\":%" PRIu64 ",\"barge_ins\":%u,\"clears_missed\":%u",
        r->attempted, r->established, r->failed, r->dropped, r->frames_sent, lost_ms(r),
        r->deltas_sent, r->barge_ins, r->clears_missed);
    json_order("up_frames", r->frames_sent, &r->up_order);
    json_order("down_frames", r->deltas_sent, &r->down_order);
    json_row("up", &r->up);
    json_row("down", &r->down);
    json_row("clear", &r->clear);
    json_row("setup", &r->setup);
    json_row("first_audio", &r->first);
    json_row("tool", &r->tool);
    json_ends(r);
    printf(",\"triage\":{\"p50_us\":%" PRIu64 ",\"p99_us\":%" PRIu64 ",\"n\":%" PRIu64 "}",
           result->triage_p50_us, result->triage_p99_us, result->triage_n);
    printf(",\"seconds\":%.2f,\"cpu_ms_per_call_second\":%.4f,\"harness_cpu_ms_per_call_second\":%."
           "4f,\"rss_idle_mb\":%.2f,\"rss_mb\":%.2f,\"harness_lag_p99_us\":%u,\"harness_lag_us\":%"
           "u,\"lagged\":%s"
           "}\n",
           r->seconds, load_cpu_ms(result, result->cpu_s), load_cpu_ms(result, r->harness_cpu_s),
           result->rss_idle_mb, result->rss_mb, load_quantile_us(&r->lag, 0.99), r->lag.max_us,
           load_lagged(w, r) ? "true" : "false");
}
