/* SPDX-License-Identifier: Apache-2.0 */
/* test_operation.c - jobs of the library on real script threads, of no agent and no call. The library's
 * operations.lua is replaced by one whose kinds do what a test needs. */
#include "base/err.h"
#include "base/log.h"
#include "store/asker.h"
#include "unit/agent/fake_node.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake_node node;
static char data[64], kept[80], vapi_api[64];

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

/* Beside the calls; and the node around the scripts. */
static bool aside;
static const struct script_lent *lent;
static struct asker *asker, *aside_asker;

/* --- whoever asks --- */

static struct {
    pthread_mutex_t lock;
    pthread_cond_t came;
    unsigned lines, ends;
    int rc;
    char text[2000], traceback[4000], last_line[200];
} heard;

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

static int post(const char *kind, const char *json, const atomic_bool *stop, uint32_t budget_ms)
{
    struct operation_order o = {.kind = kind,
                                .json = rd_str(json),
                                .who = "ann",
                                .budget_ms = budget_ms,
                                .aside = aside,
                                .stop = stop,
                                .line = on_line,
                                .done = on_done};

    return script_pool_operate(node.pool, &o);
}

static void wait_for_ends(unsigned ends)
{
    pthread_mutex_lock(&heard.lock);
    while (heard.ends < ends)
        pthread_cond_wait(&heard.came, &heard.lock); /* ctest's own limit ends what never comes */
    pthread_mutex_unlock(&heard.lock);
}

static void wait_for_line(void)
{
    pthread_mutex_lock(&heard.lock);
    while (heard.lines == 0)
        pthread_cond_wait(&heard.came, &heard.lock);
    pthread_mutex_unlock(&heard.lock);
}

static void expect(const char *kind, const char *json, const char *result)
{
    assert_int_equal(post(kind, json, NULL, 0), 0);
    wait_for_ends(heard.ends + 1);
    assert_string_equal(heard.text, result);
    assert_int_equal(heard.rc, 0);
    assert_true(fake_vms_become(&node, 0));
}

static int set_up(void **state)
{
    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    memset(&heard, 0, sizeof(heard));
    pthread_mutex_init(&heard.lock, NULL);
    pthread_cond_init(&heard.came, NULL);
    (void)snprintf(data, sizeof(data), "/tmp/kept-XXXXXX");
    assert_non_null(mkdtemp(data));
    (void)snprintf(kept, sizeof(kept), "%s/kept", data);
    fake_node_init(&node);
    node.kept_path = kept;
    node.vapi_api = vapi_api;
    node.aside = aside;
    node.lent = lent;
    node.asker = asker;
    node.aside_asker = aside_asker;
    node.vapi_key = vapi_api[0] ? "key-123" : "";
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

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    (void)nftw(data, drop, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

/* --- its life --- */

static void test_it_tells_as_it_goes_and_then_the_result(void **state)
{
    (void)state;
    expect("count", "{\"to\":3}", "{\"done\":3,\"who\":\"ann\"}");
    assert_int_equal(heard.lines, 3);
    assert_string_equal(heard.last_line, "{\"step\":3}");
    assert_int_equal(heard.ends, 1);
}

static void test_what_is_raised_is_words_for_people_with_the_traceback_apart(void **state)
{
    (void)state;
    assert_int_equal(post("raise", "{}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_equal(heard.rc, RD_ESCRIPT);
    assert_string_equal(heard.text, "there is no such number; see: ringdown numbers list");
    assert_non_null(strstr(heard.traceback, "stack traceback"));
    assert_true(fake_vms_become(&node, 0));
}

static void test_memory_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(post("greedy", "{}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_not_equal(heard.rc, 0);
    assert_true(fake_vms_become(&node, 0));
}

static void test_time_has_an_end(void **state)
{
    (void)state;
    assert_int_equal(post("sleep", "{}", NULL, 20), 0);
    wait_for_ends(1);
    assert_int_equal(heard.rc, -ETIMEDOUT);
    assert_string_equal(heard.text, "it took too long");
}

static void test_it_hears_that_it_shall_end(void **state)
{
    atomic_bool stop = false;

    (void)state;
    assert_int_equal(post("until_stopped", "{}", &stop, 0), 0);
    wait_for_line();
    assert_int_equal(heard.ends, 0);
    atomic_store(&stop, true);
    wait_for_ends(1);
    assert_string_equal(heard.text, "{\"stopped\":true}");
}

static void test_a_pool_that_stops_tells_whoever_waits(void **state)
{
    (void)state;
    assert_int_equal(post("sleep", "{}", NULL, 0), 0);
    credits_free(node.credits);
    script_pool_stop(node.pool);
    node.pool = NULL;
    node.credits = NULL;
    assert_int_equal(heard.ends, 1);
    assert_int_equal(heard.rc, RD_EGONE);
    assert_string_equal(heard.text, "this process ends");
}

static void test_so_many_at_once_and_no_more(void **state)
{
    atomic_bool stop = false;
    unsigned begun = 0;
    int rc = 0;

    (void)state;
    while (!rc && begun < 100) {
        rc = post("until_stopped", "{}", &stop, 0);
        begun += rc == 0;
    }
    assert_int_equal(rc, RD_EFULL);
    assert_int_equal(begun, 8);
    atomic_store(&stop, true);
    wait_for_ends(begun);
    assert_int_equal(post("count", "{\"to\":1}", NULL, 0), 0);
    wait_for_ends(begun + 1);
}

static void test_a_wish_that_is_too_long_is_refused(void **state)
{
    char *json = malloc((5 << 20) + 1);

    (void)state;
    assert_non_null(json);
    memset(json, ' ', 5 << 20);
    json[5 << 20] = '\0';
    assert_int_equal(post("count", json, NULL, 0), RD_ETOOBIG);
    free(json);
}

/* --- beside the calls, with a node around it --- */

static int lend_status(void *arg, struct buf *out)
{
    (void)arg;
    return buf_add_str(out, "up");
}

static int lend_hang_up(void *arg, const char *sid, const char *who)
{
    (void)arg;
    return strcmp(sid, "CA1") == 0 && strcmp(who, "ann") == 0 ? 0 : RD_EGONE;
}

static int lend_drill(void *arg, const char *agent, const char *rule, const char *who,
                      char id[SCRIPT_DRILL_ID])
{
    (void)arg;
    (void)snprintf(id, SCRIPT_DRILL_ID, "%s%s%s", agent, rule, who);
    return 0;
}

static uint64_t lend_reload(void *arg)
{
    (void)arg;
    return 9;
}

static int lend_operate(void *arg, const char *kind, const char *json)
{
    (void)arg;
    return strcmp(kind, "x") == 0 && strcmp(json, "{}") == 0 ? 0 : RD_EFULL;
}

static const struct script_node can = {.status = lend_status,
                                       .hang_up = lend_hang_up,
                                       .drill = lend_drill,
                                       .reload = lend_reload,
                                       .operate = lend_operate};
static struct script_lent of_node = {&can, NULL};

static int set_up_aside(void **state)
{
    of_node.arg = &of_node;
    lent = &of_node;
    aside = true;
    return set_up(state);
}

static int tear_down_aside(void **state)
{
    int rc = tear_down(state);

    lent = NULL;
    aside = false;
    return rc;
}

/* A database that says only who was asked. */
static int say_who(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                   void *arg)
{
    (void)out;
    (void)role;
    (void)grants;
    (void)snprintf(why, cap, "%s", (const char *)arg);
    return RD_ESTATE;
}

static int set_up_askers(void **state)
{
    struct asker_opts ours = {.conninfo = say_who, .arg = (void *)(uintptr_t) "for calls"};
    struct asker_opts theirs = {.conninfo = say_who, .arg = (void *)(uintptr_t) "aside"};

    assert_int_equal(asker_start(&asker, &ours), 0);
    assert_int_equal(asker_start(&aside_asker, &theirs), 0);
    return set_up_aside(state);
}

static int tear_down_askers(void **state)
{
    int rc = tear_down_aside(state);

    asker_stop(asker);
    asker_stop(aside_asker);
    asker = aside_asker = NULL;
    return rc;
}

/* The one thread of the asker waits for a server that says nothing, until the test is over. */
static sem_t silence;

static int say_nothing(struct buf *out, const char *role, const char *grants, char *why, size_t cap,
                       void *arg)
{
    sem_wait(&silence);
    return say_who(out, role, grants, why, cap, arg);
}

static int set_up_slow(void **state)
{
    struct asker_opts o = {
        .conninfo = say_nothing, .threads = 1, .arg = (void *)(uintptr_t) "slow"};

    sem_init(&silence, 0, 0);
    assert_int_equal(asker_start(&asker, &o), 0);
    return set_up(state);
}

static int tear_down_slow(void **state)
{
    int rc;

    sem_post(&silence);
    sem_post(&silence);
    rc = tear_down(state);
    asker_stop(asker);
    asker = NULL;
    return rc;
}

static void test_who_waits_for_others_hears_that_it_is_busy(void **state)
{
    (void)state;
    expect("ask_twice", "{}",
           "[\"the database is slow\",\"down\",\"too many questions wait for the "
           "database\",\"busy\"]");
}

static void test_aside_the_database_is_asked_beside_the_calls(void **state)
{
    (void)state;
    expect("ask", "{}", "{\"why\":\"aside\"}");
    aside = false;
    expect("ask", "{}", "{\"why\":\"for calls\"}");
}

static void test_the_node_around_it_is_asked(void **state)
{
    (void)state;
    expect("node", "{}",
           "{\"code\":\"gone\",\"drill\":\"arw\",\"lived\":true,\"operated\":true,"
           "\"reload\":9,\"status\":\"up\",\"why\":\"the call is over\"}");
}

static void test_in_a_command_there_is_no_node(void **state)
{
    (void)state;
    expect("node", "{}", "{\"none\":true}");
}

/* More at once than among calls, and files may be long. */
static void test_aside_there_is_room_for_those_who_wait(void **state)
{
    atomic_bool stop = false;
    char *json = malloc((5 << 20) + 1);
    unsigned begun = 0;

    (void)state;
    assert_non_null(json);
    memset(json, ' ', 5 << 20);
    memcpy(json, "{\"to\":1}", 8);
    json[5 << 20] = '\0';
    while (post("until_stopped", "{}", &stop, 0) == 0)
        begun++;
    atomic_store(&stop, true);
    wait_for_ends(begun);
    assert_int_equal(begun, 24);
    assert_int_equal(post("count", json, NULL, 0), 0);
    wait_for_ends(begun + 1);
    assert_int_equal(heard.rc, 0);
    free(json);
}

static void test_an_unreadable_library_is_told(void **state)
{
    char path[200];

    (void)state;
    (void)snprintf(path, sizeof(path), "%s/ringdown", node.library);
    assert_int_equal(rename(path, data) == 0 ? 0 : errno, 0);
    assert_int_equal(post("count", "{\"to\":1}", NULL, 0), 0);
    wait_for_ends(1);
    assert_int_not_equal(heard.rc, 0);
    assert_non_null(strstr(heard.text, "ringdown"));
    assert_int_equal(rename(data, path), 0);
    assert_int_equal(mkdir(data, 0700), 0);
}

/* --- what it may do --- */

static void test_it_may_tell_people_by_mail_and_request(void **state)
{
    (void)state;
    expect("tells", "{}",
           "{\"after\":0,\"code\":\"refused\","
           "\"hmac\":\"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843\","
           "\"how\":\"not_sent\",\"kind\":\"target.openxwords\",\"no\":\"Connection refused\","
           "\"posted\":\"nil\",\"ready\":false,\"sent\":\"nil\",\"split\":false,"
           "\"why\":\"there is no mail server: set smtp.url and smtp.from\"}");
}

static void test_it_sees_the_agents(void **state)
{
    (void)state;
    expect(
        "agents", "{}",
        "{\"broken\":0,\"has_vapi\":false,\"name\":\"test\",\"number\":\"+13125550100\",\"shown\":"
        "\"test\",\"url\":\"\"}");
}

static void test_it_has_no_call_and_no_agents_data(void **state)
{
    (void)state;
    expect("no_call", "{}", "{\"db\":\"nil\",\"say\":\"nil\"}");
}

static void test_it_makes_secrets_and_acts_for_whoever_turns_out_to_ask(void **state)
{
    (void)state;
    expect("secret", "{}",
           "{\"after\":\"token ops (operator)\",\"before\":\"ann\",\"differ\":true,\"digest\":"
           "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\",\"hex\":64}");
}

static void test_its_facts_are_of_whom_it_says(void **state)
{
    (void)state;
    expect("fact", "{}", "{\"kept\":true}");
    assert_string_equal(fake_next_fact(&node), "vapi 0 test {\"seen_by\":\"poll\"}");
}

static void test_files_are_kept_whole_and_ours_alone(void **state)
{
    struct stat st;
    char path[200];

    (void)state;
    expect("keep", "{}",
           "{\"empty\":\"\",\"gone\":true,\"names\":\"a/+1.json "
           "a/b.json\",\"some\":1,\"text\":\"two\"}");
    (void)snprintf(path, sizeof(path), "%s/a/c/d", kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    (void)snprintf(path, sizeof(path), "%s/a/c", kept);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_no_name_leaves_the_folder(void **state)
{
    (void)state;
    expect("names", "{}", "{\"refused\":24}");
}

static void test_a_disk_that_refuses_is_told(void **state)
{
    char path[200];
    FILE *f;

    (void)state;
    assert_int_equal(mkdir(kept, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/file", kept);
    f = fopen(path, "we");
    assert_non_null(f);
    (void)fclose(f);
    expect("full", "{}", "{\"why\":\"Not a directory\"}");
}

/* --- Vapi --- */

static struct {
    int fd;
    pthread_t thread;
    char asked[4096];
} server;

static void *serve(void *arg)
{
    static const char reply[] =
        "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    int fd = accept(server.fd, NULL, NULL);
    size_t n = 0;

    (void)arg;
    while (fd >= 0 && !strstr(server.asked, "{\"a\":1}") && n < sizeof(server.asked) - 1) {
        ssize_t got = recv(fd, server.asked + n, sizeof(server.asked) - 1 - n, 0);

        if (got <= 0)
            break;
        n += (size_t)got;
    }
    send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL);
    close(fd);
    return NULL;
}

static int set_up_vapi(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    memset(&server, 0, sizeof(server));
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(server.fd, 4), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    (void)snprintf(vapi_api, sizeof(vapi_api), "http://127.0.0.1:%d", ntohs(at.sin_port));
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    return set_up(state);
}

static int tear_down_vapi(void **state)
{
    vapi_api[0] = '\0';
    close(server.fd);
    return tear_down(state);
}

static void test_vapi_is_asked_with_the_key(void **state)
{
    (void)state;
    expect("vapi", "{}", "{\"body\":\"{}\",\"ready\":true,\"status\":201}");
    pthread_join(server.thread, NULL);
    assert_memory_equal(server.asked, "POST /call?limit=2 HTTP/1.1\r\n", 29);
    assert_non_null(strstr(server.asked, "Authorization: Bearer key-123\r\n"));
    assert_non_null(strstr(server.asked, "Content-Type: application/json\r\n"));
}

static void test_without_a_key_it_says_what_to_do(void **state)
{
    (void)state;
    expect(
        "vapi", "{}",
        "{\"ready\":false,\"sent\":\"not_sent\",\"why\":\"there is no key for Vapi: set vapi.key "
        "(VAPI_API_KEY)\"}");
    expect("vapi_path", "{}", "{\"ok\":false}");
}

int main(void)
{
#define ASIDE(test) cmocka_unit_test_setup_teardown(test, set_up_aside, tear_down_aside)
#define LIVES(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        LIVES(test_it_tells_as_it_goes_and_then_the_result),
        LIVES(test_what_is_raised_is_words_for_people_with_the_traceback_apart),
        LIVES(test_memory_has_an_end),
        LIVES(test_time_has_an_end),
        LIVES(test_it_hears_that_it_shall_end),
        LIVES(test_a_pool_that_stops_tells_whoever_waits),
        LIVES(test_so_many_at_once_and_no_more),
        LIVES(test_a_wish_that_is_too_long_is_refused),
        LIVES(test_an_unreadable_library_is_told),
        LIVES(test_it_may_tell_people_by_mail_and_request),
        LIVES(test_it_sees_the_agents),
        LIVES(test_it_has_no_call_and_no_agents_data),
        LIVES(test_it_makes_secrets_and_acts_for_whoever_turns_out_to_ask),
        LIVES(test_its_facts_are_of_whom_it_says),
        LIVES(test_files_are_kept_whole_and_ours_alone),
        LIVES(test_no_name_leaves_the_folder),
        LIVES(test_a_disk_that_refuses_is_told),
        ASIDE(test_the_node_around_it_is_asked),
        LIVES(test_in_a_command_there_is_no_node),
        ASIDE(test_aside_there_is_room_for_those_who_wait),
        cmocka_unit_test_setup_teardown(test_aside_the_database_is_asked_beside_the_calls,
                                        set_up_askers, tear_down_askers),
        cmocka_unit_test_setup_teardown(test_who_waits_for_others_hears_that_it_is_busy,
                                        set_up_slow, tear_down_slow),
        cmocka_unit_test_setup_teardown(test_vapi_is_asked_with_the_key, set_up_vapi,
                                        tear_down_vapi),
        LIVES(test_without_a_key_it_says_what_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
