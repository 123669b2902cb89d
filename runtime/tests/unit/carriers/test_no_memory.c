/* SPDX-License-Identifier: Apache-2.0 */
/* Twilio's webhooks and streams with each allocation failing: a form is there or not, no signature is good that was
 * not, documents are whole, and a stream that has begun ends once. */
#include "failing_malloc.h"
#include "fake_line.h"

#include "base/err.h"
#include "carriers/twilio/form.h"
#include "carriers/twilio/twiml.h"
#include "carriers/twilio/verify.h"
#include "ports/carrier.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY "CallSid=CA1&From=%2B13125550142&To=%2B13125550100&CallStatus=ringing"

static const char *const tokens[] = {"0123456789abcdef0123456789abcdef", NULL};
static const struct twilio_auth auth = {"https://h.example", tokens};

static void webhook(void)
{
    struct form *form = NULL;
    struct buf out;
    int rc = form_parse(&form, rd_str(BODY));

    assert_true(rc == 0 || (rc == -ENOMEM && failing_has_failed()));
    assert_false(twilio_webhook_ok(&auth, RD_STR("/twilio/voice"),
                                   RD_STR("application/x-www-form-urlencoded"), rd_str(BODY),
                                   RD_STR("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")));
    buf_init(&out, 1 << 16);
    if (rc == 0 && form_to_json(form, &out) == 0)
        assert_int_equal(out.data[out.n - 1], '}');
    form_free(form);
    buf_clear(&out);
    if (twiml_say_hangup(&out, "Call later & be well.") == 0)
        assert_int_equal(twiml_check((struct rd_str){out.data, out.n}), 0);
    buf_clear(&out);
    if (twiml_stream(&out, "wss://h.example/x", "https://h.example/y") == 0)
        assert_int_equal(twiml_check((struct rd_str){out.data, out.n}), 0);
    buf_fini(&out);
}

static void stream(void)
{
    struct line l = {0};
    struct ws_accept accept = {0};
    struct carrier_mark mark = {1, 2, 3};
    struct audio_span sound = {"////", 4, 3};

    if (twilio_stream_new(&l.leg, NULL, &heard_events, &l.heard)) {
        assert_true(failing_has_failed());
        return;
    }
    l.ws = calloc(1, sizeof(*l.ws));
    assert_non_null(l.ws);
    twilio_stream_accept(l.leg, &accept);
    fake_ws_open(l.ws, &accept);
    fake_ws_says(l.ws, CONNECTED);
    fake_ws_says(l.ws, START);
    assert_int_equal(l.heard.starts, 1);
    fake_ws_says(l.ws, MEDIA(GOOD));
    (void)twilio_carrier.audio(l.leg, &sound);
    (void)twilio_carrier.mark(l.leg, &mark);
    (void)twilio_carrier.clear(l.leg);
    fake_ws_says(l.ws, DTMF("\"5\""));
    line_gone(&l, WS_END_LOST, LEG_LOST);
}

static void test_a_webhook_is_read_or_refused(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(webhook, FAILS_ONCE), 3, 1000);
    assert_in_range(failing_sweep(webhook, FAILS_FROM_THEN_ON), 3, 1000);
}

static void test_a_stream_begins_and_ends_or_is_not_taken(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(stream, FAILS_ONCE), 1, 1000);
    assert_in_range(failing_sweep(stream, FAILS_FROM_THEN_ON), 1, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_webhook_is_read_or_refused),
        cmocka_unit_test(test_a_stream_begins_and_ends_or_is_not_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
