/* SPDX-License-Identifier: Apache-2.0 */
#include "base/err.h"
#include "carriers/twilio/twiml.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"

static void assert_document(struct buf *b, const char *expected)
{
    assert_string_equal(buf_text(b), expected);
    assert_int_equal(twiml_check((struct rd_str){b->data, b->n}), 0);
    buf_clear(b);
}

static void test_the_documents_c_writes_are_what_twilio_reads(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_int_equal(twiml_stream(&b, "wss://h.example/twilio/media/t", "https://h.example/r"), 0);
    assert_document(&b, HEAD
                    "<Response><Connect><Stream url=\"wss://h.example/twilio/media/t\"/></Connect>"
                    "<Redirect method=\"POST\">https://h.example/r</Redirect></Response>\n");
    assert_int_equal(twiml_hangup(&b), 0);
    assert_document(&b, HEAD "<Response><Hangup/></Response>\n");
    assert_int_equal(twiml_say_hangup(&b, "Sorry"), 0);
    assert_document(&b, HEAD "<Response><Say>Sorry</Say><Hangup/></Response>\n");
    assert_int_equal(twiml_redirect(&b, "https://h.example/?a=1&b=2"), 0);
    assert_document(&b, HEAD "<Response><Redirect method=\"POST\">https://h.example/?a=1&amp;b=2"
                             "</Redirect></Response>\n");
    assert_int_equal(twiml_nothing(&b), 0);
    assert_document(&b, HEAD "<Response></Response>\n");
    assert_int_equal(twiml_press_key(&b, "Gas & water. Press 1.", "https://h.example/a?call=C&x=1"),
                     0);
    assert_document(&b, HEAD "<Response><Gather numDigits=\"1\" timeout=\"10\" "
                             "action=\"https://h.example/a?call=C&amp;x=1\" method=\"POST\">"
                             "<Say>Gas &amp; water. Press 1.</Say></Gather><Hangup/></Response>\n");
    buf_fini(&b);
}

static void test_whatever_is_said_stays_well_formed(void **state)
{
    static const char *const words[] = {"</Say><Dial>+1900</Dial>",
                                        "a & b < c > d ]]> \"q\" 'p'",
                                        "\x01\x02 bell\x07",
                                        "\xFF\xFE broken",
                                        "\xEF\xBF\xBF\xEF\xBF\xBE",
                                        "caf\xC3\xA9 \xF0\x9F\x98\x80",
                                        ""};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        assert_int_equal(twiml_say_hangup(&b, words[i]), 0);
        assert_int_equal(twiml_check((struct rd_str){b.data, b.n}), 0);
        assert_null(strstr(buf_text(&b), "<Dial>"));
        assert_int_equal(twiml_stream(&b, words[i], words[i]), 0);
        buf_clear(&b);
    }
    buf_fini(&b);
}

static void test_no_room_leaves_nothing_half_written(void **state)
{
    struct buf b;

    (void)state;
    for (size_t max = 0; max < 130; max++) {
        buf_init(&b, max);
        if (twiml_say_hangup(&b, "Sorry & goodbye") == 0)
            assert_int_equal(twiml_check((struct rd_str){b.data, b.n}), 0);
        else
            assert_int_equal(b.n, 0);
        buf_fini(&b);
    }
}

static void test_good_documents_pass(void **state)
{
    static const char *const good[] = {
        "<Response/>",
        "<Response></Response>",
        "<Response />\n",
        HEAD "<Response/>",
        "<?xml version='1.0'?><Response/>",
        "<?xml version=\"1.0\" encoding=\"utf-8\" ?>\n<!-- a --><Response/><!-- b -->\n",
        "<Response><Say voice=\"Polly.Joanna\" loop='2'>Hi &amp; bye &#169; "
        "&#xE9;</Say></Response>",
        "<Response><Gather><Say>1</Say><Play>u</Play></Gather></Response >",
        "<Response><Say><![CDATA[a < b && c]]></Say><!----></Response>",
        "<Response><Say a:b = \"x>y\"\n>caf\xC3\xA9</Say></Response>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        if (twiml_check(rd_str(good[i])))
            fail_msg("refused: %s", good[i]);
}

static void test_bad_documents_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " <Response/>",
        "\xEF\xBB\xBF<Response/>",
        "text",
        "<response/>",
        "<Responses/>",
        "<Say>hi</Say>",
        "<Response>",
        "<Response",
        "<Response/",
        "</Response>",
        "<Response></response>",
        "<Response/><Response/>",
        "<Response/>x",
        "<Response><Say></Response></Say>",
        "<Response><Say></Response>",
        "<Response></Say></Response>",
        "<Response>a & b</Response>",
        "<Response>&nbsp;</Response>",
        "<Response>&#0;</Response>",
        "<Response>&#xD800;</Response>",
        "<Response>&#x110000;</Response>",
        "<Response>&#;</Response>",
        "<Response>&#x;</Response>",
        "<Response>&#a;</Response>",
        "<Response>&amp</Response>",
        "<Response>a ]]> b</Response>",
        "<Response>\x01</Response>",
        "<Response>\xFF</Response>",
        "<Response>\xEF\xBF\xBF</Response>",
        "<Response a></Response>",
        "<Response a=b></Response>",
        "<Response a=\"b></Response>",
        "<Response a=\"<\"/>",
        "<Response a=\"&\"/>",
        "<Response a=\"1\" a=\"2\"/>",
        "<Response a=\"1\"b=\"2\"/>",
        "<Response =\"1\"/>",
        "<Response><1/></Response>",
        "<Response>< Say/></Response>",
        "<Response><!-- a -- b --></Response>",
        "<Response><!-- a",
        "<Response><![CDATA[ a</Response>",
        "<Response><?php ?></Response>",
        "<!DOCTYPE Response><Response/>",
        "<?xml version=\"1.0\"?><!DOCTYPE r [<!ENTITY a \"b\">]><Response>&a;</Response>",
        "<?xml version=\"1.1\"?><Response/>",
        "<?xml?><Response/>",
        "<?xml version=\"1.0\" encoding=\"UTF-16\"?><Response/>",
        "<?xml version=\"1.0\"encoding=\"UTF-8\"?><Response/>",
        "<?xml version=\"1.0\"?>",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        if (twiml_check(rd_str(bad[i])) != RD_EPROTO)
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(twiml_check((struct rd_str){"<Response/>\0", 12}), RD_EPROTO);
}

static void test_depth_attributes_and_size_have_limits(void **state)
{
    char *big = malloc(70000), deep[512] = "<Response>";
    struct rd_str text;
    size_t n = 10;

    (void)state;
    assert_non_null(big);
    for (int i = 0; i < 31; i++)
        n += (size_t)snprintf(deep + n, sizeof(deep) - n, "<a>");
    for (int i = 0; i < 31; i++)
        n += (size_t)snprintf(deep + n, sizeof(deep) - n, "</a>");
    snprintf(deep + n, sizeof(deep) - n, "</Response>");
    assert_int_equal(twiml_check(rd_str(deep)), 0);
    memmove(deep + 14, deep + 10, strlen(deep + 10) + 1);
    memcpy(deep + 10, "<b/>", 4); /* beside, not below */
    assert_int_equal(twiml_check(rd_str(deep)), 0);
    memcpy(deep + 10, "<b> ", 4); /* one deeper */
    assert_int_equal(twiml_check(rd_str(deep)), RD_EPROTO);

    memset(big, ' ', 70000);
    memcpy(big, "<Response/>", 11);
    text = (struct rd_str){big, 65535};
    assert_int_equal(twiml_check(text), 0);
    text.n++;
    assert_int_equal(twiml_check(text), RD_ETOOBIG);
    free(big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_documents_c_writes_are_what_twilio_reads),
        cmocka_unit_test(test_whatever_is_said_stays_well_formed),
        cmocka_unit_test(test_no_room_leaves_nothing_half_written),
        cmocka_unit_test(test_good_documents_pass),
        cmocka_unit_test(test_bad_documents_are_refused),
        cmocka_unit_test(test_depth_attributes_and_size_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
