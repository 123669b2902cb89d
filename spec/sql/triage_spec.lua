-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local CALL = ("CA%032x"):format(1)

-- A gas leak from the caller's words to somebody who took it.
local function gas_leak()
  local c = events.conversation(1)
  c:add("near_miss", { rule = "gas-leak", why = "negated", words = "no gas leak" })
  c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "I smell gas" })
  c:add("triage_step", { rule = "gas-leak", step = 1, kind = "transfer", target = "+13125550188", state = "asked" })
  c:add("triage_step", { rule = "gas-leak", step = 2, kind = "text", target = "+13125550188", state = "asked",
    detail = "sent" })
  local n = events.node "n1" -- the call is over: its node tells the rest
  n.ms = c.ms + 1000
  n:add("triage_step", { call = CALL, agent = "northside-plumbing", rule = "gas-leak", step = 3, kind = "text",
    target = "+13125550188", state = "confirmed" })
  n:add("triage", { call = CALL, agent = "northside-plumbing", rule = "gas-leak", severity = "life", source = "rule",
    state = "handled", by = "on_call 1" })
  local all = {}
  for _, s in ipairs { c, n } do
    for _, event in ipairs(s.list) do
      all[#all + 1] = event
    end
  end
  return all
end

local function tables(url)
  return pg.run(url, [[
    select 'match', to_jsonb(m) from triage_matches m order by call, rule;
    select 'step', to_jsonb(s) from triage_steps s order by call, rule, step;
    select 'near', to_jsonb(n) from near_misses n order by call, rule, why]])
end

describe("emergencies in the database", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  it("say what was found, what was done and who took it", function()
    events.outcomes(url, gas_leak())
    local m = pg.query(url, "select * from triage_matches")[1]
    assert.same({ "gas-leak", "life", "rule", "I smell gas", "handled", "on_call 1" },
      { m.rule, m.severity, m.source, m.words, m.state, m.handled_by })
    assert.equal(3, #pg.query(url, "select * from triage_steps"))
    assert.same("negated", pg.query(url, "select * from near_misses")[1].why)
  end)

  it("are the same whatever the order was", function()
    local list = gas_leak()
    events.outcomes(url, list)
    local expected = tables(url)
    for _ = 1, 6 do
      for i = #list, 2, -1 do
        local j = math.random(i)
        list[i], list[j] = list[j], list[i]
      end
      local other = pg.database()
      for _, event in ipairs(list) do
        events.outcomes(other, { event })
      end
      assert.equal(expected, tables(other))
    end
  end)

  it("are recorded when nobody was told, unless somebody took them", function()
    local c = events.conversation(1)
    c:add("triage", { rule = "leak", severity = "urgent", source = "rule", state = "open", words = "a leak" })
    c:add("triage", { rule = "leak", severity = "urgent", source = "rule", state = "recorded" })
    c:add("triage", { rule = "leak", severity = "urgent", source = "rule", state = "open" })
    events.outcomes(url, c.list)
    local m = pg.query(url, "select * from triage_matches")[1]
    assert.same({ "recorded", "a leak" }, { m.state, m.words })
    assert.is_falsy(m.handled_by)
  end)

  it("stay handled when an older word comes late", function()
    local list = gas_leak()
    events.outcomes(url, list)
    local c = events.call(1)
    c:resume()
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "abandoned" })
    events.outcomes(url, c.list)
    assert.equal("handled", pg.query(url, "select state from triage_matches")[1].state)
  end)

  it("that a process left open are found by its successor, on its node only", function()
    local c = events.conversation(1)
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "I smell gas" })
    c:add("triage_step", { rule = "gas-leak", step = 4, kind = "text", target = "+13125550188", state = "asked" })
    c:add("triage", { rule = "flood", severity = "urgent", source = "rule", state = "open", words = "water" })
    events.outcomes(url, c.list)
    local after = "timestamptz '2026-11-25 12:00Z'"
    local left = pg.query(url, ("select * from triage_left_open('n1', %s)"):format(after))
    assert.equal(1, #left)
    assert.equal("northside-plumbing", left[1].agent)
    local order = json.decode(left[1].order_json)
    assert.same({ CALL, "gas-leak", 4, true, "+13125550142" },
      { order.call, order.rule, order.steps, order.resumed, order.from })
    assert.same({}, pg.query(url, ("select * from triage_left_open('n2', %s)"):format(after)))
    assert.equal(CALL, pg.query(url, ("select * from triage_asked('northside-plumbing', '+13125550188', %s)")
      :format(after))[1].call)
  end)

  it("lose their words with the call's, and what happened stays", function()
    events.outcomes(url, gas_leak())
    pg.run(url, "select erase_caller('+13125550142', null)")
    local m = pg.query(url, "select * from triage_matches")[1]
    assert.equal("handled", m.state)
    assert.is_nil(m.words)
    assert.is_nil(pg.query(url, "select * from near_misses")[1].words)
    assert.equal("0", pg.query(url, "select count(*) as n from call_events where body::text like '%smell%'")[1].n .. "")
  end)

  it("go on for a caller who was erased meanwhile", function()
    local c = events.conversation(1)
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "I smell gas" })
    events.outcomes(url, c.list)
    pg.run(url, "select erase_caller('+13125550142', null)")
    local late = c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "handled",
      by = "on_call 1" })
    events.outcomes(url, { late })
    assert.equal("on_call 1", pg.query(url, "select * from triage_matches")[1].handled_by)
  end)
end)
