/* SPDX-License-Identifier: Apache-2.0 */
/* test_task.c - scripts that wait, step aside, fail and are cancelled. */
#include "base/err.h"
#include "lua/task.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct world {
    struct vm *vm;
    struct task *waiting;
    int ready, cancelled;
};

static void on_cancel(void *ptr)
{
    struct world *w = ptr;

    w->cancelled++;
}

static void on_ready(struct task *t, void *arg)
{
    struct world *w = arg;

    (void)t;
    w->ready++;
}

static int lua_wait_for_it(lua_State *L)
{
    struct world *w = vm_user(vm_of(L));

    w->waiting = task_check_wait(L);
    return task_wait(L, on_cancel, w);
}

static int set_up(void **state)
{
    static struct world w;
    struct vm_opts o = {.slice_ms = 60, .user = &w};

    w = (struct world){0};
    assert_int_equal(vm_new(&w.vm, &o), 0);
    *state = &w;
    return 0;
}

static int tear_down(void **state)
{
    struct world *w = *state;

    vm_free(w->vm);
    return 0;
}

/* A task of `script`, which gets the waiting function as its argument. */
static struct task *task_with(struct world *w, const char *script)
{
    struct task *t;

    assert_int_equal(luaL_loadstring(vm_lua(w->vm), script), LUA_OK);
    lua_pushcfunction(vm_lua(w->vm), lua_wait_for_it);
    assert_int_equal(task_new(&t, w->vm, 1, on_ready, w), 0);
    return t;
}

static void test_waiting_returns_what_is_pushed(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local wait = ... local a, b = wait() return a .. b");

    assert_int_equal(task_run(t, 5), TASK_WAITING);
    lua_pushstring(task_lua(t), "left ");
    lua_pushstring(task_lua(t), "right");
    task_resume(w->waiting, 2);
    assert_int_equal(w->ready, 1);
    assert_int_equal(task_run(t, 5), TASK_DONE);
    assert_string_equal(lua_tostring(task_lua(t), 1), "left right");
    task_free(t);
    assert_int_equal(w->cancelled, 0);
}

static void test_waiting_works_inside_pcall(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local wait = ... local ok, v = pcall(wait) return ok and v");

    assert_int_equal(task_run(t, 5), TASK_WAITING);
    lua_pushinteger(task_lua(t), 7);
    task_resume(t, 1);
    assert_int_equal(task_run(t, 5), TASK_DONE);
    assert_int_equal(lua_tointeger(task_lua(t), 1), 7);
    task_free(t);
}

static void test_freeing_a_waiting_task_cancels_once(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local wait = ... wait()");

    assert_int_equal(task_run(t, 5), TASK_WAITING);
    task_free(t);
    assert_int_equal(w->cancelled, 1);
}

static void test_the_vm_cancels_what_still_waits(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local wait = ... wait()");

    assert_int_equal(task_run(t, 5), TASK_WAITING);
    vm_free(w->vm);
    w->vm = NULL;
    assert_int_equal(w->cancelled, 1);
}

static void test_a_busy_task_steps_aside_for_its_neighbour(void **state)
{
    struct world *w = *state;
    struct task *busy = task_with(w, "local n = 0 for i = 1, 4e6 do n = n + 1 end return n");
    struct task *quick = task_with(w, "return 'quick'");

    assert_int_equal(task_run(busy, 1), TASK_READY);
    assert_int_equal(task_run(quick, 1), TASK_DONE);
    task_free(busy);
    task_free(quick);
    assert_false(vm_spent(w->vm));
}

static void test_stepping_aside_does_not_lengthen_the_slice(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "while true do end");
    enum task_state s;
    int turns = 0;

    do
        s = task_run(t, 1);
    while (s == TASK_READY && ++turns < 10000);
    assert_int_equal(s, TASK_FAILED);
    assert_int_equal(task_error(t), RD_EBUDGET);
    assert_non_null(strstr(task_why(t), "time"));
    assert_in_range(turns, 5, 200);
    assert_int_equal(task_run(t, 1), TASK_FAILED);
    task_free(t);
}

/* A machine where a script gets a fifth of the processor. */
static uint64_t wall_us;

static uint64_t slow_wall(void *arg)
{
    (void)arg;
    return wall_us += 1000;
}

static uint64_t slow_cpu(void *arg)
{
    (void)arg;
    return wall_us / 5;
}

static void test_shares_add_up_what_was_computed_not_what_passed(void **state)
{
    static const struct vm_time slow = {.wall_us = slow_wall, .cpu_us = slow_cpu};
    struct world *w = *state;
    uint64_t began_us = wall_us;
    struct task *t;

    vm_free(w->vm);
    assert_int_equal(vm_new(&w->vm, &(struct vm_opts){.slice_ms = 40, .time = &slow}), 0);
    t = task_with(w, "for i = 1, 120000 do end return 'done'");
    while (task_run(t, 5) == TASK_READY)
        ;
    assert_int_equal(task_state(t), TASK_DONE);
    assert_in_range(wall_us - began_us, 120000, 199000); /* three slices and more on the wall */
    task_free(t);

    began_us = wall_us;
    t = task_with(w, "while true do end");
    while (task_run(t, 5) == TASK_READY)
        ;
    assert_int_equal(task_error(t), RD_EBUDGET);
    assert_non_null(strstr(task_why(t), "time"));
    assert_in_range(wall_us - began_us, 199000, 300000);
    task_free(t);
}

/* A few instructions, each of which keeps the library busy for long. */
static void test_long_work_inside_the_library_steps_aside_too(void **state)
{
    struct world *w = *state;
    struct task *t;
    int turns = 0;

    vm_free(w->vm);
    assert_int_equal(vm_new(&w->vm, &(struct vm_opts){.slice_ms = 60000}), 0);
    t = task_with(w, "local s = ('x'):rep(200000) local n = 0 "
                     "for i = 1, 60 do n = n + #s:upper() end return n");

    while (task_run(t, 1) == TASK_READY)
        turns++;
    assert_int_equal(task_state(t), TASK_DONE);
    assert_int_equal(lua_tointeger(task_lua(t), 1), 12000000);
    assert_in_range(turns, 2, 60);
    task_free(t);
    /* Short texts, long searches. */
    t = task_with(w,
                  "for _ = 1, 30 do pcall(string.find, ('a'):rep(60), ('.-'):rep(7) .. 'b') end");
    for (turns = 0; task_run(t, 1) == TASK_READY; turns++)
        ;
    assert_in_range(turns, 5, 30);
    task_free(t);
}

static void test_a_callback_that_cannot_step_aside_is_stopped_soon(void **state)
{
    static const char *const scripts[] = {
        "('x'):gsub('x', function() while true do end end)",
        "table.sort({2, 1}, function() while true do end end)",
        "('x'):rep(9000):gsub('x', function() for i = 1, 1e5 do end end)",
    };
    struct world *w = *state;

    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct task *t;

        vm_free(w->vm); /* a new one, with time enough for a machine that is busy */
        assert_int_equal(vm_new(&w->vm, &(struct vm_opts){.slice_ms = 60000}), 0);
        t = task_with(w, scripts[i]);
        assert_int_equal(task_run(t, 1), TASK_FAILED);
        assert_int_equal(task_error(t), RD_EBUDGET);
        assert_non_null(strstr(task_why(t), "callback"));
        task_free(t);
    }
}

static void test_a_failure_has_its_traceback(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local function deep()\n error('broken') end\n deep()");

    assert_int_equal(task_run(t, 5), TASK_FAILED);
    assert_int_equal(task_error(t), RD_ESCRIPT);
    assert_non_null(strstr(task_message(t), ":2: broken"));
    assert_non_null(strstr(task_why(t), "in upvalue 'deep'") ? task_why(t)
                                                             : strstr(task_why(t), "'deep'"));
    assert_false(vm_spent(w->vm));
    task_free(t);
}

static void test_waiting_in_a_callback_of_the_library_is_an_error(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "local wait = ... return (('x'):gsub('x', wait))");

    assert_int_equal(task_run(t, 5), TASK_FAILED);
    assert_non_null(strstr(task_message(t), "cannot wait inside"));
    task_free(t);
}

static void test_a_late_resume_changes_nothing(void **state)
{
    struct world *w = *state;
    struct task *t = task_with(w, "return 1");

    assert_int_equal(task_run(t, 5), TASK_DONE);
    task_resume(t, 0);
    assert_int_equal(w->ready, 0);
    assert_int_equal(task_state(t), TASK_DONE);
    task_free(t);
}

int main(void)
{
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STORY(test_waiting_returns_what_is_pushed),
        STORY(test_waiting_works_inside_pcall),
        STORY(test_freeing_a_waiting_task_cancels_once),
        STORY(test_the_vm_cancels_what_still_waits),
        STORY(test_a_busy_task_steps_aside_for_its_neighbour),
        STORY(test_stepping_aside_does_not_lengthen_the_slice),
        STORY(test_shares_add_up_what_was_computed_not_what_passed),
        STORY(test_long_work_inside_the_library_steps_aside_too),
        STORY(test_a_callback_that_cannot_step_aside_is_stopped_soon),
        STORY(test_a_failure_has_its_traceback),
        STORY(test_waiting_in_a_callback_of_the_library_is_an_error),
        STORY(test_a_late_resume_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
