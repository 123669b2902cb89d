/* SPDX-License-Identifier: Apache-2.0 */
/* failing_malloc.c - the linker puts these before the allocator (--wrap). One thread tells the story. */
#include "failing_malloc.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);
int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static _Thread_local bool counting, failed;
static _Thread_local uint64_t seen, fails_at;
static _Thread_local enum failing how_it_fails;

static bool fails(void)
{
    if (!counting)
        return false;
    seen++;
    if (seen == fails_at || (seen == fails_at + 1 && how_it_fails == FAILS_TWICE) ||
        (seen > fails_at && how_it_fails == FAILS_FROM_THEN_ON)) {
        failed = true;
        errno = ENOMEM;
        return true;
    }
    return false;
}

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t n)
{
    return fails() ? NULL : __real_realloc(p, n);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails() ? NULL : __real_strndup(text, n);
}

int __wrap_asprintf(char **out, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (fails())
        return -1;
    va_start(ap, fmt);
    n = vasprintf(out, fmt, ap);
    va_end(ap);
    return n;
}

bool failing_has_failed(void)
{
    return failed;
}

uint64_t failing_sweep(failing_story *story, enum failing how)
{
    how_it_fails = how;
    for (fails_at = 1;; fails_at++) {
        seen = 0;
        failed = false;
        counting = true;
        story();
        counting = false;
        if (!failed)
            return seen;
    }
}
