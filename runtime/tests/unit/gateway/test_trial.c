/* SPDX-License-Identifier: Apache-2.0 */
/* test_trial.c - only who has the auth token can say that a call is one of ours, and of that call alone. */
#include "gateway/trial.h"
#include "io/tls.h"
#include "media/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *const tokens[] = {"new token", "old token", NULL};
static const struct twilio_auth auth = {"https://calls.example.com", tokens};

static enum trial trial(const char *sid, const char *kind, const char *token,
                        const char *signed_text)
{
    char mac[32], body[256];
    uint8_t raw[20];
    struct form *form;
    enum trial t;

    hmac_sha1(raw, token, strlen(token), signed_text, strlen(signed_text));
    mac[base64_encode(mac, raw, sizeof(raw))] = '\0';
    for (char *c = mac; *c; c++) /* what a form would make a space of */
        assert_true(*c != '&' && *c != '%');
    (void)snprintf(body, sizeof(body), "CallSid=%s&RingdownTrial=%s.", sid, kind);
    for (const char *c = mac; *c; c++)
        (void)snprintf(body + strlen(body), sizeof(body) - strlen(body), *c == '+' ? "%%2B" : "%c",
                       *c);
    assert_int_equal(form_parse(&form, rd_str(body)), 0);
    t = trial_of(&auth, form);
    form_free(form);
    return t;
}

static void test_who_has_a_token_may_say_so(void **state)
{
    (void)state;
    assert_int_equal(trial("CA1", "synthetic", "new token", "ringdown-trial:synthetic:CA1"),
                     TRIAL_SYNTHETIC);
    assert_int_equal(trial("CA1", "call", "old token", "ringdown-trial:call:CA1"), TRIAL_CALL);
}

static void test_nobody_else_may(void **state)
{
    (void)state;
    assert_int_equal(trial("CA1", "synthetic", "guessed", "ringdown-trial:synthetic:CA1"),
                     TRIAL_NONE);
    assert_int_equal(trial("CA2", "synthetic", "new token", "ringdown-trial:synthetic:CA1"),
                     TRIAL_NONE);
    assert_int_equal(trial("CA1", "synthetic", "new token", "ringdown-trial:call:CA1"), TRIAL_NONE);
    assert_int_equal(trial("CA1", "sales", "new token", "ringdown-trial:sales:CA1"), TRIAL_NONE);
}

static void test_a_caller_says_nothing(void **state)
{
    static const char *const bodies[] = {
        "CallSid=CA1", "CallSid=CA1&RingdownTrial=", "CallSid=CA1&RingdownTrial=synthetic",
        "CallSid=CA1&RingdownTrial=synthetic."};
    struct form *form;

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        assert_int_equal(form_parse(&form, rd_str(bodies[i])), 0);
        assert_int_equal(trial_of(&auth, form), TRIAL_NONE);
        form_free(form);
    }
}

static void test_their_names_are_those_of_the_records(void **state)
{
    (void)state;
    assert_null(trial_name(TRIAL_NONE));
    assert_int_equal(trial_named("synthetic"), TRIAL_SYNTHETIC);
    assert_int_equal(trial_named(trial_name(TRIAL_CALL)), TRIAL_CALL);
    assert_int_equal(trial_named(""), TRIAL_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_who_has_a_token_may_say_so),
        cmocka_unit_test(test_nobody_else_may),
        cmocka_unit_test(test_a_caller_says_nothing),
        cmocka_unit_test(test_their_names_are_those_of_the_records),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
