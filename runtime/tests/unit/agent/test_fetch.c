/* SPDX-License-Identifier: Apache-2.0 */
/* Tools that ask hosts, over real sockets: what arrives there, what comes back, and what does not. */
#include "base/log.h"
#include "unit/agent/fake_node.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct fake_node node;
static char resolve[256];

/* A server that answers with what it was asked, and never to /never. */
static struct {
    int fd;
    pthread_t thread;
    char asked[4096];
} server;

static void answer(int fd)
{
    char request[4096], reply[6000];
    ssize_t n = recv(fd, request, sizeof(request) - 1, 0);

    request[n > 0 ? n : 0] = '\0';
    snprintf(server.asked, sizeof(server.asked), "%s", request);
    if (strstr(request, "/never"))
        return; /* open until the process ends */
    snprintf(
        reply, sizeof(reply),
        "HTTP/1.1 200 OK\r\nConnection: close\r\nX-Echo: %.100s\r\nContent-Length: %zu\r\n\r\n%s",
        strstr(request, "key-123") ? "key-123" : "none", strlen(request), request);
    send(fd, reply, strlen(reply), MSG_NOSIGNAL);
    shutdown(fd, SHUT_RDWR);
    close(fd);
}

static void *serve(void *arg)
{
    int fd;

    (void)arg;
    while ((fd = accept(server.fd, NULL, NULL)) >= 0)
        answer(fd);
    return NULL;
}

static const char test_agent[] =
    "local agent, tool = require 'ringdown.agent', require 'ringdown.tool'\n"
    "local http, secret = require 'ringdown.http', require 'ringdown.secret'\n"
    "local BASE = 'http://api.example'\n"
    "local function make(name, run, more)\n"
    "  local spec = { name = name, about = name, effect = 'read', run = run }\n"
    "  for k, v in pairs(more or {}) do spec[k] = v end\n"
    "  local t = tool(spec)\n"
    "  return t\n"
    "end\n"
    "local function why(...)\n"
    "  local ok, raised = pcall(...)\n"
    "  return ok and 'it worked' or raised\n"
    "end\n"
    "return agent {\n"
    "  name = 'test', greeting = 'Hi.', prompt = 'Help.',\n"
    "  needs = { hosts = { 'api.example', 'inside.example' },\n"
    "            secrets = { 'API_KEY', 'ENV_KEY', 'NO_KEY' } },\n"
    "  tools = {\n"
    "    make('echo', function()\n"
    "      local r = http.post(BASE .. '/a', { query = { q = 'x y' }, bearer = secret 'API_KEY',\n"
    "        headers = { ['X-Env'] = secret 'ENV_KEY', ['X-Plain'] = 'p' }, json = { n = 1 } })\n"
    "      return { status = r.status, body = r.body, echo = r.headers['x-echo'] }\n"
    "    end),\n"
    "    make('basic', function()\n"
    "      return http.get(BASE, { basic = { user = 'u', password = secret 'API_KEY' } }).body\n"
    "    end),\n"
    "    make('missing', function() return why(http.get, BASE, { bearer = secret 'NO_KEY' }) "
    "end),\n"
    "    make('undeclared', function()\n"
    "      local name = 'PA' .. 'TH'\n"
    "      return why(http.get, BASE, { bearer = secret(name) })\n"
    "    end),\n"
    "    make('elsewhere', function() return why(http.get, 'https://other.example/') end),\n"
    "    make('plain', function() return why(http.get, 'http://inside.example/') end),\n"
    "    make('smuggles', function()\n"
    "      return why(http.get, BASE, { headers = { ['X-A'] = 'a\\r\\nX-B: b' } })\n"
    "    end),\n"
    "    make('host', function() return why(http.get, BASE, { headers = { Host = 'x' } }) end),\n"
    "    make('late', function() return http.get(BASE .. '/never').body end,\n"
    "      { timeout = '50ms', failed = 'Say it is late.' }),\n"
    "    make('waits', function() return http.get(BASE .. '/never', { timeout = '30s' }).body "
    "end,\n"
    "      { timeout = '1m' }),\n"
    "    make('storm', function()\n"
    "      for i = 1, 99 do http.get(BASE) end\n"
    "      return why(http.get, BASE)\n"
    "    end, { timeout = '1m' }),\n"
    "  },\n"
    "}\n";

static int set_up(void **state)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(at);

    (void)state;
    log_config(LOG_ERROR, LOG_LOGFMT);
    server.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server.fd, (struct sockaddr *)&at, n), 0);
    assert_int_equal(listen(server.fd, 64), 0);
    assert_int_equal(getsockname(server.fd, (struct sockaddr *)&at, &n), 0);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, NULL), 0);
    snprintf(resolve, sizeof(resolve), "api.example=127.0.0.1:%u", ntohs(at.sin_port));
    setenv("ENV_KEY", "env-456", 1);
    unsetenv("NO_KEY");
    fake_node_init(&node);
    node.secrets = "OTHER=x\nAPI_KEY=key-123";
    node.http_resolve = resolve;
    fake_agent(&node, "test.lua", test_agent);
    fake_start(&node, 1);
    fake_live_call(&node, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_node_fini(&node);
    shutdown(server.fd, SHUT_RDWR);
    pthread_join(server.thread, NULL);
    close(server.fd);
    return 0;
}

static const char *result_of(const char *id, const char *tool)
{
    struct message *m;

    fake_event(&node, 1, AGENT_TOOL_CALL, id, tool, "{}");
    m = fake_next_command(&node, CMD_TOOL_RESULT);
    assert_string_equal(m->s[0].p, id);
    return m->s[1].p;
}

static void expect(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("'%s' is not in '%s'", part, text);
}

static void test_a_secret_arrives_there_and_does_not_come_back(void **state)
{
    const char *output;

    (void)state;
    output = result_of("t1", "echo");
    expect(server.asked, "POST /a?q=x%20y HTTP/1.1\r\nHost: api.example\r\n");
    expect(server.asked, "Authorization: Bearer key-123\r\n");
    expect(server.asked, "X-Env: env-456\r\n");
    expect(server.asked, "X-Plain: p\r\n");
    expect(server.asked, "Content-Type: application/json\r\n");
    expect(server.asked, "{\"n\":1}");
    expect(output, "\"status\":200");
    expect(output, "Bearer *******");
    expect(output, "X-Env: *******");
    expect(output, "\"echo\":\"*******\"");
    assert_null(strstr(output, "key-123"));
    assert_null(strstr(output, "env-456"));
}

static void test_basic_is_masked_as_it_is_sent(void **state)
{
    const char *output;

    (void)state;
    output = result_of("t1", "basic");
    expect(server.asked, "Authorization: Basic dTprZXktMTIz\r\n");
    expect(output, "Basic ************");
}

static void test_what_may_not_be_sent_is_refused_with_the_remedy(void **state)
{
    (void)state;
    server.asked[0] = '\0';
    expect(result_of("t1", "missing"), "secret NO_KEY has no value; give it");
    expect(result_of("t2", "undeclared"), "secret PATH has no value");
    expect(result_of("t3", "elsewhere"), "other.example is not in needs.hosts");
    expect(result_of("t4", "plain"), "inside.example must be asked by https://");
    expect(result_of("t5", "smuggles"), "its value must be one line");
    expect(result_of("t6", "host"), "none that the connection sets itself");
    assert_string_equal(server.asked, "");
}

static void test_a_host_that_never_answers_costs_its_tool_only(void **state)
{
    (void)state;
    expect(result_of("t1", "late"), "Say it is late.");
    expect(result_of("t2", "echo"), "\"status\":200");
}

static void test_nine_at_once_are_one_too_many(void **state)
{
    struct message *m;
    char id[8];

    (void)state;
    for (int i = 0; i < 9; i++) {
        snprintf(id, sizeof(id), "t%d", i);
        fake_event(&node, 1, AGENT_TOOL_CALL, id, "waits", "{}");
    }
    m = fake_next_command(&node, CMD_TOOL_RESULT); /* one of them; the others wait on */
    expect(m->s[1].p, "\"failed\":true");
}

static void test_a_storm_of_requests_ends_at_a_hundred(void **state)
{
    (void)state;
    expect(result_of("t1", "echo"), "\"status\":200");
    expect(result_of("t2", "storm"), "100 requests, which is the limit");
}

#define STORY(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY(test_a_secret_arrives_there_and_does_not_come_back),
        STORY(test_basic_is_masked_as_it_is_sent),
        STORY(test_what_may_not_be_sent_is_refused_with_the_remedy),
        STORY(test_a_host_that_never_answers_costs_its_tool_only),
        STORY(test_nine_at_once_are_one_too_many),
        STORY(test_a_storm_of_requests_ends_at_a_hundred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
