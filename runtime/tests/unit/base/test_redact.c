/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "base/json.h"
#include "base/redact.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct example {
    const char *in, *out; /* out NULL: stays as it is */
};

typedef int(redact_fn)(struct buf *out, struct rd_str text);

static void try_one(redact_fn *fn, const struct example *e)
{
    const char *want = e->out ? e->out : e->in;
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_int_equal(fn(&out, rd_str(e->in)), 0);
    if (strcmp(buf_text(&out), want) != 0)
        fail_msg("\"%s\" became \"%s\", not \"%s\"", e->in, out.data, want);
    buf_fini(&out);
}

#define TRY(fn, list)                                                \
    for (size_t i_ = 0; i_ < sizeof(list) / sizeof((list)[0]); i_++) \
    try_one(fn, &(list)[i_])

static void test_cards_are_taken_out_however_they_are_grouped(void **state)
{
    static const struct example list[] = {
        {"4111111111111111", "[card]"},
        {"My card is 4111 1111 1111 1111, thanks.", "My card is [card], thanks."},
        {"4111-1111-1111-1111", "[card]"},
        {"4111, 1111, 1111, 1111.", "[card]."},
        {"4111. 1111. 1111. 1111", "[card]"},
        {"It is 4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1", "It is [card]"},
        {"378282246310005", "[card]"},
        {"Amex 3782 822463 10005", "Amex [card]"},
        {"4222222222222", "[card]"},
        {"6011 0009 9013 9424", "[card]"},
        {"5555555555554444", "[card]"},
        {"6304 0000 0000 0000 000", "[card]"},
        {"4111\xE2\x80\x93"
         "1111\xC2\xA0"
         "1111\xE2\x80\x91"
         "1111",
         "[card]"},
        {"4111 1111 uh 1111 1111", "[card]"},
        {"Live at 60614. 4111 1111 1111 1111", "Live at 60614. [card]"},
        {"a 4111111111111111 b 5555555555554444 c", "a [card] b [card] c"},
        {"\xC3\xA9l dijo 4111 1111 1111 1111 \xC2\xBFno?", "\xC3\xA9l dijo [card] \xC2\xBFno?"},
        {"card4111111111111111x", "card[card]x"},
        {"call 312-555-0142, card 4111 1111 1111 1111", "call 312-555-0142, card [card]"},
        {"+4111 1111 1111 1111", "+[card]"},
    };

    (void)state;
    TRY(redact_text, list);
}

static void test_what_only_looks_like_a_card_stays(void **state)
{
    static const struct example list[] = {
        {"4111 1111 1111 1112", NULL},        /* fails the check */
        {"411111111111", NULL},               /* 12 digits */
        {"0000 0000 0000 0000", NULL},        /* passes it, and is nobody's */
        {"1764197100000000", NULL},           /* a time in microseconds */
        {"order 41111111111111111111", NULL}, /* 20 */
        {"4111 1111 and that is all 1111 1111", NULL},
    };

    (void)state;
    TRY(redact_text, list);
}

static void test_phones_dates_prices_and_addresses_stay(void **state)
{
    static const struct example list[] = {
        {"Call me at 312-555-0142.", NULL},
        {"(312) 555-0142 or 1-312-555-0188", NULL},
        {"+13125550142, +13125550188", NULL},
        {"+44 20 7946 0958", NULL},
        {"312-555-0142, 312-555-0188", NULL},
        {"312 555 0142 312 555 0188", NULL},
        {"3125550142 60614", NULL},
        {"12.50 and $1,234,567.89", NULL},
        {"2026-11-24 09:00, 2026-11-25 10:30, 2026-11-26 11:00", NULL},
        {"11/24/2026, 11/25/2026, 11/26/2026", NULL},
        {"1234 North 56th Street, Chicago 60614-1234", NULL},
        {"between 8 and 10, or 11 to 12", NULL},
        {"nine, ten, eleven, twelve, one or two", NULL},
        {"one two three, testing", NULL},
        {"one of the two, or three", NULL},
        {"room four two", NULL},
        {"", NULL},
        {"nothing to hide", NULL},
    };

    (void)state;
    TRY(redact_text, list);
}

static void test_social_security_numbers(void **state)
{
    static const struct example list[] = {
        {"123-45-6789", "[ssn]"},
        {"It's 123 45 6789.", "It's [ssn]."},
        {"my social is 123456789", "my social is [ssn]"},
        {"My social security number, uh, it is 123 456 789.",
         "My social security number, uh, it is [ssn]."},
        {"SSN: 1 2 3 4 5 6 7 8 9", "SSN: [ssn]"},
        {"mi n\xC3\xBAmero de seguro social es 123 45 67 89",
         "mi n\xC3\xBAmero de seguro social es [ssn]"},
        {"123456789 is my social", "[ssn] is my social"},
        {"social 123-45-6789, card 4111 1111 1111 1111", "social [ssn], card [card]"},
        {"123-45-6789, 4111 1111 1111 1111", "[ssn], [card]"},
        {"000-45-6789", NULL},
        {"666-45-6789", NULL},
        {"900-45-6789", NULL},
        {"123-00-6789", NULL},
        {"123-45-0000", NULL},
        {"123456789", NULL},
        {"the social club, 312-555-0142", NULL},
        {"order 123456789", NULL},
    };

    (void)state;
    TRY(redact_text, list);
}

static void test_digits_that_are_read_out(void **state)
{
    static const struct example list[] = {
        {"four one one one, one one one one, one one one one, one one one one", "[card]"},
        {"It's four double one one oh zero triple seven five five five five.", "It's [card]."},
        {"uno dos tres cuatro cinco seis siete ocho nueve cero uno dos tres", "[card]"},
        {"My social is one two three, four five, six seven eight nine.", "My social is [ssn]."},
        {"One-two-three-four-five-six-seven-eight-nine", "[digits]"},
        {"one two three uh and four five six seven eight nine, please", "[digits], please"},
        {"four one one one 1111 1111 1111", "[card]"},
        {"four o one o two o three o four o five o six", "[card]"},
        {"one two three four five six seven eight", NULL},
        {"double trouble one", NULL},
        {"o one", NULL},
    };

    (void)state;
    TRY(redact_text, list);
}

static void test_json_stays_json(void **state)
{
    static const struct example list[] = {
        {"{\"card\":\"4111 1111 1111 1111\",\"n\":2}", "{\"card\":\"[card]\",\"n\":2}"},
        {"{\"card\": 4111111111111111 , \"ok\":true}", "{\"card\": \"[card]\" , \"ok\":true}"},
        {"[4.1111111111111e+15,-1.5e3]", "[\"[digits]\",-1.5e3]"},
        {"{\"ssn\":123456789,\"order\":123456789}", "{\"ssn\":\"[ssn]\",\"order\":123456789}"},
        {"{\"socialSecurity\":[\"123456789\"]}", "{\"socialSecurity\":[\"[ssn]\"]}"},
        {"{\"className\":\"123456789\"}", NULL},
        {"{\"a\":\"4111\\u00201111\\n1111 1111 \\\"x\\\"\"}", "{\"a\":\"[card] \\\"x\\\"\"}"},
        {"{\"a\\/\":\"\\u00e9\\ud83d\\ude00\"}", NULL}, /* kept as it was written */
        {"[12,250,38,41,99,100,7,8,9,10]", NULL},
        {"[41.878113621234,-87.6297982]", NULL},
        {"{\"at\":1764197100000,\"phone\":\"+13125550142\"}", NULL},
        {"\"4111111111111111\"", "\"[card]\""},
        {"4111111111111111", "\"[card]\""},
        {"no json 4111 1111 1111 1111", "no json [card]"},
        {"{\"cut\":\"4111 1111 1111 1111", "{\"cut\":\"[card]"},
        {"{\"4111111111111111\":1}", "{\"[card]\":1}"},
    };

    (void)state;
    TRY(redact_json, list);
}

static void test_identifiers_in_json_are_no_cards(void **state)
{
    static const struct example list[] = {
        {"{\"id\":\"CA47ea06120a5f0e10ce74b05e686fb434.1795832090.1\"}", NULL},
        {"{\"sid\":\"SM4111111111111111ce74b05e686fb434\"}", NULL},
        {"[\"41111111-1111-1111-beef-4111111111ef\"]", NULL},
        {"{\"id\":\"CA47ea06120a5f0e10ce74b05e686fb434.4111111111111111\"}",
         "{\"id\":\"CA47ea06120a5f0e10ce74b05e686fb434.[card]\"}"},
        {"{\"said\":\"it is CA47ea06120a5f0e10ce74b05e686fb434.1795832090\"}",
         "{\"said\":\"it is CA47ea06120a5f0e10ce74b05e686fb[card]\"}"},
    };

    (void)state;
    TRY(redact_json, list);
}

static void test_a_long_run_is_decided_in_parts_that_overlap(void **state)
{
    struct buf text, out;
    size_t card;

    (void)state;
    for (int lead = 90; lead < 150; lead++) {
        buf_init(&text, 1 << 16);
        buf_init(&out, 1 << 16);
        for (int i = 0; i < lead; i++)
            buf_add_str(&text, "00, ");
        card = text.n;
        buf_add_str(&text, "4111 1111 1111 1111");
        assert_int_equal(redact_text(&out, (struct rd_str){text.data, text.n}), 0);
        assert_int_equal(out.n, card + 6);
        assert_memory_equal(out.data + card, "[card]", 6);
        buf_fini(&text);
        buf_fini(&out);
    }
}

static void test_a_long_text_of_digits_takes_no_time(void **state)
{
    struct buf text, out;

    (void)state;
    buf_init(&text, 2 << 20);
    buf_init(&out, 2 << 20);
    while (text.n < 1 << 17)
        buf_add_str(&text, "7 ");
    assert_int_equal(redact_text(&out, (struct rd_str){text.data, text.n}), 0);
    assert_int_equal(out.n, text.n);
    buf_fini(&text);
    buf_fini(&out);
}

static void test_a_full_buffer_is_told(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 8);
    assert_int_equal(redact_text(&out, RD_STR("longer than eight")), RD_EFULL);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cards_are_taken_out_however_they_are_grouped),
        cmocka_unit_test(test_what_only_looks_like_a_card_stays),
        cmocka_unit_test(test_phones_dates_prices_and_addresses_stay),
        cmocka_unit_test(test_social_security_numbers),
        cmocka_unit_test(test_digits_that_are_read_out),
        cmocka_unit_test(test_json_stays_json),
        cmocka_unit_test(test_identifiers_in_json_are_no_cards),
        cmocka_unit_test(test_a_long_run_is_decided_in_parts_that_overlap),
        cmocka_unit_test(test_a_long_text_of_digits_takes_no_time),
        cmocka_unit_test(test_a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
