/* SPDX-License-Identifier: Apache-2.0 */
/* A script with each allocation of its VM failing: it is not made, it fails with a reason, or it is done; what it
 * broke is its own. Modules come from the library. */
#include "failing_malloc.h"

#include "base/err.h"
#include "lua/task.h"
#include "lua/vm.h"

#include <errno.h>
#include <lualib.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char script[] =
    "local json = require 'ringdown.json'\n"
    "local all = { json.encode({ a = 1 }) }\n"
    "for i = 1, 40 do all[i] = ('%d'):format(i):rep(20) end\n"
    "return function() return (table.concat(all, ','):gsub('1', 'one')) end";

static void call(void)
{
    static const char *const folders[] = {"scripts", NULL};
    struct chunks *chunks = NULL;
    struct vm_opts o = {0};
    struct vm *v = NULL;
    struct buf why;
    int rc;

    buf_init(&why, 4096);
    rc = chunks_new(&chunks, folders);
    o.chunks = chunks;
    if (rc == 0)
        rc = vm_new(&v, &o);
    if (rc == 0)
        rc = vm_preload(v, "nothing", luaopen_base);
    if (rc == 0 && luaL_loadstring(vm_lua(v), script) == LUA_OK) {
        rc = vm_call(v, 0, 1, &why);
        if (rc == 0)
            rc = vm_call(v, 0, 1, &why);
    }
    if (rc && !failing_has_failed())
        fail_msg("%s", buf_text(&why));
    vm_free(v);
    chunks_free(chunks);
    buf_fini(&why);
}

static void ready(struct task *t, void *arg)
{
    (void)t, (void)arg;
}

static void task(void)
{
    struct vm_opts o = {0};
    enum task_state state;
    struct task *t;
    struct vm *v;

    if (vm_new(&v, &o)) {
        assert_true(failing_has_failed());
        return;
    }
    if (luaL_loadstring(vm_lua(v), "local s = '' for i = 1, 50 do s = s .. i end return s") ==
            LUA_OK &&
        task_new(&t, v, 0, ready, NULL) == 0) {
        state = task_run(t, 0);
        assert_true(state == TASK_DONE || (state == TASK_FAILED && failing_has_failed()));
        if (state == TASK_FAILED)
            assert_non_null(task_why(t));
        task_free(t);
    }
    vm_free(v);
}

/* Texts from C, which nothing protects: Lua itself asks twice, and then there is a reserve. */
static void push(void)
{
    struct vm_opts o = {0};
    struct vm *v;

    if (vm_new(&v, &o)) {
        assert_true(failing_has_failed());
        return;
    }
    for (int i = 0; i < 5; i++)
        lua_pushlstring(vm_lua(v), script, sizeof(script) - 1);
    lua_settop(vm_lua(v), 0);
    vm_free(v);
}

static void test_what_is_handed_to_a_script_is_made_of_a_reserve(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(push, FAILS_TWICE), 5, 100000);
}

static void test_a_script_is_done_or_fails_with_a_reason(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(call, FAILS_ONCE), 100, 100000);
    assert_in_range(failing_sweep(call, FAILS_FROM_THEN_ON), 100, 100000);
}

static void test_a_task_is_done_or_fails_with_a_reason(void **state)
{
    (void)state;
    assert_in_range(failing_sweep(task, FAILS_ONCE), 50, 100000);
    assert_in_range(failing_sweep(task, FAILS_FROM_THEN_ON), 50, 100000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_handed_to_a_script_is_made_of_a_reserve),
        cmocka_unit_test(test_a_script_is_done_or_fails_with_a_reason),
        cmocka_unit_test(test_a_task_is_done_or_fails_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
