/* SPDX-License-Identifier: Apache-2.0 */
/* test_migration.c - a folder of migrations, and what a database's history says about it. */
#include "store/migration.h"

#include "base/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];
static char why[512];

static void put(const char *file, const char *sql)
{
    char path[160];
    FILE *f;

    (void)snprintf(path, sizeof(path), "%s/%s", folder, file);
    f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(sql, f) >= 0);
    assert_int_equal(0, fclose(f));
}

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/ringdown-migration.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const files[] = {"0001_first.sql", "0002_second.sql", "0003_third.sql",
                                        "notes.sql"};
    char path[160];

    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", folder, files[i]);
        (void)unlink(path);
    }
    return rmdir(folder);
}

static const char first[] = "-- SPDX\n-- oldest-binary: 0.1.0\nselect 1;\n";
static const char second[] = "-- oldest-binary: 0.2.0\nselect 2;\n";

/* What the database would say after applying a list. */
static struct migration_list history_of(const struct migration_list *files)
{
    struct migration_list l = {calloc(files->n + 1, sizeof(*l.items)), files->n};

    assert_non_null(l.items);
    memcpy(l.items, files->items, files->n * sizeof(*l.items));
    for (size_t i = 0; i < l.n; i++)
        l.items[i].sql = NULL;
    return l;
}

static void test_a_name_is_four_digits_and_what_changes(void **state)
{
    static const char *const bad[] = {
        "1_x.sql",    "00001_x.sql", "0000_x.sql",   "0001x.sql", "0001_.sql", "0001_X.sql",
        "0001_x.txt", "0001_x.sql~", "0001_x y.sql", "",          "0001"};
    unsigned version = 0;
    char name[MIGRATION_NAME];
    char lengthy[MIGRATION_NAME + 16];

    (void)state;
    assert_true(migration_parse_name("0042_what_changes.sql", &version, name));
    assert_int_equal(42, version);
    assert_string_equal("what_changes", name);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_false(migration_parse_name(bad[i], &version, name));
    (void)snprintf(lengthy, sizeof(lengthy), "0001_%064d.sql", 0);
    assert_false(migration_parse_name(lengthy, &version, name));
}

static void test_a_file_says_which_binary_it_accepts(void **state)
{
    char binary[MIGRATION_BINARY];

    (void)state;
    assert_true(migration_parse_binary(first, binary));
    assert_string_equal("0.1.0", binary);
    assert_false(migration_parse_binary("select 1;\n-- oldest-binary: 0.1.0\n", binary));
    assert_false(migration_parse_binary("-- oldest-binary: soon\n", binary));
    assert_false(migration_parse_binary("-- oldest-binary: 0.1\n", binary));
    assert_false(
        migration_parse_binary("-- oldest-binary: 111111111111111111111111.0.1\n", binary));
    assert_false(migration_parse_binary("-- nothing", binary));
    assert_false(migration_parse_binary("", binary));
}

static void test_a_folder_is_read_in_order(void **state)
{
    struct migration_list l;

    (void)state;
    put("0002_second.sql", second);
    put("0001_first.sql", first);
    assert_int_equal(0, migration_list_read(&l, folder, why, sizeof(why)));
    assert_int_equal(2, l.n);
    assert_string_equal("first", l.items[0].name);
    assert_string_equal(second, l.items[1].sql);
    assert_string_equal("0.2.0", l.items[1].oldest_binary);
    assert_int_equal(64, strlen(l.items[0].checksum));
    assert_string_not_equal(l.items[0].checksum, l.items[1].checksum);
    migration_list_fini(&l);
}

static void expect_refusal(const char *words)
{
    struct migration_list l;

    assert_int_equal(RD_ECONFIG, migration_list_read(&l, folder, why, sizeof(why)));
    assert_non_null(strstr(why, words));
    assert_null(l.items);
}

static void test_a_folder_with_a_gap_is_refused(void **state)
{
    (void)state;
    put("0001_first.sql", first);
    put("0003_third.sql", first);
    expect_refusal("0002 was expected");
}

static void test_a_file_with_another_name_is_refused(void **state)
{
    (void)state;
    put("0001_first.sql", first);
    put("notes.sql", first);
    expect_refusal("NNNN_what_changes.sql");
}

static void test_a_file_that_accepts_nobody_is_refused(void **state)
{
    (void)state;
    put("0001_first.sql", "select 1;\n");
    expect_refusal("oldest-binary");
}

static void test_an_empty_or_missing_folder_is_refused(void **state)
{
    struct migration_list l;

    (void)state;
    expect_refusal("no migrations");
    assert_int_equal(RD_ECONFIG, migration_list_read(&l, "/nowhere", why, sizeof(why)));
    assert_non_null(strstr(why, "installed beside scripts/"));
}

static void test_what_was_applied_unchanged_is_fine(void **state)
{
    struct migration_list files, applied;

    (void)state;
    put("0001_first.sql", first);
    put("0002_second.sql", second);
    assert_int_equal(0, migration_list_read(&files, folder, why, sizeof(why)));
    applied = history_of(&files);
    assert_int_equal(0, migration_compare(&files, &applied, "0.2.0", why, sizeof(why)));
    applied.n = 1;
    assert_int_equal(0, migration_compare(&files, &applied, "0.10.0", why, sizeof(why)));
    applied.n = 0;
    assert_int_equal(0, migration_compare(&files, &applied, "1.0.0", why, sizeof(why)));
    free(applied.items);
    migration_list_fini(&files);
}

static void test_edited_history_is_refused(void **state)
{
    struct migration_list files, applied;

    (void)state;
    put("0001_first.sql", first);
    assert_int_equal(0, migration_list_read(&files, folder, why, sizeof(why)));
    applied = history_of(&files);
    applied.items[0].checksum[5] ^= 1;
    assert_int_equal(RD_ECONFIG, migration_compare(&files, &applied, "0.1.0", why, sizeof(why)));
    assert_non_null(strstr(why, "0001_first.sql"));
    assert_non_null(strstr(why, "a new one"));
    free(applied.items);
    migration_list_fini(&files);
}

static void test_a_hole_in_the_history_is_refused(void **state)
{
    struct migration_list files, applied;

    (void)state;
    put("0001_first.sql", first);
    put("0002_second.sql", second);
    assert_int_equal(0, migration_list_read(&files, folder, why, sizeof(why)));
    applied = history_of(&files);
    applied.items[0] = applied.items[1];
    applied.n = 1;
    assert_int_equal(RD_ECONFIG, migration_compare(&files, &applied, "0.2.0", why, sizeof(why)));
    assert_non_null(strstr(why, "no row for 0001"));
    free(applied.items);
    migration_list_fini(&files);
}

static void test_a_newer_schema_decides_whom_it_accepts(void **state)
{
    struct migration_list files, applied;

    (void)state;
    put("0001_first.sql", first);
    put("0002_second.sql", second);
    assert_int_equal(0, migration_list_read(&files, folder, why, sizeof(why)));
    applied = history_of(&files);
    free(files.items[1].sql);
    files.n = 1;
    assert_int_equal(RD_ESTATE, migration_compare(&files, &applied, "0.1.9", why, sizeof(why)));
    assert_non_null(strstr(why, "needs ringdown 0.2.0 or newer, and this is 0.1.9"));
    assert_int_equal(0, migration_compare(&files, &applied, "0.2.0", why, sizeof(why)));
    (void)snprintf(applied.items[1].oldest_binary, MIGRATION_BINARY, "next");
    assert_int_equal(RD_ESTATE, migration_compare(&files, &applied, "9.0.0", why, sizeof(why)));
    free(applied.items);
    migration_list_fini(&files);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_name_is_four_digits_and_what_changes),
        cmocka_unit_test(test_a_file_says_which_binary_it_accepts),
        IN_FOLDER(test_a_folder_is_read_in_order),
        IN_FOLDER(test_a_folder_with_a_gap_is_refused),
        IN_FOLDER(test_a_file_with_another_name_is_refused),
        IN_FOLDER(test_a_file_that_accepts_nobody_is_refused),
        IN_FOLDER(test_an_empty_or_missing_folder_is_refused),
        IN_FOLDER(test_what_was_applied_unchanged_is_fine),
        IN_FOLDER(test_edited_history_is_refused),
        IN_FOLDER(test_a_hole_in_the_history_is_refused),
        IN_FOLDER(test_a_newer_schema_decides_whom_it_accepts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
