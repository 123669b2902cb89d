/* SPDX-License-Identifier: Apache-2.0 */
/* What the caller has heard. First by hand, then by 120,000 random histories of a call against a
 * model of a telephone network: audio, marks and clears travel with delays, the network plays in
 * real time, runs dry and fills up again. Whatever the order, we never claim more than it really
 * played. */
#include "call/call.h"
#include "call/call_internal.h"
#include "call/ledger.h"
#include "fake_call.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ledger_item *sent(struct ledger *l, const char *id, uint32_t bytes)
{
    struct ledger_item *it = ledger_begin(l, rd_str(id), 0, false);

    ledger_received(it, bytes);
    ledger_sent(it, bytes);
    return it;
}

static void test_nothing_is_heard_before_the_first_mark_returns(void **state)
{
    struct ledger l;
    struct ledger_item *it;

    (void)state;
    ledger_init(&l);
    it = sent(&l, "a", 1600);
    (void)ledger_mark(&l, it);
    assert_int_equal(0, ledger_heard(&l, it, 10000000));
    assert_true(ledger_playing(&l));
}

static void test_between_two_marks_time_counts_for_one_mark_at_most(void **state)
{
    struct ledger l;
    struct ledger_item *it;
    struct carrier_mark first;

    (void)state;
    ledger_init(&l);
    it = sent(&l, "a", 160);
    first = ledger_mark(&l, it);
    (void)sent(&l, "a", LEDGER_MARK_BYTES);
    (void)ledger_mark(&l, it);
    (void)sent(&l, "a", 8000);
    (void)ledger_mark(&l, it);
    assert_true(ledger_ack(&l, &first, 1000000));
    assert_int_equal(160, ledger_heard(&l, it, 1010000));
    assert_int_equal(160 + 80 * 8, ledger_heard(&l, it, 1100000));
    assert_int_equal(160 + LEDGER_MARK_BYTES, ledger_heard(&l, it, 9000000));
}

static void test_an_item_that_waits_behind_another_is_unheard(void **state)
{
    struct ledger_cut cuts[LEDGER_ITEMS];
    struct ledger l;
    struct ledger_item *a, *b;
    struct carrier_mark m;

    (void)state;
    ledger_init(&l);
    a = sent(&l, "a", 160);
    m = ledger_mark(&l, a);
    (void)sent(&l, "a", 4000);
    (void)ledger_mark(&l, a);
    b = sent(&l, "b", 8000);
    (void)ledger_mark(&l, b);
    assert_true(ledger_ack(&l, &m, 1000000));
    assert_int_equal(2, ledger_interrupt(&l, 1120000, cuts));
    assert_int_equal(120, cuts[0].heard_ms);
    assert_true(cuts[0].truncate && cuts[1].truncate);
    assert_int_equal(0, cuts[1].heard_ms);
}

static void test_an_item_heard_to_its_end_is_not_truncated(void **state)
{
    struct ledger_cut cuts[LEDGER_ITEMS];
    struct ledger l;
    struct ledger_item *it;
    struct carrier_mark m;

    (void)state;
    ledger_init(&l);
    it = sent(&l, "a", 800);
    m = ledger_mark(&l, it);
    assert_true(ledger_ack(&l, &m, 1));
    assert_int_equal(1, ledger_interrupt(&l, 2, cuts)); /* the model may have more: it is told */
    assert_true(cuts[0].truncate);
    it = sent(&l, "b", 800);
    m = ledger_mark(&l, it);
    assert_true(ledger_ack(&l, &m, 3));
    ledger_done(&l, RD_STR("b"), 0);
    assert_int_equal(0, ledger_interrupt(&l, 4, cuts));
}

static void test_marks_of_another_generation_or_of_nobody_change_nothing(void **state)
{
    struct ledger_cut cuts[LEDGER_ITEMS];
    struct ledger l;
    struct ledger_item *it;
    struct carrier_mark m, wrong;

    (void)state;
    ledger_init(&l);
    it = sent(&l, "a", 800);
    m = ledger_mark(&l, it);
    wrong = m;
    wrong.bytes = 801;
    assert_false(ledger_ack(&l, &wrong, 1));
    wrong = m;
    wrong.item = 77;
    assert_false(ledger_ack(&l, &wrong, 1));
    (void)ledger_interrupt(&l, 1, cuts);
    assert_false(ledger_ack(&l, &m, 2));
    assert_int_equal(0, l.heard_bytes);
    assert_int_equal(800, l.cut_bytes);
}

static void test_a_seventeenth_item_gives_up_the_oldest(void **state)
{
    struct ledger l;
    char id[8];

    (void)state;
    ledger_init(&l);
    for (int i = 0; i < LEDGER_ITEMS + 1; i++) {
        (void)snprintf(id, sizeof(id), "i%d", i);
        assert_non_null(sent(&l, id, 8));
    }
    assert_int_equal(1, l.given_up);
    assert_false(ledger_item_open(&l, RD_STR("i0")));
    assert_true(ledger_item_open(&l, RD_STR("i16")));
}

static void test_an_id_that_is_too_long_is_refused(void **state)
{
    char id[LEDGER_ID + 1];
    struct ledger l;

    (void)state;
    memset(id, 'x', sizeof(id));
    ledger_init(&l);
    assert_null(ledger_begin(&l, (struct rd_str){id, LEDGER_ID}, 0, false));
    assert_non_null(ledger_begin(&l, (struct rd_str){id, LEDGER_ID - 1}, 0, false));
    assert_null(ledger_begin(&l, (struct rd_str){id, 0}, 0, false));
}

/* --- a telephone network with delays --- */

enum { PIECES = 4096, ITEMS = 64, HISTORIES = 15000, STEPS = 40 };

struct piece {
    uint64_t at_us; /* arrives at the other side */
    enum { AUDIO, MARK, CLEAR } kind;
    uint32_t bytes;
    int item; /* model's number of the provider item; -1 for marks */
    struct carrier_mark mark;
};

struct net {
    struct call *call;
    uint64_t now_us, timer_ms;
    uint32_t down_first, down_n, up_first, up_n;
    uint64_t last_down_us, last_up_us;
    uint32_t q_first, q_n;
    uint64_t played_until_us; /* playback has been worked out up to here */
    double left_of_first;     /* bytes of queue[q_first] not yet played */
    double played[ITEMS];     /* bytes really played, per item */
    uint32_t received[ITEMS];
    int n_items, sending; /* the item whose audio is being sent */
    char claims[ITEMS];   /* truncations wait for their clear to arrive */
    uint32_t claimed_ms[ITEMS];
    uint64_t clears;
    unsigned checked;
    unsigned seed;
    /* To the network, back, and what has arrived there and waits to be played. Last: not cleared.
     */
    struct piece down[PIECES], up[PIECES], queue[PIECES];
};

static uint32_t rnd(struct net *n, uint32_t below)
{
    n->seed = n->seed * 1664525u + 1013904223u;
    return (n->seed >> 8) % below;
}

static uint64_t later(struct net *n, uint64_t *last_us)
{
    uint64_t at = n->now_us + 1000 + rnd(n, 4000); /* constant part plus jitter, in order */

    if (at < *last_us)
        at = *last_us;
    *last_us = at;
    return at;
}

static struct piece *push(struct net *n, struct piece *ring, uint32_t first, uint32_t *count)
{
    assert_true(*count < PIECES);
    (void)n;
    return &ring[(first + (*count)++) % PIECES];
}

static struct net *of(struct carrier_leg *leg)
{
    return (struct net *)(void *)leg;
}

static int net_audio(struct carrier_leg *leg, const struct audio_span *a)
{
    struct net *n = of(leg);

    *push(n, n->down, n->down_first, &n->down_n) =
        (struct piece){.at_us = later(n, &n->last_down_us),
                       .kind = AUDIO,
                       .bytes = a->n_bytes,
                       .item = n->sending};
    return 0;
}

static int net_mark(struct carrier_leg *leg, const struct carrier_mark *m)
{
    struct net *n = of(leg);

    *push(n, n->down, n->down_first, &n->down_n) =
        (struct piece){.at_us = later(n, &n->last_down_us), .kind = MARK, .item = -1, .mark = *m};
    return 0;
}

static int net_clear(struct carrier_leg *leg)
{
    struct net *n = of(leg);

    n->clears++;
    *push(n, n->down, n->down_first, &n->down_n) =
        (struct piece){.at_us = later(n, &n->last_down_us), .kind = CLEAR, .item = -1};
    return 0;
}

static void net_close(struct carrier_leg *leg)
{
    call_carrier_events.on_end(of(leg)->call, LEG_CLOSED_BY_US);
}

static const struct carrier_ops net_carrier = {.name = "net",
                                               .formats = AUDIO_PCMU,
                                               .audio = net_audio,
                                               .mark = net_mark,
                                               .clear = net_clear,
                                               .close = net_close};

static int p_audio(struct provider_leg *leg, const struct audio_span *a)
{
    (void)leg;
    (void)a;
    return 0;
}

static int p_respond(struct provider_leg *leg, const struct provider_prompt *p)
{
    (void)leg;
    (void)p;
    return 0;
}

static int p_cancel(struct provider_leg *leg, struct rd_str id)
{
    (void)leg;
    (void)id;
    return 0;
}

/* The claim under test. It is compared when the clear that was sent just before has arrived. */
static int p_truncate(struct provider_leg *leg, struct rd_str item, uint32_t part, uint32_t ms)
{
    struct net *n = (struct net *)(void *)leg;
    int i = atoi(item.p + 1);

    (void)part;
    assert_true(ms * 8 <= n->received[i]);
    n->claims[i] = 1;
    n->claimed_ms[i] = ms;
    return 0;
}

static int p_result(struct provider_leg *leg, struct rd_str id, struct rd_str output)
{
    (void)leg;
    (void)id;
    (void)output;
    return 0;
}

static void p_close(struct provider_leg *leg)
{
    call_provider_events.on_end(((struct net *)(void *)leg)->call, LEG_CLOSED_BY_US);
}

static const struct provider_ops net_provider = {
    .name = "net",
    .caps = {.client_truncation = true, .formats = AUDIO_PCMU},
    .audio = p_audio,
    .respond = p_respond,
    .cancel = p_cancel,
    .truncate = p_truncate,
    .tool_result = p_result,
    .close = p_close};

static void echo(struct net *n, const struct carrier_mark *m)
{
    *push(n, n->up, n->up_first, &n->up_n) =
        (struct piece){.at_us = later(n, &n->last_up_us), .kind = MARK, .mark = *m};
}

/* Plays from the buffer up to the given time: 8 bytes are 1 ms; marks return when reached. */
static void play_until(struct net *n, uint64_t until_us)
{
    double budget = (double)(until_us - n->played_until_us) * 0.008;

    while (n->q_n > 0) {
        struct piece *p = &n->queue[n->q_first];
        double take;

        if (p->kind == AUDIO) {
            take = budget < n->left_of_first ? budget : n->left_of_first;
            n->played[p->item] += take;
            n->left_of_first -= take;
            budget -= take;
            if (n->left_of_first > 0)
                break;
        } else {
            echo(n, &p->mark);
        }
        n->q_first = (n->q_first + 1) % PIECES;
        if (--n->q_n > 0)
            n->left_of_first = n->queue[n->q_first].bytes;
    }
    n->played_until_us = until_us;
}

static void check_claims(struct net *n)
{
    for (int i = 0; i < n->n_items; i++) {
        if (n->claims[i] && (double)n->claimed_ms[i] * 8 > n->played[i] + 0.001)
            fail_msg("claimed %u ms of item %d, played %.1f ms", n->claimed_ms[i], i,
                     n->played[i] / 8);
        n->checked += n->claims[i] != 0;
        n->claims[i] = 0;
    }
}

static void arrive_down(struct net *n, const struct piece *p)
{
    play_until(n, p->at_us);
    if (p->kind == CLEAR) {
        for (; n->q_n > 0; n->q_n--, n->q_first = (n->q_first + 1) % PIECES)
            if (n->queue[n->q_first].kind == MARK)
                echo(n, &n->queue[n->q_first].mark);
        check_claims(n);
        return;
    }
    if (n->q_n == 0)
        n->left_of_first = p->bytes;
    *push(n, n->queue, n->q_first, &n->q_n) = *p;
    play_until(n, p->at_us);
}

static void run_until(struct net *n, uint64_t until_us)
{
    for (;;) {
        struct piece *d = n->down_n ? &n->down[n->down_first] : NULL;
        struct piece *u = n->up_n ? &n->up[n->up_first] : NULL;
        uint64_t next = until_us + 1;
        struct piece p;

        if (d && d->at_us < next)
            next = d->at_us;
        if (u && u->at_us < next)
            next = u->at_us;
        if (next > until_us)
            break;
        n->now_us = next > n->now_us ? next : n->now_us;
        play_until(n, n->now_us);
        if (d && d->at_us == next) {
            p = *d;
            n->down_first = (n->down_first + 1) % PIECES;
            n->down_n--;
            arrive_down(n, &p);
        } else {
            p = n->up[n->up_first];
            n->up_first = (n->up_first + 1) % PIECES;
            n->up_n--;
            if (n->call)
                call_carrier_events.on_mark(n->call, &p.mark);
        }
    }
    n->now_us = until_us;
    play_until(n, until_us);
}

static uint64_t net_now(void *arg)
{
    return ((struct net *)arg)->now_us;
}

static int net_agent(void *arg, const struct agent_event *e)
{
    (void)arg;
    (void)e;
    return 0;
}

static void net_record(void *arg, const struct record *r)
{
    (void)arg;
    (void)r;
}

static void net_timer(void *arg, uint64_t at_ms)
{
    ((struct net *)arg)->timer_ms = at_ms;
}

static void net_closing(void *arg, enum call_end_reason why)
{
    (void)arg;
    (void)why;
}

static void net_ended(void *arg, enum call_end_reason why)
{
    (void)why;
    ((struct net *)arg)->call = NULL;
}

static void one_delta(struct net *n, const char *response)
{
    uint32_t bytes = 1 + rnd(n, 4000);
    struct audio_span a = fake_span(bytes);
    struct provider_item it = {.response_id = rd_str(response)};
    char id[16];

    (void)snprintf(id, sizeof(id), "i%d", n->sending);
    it.item_id = rd_str(id);
    if (!turn_is_dead(&n->call->turn, it.response_id))
        n->received[n->sending] += bytes;
    call_provider_events.on_audio(n->call, &it, &a);
}

static void random_step(struct net *n, unsigned *response)
{
    struct provider_response r = {.state = PROVIDER_RESPONSE_STARTED};
    char id[16];

    (void)snprintf(id, sizeof(id), "r%u", *response);
    switch (rnd(n, 8)) {
    case 0: /* the model starts over */
        r.response_id = rd_str(id);
        r.state = PROVIDER_RESPONSE_CANCELLED; /* one that completes without a sound is a failure */
        call_provider_events.on_response(n->call, &r);
        (void)snprintf(id, sizeof(id), "r%u", ++*response);
        r.response_id = rd_str(id);
        r.state = PROVIDER_RESPONSE_STARTED;
        call_provider_events.on_response(n->call, &r);
        if (n->n_items < ITEMS)
            n->sending = n->n_items++;
        break;
    case 1: /* the caller cuts in; the response dies, late deltas may follow */
        call_provider_events.on_speech_started(n->call, 0, RD_STR("u"));
        call_provider_events.on_speech_stopped(n->call, 0, RD_STR("u"));
        break;
    case 2: /* a second item of the same response */
        if (n->n_items < ITEMS)
            n->sending = n->n_items++;
        break;
    case 3:
        run_until(n, n->now_us + 1000u * rnd(n, 400));
        break;
    default:
        one_delta(n, id);
        run_until(n, n->now_us + rnd(n, 60000));
    }
}

static unsigned one_history(struct net *n, struct brief *brief, unsigned seed)
{
    struct clock clock = {.now_us = net_now, .arg = n};
    struct call_opts o = {.call_sid = "CAnet",
                          .brief = brief,
                          .clock = &clock,
                          .carrier_ops = &net_carrier,
                          .carrier = (struct carrier_leg *)(void *)n,
                          .agent = net_agent,
                          .record = net_record,
                          .timer = net_timer,
                          .closing = net_closing,
                          .ended = net_ended,
                          .arg = n};
    struct provider_response r = {.response_id = RD_STR("r0"), .state = PROVIDER_RESPONSE_STARTED};
    unsigned response = 0;

    memset(n, 0, offsetof(struct net, down));
    n->seed = seed;
    n->now_us = n->played_until_us = 1000000000;
    n->n_items = 1;
    assert_int_equal(0, call_new(&n->call, &o));
    call_set_provider(n->call, &net_provider, (struct provider_leg *)(void *)n);
    call_provider_events.on_ready(n->call);
    call_provider_events.on_response(n->call, &r);
    for (int i = 0; i < STEPS && n->call; i++)
        random_step(n, &response);
    call_provider_events.on_speech_started(n->call, 0, RD_STR("u"));
    run_until(n, n->now_us + 20000);
    for (uint32_t i = 0; n->call && i < n->call->ledger.count; i++)
        assert_true(n->call->ledger.items[i].sent <= n->call->ledger.items[i].received);
    call_end(n->call, CALL_END_SHUTDOWN);
    assert_null(n->call);
    return n->checked;
}

static void test_never_more_than_the_network_played(void **state)
{
    struct net *n = calloc(1, sizeof(*n));
    struct brief brief = fake_brief();
    const char *given = getenv("LEDGER_HISTORIES"); /* scripts/test --full asks for more */
    unsigned long checked = 0, histories = given ? strtoul(given, NULL, 10) : HISTORIES;

    (void)state;
    assert_non_null(n);
    brief.silence_ms = 0;
    for (unsigned i = 0; i < histories; i++)
        checked += one_history(n, &brief, i * 2654435761u + 1);
    print_message("%lu histories, %lu truncations compared with what was played\n", histories,
                  checked);
    assert_true(checked > histories);
    free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_is_heard_before_the_first_mark_returns),
        cmocka_unit_test(test_between_two_marks_time_counts_for_one_mark_at_most),
        cmocka_unit_test(test_an_item_that_waits_behind_another_is_unheard),
        cmocka_unit_test(test_an_item_heard_to_its_end_is_not_truncated),
        cmocka_unit_test(test_marks_of_another_generation_or_of_nobody_change_nothing),
        cmocka_unit_test(test_a_seventeenth_item_gives_up_the_oldest),
        cmocka_unit_test(test_an_id_that_is_too_long_is_refused),
        cmocka_unit_test(test_never_more_than_the_network_played),
    };

    return cmocka_run_group_tests_name("ledger", tests, NULL, NULL);
}
