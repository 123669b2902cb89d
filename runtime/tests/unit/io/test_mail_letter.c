/* SPDX-License-Identifier: Apache-2.0 */
/* A mail as it goes over the line: whatever is in it stays in it. */
#include "io/mail.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *const ops[] = {"ops@example.com", NULL};
static struct buf out;
static char why[MAIL_WHY_MAX];

static int begin(void **state)
{
    (void)state;
    buf_init(&out, 4 << 20);
    return 0;
}

static int end(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static const char *written(const struct mail_letter *m)
{
    buf_clear(&out);
    assert_int_equal(mail_write(&out, m, 1795329401, why, sizeof(why)), 0);
    return buf_text(&out);
}

static struct mail_letter plain(void)
{
    return (struct mail_letter){.from = "alerts@example.com",
                                .to = ops,
                                .subject = "Hello",
                                .text = "Good morning.",
                                .id = "1@example.com"};
}

static void is_written_as_the_standard_wants_it(void **state)
{
    struct mail_letter m = plain();

    (void)state;
    assert_string_equal(written(&m), "From: alerts@example.com\r\n"
                                     "To: ops@example.com\r\n"
                                     "Subject: Hello\r\n"
                                     "Date: Sun, 22 Nov 2026 06:36:41 +0000\r\n"
                                     "Message-ID: <1@example.com>\r\n"
                                     "Auto-Submitted: auto-generated\r\n"
                                     "MIME-Version: 1.0\r\n"
                                     "Content-Type: text/plain; charset=UTF-8\r\n"
                                     "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                                     "Good morning.\r\n");
}

/* Lines end in CRLF, none is too long, headers are those we wrote. */
static void check_lines(const char *mail)
{
    bool in_head = true;

    for (const char *line = mail; *line;) {
        const char *eol = strstr(line, "\r\n");
        size_t n;

        assert_non_null(eol);
        n = (size_t)(eol - line);
        assert_true(n <= 78);
        assert_null(memchr(line, '\n', n));
        assert_null(memchr(line, '\r', n));
        if (n == 0)
            in_head = false;
        for (size_t i = 0; i < n; i++)
            assert_true((unsigned char)line[i] < 127 && (unsigned char)line[i] >= 32);
        if (in_head && line[0] != ' ')
            assert_true(strncmp(line, "From:", 5) == 0 || strncmp(line, "To:", 3) == 0 ||
                        strncmp(line, "Subject:", 8) == 0 || strncmp(line, "Date:", 5) == 0 ||
                        strncmp(line, "Message-ID:", 11) == 0 || strncmp(line, "Auto-", 5) == 0 ||
                        strncmp(line, "MIME-", 5) == 0 || strncmp(line, "Content-", 8) == 0);
        line = eol + 2;
    }
}

static void stays_within_its_lines_whatever_it_says(void **state)
{
    struct mail_letter m = plain();
    char subject[201], text[1001];

    (void)state;
    srand(7); /* NOLINT(cert-msc32-c): the same each time */
    for (int i = 0; i < 2000; i++) {
        size_t n = (size_t)(rand() % 200), k = (size_t)(rand() % 1000); /* NOLINT */

        for (size_t at = 0; at < n; at++)
            subject[at] = (char)(1 + rand() % 255); /* NOLINT */
        for (size_t at = 0; at < k; at++)
            text[at] = "\r\n\r\n .=a\t\xc3\xbc\xff"[rand() % 12]; /* NOLINT */
        subject[n] = text[k] = '\0';
        m.subject = subject;
        m.text = text;
        m.html = i % 3 ? NULL : text;
        check_lines(written(&m));
    }
}

static void an_address_is_an_address_alone(void **state)
{
    static const char *const good[] = {"a@b", "first.last+tag@mail.example.com", "o'neil@x.org"};
    static const char *const bad[] = {
        "",      "a",     "@b",    "a@",         "a@b\r\nX: y", "a@b\n", "<a@b>",
        "a b@c", "a@b c", "a@b@c", "a,b@c",      "\"a\"@b",     "a@b>",  "a@[1.2.3.4]",
        ".a@b",  "-a@b",  "a@-b",  "\xc3\xa4@b", "a@b\x01",     "a@b;c", "a@b\r\nDATA"};
    char longest[300];

    (void)state;
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
        assert_true(mail_address_valid(good[i]));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(mail_address_valid(bad[i]));
    assert_false(mail_address_valid(NULL));
    memset(longest, 'a', sizeof(longest));
    longest[1] = '@';
    longest[255] = '\0';
    assert_false(mail_address_valid(longest));
    longest[254] = '\0';
    assert_true(mail_address_valid(longest));
}

static void says_what_is_wrong_with_it(void **state)
{
    static const char *const nobody[] = {NULL}, *const bad[] = {"ops@example.com", "a b", NULL};
    struct mail_letter m = plain();

    (void)state;
    m.to = nobody;
    assert_int_equal(mail_write(&out, &m, 0, why, sizeof(why)), -EINVAL);
    assert_string_equal(why, "a mail goes to 1 to 16 addresses");
    m.to = bad;
    assert_int_equal(mail_write(&out, &m, 0, why, sizeof(why)), -EINVAL);
    assert_string_equal(why, "not a mail address: \"a b\"");
    m = plain();
    m.answers = "x>\r\nTo: <y@z";
    assert_int_equal(mail_write(&out, &m, 0, why, sizeof(why)), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(is_written_as_the_standard_wants_it, begin, end),
        cmocka_unit_test_setup_teardown(stays_within_its_lines_whatever_it_says, begin, end),
        cmocka_unit_test_setup_teardown(an_address_is_an_address_alone, begin, end),
        cmocka_unit_test_setup_teardown(says_what_is_wrong_with_it, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
