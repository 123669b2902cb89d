/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks of Vapi at the door: whose they are, what they say, which call they are about. */
#include "base/err.h"
#include "gateway/vapi/digests.h"
#include "gateway/vapi/known.h"
#include "gateway/vapi/message.h"
#include "gateway/vapi/sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY RD_STR("{\"message\":{\"type\":\"hang\"}}")
#define SID  "CA00000000000000000000000000000001"
#define ID   "8f2c1d7e-1111-4222-8333-444455556666"

/* HMAC-SHA256 with the key "key" over "<timestamp>.<body>", made by another implementation. */
#define STAMP_S  "1795600000"
#define HEX_S    "4e8068fe2a35cfc211c66c29e097f88ed9d3606c35b0ebac7f31451255b4220b"
#define BASE64_S "ToBo/io1z8IRxmwp4Jf4jtnTYGw1sOusfzFFElW0Igs="
#define STAMP_MS "1795600000123"
#define HEX_MS   "5df15553261fa593682d1bc4e484f76542f3ba13d92700140c6b469f5099749e"
#define NOW_MS   UINT64_C(1795600001000)

static const struct vapi_auth both = {.secret = "s3cret", .hmac = "key"};

static enum vapi_trust check(const struct vapi_auth *a, struct vapi_proof p, uint64_t now_ms)
{
    uint8_t mac[VAPI_MAC];

    return vapi_sign_check(a, &p, BODY, now_ms, mac);
}

static struct vapi_proof signature(const char *stamp, const char *mac)
{
    return (struct vapi_proof){.signature = rd_str(mac), .timestamp = rd_str(stamp)};
}

static void test_the_secret_opens_in_both_headers_and_nothing_else_does(void **state)
{
    struct vapi_auth none = {.secret = "", .hmac = ""};

    (void)state;
    assert_int_equal(VAPI_BY_SECRET,
                     check(&both, (struct vapi_proof){.secret = RD_STR("s3cret")}, 0));
    assert_int_equal(
        VAPI_BY_SECRET,
        check(&both, (struct vapi_proof){.authorization = RD_STR("Bearer s3cret")}, 0));
    assert_int_equal(
        VAPI_BY_SECRET,
        check(&both, (struct vapi_proof){.authorization = RD_STR("bearer s3cret")}, 0));
    assert_int_equal(VAPI_REFUSED, check(&both, (struct vapi_proof){.secret = RD_STR("s3cre")}, 0));
    assert_int_equal(VAPI_REFUSED,
                     check(&both, (struct vapi_proof){.secret = RD_STR("s3cret ")}, 0));
    assert_int_equal(VAPI_REFUSED,
                     check(&both, (struct vapi_proof){.authorization = RD_STR("Basic s3cret")}, 0));
    assert_int_equal(VAPI_REFUSED, check(&both, (struct vapi_proof){.secret = RD_STR("")}, 0));
    assert_int_equal(VAPI_REFUSED, check(&none, (struct vapi_proof){.secret = RD_STR("")}, 0));
    assert_int_equal(VAPI_REFUSED,
                     check(&none, (struct vapi_proof){.authorization = RD_STR("Bearer ")}, 0));
}

static void test_a_signature_is_good_in_each_spelling(void **state)
{
    (void)state;
    assert_int_equal(VAPI_BY_HMAC, check(&both, signature(STAMP_S, HEX_S), NOW_MS));
    assert_int_equal(VAPI_BY_HMAC, check(&both, signature(STAMP_S, "sha256=" HEX_S), NOW_MS));
    assert_int_equal(VAPI_BY_HMAC, check(&both, signature(STAMP_S, BASE64_S), NOW_MS));
    assert_int_equal(VAPI_BY_HMAC, check(&both, signature(STAMP_MS, HEX_MS), NOW_MS));
    assert_int_equal(
        VAPI_BY_HMAC,
        check(
            &both,
            signature(STAMP_S, "4E8068FE2A35CFC211C66C29E097F88ED9D3606C35B0EBAC7F31451255B4220B"),
            NOW_MS));
}

static void test_a_signature_is_good_for_its_body_key_and_moment_only(void **state)
{
    struct vapi_auth other = {.secret = "", .hmac = "another"},
                     no_key = {.secret = "s3cret", .hmac = ""};

    (void)state;
    assert_int_equal(VAPI_REFUSED, check(&other, signature(STAMP_S, HEX_S), NOW_MS));
    assert_int_equal(VAPI_REFUSED, check(&no_key, signature(STAMP_S, HEX_S), NOW_MS));
    assert_int_equal(VAPI_REFUSED, check(&both, signature(STAMP_MS, HEX_S), NOW_MS));
    assert_int_equal(VAPI_REFUSED, check(&both, signature("", HEX_S), NOW_MS));
    assert_int_equal(VAPI_REFUSED, check(&both, signature("17956x0000", HEX_S), NOW_MS));
    assert_int_equal(VAPI_BY_HMAC, check(&both, signature(STAMP_S, HEX_S), NOW_MS + 299000));
    assert_int_equal(VAPI_REFUSED, check(&both, signature(STAMP_S, HEX_S), NOW_MS + 299001));
    assert_int_equal(VAPI_REFUSED, check(&both, signature(STAMP_S, HEX_S), NOW_MS - 301001));
}

static void test_a_long_body_is_read_only_when_its_head_could_be_right(void **state)
{
    struct vapi_auth none = {.secret = "", .hmac = ""};
    struct vapi_proof good = signature(STAMP_S, HEX_S);

    (void)state;
    assert_int_equal(VAPI_BY_HMAC, vapi_sign_could_be(&both, &good, NOW_MS));
    assert_int_equal(VAPI_REFUSED, vapi_sign_could_be(&none, &good, NOW_MS));
    assert_int_equal(VAPI_REFUSED, vapi_sign_could_be(&both, &good, NOW_MS + 299001)); /* not now */
    good = signature(STAMP_S, "sha256=" HEX_S);
    assert_int_equal(VAPI_BY_HMAC, vapi_sign_could_be(&both, &good, NOW_MS));
    good = signature(STAMP_S, BASE64_S);
    assert_int_equal(VAPI_BY_HMAC, vapi_sign_could_be(&both, &good, NOW_MS));
    good = signature(STAMP_S, "a");
    assert_int_equal(VAPI_REFUSED, vapi_sign_could_be(&both, &good, NOW_MS));
    good = signature("now", HEX_S);
    assert_int_equal(VAPI_REFUSED, vapi_sign_could_be(&both, &good, NOW_MS));
    assert_int_equal(
        VAPI_REFUSED,
        vapi_sign_could_be(&both, &(struct vapi_proof){.secret = RD_STR("wrong")}, NOW_MS));
    assert_int_equal(
        VAPI_BY_SECRET,
        vapi_sign_could_be(&both, &(struct vapi_proof){.secret = RD_STR("s3cret")}, NOW_MS));
}

static void test_what_was_seen_is_not_first_again_until_its_time(void **state)
{
    uint8_t a[DIGEST] = {1}, b[DIGEST] = {2};
    struct digests *s;

    (void)state;
    assert_int_equal(0, digests_new(&s, 64));
    assert_true(digests_first(s, a, 1000, 2000));
    assert_false(digests_first(s, a, 1999, 2999));
    assert_true(digests_first(s, b, 1999, 2999));
    assert_true(digests_first(s, a, 2000, 3000));
    digests_forget(s, a);
    assert_true(digests_first(s, a, 2001, 3000));
    for (unsigned i = 0; i < 1000; i++) { /* all in one bucket: the newest stay */
        uint8_t k[DIGEST] = {0};

        memcpy(k + 8, &i, sizeof(i));
        assert_true(digests_first(s, k, 5000, 6000 + i));
        assert_false(digests_first(s, k, 5000, 6000 + i));
    }
    digests_free(s);
}

static struct vapi_message read_it(const char *text)
{
    struct vapi_message m;

    assert_int_equal(0, vapi_message_read(&m, rd_str(text)));
    return m;
}

static const char *fact_of(const struct vapi_message *m, struct buf *out)
{
    struct vapi_dropped dropped;

    buf_init(out, 1 << 20);
    assert_int_equal(0, vapi_message_fact(m, out, &dropped));
    assert_null(dropped.what);
    return buf_text(out);
}

#define CALL                                                                                      \
    "\"call\":{\"id\":\"" ID "\",\"phoneCallProviderId\":\"" SID                                  \
    "\",\"type\":\"inboundPhoneCall\","                                                           \
    "\"createdAt\":\"2026-11-25T09:46:41.000Z\",\"monitor\":{\"controlUrl\":\"https://c.vapi.ai/" \
    "x/control\"}}"

static void test_a_status_becomes_a_fact(void **state)
{
    struct vapi_message m = read_it("{\"message\":{\"type\":\"status-update\",\"status\":\"ended\","
                                    "\"endedReason\":\"customer-ended-call\"," CALL "}}");
    struct buf b;

    (void)state;
    assert_int_equal(VAPI_STATUS, m.kind);
    assert_false(vapi_message_asks(&m));
    assert_string_equal(SID, m.sid);
    assert_string_equal(ID, m.id);
    assert_string_equal("https://c.vapi.ai/x/control", m.control);
    assert_string_equal("\"vapi_id\":\"" ID "\",\"seen_by\":\"webhook\","
                        "\"created_at\":\"2026-11-25T09:46:41.000Z\",\"type\":\"inboundPhoneCall\","
                        "\"status\":\"ended\",\"ended_reason\":\"customer-ended-call\"",
                        fact_of(&m, &b));
    assert_null(strstr(b.data, "control")); /* who has it controls the call */
    buf_fini(&b);
}

static void test_a_report_has_money_and_times(void **state)
{
    struct vapi_message m = read_it(
        "{\"message\":{\"type\":\"end-of-call-report\",\"endedReason\":\"silence-timed-out\","
        "\"startedAt\":\"2026-11-25T09:46:42.000Z\",\"cost\":0.2,\"costs\":[{\"type\":\"vapi\","
        "\"cost\":0.2}],\"artifact\":{\"performanceMetrics\":{\"turnLatencyAverage\":800}}," CALL
        "}}");
    struct buf b;

    (void)state;
    assert_non_null(strstr(fact_of(&m, &b), "\"status\":\"ended\""));
    assert_non_null(strstr(b.data, "\"cost\":0.2,\"costs\":[{\"type\":\"vapi\",\"cost\":0.2}]"));
    assert_non_null(strstr(b.data, "\"metrics\":{\"turnLatencyAverage\":800}"));
    buf_fini(&b);
}

static void test_only_the_callers_final_words_are_heard(void **state)
{
    (void)state;
    assert_int_equal(VAPI_TRANSCRIPT,
                     read_it("{\"message\":{\"type\":\"transcript\",\"role\":\"user\","
                             "\"transcriptType\":\"final\",\"transcript\":\"gas\"," CALL "}}")
                         .kind);
    assert_int_equal(VAPI_TRANSCRIPT,
                     read_it("{\"message\":{\"type\":\"transcript[transcriptType=\\\"final\\\"]\","
                             "\"role\":\"user\",\"transcript\":\"gas\"," CALL "}}")
                         .kind);
    assert_int_equal(VAPI_OTHER,
                     read_it("{\"message\":{\"type\":\"transcript\",\"role\":\"user\","
                             "\"transcriptType\":\"partial\",\"transcript\":\"g\"," CALL "}}")
                         .kind);
    assert_int_equal(VAPI_OTHER,
                     read_it("{\"message\":{\"type\":\"transcript\",\"role\":\"assistant\","
                             "\"transcriptType\":\"final\",\"transcript\":\"g\"," CALL "}}")
                         .kind);
    assert_int_equal(VAPI_OTHER,
                     read_it("{\"message\":{\"type\":\"speech-update\"," CALL "}}").kind);
}

static void test_tools_go_on_as_they_stand_and_fail_one_by_one(void **state)
{
    struct vapi_message m = read_it(
        "{\"message\":{\"type\":\"tool-calls\",\"toolCallList\":["
        "{\"id\":\"c1\",\"type\":\"function\",\"function\":{\"name\":\"eta\","
        "\"arguments\":\"{}\"}},{\"id\":\"c2\",\"name\":\"book\",\"arguments\":{}}]," CALL "}}");
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_true(vapi_message_asks(&m));
    assert_int_equal(0, vapi_message_ask(&m, &b));
    assert_non_null(strstr(buf_text(&b), ",\"tools\":[{\"id\":\"c1\""));
    buf_clear(&b);
    assert_int_equal(0, vapi_message_failed(&m, "late", &b));
    assert_string_equal("{\"results\":[{\"toolCallId\":\"c1\",\"name\":\"eta\",\"error\":\"late\"},"
                        "{\"toolCallId\":\"c2\",\"name\":\"book\",\"error\":\"late\"}]}",
                        buf_text(&b));
    buf_fini(&b);
}

static void test_tools_in_their_third_shape_fail_by_their_own_ids(void **state)
{
    struct vapi_message m = read_it(
        "{\"message\":{\"type\":\"tool-calls\",\"toolWithToolCallList\":[{\"type\":\"function\","
        "\"function\":{\"name\":\"eta\"},\"toolCall\":{\"id\":\"c9\",\"function\":{\"name\":"
        "\"eta\",\"parameters\":{}}}}]," CALL "}}");
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(0, vapi_message_failed(&m, "late", &b));
    assert_string_equal(
        "{\"results\":[{\"toolCallId\":\"c9\",\"name\":\"eta\",\"error\":\"late\"}]}",
        buf_text(&b));
    buf_fini(&b);
}

/* `before`, then `n` letters, then `behind`; freed by the caller. */
static char *long_text(const char *before, char letter, size_t n, const char *behind)
{
    char *text = malloc(strlen(before) + n + strlen(behind) + 1);

    assert_non_null(text);
    strcpy(text, before);
    memset(text + strlen(before), letter, n);
    strcpy(text + strlen(before) + n, behind);
    return text;
}

static void test_tools_that_are_too_long_are_not_asked_for_in_part(void **state)
{
    char *text = long_text(
        "{\"message\":{\"type\":\"tool-calls\",\"toolCallList\":[{\"id\":\"c1\",\"name\":\"note\","
        "\"arguments\":{\"text\":\"",
        'x', 50000, "\"}}]," CALL "}}");
    struct vapi_message m = read_it(text);
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(RD_EFULL, vapi_message_ask(&m, &b));
    buf_clear(&b);
    assert_int_equal(0, vapi_message_failed(&m, "too long", &b));
    assert_non_null(strstr(buf_text(&b), "\"toolCallId\":\"c1\",\"name\":\"note\",\"error\""));
    buf_fini(&b);
    free(text);
}

static void test_the_beginning_of_long_words_is_heard(void **state)
{
    static const char *const letters[] = {"\xc3\xa4", "\\ud83d\\ude00", "\\n"};

    (void)state;
    for (size_t i = 0; i < 3; i++)
        for (size_t n = 49140; n < 49160; n++) { /* so that each of them meets the end */
            char behind[512];
            char *text;
            struct vapi_message m;
            struct json_value v;
            struct buf b;

            (void)snprintf(behind, sizeof(behind), "%s%s\"," CALL "}}", letters[i], letters[i]);
            text = long_text("{\"message\":{\"type\":\"transcript\",\"role\":\"user\","
                             "\"transcript\":\"",
                             'x', n, behind);
            m = read_it(text);
            buf_init(&b, 1 << 20);
            assert_int_equal(strlen(letters[i]) * 2 + n > 49152, vapi_message_cut(&m) > 0);
            assert_int_equal(0, buf_add_str(&b, "{\"a\":1"));
            assert_int_equal(0, vapi_message_ask(&m, &b));
            assert_int_equal(0, buf_add_str(&b, "}"));
            assert_true(b.n > 49100 && b.n < 49200);
            assert_int_equal(0, json_parse((struct rd_str){b.data, b.n}, &v));
            buf_fini(&b);
            free(text);
        }
}

static void test_what_is_too_long_is_told_and_its_sums_are_kept(void **state)
{
    char *text =
        long_text("{\"message\":{\"type\":\"end-of-call-report\",\"cost\":0.5,\"artifact\":"
                  "{\"performanceMetrics\":{\"turnLatencies\":[\"",
                  'x', 30000, "\"],\"turnLatencyAverage\":812}}," CALL "}}");
    struct vapi_dropped dropped;
    struct vapi_message m = read_it(text);
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    assert_int_equal(0, vapi_message_fact(&m, &b, &dropped));
    assert_string_equal("metrics", dropped.what);
    assert_true(dropped.bytes > 30000);
    assert_non_null(strstr(buf_text(&b), "\"cost\":0.5,\"metrics\":{\"turnLatencyAverage\":812}"));
    buf_fini(&b);
    free(text);
    text = long_text("{\"message\":{\"type\":\"end-of-call-report\",\"cost\":0.5,\"costs\":[\"",
                     'x', 17000, "\"]," CALL "}}");
    m = read_it(text);
    buf_init(&b, 1 << 20);
    assert_int_equal(0, vapi_message_fact(&m, &b, &dropped));
    assert_string_equal("costs", dropped.what);
    assert_non_null(strstr(buf_text(&b), "\"cost\":0.5"));
    buf_fini(&b);
    free(text);
}

static void test_ids_are_ids_or_nothing(void **state)
{
    struct vapi_message m =
        read_it("{\"message\":{\"type\":\"hang\",\"call\":{\"id\":\"../x\","
                "\"phoneCallProviderId\":\"CA'; drop\"},\"customer\":{\"number\":\"+1x\"}}}");

    (void)state;
    assert_string_equal("", m.id);
    assert_string_equal("", m.sid);
    assert_string_equal("", m.from);
    m = read_it(
        "{\"message\":{\"type\":\"hang\",\"call\":{\"assistantOverrides\":{\"variableValues\":"
        "{\"ringdown_call\":\"" SID "\"}}}}}");
    assert_string_equal(SID, m.sid); /* as we said it when we began the call */
    assert_int_equal(RD_EPROTO, vapi_message_read(&m, RD_STR("{\"message\":[]}")));
    assert_int_equal(RD_EPROTO, vapi_message_read(&m, RD_STR("[")));
}

static void test_a_message_is_about_a_call_of_ours_or_none(void **state)
{
    struct vapi_call c = {.sid = SID, .agent = "a", .from = "+13125550142", .to = "+13125550100"},
                     found;
    struct vapi_message m = {.sid = SID, .id = ID, .control = "https://c"};
    struct vapi_message stranger = {.sid = "CA02", .id = "other"},
                        asks = {.from = "+13125550142", .to = "+13125550100"};
    struct vapi_message mixed = {.sid = "CA02", .id = ID};
    struct vapi_known *k;

    (void)state;
    assert_int_equal(0, vapi_known_new(&k, 4));
    assert_false(vapi_known_find(k, &m, 1000, &found));
    vapi_known_put(k, &c, 1000, true);
    assert_false(vapi_known_find(k, &stranger, 1000, &found));
    assert_true(vapi_known_find(k, &asks, 2000, &found)); /* "who answers?" comes before ids */
    assert_false(vapi_known_find(k, &asks, 31001, &found));
    assert_true(vapi_known_find(k, &m, 2000, &found));
    assert_string_equal("a", found.agent);
    assert_string_equal("https://c", found.control);
    assert_false(vapi_known_find(k, &mixed, 2000, &found));
    m = (struct vapi_message){.id = ID}; /* remembered of the message before */
    assert_true(vapi_known_find(k, &m, 2000, &found));
    assert_string_equal(SID, found.sid);
    for (int i = '2'; i < '7'; i++) {
        c.sid[0] = (char)i;
        vapi_known_put(k, &c, 3000, false);
    }
    assert_false(vapi_known_find(k, &m, 3000, &found)); /* the oldest made room */
    vapi_known_free(k);
}

static void test_who_withholds_a_number_is_known_when_there_is_one_of_them(void **state)
{
    struct vapi_call one = {.sid = SID, .agent = "a", .from = "anonymous", .to = "+13125550100"},
                     other = {
                         .sid = "CA02", .agent = "a", .from = "+266696687", .to = "+13125550100"};
    struct vapi_message asks = {.kind = VAPI_ASSISTANT, .id = ID, .to = "+13125550100"};
    struct vapi_call found;
    struct vapi_known *k;

    (void)state;
    assert_int_equal(0, vapi_known_new(&k, 4));
    vapi_known_put(k, &one, 1000, true);
    assert_true(vapi_known_find(k, &asks, 1500, &found));
    assert_string_equal(SID, found.sid);
    vapi_known_free(k);
    assert_int_equal(0, vapi_known_new(&k, 4));
    vapi_known_put(k, &one, 1000, true);
    vapi_known_put(k, &other, 1000, true);
    assert_false(vapi_known_find(k, &asks, 1500, &found));
    vapi_known_free(k);
}

static void test_a_call_without_a_carriers_id_has_vapis_name(void **state)
{
    struct vapi_message m = {.id = ID}, later = {.id = ID, .sid = SID}, nothing = {.id = "--"};
    struct vapi_call c = {.id = ID, .direct = true}, found;
    struct vapi_known *k;

    (void)state;
    assert_true(vapi_known_name(c.sid, &m));
    assert_string_equal("vapi8f2c1d7e111142228333444455556666", c.sid);
    assert_false(vapi_known_name(found.sid, &nothing));
    assert_int_equal(0, vapi_known_new(&k, 4));
    vapi_known_put(k, &c, 1000, false);
    assert_true(vapi_known_find(k, &m, 1500, &found));
    assert_string_equal(c.sid, found.sid);
    assert_true(found.direct);
    assert_false(vapi_known_find(k, &later, 1500, &found)); /* another node may have sent it */
    assert_true(vapi_known_name(c.sid, &later));
    assert_string_equal(SID, c.sid);
    c.direct = false;
    vapi_known_put(k, &c, 1600, false); /* it had */
    assert_true(vapi_known_find(k, &later, 1700, &found));
    assert_string_equal(SID, found.sid);
    assert_false(found.direct);
    assert_true(vapi_known_find(k, &m, 1700, &found)); /* one call, one row */
    assert_string_equal(SID, found.sid);
    vapi_known_free(k);
}

static void test_a_silent_call_is_named_once(void **state)
{
    struct vapi_call c = {.sid = SID, .agent = "a"}, other = {.sid = "CA02", .agent = "a"}, found;
    struct vapi_message m =
        read_it("{\"message\":{\"type\":\"status-update\",\"status\":\"ringing\"," CALL "}}");
    struct vapi_known *k;

    (void)state;
    assert_int_equal(0, vapi_known_new(&k, 4));
    vapi_known_put(k, &c, 1000, true);
    vapi_known_put(k, &other, 1000, false);
    assert_true(vapi_known_find(k, &m, 1500, &found)); /* ringing is no talk */
    assert_false(vapi_known_silent(k, 10999, 10000, &found));
    assert_true(vapi_known_silent(k, 11000, 10000, &found));
    assert_string_equal(SID, found.sid);
    assert_false(vapi_known_silent(k, 11000, 10000, &found));
    vapi_known_free(k);
    assert_int_equal(0, vapi_known_new(&k, 4));
    vapi_known_put(k, &c, 1000, true);
    m = read_it("{\"message\":{\"type\":\"status-update\",\"status\":\"in-progress\"," CALL "}}");
    assert_true(vapi_known_find(k, &m, 1500, &found));
    assert_false(vapi_known_silent(k, 11000, 10000, &found));
    vapi_known_free(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_secret_opens_in_both_headers_and_nothing_else_does),
        cmocka_unit_test(test_a_signature_is_good_in_each_spelling),
        cmocka_unit_test(test_a_signature_is_good_for_its_body_key_and_moment_only),
        cmocka_unit_test(test_a_long_body_is_read_only_when_its_head_could_be_right),
        cmocka_unit_test(test_what_was_seen_is_not_first_again_until_its_time),
        cmocka_unit_test(test_a_status_becomes_a_fact),
        cmocka_unit_test(test_a_report_has_money_and_times),
        cmocka_unit_test(test_only_the_callers_final_words_are_heard),
        cmocka_unit_test(test_tools_go_on_as_they_stand_and_fail_one_by_one),
        cmocka_unit_test(test_tools_in_their_third_shape_fail_by_their_own_ids),
        cmocka_unit_test(test_tools_that_are_too_long_are_not_asked_for_in_part),
        cmocka_unit_test(test_the_beginning_of_long_words_is_heard),
        cmocka_unit_test(test_what_is_too_long_is_told_and_its_sums_are_kept),
        cmocka_unit_test(test_who_withholds_a_number_is_known_when_there_is_one_of_them),
        cmocka_unit_test(test_a_call_without_a_carriers_id_has_vapis_name),
        cmocka_unit_test(test_ids_are_ids_or_nothing),
        cmocka_unit_test(test_a_message_is_about_a_call_of_ours_or_none),
        cmocka_unit_test(test_a_silent_call_is_named_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
