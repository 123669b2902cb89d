/* SPDX-License-Identifier: Apache-2.0 */
/* Media Streams messages: what the network takes, refuses and sends; and its signature. */
#include "sim/carrier/form.h"
#include "sim/carrier/message.h"
#include "sim/carrier/twiml_run.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

static int read_text(const char *text, struct carrier_message *m)
{
    char why[200];

    return carrier_message_read(m, text, strlen(text), "MZ1", why, sizeof(why));
}

static void test_media_mark_and_clear_are_taken(void **state)
{
    struct carrier_message m;

    (void)state;
    assert_int_equal(
        read_text("{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{\"payload\":\"AAH/\"}}",
                  &m),
        0);
    assert_int_equal(m.kind, CARRIER_MEDIA);
    assert_int_equal(m.n_audio, 3);
    assert_int_equal(m.audio[2], 0xFF);
    carrier_message_fini(&m);
    assert_int_equal(
        read_text("{\"event\":\"mark\",\"streamSid\":\"MZ1\",\"mark\":{\"name\":\"r1:2\"}}", &m),
        0);
    assert_int_equal(m.kind, CARRIER_MARK);
    assert_string_equal(m.mark, "r1:2");
    assert_int_equal(read_text("{\"event\":\"clear\",\"streamSid\":\"MZ1\"}", &m), 0);
    assert_int_equal(m.kind, CARRIER_CLEAR);
}

static void test_anything_else_is_refused(void **state)
{
    static const struct {
        const char *text;
        int code;
    } cases[] = {
        {"", 31951},
        {"hello", 31951},
        {"[]", 31951},
        {"{\"event\":1}", 31951},
        {"{\"event\":\"clear\"}", 31951},
        {"{\"event\":\"clear\",\"streamSid\":\"MZ2\"}", 31951},
        {"{\"event\":\"clear\",\"streamSid\":\"MZ1\",\"x\":1}", 31951},
        {"{\"event\":\"clear\",\"streamSid\":\"MZ1\",\"streamSid\":\"MZ1\"}", 31951},
        {"{\"event\":\"clear\",\"streamSid\":\"MZ1\"} x", 31951},
        {"{\"event\":\"stop\",\"streamSid\":\"MZ1\"}", 31951},
        {"{\"event\":\"dtmf\",\"streamSid\":\"MZ1\",\"dtmf\":{\"digit\":\"1\"}}", 31951},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\"}", 31951},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{}}", 31951},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{\"payload\":7}}", 31951},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":"
         "{\"payload\":\"AAH/\",\"track\":\"outbound\"}}",
         31951},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{\"payload\":\"\"}}", 31930},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{\"payload\":\"A*H/\"}}", 31930},
        {"{\"event\":\"media\",\"streamSid\":\"MZ1\",\"media\":{\"payload\":\"AAH\"}}", 31930},
        {"{\"event\":\"mark\",\"streamSid\":\"MZ1\",\"mark\":{\"name\":1}}", 31951},
        {"{\"event\":\"mark\",\"streamSid\":\"MZ1\",\"name\":\"a\"}", 31951},
    };
    struct carrier_message m;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int code = read_text(cases[i].text, &m);
        if (code != cases[i].code)
            fail_msg("%s: %d, not %d", cases[i].text, code, cases[i].code);
    }
}

static const char *text_at(json_t *root, const char *a, const char *b)
{
    json_t *v = json_object_get(root, a);

    return json_string_value(b ? json_object_get(v, b) : v);
}

static json_t *sent(struct buf *b)
{
    json_t *root = json_loadb(b->data, b->n, 0, NULL);

    assert_non_null(root);
    return root;
}

static void test_numbers_are_sent_as_strings_and_count_up(void **state)
{
    struct carrier_stream_ids ids = {"AC1", "CA1", "MZ1", 0, 0};
    struct twiml_action stream = {.n_params = 1};
    uint8_t audio[160];
    struct buf b;
    json_t *root, *start;

    (void)state;
    stream.params[0].name = "agent";
    stream.params[0].value = "front \"desk\"";
    memset(audio, 0xFF, sizeof(audio));
    buf_init(&b, 16384);
    assert_int_equal(carrier_write_connected(&b), 0);
    root = sent(&b);
    assert_string_equal(text_at(root, "event", NULL), "connected");
    assert_int_equal(json_object_size(root), 3);
    json_decref(root);

    assert_int_equal(carrier_write_start(&b, &ids, &stream), 0);
    root = sent(&b);
    start = json_object_get(root, "start");
    assert_string_equal(text_at(root, "sequenceNumber", NULL), "1");
    assert_string_equal(text_at(start, "callSid", NULL), "CA1");
    assert_string_equal(text_at(start, "customParameters", "agent"), "front \"desk\"");
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(start, "mediaFormat"), "sampleRate")),
        8000);
    json_decref(root);

    assert_int_equal(carrier_write_media(&b, &ids, 20, audio, sizeof(audio)), 0);
    root = sent(&b);
    assert_string_equal(text_at(root, "sequenceNumber", NULL), "2");
    assert_string_equal(text_at(root, "media", "chunk"), "1");
    assert_string_equal(text_at(root, "media", "timestamp"), "20");
    assert_int_equal(strlen(text_at(root, "media", "payload")), 216);
    json_decref(root);

    assert_int_equal(carrier_write_dtmf(&b, &ids, '#'), 0);
    root = sent(&b);
    assert_string_equal(text_at(root, "dtmf", "digit"), "#");
    json_decref(root);
    assert_int_equal(carrier_write_mark(&b, &ids, "a\"b"), 0);
    root = sent(&b);
    assert_string_equal(text_at(root, "mark", "name"), "a\"b");
    json_decref(root);
    assert_int_equal(carrier_write_stop(&b, &ids), 0);
    root = sent(&b);
    assert_string_equal(text_at(root, "sequenceNumber", NULL), "5");
    assert_string_equal(text_at(root, "stop", "accountSid"), "AC1");
    json_decref(root);
    buf_fini(&b);
}

static void assert_signed(const char *url, const char *form, const char *want)
{
    struct carrier_form f = {.n = 0};
    char got[CARRIER_SIGNATURE_BYTES];

    assert_int_equal(carrier_form_read(&f, rd_str(form)), 0);
    assert_int_equal(carrier_sign(got, "12345", url, &f), 0);
    assert_string_equal(got, want);
    carrier_form_fini(&f);
}

/* The published vectors, recomputed by code of our own. */
static void test_signatures_are_the_published_ones(void **state)
{
    static const char p[] = "CallSid=CA1234567890ABCDE&Caller=%2B14158675309&Digits=1234"
                            "&From=%2B14158675309&To=%2B18005551212";
    static const char u[] = "https://mycompany.com/myapp.php?foo=1&bar=2";

    (void)state;
    assert_signed(u, p, "RSOYDt4T1cUTdK1PDd93/VVr8B8=");
    assert_signed("http://mycompany.com:1234/myapp.php?foo=1&bar=2", p,
                  "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=");
    assert_signed(u, "Sid=CA123&SidAccount=AC123&Digits=5678&Digits=1234&Digits=1234",
                  "IK+Dwps556ElfBT0I3Rgjkr1wJU=");
    assert_signed("wss://gateway.example.com/media", "", "V5zRoZPQL0lQuzSiPI5hyUl6TT4=");
    assert_signed("wss://gateway.example.com/media#rc=2", "", "V5zRoZPQL0lQuzSiPI5hyUl6TT4=");
}

static void test_forms_come_back_as_they_were_written(void **state)
{
    struct carrier_form f = {.n = 0}, g = {.n = 0};
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    carrier_form_add(&f, "Twiml", "<Response><Say>50% & \"ü\"</Say></Response>");
    carrier_form_add(&f, "Empty", "");
    assert_int_equal(carrier_form_write(&f, &b), 0);
    assert_int_equal(carrier_form_read(&g, (struct rd_str){b.data, b.n}), 0);
    assert_int_equal(g.n, 2);
    assert_string_equal(carrier_form_get(&g, "Twiml"), carrier_form_get(&f, "Twiml"));
    assert_string_equal(carrier_form_get(&g, "Empty"), "");
    assert_null(carrier_form_get(&g, "twiml"));
    carrier_form_fini(&f);
    carrier_form_fini(&g);
    buf_fini(&b);
}

static void test_broken_escapes_are_refused(void **state)
{
    static const char *const bodies[] = {"a=%", "a=%4", "a=%4g", "%zz=1", "a=%00"};

    (void)state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        struct carrier_form f = {.n = 0};
        assert_int_equal(carrier_form_read(&f, rd_str(bodies[i])), RD_EPROTO);
        carrier_form_fini(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_media_mark_and_clear_are_taken),
        cmocka_unit_test(test_anything_else_is_refused),
        cmocka_unit_test(test_numbers_are_sent_as_strings_and_count_up),
        cmocka_unit_test(test_signatures_are_the_published_ones),
        cmocka_unit_test(test_forms_come_back_as_they_were_written),
        cmocka_unit_test(test_broken_escapes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
