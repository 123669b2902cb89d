/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "observe/metrics.h"
#include "observe/prometheus.h"
#include "observe/shown.h"
#include "observe/targets.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { LINE_MAX = 1024, SERIES_MAX = 20000, NAMES_MAX = 400 };

static int clean(void **state)
{
    (void)state;
    metrics_reset();
    targets_reset();
    return 0;
}

/* --- a reader of the format that is stricter than the tools --- */

struct text {
    struct buf out;
    char *series[SERIES_MAX]; /* owns; name and labels */
    size_t n_series;
    char names[NAMES_MAX][128]; /* of families, in their order */
    size_t n_names;
    char family[128], kind[16]; /* of # TYPE */
    char labels[LINE_MAX];      /* of the histogram series being read, without le */
    double last, last_edge;     /* of its buckets */
    double inf;                 /* -1: not seen */
};

static void remember_family(struct text *t, const char *name)
{
    for (size_t i = 0; i < t->n_names; i++)
        if (strcmp(t->names[i], name) == 0)
            fail_msg("%s comes twice", name);
    assert_true(t->n_names < NAMES_MAX);
    (void)snprintf(t->names[t->n_names++], sizeof(t->names[0]), "%s", name);
}

static void remember_series(struct text *t, const char *series)
{
    assert_true(t->n_series < SERIES_MAX);
    t->series[t->n_series++] = strdup(series);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void assert_unique(struct text *t)
{
    qsort(t->series, t->n_series, sizeof(char *), by_name);
    for (size_t i = 1; i < t->n_series; i++)
        if (strcmp(t->series[i - 1], t->series[i]) == 0)
            fail_msg("%s comes twice", t->series[i]);
}

/* Takes le="…" out of the labels. */
static double edge_of(char *labels)
{
    char *le = strstr(labels, "le=\""), *end;
    double edge;

    assert_non_null(le);
    edge = strncmp(le + 4, "+Inf", 4) == 0 ? 1e300 : strtod(le + 4, &end);
    if (le > labels && le[-1] == ',')
        le--;
    *le = '\0';
    return edge;
}

static void on_bucket(struct text *t, char *labels, double value)
{
    double edge = edge_of(labels);

    if (strcmp(labels, t->labels) != 0 || t->inf >= 0) {
        t->last = t->last_edge = 0;
        (void)snprintf(t->labels, sizeof(t->labels), "%s", labels);
    }
    assert_true(edge > t->last_edge);
    assert_true(value >= t->last);
    t->last = value;
    t->last_edge = edge;
    t->inf = edge > 1e299 ? value : -1;
}

static void on_histogram(struct text *t, const char *rest, char *labels, double value)
{
    if (strcmp(rest, "_bucket") == 0) {
        on_bucket(t, labels, value);
    } else if (strcmp(rest, "_count") == 0) {
        assert_string_equal(labels, t->labels);
        assert_true(t->inf == value);
    } else {
        assert_string_equal(rest, "_sum");
        assert_true(t->inf >= 0);
    }
}

static void on_sample(struct text *t, char *line)
{
    char *space = strrchr(line, ' '), *brace = strchr(line, '{'), *end, *rest;
    double value;

    assert_non_null(space);
    value = strtod(space + 1, &end);
    assert_int_equal(*end, '\0');
    *space = '\0';
    remember_series(t, line);
    if (brace) {
        assert_int_equal(space[-1], '}');
        space[-1] = '\0';
        *brace = '\0';
    }
    assert_int_equal(strncmp(line, t->family, strlen(t->family)), 0);
    rest = line + strlen(t->family);
    if (strcmp(t->kind, "histogram") == 0)
        on_histogram(t, rest, brace ? brace + 1 : (char[]){""}, value);
    else
        assert_string_equal(rest, "");
    if (strcmp(t->kind, "counter") == 0) {
        assert_true(value >= 0);
        assert_string_equal(line + strlen(line) - 6, "_total");
    }
}

static void on_line(struct text *t, char *line)
{
    char help[128];

    assert_null(strchr(line, '\r'));
    if (strncmp(line, "# HELP ", 7) == 0) {
        assert_int_equal(sscanf(line, "# HELP %127s", help), 1);
        assert_true(strlen(line) > 9 + strlen(help));
        remember_family(t, help);
    } else if (strncmp(line, "# TYPE ", 7) == 0) {
        assert_int_equal(sscanf(line, "# TYPE %127s %15s", t->family, t->kind), 2);
        assert_string_equal(t->family, t->names[t->n_names - 1]);
        t->labels[0] = '\0';
        t->last = t->last_edge = 0;
        t->inf = -1;
    } else {
        assert_int_not_equal(line[0], '\0');
        assert_int_not_equal(line[0], '#');
        on_sample(t, line);
    }
}

/* What the node tells, read whole. */
static struct text *read_all(void)
{
    struct text *t = calloc(1, sizeof(*t));
    char *line, *end;

    buf_init(&t->out, PROMETHEUS_MAX);
    assert_int_equal(metrics_to_prometheus(&t->out), 0);
    assert_int_equal(t->out.data[t->out.n - 1], '\n');
    for (line = (char *)(uintptr_t)buf_text(&t->out); *line; line = end + 1) {
        char copy[LINE_MAX];

        end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line < LINE_MAX);
        (void)snprintf(copy, sizeof(copy), "%.*s", (int)(end - line), line);
        on_line(t, copy);
    }
    assert_unique(t);
    return t;
}

static void done(struct text *t)
{
    for (size_t i = 0; i < t->n_series; i++)
        free(t->series[i]);
    buf_fini(&t->out);
    free(t);
}

static void assert_has(const struct text *t, const char *line)
{
    if (!strstr(t->out.data, line))
        fail_msg("no %s in %s", line, t->out.data);
}

/* --- what it says --- */

static void test_the_format_holds_with_nothing_counted(void **state)
{
    struct text *t = read_all();

    (void)state;
    assert_has(t, "\nringdown_calls_answered_total 0\n");
    assert_has(t, "\nringdown_build_info{version=\"" RD_VERSION "\"} 1\n");
    assert_has(t, "\nprocess_resident_memory_bytes ");
    assert_has(t, "\nringdown_texts_total{direction=\"out\",status=\"failed\"} 0\n");
    done(t);
}

static void test_seconds_and_dollars_get_their_point_exactly(void **state)
{
    struct text *t;

    (void)state;
    assert_true(metric_label(LABEL_AGENT, "plumber"));
    metric_count(metric_slot(F_COST_MICRO_USD, "plumber", "openai", NULL), 1230450);
    metric_add(M_GAP_MS, 2000);
    metric_gauge_set(G_JOURNAL_AGE_MS, 1);
    metric_gauge_set(G_VMS, -3);
    t = read_all();
    assert_has(t, "\nringdown_cost_usd_total{agent=\"plumber\",system=\"openai\"} 1.23045\n");
    assert_has(t, "\nringdown_audio_gap_seconds_total 2\n");
    assert_has(t, "\nringdown_journal_age_seconds 0.001\n");
    assert_has(t, "\nringdown_scripts -3\n");
    done(t);
}

static void test_a_histogram_has_its_buckets_where_they_are_said_to_be(void **state)
{
    struct metric_slot s;
    struct text *t;

    (void)state;
    assert_true(metric_label(LABEL_AGENT, "plumber"));
    s = metric_slot(F_TURN_MS, "plumber", "openai", NULL);
    metric_measure(s, 200); /* on an edge: it is not above it */
    metric_measure(s, 201);
    metric_measure(s, 99999);
    metric_observe(H_BARGE_IN_US, 1000);
    t = read_all();
#define TURN(what) "\nringdown_turn_latency_seconds_" what
#define OF         "agent=\"plumber\",system=\"openai\""
    assert_has(t, TURN("bucket{" OF ",le=\"0.2\"} 1\n"));
    assert_has(t, TURN("bucket{" OF ",le=\"0.3\"} 2\n"));
    assert_has(t, TURN("bucket{" OF ",le=\"10\"} 2\n"));
    assert_has(t, TURN("bucket{" OF ",le=\"+Inf\"} 3\n"));
    assert_has(t, TURN("sum{" OF "} 100.4\n"));
    assert_has(t, TURN("count{" OF "} 3\n"));
    assert_has(t, "\nringdown_barge_in_reaction_seconds_bucket{le=\"0.0005\"} 0\n");
    assert_has(t, "\nringdown_barge_in_reaction_seconds_bucket{le=\"0.001\"} 1\n");
    done(t);
}

/* Labels that only this file's author chose are closed; hosts of agents' tools are not. */
static void test_whatever_stands_in_a_label_is_escaped(void **state)
{
    struct text *t;

    (void)state;
    target_seen("a\"b\\c\nd", true, NULL, 1);
    t = read_all();
    assert_has(t, "\nringdown_target_open{target=\"a\\\"b\\\\c\\nd\"} 0\n");
    done(t);
}

static void test_what_nobody_announced_is_other(void **state)
{
    struct text *t;

    (void)state;
    metric_count(metric_slot(F_TOOL_CALLS, "rm -rf", "ok", NULL), 1);
    metric_count(metric_slot(F_TOOL_CALLS, NULL, "a word of a peer", NULL), 1);
    metric_count(metric_slot(F_CALLS, "+13125550142", "openai", "silence"), 1);
    t = read_all();
    assert_null(strstr(t->out.data, "rm -rf"));
    assert_null(strstr(t->out.data, "3125550142"));
    assert_has(t, "\nringdown_tool_calls_total{tool=\"other\",result=\"ok\"} 1\n");
    assert_has(t, "\nringdown_tool_calls_total{tool=\"other\",result=\"other\"} 1\n");
    assert_has(t,
               "\nringdown_calls_total{agent=\"other\",system=\"openai\",outcome=\"silence\"} 1\n");
    done(t);
}

/* Twice as many agents as are told apart, each with all it may count. */
static void test_many_agents_stay_few_series(void **state)
{
    char name[32];
    struct text *t;
    size_t n;

    (void)state;
    for (int i = 0; i < 2 * METRIC_AGENTS; i++) {
        (void)snprintf(name, sizeof(name), "agent-%d", i);
        assert_int_equal(metric_label(LABEL_AGENT, name), i < METRIC_AGENTS - 1);
        metric_measure(metric_slot(F_TURN_MS, name, "openai", NULL), 1);
        metric_measure(metric_slot(F_TURN_MS, name, "vapi", NULL), 1);
        metric_measure(metric_slot(F_FIRST_AUDIO_MS, name, "openai", NULL), 1);
        metric_count(metric_slot(F_CALLS, name, "openai", "silence"), 1);
    }
    t = read_all();
    n = t->n_series;
    assert_has(t, "{agent=\"other\",system=\"openai\",le=\"+Inf\"} 65\n");
    assert_int_equal(metric_labels_refused(), METRIC_AGENTS + 1);
    done(t);
    for (int i = 0; i < 2 * METRIC_AGENTS; i++) {
        (void)snprintf(name, sizeof(name), "later-%d", i);
        metric_count(metric_slot(F_CALLS, name, "openai", "silence"), 1);
    }
    t = read_all();
    assert_int_equal(t->n_series, n);
    done(t);
}

static void *count_turns(void *arg)
{
    struct metric_slot s = *(struct metric_slot *)arg;

    for (uint64_t i = 1; i <= 20000; i++)
        metric_measure(s, i);
    return NULL;
}

static void test_what_is_counted_meanwhile_keeps_the_format(void **state)
{
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    struct metric_slot s = metric_slot(F_TURN_MS, "plumber", "vapi", NULL);
    struct text *t;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_turns, &s), 0);
    for (int i = 0; i < 5; i++)
        done(read_all());
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    t = read_all();
    assert_has(t, "_count{agent=\"plumber\",system=\"vapi\"} 80000\n");
    assert_has(t, "_sum{agent=\"plumber\",system=\"vapi\"} 800040\n");
    done(t);
}

static void set_a_level(void *arg)
{
    metric_gauge_set(G_SLOTS_FREE, *(int *)arg);
}

static void test_levels_are_taken_when_somebody_looks(void **state)
{
    int seven = 7;
    struct text *t;

    (void)state;
    metrics_collector(set_a_level, &seven);
    t = read_all();
    metrics_collector(NULL, NULL);
    assert_has(t, "\nringdown_call_slots{state=\"free\"} 7\n");
    done(t);
}

static void test_a_level_is_what_was_set_last(void **state)
{
    struct metric_slot s = metric_slot(F_MAILBOX, "media", NULL, NULL);
    struct text *t;

    (void)state;
    metric_level_add(s, 5);
    metric_level(s, 2);
    metric_level_add(s, -1);
    t = read_all();
    assert_has(t, "\nringdown_mailbox_depth{mailbox=\"media\"} 1\n");
    done(t);
    metric_levels_clear(F_MAILBOX);
    t = read_all();
    assert_has(t, "\nringdown_mailbox_depth{mailbox=\"media\"} 0\n");
    done(t);
}

/* What the process used meanwhile is behind all of ours. */
static size_t ours(const struct text *t)
{
    return (size_t)(strstr(t->out.data, "# HELP process_") - t->out.data);
}

static void test_a_slot_of_nothing_counts_for_nobody(void **state)
{
    struct metric_slot none = {0};
    struct text *before = read_all(), *after;

    (void)state;
    metric_count(none, 1);
    metric_measure(none, 1);
    after = read_all();
    assert_int_equal(ours(before), ours(after));
    assert_memory_equal(before->out.data, after->out.data, ours(before));
    done(before);
    done(after);
}

static void test_what_does_not_fit_is_not_begun(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4096);
    assert_int_equal(buf_add_str(&out, "x"), 0);
    assert_int_equal(metrics_to_prometheus(&out), RD_EFULL);
    assert_int_equal(out.n, 1);
    buf_fini(&out);
}

/* Each row of the page is a metric of the scrape, and the other way round. */
static void test_the_page_has_each_of_them(void **state)
{
    struct text *t = read_all();
    struct buf page;
    char row[160];

    (void)state;
    buf_init(&page, PROMETHEUS_MAX);
    assert_int_equal(metrics_to_markdown(&page), 0);
    (void)buf_text(&page);
    for (size_t i = 0; i < t->n_names; i++) {
        (void)snprintf(row, sizeof(row), "\n| `%s` | ", t->names[i]);
        assert_non_null(strstr(page.data, row));
    }
    for (const char *at = page.data; (at = strstr(at, "\n| `")) != NULL; at++) {
        (void)snprintf(row, sizeof(row), "\n# TYPE %.*s ", (int)strcspn(at + 4, "`"), at + 4);
        assert_has(t, row);
    }
    buf_fini(&page);
    done(t);
}

/* --- nothing is counted that nobody can see --- */

static const struct shown_group *const groups[] = {&shown_calls, &shown_sound, &shown_work,
                                                   &shown_node};

static bool has_id(const struct metric_shown *m, enum shown_source source, int id)
{
    if (m->source != source)
        return false;
    if (source == FROM_HISTOGRAM || source == FROM_FAMILY)
        return m->id == id;
    for (int i = 0; i < SHOWN_PARTS && m->parts[i].value; i++)
        if (m->parts[i].id == id)
            return true;
    return false;
}

static bool is_shown(enum shown_source source, int id)
{
    for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); g++)
        for (size_t i = 0; i < groups[g]->n; i++)
            if (has_id(&groups[g]->rows[i], source, id))
                return true;
    return false;
}

static bool is_in(const int *list, size_t n, int id)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == id)
            return true;
    return false;
}

#define IS_IN(list, id) is_in(list, sizeof(list) / sizeof((list)[0]), id)

static void test_nothing_is_counted_that_is_not_shown(void **state)
{
    /* A family has them, told apart. */
    static const int counters[] = {M_CALLS_ENDED, M_TOOL_CALLS, M_TEXTS_IN, M_TARGET_REFUSED};
    static const int gauges[] = {G_ALARMS};
    static const int histograms[] = {H_FIRST_AUDIO_MS};

    (void)state;
    for (int i = 0; i < METRIC_COUNTER_COUNT; i++)
        if (is_shown(FROM_COUNTERS, i) == IS_IN(counters, i))
            fail_msg("counter %d has no row in shown_*.c", i);
    for (int i = 0; i < METRIC_GAUGE_COUNT; i++)
        if (is_shown(FROM_GAUGES, i) == IS_IN(gauges, i))
            fail_msg("gauge %d has no row in shown_*.c", i);
    for (int i = 0; i < METRIC_HISTOGRAM_COUNT; i++)
        if (is_shown(FROM_HISTOGRAM, i) == IS_IN(histograms, i))
            fail_msg("histogram %d has no row in shown_*.c", i);
    for (int i = F_NONE + 1; i < METRIC_FAMILY_COUNT; i++)
        assert_true(is_shown(FROM_FAMILY, i));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_the_format_holds_with_nothing_counted, clean),
        cmocka_unit_test_setup(test_seconds_and_dollars_get_their_point_exactly, clean),
        cmocka_unit_test_setup(test_a_histogram_has_its_buckets_where_they_are_said_to_be, clean),
        cmocka_unit_test_setup(test_whatever_stands_in_a_label_is_escaped, clean),
        cmocka_unit_test_setup(test_what_nobody_announced_is_other, clean),
        cmocka_unit_test_setup(test_many_agents_stay_few_series, clean),
        cmocka_unit_test_setup(test_what_is_counted_meanwhile_keeps_the_format, clean),
        cmocka_unit_test_setup(test_levels_are_taken_when_somebody_looks, clean),
        cmocka_unit_test_setup(test_a_level_is_what_was_set_last, clean),
        cmocka_unit_test_setup(test_a_slot_of_nothing_counts_for_nobody, clean),
        cmocka_unit_test_setup(test_what_does_not_fit_is_not_begun, clean),
        cmocka_unit_test_setup(test_the_page_has_each_of_them, clean),
        cmocka_unit_test(test_nothing_is_counted_that_is_not_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
