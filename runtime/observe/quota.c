/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - a bucket per provider: how full it was when the provider last told, and how fast it fills.
 *
 * Failure modes: numbers that make no sense (more left than the limit, no limit at all) are cut or
 * mean "never told"; a share that is released twice, or was never reserved, leaves none below zero. */
#include "observe/quota.h"

#include "observe/alarm.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { LEARN_MS = 30000, LEARN_WEIGHT = 8, ALARM_BELOW = 10, FINE_ABOVE = 5 };

struct bucket {
    uint64_t limit, remaining; /* as told */
    uint32_t reset_ms;
    uint64_t told_ms;
    uint64_t reserved, newcomers; /* newcomers: reserved since it was told */
    uint32_t share;               /* 0: nothing learnt yet */
};

static struct bucket buckets[QUOTA_PROVIDERS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const char *const kinds[] = {[QUOTA_OPENAI] = "openai.rate_limit"};

static uint32_t share_of(const struct bucket *b)
{
    return b->share ? b->share : QUOTA_CALL_TOKENS;
}

static uint64_t left(const struct bucket *b, uint64_t now_ms)
{
    uint64_t passed_ms = now_ms > b->told_ms ? now_ms - b->told_ms : 0;

    if (passed_ms >= b->reset_ms)
        return b->limit;
    return b->remaining + (b->limit - b->remaining) * passed_ms / b->reset_ms;
}

static bool is_stale(const struct bucket *b, uint64_t now_ms)
{
    return now_ms >= b->told_ms + b->reset_ms;
}

static bool admits(const struct bucket *b, uint64_t now_ms)
{
    uint32_t share = share_of(b);
    uint64_t newcomers = is_stale(b, now_ms) ? 0 : b->newcomers;

    return b->limit == 0 ||
           (b->reserved + share <= b->limit && newcomers + share <= left(b, now_ms));
}

static void judge(enum quota_provider p, const struct provider_limit *tokens)
{
    char text[ALARM_TEXT];

    if (tokens->remaining >= tokens->limit / FINE_ABOVE) {
        alarm_clear(kinds[p], NULL);
        return;
    }
    if (tokens->remaining >= tokens->limit / ALARM_BELOW)
        return;
    (void)snprintf(text, sizeof(text),
                   "the rate limit is nearly used up: %" PRIu64 " of %" PRIu64
                   " tokens are left for the next %" PRIu32 " s",
                   tokens->remaining, tokens->limit, (tokens->reset_ms + 999) / 1000);
    alarm_raise(ALARM_WARNING, kinds[p], NULL, text,
                "ask for a higher rate limit of the model, or lower max_calls; calls beyond it are "
                "refused (rate_limit)");
}

void quota_told(enum quota_provider p, const struct provider_limits *l, uint64_t now_ms)
{
    struct provider_limit tokens = l->tokens;
    struct bucket *b = &buckets[p];

    if (tokens.limit == 0)
        return;
    if (tokens.remaining > tokens.limit)
        tokens.remaining = tokens.limit;
    pthread_mutex_lock(&lock);
    b->limit = tokens.limit;
    b->remaining = tokens.remaining;
    b->reset_ms = tokens.reset_ms;
    b->told_ms = now_ms;
    b->newcomers = 0;
    pthread_mutex_unlock(&lock);
    judge(p, &tokens);
}

bool quota_admits(enum quota_provider p, uint64_t now_ms)
{
    bool yes;

    pthread_mutex_lock(&lock);
    yes = admits(&buckets[p], now_ms);
    pthread_mutex_unlock(&lock);
    return yes;
}

uint32_t quota_reserve(enum quota_provider p, uint64_t now_ms)
{
    struct bucket *b = &buckets[p];
    uint32_t share = 0;

    pthread_mutex_lock(&lock);
    if (admits(b, now_ms)) {
        share = share_of(b);
        b->reserved += share;
        b->newcomers += share;
    }
    pthread_mutex_unlock(&lock);
    return share;
}

static void learn(struct bucket *b, const struct provider_usage *used, uint64_t duration_ms)
{
    uint64_t tokens = used->text_in + used->audio_in + used->text_out + used->audio_out;
    uint64_t per_minute = tokens > UINT32_MAX ? QUOTA_CALL_MAX : tokens * 60000 / duration_ms;
    int64_t share = share_of(b);

    if (per_minute > QUOTA_CALL_MAX)
        per_minute = QUOTA_CALL_MAX;
    share += ((int64_t)per_minute - share) / LEARN_WEIGHT;
    b->share = share < QUOTA_CALL_MIN ? QUOTA_CALL_MIN : (uint32_t)share;
}

void quota_release(enum quota_provider p, uint32_t share, const struct provider_usage *used,
                   uint64_t duration_ms)
{
    struct bucket *b = &buckets[p];

    pthread_mutex_lock(&lock);
    b->reserved -= share < b->reserved ? share : b->reserved;
    if (duration_ms >= LEARN_MS)
        learn(b, used, duration_ms);
    pthread_mutex_unlock(&lock);
}

struct quota quota_now(enum quota_provider p, uint64_t now_ms)
{
    const struct bucket *b = &buckets[p];
    struct quota q;
    uint64_t passed_ms;

    pthread_mutex_lock(&lock);
    passed_ms = now_ms > b->told_ms ? now_ms - b->told_ms : 0;
    q = (struct quota){.limit = b->limit,
                       .remaining = left(b, now_ms),
                       .reserved = b->reserved,
                       .share = share_of(b),
                       .reset_ms = passed_ms < b->reset_ms ? b->reset_ms - (uint32_t)passed_ms : 0};
    pthread_mutex_unlock(&lock);
    return q;
}

void quota_clear(void)
{
    pthread_mutex_lock(&lock);
    memset(buckets, 0, sizeof(buckets));
    pthread_mutex_unlock(&lock);
}
