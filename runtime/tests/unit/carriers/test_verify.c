/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors of Twilio's own helper libraries, and everything that must not pass. */
#include "base/buf.h"
#include "carriers/twilio/verify.h"
#include "io/tls.h"
#include "media/base64.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FORM "application/x-www-form-urlencoded"
#define P                                                                                  \
    "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234&From=%2B14158675309&To=%" \
    "2B18005551212"
#define U     "/myapp.php?foo=1&bar=2"
#define HOST  "https://mycompany.com"
#define HASH  "0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
#define SIG_1 "RSOYDt4T1cUTdK1PDd93/VVr8B8="

static const char *const tokens[] = {"12345", NULL};

static const struct vector {
    const char *base, *target, *type, *body, *signature;
} vectors[] = {
    {HOST, U, FORM, P, SIG_1},
    {HOST, U, FORM "; charset=utf-8", P, "kvajT1Ptam85bY51eRf/AJRuM3w="},
    {"http://mycompany.com", U, FORM, P, "0ZXoZLH/DfblKGATFgpif+LLRf4="},
    {"http://mycompany.com:1234", U, FORM, P, "Zmvh+3yNM1Phv2jhDCwEM3q5ebU="},
    {"https://mycompany.com:1234", U, FORM, P, SIG_1},
    {HOST, U, FORM, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
     "IK+Dwps556ElfBT0I3Rgjkr1wJU="},
    {HOST, U "&bodySHA256=" HASH, "application/json",
     "{\"property\": \"value\", \"boolean\": true}", "a9nBmqA0ju/hNViExpshrM61xv4="},
    {HOST, U "&bodySHA256=44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
     "application/json; charset=utf-8", "{}", "Ldidvp12m26NI7eqEvxnEpkd9Hc="},
    {HOST, "/myapp.php?bodySHA256=" HASH, "application/json",
     "{\"property\": \"value\", \"boolean\": true}", "y77kIzt2vzLz71DgmJGsen2scGs="},
    {"https://user:pass@mycompany.com", U, FORM, P, "CukzLTc1tT5dXEDIHm/tKBanW10="},
    {HOST, U "&Body=It's+amazing", FORM, P, "TfZzewPq8wqrGlMfyAud8+/IvJ0="},
    {HOST, U, FORM,
     "MessagingBinding.Address=%2B1325xxxxxxx&MessagingBinding.Address=%2B1415xxxxxxx",
     "83O6e2vORAoJHUNzJjDWN1jz+BA="},
    {HOST, U, FORM,
     "MessagingBinding.Address=%2B1415xxxxxxx&MessagingBinding.Address=%2B1325xxxxxxx",
     "83O6e2vORAoJHUNzJjDWN1jz+BA="},
};

static bool webhook(const char *base, const char *target, const char *type, const char *body,
                    const char *signature)
{
    const struct twilio_auth a = {base, tokens};

    return twilio_webhook_ok(&a, rd_str(target), rd_str(type), rd_str(body), rd_str(signature));
}

static bool upgrade(const char *base, const char *target, const char *signature)
{
    const struct twilio_auth a = {base, tokens};

    return twilio_upgrade_ok(&a, rd_str(target), rd_str(signature));
}

/* Signs like Twilio does, for spellings the vectors do not have. */
static const char *sign(const char *text)
{
    static char out[BASE64_ENCODED(20) + 1];
    uint8_t mac[20];

    hmac_sha1(mac, "12345", 5, text, strlen(text));
    out[base64_encode(out, mac, sizeof(mac))] = '\0';
    return out;
}

static void test_all_published_vectors_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        const struct vector *v = &vectors[i];
        if (!webhook(v->base, v->target, v->type, v->body, v->signature))
            fail_msg("vector %zu: %s%s", i, v->base, v->target);
    }
    assert_true(upgrade("https://gateway.example.com", "/media", "V5zRoZPQL0lQuzSiPI5hyUl6TT4="));
}

static void test_one_changed_byte_of_the_signature_is_refused(void **state)
{
    char signature[] = SIG_1;

    (void)state;
    for (size_t i = 0; i < strlen(signature); i++) {
        for (int bit = 0; bit < 8; bit++) {
            signature[i] = (char)(signature[i] ^ 1 << bit);
            if (signature[i])
                assert_false(webhook(HOST, U, FORM, P, signature));
            signature[i] = (char)(signature[i] ^ 1 << bit);
        }
    }
    assert_true(webhook(HOST, U, FORM, P, signature));
}

static void test_missing_short_and_long_signatures_are_refused(void **state)
{
    const struct twilio_auth a = {HOST, tokens};

    (void)state;
    assert_false(webhook(HOST, U, FORM, P, ""));
    assert_false(webhook(HOST, U, FORM, P, "RSOYDt4T1cUTdK1PDd93/VVr8B8"));
    assert_false(webhook(HOST, U, FORM, P, SIG_1 "="));
    assert_false(webhook(HOST, U, FORM, P, SIG_1 SIG_1));
    assert_false(
        twilio_webhook_ok(&a, RD_STR(U), RD_STR(FORM), RD_STR(P), (struct rd_str){NULL, 0}));
    assert_false(twilio_upgrade_ok(&a, RD_STR("/media"), (struct rd_str){NULL, 0}));
}

static void test_every_part_of_the_request_is_covered(void **state)
{
    (void)state;
    assert_false(webhook("https://mycompany.org", U, FORM, P, SIG_1));
    assert_false(webhook("http://mycompany.com", U, FORM, P, SIG_1));
    assert_false(webhook("http://mycompany.com:1234", U, FORM, P, SIG_1));
    assert_false(webhook(HOST "/prefix", U, FORM, P, SIG_1));
    assert_false(webhook(HOST, "/myapp.php?foo=1&bar=3", FORM, P, SIG_1));
    assert_false(webhook(HOST, "/myapp.php", FORM, P, SIG_1));
    assert_false(webhook(HOST, "/myapp.php/?foo=1&bar=2", FORM, P, SIG_1));
    assert_false(webhook(HOST, U, FORM, P "&X=", SIG_1));
    assert_false(webhook(HOST, U, FORM, P "&Digits=12345", SIG_1));
    assert_false(webhook(HOST, U, FORM, "", SIG_1));
    assert_false(webhook(HOST, U, FORM, "CallSid=%", SIG_1));
    assert_false(webhook(HOST, "", FORM, P, SIG_1));
    assert_false(webhook(HOST, "myapp.php", FORM, P, SIG_1));
}

static void test_order_repetition_and_fragments_do_not_matter(void **state)
{
    (void)state;
    assert_true(webhook(HOST, U, FORM, "To=%2B18005551212&" P, SIG_1));
    assert_true(webhook(HOST, U "#rc=2", FORM, P, SIG_1));
    assert_true(webhook(HOST "/", U, FORM, P, SIG_1));
}

static void test_a_prefix_of_the_public_url_is_signed(void **state)
{
    (void)state;
    assert_true(webhook("https://example.com/phone/", "/twilio/voice", "", "",
                        sign("https://example.com/phone/twilio/voice")));
    assert_false(webhook("https://example.com/phone/", "/twilio/voice", "", "",
                         sign("https://example.com/twilio/voice")));
}

static void test_a_get_signs_the_query_alone(void **state)
{
    (void)state;
    assert_true(webhook(HOST, U, "", "", sign(HOST U)));
    assert_true(webhook(HOST, U, FORM, "", sign(HOST U)));
    assert_false(webhook(HOST, U, "", "x", sign(HOST U)));
    assert_false(webhook(HOST, U, "text/plain", "x", sign(HOST U "x")));
}

static void test_wrong_and_absent_tokens_let_nothing_pass(void **state)
{
    static const char *const none[] = {NULL}, *const empty[] = {"", NULL};
    static const char *const other[] = {"54321", NULL};
    const struct twilio_auth wrong[] = {{HOST, none},
                                        {HOST, empty},
                                        {HOST, other},
                                        {HOST, NULL},
                                        {NULL, tokens},
                                        {"", tokens},
                                        {"mycompany.com", tokens},
                                        {"https://", tokens}};
    uint8_t mac[20];
    char unkeyed[BASE64_ENCODED(20)];

    (void)state;
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        assert_false(
            twilio_webhook_ok(&wrong[i], RD_STR(U), RD_STR(FORM), RD_STR(P), RD_STR(SIG_1)));
        assert_false(twilio_upgrade_ok(&wrong[i], RD_STR("/media"), RD_STR(SIG_1)));
    }
    /* Whoever signs with an empty key must not meet an empty setting. */
    hmac_sha1(mac, "", 0, HOST U, strlen(HOST U));
    base64_encode(unkeyed, mac, sizeof(mac));
    assert_false(twilio_webhook_ok(&wrong[1], RD_STR(U), RD_STR(""), RD_STR(""),
                                   (struct rd_str){unkeyed, sizeof(unkeyed)}));
}

static void test_both_tokens_pass_during_rotation(void **state)
{
    static const char *const first[] = {"12345", "next", NULL}, *const second[] = {"next", "12345",
                                                                                   NULL};
    const struct twilio_auth a = {HOST, first}, b = {HOST, second};

    (void)state;
    assert_true(twilio_webhook_ok(&a, RD_STR(U), RD_STR(FORM), RD_STR(P), RD_STR(SIG_1)));
    assert_true(twilio_webhook_ok(&b, RD_STR(U), RD_STR(FORM), RD_STR(P), RD_STR(SIG_1)));
}

static void test_a_json_body_must_have_the_hash_of_the_query(void **state)
{
    const struct vector *v = &vectors[6];
    char body[64];

    (void)state;
    snprintf(body, sizeof(body), "%s", v->body);
    body[3] ^= 1;
    assert_false(webhook(v->base, v->target, v->type, body, v->signature));
    assert_false(webhook(v->base, v->target, v->type, "", v->signature));
    assert_false(webhook(HOST, U, "application/json", "{}", sign(HOST U)));
    assert_false(
        webhook(HOST, U "&bodySHA256=", "application/json", "{}", sign(HOST U "&bodySHA256=")));
    /* The same body called something else is not covered by anything. */
    assert_false(webhook(v->base, v->target, "application/jsonp", v->body, v->signature));
    assert_false(webhook(v->base, v->target, "", v->body, v->signature));
}

static void test_the_query_may_be_spelled_as_a_browser_does(void **state)
{
    (void)state;
    assert_true(webhook(HOST, "/a?x='1'", "", "", sign(HOST "/a?x=%271%27")));
    assert_true(webhook(HOST, "/a?x='1'", "", "", sign(HOST "/a?x='1'")));
    assert_false(webhook(HOST, "/a'?x=1", "", "", sign(HOST "/a%27?x=1")));
}

static void test_ports_may_be_dropped_or_spelled_out_but_not_changed(void **state)
{
    (void)state;
    assert_true(webhook("https://h.example:443", "/a", "", "", sign("https://h.example/a")));
    assert_true(webhook("https://h.example:443", "/a", "", "", sign("https://h.example:443/a")));
    assert_true(webhook("http://h.example:80", "/a", "", "", sign("http://h.example/a")));
    assert_true(webhook("https://[::1]:8443", "/a", "", "", sign("https://[::1]:8443/a")));
    assert_true(webhook("https://[::1]", "/a", "", "", sign("https://[::1]:443/a")));
    assert_false(webhook("http://h.example:1234", "/a", "", "", sign("http://h.example/a")));
    assert_false(webhook("https://h.example:1234", "/a", "", "", sign("https://h.example:443/a")));
    assert_false(webhook("https://h.example", "/a", "", "", sign("https://h.example:8443/a")));
}

static void test_the_upgrade_passes_in_its_four_spellings(void **state)
{
    static const char *const ok[] = {"wss://h.example/media/tok", "wss://h.example/media/tok/",
                                     "wss://h.example:443/media/tok",
                                     "https://h.example/media/tok"};
    static const char *const wrong[] = {
        "ws://h.example/media/tok",     "wss://h.example/media/to",
        "http://h.example/media/tok",   "https://h.example/media/tok/",
        "wss://h.example:80/media/tok", "wss://h.example/media/tok//"};

    (void)state;
    for (size_t i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
        assert_true(upgrade("https://h.example", "/media/tok", sign(ok[i])));
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
        assert_false(upgrade("https://h.example", "/media/tok", sign(wrong[i])));
    assert_true(
        upgrade("http://127.0.0.1:8080", "/media/tok", sign("ws://127.0.0.1:8080/media/tok")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_published_vectors_pass),
        cmocka_unit_test(test_one_changed_byte_of_the_signature_is_refused),
        cmocka_unit_test(test_missing_short_and_long_signatures_are_refused),
        cmocka_unit_test(test_every_part_of_the_request_is_covered),
        cmocka_unit_test(test_order_repetition_and_fragments_do_not_matter),
        cmocka_unit_test(test_a_prefix_of_the_public_url_is_signed),
        cmocka_unit_test(test_a_get_signs_the_query_alone),
        cmocka_unit_test(test_wrong_and_absent_tokens_let_nothing_pass),
        cmocka_unit_test(test_both_tokens_pass_during_rotation),
        cmocka_unit_test(test_a_json_body_must_have_the_hash_of_the_query),
        cmocka_unit_test(test_the_query_may_be_spelled_as_a_browser_does),
        cmocka_unit_test(test_ports_may_be_dropped_or_spelled_out_but_not_changed),
        cmocka_unit_test(test_the_upgrade_passes_in_its_four_spellings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
