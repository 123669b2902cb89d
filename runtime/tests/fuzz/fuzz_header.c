/* SPDX-License-Identifier: Apache-2.0. module: control */
/* fuzz_header.c - values of headers, and names that come from addresses. A range lies within what there is;
 * nobody waits longer than an hour for Retry-After; no foreign Host or Origin is ours; the path of a
 * recording leads to a recording. Lines of the input: range, retry-after, host, origin, limits, path. */
#include "check.h"

#include "base/retry.h"
#include "control/hosts.h"
#include "io/http_range.h"
#include "observe/sentry.h"
#include "store/recording_file.h"

#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct rd_str next_line(struct rd_str *in)
{
    const char *end = in->n > 0 ? memchr(in->p, '\n', in->n) : NULL;
    struct rd_str line = {in->p, end ? (size_t)(end - in->p) : in->n};

    in->p += line.n + (end ? 1 : 0);
    in->n -= line.n + (end ? 1 : 0);
    return line;
}

static void try_range(struct rd_str header)
{
    static const uint64_t sizes[] = {0, 1, 58, 1000000, UINT64_MAX};

    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct http_range r = {0};
        int status = http_range_read(&r, header, sizes[i]);

        check(status == 200 || status == 206 || status == 416);
        if (status == 200)
            check(r.first == 0 && r.n == sizes[i]);
        if (status == 206)
            check(r.n > 0 && r.first < sizes[i] && r.n <= sizes[i] - r.first);
    }
}

static bool begins(struct rd_str s, const char *with)
{
    return s.n >= strlen(with) && strncasecmp(s.p, with, strlen(with)) == 0;
}

/* Whatever was taken begins with one of our names, and behind the name comes a port or nothing. */
static bool is_named(struct rd_str s)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]", "ringdown.example"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t n = strlen(names[i]);

        if (begins(s, names[i]) && (s.n == n || s.p[n] == ':' || names[i][0] == '['))
            return true;
    }
    return false;
}

static void try_hosts(struct rd_str host, struct rd_str origin)
{
    static const struct hosts hosts = {"127.0.0.1:8081", "ringdown.example"};

    if (hosts_has(&hosts, host)) {
        check(is_named(host));
        if (origin.n > 0 && hosts_has_origin(&hosts, origin, host)) {
            size_t n = begins(origin, "https://") ? 8 : 7;

            check(begins(origin, "https://") || begins(origin, "http://"));
            check(is_named((struct rd_str){origin.p + n, origin.n - n}));
        }
    }
    check(!hosts_has(&hosts, RD_STR("")) && !hosts_has(&hosts, RD_STR("[")));
}

static void try_limits(struct rd_str limits, struct rd_str after)
{
    const uint64_t now_ms = 1000, day_ms = 86400000;
    struct sentry_limits l = {0};
    char a[512], b[64];

    (void)rd_str_copy(a, sizeof(a), limits);
    (void)rd_str_copy(b, sizeof(b), after);
    sentry_limits_heard(&l, 429, a, b, now_ms);
    for (int i = 0; i < SENTRY_CATEGORIES; i++)
        check(l.until_ms[i] <= now_ms + day_ms);
    check(l.all_until_ms <= now_ms + day_ms);
    check(!sentry_limited(&l, SENTRY_ERROR, now_ms + day_ms + 1));
}

static void try_path(struct rd_str text)
{
    char path[512];

    (void)rd_str_copy(path, sizeof(path), text);
    if (!recording_path_ok(path))
        return;
    check(strlen(path) < RECORDING_PATH && strncmp(path, "recordings/", 11) == 0);
    check(!strstr(path, "..") && !strstr(path, "//") && path[0] != '/');
    check(strcmp(path + strlen(path) - 4, ".wav") == 0);
    for (const char *p = path; *p; p++)
        check(isalnum((unsigned char)*p) || strchr("/.-", *p));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rd_str in = {(const char *)data, size}, after, host;

    try_range(next_line(&in));
    after = next_line(&in);
    check(retry_after_ms(after, INT64_C(1795600000000)) <= 3600000);
    host = next_line(&in);
    try_hosts(host, next_line(&in));
    try_limits(next_line(&in), after);
    try_path(next_line(&in));
    return 0;
}
