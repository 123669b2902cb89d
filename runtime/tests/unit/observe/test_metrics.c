/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "observe/metrics.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int clean(void **state)
{
    (void)state;
    metrics_reset();
    return 0;
}

static void *count_a_lot(void *arg)
{
    (void)arg;
    for (uint64_t i = 1; i <= 10000; i++) {
        metric_add(M_FRAMES_IN, 2);
        metric_observe(H_LOOP_LAG_US, i);
    }
    return NULL;
}

static void test_many_threads_lose_no_count(void **state)
{
    enum { THREADS = 12 }; /* more than there are shards */
    pthread_t threads[THREADS];
    struct metric_summary s;

    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_a_lot, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_int_equal(metric_value(M_FRAMES_IN), THREADS * 20000);
    assert_int_equal(metric_value(M_FRAMES_OUT), 0);
    s = metric_summarise(H_LOOP_LAG_US);
    assert_int_equal(s.count, THREADS * 10000);
    assert_int_equal(s.sum, THREADS * UINT64_C(50005000));
    assert_int_equal(s.max, 10000);
}

static void test_quantiles_are_never_below_and_at_most_an_eighth_above(void **state)
{
    struct metric_summary s;

    (void)state;
    for (uint64_t top = 1; top < 100000; top = top * 3 + 1) {
        metrics_reset();
        for (uint64_t i = 1; i <= top; i++)
            metric_observe(H_WEBHOOK_US, i);
        s = metric_summarise(H_WEBHOOK_US);
        assert_in_range(s.p50, (top + 1) / 2, (top + 1) / 2 + (top + 1) / 16 + 1);
        assert_in_range(s.p99, top * 99 / 100, top);
        assert_true(s.p50 <= s.p90 && s.p90 <= s.p99 && s.p99 <= s.max);
    }
}

static void test_one_value_is_every_quantile(void **state)
{
    static const uint64_t values[] = {0, 1, 7, 8, 9, 1000, UINT64_C(1) << 39, UINT64_C(1) << 40};
    struct metric_summary s;

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        metrics_reset();
        metric_observe(H_WEBHOOK_US, values[i]);
        s = metric_summarise(H_WEBHOOK_US);
        assert_int_equal(s.p50, values[i]);
        assert_int_equal(s.p99, values[i]);
        assert_int_equal(s.max, values[i]);
    }
    metric_observe(H_WEBHOOK_US, UINT64_MAX);
    assert_int_equal(metric_summarise(H_WEBHOOK_US).p99, UINT64_C(1) << 40);
}

static void test_an_outlier_shows_in_the_tail_alone(void **state)
{
    struct metric_summary s;

    (void)state;
    for (int i = 0; i < 98; i++)
        metric_observe(H_FIRST_AUDIO_MS, 4);
    metric_observe(H_FIRST_AUDIO_MS, 900);
    metric_observe(H_FIRST_AUDIO_MS, 900);
    s = metric_summarise(H_FIRST_AUDIO_MS);
    assert_int_equal(s.p50, 4);
    assert_int_equal(s.p90, 4);
    assert_int_equal(s.p99, 900);
}

static void test_nothing_observed_is_all_zeros(void **state)
{
    struct metric_summary s = metric_summarise(H_LOOP_LAG_US);

    (void)state;
    assert_int_equal(s.count + s.sum + s.max + s.p50 + s.p99, 0);
}

static void test_status_reads_one_json_object_per_line(void **state)
{
    struct json_value v, name, value;
    const char *line, *end;
    struct buf out;
    int lines = 0;
    bool found = false;
    uint64_t n;

    (void)state;
    metric_add(M_BARGE_INS, 3);
    metric_gauge_set(G_READY, 1);
    buf_init(&out, 65536);
    assert_int_equal(metrics_to_json(&out), 0);
    for (line = buf_text(&out); *line; line = end + 1, lines++) {
        end = strchr(line, '\n');
        assert_int_equal(json_parse((struct rd_str){line, (size_t)(end - line)}, &v), 0);
        name = json_get(&v, "name");
        value = json_get(&v, "value");
        if (json_is(&name, "barge_ins"))
            found = json_u64(&value, &n) && n == 3;
    }
    assert_true(found);
    assert_int_equal(lines, METRIC_COUNTER_COUNT + METRIC_GAUGE_COUNT + METRIC_HISTOGRAM_COUNT);
    buf_fini(&out);
    buf_init(&out, 100);
    assert_int_equal(metrics_to_json(&out), RD_EFULL);
    assert_int_equal(out.n, 0);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_many_threads_lose_no_count, clean),
        cmocka_unit_test_setup(test_quantiles_are_never_below_and_at_most_an_eighth_above, clean),
        cmocka_unit_test_setup(test_one_value_is_every_quantile, clean),
        cmocka_unit_test_setup(test_an_outlier_shows_in_the_tail_alone, clean),
        cmocka_unit_test_setup(test_nothing_observed_is_all_zeros, clean),
        cmocka_unit_test_setup(test_status_reads_one_json_object_per_line, clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
