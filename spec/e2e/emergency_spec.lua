-- SPDX-License-Identifier: Apache-2.0
-- takes: 40 s
-- Gas leaks, from the caller's words to a person who has the caller, or to nobody.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local function agent(name, number, people)
  return ([[
local agent = require "ringdown.agent"
return agent {
  name = "%s", numbers = { "%s" }, greeting = "Northside Plumbing, how can I help?", prompt = "You are friendly.",
  people = { on_call = { "%s", "%s" } },
  emergencies = {
    { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, say = "Leave the building now.",
      transfer = "on_call", text = { to = "on_call", body = "GAS LEAK {{caller.number}}: {{match.words}}" } },
  },
}
]]):format(name, number, people[1], people[2])
end

describe("an emergency", function()
  local n, placed, reports, calls = nil, nil, {}, {}

  setup(function()
    n = node.start { agents = {
      ["gas.lua"] = agent("gas", "+13125550261", { "+13125550188", "+13125550189" }),
      ["gas-alone.lua"] = agent("gas-alone", "+13125550262", { "+13125550186", "+13125550187" }),
    } }
    placed = n:place { scenarios = { "smells-gas", "smells-gas-alone" } }
    local _, all = placed:wait()
    for _, report in ipairs(all) do
      reports[report.scenario], calls[report.scenario] = report, report.call
    end
  end)

  teardown(function()
    n.own_sim:keep_frames()
    if n then
      n:stop()
    end
  end)

  local function rows(sql, scenario)
    local list
    proc.wait_for(function()
      list = pg.query(n.database, sql:gsub("CALL", calls[scenario]))
      return #list > 0
    end, 20)
    return list
  end

  it("has the caller spoken to and dialled through, past a voicemail, to who presses 1", function()
    assert.equal("", reports["smells-gas"].why)
    local match = rows("select * from triage_matches where call = 'CALL' and state = 'handled'", "smells-gas")
    assert.equal(1, #match)
    assert.equal("on_call 2", match[1].handled_by)
    assert.matches("I smell gas in the kitchen", match[1].words)
  end)

  it("is one emergency, however often it is said, and each step of it is kept", function()
    assert.equal(1, #rows("select * from triage_matches where call = 'CALL'", "smells-gas"))
    local steps = rows("select * from triage_steps where call = 'CALL' order by step", "smells-gas")
    local seen = {}
    for _, step in ipairs(steps) do
      seen[#seen + 1] = ("%s %s %s"):format(step.kind, step.target or "-", step.state)
    end
    local told = table.concat(seen, "\n")
    assert.matches("say %- asked\ntransfer %+13125550188 asked", told)
    assert.matches("text %+13125550188 asked", told)
    assert.matches("transfer %+13125550188 no_answer\ntransfer %+13125550189 asked", told)
    assert.matches("transfer %+13125550189 confirmed", told)
  end)

  it("is told by `ringdown why`, step by step", function()
    local said = n:ringdown("why", calls["smells-gas"])
    assert.matches("emergency gas%-leak %(life, found by rule%): handled by on_call 2", said)
    assert.matches("emergency transfer %+13125550189 confirmed", said)
  end)

  it("that nobody takes brings the caller back to the agent, with an alarm", function()
    assert.equal("", reports["smells-gas-alone"].why)
    local alarm = rows("select * from alerts where subject = 'CALL' and kind = 'emergency.unanswered'",
      "smells-gas-alone")
    assert.equal("critical", alarm[1].severity)
    assert.matches("gas%-leak: nobody took the caller", alarm[1].text)
    assert.equal("open", rows("select * from triage_matches where call = 'CALL'", "smells-gas-alone")[1].state)
  end)
end)
