-- SPDX-License-Identifier: Apache-2.0
-- takes: 40 s
-- Calls that GPT-Live answers: it hears and speaks at once, its turns are made here, its seconds are billed. What
-- emergencies, tools, transcripts and lost sessions need is there.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local sims = require "spec.e2e.support.sim"

local agents = {
  ["ferry.lua"] = [[
    local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"
    local cheapest = tool { name = "cheapest_cabin", about = "Its name.", effect = "read", failed = "Say it failed.",
      args = {}, run = function() return { cabin = "a berth without a window" } end }
    return agent {
      name = "ferry", numbers = { "+13125550291" }, time_zone = "America/Chicago", openai = { api = "live" },
      greeting = "Lake ferry, good day.", prompt = "You sell tickets.", notice = { ai = true },
      tools = { cheapest, tools.end_call },
    }]],
  ["gas.lua"] = [[
    local agent = require "ringdown.agent"
    return agent {
      name = "gas", numbers = { "+13125550292" }, greeting = "Northside Plumbing, how can I help?",
      prompt = "You are friendly.", openai = { api = "live" },
      people = { on_call = { "+13125550188" } },
      emergencies = {
        { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, say = "Leave the building now.",
          transfer = "on_call" },
      },
    }]],
}

describe("a call that GPT-Live answers", function()
  local sim, n, broken, watch, after
  local reports = {}

  setup(function()
    sim = sims.start { live = true }
    n = node.launch { agents = agents, sim = sim, env = { OPENAI_LIVE_URL = sim:live_url() } }
    broken = node.launch { agents = { ["ferry.lua"] = agents["ferry.lua"] }, sim = sim,
      env = { OPENAI_LIVE_URL = sim:live_url "drop-first" } }
    n:wait_ready()
    broken:wait_ready()
    watch, after = n:watch(), broken:watch()
    local one = n:place { scenarios = { "full-duplex", "smells-gas-live" } }
    local other = broken:place { scenarios = { "session-breaks" } }
    for _, placed in ipairs { one, other } do
      local _, list = placed:wait()
      for _, report in ipairs(list) do
        reports[report.scenario] = report
      end
      reports.text = list.text
    end
    watch:wait_for_ends(1)
    after:wait_for_ends(1)
  end)

  teardown(function()
    watch:stop()
    after:stop()
    assert.equal(0, n:stop())
    assert.equal(0, broken:stop())
    assert.equal(0, sim:stop())
  end)

  local function said(from, report)
    local list = {}
    for _, turn in ipairs(from:turns(report.call)) do
      table.insert(list, turn.role .. ": " .. turn.text)
    end
    return list
  end

  local function facts(from, report, type)
    local list = {}
    for _, event in ipairs(from:events()) do
      if event.call == report.call and event.type == type then
        table.insert(list, event)
      end
    end
    return list
  end

  it("greets, answers, stops when its caller cuts in, uses a tool and hangs up", function()
    local report = assert(reports["full-duplex"], reports.text)
    assert.equal("", report.why)
    assert.same({}, sim:live_facts "violation")
    local words = said(watch, report)
    assert.matches("^agent: .*Lake ferry, good day", words[1])
    assert.equal("caller: Which cabins does the ferry have?", words[2])
    assert.matches("^agent: There is the captain's suite", words[3])
    assert.is_nil(words[3]:find("without a window", 1, true)) -- it was not said any more
    assert.equal("caller: Sorry, just give me the cheapest one.", words[4])
    assert.equal("agent: It is yours. Welcome on board of our ferry.", words[5])
    assert.equal(5, #words)
    assert.equal(1, #facts(watch, report, "notice")) -- its transcript says that it was the notice
    local output = sim:live_facts("output")[1]
    assert.matches("a berth without a window", output.text, 1, true)
    assert.equal("agent_hangup", facts(watch, report, "ended")[1].reason)
  end)

  it("costs its seconds, the last ones too, and what is not known is not guessed", function()
    local report = assert(reports["full-duplex"], reports.text)
    assert.is_truthy(n:wait_shipped())
    local session = sim:live_facts("output")[1].session
    local closed = sim:live_facts("closed", session)[1]
    assert.equal("close_requested", closed.reason)
    local told = pg.query(n.database, ([[select sum(seconds) as s from usage where call = '%s'
      and model = 'gpt-live-1.1']]):format(report.call))[1]
    assert.is_true(math.abs(tonumber(told.s) - closed.seconds) < 0.01, told.s .. " of " .. closed.seconds)
    pg.query(n.database, ("select call_cost('%s')"):format(report.call))
    local line = pg.query(n.database, ([[select unit, micro_usd_exact as usd from call_cost_lines
      where call = '%s' and model = 'gpt-live-1.1']]):format(report.call))[1]
    assert.equal("minute", line.unit)
    assert.is_true(math.abs(tonumber(line.usd) - closed.seconds / 60 * 50000) < 10, line.usd)
    local cost = pg.query(n.database, ("select reason from call_costs where call = '%s'"):format(report.call))[1]
    assert.matches("no rate for .* of gpt%-5.5", cost.reason)
  end)

  it("still hears of a gas leak, and dials who is on call", function()
    local report = assert(reports["smells-gas-live"], reports.text)
    assert.equal("", report.why)
    assert.is_truthy(n:wait_shipped())
    local match = pg.query(n.database, ("select state, words from triage_matches where call = '%s'")
      :format(report.call))[1]
    assert.equal("handled", match.state)
    assert.matches("I smell gas", match.words)
  end)

  it("goes on in another session when its own breaks, which knows what was said", function()
    local report = assert(reports["session-breaks"], reports.text)
    assert.equal("", report.why)
    local words = said(after, report)
    assert.same({ "caller: My name is Ann, wait a moment please.", "agent: Sure.",
      "caller: Can I bring my dog on the ferry?", "agent: Dogs travel for free on this ferry." },
      { table.unpack(words, 2) })
    local knows
    for _, fact in ipairs(sim:live_facts "sent") do
      local content = fact.event.type == "session.thinking.append" and fact.event.content
      knows = knows or content and content:find("you said: .*Lake ferry, good day")
    end
    assert.is_truthy(knows)
  end)
end)
