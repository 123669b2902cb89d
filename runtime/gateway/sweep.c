/* SPDX-License-Identifier: Apache-2.0 */
/* sweep.c - what should not be there. No thread looks into another's lists: each compares its own
 * with the directory, which all share.
 *
 *   kind     what it is                                             what is done
 *   slot     TAKEN by this thread, and no line here has the call    the slot is given back
 *   waiting  OPENING or OFFERED, longer than any timer allows       given up, the script is told
 *   away     AWAY, longer than anybody's <Dial> may last            given up, the script is told
 *            or than the carrier takes to ask after a broken stream
 *   line     a line whose call the directory knows as over          the call is ended
 *   long     a call a minute past its max_call                      the call is ended
 *   leg      a provider connection whose call is gone               it is cut
 *   vm       a script whose call is over (agent/script_thread.c)    it is freed
 *
 * Each find is a fault of this program: an alarm, a line in the log, a count. But for "away": there
 * the carrier did not tell us, which is a warning. And a node that is to end does not wait for callers
 * who have long been talking to somebody else: those it lets go. */
#include "gateway/sweep.h"

#include "base/log.h"
#include "gateway/claims.h"
#include "gateway/line_private.h"
#include "gateway/resume.h"
#include "gateway/webhook.h"
#include "observe/alarm.h"
#include "observe/catalogue.h"
#include "observe/metrics.h"

#include <stdio.h>

enum {
    VIEWS = 32,                 /* copied from the directory at a time */
    OPENING_PAST_MS = 30000,    /* after the script's deadline */
    OFFERED_MAX_MS = 120000,    /* repeated webhooks included */
    OVERDUE_MAX_MS = 60 * 1000, /* after max_call: a goodbye, a transfer */
    AWAY_MAX_MS = 250 * 60000,  /* a <Dial> lasts 4 hours at most */
    RINGING_MAX_MS = 120000,    /* after that somebody took the caller */
    LOST_MAX_MS = 20000,        /* the carrier asks at once how a call goes on whose stream broke */
    LOST_UNKNOWN_MAX_MS = 60000 /* it may have asked another node */
};

static void found(enum metric_counter counter, const char *kind, const char *sid)
{
    const char *fix = catalogue_fix("zombie.", "found");
    char text[ALARM_TEXT];

    metric_add(counter, 1);
    log_error("zombie.found", F_CALL(sid), F_STR("kind", kind), F_FIX(fix));
    (void)snprintf(text, sizeof(text), "something outlived its call: %s", kind);
    alarm_raise(ALARM_WARNING, "zombie", kind, text, fix);
}

/* --- what the directory has --- */

static bool has_line(const struct media_thread *t, call_handle call)
{
    for (const struct line *l = t->lines; l; l = l->next)
        if (l->view.call == call)
            return true;
    return false;
}

static void give_back(struct media_thread *t, const struct directory_view *v, bool only_unclaimed,
                      enum metric_counter counter, const char *kind)
{
    struct directory_view now;
    struct credits *credits;

    if (!directory_release(t->node->directory, v->call, only_unclaimed, &credits, &now))
        return; /* it went away by itself meanwhile */
    found(counter, kind, v->sid);
    webhook_tell_ended(credits, v->call, "lost");
}

/* For how long it has been in its state: 0 when that began, by another thread's clock, just after now. A difference, so
 * that what began before the machine did, as in a test, has its age. */
static uint64_t age_of(const struct directory_view *v, uint64_t now_ms)
{
    int64_t age_ms = (int64_t)(now_ms - v->since_ms);

    return age_ms > 0 ? (uint64_t)age_ms : 0;
}

static bool waits_too_long(const struct media_thread *t, const struct directory_view *v,
                           uint64_t now_ms)
{
    uint64_t age_ms = age_of(v, now_ms);

    if (v->state == DIRECTORY_OPENING)
        return age_ms > (uint64_t)t->node->settings->script_deadline_ms + OPENING_PAST_MS;
    return v->state == DIRECTORY_OFFERED && age_ms > OFFERED_MAX_MS;
}

static void check_away(struct media_thread *t, const struct directory_view *v, uint64_t now_ms)
{
    uint64_t age_ms = age_of(v, now_ms);
    bool draining = directory_counts(t->node->directory).draining;

    if (v->intent == INTENT_RESUME) {
        /* Who slept, or has no database, asks first whether somebody else has it. */
        if (age_ms > (claims_are_known(t->node) ? LOST_MAX_MS : LOST_UNKNOWN_MAX_MS))
            (void)resume_over(t->node, v->call, "carrier_lost");
        return;
    }
    if (age_ms <= (draining ? RINGING_MAX_MS : AWAY_MAX_MS) ||
        !resume_over(t->node, v->call, "transferred") || draining)
        return;
    log_warn("call.away_too_long", F_CALL(v->sid), F_FIX(catalogue_fix("call.", "away_too_long")));
}

typedef void(entry_fn)(struct media_thread *t, const struct directory_view *v, uint64_t now_ms,
                       unsigned *mine);

static void each_entry(struct media_thread *t, entry_fn *look, unsigned *mine)
{
    uint64_t now_ms = clock_ms(loop_clock());
    struct directory_view views[VIEWS];
    unsigned place = 0;
    bool more = true;
    size_t n;

    while (more) {
        more = directory_walk(t->node->directory, &place, views, VIEWS, &n);
        for (size_t i = 0; i < n; i++)
            look(t, &views[i], now_ms, mine);
    }
}

static bool is_mine(const struct media_thread *t, const struct directory_view *v)
{
    return v->state == DIRECTORY_TAKEN && v->media_thread == t->index;
}

static void count_mine(struct media_thread *t, const struct directory_view *v, uint64_t now_ms,
                       unsigned *mine)
{
    *mine += is_mine(t, v);
    if (t->index == 0 && waits_too_long(t, v, now_ms))
        give_back(t, v, true, M_ZOMBIE_WAITING, "waiting");
    if (t->index == 0 && v->state == DIRECTORY_AWAY)
        check_away(t, v, now_ms);
}

static void find_mine(struct media_thread *t, const struct directory_view *v, uint64_t now_ms,
                      unsigned *mine)
{
    (void)now_ms;
    (void)mine;
    if (is_mine(t, v) && !has_line(t, v->call))
        give_back(t, v, false, M_ZOMBIE_SLOT, "slot");
}

/* Every line has its entry (check_lines() saw to that), so only when there are more entries than
 * lines is one of them nobody's. */
static void check_directory(struct media_thread *t)
{
    unsigned mine = 0;

    each_entry(t, count_mine, &mine);
    if (mine > atomic_load(&t->n_lines))
        each_entry(t, find_mine, &mine);
}

/* --- what this thread has --- */

static void check_lines(struct media_thread *t)
{
    struct directory_view v;
    struct line *next;

    for (struct line *l = t->lines; l; l = next) {
        next = l->next; /* call_end() may free l */
        if (call_is_ending(l->call))
            continue;
        if (!directory_get(t->node->directory, l->view.call, &v) || v.state != DIRECTORY_TAKEN) {
            found(M_ZOMBIE_LINE, "line", l->view.sid);
            call_end(l->call, CALL_END_CARRIER_LOST);
        } else if (call_overdue_ms(l->call) > OVERDUE_MAX_MS) {
            found(M_ZOMBIE_LONG, "long", l->view.sid);
            call_end(l->call, CALL_END_MAX_DURATION);
        }
    }
}

static bool is_call_of_a_line(void *arg, const void *call)
{
    const struct media_thread *t = arg;

    for (const struct line *l = t->lines; l; l = l->next)
        if (l->call == call)
            return true;
    return false;
}

/* Every call has its leg; more legs than calls are worth a closer look. */
static void check_legs(struct media_thread *t)
{
    unsigned n = 0;

    if (openai_pool_legs(t->openai) + vapi_pool_legs(t->vapi) + live_pool_legs(t->live) >
        atomic_load(&t->n_lines))
        n = openai_pool_disown(t->openai, is_call_of_a_line, t) +
            vapi_pool_disown(t->vapi, is_call_of_a_line, t) +
            live_pool_disown(t->live, is_call_of_a_line, t);
    while (n-- > 0)
        found(M_ZOMBIE_LEG, "leg", "");
}

void sweep_media(struct media_thread *t)
{
    check_lines(t);
    check_directory(t);
    check_legs(t);
    if (t->index == 0)
        script_pool_sweep(t->node->scripts);
}

void sweep_all(struct node *n)
{
    for (unsigned i = 0; i < n->n_media; i++) {
        struct message *m = message_new(MSG_SWEEP, 0, NULL, 0);

        if (m)
            (void)mailbox_post(n->media[i]->mailbox, m);
    }
}

uint64_t sweep_found(void)
{
    static const enum metric_counter kinds[] = {M_ZOMBIE_SLOT, M_ZOMBIE_WAITING, M_ZOMBIE_LINE,
                                                M_ZOMBIE_LONG, M_ZOMBIE_LEG,     M_ZOMBIE_VM};
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        n += metric_value(kinds[i]);
    return n;
}
