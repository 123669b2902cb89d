/* SPDX-License-Identifier: Apache-2.0 */
/* test_operate.c - a command that has the library work: what goes where, which exit code, and what a
 * person at the keyboard can do. The library is one module; the database is a port where nobody is. */
#include "base/log.h"
#include "cli/commands.h"
#include "cli/operate.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char library[] =
    "local host, json = require 'ringdown.host', require 'cjson.safe'\n"
    "local M, kinds = {}, {}\n"
    "local function tell(value) host.tell(json.encode(value)) end\n"
    "function kinds.tells()\n"
    "  tell { text = 'a line' }\n"
    "  tell { progress = '1 of 2' }\n"
    "  tell { note = 'a warning' }\n"
    "  return '{\"n\":2}'\n"
    "end\n"
    "function kinds.fails() return '{\"failed\":true}' end\n"
    "function kinds.misused() return '{\"usage\":true}' end\n"
    "function kinds.raises() error('no such number; see: ringdown numbers list', 0) end\n"
    "function kinds.until_stopped(wish)\n"
    "  tell { text = 'begun' }\n"
    "  while wish.deaf or not host.stopping() do host.sleep(1) end\n"
    "  return '{\"stopped\":true}'\n"
    "end\n"
    "function kinds.asks()\n"
    "  local rows, why, code = host.query('select 1', {})\n"
    "  tell { text = code .. ': ' .. why }\n"
    "  return '{}'\n"
    "end\n"
    "function kinds.keeps()\n"
    "  assert(host.keep('note.txt', 'kept by ' .. (host.who() ~= '' and 'somebody' or 'nobody')))\n"
    "  return '{}'\n"
    "end\n"
    "function M.operate(kind, text) return kinds[kind](json.decode(text)) end\n"
    "return M\n";

static struct settings settings;
static char folder[64], data[80], no_agents[80], empty[] = "", from_folder[] = "folder";
static char url[] = "postgres://127.0.0.1:1/nobody";

static char *path_of(const char *name)
{
    static char path[200];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return path;
}

static int set_up(void **state)
{
    FILE *f;

    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    (void)snprintf(folder, sizeof(folder), "/tmp/operate-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(path_of("ringdown"), 0700), 0);
    f = fopen(path_of("ringdown/runtime.lua"), "we");
    assert_non_null(f);
    assert_true(fputs(library, f) >= 0);
    assert_int_equal(fclose(f), 0);
    (void)snprintf(data, sizeof(data), "%s/data", folder);
    assert_int_equal(mkdir(data, 0700), 0);
    (void)snprintf(no_agents, sizeof(no_agents), "%s/agents", folder);
    settings = (struct settings){.library_path = folder,
                                 .agents_path = no_agents,
                                 .agents_source = from_folder,
                                 .data = data,
                                 .database_url = url,
                                 .ca_file = empty,
                                 .cluster_secret = empty,
                                 .public_url = empty,
                                 .twilio_api = empty,
                                 .twilio_sid = empty,
                                 .vapi_api = empty,
                                 .vapi_key = empty,
                                 .script_deadline_ms = 1000};
    return 0;
}

static int tear_down(void **state)
{
    char command[100];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

/* --- what was said --- */

static char out[4096], err[4096];

static void read_back(const char *name, char *to, size_t cap)
{
    FILE *f = fopen(path_of(name), "re");
    size_t n;

    assert_non_null(f);
    n = fread(to, 1, cap - 1, f);
    to[n] = '\0';
    (void)fclose(f);
}

static int divert(int fd, const char *name)
{
    int kept = dup(fd);
    FILE *f = fopen(path_of(name), "we");

    assert_non_null(f);
    assert_true(kept >= 0 && dup2(fileno(f), fd) >= 0);
    (void)fclose(f);
    return kept;
}

static void restore(int fd, int kept)
{
    assert_true(dup2(kept, fd) >= 0);
    close(kept);
}

static int run(const char *kind, json_t *wish, bool as_json)
{
    struct operate_opts o = {
        .settings = &settings, .command = "numbers", .kind = kind, .as_json = as_json};
    int kept_out, kept_err, code;

    fflush(NULL);
    kept_out = divert(STDOUT_FILENO, "out");
    kept_err = divert(STDERR_FILENO, "err");
    code = operate(&o, wish);
    fflush(NULL);
    restore(STDOUT_FILENO, kept_out);
    restore(STDERR_FILENO, kept_err);
    read_back("out", out, sizeof(out));
    read_back("err", err, sizeof(err));
    return code;
}

/* --- stories --- */

static void test_lines_go_to_stdout_and_the_rest_beside_it(void **state)
{
    (void)state;
    assert_int_equal(run("tells", json_object(), false), EXIT_OK);
    assert_string_equal(out, "a line\n");
    assert_string_equal(err, "1 of 2\nnote: a warning\n");
}

static void test_programs_get_the_result_alone(void **state)
{
    (void)state;
    assert_int_equal(run("tells", json_object(), true), EXIT_OK);
    assert_string_equal(out, "{\n  \"n\": 2\n}\n");
    assert_string_equal(err, "note: a warning\n");
}

static void test_the_result_decides_on_the_exit_code(void **state)
{
    (void)state;
    assert_int_equal(run("fails", json_object(), false), EXIT_FAILED);
    assert_int_equal(run("misused", json_object(), false), EXIT_USAGE);
    assert_string_equal(err, "");
}

static void test_what_is_raised_is_the_complaint(void **state)
{
    (void)state;
    assert_int_equal(run("raises", json_object(), false), EXIT_FAILED);
    assert_string_equal(out, "");
    assert_string_equal(err, "ringdown numbers: no such number; see: ringdown numbers list\n");
}

static void test_a_database_that_is_away_is_told_when_it_is_asked(void **state)
{
    (void)state;
    assert_int_equal(run("asks", json_object(), false), EXIT_OK);
    assert_memory_equal(out, "down: ", 6);
    assert_non_null(strstr(out, "Connection refused"));
    assert_non_null(strstr(out, "database.url")); /* what to do */
}

static void test_files_are_kept_in_the_data_folder(void **state)
{
    char text[100];

    (void)state;
    assert_int_equal(run("keeps", json_object(), false), EXIT_OK);
    read_back("data/kept/note.txt", text, sizeof(text));
    assert_string_equal(text, "kept by somebody");
}

static pid_t interrupt_after_it_began(unsigned times)
{
    pid_t parent = getpid(), child = fork();
    char seen[100] = "";

    if (child != 0)
        return child;
    while (!strstr(seen, "begun")) {
        usleep(10000);
        if (access(path_of("out"), F_OK) == 0)
            read_back("out", seen, sizeof(seen));
    }
    for (unsigned i = 0; i < times; i++) {
        (void)kill(parent, SIGINT);
        usleep(100000);
    }
    _exit(0);
}

static void test_an_interrupt_ends_it_after_its_step(void **state)
{
    (void)state;
    interrupt_after_it_began(1);
    assert_int_equal(run("until_stopped", json_object(), false), EXIT_OK);
    assert_non_null(strstr(err, "ending after this step; once more ends it at once"));
}

static void test_the_second_one_ends_it_at_once(void **state)
{
    (void)state;
    interrupt_after_it_began(2);
    assert_int_equal(run("until_stopped", json_pack("{s:b}", "deaf", true), false), EXIT_FAILED);
    assert_non_null(strstr(err, "ringdown numbers: this process ends"));
}

static void test_without_memory_for_the_wish_it_says_so(void **state)
{
    (void)state;
    assert_int_equal(run("tells", NULL, false), EXIT_FAILED);
    assert_string_equal(err, "ringdown numbers: not enough memory\n");
}

int main(void)
{
#define LIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LIVES(test_lines_go_to_stdout_and_the_rest_beside_it),
        LIVES(test_programs_get_the_result_alone),
        LIVES(test_the_result_decides_on_the_exit_code),
        LIVES(test_what_is_raised_is_the_complaint),
        LIVES(test_a_database_that_is_away_is_told_when_it_is_asked),
        LIVES(test_files_are_kept_in_the_data_folder),
        LIVES(test_an_interrupt_ends_it_after_its_step),
        LIVES(test_the_second_one_ends_it_at_once),
        LIVES(test_without_memory_for_the_wish_it_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
