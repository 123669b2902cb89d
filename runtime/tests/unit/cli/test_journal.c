/* SPDX-License-Identifier: Apache-2.0 */
/* `ringdown journal` on files in a data folder, without a node. */
#include "cli/commands.h"
#include "store/journal_file.h"
#include "store/journal_folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { OUT_MAX = 16384 };

static char out[OUT_MAX], folder[64], journal[96];

static void read_back(FILE *f)
{
    size_t n;

    (void)fflush(f);
    rewind(f);
    n = fread(out, 1, OUT_MAX - 1, f);
    out[n] = '\0';
    (void)fclose(f);
}

/* Runs `ringdown journal a b c`; `out` has what it wrote, complaints included. */
static int run(const char *a, const char *b, const char *c)
{
    char words[5][128] = {"ringdown", "journal"};
    char *argv[6] = {words[0], words[1]};
    const char *given[] = {a, b, c};
    int argc = 2, code, old_out = dup(STDOUT_FILENO), old_err = dup(STDERR_FILENO);
    FILE *to = tmpfile();

    for (int i = 0; i < 3 && given[i]; i++, argc++) {
        (void)snprintf(words[argc], sizeof(words[argc]), "%s", given[i]);
        argv[argc] = words[argc];
    }
    (void)fflush(stdout);
    (void)dup2(fileno(to), STDOUT_FILENO);
    (void)dup2(fileno(to), STDERR_FILENO);
    code = cli_main(argc, argv);
    (void)fflush(stdout);
    (void)dup2(old_out, STDOUT_FILENO);
    (void)dup2(old_err, STDERR_FILENO);
    (void)close(old_out);
    (void)close(old_err);
    read_back(to);
    return code;
}

static int set_up(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/ringdown-cli-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    (void)snprintf(journal, sizeof(journal), "%s/journal", folder);
    return setenv("RINGDOWN_DATA", folder, 1);
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder);
    return system(command); /* NOLINT(bugprone-command-processor): our own folder */
}

/* A file with one dead letter and one event that waits. */
static struct journal_file *a_file(void)
{
    static const char body[] = "{\"from\":\"+13125550142\",\"status\":\"nonsense\"}";
    struct journal_event e = {.stream = RD_STR("CA1"),
                              .started_us = 1790000000000000,
                              .epoch = 1790000000000001,
                              .seq = 1,
                              .at_us = 1790000000000002,
                              .type = "webhook",
                              .body = rd_str(body)};
    const struct journal_event *p = &e;
    struct journal_file *f = NULL;

    (void)mkdir(journal, 0700);
    assert_int_equal(0, journal_file_create(&f, journal));
    assert_int_equal(0, journal_file_append(f, &p, 1));
    e.seq = 2;
    assert_int_equal(0, journal_file_append(f, &p, 1));
    assert_int_equal(0, journal_file_bury(f, 1, "23514: +13125550142 has no such status"));
    return f;
}

static void test_nothing_waits_before_there_was_a_call(void **state)
{
    (void)state;
    assert_int_equal(EXIT_OK, run(NULL, NULL, NULL));
    assert_non_null(strstr(out, "Nothing waits"));
    assert_int_equal(EXIT_OK, run("list", "--json", NULL));
    assert_non_null(strstr(out, "{\"files\":[],\"damaged_files\":0,\"dead\":[]}"));
}

static void test_the_list_tells_what_waits_and_why_what_is_dead(void **state)
{
    struct journal_file *f = a_file();

    (void)state;
    assert_int_equal(EXIT_OK, run(NULL, NULL, NULL));
    assert_non_null(strstr(out, "in use"));
    assert_non_null(strstr(out, "23514: +1312…0142 has no such status"));
    assert_null(strstr(out, "+13125550142"));
    journal_file_close(f);
    assert_int_equal(EXIT_OK, run("--full", NULL, NULL));
    assert_non_null(strstr(out, "left over"));
    assert_non_null(strstr(out, "+13125550142"));
}

static void test_one_dead_letter_is_shown_whole_with_numbers_short(void **state)
{
    (void)state;
    journal_file_close(a_file());
    assert_int_equal(EXIT_OK, run("show", "1", NULL));
    assert_non_null(strstr(out, "{\"from\":\"+1312…0142\",\"status\":\"nonsense\"}"));
    assert_int_equal(EXIT_OK, run("show", "1", "--json"));
    assert_non_null(strstr(out, "\"seq\":1"));
    assert_int_equal(EXIT_FAILED, run("show", "7", NULL));
    assert_non_null(strstr(out, "there is no dead letter \"7\""));
    assert_int_equal(EXIT_FAILED, run("show", "x/y", NULL));
}

static void test_a_number_that_two_files_have_must_name_the_file(void **state)
{
    char **paths, id[64];

    (void)state;
    journal_file_close(a_file());
    journal_file_close(a_file());
    assert_int_equal(EXIT_FAILED, run("show", "1", NULL));
    assert_non_null(strstr(out, "say FILE/1"));
    assert_int_equal(2, journal_folder_list(journal, &paths));
    (void)snprintf(id, sizeof(id), "%s", strrchr(paths[1], '/') + 1);
    memcpy(strstr(id, ".db"), "/1", 3);
    journal_folder_free(paths, 2);
    assert_int_equal(EXIT_OK, run("show", id, NULL));
}

static void test_retry_puts_it_behind_the_others_while_a_node_runs(void **state)
{
    struct journal_file *f = a_file();
    struct journal_counts c;

    (void)state;
    assert_int_equal(EXIT_OK, run("retry", "1", NULL));
    assert_non_null(strstr(out, "1 dead letter is sent again"));
    assert_int_equal(0, journal_file_counts(f, &c));
    assert_int_equal(0, c.dead);
    assert_int_equal(2, c.events);
    assert_int_equal(EXIT_OK, run("retry", "--all", "--json"));
    assert_non_null(strstr(out, "{\"retried\":0}"));
    journal_file_close(f);
}

static void test_verify_finds_a_damaged_file(void **state)
{
    char **paths;
    int fd;

    (void)state;
    journal_file_close(a_file());
    assert_int_equal(EXIT_OK, run("verify", NULL, NULL));
    assert_non_null(strstr(out, "sound"));
    assert_int_equal(1, journal_folder_list(journal, &paths));
    fd = open(paths[0], O_WRONLY | O_CLOEXEC);
    assert_int_equal(8, pwrite(fd, "not this", 8, 0));
    (void)close(fd);
    journal_folder_free(paths, 1);
    assert_int_equal(EXIT_FAILED, run("verify", NULL, NULL));
    assert_non_null(strstr(out, "damaged"));
}

static void test_what_is_not_understood_says_where_help_is(void **state)
{
    (void)state;
    assert_int_equal(EXIT_USAGE, run("retry", NULL, NULL));
    assert_int_equal(EXIT_USAGE, run("show", NULL, NULL));
    assert_int_equal(EXIT_USAGE, run("list", "x", NULL));
    assert_int_equal(EXIT_USAGE, run("forget", NULL, NULL));
    assert_non_null(strstr(out, "ringdown journal --help"));
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(test_nothing_waits_before_there_was_a_call),
        T(test_the_list_tells_what_waits_and_why_what_is_dead),
        T(test_one_dead_letter_is_shown_whole_with_numbers_short),
        T(test_a_number_that_two_files_have_must_name_the_file),
        T(test_retry_puts_it_behind_the_others_while_a_node_runs),
        T(test_verify_finds_a_damaged_file),
        T(test_what_is_not_understood_says_where_help_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
