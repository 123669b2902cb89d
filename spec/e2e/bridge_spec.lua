-- SPDX-License-Identifier: Apache-2.0
-- takes: 33 s
-- Vapi's assistant over our own line: from the first word, or from where OpenAI could not go on. The call stays
-- ours: its barge-ins, its transcript, its end.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"
local vapi = require "spec.e2e.support.vapi"

local agents = {
  ["lake-house.lua"] = ([[
    local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
    local smallest = tool { name = "smallest_room", about = "Its name.", effect = "read", failed = "Say it failed.",
      args = {}, run = function() return { room = "above the stairs" } end }
    return agent {
      name = "lake-house", numbers = { "+13125550231" }, time_zone = "America/Chicago",
      greeting = "Lake house, good evening.", prompt = "You are the lake house.", notice = { ai = true },
      vapi = { assistant = "%s", route = "bridge", tools = "line" }, tools = { smallest, tools.end_call },
    }]]):format(vapi.assistant),
  ["harbour.lua"] = ([[
    local agent, tools = require "ringdown.agent", require "ringdown.tools"
    return agent {
      name = "harbour", numbers = { "+13125550232" }, time_zone = "America/Chicago",
      greeting = "Harbour office.", prompt = "You are the harbour.",
      openai = {}, vapi = { assistant = "%s", route = "bridge" }, routing = "openai", tools = { tools.end_call },
    }]]):format(vapi.assistant),
}

-- Where Vapi does not speak over our line it takes the caller, who keeps the call.
agents["berths.lua"] = ([[
  local agent, tools = require "ringdown.agent", require "ringdown.tools"
  return agent {
    name = "berths", numbers = { "%s" }, time_zone = "America/Chicago", greeting = "Berths.",
    prompt = "You have berths.",
    openai = {}, vapi = { assistant = "%s", route = "bypass" }, routing = "openai", tools = { tools.end_call },
  }]]):format(vapi.number, vapi.assistant)

-- Its tools are asked for at their server: by webhooks, not over the line.
agents["inn.lua"] = ([[
  local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
  local book = tool { name = "book_nights", about = "Books.", effect = "write", failed = "Say it failed.",
    args = { nights = { type = "integer", about = "How many." } },
    run = function(call, args)
      call.vars.nights = call.vars.nights + args.nights
      return { booked = args.nights }
    end }
  return agent {
    name = "inn", numbers = { "+13125550233" }, time_zone = "America/Chicago", greeting = "The inn.",
    prompt = "You are the inn.", vars = { nights = 0 },
    openai = {}, vapi = { assistant = "%s", route = "bridge" }, routing = "vapi", tools = { book, tools.end_call },
  }]]):format(vapi.assistant)

local scenarios = { "asks-the-lake-house", "model-is-thrown-out", "model-is-lost-for-good" }

describe("a call that Vapi answers over our line", function()
  local n, watch, reports = nil, nil, {}

  setup(function()
    n = node.start { agents = agents, vapi = { scenarios = { "books-once", table.unpack(scenarios) },
      fault = "burst" } }
    watch = n:watch()
    local _, list = n:call { scenarios = scenarios }
    for _, report in ipairs(list) do
      reports[report.scenario] = report
    end
    reports.text = list.text
    watch:wait_for_ends(3)
  end)

  teardown(function()
    watch:stop()
    assert.equal(0, n:stop())
  end)

  local function facts(report, type)
    local list = {}
    for _, event in ipairs(watch:events()) do
      if event.call == report.call and event.type == type then
        table.insert(list, event)
      end
    end
    return list
  end

  local function said(report)
    local list = {}
    for _, turn in ipairs(watch:turns(report.call)) do
      table.insert(list, turn.role .. ": " .. turn.text)
    end
    return list
  end

  it("hears, speaks, stops when its caller cuts in, and hangs up", function()
    local report = assert(reports["asks-the-lake-house"], reports.text)
    assert.equal("", report.why)
    local words = said(report)
    assert.matches("^agent: .*Lake house, good evening", words[1])
    assert.equal("caller: Which rooms does the lake house have?", words[2])
    assert.matches("^agent: We have the blue room", words[3])
    assert.is_nil(words[3]:find("above the stairs", 1, true)) -- what was not heard was not said
    assert.equal("caller: Sorry, I shall take the smallest one.", words[4])
    assert.equal("agent: It is yours. We look forward to your visit.", words[5])
    assert.equal(5, #words)
    assert.equal(1, #facts(report, "notice")) -- its transcript says that it was the notice
    assert.equal(1, #facts(report, "vapi")) -- by whose name it is found again there
    assert.same({}, facts(report, "usage")) -- Vapi bills it, as a whole
    local tool = facts(report, "tool")
    assert.same({ "smallest_room", false, true }, { tool[1].name, tool[1].done, tool[2].done })
    assert.matches("above the stairs", tool[2].output, 1, true)
    assert.equal("agent_hangup", facts(report, "ended")[1].reason)
  end)

  it("goes on where OpenAI was refused, and nobody has to say anything twice", function()
    local report = assert(reports["model-is-thrown-out"], reports.text)
    assert.equal("", report.why)
    assert.same({ "agent: Harbour office.", "caller: What does a ticket for the ferry cost?",
      "agent: It costs nine dollars.", "caller: Many thanks for your help, farewell.", "agent: Have a good trip." },
      said(report))
    local failover = facts(report, "failover")[1]
    assert.same({ "openai", "vapi", "refused" }, { failover.from_system, failover.to_system, failover.why })
    local alarms = {}
    for _, line in ipairs(n:log "alarm") do
      alarms[line.kind] = line
    end
    assert.is_table(alarms["call.failover"])
    assert.is_truthy(n:wait_shipped())
    assert.same({ system = "openai", failed_over_to = "vapi", route = "bridge" }, pg.query(n.database, ([[
      select c.system, c.failed_over_to, v.route from calls c join vapi_calls v using (call)
      where c.call = '%s']]):format(report.call))[1])
  end)

  it("is Vapi's from where OpenAI was refused, when it takes only whole calls", function()
    local report = assert(reports["model-is-lost-for-good"], reports.text)
    assert.equal("", report.why)
    local overrides
    for _, fact in ipairs(n.vapi:facts "rest") do
      local body = fact.body and fact.body.phoneCallProviderBypassEnabled and fact.body
      overrides = body and body.assistantOverrides or overrides
    end
    assert.matches("You: Berths", overrides.variableValues.so_far, 1, true)
    assert.is_truthy(n:wait_shipped())
    assert.same({ system = "openai", failed_over_to = "vapi", route = "bypass" }, pg.query(n.database, ([[
      select c.system, c.failed_over_to, v.route from calls c join vapi_calls v using (call)
      where c.call = '%s']]):format(report.call))[1])
  end)

  -- The last one: there is no Vapi behind it.
  it("is OpenAI's from where Vapi is gone, and what Vapi had done is not done again", function()
    local before = #n.vapi:calls()
    local place = n:place { scenarios = { "books-once" } }
    assert(proc.wait_for(function()
      local calls = n.vapi:calls()
      return #calls > before and calls[1].status == "in-progress"
    end, 20))
    local hook = n.vapi:hook { call = "last", type = "tool-calls", shape = "openapi", name = "book_nights",
      arguments = { nights = 2 } }
    assert.matches('"booked":2', hook.answer.results[1].result, 1, true)
    n.vapi.child:signal "TERM"
    local good, list = place:wait()
    assert(good, list.text or list[1].why)
    assert.is_truthy(n:wait_shipped())
    assert.same({ { nights = 2, first = "vapi", failed_over_to = "openai" } }, pg.query(n.database, [[
      select (vars ->> 'nights')::integer as nights, routed_first as first, failed_over_to from calls
      where agent = 'inn']]))
    local bookings = 0
    proc.wait_for(function() -- what the call left behind may come a moment after its end
      bookings = #pg.query(n.database, "select from tool_calls where name = 'book_nights' and output like '%booked%'")
      return bookings == 2
    end)
    assert.equal(2, bookings)
  end)
end)
