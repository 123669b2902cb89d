/* SPDX-License-Identifier: Apache-2.0 */
/* directory.c - a fixed array of entries, a hash of SIDs over it, a queue of entries that can be
 * reused, oldest first, and how many calls each agent and each caller has. There are always more
 * entries than slots, so the calls that ended last stay findable for a while: Twilio asks
 * /twilio/resume after the stream is gone.
 *
 * Failure modes: a handle of an earlier call in the same entry does not match (generation) and
 * finds nothing; forged SIDs cost a hash step each. */
#include "gateway/directory.h"

#include "base/err.h"
#include "gateway/tally.h"
#include "observe/quota.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct entry {
    struct directory_view v;
    struct brief *brief;     /* refs; until claimed */
    struct credits *credits; /* owns; until claimed or released, and while AWAY */
    uint32_t generation;
    uint32_t seq;    /* of the last fact */
    int agent_place; /* in the tallies, while the call goes on */
    int caller_place;
    int next_in_bucket; /* -1: last */
    int next_reusable;  /* -1: last */
    uint32_t share;     /* of the provider's rate limit */
    struct provider_usage used;
    uint64_t used_ms;
    bool settled;                     /* whether the caller got through */
    uint64_t resumed_ms[RESUMES_MAX]; /* the last ones, oldest first; 0: none */
};

struct directory {
    pthread_mutex_t lock;
    struct entry *entries;
    int *buckets;
    struct tally *agents, *callers; /* own; calls at once */
    unsigned n_entries, max_calls, max_per_caller, live, full;
    int reuse_first, reuse_last;
    bool draining, leaving;
};

enum { WALK_PLACES = 128 };  /* looked at under one lock */
enum { ENTRIES_OVER = 256 }; /* how many ended calls stay findable, besides as many as max_calls */

int directory_new(struct directory **out, unsigned max_calls, unsigned max_per_caller)
{
    struct directory *d = calloc(1, sizeof(*d));

    if (!d)
        return -ENOMEM;
    pthread_mutex_init(&d->lock, NULL);
    d->max_calls = max_calls;
    d->max_per_caller = max_per_caller;
    d->n_entries = 2 * max_calls + ENTRIES_OVER;
    d->entries = calloc(d->n_entries, sizeof(*d->entries));
    d->buckets = calloc(d->n_entries, sizeof(*d->buckets));
    if (!d->entries || !d->buckets || tally_new(&d->agents, max_calls) ||
        tally_new(&d->callers, max_calls)) {
        directory_free(d);
        return -ENOMEM;
    }
    for (unsigned i = 0; i < d->n_entries; i++) {
        d->buckets[i] = -1;
        d->entries[i].next_in_bucket = -1;
        d->entries[i].next_reusable = i + 1 < d->n_entries ? (int)i + 1 : -1;
    }
    d->reuse_last = (int)d->n_entries - 1;
    *out = d;
    return 0;
}

void directory_free(struct directory *d)
{
    if (!d)
        return;
    for (unsigned i = 0; d->entries && i < d->n_entries; i++) {
        brief_unref(d->entries[i].brief);
        if (d->entries[i].credits)
            credits_free(d->entries[i].credits);
    }
    pthread_mutex_destroy(&d->lock);
    free(d->entries);
    free(d->buckets);
    tally_free(d->agents);
    tally_free(d->callers);
    free(d);
}

/* FNV-1a: SIDs are random already. */
static unsigned bucket_of(const struct directory *d, struct rd_str sid)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < sid.n; i++)
        h = (h ^ (unsigned char)sid.p[i]) * 16777619u;
    return h % d->n_entries;
}

static struct entry *by_sid(struct directory *d, struct rd_str sid)
{
    for (int i = d->buckets[bucket_of(d, sid)]; i >= 0; i = d->entries[i].next_in_bucket)
        if (rd_str_eq(rd_str(d->entries[i].v.sid), sid))
            return &d->entries[i];
    return NULL;
}

static struct entry *by_handle(struct directory *d, call_handle h)
{
    uint64_t place = (h & 0xFFFFFFFFu);
    struct entry *e = place >= 1 && place <= d->n_entries ? &d->entries[place - 1] : NULL;

    return e && e->v.call == h && e->v.state != DIRECTORY_FREE ? e : NULL;
}

static void unlink_sid(struct directory *d, struct entry *e)
{
    int *link = &d->buckets[bucket_of(d, rd_str(e->v.sid))];

    while (*link >= 0 && &d->entries[*link] != e)
        link = &d->entries[*link].next_in_bucket;
    if (*link >= 0)
        *link = e->next_in_bucket;
    e->next_in_bucket = -1;
}

static struct entry *take_reusable(struct directory *d)
{
    struct entry *e = &d->entries[d->reuse_first];

    d->reuse_first = e->next_reusable;
    if (d->reuse_first < 0)
        d->reuse_last = -1;
    if (e->v.state == DIRECTORY_OVER)
        unlink_sid(d, e);
    return e;
}

static void put_reusable(struct directory *d, struct entry *e)
{
    int i = (int)(e - d->entries);

    e->next_reusable = -1;
    if (d->reuse_last >= 0)
        d->entries[d->reuse_last].next_reusable = i;
    else
        d->reuse_first = i;
    d->reuse_last = i;
}

static struct entry *make(struct directory *d, struct rd_str sid)
{
    struct entry *e = take_reusable(d);
    unsigned bucket = bucket_of(d, sid);
    int i = (int)(e - d->entries);

    memset(&e->v, 0, sizeof(e->v));
    e->generation++;
    e->seq = 0;
    e->v.call = ((uint64_t)e->generation << 32) | (uint64_t)(i + 1);
    e->v.state = DIRECTORY_OPENING;
    (void)rd_str_copy(e->v.sid, sizeof(e->v.sid), sid);
    e->next_in_bucket = d->buckets[bucket];
    d->buckets[bucket] = i;
    return e;
}

static bool is_e164(struct rd_str s)
{
    if (s.n < 8 || s.n > 16 || s.p[0] != '+' || s.p[1] < '1')
        return false;
    for (size_t i = 1; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return true;
}

static enum directory_refusal refusal_of(const struct directory *d,
                                         const struct directory_admission *a)
{
    if (d->draining)
        return REFUSAL_DRAINING;
    if (d->live == d->max_calls)
        return REFUSAL_FULL;
    if (a->agent_max > 0 && tally_count(d->agents, a->agent) >= a->agent_max)
        return REFUSAL_AGENT_FULL;
    if (d->max_per_caller > 0 && is_e164(a->from) &&
        tally_count(d->callers, a->from) >= d->max_per_caller)
        return REFUSAL_CALLER_FULL;
    return REFUSAL_NONE;
}

static call_handle let_in(struct directory *d, const struct directory_admission *a, uint32_t share)
{
    struct entry *e = make(d, a->sid);

    d->live++;
    e->agent_place = tally_take(d->agents, a->agent);
    e->caller_place = is_e164(a->from) ? tally_take(d->callers, a->from) : TALLY_NONE;
    (void)rd_str_copy(e->v.agent, sizeof(e->v.agent), a->agent);
    (void)rd_str_copy(e->v.from, sizeof(e->v.from), a->from);
    (void)rd_str_copy(e->v.to, sizeof(e->v.to), a->to);
    (void)rd_str_copy(e->v.verstat, sizeof(e->v.verstat), a->verstat);
    e->v.trial = a->trial;
    e->v.admitted_ms = e->v.since_ms = a->now_ms;
    e->v.admitted_unix_us = a->now_unix_us;
    e->v.epoch = a->epoch ? a->epoch : a->now_unix_us;
    e->v.legs = a->epoch ? 1 : 0; /* it has had one elsewhere, or was about to */
    e->share = share;
    e->used = (struct provider_usage){0};
    e->used_ms = 0;
    e->settled = false;
    memset(e->resumed_ms, 0, sizeof(e->resumed_ms));
    return e->v.call;
}

int directory_admit(struct directory *d, struct directory_admission *a)
{
    struct entry *e;
    uint32_t share = 0;
    int rc = 0;

    pthread_mutex_lock(&d->lock);
    e = by_sid(d, a->sid);
    a->refusal = e ? REFUSAL_NONE : refusal_of(d, a);
    if (!e && !a->refusal) {
        share = quota_reserve(QUOTA_OPENAI, a->now_ms);
        a->refusal = share ? REFUSAL_NONE : REFUSAL_RATE_LIMIT;
    }
    if (e) {
        a->call = e->v.call;
        rc = RD_ESTATE;
    } else if (a->refusal) {
        d->full += a->refusal == REFUSAL_FULL;
        rc = RD_EFULL;
    } else {
        a->call = let_in(d, a, share);
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

bool directory_settle(struct directory *d, call_handle h)
{
    struct entry *e;
    bool first = false;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e) {
        first = !e->settled;
        e->settled = true;
    }
    pthread_mutex_unlock(&d->lock);
    return first;
}

void directory_used(struct directory *d, call_handle h, const struct provider_usage *used,
                    uint64_t duration_ms)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e) {
        e->used = *used;
        e->used_ms = duration_ms;
    }
    pthread_mutex_unlock(&d->lock);
}

/* A process takes a call once, so the moment it was admitted is the epoch, too; unless another one
 * had it before. */
bool directory_stamp(struct directory *d, call_handle h, uint64_t *started_us, uint64_t *epoch,
                     uint32_t *seq)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e) {
        *started_us = e->v.admitted_unix_us;
        *epoch = e->v.epoch;
        *seq = ++e->seq;
    }
    pthread_mutex_unlock(&d->lock);
    return e != NULL;
}

bool directory_set_script(struct directory *d, call_handle h, unsigned script_thread,
                          struct credits *c)
{
    struct entry *e;
    bool opening;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    opening = e && e->v.state == DIRECTORY_OPENING && !e->credits;
    if (opening) {
        e->v.script_thread = script_thread;
        e->credits = c;
    }
    pthread_mutex_unlock(&d->lock);
    return opening;
}

struct credits *directory_unset_script(struct directory *d, call_handle h)
{
    struct credits *c = NULL;
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e && e->v.state == DIRECTORY_OPENING) {
        c = e->credits;
        e->credits = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    return c;
}

int directory_offer(struct directory *d, call_handle h, struct brief *brief, uint64_t nonce,
                    uint64_t now_ms)
{
    struct entry *e;
    int rc = 0;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (!e) {
        rc = RD_EGONE;
    } else if (e->v.state == DIRECTORY_TAKEN || e->v.state == DIRECTORY_OVER) {
        rc = RD_ESTATE;
    } else {
        if (brief) {
            brief_unref(e->brief);
            e->brief = brief_ref(brief);
        }
        e->v.nonce = nonce;
        e->v.since_ms = now_ms;
        e->v.state = DIRECTORY_OFFERED;
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

int directory_claim(struct directory *d, call_handle h, uint64_t nonce, unsigned media_thread,
                    struct directory_claim *out)
{
    struct entry *e;
    int rc = 0;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (!e || e->v.state == DIRECTORY_OVER) {
        rc = RD_EGONE;
    } else if (e->v.state != DIRECTORY_OFFERED || e->v.nonce != nonce) {
        rc = RD_EAUTH;
    } else {
        e->v.state = DIRECTORY_TAKEN;
        e->v.intent = INTENT_NONE;
        e->v.media_thread = media_thread;
        e->v.legs++;
        *out = (struct directory_claim){.view = e->v, .brief = e->brief, .credits = e->credits};
        e->brief = NULL;
        e->credits = NULL;
    }
    pthread_mutex_unlock(&d->lock);
    return rc;
}

bool directory_away(struct directory *d, call_handle h, struct credits *credits, uint64_t now_ms)
{
    struct entry *e;
    bool taken;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    taken = e && e->v.state == DIRECTORY_TAKEN;
    if (taken) {
        e->v.state = DIRECTORY_AWAY;
        e->v.since_ms = now_ms;
        e->credits = credits;
    }
    pthread_mutex_unlock(&d->lock);
    return taken;
}

void directory_still_away(struct directory *d, call_handle h, uint64_t now_ms)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e && e->v.state == DIRECTORY_AWAY)
        e->v.since_ms = now_ms;
    pthread_mutex_unlock(&d->lock);
}

static unsigned count_resume(struct entry *e, uint64_t now_ms)
{
    unsigned recent = 0;

    for (int i = 0; i < RESUMES_MAX; i++)
        recent += e->resumed_ms[i] && now_ms - e->resumed_ms[i] < RESUMES_WITHIN_MS;
    if (recent == RESUMES_MAX)
        return 0;
    memmove(e->resumed_ms, e->resumed_ms + 1, sizeof(e->resumed_ms) - sizeof(e->resumed_ms[0]));
    e->resumed_ms[RESUMES_MAX - 1] = now_ms;
    return recent + 1;
}

unsigned directory_resume(struct directory *d, call_handle h, uint64_t now_ms)
{
    struct entry *e;
    unsigned attempt = 0;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e && e->v.state != DIRECTORY_OVER)
        attempt = count_resume(e, now_ms);
    pthread_mutex_unlock(&d->lock);
    return attempt;
}

static bool copy_view(const struct entry *e, struct directory_view *out)
{
    if (e)
        *out = e->v;
    return e != NULL;
}

bool directory_get(struct directory *d, call_handle h, struct directory_view *out)
{
    bool found;

    pthread_mutex_lock(&d->lock);
    found = copy_view(by_handle(d, h), out);
    pthread_mutex_unlock(&d->lock);
    return found;
}

bool directory_find(struct directory *d, struct rd_str sid, struct directory_view *out)
{
    bool found;

    pthread_mutex_lock(&d->lock);
    found = copy_view(by_sid(d, sid), out);
    pthread_mutex_unlock(&d->lock);
    return found;
}

void directory_intent(struct directory *d, call_handle h, enum directory_intent intent)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e)
        e->v.intent = intent;
    pthread_mutex_unlock(&d->lock);
}

void directory_route(struct directory *d, call_handle h, enum directory_system system)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e)
        e->v.system = system;
    pthread_mutex_unlock(&d->lock);
}

bool directory_release(struct directory *d, call_handle h, bool only_unclaimed,
                       struct credits **credits, struct directory_view *view)
{
    struct entry *e;
    bool released = false;

    *credits = NULL;
    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e && e->v.state != DIRECTORY_OVER && !(only_unclaimed && e->v.state == DIRECTORY_TAKEN)) {
        e->v.state = DIRECTORY_OVER;
        *credits = e->credits;
        *view = e->v;
        e->credits = NULL;
        brief_unref(e->brief);
        e->brief = NULL;
        d->live--;
        tally_give(d->agents, e->agent_place);
        tally_give(d->callers, e->caller_place);
        quota_release(QUOTA_OPENAI, e->share, &e->used, e->used_ms);
        put_reusable(d, e);
        released = true;
    }
    pthread_mutex_unlock(&d->lock);
    return released;
}

void directory_forget(struct directory *d, call_handle h)
{
    struct entry *e;

    pthread_mutex_lock(&d->lock);
    e = by_handle(d, h);
    if (e)
        unlink_sid(d, e); /* a second time, when the entry is used again, finds nothing */
    pthread_mutex_unlock(&d->lock);
}

void directory_drain(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    d->draining = true;
    pthread_mutex_unlock(&d->lock);
}

int directory_undrain(struct directory *d)
{
    int rc;

    pthread_mutex_lock(&d->lock);
    rc = d->leaving ? RD_ESTATE : 0;
    if (!rc)
        d->draining = false;
    pthread_mutex_unlock(&d->lock);
    return rc;
}

void directory_leave(struct directory *d)
{
    pthread_mutex_lock(&d->lock);
    d->draining = d->leaving = true;
    pthread_mutex_unlock(&d->lock);
}

struct directory_counts directory_counts(struct directory *d)
{
    struct directory_counts c;

    pthread_mutex_lock(&d->lock);
    c = (struct directory_counts){
        .live = d->live, .max = d->max_calls, .full = d->full, .draining = d->draining};
    pthread_mutex_unlock(&d->lock);
    return c;
}

static bool is_there(const struct directory_view *v)
{
    return v->state != DIRECTORY_FREE && v->state != DIRECTORY_OVER;
}

unsigned directory_on_openai(struct directory *d)
{
    unsigned n = 0;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->n_entries; i++)
        n += is_there(&d->entries[i].v) && d->entries[i].v.system == DIRECTORY_OPENAI;
    pthread_mutex_unlock(&d->lock);
    return n;
}

size_t directory_list(struct directory *d, struct directory_view *out, size_t max)
{
    size_t n = 0;

    pthread_mutex_lock(&d->lock);
    for (unsigned i = 0; i < d->n_entries && n < max; i++) {
        if (is_there(&d->entries[i].v))
            out[n++] = d->entries[i].v;
    }
    pthread_mutex_unlock(&d->lock);
    return n;
}

bool directory_walk(struct directory *d, unsigned *place, struct directory_view *out, size_t max,
                    size_t *n)
{
    unsigned end = *place + WALK_PLACES;
    bool more;

    *n = 0;
    pthread_mutex_lock(&d->lock);
    for (; *place < d->n_entries && *place < end && *n < max; ++*place) {
        enum directory_state s = d->entries[*place].v.state;

        if (s != DIRECTORY_FREE && s != DIRECTORY_OVER)
            out[(*n)++] = d->entries[*place].v;
    }
    more = *place < d->n_entries;
    pthread_mutex_unlock(&d->lock);
    return more;
}

const char *directory_state_name(enum directory_state s)
{
    static const char *const names[] = {
        [DIRECTORY_FREE] = "free",       [DIRECTORY_OPENING] = "opening",
        [DIRECTORY_OFFERED] = "offered", [DIRECTORY_TAKEN] = "taken",
        [DIRECTORY_AWAY] = "away",       [DIRECTORY_OVER] = "over",
    };

    return names[s];
}
