-- SPDX-License-Identifier: Apache-2.0
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local host = require "ringdown.fake.host"

local function call_with(more)
  local spec = { name = "x", greeting = "Hello.", prompt = "Help.", numbers = { "+13125550100" },
    people = { on_call = { "+13125550188", "+13125550189" }, office = "+13125550101" },
    emergencies = { { id = "gas-leak", severity = "life", any = { "smell gas", "gas leak" }, unless = { "gas bill" },
      say = "Leave the building.", transfer = "on_call",
      text = { to = "on_call", body = "GAS LEAK {{caller.number}}: {{match.words}}" } } } }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  complaints.start "x"
  local def = agent(spec)
  assert.equal("", complaints.text())
  local call = fake.call { agent = def }
  host.twilio_replies = { ["POST Messages.json"] = { status = 201 },
    ["POST Calls/CA00000000000000000000000000000001.json"] = {} }
  return call
end

describe("the triage desk", function()
  it("hands a gas leak to a human exactly once", function()
    local call = call_with()
    call:hears "the gas bill is wrong"
    assert.same({}, call.emergencies)
    call:hears "I smell gas"
    call:hears "yes, I smell gas"
    assert.same({ "gas-leak" }, call.emergencies)
    assert.equal("on_call", call.transferred_to)
    local texts = 0
    for _, r in ipairs(host.twilio_requests) do
      texts = texts + (r.path == "Messages.json" and 1 or 0)
    end
    assert.equal(1, texts)
  end)

  it("works before the agent's own hook, and when that is broken", function()
    local order = {}
    local call = call_with { on = { utterance = function(c)
      order[#order + 1] = #host.twilio_requests > 0 and "after" or "before"
      error("broken " .. c.id)
    end } }
    pcall(call.hears, call, "I smell gas")
    assert.same({ "after" }, order)
    assert.same({ "gas-leak" }, call.emergencies)
  end)

  it("lets the model ask when the caller denies it", function()
    local call = call_with()
    call:hears "no, there is no gas leak"
    assert.same({}, call.emergencies)
    assert.same({ "gas-leak" }, call.desk.asked)
  end)
end)

describe("the model's own report", function()
  it("is as good as a match of its rule, and once with it", function()
    local call = call_with()
    local output = call:tool("report_emergency", { kind = "gas-leak", words = "it stinks of rotten eggs" })
    assert.is_true(output.a_person_is_being_called)
    assert.matches("Do not say that help is on its way", output.say)
    call:hears "I smell gas"
    assert.same({ "gas-leak" }, call.emergencies)
  end)

  it("offers the agent's rules and nothing else", function()
    local call = call_with()
    assert.matches('"gas%-leak","other"', call.brief.tools_json)
    assert.matches("must be one of", call:tool("report_emergency", { kind = "aliens", words = "?" }).problems[1])
  end)

  it("reaches the people of the rules about life when no rule is about it", function()
    local call = call_with { people = { boss = "+13125550101", team = "+13125550188" },
      emergencies = { { id = "fire", severity = "life", any = { "fire" }, say = "Leave.", transfer = "team" } } }
    host.twilio_replies = {}
    local output = call:tool("report_emergency", { kind = "other", words = "he took all his pills", severity = "life" })
    assert.is_true(output.noted)
    assert.equal("+13125550188", call.texts[1].to)
    assert.matches("^REPORTED BY THE AGENT, no rule: .*he took all his pills", call.texts[1].body)
    assert.equal(1, #call.texts)
    assert.same({}, call.emergencies)
    assert.same({}, host.alarms)
  end)

  it("is an alarm when nobody could be told", function()
    local call = call_with()
    host.twilio_replies = nil
    call:tool("report_emergency", { kind = "other", words = "he took all his pills", severity = "life" })
    assert.equal("critical", host.alarms[1].severity)
    assert.matches("nobody was told: Twilio cannot be asked", host.alarms[1].text)
  end)

  it("is not there for an agent without emergencies", function()
    local call = call_with { emergencies = {} }
    assert.matches("no tool", call:tool("report_emergency", { kind = "other", words = "?" }).error)
  end)
end)
