/* SPDX-License-Identifier: Apache-2.0 */
/* The call directory: slots are exact whoever asks at once, a stream is claimed once, and the past
 * stays findable without coming back to life. */
#include "gateway/directory.h"

#include "base/err.h"
#include "io/loop.h"
#include "observe/quota.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { THREADS = 8, ROUNDS = 4000, SLOTS = 5, ENDED_KEPT = 256 };

static struct rd_str sid(char out[DIRECTORY_SID], unsigned n)
{
    (void)snprintf(out, DIRECTORY_SID, "CA%032x", n);
    return rd_str(out);
}

/* A call of `from` to `agent`, which takes `agent_max` at once. */
static struct directory_admission asks(unsigned n, char text[DIRECTORY_SID], const char *from,
                                       const char *agent, unsigned agent_max)
{
    return (struct directory_admission){.sid = sid(text, n),
                                        .agent = rd_str(agent),
                                        .from = rd_str(from),
                                        .to = RD_STR("+13125550100"),
                                        .agent_max = agent_max,
                                        .now_ms = 7,
                                        .now_unix_us = 7000000 + n};
}

static int admit(struct directory *d, unsigned n, call_handle *out)
{
    char text[DIRECTORY_SID];
    struct directory_admission a = asks(n, text, "+13125550142", "northside", 0);
    int rc = directory_admit(d, &a);

    *out = a.call;
    return rc;
}

static bool release(struct directory *d, call_handle h)
{
    struct directory_view view;
    struct credits *credits;
    bool released = directory_release(d, h, false, &credits, &view);

    assert_null(credits);
    return released;
}

static struct directory *new_directory(unsigned max_calls)
{
    struct directory *d;

    assert_int_equal(directory_new(&d, max_calls, 0), 0);
    return d;
}

/* --- admission --- */

static void test_the_last_slot_is_given_once(void **state)
{
    struct directory *d = new_directory(2);
    call_handle a, b, c = 0;

    (void)state;
    assert_int_equal(admit(d, 1, &a), 0);
    assert_int_equal(admit(d, 2, &b), 0);
    assert_int_equal(admit(d, 3, &c), RD_EFULL);
    assert_int_equal(directory_counts(d).live, 2);
    assert_int_equal(directory_counts(d).full, 1);
    assert_true(release(d, a));
    assert_int_equal(admit(d, 3, &c), 0);
    assert_false(release(d, a)); /* not twice */
    assert_int_equal(admit(d, 4, &a), RD_EFULL);
    directory_free(d);
}

static void test_a_repeated_webhook_finds_its_call_and_takes_no_slot(void **state)
{
    struct directory *d = new_directory(1);
    call_handle first, again = 0;

    (void)state;
    assert_int_equal(admit(d, 1, &first), 0);
    assert_int_equal(admit(d, 1, &again), RD_ESTATE);
    assert_true(first == again);
    assert_int_equal(directory_counts(d).live, 1);
    directory_free(d);
}

static void test_a_call_that_the_rate_limit_has_no_room_for_is_refused_until_one_ends(void **state)
{
    struct directory *d = new_directory(100);
    struct provider_limits told = {
        .tokens = {.limit = 2 * QUOTA_CALL_TOKENS, .remaining = 2 * QUOTA_CALL_TOKENS}};
    char text[DIRECTORY_SID];
    struct directory_admission third;
    call_handle a, b;

    (void)state;
    quota_clear();
    quota_told(QUOTA_OPENAI, &told, 7);
    assert_int_equal(admit(d, 1, &a), 0);
    assert_int_equal(admit(d, 2, &b), 0);
    third = asks(3, text, "+13125550143", "northside", 0);
    assert_int_equal(directory_admit(d, &third), RD_EFULL);
    assert_int_equal(third.refusal, REFUSAL_RATE_LIMIT);
    assert_true(release(d, a));
    assert_int_equal(directory_admit(d, &third), 0);
    quota_clear();
    directory_free(d);
}

static void test_a_draining_node_admits_nobody_and_keeps_who_is_there(void **state)
{
    struct directory *d = new_directory(4);
    struct directory_view view;
    call_handle a, b;

    (void)state;
    assert_int_equal(admit(d, 1, &a), 0);
    directory_drain(d);
    assert_int_equal(admit(d, 2, &b), RD_EFULL);
    assert_true(directory_counts(d).draining);
    assert_true(directory_get(d, a, &view));
    assert_int_equal(view.state, DIRECTORY_OPENING);
    directory_free(d);
}

/* Why it was refused; REFUSAL_NONE and its handle when it was not. */
static enum directory_refusal ask_in(struct directory *d, unsigned n, const char *from,
                                     const char *agent, unsigned agent_max, call_handle *out)
{
    char text[DIRECTORY_SID];
    struct directory_admission a = asks(n, text, from, agent, agent_max);
    int rc = directory_admit(d, &a);

    assert_int_equal(rc, a.refusal ? RD_EFULL : 0);
    *out = a.call;
    return a.refusal;
}

static void test_an_agent_takes_as_many_calls_as_it_said(void **state)
{
    struct directory *d = new_directory(8);
    call_handle a, b, c;

    (void)state;
    assert_int_equal(ask_in(d, 1, "+13125550141", "dentist", 2, &a), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "dentist", 2, &b), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 3, "+13125550143", "dentist", 2, &c), REFUSAL_AGENT_FULL);
    assert_int_equal(ask_in(d, 4, "+13125550143", "plumber", 2, &c), REFUSAL_NONE);
    assert_int_equal(directory_counts(d).live, 3);
    assert_int_equal(directory_counts(d).full, 0);
    assert_true(release(d, a));
    assert_int_equal(ask_in(d, 5, "+13125550143", "dentist", 2, &a), REFUSAL_NONE);
    directory_free(d);
}

static void test_a_caller_has_three_calls_whoever_answers_them(void **state)
{
    struct directory *d;
    call_handle h[4];

    (void)state;
    assert_int_equal(directory_new(&d, 8, 3), 0);
    assert_int_equal(ask_in(d, 1, "+13125550142", "dentist", 0, &h[0]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "plumber", 0, &h[1]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 3, "+13125550142", "dentist", 0, &h[2]), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 4, "+13125550142", "baker", 0, &h[3]), REFUSAL_CALLER_FULL);
    assert_int_equal(ask_in(d, 5, "+13125550143", "baker", 0, &h[3]), REFUSAL_NONE);
    assert_true(release(d, h[1]));
    assert_int_equal(ask_in(d, 6, "+13125550142", "baker", 0, &h[1]), REFUSAL_NONE);
    directory_free(d);
}

static void test_who_withholds_the_number_is_nobody_in_particular(void **state)
{
    static const char *const withheld[] = {"anonymous",   "+266696687",           "",
                                           "client:anna", "sip:anna@example.com", "+0123456789"};
    struct directory *d;
    call_handle h;

    (void)state;
    assert_int_equal(directory_new(&d, 20, 1), 0);
    for (unsigned i = 0; i < 6; i++) {
        enum directory_refusal second = i == 1 ? REFUSAL_CALLER_FULL : REFUSAL_NONE;

        assert_int_equal(ask_in(d, 2 * i, withheld[i], "dentist", 0, &h), REFUSAL_NONE);
        assert_int_equal(ask_in(d, 2 * i + 1, withheld[i], "dentist", 0, &h), second);
    }
    assert_int_equal(ask_in(d, 90, "anonymous", "dentist", 11, &h), REFUSAL_AGENT_FULL);
    directory_free(d);
}

static void test_a_refusal_says_which_limit_it_was(void **state)
{
    struct directory *d;
    call_handle h;

    (void)state;
    assert_int_equal(directory_new(&d, 1, 1), 0);
    assert_int_equal(ask_in(d, 1, "+13125550142", "dentist", 1, &h), REFUSAL_NONE);
    assert_int_equal(ask_in(d, 2, "+13125550142", "dentist", 1, &h), REFUSAL_FULL);
    directory_drain(d);
    assert_int_equal(ask_in(d, 3, "+13125550142", "dentist", 1, &h), REFUSAL_DRAINING);
    assert_int_equal(directory_counts(d).full, 1);
    directory_free(d);
}

static void test_ten_thousand_callers_leave_no_count_behind(void **state)
{
    struct directory *d;
    char from[16];
    call_handle h[4];

    (void)state;
    assert_int_equal(directory_new(&d, 4, 1), 0);
    for (unsigned i = 0; i < 10000; i++) {
        (void)snprintf(from, sizeof(from), "+1312%07u", i);
        assert_int_equal(ask_in(d, i, from, from, 1, &h[i % 4]), REFUSAL_NONE);
        if (i >= 3)
            assert_true(release(d, h[(i + 1) % 4]));
    }
    assert_int_equal(directory_counts(d).live, 3);
    assert_int_equal(ask_in(d, 20000, from, "baker", 0, &h[0]), REFUSAL_CALLER_FULL);
    directory_free(d);
}

/* --- the numbers of a call's facts --- */

static void test_facts_are_numbered_also_after_the_end(void **state)
{
    struct directory *d = new_directory(1);
    struct directory_view view;
    uint64_t started, epoch;
    uint32_t seq;
    call_handle a;

    (void)state;
    assert_int_equal(admit(d, 5, &a), 0);
    assert_true(directory_stamp(d, a, &started, &epoch, &seq));
    assert_int_equal(seq, 1);
    assert_true(directory_get(d, a, &view));
    assert_int_equal(view.admitted_unix_us, 7000005);
    assert_int_equal(started, 7000005);
    assert_int_equal(epoch, 7000005);
    assert_true(release(d, a));
    assert_true(directory_stamp(d, a, &started, &epoch, &seq));
    assert_int_equal(seq, 2);
    for (unsigned n = 6; n < 6 + ENDED_KEPT + 2; n++) {
        call_handle b;

        assert_int_equal(admit(d, n, &b), 0);
        assert_true(directory_stamp(d, b, &started, &epoch, &seq));
        assert_int_equal(seq, 1); /* its own count, whoever had the place before */
        assert_true(release(d, b));
    }
    assert_false(directory_stamp(d, a, &started, &epoch, &seq));
    directory_free(d);
}

struct hammer {
    struct directory *d;
    atomic_uint *inside, *worst, *admitted, *refused;
    unsigned first;
};

/* Each admitted call counts itself while it is inside: never more than there are slots. */
static void *hammer(void *arg)
{
    struct hammer *h = arg;
    call_handle call;

    for (unsigned i = 0; i < ROUNDS; i++) {
        unsigned now, worst;

        if (admit(h->d, h->first + i, &call)) {
            atomic_fetch_add(h->refused, 1);
            continue;
        }
        atomic_fetch_add(h->admitted, 1);
        now = atomic_fetch_add(h->inside, 1) + 1;
        worst = atomic_load(h->worst);
        while (now > worst && !atomic_compare_exchange_weak(h->worst, &worst, now))
            ;
        if (i % 8 == 0)
            sched_yield();
        atomic_fetch_sub(h->inside, 1);
        if (!release(h->d, call))
            abort();
    }
    return NULL;
}

static void test_eight_threads_never_get_more_than_max_calls(void **state)
{
    struct directory *d = new_directory(SLOTS);
    atomic_uint inside = 0, worst = 0, admitted = 0, refused = 0;
    struct hammer h[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        h[i] = (struct hammer){d, &inside, &worst, &admitted, &refused, i * ROUNDS};
        assert_int_equal(pthread_create(&thread[i], NULL, hammer, &h[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_in_range(atomic_load(&worst), 1, SLOTS);
    assert_int_equal(atomic_load(&admitted) + atomic_load(&refused), THREADS * ROUNDS);
    assert_int_equal(directory_counts(d).full, atomic_load(&refused));
    assert_int_equal(directory_counts(d).live, 0);
    directory_free(d);
}

static void *fill(void *arg)
{
    struct hammer *h = arg;
    call_handle call;

    for (unsigned i = 0; i < ROUNDS; i++)
        atomic_fetch_add(admit(h->d, h->first + i, &call) ? h->refused : h->admitted, 1);
    return NULL;
}

static void test_eight_threads_fill_exactly_max_calls(void **state)
{
    struct directory *d = new_directory(1000);
    atomic_uint admitted = 0, refused = 0;
    struct hammer h[THREADS];
    pthread_t thread[THREADS];

    (void)state;
    for (unsigned i = 0; i < THREADS; i++) {
        h[i] = (struct hammer){d, NULL, NULL, &admitted, &refused, i * ROUNDS};
        assert_int_equal(pthread_create(&thread[i], NULL, fill, &h[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&admitted), 1000);
    assert_int_equal(directory_counts(d).live, 1000);
    assert_int_equal(atomic_load(&refused), THREADS * ROUNDS - 1000);
    directory_free(d);
}

/* --- the claim --- */

static void destroyed(struct brief *b)
{
    b->vad_silence_ms++; /* how often */
}

static void test_a_stream_claims_its_call_once(void **state)
{
    struct directory *d = new_directory(2);
    struct brief brief = {.refs = 1, .destroy = destroyed};
    struct directory_claim claim;
    call_handle call;

    (void)state;
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(directory_claim(d, call, 0, 3, &claim), RD_EAUTH); /* nothing was offered */
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 41, 3, &claim), RD_EAUTH);
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), 0);
    assert_ptr_equal(claim.brief, &brief);
    assert_int_equal(claim.view.media_thread, 3);
    assert_int_equal(claim.view.state, DIRECTORY_TAKEN);
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), RD_EAUTH);
    assert_int_equal(directory_offer(d, call, &brief, 43, 8), RD_ESTATE);
    assert_true(release(d, call));
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), RD_EGONE);
    brief_unref(claim.brief);
    brief_unref(&brief);
    assert_int_equal(brief.vad_silence_ms, 1);
    directory_free(d);
}

static void test_a_second_offer_makes_the_first_address_worthless(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    call_handle call;

    (void)state;
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(directory_offer(d, call, &brief, 1, 8), 0);
    assert_int_equal(directory_offer(d, call, NULL, 2, 8), 0); /* keeps the brief */
    assert_int_equal(directory_claim(d, call, 1, 0, &claim), RD_EAUTH);
    assert_int_equal(directory_claim(d, call, 2, 0, &claim), 0);
    assert_ptr_equal(claim.brief, &brief);
    brief_unref(claim.brief);
    assert_int_equal(brief.refs, 1);
    directory_free(d);
}

struct claimer {
    struct directory *d;
    call_handle call;
    atomic_uint *claimed;
};

static void *claim_often(void *arg)
{
    struct claimer *c = arg;
    struct directory_claim claim;

    for (int i = 0; i < 200; i++)
        if (directory_claim(c->d, c->call, 42, 0, &claim) == 0)
            atomic_fetch_add(c->claimed, 1);
    return NULL;
}

static void test_eight_streams_with_one_token_are_one_stream(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    atomic_uint claimed = 0;
    struct claimer c = {.d = d, .claimed = &claimed};
    pthread_t thread[THREADS];

    (void)state;
    assert_int_equal(admit(d, 1, &c.call), 0);
    assert_int_equal(directory_offer(d, c.call, &brief, 42, 8), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, claim_often, &c), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(atomic_load(&claimed), 1);
    directory_free(d);
}

static void test_what_was_claimed_is_not_released_as_unclaimed(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct directory_view view;
    struct credits *credits;
    call_handle call;

    (void)state;
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 42, 0, &claim), 0);
    assert_false(directory_release(d, call, true, &credits, &view));
    assert_int_equal(directory_counts(d).live, 1);
    assert_true(directory_release(d, call, false, &credits, &view));
    assert_int_equal(directory_counts(d).live, 0);
    directory_free(d);
}

/* --- with somebody else --- */

/* The directory never looks into it. */
static char nothing;
static struct credits *const room = (struct credits *)&nothing;

/* A call whose stream was taken by the carrier: its room is back with the entry. */
static call_handle go_away(struct directory *d, struct brief *brief)
{
    struct directory_claim claim;
    call_handle call;

    assert_int_equal(admit(d, 1, &call), 0);
    assert_true(directory_set_script(d, call, 3, room));
    assert_int_equal(directory_offer(d, call, brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 42, 5, &claim), 0);
    brief_unref(claim.brief);
    assert_true(directory_away(d, call, claim.credits, 900));
    return call;
}

static void test_a_caller_who_is_away_keeps_slot_and_room_and_comes_back_once(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct directory_view view;
    call_handle call = go_away(d, &brief), other;

    (void)state;
    assert_true(directory_get(d, call, &view));
    assert_string_equal(directory_state_name(view.state), "away");
    assert_int_equal(view.since_ms, 900);
    assert_int_equal(view.script_thread, 3);
    assert_int_equal(admit(d, 2, &other), RD_EFULL);
    assert_int_equal(directory_claim(d, call, 42, 0, &claim), RD_EAUTH); /* the old address */
    assert_false(directory_away(d, call, room, 901));
    directory_still_away(d, call, 950);
    assert_true(directory_get(d, call, &view));
    assert_int_equal(view.since_ms, 950);
    assert_int_equal(directory_offer(d, call, &brief, 43, 990), 0);
    assert_int_equal(directory_claim(d, call, 43, 6, &claim), 0);
    assert_ptr_equal(claim.credits, room);
    assert_int_equal(claim.view.legs, 2);
    assert_int_equal(claim.view.intent, INTENT_NONE);
    brief_unref(claim.brief);
    assert_true(release(d, call));
    assert_int_equal(brief.refs, 1);
    directory_free(d);
}

static void test_a_caller_who_hangs_up_while_away_gives_slot_and_room_back(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_view view;
    struct credits *left;
    call_handle call = go_away(d, &brief);

    (void)state;
    assert_true(directory_release(d, call, true, &left, &view));
    assert_ptr_equal(left, room);
    assert_int_equal(directory_counts(d).live, 0);
    assert_int_equal(directory_offer(d, call, &brief, 43, 990), RD_ESTATE);
    assert_false(directory_away(d, call, room, 991));
    directory_free(d);
}

/* --- the past --- */

static void test_calls_that_ended_stay_findable_with_their_intent(void **state)
{
    struct directory *d = new_directory(1);
    struct directory_view view;
    char text[DIRECTORY_SID];
    call_handle call;

    (void)state;
    assert_int_equal(admit(d, 1, &call), 0);
    directory_intent(d, call, INTENT_HANG_UP);
    assert_true(release(d, call));
    for (unsigned i = 2; i < 2 + ENDED_KEPT; i++) {
        call_handle other;

        assert_int_equal(admit(d, i, &other), 0);
        assert_true(release(d, other));
    }
    assert_true(directory_find(d, sid(text, 1), &view));
    assert_int_equal(view.state, DIRECTORY_OVER);
    assert_int_equal(view.intent, INTENT_HANG_UP);
    assert_string_equal(view.agent, "northside");
    assert_string_equal(view.from, "+13125550142");
    assert_int_equal(admit(d, 1, &call), RD_ESTATE); /* and does not begin again */
    directory_free(d);
}

static void test_a_handle_of_an_earlier_call_finds_nothing(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_view view;
    struct directory_claim claim;
    char text[DIRECTORY_SID];
    call_handle old, now = 0;

    (void)state;
    assert_int_equal(admit(d, 1, &old), 0);
    assert_int_equal(directory_offer(d, old, &brief, 42, 8), 0);
    assert_true(release(d, old));
    for (unsigned i = 2; (now & UINT32_MAX) != (old & UINT32_MAX) && i < 10 * ENDED_KEPT; i++) {
        assert_int_equal(admit(d, i, &now), 0);
        if ((now & UINT32_MAX) != (old & UINT32_MAX))
            assert_true(release(d, now));
    }
    assert_true(now != old && (now & UINT32_MAX) == (old & UINT32_MAX)); /* the same place */
    assert_false(directory_get(d, old, &view));
    assert_false(directory_find(d, sid(text, 1), &view));
    assert_int_equal(directory_offer(d, old, &brief, 42, 8), RD_EGONE);
    assert_int_equal(directory_claim(d, old, 42, 0, &claim), RD_EGONE);
    directory_intent(d, old, INTENT_FALLBACK);
    assert_false(release(d, old));
    assert_true(directory_get(d, now, &view));
    assert_int_equal(view.intent, INTENT_NONE);
    assert_int_equal(view.state, DIRECTORY_OPENING);
    assert_int_equal(directory_counts(d).live, 1);
    directory_free(d);
}

static void test_forged_handles_find_nothing(void **state)
{
    struct directory *d = new_directory(1);
    static const call_handle forged[] = {
        0, 1, UINT32_MAX, UINT64_MAX, (1ULL << 32), (1ULL << 32) | 999};
    struct directory_view view;

    (void)state;
    for (size_t i = 0; i < sizeof(forged) / sizeof(forged[0]); i++)
        assert_false(directory_get(d, forged[i], &view));
    directory_free(d);
}

static void test_only_calls_that_go_on_are_listed(void **state)
{
    struct directory *d = new_directory(3);
    struct directory_view list[8];
    call_handle a, b;

    (void)state;
    assert_int_equal(admit(d, 1, &a), 0);
    assert_int_equal(admit(d, 2, &b), 0);
    assert_true(release(d, a));
    assert_int_equal(directory_list(d, list, 8), 1);
    assert_true(list[0].call == b);
    assert_int_equal(list[0].admitted_ms, 7);
    assert_string_equal(directory_state_name(list[0].state), "opening");
    assert_int_equal(directory_list(d, list, 0), 0);
    directory_free(d);
}

/* --- the room at the script --- */

struct script {
    struct loop *loop;
    struct mailbox *mailbox;
};

static void forget(struct message *m, void *arg)
{
    (void)arg;
    message_free(m);
}

static void script_init(struct script *s)
{
    assert_int_equal(loop_new(&s->loop), 0);
    assert_int_equal(mailbox_new(&s->mailbox, s->loop, 100, forget, NULL), 0);
}

static void script_fini(struct script *s)
{
    mailbox_free(s->mailbox);
    loop_free(s->loop);
}

static void test_the_room_reserved_for_a_call_comes_back_with_its_end(void **state)
{
    struct directory *d = new_directory(1);
    struct directory_view view;
    struct credits *credits, *back;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(directory_set_script(d, call, 2, credits));
    assert_true(directory_release(d, call, true, &back, &view));
    assert_ptr_equal(back, credits);
    assert_int_equal(view.script_thread, 2);
    credits_free(back);
    assert_int_equal(mailbox_reserved(s.mailbox), 0);
    directory_free(d);
    script_fini(&s);
}

static void test_the_room_goes_to_the_claimer_and_only_there(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(directory_set_script(d, call, 0, credits));
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 42, 0, &claim), 0);
    assert_ptr_equal(claim.credits, credits);
    assert_true(release(d, call)); /* asserts that it hands none out */
    credits_free(claim.credits);
    directory_free(d);
    script_fini(&s);
}

/* Twilio's "completed" may come on another thread while the script is being asked. */
static void test_a_call_that_is_over_takes_no_room_any_more(void **state)
{
    struct directory *d = new_directory(1);
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(release(d, call));
    assert_false(directory_set_script(d, call, 0, credits));
    credits_free(credits);
    assert_int_equal(mailbox_reserved(s.mailbox), 0);
    directory_free(d);
    script_fini(&s);
}

static void test_a_call_that_went_elsewhere_may_come_back(void **state)
{
    struct directory *d = new_directory(3);
    struct directory_view view;
    struct credits *none;
    call_handle gone, back, other;

    (void)state;
    assert_int_equal(admit(d, 2, &other), 0);
    assert_int_equal(admit(d, 1, &gone), 0);
    assert_int_equal(admit(d, 1, &back), RD_ESTATE);
    directory_forget(d, gone);
    directory_forget(d, gone);
    assert_int_equal(admit(d, 1, &back), 0);
    assert_true(back != gone);
    assert_true(directory_get(d, gone, &view)); /* what is left of it here goes on to its end */
    assert_true(directory_release(d, gone, true, &none, &view));
    assert_true(directory_find(d, rd_str(view.sid), &view));
    assert_true(view.call == back);
    assert_true(directory_get(d, other, &view));
    directory_free(d);
}

static void test_freeing_the_directory_frees_what_calls_still_own(void **state)
{
    struct directory *d = new_directory(1);
    struct brief brief = {.refs = 1, .destroy = destroyed};
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(admit(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(directory_set_script(d, call, 0, credits));
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    brief_unref(&brief);
    directory_free(d);
    assert_int_equal(brief.vad_silence_ms, 1);
    assert_int_equal(mailbox_reserved(s.mailbox), 0);
    script_fini(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_last_slot_is_given_once),
        cmocka_unit_test(test_a_repeated_webhook_finds_its_call_and_takes_no_slot),
        cmocka_unit_test(test_a_call_that_the_rate_limit_has_no_room_for_is_refused_until_one_ends),
        cmocka_unit_test(test_a_draining_node_admits_nobody_and_keeps_who_is_there),
        cmocka_unit_test(test_an_agent_takes_as_many_calls_as_it_said),
        cmocka_unit_test(test_a_caller_has_three_calls_whoever_answers_them),
        cmocka_unit_test(test_who_withholds_the_number_is_nobody_in_particular),
        cmocka_unit_test(test_a_refusal_says_which_limit_it_was),
        cmocka_unit_test(test_ten_thousand_callers_leave_no_count_behind),
        cmocka_unit_test(test_facts_are_numbered_also_after_the_end),
        cmocka_unit_test(test_eight_threads_never_get_more_than_max_calls),
        cmocka_unit_test(test_eight_threads_fill_exactly_max_calls),
        cmocka_unit_test(test_a_stream_claims_its_call_once),
        cmocka_unit_test(test_a_second_offer_makes_the_first_address_worthless),
        cmocka_unit_test(test_eight_streams_with_one_token_are_one_stream),
        cmocka_unit_test(test_what_was_claimed_is_not_released_as_unclaimed),
        cmocka_unit_test(test_a_caller_who_is_away_keeps_slot_and_room_and_comes_back_once),
        cmocka_unit_test(test_a_caller_who_hangs_up_while_away_gives_slot_and_room_back),
        cmocka_unit_test(test_calls_that_ended_stay_findable_with_their_intent),
        cmocka_unit_test(test_a_handle_of_an_earlier_call_finds_nothing),
        cmocka_unit_test(test_forged_handles_find_nothing),
        cmocka_unit_test(test_only_calls_that_go_on_are_listed),
        cmocka_unit_test(test_the_room_reserved_for_a_call_comes_back_with_its_end),
        cmocka_unit_test(test_the_room_goes_to_the_claimer_and_only_there),
        cmocka_unit_test(test_a_call_that_is_over_takes_no_room_any_more),
        cmocka_unit_test(test_a_call_that_went_elsewhere_may_come_back),
        cmocka_unit_test(test_freeing_the_directory_frees_what_calls_still_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
