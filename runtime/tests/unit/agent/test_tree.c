/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c - a folder of agents at one moment, and what follows from an edit. */
#include "agent/tree.h"

#include "agent/agents.h"
#include "base/err.h"
#include "lua/vm.h"
#include "unit/agent/fake_node.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake_node node;
static char why[512];

static int set_up(void **state)
{
    (void)state;
    fake_node_init(&node);
    return 0;
}

static int tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s/*", node.folder);
    assert_int_equal(system(command), 0);
    fake_node_fini(&node);
    return 0;
}

static void make_folder(const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", node.folder, name);
    assert_return_code(mkdir(path, 0700), errno);
}

static void make_link(const char *to, const char *name)
{
    char path[400];

    (void)snprintf(path, sizeof(path), "%s/%s", node.folder, name);
    assert_return_code(symlink(to, path), errno);
}

static struct tree *read_tree(void)
{
    struct tree *t = NULL;

    assert_int_equal(tree_read(&t, node.folder, why, sizeof(why)), 0);
    return t;
}

static void test_a_tree_holds_what_counts_and_nothing_of_editors(void **state)
{
    struct tree *t;

    (void)state;
    make_folder("lib");
    fake_agent(&node, "b.lua", "return 1\n");
    fake_agent(&node, "b_spec.lua", "-- a spec\n");
    fake_agent(&node, "lib/prices.lua", "return {}\n");
    fake_agent(&node, "b.lua~", "old");
    fake_agent(&node, ".b.lua.swp", "swap");
    fake_agent(&node, "4913", "");
    fake_agent(&node, "#b.lua#", "lock");
    t = read_tree();
    assert_int_equal(tree_count(t), 3);
    assert_string_equal(tree_at(t, 0).path, "b.lua");
    assert_string_equal(tree_at(t, 1).path, "b_spec.lua");
    assert_string_equal(tree_at(t, 2).path, "lib/prices.lua");
    assert_true(rd_str_eq(tree_find(t, "b.lua"), RD_STR("return 1\n")));
    assert_null(tree_find(t, "c.lua").p);
    assert_non_null(tree_folders(t)[1]);
    assert_null(tree_folders(t)[2]);
    tree_unref(t);
}

static void test_the_same_files_are_the_same_tree_and_survive_json(void **state)
{
    struct tree *t, *again;
    char hash[65];
    struct buf json;

    (void)state;
    fake_agent(&node, "a.lua", "return \"\\u{e4}\"\n");
    fake_agent(&node, "a.md", "\xc3\xa4\t\"quoted\"\n");
    t = read_tree();
    buf_init(&json, 1 << 20);
    assert_int_equal(tree_to_json(t, &json, why, sizeof(why)), 0);
    assert_int_equal(tree_from_json(&again, (struct rd_str){json.data, json.n}, why, sizeof(why)),
                     0);
    assert_string_equal(tree_hash(again), tree_hash(t));
    assert_int_equal(strlen(tree_hash(t)), 64);
    (void)snprintf(hash, sizeof(hash), "%s", tree_hash(t));
    tree_unref(t);
    tree_unref(again);
    fake_agent(&node, "a.md", "another\n");
    t = read_tree();
    assert_string_not_equal(tree_hash(t), hash);
    tree_unref(t);
    fake_agent(&node, "a.md", "\xff\n");
    t = read_tree();
    buf_clear(&json);
    assert_int_equal(tree_to_json(t, &json, why, sizeof(why)), RD_EPROTO);
    assert_non_null(strstr(why, "a.md: is no UTF-8 text"));
    tree_unref(t);
    buf_fini(&json);
}

static void refuse_json(const char *json, const char *words)
{
    struct tree *t = NULL;

    assert_true(tree_from_json(&t, rd_str(json), why, sizeof(why)) < 0);
    assert_null(t);
    if (!strstr(why, words))
        fail_msg("'%s' is not in '%s'", words, why);
}

static void test_a_release_cannot_leave_its_folder(void **state)
{
    (void)state;
    refuse_json("{\"../x.lua\":\"\"}", "no good name");
    refuse_json("{\"/etc/x.lua\":\"\"}", "no good name");
    refuse_json("{\"lib/../../x\":\"\"}", "no good name");
    refuse_json("{\"a\\u001b[2J.lua\":\"\"}", "no good name");
    refuse_json("{\"a.lua\":5}", "cannot be read");
    refuse_json("[]", "cannot be read");
    refuse_json("{\"a.lua\":\"1\",\"a.lua\":\"2\"}", "cannot be read");
}

static void test_links_stay_inside(void **state)
{
    struct tree *t = NULL;

    (void)state;
    make_folder("lib");
    fake_agent(&node, "lib/v2.lua", "return 2\n");
    make_link("v2.lua", "lib/now.lua");
    make_link("nowhere", "gone.lua");
    t = read_tree();
    assert_true(rd_str_eq(tree_find(t, "lib/now.lua"), RD_STR("return 2\n")));
    assert_null(tree_find(t, "gone.lua").p);
    tree_unref(t);
    make_link("/etc/passwd", "evil.lua");
    assert_int_equal(tree_read(&t, node.folder, why, sizeof(why)), RD_ECONFIG);
    assert_non_null(strstr(why, "evil.lua: is a link that leads out of the folder"));
}

static void test_a_ring_of_links_and_a_file_too_large_are_told(void **state)
{
    struct tree *t = NULL;
    char *text = calloc(1, TREE_FILE_BYTES + 2);

    (void)state;
    make_folder("lib");
    make_link("..", "lib/up");
    assert_true(tree_read(&t, node.folder, why, sizeof(why)) < 0);
    assert_non_null(text);
    memset(text, 'x', TREE_FILE_BYTES + 1);
    (void)snprintf(why, sizeof(why), "rm %s/lib/up", node.folder);
    assert_int_equal(system(why), 0);
    fake_agent(&node, "big.md", text);
    assert_int_equal(tree_read(&t, node.folder, why, sizeof(why)), RD_ETOOBIG);
    assert_non_null(strstr(why, "big.md: larger than 1 MiB"));
    free(text);
}

static void test_the_stamp_tells_a_change_without_reading(void **state)
{
    struct tree *t;
    uint64_t stamp;

    (void)state;
    fake_agent(&node, "a.lua", "return 1\n");
    t = read_tree();
    assert_int_equal(tree_stamp(node.folder, &stamp), 0);
    assert_true(stamp == tree_stamp_of(t));
    fake_agent(&node, "a.lua", "return 22\n");
    assert_int_equal(tree_stamp(node.folder, &stamp), 0);
    assert_true(stamp != tree_stamp_of(t));
    tree_unref(t);
}

/* Two files that must change together, renamed into place by a neighbour as fast as it can: what is
 * read is never half of one and half of the other. */
static atomic_bool over;

static void *neighbour(void *arg)
{
    (void)arg;
    for (int i = 0; !atomic_load(&over); i++) {
        struct timespec pause = {.tv_nsec = 30000000};

        for (int k = 0; k < 2; k++) {
            char path[400], temporary[400];
            FILE *f;

            (void)snprintf(path, sizeof(path), "%s/%c.lua", node.folder, 'a' + k);
            (void)snprintf(temporary, sizeof(temporary), "%s/.new", node.folder);
            f = fopen(temporary, "we");
            if (!f)
                return NULL;
            (void)fprintf(f, "return %d\n", i);
            (void)fclose(f);
            (void)rename(temporary, path);
        }
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void test_what_is_read_is_of_one_moment(void **state)
{
    pthread_t thread;
    int good = 0;

    (void)state;
    fake_agent(&node, "a.lua", "return 0\n");
    fake_agent(&node, "b.lua", "return 0\n");
    atomic_store(&over, false);
    assert_int_equal(pthread_create(&thread, NULL, neighbour, NULL), 0);
    for (int i = 0; i < 200; i++) {
        struct tree *t = NULL;
        int a, b, rc = tree_read(&t, node.folder, why, sizeof(why));

        if (rc) {
            assert_int_equal(rc, -EAGAIN);
            continue;
        }
        a = atoi(tree_find(t, "a.lua").p + 7);
        b = atoi(tree_find(t, "b.lua").p + 7);
        assert_in_range(a - b, 0, 1); /* the second file a moment later is a moment, too */
        good++;
        tree_unref(t);
    }
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    assert_true(good > 10);
}

/* --- what follows for the agents --- */

#define AGENT(name, more)                                                                \
    "local agent = require 'ringdown.agent'\n" more "return agent { name = '" name "', " \
    "greeting = 'Hi.', prompt = 'Help.' }\n"

static struct agent_set *reload(struct agent_set *old)
{
    struct agent_set *next = NULL;

    buf_clear(&node.complaints);
    assert_int_equal(agent_set_reload(&next, old, node.folder, "scripts", &node.complaints), 0);
    return next;
}

static void test_only_agents_that_changed_are_loaded_again(void **state)
{
    struct agent_set *first, *second, *third;

    (void)state;
    make_folder("lib");
    fake_agent(&node, "lib/words.lua", "return 'Hi.'\n");
    fake_agent(&node, "a.lua", AGENT("a", "require 'lib.words'\n"));
    fake_agent(&node, "b.lua", AGENT("b", ""));
    fake_agent(&node, "a_spec.lua", "-- not loaded\n");
    first = reload(NULL);
    assert_int_equal(agent_set_count(first), 2);
    fake_agent(&node, "a_spec.lua", "-- changed\n");
    second = reload(first);
    assert_ptr_equal(agent_set_at(first, 0), agent_set_at(second, 0));
    assert_ptr_equal(agent_set_at(first, 1), agent_set_at(second, 1));
    fake_agent(&node, "lib/words.lua", "return 'Hello.'\n");
    third = reload(second);
    assert_ptr_not_equal(agent_set_at(first, 0), agent_set_at(third, 0));
    assert_string_not_equal(agent_set_at(first, 0)->version, agent_set_at(third, 0)->version);
    assert_ptr_equal(agent_set_at(first, 1), agent_set_at(third, 1));
    agent_set_unref(first);
    agent_set_unref(second);
    agent_set_unref(third);
}

static void test_a_module_that_was_missing_and_appears_is_a_change(void **state)
{
    struct agent_set *first, *second;

    (void)state;
    make_folder("lib");
    fake_agent(&node, "a.lua", AGENT("a", "pcall(require, 'lib.extra')\n"));
    first = reload(NULL);
    assert_int_equal(agent_set_errors(first), 0);
    fake_agent(&node, "lib/extra.lua", "return 1\n");
    second = reload(first);
    assert_string_not_equal(agent_set_at(first, 0)->version, agent_set_at(second, 0)->version);
    agent_set_unref(first);
    agent_set_unref(second);
}

static void test_a_broken_edit_names_its_lines_and_who_answers_meanwhile(void **state)
{
    struct agent_set *first, *second;
    struct agent_error e;

    (void)state;
    fake_agent(&node, "a.lua", AGENT("a", ""));
    first = reload(NULL);
    fake_agent(&node, "a.lua", "return agent {\n");
    fake_agent(&node, "new.lua", "return 5\n");
    second = reload(first);
    assert_int_equal(agent_set_errors(second), 2);
    e = agent_set_error(second, 0);
    assert_string_equal(e.module, "a");
    assert_non_null(strstr(e.lines, "a.lua:"));
    assert_string_equal(e.version, agent_set_at(first, 0)->version);
    e = agent_set_error(second, 1);
    assert_string_equal(e.module, "new");
    assert_null(e.version);
    agent_set_unref(first);
    agent_set_unref(second);
}

/* 200 versions, of which a call holds the first: it and the last are all there is. */
static void test_an_old_version_goes_with_its_last_call(void **state)
{
    struct agent_version v[8];
    const struct agent_info *held;
    struct agent_set *set;
    char text[512];

    (void)state;
    fake_agent(&node, "a.lua", AGENT("a", ""));
    set = reload(NULL);
    held = agent_hold(agent_set_at(set, 0));
    for (int i = 0; i < 200; i++) {
        struct agent_set *next;

        (void)snprintf(text, sizeof(text), AGENT("a", "local n = %d\n"), i);
        fake_agent(&node, "a.lua", text);
        next = reload(set);
        agent_set_unref(set);
        set = next;
    }
    assert_int_equal(agent_living_count(), 2);
    assert_int_equal(agent_living(v, 8), 2);
    assert_string_equal(v[0].version, agent_set_at(set, 0)->version);
    assert_int_equal(v[0].calls, 0);
    assert_string_equal(v[1].version, held->version);
    assert_int_equal(v[1].calls, 1);
    agent_let_go(held);
    assert_int_equal(agent_living_count(), 1);
    agent_set_unref(set);
    assert_int_equal(agent_living_count(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_tree_holds_what_counts_and_nothing_of_editors,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_the_same_files_are_the_same_tree_and_survive_json,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_release_cannot_leave_its_folder, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_links_stay_inside, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_a_ring_of_links_and_a_file_too_large_are_told, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_the_stamp_tells_a_change_without_reading, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_what_is_read_is_of_one_moment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_only_agents_that_changed_are_loaded_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_a_module_that_was_missing_and_appears_is_a_change,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            test_a_broken_edit_names_its_lines_and_who_answers_meanwhile, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_an_old_version_goes_with_its_last_call, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
