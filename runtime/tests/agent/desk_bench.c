/* SPDX-License-Identifier: Apache-2.0 */
/* desk_bench.c - how long the triage desk takes for an utterance: the VM as agent/desk.c makes it, the
 * rules of an agent, the corpus' tuning half as callers.
 *
 *   desk_bench [AGENT or FOLDER/AGENT] [ROUNDS [MOST_MS]]
 *
 * prints percentiles per utterance, in milliseconds of CPU. Exit 1 when the 99th is above MOST_MS. */
#include "agent/agents_private.h"
#include "agent/api/api.h"
#include "agent/desk_vm.h"
#include "base/now.h"

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINES_MAX = 4000, SAMPLES_MAX = 200000 };

static char *lines[LINES_MAX];
static size_t n_lines;
static uint32_t samples[SAMPLES_MAX];

static void read_corpus(void)
{
    char line[2048];
    glob_t found;

    if (glob("spec/triage/corpus/tune.*.tsv", 0, NULL, &found))
        return;
    for (size_t i = 0; i < found.gl_pathc; i++) {
        FILE *f = fopen(found.gl_pathv[i], "re");

        while (f && fgets(line, sizeof(line), f)) {
            char *words = strrchr(line, '\t');

            if (words && line[0] != '#' && n_lines < LINES_MAX)
                lines[n_lines++] = strdup(words + 1);
        }
        if (f)
            (void)fclose(f);
    }
    globfree(&found);
}

/* Of this thread: what else the machine does is not the desk's time. */
static uint64_t cpu_us(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return x < y ? -1 : x > y;
}

/* "spec/triage/many/many-rules" is an agent of that folder. */
static const char *split(char *path, const char **folder)
{
    char *slash = strrchr(path, '/');

    if (!slash)
        return path;
    *slash = '\0';
    *folder = path;
    return slash + 1;
}

int main(int argc, char **argv)
{
    const char *folder = "agents";
    const char *name = argc > 1 ? split(argv[1], &folder) : "northside-plumbing";
    unsigned rounds = argc > 2 ? (unsigned)atoi(argv[2]) : 3;
    double most_ms = argc > 3 ? strtod(argv[3], NULL) : 0;
    const struct agent_info *a;
    struct agent_set *set;
    struct buf complaints;
    struct vm *v = NULL;
    size_t n = 0;
    uint64_t began, tidy_us, worst_tidy_us = 0;

    buf_init(&complaints, 1 << 20);
    read_corpus();
    if (agent_set_load(&set, folder, "scripts", &complaints) || n_lines == 0)
        return 1;
    a = agent_by_name(set, rd_str(name));
    if (!a || !a->rules) {
        fprintf(stderr, "%s\n", buf_text(&complaints));
        return 1;
    }
    began = monotonic_us();
    if (desk_vm_open(&v, a, &complaints)) {
        fprintf(stderr, "%s\n", buf_text(&complaints));
        return 1;
    }
    printf("%s: opened in %.1f ms, %zu KB of rules, %zu KB of memory\n", name,
           (double)(monotonic_us() - began) / 1000.0, strlen(a->rules) / 1024, vm_memory(v) / 1024);
    for (unsigned round = 0; round < rounds; round++)
        for (size_t i = 0; i < n_lines && n < SAMPLES_MAX; i++) {
            struct rd_str said = rd_str(lines[i]);

            began = cpu_us();
            if (desk_vm_ask(v, "hear", &said, 1, &complaints))
                return 1;
            samples[n++] = (uint32_t)(cpu_us() - began);
            lua_settop(vm_lua(v), 0);
            desk_vm_tidy(v);
            tidy_us = cpu_us() - began - samples[n - 1];
            if (tidy_us > worst_tidy_us)
                worst_tidy_us = tidy_us;
        }
    qsort(samples, n, sizeof(samples[0]), by_size);
    printf("%zu utterances: p50 %.2f, p99 %.2f, p99.9 %.2f, worst %.2f ms of CPU; tidying "
           "afterwards at worst "
           "%.2f ms; %zu KB of memory\n",
           n, samples[n / 2] / 1000.0, samples[n * 99 / 100] / 1000.0,
           samples[n * 999 / 1000] / 1000.0, samples[n - 1] / 1000.0,
           (double)worst_tidy_us / 1000.0, vm_memory(v) / 1024);
    vm_free(v);
    agent_set_unref(set);
    for (size_t i = 0; i < n_lines; i++)
        free(lines[i]);
    buf_fini(&complaints);
    return most_ms > 0 && samples[n * 99 / 100] > most_ms * 1000.0;
}
