/* SPDX-License-Identifier: Apache-2.0 */
/* Help texts as data: verbs, options, and what may stand behind them. */
#include "cli/usages.h"

#include "cli/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct usage u;

static const struct usage_option *option(const char *name)
{
    for (size_t i = 0; i < u.n_options; i++)
        if (strcmp(u.options[i].name, name) == 0)
            return &u.options[i];
    fail_msg("there is no option %s", name);
    return NULL;
}

static void test_verbs_stand_in_the_synopsis(void **state)
{
    (void)state;
    usage_parse(&u, "db",
                "usage: ringdown db up | down | hang-up [--dry-run]\n"
                "       ringdown db up N\n"
                "also [--json]\n\n"
                "  ringdown db explode  does nothing of the kind\n");
    assert_int_equal(3, u.n_verbs);
    assert_string_equal("up", u.verbs[0]);
    assert_string_equal("down", u.verbs[1]);
    assert_string_equal("hang-up", u.verbs[2]);
    assert_int_equal(3, u.n_options);
}

static void test_a_word_of_the_person_is_no_verb(void **state)
{
    (void)state;
    usage_parse(&u, "new", "usage: ringdown new [agent] NAME\n\nMakes it.\n");
    assert_int_equal(0, u.n_verbs);
    usage_parse(&u, "why", "usage: ringdown why CALL\n\n");
    assert_int_equal(0, u.n_verbs);
}

static void test_options_know_what_stands_behind_them(void **state)
{
    (void)state;
    usage_parse(&u, "x",
                "usage: ringdown x [--role viewer|operator|admin] [--wav FOLDER] [--to=NUMBER]\n\n"
                "  --calls N   how many; --json prints JSON, --seconds 10 is the default.\n"
                "  --wav is kept as it was. A dash -- is none, --Big is none, --help is.\n");
    assert_int_equal(7, u.n_options);
    assert_int_equal(USAGE_CHOICE, option("--role")->value);
    assert_string_equal("viewer operator admin", option("--role")->choices);
    assert_int_equal(USAGE_PATH, option("--wav")->value);
    assert_int_equal(USAGE_SOMETHING, option("--to")->value);
    assert_int_equal(USAGE_SOMETHING, option("--calls")->value);
    assert_int_equal(USAGE_NONE, option("--json")->value);
    assert_int_equal(USAGE_SOMETHING, option("--seconds")->value);
    assert_string_equal("--help", u.options[6].name);
}

static void test_what_does_not_fit_is_left_out(void **state)
{
    char text[8192] = "usage: ringdown x\n\n";
    size_t n = strlen(text);

    (void)state;
    for (int i = 0; i < 3 * USAGE_WORDS; i++)
        n += (size_t)snprintf(text + n, sizeof(text) - n, "--a%d N\n", i);
    (void)snprintf(text + n, sizeof(text) - n, "--%0*d\n--role a%0*d|b\n", 60, 0, 100, 0);
    usage_parse(&u, "x", text);
    assert_int_equal(USAGE_WORDS, u.n_options);
}

static void test_every_command_can_be_asked(void **state)
{
    (void)state;
    for (const struct command *c = cli_commands(); c->name; c++) {
        struct buf text;

        buf_init(&text, 1 << 16);
        assert_int_equal(0, usage_text(c, &text));
        assert_non_null(buf_text(&text));
        assert_int_equal(0, strncmp(text.data, "usage: ringdown ", 16));
        usage_parse(&u, c->name, text.data);
        assert_true(u.n_options > 0 && u.n_options < USAGE_WORDS);
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_verbs_stand_in_the_synopsis),
        cmocka_unit_test(test_a_word_of_the_person_is_no_verb),
        cmocka_unit_test(test_options_know_what_stands_behind_them),
        cmocka_unit_test(test_what_does_not_fit_is_left_out),
        cmocka_unit_test(test_every_command_can_be_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
