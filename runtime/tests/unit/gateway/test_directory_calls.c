/* SPDX-License-Identifier: Apache-2.0 */
/* What the call directory knows of calls: a stream claims one once, who is away comes back once, and the past
 * stays findable without coming back to life. */
#include "fake_directory.h"

#include "base/err.h"
#include "io/loop.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { THREADS = 8, ENDED_KEPT = 256 };

/* --- the claim --- */

static void destroyed(struct brief *b)
{
    b->vad_silence_ms++; /* how often */
}

static void test_a_stream_claims_its_call_once(void **state)
{
    struct directory *d = directory_for(2);
    struct brief brief = {.refs = 1, .destroy = destroyed};
    struct directory_claim claim;
    call_handle call;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &call), 0);
    assert_int_equal(directory_claim(d, call, 0, 3, &claim), RD_EAUTH); /* nothing was offered */
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 41, 3, &claim), RD_EAUTH);
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), 0);
    assert_ptr_equal(claim.brief, &brief);
    assert_int_equal(claim.view.media_thread, 3);
    assert_int_equal(claim.view.state, DIRECTORY_TAKEN);
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), RD_EAUTH);
    assert_int_equal(directory_offer(d, call, &brief, 43, 8), RD_ESTATE);
    assert_true(call_released(d, call));
    assert_int_equal(directory_claim(d, call, 42, 3, &claim), RD_EGONE);
    brief_unref(claim.brief);
    brief_unref(&brief);
    assert_int_equal(brief.vad_silence_ms, 1);
    directory_free(d);
}

static void test_a_second_offer_makes_the_first_address_worthless(void **state)
{
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    call_handle call;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &call), 0);
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
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    atomic_uint claimed = 0;
    struct claimer c = {.d = d, .claimed = &claimed};
    pthread_t thread[THREADS];

    (void)state;
    assert_int_equal(call_admitted(d, 1, &c.call), 0);
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
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct directory_view view;
    struct credits *credits;
    call_handle call;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &call), 0);
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

    assert_int_equal(call_admitted(d, 1, &call), 0);
    assert_true(directory_set_script(d, call, 3, room));
    assert_int_equal(directory_offer(d, call, brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 42, 5, &claim), 0);
    brief_unref(claim.brief);
    assert_true(directory_away(d, call, claim.credits, 900));
    return call;
}

static void test_a_caller_who_is_away_keeps_slot_and_room_and_comes_back_once(void **state)
{
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct directory_view view;
    call_handle call = go_away(d, &brief), other;

    (void)state;
    assert_true(directory_get(d, call, &view));
    assert_string_equal(directory_state_name(view.state), "away");
    assert_int_equal(view.since_ms, 900);
    assert_int_equal(view.script_thread, 3);
    assert_int_equal(call_admitted(d, 2, &other), RD_EFULL);
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
    assert_true(call_released(d, call));
    assert_int_equal(brief.refs, 1);
    directory_free(d);
}

static void test_a_caller_who_hangs_up_while_away_gives_slot_and_room_back(void **state)
{
    struct directory *d = directory_for(1);
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
    struct directory *d = directory_for(1);
    struct directory_view view;
    char text[DIRECTORY_SID];
    call_handle call;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &call), 0);
    directory_intent(d, call, INTENT_HANG_UP);
    assert_true(call_released(d, call));
    for (unsigned i = 2; i < 2 + ENDED_KEPT; i++) {
        call_handle other;

        assert_int_equal(call_admitted(d, i, &other), 0);
        assert_true(call_released(d, other));
    }
    assert_true(directory_find(d, call_sid_of(text, 1), &view));
    assert_int_equal(view.state, DIRECTORY_OVER);
    assert_int_equal(view.intent, INTENT_HANG_UP);
    assert_string_equal(view.agent, "northside");
    assert_string_equal(view.from, "+13125550142");
    assert_int_equal(call_admitted(d, 1, &call), RD_ESTATE); /* and does not begin again */
    directory_free(d);
}

static void test_a_handle_of_an_earlier_call_finds_nothing(void **state)
{
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    struct directory_view view;
    struct directory_claim claim;
    char text[DIRECTORY_SID];
    call_handle old, now = 0;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &old), 0);
    assert_int_equal(directory_offer(d, old, &brief, 42, 8), 0);
    assert_true(call_released(d, old));
    for (unsigned i = 2; (now & UINT32_MAX) != (old & UINT32_MAX) && i < 10 * ENDED_KEPT; i++) {
        assert_int_equal(call_admitted(d, i, &now), 0);
        if ((now & UINT32_MAX) != (old & UINT32_MAX))
            assert_true(call_released(d, now));
    }
    assert_true(now != old && (now & UINT32_MAX) == (old & UINT32_MAX)); /* the same place */
    assert_false(directory_get(d, old, &view));
    assert_false(directory_find(d, call_sid_of(text, 1), &view));
    assert_int_equal(directory_offer(d, old, &brief, 42, 8), RD_EGONE);
    assert_int_equal(directory_claim(d, old, 42, 0, &claim), RD_EGONE);
    directory_intent(d, old, INTENT_FALLBACK);
    assert_false(call_released(d, old));
    assert_true(directory_get(d, now, &view));
    assert_int_equal(view.intent, INTENT_NONE);
    assert_int_equal(view.state, DIRECTORY_OPENING);
    assert_int_equal(directory_counts(d).live, 1);
    directory_free(d);
}

static void test_forged_handles_find_nothing(void **state)
{
    struct directory *d = directory_for(1);
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
    struct directory *d = directory_for(3);
    struct directory_view list[8];
    call_handle a, b;

    (void)state;
    assert_int_equal(call_admitted(d, 1, &a), 0);
    assert_int_equal(call_admitted(d, 2, &b), 0);
    assert_true(call_released(d, a));
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
    struct directory *d = directory_for(1);
    struct directory_view view;
    struct credits *credits, *back;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(call_admitted(d, 1, &call), 0);
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
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1};
    struct directory_claim claim;
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(call_admitted(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(directory_set_script(d, call, 0, credits));
    assert_int_equal(directory_offer(d, call, &brief, 42, 8), 0);
    assert_int_equal(directory_claim(d, call, 42, 0, &claim), 0);
    assert_ptr_equal(claim.credits, credits);
    assert_true(call_released(d, call)); /* asserts that it hands none out */
    credits_free(claim.credits);
    directory_free(d);
    script_fini(&s);
}

/* Twilio's "completed" may come on another thread while the script is being asked. */
static void test_a_call_that_is_over_takes_no_room_any_more(void **state)
{
    struct directory *d = directory_for(1);
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(call_admitted(d, 1, &call), 0);
    assert_int_equal(credits_new(&credits, s.mailbox, 64), 0);
    assert_true(call_released(d, call));
    assert_false(directory_set_script(d, call, 0, credits));
    credits_free(credits);
    assert_int_equal(mailbox_reserved(s.mailbox), 0);
    directory_free(d);
    script_fini(&s);
}

static void test_a_call_that_went_elsewhere_may_come_back(void **state)
{
    struct directory *d = directory_for(3);
    struct directory_view view;
    struct credits *none;
    call_handle gone, back, other;

    (void)state;
    assert_int_equal(call_admitted(d, 2, &other), 0);
    assert_int_equal(call_admitted(d, 1, &gone), 0);
    assert_int_equal(call_admitted(d, 1, &back), RD_ESTATE);
    directory_forget(d, gone);
    directory_forget(d, gone);
    assert_int_equal(call_admitted(d, 1, &back), 0);
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
    struct directory *d = directory_for(1);
    struct brief brief = {.refs = 1, .destroy = destroyed};
    struct credits *credits;
    struct script s;
    call_handle call;

    (void)state;
    script_init(&s);
    assert_int_equal(call_admitted(d, 1, &call), 0);
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

    return cmocka_run_group_tests_name("directory_calls", tests, NULL, NULL);
}
