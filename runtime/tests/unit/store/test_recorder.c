/* SPDX-License-Identifier: Apache-2.0 */
/* Recordings from the tap to the file: the thread is real, the time of the calls is ours. */
#include "base/err.h"
#include "media/base64.h"
#include "observe/alarm.h"
#include "store/recorder.h"
#include "store/recording_file.h"
#include "store/recording_ring.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

enum { SILENCE = 0xFF, FILE_MAX = 1 << 20 };

static struct {
    char data[64];
    uint64_t now_us;
    pthread_mutex_t lock;
    pthread_cond_t told;
    int n;
    struct recording_fact fact;
    char path[RECORDING_PATH], sid[64], state[16], why[32];
    void *owner;
    uint8_t file[FILE_MAX];
    size_t n_file;
} w = {.lock = PTHREAD_MUTEX_INITIALIZER, .told = PTHREAD_COND_INITIALIZER};

static uint64_t now_us(void *arg)
{
    (void)arg;
    return w.now_us;
}

static const struct clock clock_of_ours = {.now_us = now_us};

static void on_done(void *arg, void *owner, const char *sid, const struct recording_fact *f)
{
    (void)arg;
    pthread_mutex_lock(&w.lock);
    w.n++;
    w.owner = owner;
    w.fact = *f;
    (void)snprintf(w.path, sizeof(w.path), "%s", f->path);
    (void)snprintf(w.sid, sizeof(w.sid), "%s", sid);
    (void)snprintf(w.state, sizeof(w.state), "%s", f->state);
    (void)snprintf(w.why, sizeof(w.why), "%s", f->why);
    pthread_cond_signal(&w.told);
    pthread_mutex_unlock(&w.lock);
}

static void wait_for_facts(int n)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 20;
    pthread_mutex_lock(&w.lock);
    while (w.n < n)
        if (pthread_cond_timedwait(&w.told, &w.lock, &until))
            break;
    assert_int_equal(w.n, n);
    pthread_mutex_unlock(&w.lock);
}

static int make_folder(void **state)
{
    (void)state;
    alarm_reset();
    w.n = 0;
    w.now_us = 5000000;
    (void)snprintf(w.data, sizeof(w.data), "/tmp/recorder.XXXXXX");
    return mkdtemp(w.data) ? 0 : -1;
}

static int remove_folder(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", w.data);
    return system(command); /* NOLINT(cert-env33-c): a folder of our own making */
}

static struct recorder *start(uint64_t max_bytes, uint64_t min_free)
{
    struct recorder_opts o = {
        .data = w.data, .max_bytes = max_bytes, .min_free_bytes = min_free, .done = on_done};
    struct recorder *r = NULL;

    assert_int_equal(recorder_start(&r, &o), 0);
    return r;
}

static struct recording *record(struct recorder *r, const char *sid)
{
    struct recording *rec;

    assert_int_equal(recording_new(&rec, r, sid, &clock_of_ours, &w), 0);
    return rec;
}

/* One side says `value` for 20 ms at a time; time goes on with the caller only. */
static struct audio_span span_of(char *b64, uint8_t value, uint32_t n)
{
    uint8_t sound[1600];

    memset(sound, value, n);
    return (struct audio_span){.b64 = b64, .n_b64 = base64_encode(b64, sound, n), .n_bytes = n};
}

static void agent_says(struct recording *rec, uint8_t value, uint32_t ms)
{
    const struct call_tap *tap = recording_tap(rec);
    char b64[BASE64_ENCODED(1600)];

    for (; ms > 0; ms -= 200) {
        struct audio_span a = span_of(b64, value, 1600);

        tap->agent(tap->arg, &a);
    }
}

static void caller_says(struct recording *rec, uint8_t value, uint32_t ms)
{
    const struct call_tap *tap = recording_tap(rec);
    char b64[BASE64_ENCODED(160)];

    for (; ms > 0; ms -= 20) {
        struct audio_span a = span_of(b64, value, 160);

        w.now_us += 20000;
        tap->caller(tap->arg, (uint32_t)(w.now_us / 1000) - 20, &a);
    }
}

static void begin(struct recording *rec)
{
    recording_tap(rec)->begin(rec, 0);
}

static void read_file(void)
{
    char full[256];
    FILE *f;

    (void)snprintf(full, sizeof(full), "%s/%s", w.data, w.path);
    f = fopen(full, "rb");
    assert_non_null(f);
    w.n_file = fread(w.file, 1, sizeof(w.file), f);
    (void)fclose(f);
}

static void assert_sound(int side, uint32_t from_ms, uint32_t to_ms, uint8_t value)
{
    for (size_t i = 8 * (size_t)from_ms; i < 8 * (size_t)to_ms; i++)
        if (w.file[RECORDING_HEADER + 2 * i + (size_t)side] != value)
            fail_msg("side %d at %zu ms: %u", side, i / 8,
                     w.file[RECORDING_HEADER + 2 * i + (size_t)side]);
}

static void test_a_call_with_a_cut_in_is_kept_as_it_sounded(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");
    struct stat st;
    char full[256];

    (void)state;
    begin(rec);
    agent_says(rec, 1, 4000);
    caller_says(rec, 2, 3000);
    recording_tap(rec)->cleared(rec);
    caller_says(rec, 3, 1000);
    agent_says(rec, 4, 2000); /* of which one second is heard */
    caller_says(rec, 5, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "kept");
    assert_string_equal(w.why, "");
    assert_string_equal(w.sid, "CA1");
    assert_ptr_equal(w.owner, &w);
    assert_int_equal(w.fact.duration_ms, 5000);
    assert_int_equal(w.fact.bytes, RECORDING_HEADER + 5000 * 16);
    assert_true(recording_path_ok(w.path));
    read_file();
    assert_int_equal(w.n_file, w.fact.bytes);
    assert_sound(0, 0, 3000, 2);
    assert_sound(0, 3000, 4000, 3);
    assert_sound(0, 4000, 5000, 5);
    assert_sound(1, 0, 3000, 1);
    assert_sound(1, 3000, 4000, SILENCE);
    assert_sound(1, 4000, 5000, 4);
    (void)snprintf(full, sizeof(full), "%s/%s", w.data, w.path);
    assert_int_equal(stat(full, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    *strrchr(full, '/') = '\0';
    assert_int_equal(stat(full, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    recorder_stop(r);
    assert_int_equal(w.n, 1);
}

static void test_nothing_is_kept_before_the_notice_was_heard(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");

    (void)state;
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "failed");
    assert_string_equal(w.why, "before_notice");
    assert_string_equal(w.path, "");
    recorder_stop(r);
}

static void test_a_greeting_that_plays_when_it_begins_is_kept_from_there(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");

    (void)state;
    agent_says(rec, 1, 5000);
    w.now_us += 4400000; /* the notice is in what has played by now */
    begin(rec);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "kept");
    assert_int_equal(w.fact.duration_ms, 1000);
    read_file();
    assert_sound(0, 0, 1000, 2);
    assert_sound(1, 0, 600, 1);
    assert_sound(1, 600, 1000, SILENCE);
    recorder_stop(r);
}

static void test_what_the_agent_says_in_a_pause_is_heard_after_it(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");

    (void)state;
    begin(rec);
    recording_tap(rec)->pause(rec, true);
    w.now_us += 1000000;
    agent_says(rec, 1, 1000);
    w.now_us += 400000;
    recording_tap(rec)->pause(rec, false);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    read_file();
    assert_sound(1, 0, 1400, SILENCE);
    assert_sound(1, 1400, 2000, 1);
    assert_sound(0, 1400, 2400, 2);
    recorder_stop(r);
}

static void test_card_data_is_silence(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");

    (void)state;
    begin(rec);
    agent_says(rec, 1, 2000);
    caller_says(rec, 2, 1000);
    recording_tap(rec)->pause(rec, true);
    w.now_us += 4000000;
    recording_tap(rec)->pause(rec, false);
    caller_says(rec, 3, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "kept");
    assert_int_equal(w.fact.paused_ms, 4000);
    assert_int_equal(w.fact.duration_ms, 6000);
    read_file();
    assert_sound(0, 0, 1000, 2);
    assert_sound(1, 0, 1000, 1);
    assert_sound(0, 1000, 5000, SILENCE);
    assert_sound(1, 1000, 5000, SILENCE);
    assert_sound(0, 5000, 6000, 3);
    recorder_stop(r);
}

static void test_the_header_is_what_players_expect(void **state)
{
    static const uint8_t expected[RECORDING_HEADER] = {
        'R', 'I', 'F', 'F', 82, 0,   0,   0,   'W', 'A',  'V',  'E', 'f', 'm',  't',
        ' ', 18,  0,   0,   0,  7,   0,   2,   0,   0x40, 0x1F, 0,   0,   0x80, 0x3E,
        0,   0,   2,   0,   8,  0,   0,   0,   'f', 'a',  'c',  't', 4,   0,    0,
        0,   16,  0,   0,   0,  'd', 'a', 't', 'a', 32,   0,    0,   0};
    uint8_t header[RECORDING_HEADER];

    (void)state;
    recording_header(header, 32);
    assert_memory_equal(header, expected, sizeof(expected));
}

static void leave_part(const char *path, size_t sound)
{
    uint8_t *zeros = calloc(1, sound + 1);
    int fd;

    assert_int_equal(recording_create(&fd, w.data, path), 0);
    assert_int_equal(write(fd, zeros, sound), (ssize_t)sound);
    close(fd);
    free(zeros);
}

static void test_what_a_crash_left_is_mended_and_told(void **state)
{
    char path[RECORDING_PATH];
    struct recorder *r;
    uint8_t header[RECORDING_HEADER];

    (void)state;
    assert_int_equal(recording_path(path, sizeof(path), "CA7", 1795348800123456), 0);
    assert_string_equal(path, "recordings/2026/11/22/CA7-1795348800123456.wav");
    leave_part(path, 1601);
    r = start(UINT64_MAX, 1);
    wait_for_facts(1);
    assert_string_equal(w.sid, "CA7");
    assert_string_equal(w.path, path);
    assert_string_equal(w.state, "cut");
    assert_string_equal(w.why, "crash");
    assert_null(w.owner);
    assert_int_equal(w.fact.duration_ms, 100);
    recorder_stop(r);
    read_file();
    recording_header(header, 1600);
    assert_int_equal(w.n_file, RECORDING_HEADER + 1600);
    assert_memory_equal(w.file, header, sizeof(header));
    r = start(UINT64_MAX, 1);
    recorder_stop(r);
    assert_int_equal(w.n, 1); /* once */
}

static void test_a_crash_before_the_first_sound_leaves_nothing(void **state)
{
    struct recorder *r;
    char path[RECORDING_PATH];
    uint64_t bytes;

    (void)state;
    assert_int_equal(recording_path(path, sizeof(path), "CA7", 1795348800123456), 0);
    leave_part(path, 0);
    r = start(UINT64_MAX, 1);
    wait_for_facts(1);
    assert_string_equal(w.state, "failed");
    assert_string_equal(w.path, "");
    recorder_stop(r);
    assert_int_equal(recording_remove(w.data, path, &bytes), -ENOENT);
}

static bool alarm_is_open(const char *kind)
{
    struct alarm list[ALARMS_MAX];
    size_t n = alarm_list(list, ALARMS_MAX);

    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].kind, kind) == 0)
            return true;
    return false;
}

static void test_at_the_cap_new_ones_are_refused_and_running_ones_end(void **state)
{
    struct recorder *r = start(RECORDING_HEADER + 2 * 16000, 1);
    struct recording *rec = record(r, "CA1");
    char kept[RECORDING_PATH];
    uint64_t removed;

    (void)state;
    begin(rec);
    caller_says(rec, 2, 8000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "cut");
    assert_string_equal(w.why, "disk_cap");
    assert_int_equal(w.fact.duration_ms, 2000);
    assert_true(alarm_is_open("recording.disk_cap"));
    (void)snprintf(kept, sizeof(kept), "%s", w.path);
    rec = record(r, "CA2");
    begin(rec);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(2);
    assert_string_equal(w.state, "failed");
    assert_string_equal(w.why, "disk_cap");
    assert_int_equal(recording_remove(w.data, kept, &removed), 0);
    assert_int_equal(removed, recording_bytes(w.data) + RECORDING_HEADER + 2 * 16000);
    rec = record(r, "CA3");
    begin(rec);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(3);
    assert_string_equal(w.state, "kept");
    assert_false(alarm_is_open("recording.disk_cap"));
    recorder_stop(r);
}

static void test_a_disk_that_is_nearly_full_is_left_alone(void **state)
{
    struct recorder *r = start(UINT64_MAX, UINT64_MAX - 1);
    struct recording *rec = record(r, "CA1");

    (void)state;
    begin(rec);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "failed");
    assert_string_equal(w.why, "disk_low");
    assert_true(alarm_is_open("recording.disk_low"));
    recorder_stop(r);
}

static void test_a_folder_that_cannot_be_made_fails_one_recording_only(void **state)
{
    struct recorder *r = start(UINT64_MAX, 1);
    struct recording *rec = record(r, "CA1");
    char full[128];
    int fd;

    (void)state;
    (void)snprintf(full, sizeof(full), "%s/recordings", w.data);
    fd = open(full, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    begin(rec);
    caller_says(rec, 2, 1000);
    recording_end(rec, w.now_us);
    wait_for_facts(1);
    assert_string_equal(w.state, "failed");
    assert_string_equal(w.why, "disk_error");
    assert_true(alarm_is_open("recording.disk_error"));
    recorder_stop(r);
}

static void test_only_recordings_can_be_removed(void **state)
{
    static const char *const bad[] = {
        "",
        "recordings",
        "/etc/passwd",
        "recordings/2026/11/22/../CA7-1.wav",
        "recordings/2026/11/22/CA7-1.wav.part",
        "recordings/2026/11/22/CA7.wav",
        "recordings/2026/11/22/-1.wav",
        "recordings/2026/11/22/CA7-1.wav/",
        "recordings/2026/11/2/CA7-1.wav",
        "recordings/../../11/22/CA7-1.wav",
        "Recordings/2026/11/22/CA7-1.wav",
        "recordings/2026/11/22/CA 7-1.wav",
    };
    char link[128], folder[128];
    uint64_t bytes;

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(recording_remove(w.data, bad[i], &bytes), RD_EREFUSED);
    leave_part("recordings/2026/11/22/CA7-1.wav", 10);
    assert_int_equal(recording_remove(w.data, "recordings/2026/11/22/CA7-1.wav", &bytes), 0);
    assert_int_equal(bytes, RECORDING_HEADER + 10);
    (void)snprintf(folder, sizeof(folder), "%s/recordings/2026/11/23", w.data);
    (void)snprintf(link, sizeof(link), "%s/recordings/2026/11/24", w.data);
    leave_part("recordings/2026/11/23/CA7-1.wav", 10);
    assert_int_equal(symlink(folder, link), 0);
    assert_true(recording_remove(w.data, "recordings/2026/11/24/CA7-1.wav", &bytes) < 0);
    assert_int_equal(recording_remove(w.data, "recordings/2026/11/23/CA7-1.wav", &bytes), 0);
}

static void test_a_ring_that_is_full_waits_for_nobody_and_tells_the_gap(void **state)
{
    struct ring *r = calloc(1, sizeof(*r));
    char *text = malloc(RING_BYTES), b64[BASE64_ENCODED(1600)];
    char few[BASE64_ENCODED(3)];
    struct audio_span a = span_of(b64, 1, 1599), bit = span_of(few, 1, 3);
    struct ring_entry e;
    uint32_t sent = 0, got = 0;

    (void)state;
    for (int i = 0; i < 1000; i++, sent += a.n_bytes)
        ring_sound(r, RING_AGENT, 1, 0, &a);
    for (int i = 0; i < 1000; i++, sent += bit.n_bytes)
        ring_sound(r, RING_AGENT, 1, 0, &bit);
    ring_sound(r, RING_CALLER, 2, 0, &a);
    ring_paused(r, 2, true); /* there is no room for it: it must not be lost */
    while (ring_next(r, &e, text)) {
        got += e.n_bytes + e.missing;
        assert_memory_equal(text, b64, e.n_b64);
        assert_false(e.paused);
    }
    assert_true(got < sent);
    assert_int_equal(atomic_load(&r->lost_caller), a.n_bytes);
    ring_sound(r, RING_AGENT, 3, 0, &a);
    assert_true(ring_next(r, &e, text));
    assert_true(e.paused);
    assert_int_equal(got + e.missing, sent);
    ring_cleared(r, 4);
    assert_true(ring_next(r, &e, text));
    assert_true(e.cleared);
    assert_int_equal(e.missing, 0);
    free(text);
    free(r);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_call_with_a_cut_in_is_kept_as_it_sounded),
        TEST(test_nothing_is_kept_before_the_notice_was_heard),
        TEST(test_a_greeting_that_plays_when_it_begins_is_kept_from_there),
        TEST(test_what_the_agent_says_in_a_pause_is_heard_after_it),
        TEST(test_card_data_is_silence),
        TEST(test_the_header_is_what_players_expect),
        TEST(test_what_a_crash_left_is_mended_and_told),
        TEST(test_a_crash_before_the_first_sound_leaves_nothing),
        TEST(test_at_the_cap_new_ones_are_refused_and_running_ones_end),
        TEST(test_a_disk_that_is_nearly_full_is_left_alone),
        TEST(test_a_folder_that_cannot_be_made_fails_one_recording_only),
        TEST(test_only_recordings_can_be_removed),
        TEST(test_a_ring_that_is_full_waits_for_nobody_and_tells_the_gap),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
