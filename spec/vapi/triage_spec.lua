-- SPDX-License-Identifier: Apache-2.0
local desk = require "ringdown.vapi.desk"
local emergency = require "ringdown.emergency"
local heard = require "ringdown.vapi.heard"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local support = require "spec.vapi.support"
local tools = require "ringdown.vapi.tools"

local UPDATE, TEXT = "POST Calls/" .. support.SID .. ".json", "POST Messages.json"

describe("an emergency of a caller whom Vapi has", function()
  local def

  before_each(function()
    support.begin()
    def = support.agent()
    host.listens_for = def
  end)
  after_each(support.finish)

  local function hear(words)
    heard.run(support.payload { words = words })
  end

  local function opened()
    local list = {}
    for _, fact in ipairs(host.facts) do
      if fact.type == "triage" then
        list[#list + 1] = fact.rule .. " " .. fact.state
      end
    end
    return list
  end

  it("is looked for in words that come, which is a fact of the call, once", function()
    hear "hello"
    hear "are you there"
    assert.equal(1, #host.facts)
    assert.same({ "vapi", true, support.ID }, { host.facts[1].type, host.facts[1].heard, host.facts[1].vapi_id })
  end)

  it("is handed to a human exactly once", function()
    hear "the gas bill is wrong"
    assert.same({}, host.errands)
    hear "I smell gas"
    hear "yes, I smell gas"
    assert.same({ "gas-leak open" }, opened())
    assert.equal(1, #host.errands)
    local payload = json.decode(host.errands[1].text)
    assert.same({ "emergency", "gas-leak", support.ID, support.CONTROL },
      { host.errands[1].kind, payload.rule, payload.vapi.id, payload.vapi.control })
  end)

  it("is found wherever it is in long words, also where a part of them ends", function()
    for _, n in ipairs { 11900, 11990, 12000, 12010, 30000 } do
      support.begin()
      host.listens_for = def
      hear(("la "):rep(n // 3) .. "I smell gas here " .. ("\u{e4}h "):rep(3000))
      assert.same({ "gas-leak open" }, opened())
      assert.equal(1, #host.errands)
    end
    for _, part in ipairs(desk.parts(("\u{e4}"):rep(9001) .. "x")) do
      assert.truthy(utf8.len(part))
      assert.is_true(#part <= 12400)
    end
  end)

  it("is left to the process that had it first", function()
    support.writes = setmetatable({}, { __index = function() return { output = false } end })
    hear "I smell gas"
    assert.same({}, host.errands)
  end)

  it("is acted on when the database does not answer", function()
    host.database_down = "no route"
    hear "I smell gas"
    hear "I smell gas"
    assert.equal(1, #host.errands)
  end)

  it("may be reported by Vapi's model, as by ours", function()
    tools.run(support.payload { tools = { { id = "r", name = "report_emergency",
      arguments = { kind = "gas-leak", words = "it smells odd" } } } }, def)
    assert.matches('"a_person_is_being_called":true', host.replies[1].results[1].result, 1, true)
    assert.same({ "gas-leak open" }, opened())
    hear "I smell gas"
    assert.equal(1, #host.errands)
  end)

  local function run(letters)
    host.twilio_replies = { [UPDATE] = {}, [TEXT] = { body = '{"sid":"SM1","status":"queued"}' } }
    for i, letter in ipairs(letters) do
      host.letters[i] = { at = i * 1000, kind = letter[1], body = letter[2], ticket = letter[1] ~= "text" and i or nil }
    end
    emergency.run({ call = support.SID, rule = "gas-leak", severity = "life", source = "rule", words = "I smell gas",
      from = support.CALLER, to = support.OURS, vapi = { id = support.ID, control = support.CONTROL } }, def)
  end

  it("takes the caller from Vapi and rings people until one presses 1", function()
    run { { "accept", { To = "+13125550188" } }, { "accept", { To = "+13125550188", Digits = "1" } } }
    local twiml = host.twilio_requests[1].form
    assert.matches("resume%3Ferrand%3D0.1", twiml, 1, true)
    assert.matches("accept%3Ferrand%3D0.1", twiml, 1, true)
    assert.matches("errand=0.1", host.answers[1].text, 1, true)
    assert.equal("gas-leak handled", opened()[1])
  end)

  it("rings all of them again, and says in the end that nobody came", function()
    local nobody = { "resume", { DialCallStatus = "no-answer" } }
    run { nobody, nobody, nobody, nobody, nobody, nobody, nobody }
    for i = 1, 5 do
      assert.matches("<Dial", host.answers[i].text, 1, true)
    end
    assert.matches("<Hangup/>", host.answers[6].text, 1, true)
    assert.equal("gas-leak abandoned", opened()[1])
  end)

  it("is said by Vapi's assistant when Twilio cannot be asked", function()
    host.twilio_replies = nil
    emergency.begin({ call = support.SID, rule = "gas-leak", severity = "life", words = "gas", from = support.CALLER,
      to = support.OURS, vapi = { id = support.ID, control = support.CONTROL } }, def)
    assert.equal("say", host.controlled[1].type)
    assert.matches("Leave the building now", host.controlled[1].content, 1, true)
  end)

  it("finds the control of its call by asking Vapi", function()
    host.vapi_replies = { ["GET /call/" .. support.ID] =
      { body = json.encode { monitor = { controlUrl = "https://other.vapi.ai/control" } } } }
    emergency.begin({ call = support.SID, rule = "gas-leak", severity = "life", words = "gas", from = support.CALLER,
      to = support.OURS, vapi = { id = support.ID } }, def)
    assert.equal("say", host.controlled[1].type)
  end)
end)
