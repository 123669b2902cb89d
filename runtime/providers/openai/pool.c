/* SPDX-License-Identifier: Apache-2.0 */
/* pool.c - connections that are ready before a call needs them.
 *
 *   EMPTY --dial--> DIALLING --session.created--> READY --pool_take--> EMPTY (a leg has it)
 *     ^________________|__________________________|  refused, lost, slow, too old
 *
 * pool_tend() is the only place that dials, retires and sets the timer; everything that happens
 * calls it. A connection is told what the call wants (session.update) only when it is taken,
 * because voice and tools differ from agent to agent.
 *   - refused (key, model, quota) or lost: the next dial waits 1 s, then 2, 4 … 60 s; a connection
 *     that lasted ten seconds or served a call begins that count anew
 *   - no session.created within five seconds: lost
 *   - older than warm_max_age_ms, or than a quarter of what its session lives: closed and dialled anew
 *   - the breaker of the target "openai" is told how each dial went, and never asked: the pool has
 *     its own rhythm and no caller waits for it, so its dials are the best probes there are
 *   - the pool is freed: its connections are closed, its legs live on */
#include "providers/openai/pool.h"

#include "base/err.h"
#include "base/log.h"
#include "base/now.h"
#include "observe/targets.h"
#include "providers/openai/account.h"
#include "providers/openai/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    WARM_MAX = 2,
    OUTPUT_BYTES = 2 << 20, /* more than all that the bridge keeps, as PCM: 1 MiB */
    DEFAULT_MAX_AGE_MS = 600000,
    MIN_AGE_MS = 1000, /* however little a clock that is ahead leaves of a session */
    CREATED_WITHIN_MS = 5000,
    LASTED_MS = 10000,
    RETRY_MIN_MS = 1000,
    RETRY_MAX_MS = 60000,
    CONNECT_TIMEOUT_MS = 5000,
    MESSAGE_MAX = 2 << 20, /* deltas are some KiB; what echoes the instructions, a few hundred */
    URL_BYTES = 2048,
    MESSAGE_CHARS = 200
};

enum warm_state { WARM_EMPTY, WARM_DIALLING, WARM_READY };

struct warm {
    struct openai_pool *pool; /* borrows: holds this */
    enum warm_state state;
    struct ws *ws;     /* owns, unless EMPTY */
    uint64_t since_ms; /* DIALLING: of the dial, READY: of session.created */
    uint64_t until_ms; /* DIALLING: session.created is here, READY: it is young enough for a call */
    uint64_t expires_unix_s;
    struct events events;
};

struct openai_pool {
    struct openai_opts o; /* borrows the strings in it */
    struct warm warm[WARM_MAX];
    unsigned n_warm;
    struct loop_timer *timer; /* owns */
    uint64_t retry_ms;        /* the last wait; 0: none */
    uint64_t retry_at_ms;     /* no dial before */
    bool thrown_out;          /* after session.created: that alone proves nothing any more */
    struct verdict trouble;   /* the last failure */
    struct openai_counts counts;
    struct provider_leg *legs; /* borrows: they leave before they are freed */
};

static void pool_tend(struct openai_pool *p);

/* --- dialling -------------------------------------------------------------------------------- */

/* url?model=…, the model percent-encoded. */
static int build_url(char *out, size_t cap, const char *url, const char *model)
{
    int n = snprintf(out, cap, "%s%cmodel=", url, strchr(url, '?') ? '&' : '?');
    size_t at = n < 0 ? cap : (size_t)n;

    for (; *model && at + 4 < cap; model++) {
        bool plain = (*model >= 'a' && *model <= 'z') || (*model >= 'A' && *model <= 'Z') ||
                     (*model >= '0' && *model <= '9') || strchr("-._~", *model);

        at += (size_t)snprintf(out + at, cap - at, plain ? "%c" : "%%%02X", (unsigned char)*model);
    }
    return at + 4 < cap ? 0 : -EINVAL;
}

int pool_dial(struct ws **out, struct openai_pool *p, const char *model,
              const struct ws_handlers *handlers, void *arg)
{
    const char *header[] = {NULL, NULL};
    char url[URL_BYTES], *bearer = NULL;
    struct ws_connect_opts o = {
        .loop = p->o.loop,
        .url = url,
        .header = header,
        .tls = p->o.tls,
        .timeout_ms = CONNECT_TIMEOUT_MS,
        .max_output = OUTPUT_BYTES,
        .max_message = MESSAGE_MAX,
        .handlers = handlers,
        .arg = arg,
    };
    int rc = build_url(url, sizeof(url), p->o.url, model && *model ? model : p->o.model);

    if (rc)
        return rc;
    if (p->o.key && *p->o.key) {
        if (asprintf(&bearer, "Authorization: Bearer %s", p->o.key) < 0)
            return -ENOMEM;
        header[0] = bearer;
    }
    rc = ws_connect(out, &o);
    if (!rc)
        p->counts.dialled++;
    if (bearer)
        explicit_bzero(bearer, strlen(bearer));
    free(bearer);
    return rc;
}

static void nobody_text(struct ws *w, char *msg, size_t n, void *arg)
{
    (void)w, (void)msg, (void)n, (void)arg;
}

static void nobody_closed(struct ws *w, const struct ws_closed *c, void *arg)
{
    (void)w, (void)c, (void)arg;
}

static const struct ws_handlers nobody = {.text = nobody_text, .closed = nobody_closed};

void pool_forget(struct ws *w, bool politely)
{
    ws_set_handlers(w, &nobody, NULL);
    if (politely)
        ws_close(w, 1000, "");
    else
        ws_drop(w);
}

/* --- one warm connection --------------------------------------------------------------------- */

static void warm_empty(struct warm *w)
{
    events_fini(&w->events);
    w->ws = NULL;
    w->state = WARM_EMPTY;
}

static void warm_forget(struct warm *w, bool politely)
{
    struct ws *ws = w->ws;

    warm_empty(w);
    pool_forget(ws, politely);
}

/* Two connections that fail together count once. */
static void back_off(struct openai_pool *p, const char *why)
{
    uint64_t now = clock_ms(loop_clock());

    if (now < p->retry_at_ms)
        return;
    target_seen(POOL_TARGET, false, why, now);
    p->retry_ms = p->retry_ms ? p->retry_ms * 2 : RETRY_MIN_MS;
    if (p->retry_ms > RETRY_MAX_MS)
        p->retry_ms = RETRY_MAX_MS;
    p->retry_at_ms = now + p->retry_ms;
}

/* The connection is over, or useless: says so and waits before the next one. A warm connection that
 * lasted and then got lost is everyday life. `message` may stand in w's own buffers. */
static void warm_failed(struct warm *w, const struct verdict *v, struct rd_str message)
{
    struct openai_pool *p = w->pool;
    uint64_t now = clock_ms(loop_clock());
    bool lasted = w->state == WARM_READY && now - w->since_ms >= LASTED_MS;
    char text[MESSAGE_CHARS];

    (void)rd_str_copy(text, sizeof(text), v->quiet_message ? RD_STR("") : message);
    p->thrown_out = w->state == WARM_READY && !lasted;
    warm_empty(w);
    if (lasted)
        p->retry_ms = 0;
    if (lasted && v->kind != VERDICT_FATAL) {
        log_debug("openai.warm_lost", F_STR("code", v->code));
        return;
    }
    pool_trouble_is(p, v);
    back_off(p, v->code);
    p->counts.errors++;
    account_refuses(v->code);
    if (v->kind == VERDICT_FATAL)
        log_error("openai.refused", F_STR("code", v->code), F_STR("message", text),
                  F_INT("retry_ms", p->retry_ms), F_FIX(v->fix));
    else
        log_warn("openai.unreachable", F_STR("code", v->code), F_STR("message", text),
                 F_INT("retry_ms", p->retry_ms),
                 F_FIX(v->fix ? v->fix : "check status.openai.com"));
}

/* A call needs most of a session: it opens the next one when a quarter is left (call/resume.c). */
static uint64_t max_age_ms(const struct openai_pool *p, uint64_t expires_unix_s)
{
    uint64_t now = (uint64_t)unix_ms(), at = expires_unix_s * 1000;
    uint64_t quarter =
        at > now ? (at - now) / 4 : 0; /* 0: the clocks differ, or nothing was said */

    if (quarter && quarter < MIN_AGE_MS)
        quarter = MIN_AGE_MS;
    return quarter && quarter < p->o.warm_max_age_ms ? quarter : p->o.warm_max_age_ms;
}

static void on_warm_session(void *arg, bool updated, struct rd_str id, uint64_t expires_unix_s)
{
    struct warm *w = arg;

    (void)updated, (void)id;
    if (w->state != WARM_DIALLING)
        return;
    w->state = WARM_READY;
    w->since_ms = clock_ms(loop_clock());
    w->until_ms = w->since_ms + max_age_ms(w->pool, expires_unix_s);
    w->expires_unix_s = expires_unix_s;
    account_works();
    if (!w->pool->thrown_out)
        target_seen(POOL_TARGET, true, NULL, w->since_ms);
}

static void on_warm_error(void *arg, const struct openai_error *e)
{
    struct verdict v = verdict_of_error(e, true);
    struct warm *w = arg;
    struct ws *ws = w->ws;

    if (w->state == WARM_EMPTY || v.kind != VERDICT_FATAL)
        return;
    warm_failed(w, &v, e->message);
    pool_forget(ws, false);
}

/* Never told: no response runs before a call has the connection. */
static void on_warm_failed(void *arg, const struct openai_error *e)
{
    (void)arg, (void)e;
}

static const struct events_owner warm_owner = {
    .on_session = on_warm_session,
    .on_error = on_warm_error,
    .on_failed = on_warm_failed,
};

static void on_warm_text(struct ws *ws, char *msg, size_t n, void *arg)
{
    struct warm *w = arg;

    (void)ws;
    (void)events_feed(&w->events, (struct rd_str){msg, n});
    pool_tend(w->pool);
}

static void on_warm_closed(struct ws *ws, const struct ws_closed *c, void *arg)
{
    struct warm *w = arg;
    struct rd_str message;
    struct verdict v = verdict_of_closed(c, &message);

    (void)ws;
    warm_failed(w, &v, message);
    pool_tend(w->pool);
}

static const struct ws_handlers warm_handlers = {.text = on_warm_text, .closed = on_warm_closed};

static void warm_dial(struct warm *w)
{
    int rc = events_init(&w->events, &warm_owner, w, &w->pool->counts);

    if (!rc)
        rc = pool_dial(&w->ws, w->pool, NULL, &warm_handlers, w);
    if (rc) {
        events_fini(&w->events);
        back_off(w->pool, rd_strerror(rc));
        log_error("openai.dial_failed", F_ERR(rc), F_FIX("check openai.url and openai.model"));
        return;
    }
    w->state = WARM_DIALLING;
    w->since_ms = clock_ms(loop_clock());
    w->until_ms = w->since_ms + CREATED_WITHIN_MS;
}

/* --- the pool -------------------------------------------------------------------------------- */

/* When this place wants to be looked at again. */
static uint64_t warm_tend(struct openai_pool *p, struct warm *w, uint64_t now)
{
    static const struct verdict slow = {
        .kind = VERDICT_LOST, .code = "timeout", .fix = "check openai.url and status.openai.com"};
    struct ws *ws = w->ws;

    if (w->state == WARM_DIALLING && now >= w->until_ms) {
        warm_failed(w, &slow, RD_STR("no session.created"));
        pool_forget(ws, false);
    }
    if (w->state == WARM_READY && now >= w->until_ms) {
        p->retry_ms = 0;
        warm_forget(w, true);
    }
    if (w->state == WARM_EMPTY && now >= p->retry_at_ms)
        warm_dial(w);
    return w->state == WARM_EMPTY ? p->retry_at_ms : w->until_ms;
}

static void pool_tend(struct openai_pool *p)
{
    uint64_t now = clock_ms(loop_clock()), next = UINT64_MAX;

    for (unsigned i = 0; i < p->n_warm; i++) {
        uint64_t at = warm_tend(p, &p->warm[i], now);

        next = at < next ? at : next;
    }
    if (next != UINT64_MAX)
        loop_timer_at(p->timer, next);
}

static void on_pool_timer(void *arg)
{
    pool_tend(arg);
}

struct ws *pool_take(struct openai_pool *p, const char *model, uint64_t *expires_unix_s)
{
    struct warm *best = NULL;
    struct ws *ws;

    if (model && *model && strcmp(model, p->o.model) != 0)
        return NULL;
    /* The youngest: it is the least likely to have died unseen. */
    for (unsigned i = 0; i < p->n_warm; i++) {
        struct warm *w = &p->warm[i];

        if (w->state == WARM_READY && (!best || w->since_ms > best->since_ms))
            best = w;
    }
    if (!best)
        return NULL;
    ws = best->ws;
    *expires_unix_s = best->expires_unix_s;
    warm_empty(best);
    p->counts.warm_used++;
    pool_tend(p);
    return ws;
}

void pool_served(struct openai_pool *p)
{
    p->retry_ms = 0;
    p->retry_at_ms = 0;
    p->thrown_out = false;
    target_seen(POOL_TARGET, true, NULL, clock_ms(loop_clock()));
    pool_tend(p);
}

void pool_trouble_is(struct openai_pool *p, const struct verdict *v)
{
    p->trouble = *v;
}

struct verdict pool_trouble(const struct openai_pool *p)
{
    static const struct verdict elsewhere = {.kind = VERDICT_LOST,
                                             .end = LEG_LOST,
                                             .code = "given_up",
                                             .fix = "see the alarm target.open and the errors of "
                                                    "OpenAI before it"};

    return p && *p->trouble.code ? p->trouble : elsewhere;
}

void pool_join(struct openai_pool *p, struct provider_leg *leg)
{
    struct leg_link *l = leg_link(leg);

    l->prev = NULL;
    l->next = p->legs;
    if (p->legs)
        leg_link(p->legs)->prev = leg;
    p->legs = leg;
}

void pool_leave(struct openai_pool *p, struct provider_leg *leg)
{
    struct leg_link *l = leg_link(leg);

    if (l->prev)
        leg_link(l->prev)->next = l->next;
    else
        p->legs = l->next;
    if (l->next)
        leg_link(l->next)->prev = l->prev;
}

const struct openai_opts *pool_opts(const struct openai_pool *p)
{
    return &p->o;
}

struct openai_counts *pool_counts(struct openai_pool *p)
{
    return &p->counts;
}

/* A line break in a key would let it write headers of its own; a key file often ends in one. */
static bool good_key(const char *key)
{
    for (; key && *key; key++)
        if (*key <= ' ' || *key == 0x7F)
            return false;
    return true;
}

static int check_opts(const struct openai_opts *o)
{
    if (o->url && *o->url && o->model && *o->model && good_key(o->key)) {
        if (!o->key || !*o->key)
            log_warn("openai.no_key", F_FIX("set OPENAI_API_KEY (openai.key); OpenAI refuses calls "
                                            "without one"));
        return 0;
    }
    log_error("openai.config", F_FIX("set openai.url, openai.model and an openai.key of visible "
                                     "characters, without spaces or line breaks"));
    return RD_ECONFIG;
}

int openai_pool_new(struct openai_pool **out, const struct openai_opts *o)
{
    struct openai_pool *p;
    int rc = check_opts(o);

    if (rc)
        return rc;
    p = calloc(1, sizeof(*p));
    if (!p)
        return -ENOMEM;
    p->o = *o;
    if (p->o.warm_max_age_ms == 0)
        p->o.warm_max_age_ms = DEFAULT_MAX_AGE_MS;
    p->n_warm = o->warm < WARM_MAX ? o->warm : WARM_MAX;
    for (unsigned i = 0; i < WARM_MAX; i++)
        p->warm[i].pool = p;
    rc = loop_timer_new(&p->timer, o->loop, on_pool_timer, p);
    if (rc) {
        free(p);
        return rc;
    }
    pool_tend(p);
    *out = p;
    return 0;
}

void openai_pool_free(struct openai_pool *p)
{
    if (!p)
        return;
    for (unsigned i = 0; i < p->n_warm; i++)
        if (p->warm[i].state != WARM_EMPTY)
            warm_forget(&p->warm[i], p->warm[i].state == WARM_READY);
    while (p->legs) {
        struct provider_leg *leg = p->legs;

        pool_leave(p, leg);
        leg_orphan(leg);
    }
    loop_timer_free(p->timer);
    free(p);
}

unsigned openai_pool_warm(const struct openai_pool *p)
{
    unsigned n = 0;

    for (unsigned i = 0; i < p->n_warm; i++)
        n += p->warm[i].state == WARM_READY;
    return n;
}

unsigned openai_pool_disown(struct openai_pool *p, openai_known_fn *is_known, void *arg)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = leg_link(leg)->next) {
        if (leg_is_forgotten(leg) || is_known(arg, leg_arg(leg)))
            continue;
        leg_disown(leg); /* it leaves the list from the loop, not from here */
        n++;
    }
    return n;
}

unsigned openai_pool_legs(const struct openai_pool *p)
{
    unsigned n = 0;

    for (struct provider_leg *leg = p->legs; leg; leg = leg_link(leg)->next)
        n++;
    return n;
}

struct openai_counts openai_pool_counts(const struct openai_pool *p)
{
    return p->counts;
}
