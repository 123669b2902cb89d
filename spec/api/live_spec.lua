-- SPDX-License-Identifier: Apache-2.0
-- Every call in progress on one screen: the node's own and the others', emergencies first.
local events = require "spec.support.events"
local fake_node = require "ringdown.fake.node"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.api.world"

local function sid(n)
  return ("CA%032x"):format(n)
end

local function going_on(n, agent, o)
  local c = events.call(n, { started_us = (os.time() - 600) * 1000000, common = { agent = agent } })
  c:add("webhook", { kind = "voice", status = "ringing", node = o.node or "n1" }, 0)
  c:add("decision", { system = "openai", reason = "split" })
  c:add("state", { state = "live" })
  c:add("turn", { seq = 1, role = "caller", text = "it smells of gas", interrupted = false })
  c:add("turn", { seq = 2, role = "agent", text = "Leave the house.", interrupted = false })
  if o.emergency then
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "gas" })
    if o.emergency == "handled" then
      c:add("triage", { rule = "gas-leak", state = "handled", by = "ann" })
    end
  end
  return c.list
end

describe("the live screen", function()
  local own

  local function node(n)
    local calls = {}
    for i = 1, n do
      calls[i] = { call = sid(i), state = "live", seconds = 1000 - i, system = "openai", agent = "plumber",
        from = "+13125550142", to = "+13125550100" }
    end
    return fake_node.new { calls = calls }
  end

  setup(function()
    world.begin { seed = function(url)
      events.ingest(url, going_on(2, "plumber", { emergency = "open" }))
      events.ingest(url, going_on(3, "plumber", { emergency = "handled" }))
      events.ingest(url, going_on(900, "dentist", { node = "n2" }))
    end }
    own = world.token { role = "viewer", agents = { "plumber" }, sees_personal = true }
  end)
  teardown(function()
    rawset(host, "node", nil)
    world.finish()
  end)
  before_each(function()
    world.fresh()
    rawset(host, "node", node(4))
  end)

  local function ask(token)
    local status, value = world.ask("GET", "/live", { token = token })
    assert.equal(200, status)
    return value
  end

  it("has who is in an emergency first, then whoever is on the line for longest", function()
    local order = {}
    for i, call in ipairs(ask().items) do
      order[i] = call.call
    end
    assert.same({ sid(2), sid(3), sid(1), sid(4), sid(900) }, order)
  end)

  it("has an emergency elsewhere also when more calls go on than it shows", function()
    pg.run(world.url, [[insert into calls (call, started_at, agent, system, state, node)
      select 'CA' || lpad(to_hex(100000 + n), 32, '0'), now() - interval '2 hours' - n * interval '1 second', 'dentist',
        'openai', 'live', 'n2' from generate_series(1, 1000) n]])
    finally(function()
      pg.run(world.url, "delete from calls where started_at < now() - interval '1 hour'")
    end)
    rawset(host, "node", node(1))
    local screen = ask()
    assert.same({ sid(2), "open" }, { screen.items[1].call, screen.items[1].emergency.state })
    assert.equal(1000, #screen.items)
  end)

  it("goes on behind the calls that it has shown, each once, however many there are", function()
    pg.run(world.url, [[insert into calls (call, started_at, agent, system, state, node)
      select 'CA' || lpad(to_hex(100000 + n), 32, '0'), now() - n * interval '1 second' - interval '10 minutes',
        'dentist', 'openai', 'live', 'n2' from generate_series(1, 2500) n]])
    finally(function()
      pg.run(world.url, "delete from calls where call like 'CA%' and node = 'n2' and state = 'live' "
        .. " and call > 'CA' || lpad(to_hex(100000), 32, '0') and call <> 'CA' || lpad(to_hex(900), 32, '0')")
    end)
    local seen, n, next, pages = {}, 0, "", 0
    repeat
      local status, screen = world.ask("GET", "/live?limit=700" .. next)
      assert.same({ 200, 2505 }, { status, screen.calls })
      for _, call in ipairs(screen.items) do
        assert.is_nil(seen[call.call], call.call)
        seen[call.call], n = true, n + 1
      end
      next, pages = screen.next and "&cursor=" .. screen.next, pages + 1
    until not next
    assert.same({ 2505, 4 }, { n, pages })
    assert.equal(400, (world.ask("GET", "/live?cursor=WyJ4Il0")))
  end)

  it("calls states of the node's own memory as records do", function()
    local calls = {}
    for i, state in ipairs { "opening", "offered", "taken", "away" } do
      calls[i] = { call = sid(10 + i), state = state, seconds = 100 - i, agent = "plumber", system = "openai" }
    end
    rawset(host, "node", fake_node.new { calls = calls })
    local states = {}
    for _, call in ipairs(ask(own).items) do
      states[#states + 1] = call.here and call.state or nil
    end
    assert.same({ "connecting", "connecting", "live", "leaving" }, states)
    assert.equal("connecting", select(2, world.ask("GET", "/calls/live")).items[1].state)
  end)

  it("tells what was said last, and on which node a call is", function()
    local items = ask(own).items
    assert.same({ "Leave the house.", "agent", true, "open", "n1" }, { items[1].last_words.text,
      items[1].last_words.role, items[1].here, items[1].emergency.state, items[1].node })
    assert.equal(4, #items) -- and none of the dentist's
    local there = ask().items[5]
    assert.same({ false, "n2", "dentist" }, { there.here, there.node, there.agent })
  end)

  it("hides words and numbers from whoever may not see them", function()
    local text = json.encode(ask(world.token { role = "viewer" }))
    for _, secret in ipairs { "Leave", "3125550142", "gas\"" } do
      assert.is_nil(text:find(secret, 1, true), secret)
    end
  end)

  it("tells the node's own calls with the database away", function()
    local down = world.token {}
    assert.is_string(down)
    world.down, world.down_code = "it hangs", "down"
    local answer = ask()
    assert.same({ 4, 4 }, { #answer.items, answer.calls })
    assert.is_string(answer.elsewhere_reason)
    assert.is_nil(answer.items[1].last_words)
  end)

  it("is one question for five hundred calls, and bounded for more", function()
    pg.run(world.url, [[insert into calls (call, started_at, agent, state, node, system)
      select 'CA' || lpad(to_hex(10000 + n), 32, '0'), now() - interval '5 minutes', 'plumber', 'live', 'n3', 'vapi'
        from generate_series(1, 1200) n]])
    rawset(host, "node", node(500))
    local questions, query = 0, host.query
    rawset(host, "query", function(...)
      questions = questions + 1
      return query(...)
    end)
    local answer = ask()
    rawset(host, "query", query)
    assert.same({ 1000, 1 }, { #answer.items, questions })
    assert.is_true(answer.left_out >= 500)
    assert.equal(answer.calls, 1000 + answer.left_out)
    assert.equal(sid(2), answer.items[1].call)
  end)

  it("and says to whom calls are made up", function()
    assert.is_false(select(2, world.ask("GET", "/me")).demo)
    local url = pg.database()
    pg.run(url, "select demo_mark('ann')")
  end)
end)
