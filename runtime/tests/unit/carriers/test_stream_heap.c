/* SPDX-License-Identifier: Apache-2.0 */
/* Audio frames cost no heap: malloc is counted over ten thousand of them each way. */
#include "fake_line.h"
#include "media/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Counting the heap
 * ------------------------------------------------------------------------------*/

#if defined(__SANITIZE_ADDRESS__)
int __sanitizer_install_malloc_and_free_hooks(void (*on_malloc)(const volatile void *, size_t),
                                              void (*on_free)(const volatile void *));
static uint64_t allocations;

static void on_malloc(const volatile void *p, size_t n)
{
    (void)p;
    (void)n;
    allocations++;
}

static void on_free(const volatile void *p)
{
    (void)p;
}

static uint64_t allocations_so_far(void)
{
    static int installed;

    if (!installed)
        installed = __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
    assert_true(installed > 0);
    return allocations;
}
#elif defined(__SANITIZE_THREAD__)
static uint64_t allocations_so_far(void)
{
    skip(); /* the thread sanitizer owns malloc and has no counter */
    return 0;
}
#else
/* glibc's own allocator stands behind these; the linker lets ours go first. */
extern void *__libc_malloc(size_t n);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t n);
static uint64_t allocations;

void *malloc(size_t n)
{
    allocations++;
    return __libc_malloc(n);
}

void *calloc(size_t n, size_t size)
{
    allocations++;
    return __libc_calloc(n, size);
}

void *realloc(void *p, size_t n)
{
    allocations++;
    return __libc_realloc(p, n);
}

static uint64_t allocations_so_far(void)
{
    return allocations;
}
#endif

static void test_ten_thousand_frames_each_way_allocate_nothing(void **state)
{
    char payload[BASE64_ENCODED(160) + 1], text[512];
    uint8_t bytes[160];
    struct audio_span a = {payload, BASE64_ENCODED(160), 160};
    uint64_t before, after;
    struct line l;
    void *volatile one;

    (void)state;
    memset(bytes, 0xA5, sizeof(bytes));
    payload[base64_encode(payload, bytes, sizeof(bytes))] = '\0';
    before = allocations_so_far();
    one = malloc(1);
    free(one);
    assert_true(allocations_so_far() > before); /* the counter counts */
    line_live(&l);
    before = allocations_so_far();
    for (uint32_t i = 0; i < 10000; i++) {
        const struct carrier_mark m = {1, i, i * 160};

        snprintf(text, sizeof(text),
                 "{\"event\":\"media\",\"sequenceNumber\":\"%u\",\"streamSid\":\"" SID
                 "\",\"media\":{\"track\":\"inbound\",\"chunk\":\"%u\",\"timestamp\":\"%u\","
                 "\"payload\":\"%s\"}}",
                 i + 2, i + 1, i * 20, payload);
        fake_ws_says(l.ws, text);
        twilio_carrier.audio(l.leg, &a);
        twilio_carrier.mark(l.leg, &m);
        fake_ws_says(l.ws, MARK("g1.0.0"));
    }
    twilio_carrier.clear(l.leg);
    after = allocations_so_far();
    assert_int_equal(after - before, 0);
    assert_int_equal(l.heard.audios, 10000);
    assert_int_equal(l.heard.marks, 10000);
    assert_int_equal(l.ws->sends, 20001);
    assert_int_equal(twilio_stream_counts(l.leg).sequence_gaps, 0);
    line_gone(&l, WS_END_PEER, LEG_LOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ten_thousand_frames_each_way_allocate_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
