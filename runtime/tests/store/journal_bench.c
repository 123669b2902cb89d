/* SPDX-License-Identifier: Apache-2.0 */
/* journal_bench - how long an event takes from journal_append() to the disk, while a shipper looks
 * after the file and finds no database.
 *
 *   journal_bench FOLDER [EVENTS_PER_SECOND [SECONDS]]     500 a second for 10 s
 *
 * Prints one line, and removes what it wrote. Exit 1 when the 99th percentile is above 20 ms. */
#include "observe/metrics.h"
#include "store/journal.h"
#include "store/journal_folder.h"
#include "store/shipper.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIMIT_US = 20000 };

static void sleep_until(const struct timespec *t)
{
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, t, NULL) != 0)
        ;
}

static void append_at(struct journal *j, unsigned rate, uint32_t n)
{
    static const char body[] =
        "{\"call\":\"CA00000000000000000000000000000000\",\"agent\":\"bench\","
        "\"from\":\"+13125550142\",\"to\":\"+13125550100\",\"at_ms\":1234,"
        "\"seq\":1,\"role\":\"caller\",\"text\":\"We are open from nine to "
        "five, and on Saturdays until noon.\"}";
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    for (uint32_t seq = 1; seq <= n; seq++) {
        struct journal_event e = {.stream = RD_STR("CA00000000000000000000000000000000"),
                                  .started_us = 1790000000000000,
                                  .epoch = 1790000000000000,
                                  .seq = seq,
                                  .at_us = 1790000000000000 + seq,
                                  .type = "turn",
                                  .body = rd_str(body)};

        (void)journal_append(j, &e);
        t.tv_nsec += 1000000000L / rate;
        t.tv_sec += t.tv_nsec / 1000000000L;
        t.tv_nsec %= 1000000000L;
        sleep_until(&t);
    }
}

static int no_database(struct buf *out, char *why, size_t cap, void *arg)
{
    (void)out;
    (void)arg;
    (void)snprintf(why, cap, "there is no database in a benchmark");
    return -1;
}

int main(int argc, char **argv)
{
    unsigned rate = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 500;
    unsigned seconds = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 10) : 10;
    struct metric_summary sum;
    struct journal *j = NULL;
    struct shipper *s = NULL;
    char why[256], **paths;
    int n;

    if (argc < 2 || rate == 0 || seconds == 0) {
        fputs("usage: journal_bench FOLDER [EVENTS_PER_SECOND [SECONDS]]\n", stderr);
        return 2;
    }
    if (journal_start(&j, &(struct journal_opts){.folder = argv[1]}, why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    if (shipper_start(
            &s, &(struct shipper_opts){.folder = argv[1], .journal = j, .conninfo = no_database}))
        return 1;
    append_at(j, rate, rate * seconds);
    shipper_stop(s, 0);
    journal_stop(j);
    sum = metric_summarise(H_JOURNAL_APPEND_US);
    printf("events=%llu per_second=%u p50_us=%llu p90_us=%llu p99_us=%llu max_us=%llu\n",
           (unsigned long long)sum.count, rate, (unsigned long long)sum.p50,
           (unsigned long long)sum.p90, (unsigned long long)sum.p99, (unsigned long long)sum.max);
    n = journal_folder_list(argv[1], &paths);
    for (int i = 0; i < n; i++)
        journal_folder_remove(paths[i]);
    journal_folder_free(paths, n);
    return sum.p99 > LIMIT_US;
}
