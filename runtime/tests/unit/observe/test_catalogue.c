/* SPDX-License-Identifier: Apache-2.0 */
/* Each error is explained once, in a sentence, with something to do. */
#include "observe/catalogue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void test_each_code_is_found_and_stands_once(void **state)
{
    size_t n;
    const struct error_family *const *families = catalogue_families(&n);

    (void)state;
    assert_in_range(n, 5, 20);
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < families[f]->n; i++)
            assert_ptr_equal(catalogue_find(families[f]->errors[i].code), &families[f]->errors[i]);
}

static void check_words(const struct error_info *e, const char *words)
{
    if (!words || strlen(words) < 8 || strlen(words) > 200 || strpbrk(words, "\n\"") ||
        words[strlen(words) - 1] == '.')
        fail_msg("%s: \"%s\" is no sentence for a log line", e->code, words ? words : "");
}

static void test_meaning_and_remedy_fit_into_a_log_line(void **state)
{
    size_t n;
    const struct error_family *const *families = catalogue_families(&n);

    (void)state;
    for (size_t f = 0; f < n; f++)
        for (size_t i = 0; i < families[f]->n; i++) {
            check_words(&families[f]->errors[i], families[f]->errors[i].meaning);
            check_words(&families[f]->errors[i], families[f]->errors[i].remedy);
        }
}

static void test_a_remedy_is_found_by_family_and_name(void **state)
{
    char endless[300];

    (void)state;
    assert_string_equal(catalogue_fix("call.", "no_agent"),
                        catalogue_find("call.no_agent")->remedy);
    assert_null(catalogue_fix("call.", "never_heard_of"));
    memset(endless, 'a', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    assert_null(catalogue_fix("call.", endless));
    assert_null(catalogue_find(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_code_is_found_and_stands_once),
        cmocka_unit_test(test_meaning_and_remedy_fit_into_a_log_line),
        cmocka_unit_test(test_a_remedy_is_found_by_family_and_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
