/* SPDX-License-Identifier: Apache-2.0 */
/* test_diff.c - what changed between two texts; diff(1) and patch(1) are asked, too. */
#include "cli/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static struct buf out;

static int set_up(void **state)
{
    (void)state;
    buf_init(&out, 1 << 20);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_fini(&out);
    return 0;
}

static const char *diff(const char *before, const char *after)
{
    buf_clear(&out);
    assert_int_equal(diff_add(&out, "a.lua", rd_str(before), rd_str(after)), 0);
    return buf_text(&out);
}

static void test_equal_texts_differ_in_nothing(void **state)
{
    (void)state;
    assert_string_equal(diff("a\nb\n", "a\nb\n"), "");
    assert_string_equal(diff("", ""), "");
}

static void test_a_changed_line_stands_in_its_context(void **state)
{
    (void)state;
    assert_string_equal(diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nfive\n6\n7\n8\n9\n"),
                        "--- a/a.lua\n+++ b/a.lua\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n"
                        " 8\n");
}

static void test_a_new_file_and_one_that_goes(void **state)
{
    (void)state;
    assert_string_equal(diff(NULL, "a\nb\n"),
                        "--- /dev/null\n+++ b/a.lua\n@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_string_equal(diff("a\n", NULL), "--- a/a.lua\n+++ /dev/null\n@@ -1,1 +0,0 @@\n-a\n");
}

static void test_changes_far_apart_are_two_hunks(void **state)
{
    const char *text =
        diff("a\n1\n2\n3\n4\n5\n6\n7\n8\n9\nb\n", "A\n1\n2\n3\n4\n5\n6\n7\n8\n9\nB\n");

    (void)state;
    assert_non_null(strstr(text, "@@ -1,4 +1,4 @@\n-a\n+A\n"));
    assert_non_null(strstr(text, "@@ -8,4 +8,4 @@\n 7\n 8\n 9\n-b\n+B\n"));
}

static void write_text(const char *path, struct rd_str text)
{
    FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text.p, 1, text.n, f), text.n);
    assert_int_equal(fclose(f), 0);
}

static size_t random_text(char *text, unsigned *seed, unsigned lines)
{
    size_t n = 0;

    for (unsigned i = (unsigned)rand_r(seed) % lines; i > 0; i--)
        n += (size_t)sprintf(text + n, "line %d\n", rand_r(seed) % 6);
    return n;
}

/* What we write, patch(1) applies: before becomes after, for random pairs. */
static void test_patch_agrees(void **state)
{
    char folder[] = "/tmp/diff-XXXXXX", before[4096], after[4096], path[64], command[200];
    unsigned seed = 7;

    (void)state;
    if (system("command -v patch >/dev/null 2>&1") != 0)
        skip();
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 60; i++) {
        struct rd_str a = {before, random_text(before, &seed, 40)};
        struct rd_str b = {after, random_text(after, &seed, 40)};

        buf_clear(&out);
        assert_int_equal(diff_add(&out, "x", a, b), 0);
        if (out.n == 0)
            continue;
        (void)snprintf(path, sizeof(path), "%s/x", folder);
        write_text(path, a);
        (void)snprintf(path, sizeof(path), "%s/want", folder);
        write_text(path, b);
        (void)snprintf(path, sizeof(path), "%s/p", folder);
        write_text(path, (struct rd_str){out.data, out.n});
        (void)snprintf(command, sizeof(command),
                       "cd %s && patch -s -f x p && cmp x want && rm -f x.orig", folder);
        if (system(command) != 0)
            fail_msg("%d:\n%s", i, buf_text(&out));
    }
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_equal_texts_differ_in_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_changed_line_stands_in_its_context, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_new_file_and_one_that_goes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_changes_far_apart_are_two_hunks, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_patch_agrees, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
