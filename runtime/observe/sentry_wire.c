/* SPDX-License-Identifier: Apache-2.0 */
/* sentry_wire.c - where envelopes go, what they look like, and how often they may.
 *
 * Failure modes: an address that is none is refused; limits that cannot be read are ignored one by one,
 * and a 429 without any means a minute. */
#include "base/err.h"
#include "observe/sentry.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { DAY_S = 24 * 3600, MINUTE_S = 60, HEADER_MAX = 4096 };

/* --- the address --- */

/* Neither ends a header's line nor splits its parts. */
static bool token(char *out, size_t cap, const char *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (p[i] <= ' ' || p[i] >= 0x7F || strchr(",\"\\/@", p[i]))
            return false;
    return n > 0 && rd_str_copy(out, cap, (struct rd_str){p, n});
}

static bool credentials(struct sentry_dsn *out, const char *p, size_t n)
{
    const char *colon = memchr(p, ':', n);

    if (!colon)
        return token(out->key, sizeof(out->key), p, n);
    return token(out->key, sizeof(out->key), p, (size_t)(colon - p)) &&
           token(out->secret, sizeof(out->secret), colon + 1, n - (size_t)(colon - p) - 1);
}

int sentry_dsn_parse(struct sentry_dsn *out, const char *dsn)
{
    size_t scheme = strncmp(dsn, "https://", 8) == 0 ? 8 : strncmp(dsn, "http://", 7) == 0 ? 7 : 0;
    const char *from = dsn + scheme, *at, *slash;
    char project[128];
    int n;

    *out = (struct sentry_dsn){.key = ""};
    if (!*dsn)
        return -ENOENT;
    at = scheme ? memchr(from, '@', strcspn(from, "/")) : NULL;
    slash = at ? strrchr(at, '/') : NULL;
    if (!slash || slash == at + 1 || at[1] == '/' || strpbrk(at + 1, " \t\r\n?#\"\\@") ||
        !credentials(out, from, (size_t)(at - from)) ||
        !token(project, sizeof(project), slash + 1, strlen(slash + 1)))
        return -EINVAL;
    n = snprintf(out->url, sizeof(out->url), "%.*s%.*s/api/%s/envelope/", (int)scheme, dsn,
                 (int)(slash - at - 1), at + 1, project);
    return n > 0 && (size_t)n < sizeof(out->url) ? 0 : -EINVAL;
}

/* --- limits --- */

static const char *const categories[SENTRY_CATEGORIES] = {
    [SENTRY_ERROR] = "error",
    [SENTRY_DEFAULT] = "default",
    [SENTRY_TRANSACTION] = "transaction",
    [SENTRY_MONITOR] = "monitor",
    [SENTRY_INTERNAL] = "internal",
    [SENTRY_ATTACHMENT] = "attachment",
    [SENTRY_SESSION] = "session",
    [SENTRY_LOG_ITEM] = "log_item",
};

static bool seconds_of(const char *text, uint64_t *out_ms)
{
    char *end = NULL;
    double s = strtod(text, &end);

    if (end == text || *end || !isfinite(s) || s < 0)
        return false;
    s = s > DAY_S ? DAY_S : s;
    *out_ms = (uint64_t)ceil(s * 1000);
    return true;
}

static void longer(uint64_t *until, uint64_t when)
{
    if (when > *until)
        *until = when;
}

static void limit(struct sentry_limits *l, char *names, uint64_t until)
{
    char *rest = names, *name;

    if (!*names) {
        longer(&l->all_until_ms, until);
        return;
    }
    while ((name = strsep(&rest, ";")))
        for (int i = 0; i < SENTRY_CATEGORIES; i++)
            if (strcmp(name, categories[i]) == 0)
                longer(&l->until_ms[i], until);
}

static bool read_limits(struct sentry_limits *l, const char *header, uint64_t now_ms)
{
    char text[HEADER_MAX], *rest = text, *one;
    size_t n = 0;
    bool any = false;

    for (; *header && n < sizeof(text) - 1; header++)
        if (!strchr(" \t\r\n", *header))
            text[n++] = *header;
    text[n] = '\0';
    while ((one = strsep(&rest, ","))) {
        char *parts = one, *seconds = strsep(&parts, ":"), *names = strsep(&parts, ":");
        uint64_t ms;

        if (!names || !seconds_of(seconds, &ms))
            continue;
        any = true;
        limit(l, names, now_ms + ms);
    }
    return any;
}

void sentry_limits_heard(struct sentry_limits *l, long status, const char *limits,
                         const char *retry_after, uint64_t now_ms)
{
    uint64_t ms = (uint64_t)MINUTE_S * 1000;

    if (*limits && read_limits(l, limits, now_ms))
        return;
    if (status != 429)
        return;
    (void)seconds_of(retry_after, &ms);
    longer(&l->all_until_ms, now_ms + ms);
}

bool sentry_limited(const struct sentry_limits *l, enum sentry_category c, uint64_t now_ms)
{
    return now_ms < l->all_until_ms || (c != SENTRY_INTERNAL && now_ms < l->until_ms[c]);
}

/* --- the envelope --- */

int sentry_envelope(struct buf *out, struct rd_str event, const char *id, int64_t unix_ms)
{
    time_t s = (time_t)(unix_ms / 1000);
    char at[32];
    struct tm tm;
    int rc;

    gmtime_r(&s, &tm);
    strftime(at, sizeof(at), "%Y-%m-%dT%H:%M:%S", &tm);
    rc = buf_addf(out,
                  "{\"event_id\":\"%s\",\"sent_at\":\"%s.%03dZ\",\"sdk\":{\"name\":\"ringdown\","
                  "\"version\":\"" RD_VERSION "\"}}\n"
                  "{\"type\":\"event\",\"length\":%zu,\"content_type\":\"application/json\"}\n",
                  id, at, (int)(unix_ms % 1000), event.n);
    if (!rc)
        rc = buf_add(out, event.p, event.n);
    return rc ? rc : buf_add_str(out, "\n");
}
