/* SPDX-License-Identifier: Apache-2.0 */
/* journal_peer - a journal and its shipper as a process, for spec/e2e/journal_spec.lua.
 *
 *   journal_peer FOLDER CONNINFO
 *
 * It prints "pid N", then answers each line of its input with one line:
 *   append STREAM FROM TO      events FROM…TO of the type "note": their bodies are {"n":seq}
 *   event STREAM SEQ TYPE BODY one event
 *   durable                    waits until they are on the disk
 *   shipped MS                 waits until nothing is left to ship
 *   gauges                     as JSON
 * The end of the input stops shipper and journal: "stopped". */
#include "base/log.h"
#include "observe/alarm.h"
#include "store/journal.h"
#include "store/shipper.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 256 * 1024, EPOCH_US = 1000000 };

static uint64_t epoch; /* as the start of a process gives it */

static int conninfo(struct buf *out, char *why, size_t cap, void *arg)
{
    (void)snprintf(why, cap, "no memory");
    return buf_add_str(out, arg);
}

static void nap(void)
{
    struct timespec t = {.tv_nsec = 10000000};

    (void)nanosleep(&t, NULL);
}

static int append(struct journal *j, const char *stream, uint32_t seq, const char *type,
                  const char *body)
{
    struct journal_event e = {.stream = rd_str(stream),
                              .started_us = 1790000000000000,
                              .epoch = epoch,
                              .seq = seq,
                              .at_us = 1790000000000000 + seq,
                              .type = type,
                              .body = rd_str(body)};

    return journal_append(j, &e);
}

static void append_range(struct journal *j, const char *stream, uint32_t from, uint32_t to)
{
    char body[32];
    int rc = 0;

    for (uint32_t seq = from; seq <= to && !rc; seq++) {
        (void)snprintf(body, sizeof(body), "{\"n\":%u}", seq);
        rc = append(j, stream, seq, "note", body);
    }
    printf("appended %d\n", rc);
}

static void note(void *arg, int rc)
{
    atomic_store((atomic_int *)arg, rc ? rc : 1);
}

static void durable(struct journal *j)
{
    static atomic_int said;

    said = 0;
    if (journal_barrier(j, note, &said) == 0)
        while (!said)
            nap();
    printf("durable %d\n", said);
}

static void shipped(struct journal *j, long wait_ms)
{
    struct journal_gauges g;

    do {
        nap();
        journal_gauges(j, &g);
    } while ((g.kept > 0 || g.waiting > 0) && (wait_ms -= 10) > 0);
    puts(g.kept > 0 || g.waiting > 0 ? "left" : "shipped");
}

static void gauges(struct journal *j)
{
    struct journal_gauges g;
    struct alarm alarms[ALARMS_MAX];
    size_t n = alarm_list(alarms, ALARMS_MAX);
    struct buf out;

    journal_gauges(j, &g);
    buf_init(&out, 64 << 10);
    (void)buf_addf(
        &out,
        "{\"waiting\":%" PRIu64 ",\"kept\":%" PRIu64 ",\"dead\":%" PRIu64 ",\"lost\":%" PRIu64
        ",\"oldest_age_ms\":%" PRIu64 ",\"shipping\":%s,\"error\":\"",
        g.waiting, g.kept, g.dead, g.lost, g.oldest_age_ms, g.shipping ? "true" : "false");
    (void)buf_add_json(&out, rd_str(g.database_error));
    (void)buf_add_str(&out, "\",\"alarms\":\"");
    for (size_t i = 0; i < n; i++)
        (void)buf_addf(&out, "%s ", alarms[i].kind);
    (void)buf_add_str(&out, "\"}");
    puts(buf_text(&out));
    buf_fini(&out);
}

static void answer(struct journal *j, char *line)
{
    char *rest = line, *word = strsep(&rest, " \n"), *stream, *type;
    uint32_t from;

    if (strcmp(word, "append") == 0 || strcmp(word, "event") == 0) {
        stream = strsep(&rest, " ");
        from = (uint32_t)strtoul(strsep(&rest, " "), NULL, 10);
        if (*word == 'a') {
            append_range(j, stream, from, (uint32_t)strtoul(rest, NULL, 10));
            return;
        }
        type = strsep(&rest, " ");
        rest[strcspn(rest, "\n")] = '\0';
        printf("appended %d\n", append(j, stream, from, type, rest));
    } else if (strcmp(word, "durable") == 0) {
        durable(j);
    } else if (strcmp(word, "shipped") == 0) {
        shipped(j, strtol(rest, NULL, 10));
    } else {
        gauges(j);
    }
}

int main(int argc, char **argv)
{
    static char line[LINE_MAX_BYTES];
    struct journal *j = NULL;
    struct shipper *s = NULL;
    struct timespec t;
    char why[256];

    if (argc != 3)
        return 2;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)clock_gettime(CLOCK_REALTIME, &t);
    epoch = (uint64_t)t.tv_sec * EPOCH_US + (uint64_t)t.tv_nsec / 1000;
    if (journal_start(&j, &(struct journal_opts){.folder = argv[1]}, why, sizeof(why))) {
        fprintf(stderr, "%s\n", why);
        return 1;
    }
    if (shipper_start(&s, &(struct shipper_opts){.folder = argv[1],
                                                 .journal = j,
                                                 .conninfo = conninfo,
                                                 .probe_conninfo = conninfo,
                                                 .arg = argv[2]}))
        return 1;
    printf("pid %d\n", (int)getpid());
    while (fgets(line, sizeof(line), stdin))
        answer(j, line);
    shipper_stop(s, 2000);
    journal_stop(j);
    puts("stopped");
    return 0;
}
