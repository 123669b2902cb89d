/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP heads, WebSocket frames and mails with each allocation failing: read whole or told, and the same again
 * after it. */
#include "failing_malloc.h"

#include "base/err.h"
#include "io/http_parse.h"
#include "io/mail.h"
#include "io/ws_codec.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void head(void)
{
    static const char text[] =
        "POST /twilio/voice HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n";
    struct http_head h;
    size_t used, at = 0;
    int rc = 0;

    http_head_init(&h, false);
    while (rc == 0 && at < sizeof(text) - 1) { /* in pieces */
        size_t n = sizeof(text) - 1 - at < 7 ? sizeof(text) - 1 - at : 7;

        rc = http_head_feed(&h, text + at, n, &used);
        at += n;
    }
    assert_true(rc == 1 || (rc == -500 && failing_has_failed()));
    http_head_fini(&h);
}

/* A text in three fragments, of which each comes in two pieces. */
static void frames(void)
{
    struct ws_decoder d;
    struct ws_event ev = {0};
    char part[2 + 4 + 2000];
    int rc = 0, events = 0;

    ws_decoder_init(&d, true, 65536);
    for (int i = 0; i < 3 && rc >= 0; i++) {
        size_t at = 0, total = 8 + 1900;

        memset(part, 'x', sizeof(part));
        part[0] = (char)(i == 0 ? 0x01 : i == 2 ? 0x80 : 0x00);
        part[1] = (char)(0x80 | 126);
        part[2] = 1900 >> 8;
        part[3] = (char)(1900 & 255);
        memset(part + 4, 0, 4);
        while (at < total && rc >= 0) {
            size_t n = at == 0 ? 700 : total - at;
            char *p = part + at;

            at += n;
            while ((rc = ws_decode(&d, &p, &n, &ev)) > 0)
                events++;
        }
    }
    assert_true(rc == 0 || (rc == -ENOMEM && failing_has_failed()));
    assert_int_equal(ws_close_code(-ENOMEM), 1011);
    assert_int_equal(events, rc == 0);
    if (events)
        assert_int_equal(ev.n, 3 * 1900);
    ws_decoder_fini(&d);
}

static void mail(void)
{
    static const char *const to[] = {"ann@example.com", NULL};
    const struct mail_letter m = {.from = "a@example.com",
                                  .to = to,
                                  .subject = "\xc3\xbc",
                                  .text = "text",
                                  .html = "<p>text</p>"};
    char why[MAIL_WHY_MAX] = "";
    struct buf out;
    int rc;

    buf_init(&out, 1 << 20);
    rc = mail_write(&out, &m, 1795600000, why, sizeof(why));
    assert_true(rc == 0 || (rc == -ENOMEM && failing_has_failed() && why[0]));
    buf_fini(&out);
}

static void sweep(failing_story *story)
{
    assert_in_range(failing_sweep(story, FAILS_ONCE), 1, 1000);
    assert_in_range(failing_sweep(story, FAILS_FROM_THEN_ON), 1, 1000);
}

static void test_a_head_is_read_or_refused(void **state)
{
    (void)state;
    sweep(head);
}

static void test_fragments_are_one_message_or_none(void **state)
{
    (void)state;
    sweep(frames);
}

static void test_a_mail_is_written_or_told_why_not(void **state)
{
    (void)state;
    sweep(mail);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_head_is_read_or_refused),
        cmocka_unit_test(test_fragments_are_one_message_or_none),
        cmocka_unit_test(test_a_mail_is_written_or_told_why_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
