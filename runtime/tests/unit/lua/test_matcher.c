/* SPDX-License-Identifier: Apache-2.0 */
/* test_matcher.c - our patterns are Lua's patterns: whatever Lua's own find, match, gmatch and gsub
 * make of a text, ours make too; but ours come to an end. */
#include "lua/matcher.h"
#include "lua/vm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

/* A state with `theirs` and `ours`, and same(function, arguments…), which compares all results. */
static const char comparing[] =
    "local function pack(name, of, ...)\n"
    "  if name ~= 'gmatch' then return table.pack(pcall(of[name], ...)) end\n"
    "  local all, n = { true }, 0\n"
    "  local ok, why = pcall(function(...)\n"
    "    for a, b, c in of.gmatch(...) do\n"
    "      n = n + 1\n"
    "      all[#all + 1] = tostring(a) .. '|' .. tostring(b) .. '|' .. tostring(c)\n"
    "    end\n"
    "  end, ...)\n"
    "  all[1], all.n = ok, #all\n"
    "  return all\n"
    "end\n"
    "function same(name, ...)\n"
    "  local a, b = pack(name, theirs, ...), pack(name, ours, ...)\n"
    "  local shown = ('%s(%q, %q)'):format(name, ...)\n"
    "  if a[1] ~= b[1] then\n"
    "    error(shown .. ': ' .. tostring(a[2]) .. ' / ' .. tostring(b[2]), 0)\n"
    "  end\n"
    "  if not a[1] then return end\n"
    "  assert(a.n == b.n, shown .. ': another number of results')\n"
    "  for i = 1, a.n do assert(a[i] == b[i], shown .. ': ' .. tostring(a[i]) .. ' / ' .. "
    "tostring(b[i])) end\n"
    "end\n"
    "function same_all(text, pattern)\n"
    "  same('find', text, pattern)  same('match', text, pattern)  same('gmatch', text, pattern)\n"
    "  same('gsub', text, pattern, '<%0>')  same('gsub', text, pattern, '[%1]', 2)\n"
    "  same('gsub', text, pattern, function(x) return x ~= 'a' and x end)\n"
    "  same('gsub', text, pattern, { a = 'b', ['1'] = 2 })\n"
    "  same('find', text, pattern, 3)  same('match', text, pattern, -2)\n"
    "  same('find', text, pattern, 1, true)\n"
    "end\n";

static struct vm *vm;
static lua_State *L;

static int set_up(void **state)
{
    struct vm_opts o = {.trusted = true}; /* with Lua's own string library */

    (void)state;
    assert_int_equal(vm_new(&vm, &o), 0);
    L = vm_lua(vm);
    assert_int_equal(luaL_dostring(L, "theirs = {} for k, v in pairs(string) do theirs[k] = v end"),
                     LUA_OK);
    lua_newtable(L);
    matcher_register(L);
    lua_setglobal(L, "ours");
    assert_int_equal(luaL_dostring(L, comparing), LUA_OK);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vm_free(vm);
    return 0;
}

static void run(const char *script)
{
    if (luaL_dostring(L, script) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
}

static void test_ordinary_patterns_match_as_ever(void **state)
{
    (void)state;
    run("same_all('hello world from Lua', '%a+')\n"
        "same_all('key = value', '^(%w+)%s*=%s*(%w+)$')\n"
        "same_all('THE (quick) fox', '%((%a+)%)')\n"
        "same_all('THE (quick) fox', '()%f[%w]%w+()')\n"
        "same_all('f(a(b)c)d', '%b()')\n"
        "same_all('\"one\" \\'two\\'', '([\"\\'])(.-)%1')\n"
        "same_all('  trim  ', '^%s*(.-)%s*$')\n"
        "same_all('2026-11-24', '(%d+)-(%d+)-(%d+)')\n"
        "same_all('a,b,,c', '([^,]*),?')\n"
        "same_all('[]]', '[]]')  same_all('a-z', '[a%-z]')  same_all('x^y', '[x^]')\n"
        "same_all('abc', '')  same_all('', '.*')  same_all('', '')  same_all('aaa', 'a-')\n"
        "same_all('a\\0b', 'a%zb')  same_all('a\\0b', '\\0')  same_all('a.b', 'a.b')\n"
        "same_all('$5', '$5')  same_all('a$', 'a$')  same_all('^a', '^^a')\n"
        "same_all('\\xC3\\xA9t\\xC3\\xA9', '[\\0-\\x7F\\xC2-\\xFD][\\x80-\\xBF]*')\n");
}

static void test_broken_patterns_are_errors_as_ever(void **state)
{
    (void)state;
    run("for _, p in ipairs { '%', '[', '[a', '[%', '(', ')', '%b', '%bx', '%f', '%fx', '%1', "
        "'(%1)',\n"
        "    '()%1', ('()'):rep(33), '[^', '[a-', '[]', 'a)', '((a)', '%0' } do\n"
        "  same_all('abc', p)\n"
        "end\n"
        "same('gsub', 'abc', 'b', '%2')  same('gsub', 'abc', 'b', '%x')\n"
        "same('gsub', 'abc', 'b', function() return {} end)\n");
}

/* Random texts and patterns over a small alphabet: small, so that they match now and then. */
static void test_random_patterns_match_as_ever(void **state)
{
    (void)state;
    run("math.randomseed(20261127)\n"
        "local pieces = { 'a', 'b', '1', '.', '%a', '%d', '%D', '[ab]', '[^a]', '[a-c1]', '(', "
        "')', '()', '%1',\n"
        "  '*', '+', '-', '?', '^', '$', '%b()', '%f[a]', '%s', ' ' }\n"
        "local letters = { 'a', 'b', 'c', '1', ' ', '(', ')', 'A' }\n"
        "local function some(from, most)\n"
        "  local t = {}\n"
        "  for i = 1, math.random(0, most) do t[i] = from[math.random(#from)] end\n"
        "  return table.concat(t)\n"
        "end\n"
        "for _ = 1, 20000 do same_all(some(letters, 12), some(pieces, 7)) end\n");
}

/* That this thread computed. */
static double seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void expect_long(const char *script)
{
    double began = seconds();

    assert_int_not_equal(luaL_dostring(L, script), LUA_OK);
    assert_non_null(strstr(lua_tostring(L, -1), "takes too long"));
    assert_true(seconds() - began < 0.5); /* a few milliseconds without the sanitizers */
}

static void test_every_pattern_comes_to_an_end(void **state)
{
    (void)state;
    expect_long("return ours.find(('a'):rep(60), ('.-'):rep(7) .. 'b')");
    expect_long("return ours.match(('a'):rep(5000), '.*.*.*b')");
    expect_long("for _ in ours.gmatch(('a'):rep(100000), 'a*b') do end");
    expect_long("return ours.gsub(('a'):rep(5000), '.-.-.-b', '')");
    expect_long("return ours.find(('('):rep(100000), '%b()')");
    expect_long("return ours.gsub(('a'):rep(100000), 'a', function() end)");
    expect_long("return ours.find(('a'):rep(2000) .. 'b', '(a*)%1%1%1b$')");
}

static void test_deep_patterns_do_not_exhaust_the_stack(void **state)
{
    (void)state;
    assert_int_not_equal(luaL_dostring(L, "ours.find('a', ('a?'):rep(100000))"), LUA_OK);
    assert_non_null(strstr(lua_tostring(L, -1), "nested too deep"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ordinary_patterns_match_as_ever),
        cmocka_unit_test(test_broken_patterns_are_errors_as_ever),
        cmocka_unit_test(test_random_patterns_match_as_ever),
        cmocka_unit_test(test_every_pattern_comes_to_an_end),
        cmocka_unit_test(test_deep_patterns_do_not_exhaust_the_stack),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
