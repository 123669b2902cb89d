/* SPDX-License-Identifier: Apache-2.0 */
/* fake_operation.c - see fake_operation.h. The library's operations.lua is replaced by one whose kinds
 * are what tests ask for. */
#include "unit/agent/fake_operation.h"
#include "base/log.h"

#include <ftw.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

struct fake_node node;
struct operation_stand stand;
struct operation_heard heard;

static const char test_agent[] =
    "return require 'ringdown.agent' { name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  numbers = { '+13125550100' } }\n";

static const char test_operations[] =
    "-- SPDX-License-Identifier: Apache-2.0\n"
    "local host, json = require 'ringdown.host', require 'ringdown.json'\n"
    "local M, kinds = {}, {}\n"
    "function kinds.count(wish)\n"
    "  for i = 1, wish.to do host.tell(json.encode { step = i }) host.sleep(1) end\n"
    "  return { done = wish.to, who = host.who() }\n"
    "end\n"
    "function kinds.raise() error('there is no such number; see: ringdown numbers list', 0) end\n"
    "function kinds.greedy() local t = {} while true do t[#t + 1] = ('x'):rep(1 << 20) .. #t end "
    "end\n"
    "function kinds.sleep() host.sleep(15000) end\n"
    "function kinds.until_stopped()\n"
    "  host.tell '{}'\n"
    "  while not host.stopping() do host.sleep(1) end\n"
    "  return { stopped = true }\n"
    "end\n"
    "function kinds.agents()\n"
    "  local agents, broken = host.agents()\n"
    "  return { name = agents[1].name, number = agents[1].numbers[1], broken = #broken,\n"
    "    has_vapi = agents[1].has_vapi, url = host.ours().public_url, shown = "
    "json.decode(agents[1].shown).name }\n"
    "end\n"
    "function kinds.secret()\n"
    "  local one, two = host.random(), host.random()\n"
    "  local before = host.who()\n"
    "  host.acts_for 'token ops (operator)'\n"
    "  assert(not pcall(host.acts_for, ('x'):rep(64)))\n"
    "  return { hex = one:match '^%x+$' ~= nil and #one, differ = one ~= two, before = before, "
    "after = host.who(),\n"
    "    digest = host.digest 'abc' }\n"
    "end\n"
    "function kinds.no_call() return { say = tostring(host.say), db = tostring(host.db) } end\n"
    "function kinds.fact()\n"
    "  return { kept = host.fact('vapi', '{\"seen_by\":\"poll\"}', 'CA1', 'test') }\n"
    "end\n"
    "function kinds.keep()\n"
    "  assert(host.kept 'a/b.json' == nil and #host.kept_names 'a/' == 0)\n"
    "  assert(host.keep('a/b.json', 'one'))\n"
    "  assert(host.keep('a/b.json', 'two'))\n"
    "  assert(host.keep('a/+1.json', ''))\n"
    "  assert(host.keep('a/c/d', 'below'))\n"
    "  local names, text = host.kept_names 'a/', host.kept 'a/b.json'\n"
    "  assert(host.keep('a/b.json', nil))\n"
    "  assert(host.keep('a/b.json', nil)) -- it is gone already\n"
    "  return { text = text, empty = host.kept 'a/+1.json', gone = host.kept 'a/b.json' == nil,\n"
    "    names = table.concat(names, ' '), some = #host.kept_names 'a/+' }\n"
    "end\n"
    "function kinds.tells()\n"
    "  local sent, why, code = host.mail { to = { 'a@b' }, subject = 's', text = 't' }\n"
    "  local posted, no, how = host.post { url = 'http://127.0.0.1:1/', body = '{}' }\n"
    "  host.alarm('warning', 'target.open', 'x', 'words')\n"
    "  local alarms = host.open_alarms()\n"
    "  host.alarm_over('target.open', 'x')\n"
    "  return { sent = tostring(sent), why = why, code = code, posted = tostring(posted), how = "
    "how, "
    "no = no,\n"
    "    hmac = host.hmac('Jefe', 'what do ya want for nothing?'), ready = host.mail_ready(),\n"
    "    kind = alarms[1].kind .. alarms[1].subject .. alarms[1].text, after = "
    "#host.open_alarms(),\n"
    "    split = pcall(host.post, { url = 'http://x', header = { 'A: b\\r\\nC: d' } }) }\n"
    "end\n"
    "function kinds.names()\n"
    "  local refused = 0\n"
    "  for _, name in ipairs { '../x', 'a/../x', '/x', '', 'a/', '.x', 'a/.x', 'a b', 'a//b', "
    "'a\\0b',\n"
    "      ('x'):rep(300), 'a/b/c/d/e/f' } do\n"
    "    if not pcall(host.kept, name) then refused = refused + 1 end\n"
    "    if not pcall(host.keep, name, 'x') then refused = refused + 1 end\n"
    "  end\n"
    "  return { refused = refused }\n"
    "end\n"
    "function kinds.full() return { why = select(2, host.keep('file/below', 'x')) } end\n"
    "function kinds.vapi()\n"
    "  local r, why, sent = host.vapi('POST', '/call?limit=2', '{\"a\":1}')\n"
    "  return { status = r and r.status, body = r and r.body, why = why, sent = sent,\n"
    "    ready = host.vapi_ready() }\n"
    "end\n"
    "function kinds.node()\n"
    "  local node = host.node\n"
    "  if not node then return { none = true } end\n"
    "  local gone, why, code = node.hang_up('CAgone', host.who())\n"
    "  return { status = node.status(), gone = gone, why = why, code = code, drill = "
    "node.drill('a', 'r', 'w'),\n"
    "    lived = node.hang_up('CA1', host.who()), reload = node.reload(), operated = "
    "node.operate('x', '{}') }\n"
    "end\n"
    "function kinds.ask() return { why = select(2, host.query('select 1')) } end\n"
    "function kinds.ask_twice() local _, a, b, c, d\n"
    "  _, a, b = host.query('select 1', {}, 20) _, c, d = host.query('select 1', {}, 20)\n"
    "  return { a, b, c, d } end\n"
    "function kinds.vapi_path() return { ok = (pcall(host.vapi, 'GET', '/../x')) } end\n"
    "function M.run(kind, text) return json.encode(kinds[kind](json.decode(text)) or {}) end\n"
    "return M\n";

static void on_line(void *arg, struct rd_str json)
{
    (void)arg;
    pthread_mutex_lock(&heard.lock);
    heard.lines++;
    (void)snprintf(heard.last_line, sizeof(heard.last_line), "%.*s", RD_STR_ARG(json));
    pthread_cond_signal(&heard.came);
    pthread_mutex_unlock(&heard.lock);
}

static void on_done(void *arg, const struct operation_end *e)
{
    (void)arg;
    pthread_mutex_lock(&heard.lock);
    heard.ends++;
    heard.rc = e->rc;
    (void)snprintf(heard.text, sizeof(heard.text), "%.*s", RD_STR_ARG(e->text));
    (void)snprintf(heard.traceback, sizeof(heard.traceback), "%.*s", RD_STR_ARG(e->traceback));
    pthread_cond_signal(&heard.came);
    pthread_mutex_unlock(&heard.lock);
}

int post(const char *kind, const char *json, const atomic_bool *stop, uint32_t budget_ms)
{
    struct operation_order o = {.kind = kind,
                                .json = rd_str(json),
                                .who = "ann",
                                .budget_ms = budget_ms,
                                .aside = stand.aside,
                                .stop = stop,
                                .line = on_line,
                                .done = on_done};

    return script_pool_operate(node.pool, &o);
}

void wait_for_ends(unsigned ends)
{
    pthread_mutex_lock(&heard.lock);
    while (heard.ends < ends)
        pthread_cond_wait(&heard.came, &heard.lock); /* ctest's own limit ends what never comes */
    pthread_mutex_unlock(&heard.lock);
}

void wait_for_line(void)
{
    pthread_mutex_lock(&heard.lock);
    while (heard.lines == 0)
        pthread_cond_wait(&heard.came, &heard.lock);
    pthread_mutex_unlock(&heard.lock);
}

void expect(const char *kind, const char *json, const char *result)
{
    assert_int_equal(post(kind, json, NULL, 0), 0);
    wait_for_ends(heard.ends + 1);
    assert_string_equal(heard.text, result);
    assert_int_equal(heard.rc, 0);
    assert_true(fake_vms_become(&node, 0));
}

int operation_set_up(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    memset(&heard, 0, sizeof(heard));
    pthread_mutex_init(&heard.lock, NULL);
    pthread_cond_init(&heard.came, NULL);
    (void)snprintf(stand.data, sizeof(stand.data), "/tmp/kept-XXXXXX");
    assert_non_null(mkdtemp(stand.data));
    (void)snprintf(stand.kept, sizeof(stand.kept), "%s/kept", stand.data);
    fake_node_init(&node);
    node.kept_path = stand.kept;
    node.vapi_api = stand.vapi_api;
    node.aside = stand.aside;
    node.lent = stand.lent;
    node.asker = stand.asker;
    node.aside_asker = stand.aside_asker;
    node.vapi_key = stand.vapi_api[0] ? "key-123" : "";
    fake_library(&node, "operations.lua", test_operations);
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    return 0;
}

static int drop(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

int operation_tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    (void)nftw(stand.data, drop, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}
