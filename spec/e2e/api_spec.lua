-- SPDX-License-Identifier: Apache-2.0
-- takes: 26 s
-- The admin API of a node, as its documentation has it: tokens from the command line, curl, a call in progress.
local hostile = require "spec.e2e.support.hostile"
local json = require "ringdown.json"
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

describe("somebody with curl", function()
  local n, placed, sid
  local tokens = {}

  local function token(name, ...)
    local said, code = n:ringdown("tokens", "create", name, ...)
    assert(code == 0, said)
    return assert(said:match "rd_%x+", said)
  end

  setup(function()
    n = node.start { agents = "spec/e2e/agents" }
    tokens.viewer, tokens.operator = token("board", "--role", "viewer"), token("ops", "--role", "operator")
    tokens.elsewhere = token("there", "--role", "operator", "--agents", "nobody-here")
    placed = n:place { scenarios = { "holds-the-line" } }
    sid = assert(placed:wait_event("agent.silent"), "nobody was greeted").call
  end)

  teardown(function()
    n.own_sim:keep_frames()
    assert.equal(0, n:stop())
  end)

  local function ask(method, path, whose, body)
    local reply = n:admin("/api/v1" .. path, { method = method, body = body and json.encode(body), headers = {
      Authorization = whose and "Bearer " .. tokens[whose], ["Content-Type"] = body and "application/json" } })
    return reply.status, json.decode(reply.body), reply
  end

  local function cpu_ticks()
    local fields = {}
    for word in proc.read("/proc/" .. n.child.pid .. "/stat"):match("%) (.*)"):gmatch "%S+" do
      fields[#fields + 1] = word
    end
    return tonumber(fields[12]) + tonumber(fields[13])
  end

  it("without a token gets nothing", function()
    local status, why, reply = ask("GET", "/calls/live")
    assert.equal(401, status)
    assert.equal("This needs a token that is good", why.title)
    assert.equal("application/problem+json", reply.headers["content-type"])
  end)

  it("who may look sees the call and not the caller", function()
    local status, live = ask("GET", "/calls/live", "viewer")
    assert.equal(200, status)
    assert.equal(sid, live.items[1].call)
    assert.matches("^%+1…%d%d$", live.items[1].from)
    assert.matches("^%+1%d+$", select(2, ask("GET", "/calls/live", "operator")).items[1].from)
    assert.same({}, select(2, ask("GET", "/calls/live", "elsewhere")).items)
  end)

  it("who may look may not act, and whose agents are others' does not know of the call", function()
    assert.equal(403, (ask("POST", "/calls/" .. sid .. "/hang-up", "viewer")))
    assert.equal(404, (ask("POST", "/calls/" .. sid .. "/hang-up", "elsewhere")))
  end)

  it("who has a ticket reads what happens, once", function()
    local _, made = ask("POST", "/tickets", "viewer", { purpose = "events" })
    local function read()
      return proc.run(("curl -s --max-time 1 'http://127.0.0.1:%d/api/v1/events?after=0&ticket=%s'"):format(
        n.admin_port, made.ticket))
    end
    local stream = read()
    assert.matches("\nid: %d+\n", "\n" .. stream)
    assert.truthy(stream:find(sid, 1, true))
    assert.is_nil(stream:find('"from":"+1312555', 1, true))
    assert.matches("This needs a token that is good", read())
  end)

  it("who may act hangs up, which is in the audit", function()
    local status, asked = ask("POST", "/calls/" .. sid .. "/hang-up", "operator")
    assert.equal(202, status)
    assert.equal("hang_up", asked.asked)
    local well, reports = placed:wait()
    assert.is_true(well)
    assert.equal("", reports[1].why)
    n:wait_shipped()
    local _, call = ask("GET", "/calls/" .. sid, "operator")
    assert.equal("ended", call.state)
    assert.equal("operator", call.outcome)
    local _, changes = ask("GET", "/audit?what=calls", "operator")
    assert.equal(1, #changes.items)
    assert.equal("token ops (operator)", changes.items[1].who)
    assert.equal(sid, changes.items[1].subject)
  end)

  it("whose token was revoked gets nothing any more", function()
    assert.equal(200, (ask("GET", "/me", "viewer")))
    assert.equal(0, select(2, n:ringdown("tokens", "revoke", "board")))
    assert.equal(401, (ask("GET", "/me", "viewer")))
  end)

  it("reads as the documentation says, also at the control socket without a token", function()
    local out = proc.run(("curl -s -H 'Authorization: Bearer %s' 'http://127.0.0.1:%d/api/v1/calls?limit=1'"):format(
      tokens.operator, n.admin_port))
    assert.equal(sid, json.decode(out).items[1].call)
    out = proc.run(("curl -s --unix-socket %s/data/control.sock 'http://localhost/api/v1/me'"):format(n.folder))
    assert.matches("^control socket uid %d+$", json.decode(out).who)
  end)

  -- HOSTILE=all: every request there is, and those that take their time.
  it("refuses whatever somebody sends who has read its description, and does nothing of it", function()
    local all = os.getenv "HOSTILE" == "all"
    local seed = math.tointeger(tonumber(os.getenv "HOSTILE_SEED" or 1))
    local list, n_operations = hostile.plan { seed = seed, each = not all and 2 or nil, slow = all }
    assert(n_operations >= 90, n_operations)
    local function changes()
      return pg.run(n.database, "select count(*), max(id) from audit")
    end
    local before, got = changes(), hostile.ask(n, list)
    for i, one in ipairs(list) do
      local why = hostile.wrong(one, got[i])
      assert(not why, ("%s %s (HOSTILE_SEED=%d)"):format(one.what, tostring(why), seed))
    end
    assert.equal(before, changes())
    assert.same({}, n:log "api.failed")
    assert.is_true(hostile.crowd(n, 1000))
    local busy = cpu_ticks()
    proc.sleep(1)
    assert(cpu_ticks() - busy < 60, "a thread does not come to rest")
    assert.equal(200, (ask("GET", "/me", "operator")))
  end)

  -- What the others change is done by spec/api/examples_spec.lua, where nothing else goes on.
  local contained = { alerts = true, appointments = true, costs = true, customers = true, emergencies = true,
    ["opt-outs"] = true, tickets = true }

  local function documented()
    local list = {}
    for line in ("\n" .. proc.read "docs/api.md"):gmatch "\n(curl %-s[^\n]*)" do
      local method = line:match " %-X (%u+) " or "GET"
      local first = line:match '%$ADMIN/api/v1/([%w-]+)'
      if first and (method == "GET" or contained[first]) then
        list[#list + 1] = line
      end
    end
    return list
  end

  it("answers the lines of its documentation, as they stand there", function()
    local list = documented()
    local script = { "ADMIN=http://127.0.0.1:" .. n.admin_port, "TOKEN=" .. token("reader", "--role", "admin") }
    assert(#list >= 60, #list)
    for i, line in ipairs(list) do
      script[#script + 1] = line:gsub("^curl %-sN?", ("curl -sN --max-time %d -o %s/curl.%d -w '%%%%{http_code}\\n'")
        :format(line:find("^curl %-sN") and 1 or 20, n.folder, i))
    end
    local said = proc.run("sh -c " .. proc.quote(table.concat(script, "\n")))
    local i = 0
    for status in said:gmatch "(%d+)\n" do
      i = i + 1
      local got = tonumber(status)
      local body = got >= 300 and proc.read(("%s/curl.%d"):format(n.folder, i)) or ""
      assert(got < 300 or (got == 404 or got == 409 or got == 410 or got == 412)
        and not body:find("problems/no-such-path", 1, true), ("%s\n%d %s"):format(list[i], got, body))
    end
    assert.equal(#list, i)
  end)

  it("never finds a token where it must not be", function()
    for name, secret in pairs(tokens) do
      assert.is_nil(n.child:text():find(secret, 1, true), name)
      assert.equal("0", pg.run(n.database, ("select count(*) from tokens where tokens::text like '%%%s%%'"):format(
        secret)):match "%d+")
    end
  end)
end)
