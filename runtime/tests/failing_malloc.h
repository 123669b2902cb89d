/* SPDX-License-Identifier: Apache-2.0 */
/* failing_malloc.h - a story told again and again, each time with another allocation that fails.
 *
 *   failing_sweep(story, FAILS_ONCE)  -> how many allocations the story has
 *
 * The tests unit/<module>/test_no_memory.c are linked with it: there is no memory for the code under test then, be
 * it malloc, calloc, realloc or a copied string; the test and its fakes (compiled with __real_malloc in its place)
 * always have some. A story must come to an end, good or bad; whether it let go of everything, the sanitizers say. */
#ifndef TESTS_FAILING_MALLOC_H
#define TESTS_FAILING_MALLOC_H

#include <stdbool.h>
#include <stdint.h>

/* TWICE: and the next one, for whoever asks again. */
enum failing { FAILS_ONCE, FAILS_TWICE, FAILS_FROM_THEN_ON };

typedef void(failing_story)(void);

/* Tells the story with the first, second, third… allocation failing, and at last with none. */
uint64_t failing_sweep(failing_story *story, enum failing how);

/* Inside a story: did an allocation fail already? */
bool failing_has_failed(void);

#endif
