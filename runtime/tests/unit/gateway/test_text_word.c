/* SPDX-License-Identifier: Apache-2.0 */
/* test_text_word.c - who wants no more texts need not spell it as the carrier does. */
#include "gateway/texts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void expect(const char *body, enum text_word means)
{
    if (text_word_of(rd_str(body)) != means)
        fail_msg("'%s' is taken for something else", body);
}

static void test_stop_is_heard_however_it_is_written(void **state)
{
    (void)state;
    expect("STOP", TEXT_STOP);
    expect("  stop.\n", TEXT_STOP);
    expect("Stop,", TEXT_STOP);
    expect("STOP ALL", TEXT_STOP);
    expect("stop please!!", TEXT_STOP);
    expect("Please stop texting me", TEXT_WORDS); /* nobody guesses at sentences */
    expect("opt-out", TEXT_STOP);
    expect("\xe2\x80\x8bSTOP\xe2\x80\x8b", TEXT_STOP); /* zero-width spaces */
    expect("\xc2\xa1"
           "alto!",
           TEXT_STOP);
}

static void test_a_text_that_only_begins_so_is_a_text(void **state)
{
    (void)state;
    expect("stop by at nine tomorrow", TEXT_WORDS);
    expect("end of the street", TEXT_WORDS);
    expect("cancel my visit on the 5th", TEXT_WORDS);
    expect("START at 9", TEXT_WORDS);
    expect("", TEXT_WORDS);
    expect("1", TEXT_WORDS);
    expect("...", TEXT_WORDS);
}

static void test_the_other_words_have_their_meaning(void **state)
{
    (void)state;
    expect("Start", TEXT_START);
    expect("unstop", TEXT_START);
    expect("yes!", TEXT_YES);
    expect("Help?", TEXT_HELP);
    expect("info", TEXT_HELP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stop_is_heard_however_it_is_written),
        cmocka_unit_test(test_a_text_that_only_begins_so_is_a_text),
        cmocka_unit_test(test_the_other_words_have_their_meaning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
