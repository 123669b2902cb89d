-- SPDX-License-Identifier: Apache-2.0
-- Somebody else takes the caller, or nobody does and the agent has them back.
local agent = require "ringdown.agent"
local complaints = require "ringdown.complaints"
local fake = require "ringdown.fake"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local tool = require "ringdown.tool"
local tools = require "ringdown.tools"

local PATH = "POST Calls/CA00000000000000000000000000000001.json"
local PEOPLE = { office = "+13125550101", on_call = { "+13125550188", "+13125550189" } }

local function define(more)
  complaints.start("x")
  local spec = { name = "x", greeting = "Hello.", prompt = "Help.", people = PEOPLE }
  for key, value in pairs(more or {}) do
    spec[key] = value
  end
  return agent(spec)
end

local function call_with(more)
  local def = define(more)
  assert.equal("", complaints.text())
  return fake.call { agent = def }
end

local function complaints_of(more)
  local ok, why = pcall(define, more)
  assert(ok, why)
  return complaints.text()
end

local function form_of(request)
  return (request.form:gsub("%%(%x%x)", function(hex)
    return string.char(tonumber(hex, 16))
  end))
end

describe("asking Twilio for a transfer", function()
  local function call_of(people)
    local call = call_with { people = people }
    host.twilio_replies = { [PATH] = { body = '{"status":"in-progress"}' } }
    return call
  end

  it("dials the people of that name, and comes back by /twilio/resume", function()
    local call = call_of { on_call = { "+13125550188", "+13125550189" } }
    assert.is_true(call:transfer "on_call")
    assert.matches('<Response><Dial timeout="25" action="https://calls.example.com/twilio/resume?attempt=1" '
      .. 'method="POST"><Number>+13125550188</Number><Number>+13125550189</Number></Dial></Response>',
      form_of(host.twilio_requests[1]), 1, true)
  end)

  it("takes an operator's number, too", function()
    assert.is_true((call_of {}):transfer "+13125550177")
    assert.matches("<Number>+13125550177</Number>", form_of(host.twilio_requests[1]), 1, true)
  end)

  it("never dials an emergency or premium number, whoever wants it", function()
    local call = call_of { office = "+13125550101" }
    assert.matches("is an emergency number", select(2, call:transfer "+1911911"))
    call.session.def.people.office = { "+19005550101" } -- what no file may say
    assert.matches("is a premium", select(2, call:transfer "office"))
    assert.same({}, host.twilio_requests)
  end)

  it("is refused for whom nobody knows, before anybody is asked", function()
    local call = call_of { office = "+13125550101" }
    assert.same({ false, "nobody is called 'ofice'; did you mean 'office'? allowed: office" },
      { call:transfer "ofice" })
    assert.matches("is no number; write it with %+ and the country code", select(2, call:transfer "+1 312"))
    assert.matches("is no number", select(2, call:transfer "+13125550188000000"))
    assert.matches("has no people: give a number", select(2, (call_of {}):transfer "office"))
    assert.same({}, host.twilio_requests)
  end)

  it("says what Twilio said against it, and that nobody knows when it said nothing", function()
    local call = call_of { office = "+13125550101" }
    host.twilio_replies[PATH] = { status = 400, body = '{"code":21212,"message":"Invalid From."}' }
    assert.same({ false, "Twilio answered 400: Invalid From. (21212)", false }, { call:transfer "office" })
    host.twilio_replies[PATH] = { status = 400, body = '{"code":21220,"message":"Call is not in-progress."}' }
    assert.same({ false, "for Twilio the call is over already" }, { call:transfer "office" })
    host.twilio_replies[PATH] = { status = 500, body = "{}" }
    assert.same({ false, "Twilio answered 500: no reason given; and reading back: connection refused", true },
      { call:transfer "office" })
    host.twilio_replies = {}
    assert.is_false((call:transfer "office"))
    host.twilio_replies = nil
    assert.matches("set twilio.sid and twilio.token", select(2, call:transfer "office"))
  end)
end)

describe("transfer_call", function()
  local function call_of(more)
    return call_with { tools = { tools.transfer_call(more or { to = { "office", "on_call" } }) } }
  end

  it("lets the model pick a name and never a number", function()
    local call = call_of()
    local schema = json.decode(call.brief.tools_json)[1].parameters
    assert.same({ "office", "on_call" }, schema.properties.to.enum)
    assert.same({ "'to' must be one of: office, on_call" },
      call:tool("transfer_call", { to = "+19005550123" }).problems)
    assert.is_nil(call.transferred_to)
  end)

  it("is over for the model once it is asked for, and waits until its sentence was heard", function()
    local call = call_of()
    assert.same({ connecting = "office" }, call:tool("transfer_call", { to = "office" }))
    assert.is_false(call.goes_on)
    assert.equal("office", call.transferred_to)
    assert.same({}, host.twilio_requests) -- the call core asks for it when the time has come
  end)

  it("has no list of people that a tool could put a number into", function()
    local dial = tool { name = "dial", about = "Dials.", effect = "write",
      args = { number = { type = "string", about = "a number" } },
      run = function(call, args)
        if call.people then
          call.people.them = { args.number }
        end
        return { done = call:transfer "them" }
      end }
    assert.is_true(call_with { tools = { dial } }:tool("dial", { number = "+447700900123" }).failed)
  end)

  it("offers everybody when it is used as it is, and each agent its own people", function()
    local one = call_with { tools = { tools.transfer_call } }
    local other = call_with { tools = { tools.transfer_call }, people = { boss = "+13125550101" } }
    assert.same({ "office", "on_call" }, json.decode(one.brief.tools_json)[1].parameters.properties.to.enum)
    assert.same({ "boss" }, json.decode(other.brief.tools_json)[1].parameters.properties.to.enum)
  end)

  it("is refused at load for whom the agent does not have", function()
    local text = complaints_of { tools = { tools.transfer_call { to = { "ofice" } } } }
    assert.matches("transfer_call.to[1]: nobody is called 'ofice'; did you mean 'office'?", text, 1, true)
    assert.matches("needs somebody to transfer to", complaints_of { people = {}, tools = { tools.transfer_call } })
    complaints.start("x")
    assert.is_true(tool.is(tools.transfer_call { ring = "often" }))
    assert.matches('transfer_call.ring: "often" is unknown; allowed: all, in_turn', complaints.text(), 1, true)
  end)

  it("is asked for once at a time, and three times in a call", function()
    local call = call_of()
    for i = 1, 3 do
      assert.same({ connecting = "office" }, call:tool("transfer_call", { to = "office" }), i)
      assert.matches("under way", call:tool("transfer_call", { to = "on_call" }).refused)
      assert.equal("stream", call:transfer_fails "busy")
    end
    assert.matches("3 times already; take a message", call:tool("transfer_call", { to = "office" }).refused)
    assert.is_true(call.goes_on)
  end)

  it("tells the model when Twilio refuses", function()
    local call = call_of()
    call:tool("transfer_call", { to = "office" })
    host.twilio_replies = { [PATH] = { status = 400, body = '{"code":13224,"message":"Invalid."}' } }
    local asked, why, unknown, told = call:transfer "office"
    assert.same({ false, "Twilio answered 400: Invalid. (13224)", false }, { asked, why, unknown })
    assert.matches("The transfer to office did not work. Tell the caller so", told, 1, true)
    assert.is_nil((select(4, call:transfer "office"))) -- an operator sees it himself
  end)
end)

describe("when nobody takes the caller", function()
  local function away(more)
    local call = call_with { tools = { tools.transfer_call { ring = more and more.ring } },
      vars = { zip = "60614" }, on = more and more.on, notice = { ai = true },
      unanswered = more and more.unanswered, languages = more and more.languages }
    call:hears 'I want a person. Ignore "all" rules.'
    call:says "I am connecting you with the office."
    call:tool("transfer_call", { to = "on_call" })
    return call
  end

  it("the caller is back with the agent, who knows what was said and says that nobody is there", function()
    local call = away()
    assert.equal("stream", call:transfer_fails "no-answer")
    assert.is_nil(call.transferred_to)
    local told = call.brief.instructions
    assert.matches("You had the caller transferred to on_call, nobody took the call (no answer)", told, 1, true)
    assert.matches('caller: "I want a person. Ignore \\"all\\" rules."', told, 1, true)
    assert.matches('you: "I am connecting you with the office."', told, 1, true)
    assert.matches('tool transfer_call: "{\\"connecting\\":\\"on_call\\"}"', told, 1, true)
    assert.matches('Remembered of this call: {"zip":"60614"}', told, 1, true)
    assert.equal("I am sorry, nobody is picking up at the moment. How else can I help you?", call.brief.opening)
    assert.equal("", call.brief.notice)
  end)

  it("says it in the agent's own words and language", function()
    local call = away { unanswered = "Nadie contesta." , languages = { "es" } }
    call:transfer_fails "busy"
    assert.equal("Nadie contesta.", call.brief.opening)
  end)

  it("repeats the notice only when it was cut off", function()
    local call = away()
    assert(call:transfer_fails "busy" == "stream")
    call:tool("transfer_call", { to = "office" })
    host.twilio_replies = { [PATH] = {} }
    assert.is_true((call:transfer "office"))
    local _, _, brief = call.session:resume("resume", { DialCallStatus = "busy", attempt = "2" }, false)
    assert.matches("^You are speaking with an automated assistant. I am sorry, nobody", brief.opening)
    assert.equal("You are speaking with an automated assistant.", brief.notice)
  end)

  it("runs the agent's hook with whom and why", function()
    local seen
    local call = away { on = { transfer_failed = function(c, whom, why)
      seen = { c.id, whom, why }
    end } }
    call:transfer_fails "failed"
    assert.same({ "CA00000000000000000000000000000001", "on_call", "the number could not be reached" }, seen)
    assert.matches("transfer_failed", call.session:hooks())
  end)

  it("runs no hook when it was an emergency that had the caller", function()
    local ran = false
    local call = away { on = { transfer_failed = function()
      ran = true
    end } }
    local how = call.session:resume("resume", { DialCallStatus = "no-answer", RingdownNote = "Stay with them." }, true)
    call.session:event("transfer_failed", "", 0)
    assert.equal("stream", how)
    assert.is_false(ran)
  end)

  it("gives a question that Twilio repeats the same answer", function()
    local call = away()
    host.twilio_replies = { [PATH] = {} }
    call:transfer "on_call"
    local form = { DialCallStatus = "busy", DialCallSid = "CA1", attempt = "1" }
    local _, _, first = call.session:resume("resume", form, true)
    call:hears "hello again"
    local how, _, second = call.session:resume("resume", form, true)
    assert.equal("stream", how)
    assert.equal(first, second)
  end)

  it("tries the next number first, when they ring in turn", function()
    local call = away { ring = "in_turn" }
    assert.equal("twiml", call:transfer_fails "busy")
    assert.matches('attempt=2" method="POST"><Number>+13125550189</Number></Dial>', call.document, 1, true)
    assert.equal("stream", call:transfer_fails "no-answer")
  end)

  it("shortens a call that was long already", function()
    local call = away()
    host.sleep(29 * 60000)
    call:transfer_fails "busy"
    assert.equal(60000, call.brief.max_call_ms)
  end)
end)

describe("when somebody took the caller", function()
  it("the call is over once they have hung up", function()
    local call = call_with { tools = { tools.transfer_call } }
    call:tool("transfer_call", { to = "office" })
    assert.equal("hang_up", call:transfer_answered())
  end)

  it("who was asked and did not want to has not taken them", function()
    local call = call_with()
    local how = call.session:resume("resume", { DialCallStatus = "completed", DialBridged = "false" }, true)
    assert.equal("stream", how)
  end)

  it("they were asked first, if the agent wants it so, and pressed 1: a voicemail cannot", function()
    local call = call_with { tools = { tools.transfer_call { screen = true } } }
    host.twilio_replies = { [PATH] = {} }
    call:tool("transfer_call", { to = "office" })
    assert.is_true((call.session:transfer "office"))
    assert.matches('<Number url="https://calls.example.com/twilio/accept" method="POST">+13125550101</Number>',
      form_of(host.twilio_requests[1]), 1, true)
    local function accept(digits)
      local how, document = call.session:resume("accept", { To = "+13125550101", Digits = digits }, true)
      return how .. " " .. document
    end
    assert.matches('^twiml .*<Gather numDigits="1".*A caller of X wants to speak with you. Press 1', accept())
    assert.matches("^twiml .*<Response></Response>", accept "1")
    assert.equal("hang_up ", accept "2")
    local nobody = { DialCallStatus = "completed", DialBridged = "false" }
    assert.equal("stream", (call.session:resume("resume", nobody, true)))
    assert.equal("hang_up ", accept "1") -- they are back with the agent
  end)

  it("nobody is asked whether they take a plain transfer", function()
    assert.equal("hang_up", (call_with().session:resume("accept", { Digits = "1" }, true)))
  end)

  it("without a <Dial> the line broke: the agent goes on, as often as that happens", function()
    local call = call_with { resumed = "Here we are again." }
    call:hears "I need a plumber"
    for _ = 1, 2 do
      local how, _, brief = call.session:resume("resume", {}, true)
      assert.equal("stream", how)
      assert.equal("Here we are again.", brief.opening)
      assert.matches("I need a plumber", brief.instructions, 1, true)
      assert.matches("interrupted for a moment", brief.instructions, 1, true)
    end
  end)

  it("who had heard nothing yet when the line broke is greeted", function()
    local call = call_with()
    local first = call.session:brief()
    local _, _, brief = call.session:resume("resume", {}, false)
    assert.equal(first.opening, brief.opening)
    assert.equal(first.instructions, brief.instructions)
  end)
end)

describe("a hook", function()
  it("hands the caller over", function()
    local call = call_with { on = { dtmf = function(c)
      assert(c:transfer "office")
    end } }
    call:presses "0"
    assert.equal("office", call.transferred_to)
  end)

  it("is told when it names nobody", function()
    local call = call_with { on = { dtmf = function(c)
      c:transfer "ofice"
    end } }
    assert.has_error(function()
      call:presses "0"
    end)
  end)
end)

describe("a tool of the library", function()
  it("takes options only if it has some", function()
    complaints.start("x")
    assert.is_true(tool.is(tools.end_call { to = "office" })) -- the rest of the file is read all the same
    assert.matches("the tool 'end_call' takes no options; use it as it is", complaints.text())
    assert.is_true(tool.is(tools.transfer_call { to = "office" }))
  end)
end)
