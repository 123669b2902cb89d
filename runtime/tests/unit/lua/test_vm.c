/* SPDX-License-Identifier: Apache-2.0 */
/* test_vm.c - limits hold whatever the script tries, and the sandbox holds nothing it should not.
 */
#include "base/err.h"
#include "lua/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct vm *small_vm(void)
{
    struct vm_opts o = {.slice_ms = 50, .memory_max = 2 << 20};
    struct vm *v;

    assert_int_equal(vm_new(&v, &o), 0);
    return v;
}

/* Runs a piece of script; its error, if any, is in `why`. */
static int run(struct vm *v, const char *script, struct buf *why)
{
    assert_int_equal(luaL_loadstring(vm_lua(v), script), LUA_OK);
    return vm_call(v, 0, 0, why);
}

static void expect(const char *script, int rc, const char *message)
{
    struct vm *v = small_vm();
    struct buf why;

    buf_init(&why, 16384);
    assert_int_equal(run(v, script, &why), rc);
    if (message && !strstr(buf_text(&why), message))
        fail_msg("'%s' is not in: %s", message, buf_text(&why));
    assert_int_equal(lua_gettop(vm_lua(v)), 0);
    buf_fini(&why);
    vm_free(v);
}

static void test_a_call_returns_its_results(void **state)
{
    struct vm *v = small_vm();

    (void)state;
    assert_int_equal(luaL_loadstring(vm_lua(v), "local a, b = ... return a + b"), LUA_OK);
    lua_pushinteger(vm_lua(v), 2);
    lua_pushinteger(vm_lua(v), 3);
    assert_int_equal(vm_call(v, 2, 1, NULL), 0);
    assert_int_equal(lua_tointeger(vm_lua(v), -1), 5);
    vm_free(v);
}

static void test_an_error_tells_where(void **state)
{
    (void)state;
    expect("local x = nil\nreturn x.y", RD_ESCRIPT, ":2: attempt to index a nil value");
    expect("error({})", RD_ESCRIPT, "an error that is a table");
}

static void test_an_endless_loop_is_stopped(void **state)
{
    (void)state;
    expect("while true do end", RD_EBUDGET, "time");
}

static void test_catching_the_stop_does_not_help(void **state)
{
    (void)state;
    expect("while true do pcall(function() while true do end end) end", RD_EBUDGET, "time");
    expect(
        "while true do xpcall(function() while true do end end, function() while true do end end) "
        "end",
        RD_EBUDGET, "time");
    expect("local t = setmetatable({}, {__close = function() while true do end end}) "
           "local x <close> = t  while true do end",
           RD_EBUDGET, "time");
}

/* Each look at the wall is a millisecond later; in which the thread computed for so many microseconds. */
struct made_up {
    uint64_t wall_us, cpu_us, cpu_per_ms;
};

static uint64_t made_up_wall(void *arg)
{
    struct made_up *m = arg;

    m->cpu_us += m->cpu_per_ms;
    return m->wall_us += 1000;
}

static uint64_t made_up_cpu(void *arg)
{
    return ((const struct made_up *)arg)->cpu_us;
}

/* 50 ms of computing. What the script was stopped for. */
static const char *stopped_for(const char *script, struct made_up *m, uint32_t wall_ms)
{
    struct vm_time t = {.wall_us = made_up_wall, .cpu_us = made_up_cpu, .arg = m};
    struct vm_opts o = {.slice_ms = 50, .wall_ms = wall_ms, .time = &t};
    static char why[100];
    struct vm *v;

    assert_int_equal(vm_new(&v, &o), 0);
    (void)run(v, script, NULL);
    (void)snprintf(why, sizeof(why), "%s", vm_spent_why(v));
    vm_free(v);
    return why;
}

static void test_a_busy_machine_is_nobodys_fault(void **state)
{
    static const char script[] = "for i = 1, 300000 do end"; /* some 300 looks */
    struct made_up idle = {.cpu_per_ms = 1000}, busy = {.cpu_per_ms = 130};

    (void)state;
    assert_string_equal(stopped_for(script, &idle, 0), "time");
    assert_in_range(idle.wall_us, 50000, 60000);
    assert_string_equal(stopped_for(script, &busy, 0), "");
    assert_in_range(busy.wall_us, 290000, 500000);
}

static void test_nor_may_it_last_for_ever(void **state)
{
    struct made_up busy = {.cpu_per_ms = 10}, allowed = {.cpu_per_ms = 10};

    (void)state;
    assert_non_null(strstr(stopped_for("while true do end", &busy, 0), "on the clock"));
    assert_in_range(busy.wall_us, 500000, 600000); /* ten times as long */
    assert_non_null(strstr(stopped_for("while true do end", &allowed, 2000), "on the clock"));
    assert_in_range(allowed.wall_us, 2000000, 2100000);
}

static void test_a_spent_vm_is_never_entered_again(void **state)
{
    struct vm *v = small_vm();

    (void)state;
    assert_int_equal(run(v, "while true do end", NULL), RD_EBUDGET);
    assert_true(vm_spent(v));
    assert_string_equal(vm_spent_why(v), "time");
    assert_int_equal(run(v, "return 1", NULL), RD_EBUDGET);
    vm_free(v);
}

static void test_instructions_are_counted_over_the_life(void **state)
{
    struct vm_opts o = {.instructions_max = 200000};
    struct vm *v;
    int calls = 0;

    (void)state;
    assert_int_equal(vm_new(&v, &o), 0);
    while (calls < 100 && run(v, "for i = 1, 10000 do end", NULL) == 0)
        calls++;
    assert_in_range(calls, 5, 30);
    assert_string_equal(vm_spent_why(v), "instructions");
    vm_free(v);
}

static void test_memory_bombs_are_stopped(void **state)
{
    (void)state;
    expect("local t = {} for i = 1, 1e9 do t[i] = {} end", RD_EBUDGET, "memory");
    expect("return ('x'):rep(1 << 30)", RD_EBUDGET, "memory");
    expect("local s = 'x' while true do s = s .. s end", RD_EBUDGET, "memory");
    expect("while true do pcall(string.rep, 'x', 1 << 30) end", RD_EBUDGET, "memory");
}

static void test_memory_is_given_back(void **state)
{
    struct vm *v = small_vm();

    (void)state;
    for (int i = 0; i < 100; i++)
        assert_int_equal(run(v, "local s = ('x'):rep(1 << 18)", NULL), 0);
    assert_true(vm_memory(v) < 2 << 20);
    vm_free(v);
}

static void test_trimming_collects_at_once(void **state)
{
    struct vm *v = small_vm();
    size_t before;

    (void)state;
    assert_int_equal(run(v, "local t = {} for i = 1, 1000 do t[i] = {} end", NULL), 0);
    before = vm_memory(v);
    vm_trim(v);
    assert_true(vm_memory(v) + 50000 < before);
    vm_free(v);
}

static struct rd_str find_nothing(const void *arg, const char *path)
{
    (void)arg;
    (void)path;
    return (struct rd_str){0};
}

/* What was made while an agent loaded is there for its VMs, and no part of what it is made of. */
static void test_made_modules_are_found_and_are_nobodys_source(void **state)
{
    struct chunks_shelf shelf = {.name = "agents", .find = find_nothing};
    struct vm_opts o = {0};
    struct vm *v;
    struct buf why;
    char before[17], after[17];
    struct rd_str text;

    (void)state;
    buf_init(&why, 4096);
    assert_int_equal(chunks_new_shelves(&o.chunks, &shelf, &shelf), 0);
    assert_int_equal(vm_new(&v, &o), 0);
    (void)chunks_hash(o.chunks, before);
    assert_int_equal(chunks_put(o.chunks, vm_lua(v), "made", RD_STR("return { price = 90 }"), &why),
                     0);
    assert_int_equal(chunks_put(o.chunks, vm_lua(v), "bad", RD_STR("return {"), &why), RD_ESCRIPT);
    assert_int_equal(chunks_put_file(o.chunks, "made.json", RD_STR("{}")), 0);
    chunks_freeze(o.chunks);
    (void)chunks_hash(o.chunks, after);
    assert_string_equal(before, after);
    assert_true(chunks_same(o.chunks, &shelf, &shelf));
    assert_int_equal(run(v, "assert(require('made').price == 90)", &why), 0);
    assert_int_equal(chunks_file(o.chunks, "made.json", &text), 0);
    assert_true(rd_str_eq(text, RD_STR("{}")));
    vm_free(v);
    chunks_free(o.chunks);
    buf_fini(&why);
}

static void test_what_no_hook_can_stop_is_refused(void **state)
{
    (void)state;
    expect("return ('a'):rep(60):find(('.-'):rep(7) .. 'b')", RD_ESCRIPT, "takes too long");
    expect("return string.gsub(('a'):rep(5000), '.*.*.*b', '')", RD_ESCRIPT, "takes too long");
    expect("return (''):rep(1 << 60)", 0, NULL);
    expect("table.move({}, 1, 1 << 60, 2)", RD_ESCRIPT, "more than");
    expect("table.insert(setmetatable({}, {__len = function() return 1 << 60 end}), 1, 1)",
           RD_ESCRIPT, "__len");
    expect("setmetatable({}, {__gc = function() end})", RD_ESCRIPT, "__gc");
    expect("assert(('x=1'):match('^(%w+)=(%w+)$') == 'x')", 0, NULL);
}

static void test_many_items_are_not_moved_in_one_go(void **state)
{
    static const char *const moves[] = {"table.insert(t, 1, 0)", "table.remove(t, 1)"};
    struct vm_opts o = {.slice_ms = 10000, .memory_max = 8 << 20};
    char script[128];
    struct buf why;
    struct vm *v;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(vm_new(&v, &o), 0);
        buf_init(&why, 16384);
        (void)snprintf(script, sizeof(script), "local t = {} for i = 1, 100001 do t[i] = i end %s",
                       moves[i]);
        assert_int_equal(run(v, script, &why), RD_ESCRIPT);
        assert_non_null(strstr(buf_text(&why), "more than 100000 items"));
        buf_fini(&why);
        vm_free(v);
    }
}

static void test_the_sandbox_has_no_way_out(void **state)
{
    static const char *const gone[] = {"io",       "debug",          "package", "dofile",
                                       "loadfile", "collectgarbage", "print",   "coroutine"};
    char script[200];

    (void)state;
    for (size_t i = 0; i < sizeof(gone) / sizeof(gone[0]); i++) {
        (void)snprintf(script, sizeof(script), "return %s.x", gone[i]);
        expect(script, RD_ESCRIPT, "is not defined");
    }
    expect("assert(not os.execute and not os.getenv and os.time())", 0, NULL);
    expect("assert(not string.dump)", 0, NULL);
    expect("assert(not load(('\\27Lua')))", 0, NULL);
    expect("getmetatable('').__index = nil", RD_ESCRIPT, NULL);
    expect("setmetatable(_G, nil)", RD_ESCRIPT, "protected");
    expect("x = 1", RD_ESCRIPT, "write `local x`");
    expect("require 'cjson.safe'", RD_ESCRIPT, "for the library only");
    expect("require 'ringdown.htp'", RD_ESCRIPT,
           "agents have no module 'ringdown.htp'; did you mean 'ringdown.http'?");
    expect("load('require \"cjson.safe\"', '@ringdown/x.lua')()", RD_ESCRIPT,
           "for the library only");
    expect("pcall(require, 'ringdown.host')  error(select(2, pcall(require, 'ringdown.host')), 0)",
           RD_ESCRIPT, "for the library only");
}

static void test_a_trusted_vm_has_everything(void **state)
{
    struct vm_opts o = {.trusted = true};
    struct vm *v;

    (void)state;
    assert_int_equal(vm_new(&v, &o), 0);
    assert_int_equal(
        run(v, "assert(io.open and debug.getinfo and require 'cjson.safe'.decode)", NULL), 0);
    vm_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_call_returns_its_results),
        cmocka_unit_test(test_an_error_tells_where),
        cmocka_unit_test(test_an_endless_loop_is_stopped),
        cmocka_unit_test(test_catching_the_stop_does_not_help),
        cmocka_unit_test(test_a_busy_machine_is_nobodys_fault),
        cmocka_unit_test(test_nor_may_it_last_for_ever),
        cmocka_unit_test(test_a_spent_vm_is_never_entered_again),
        cmocka_unit_test(test_instructions_are_counted_over_the_life),
        cmocka_unit_test(test_memory_bombs_are_stopped),
        cmocka_unit_test(test_memory_is_given_back),
        cmocka_unit_test(test_trimming_collects_at_once),
        cmocka_unit_test(test_made_modules_are_found_and_are_nobodys_source),
        cmocka_unit_test(test_what_no_hook_can_stop_is_refused),
        cmocka_unit_test(test_many_items_are_not_moved_in_one_go),
        cmocka_unit_test(test_the_sandbox_has_no_way_out),
        cmocka_unit_test(test_a_trusted_vm_has_everything),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
