-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or host

local emergency = require "ringdown.emergency"

local CALL = "CA00000000000000000000000000000001"
local UPDATE, TEXT, RING = "POST Calls/" .. CALL .. ".json", "POST Messages.json", "POST Calls.json"
local CALLER, OURS = "+13125550142", "+13125550100"
local FIRST, SECOND = "+13125550188", "+13125550189"

local function agent(more)
  local def = {
    name = "northside-plumbing", languages = { "en", "es" },
    people = { on_call = { FIRST, SECOND }, office = { "+13125550101" } },
    emergencies = { { id = "gas-leak", severity = "life", transfer = "on_call",
      say = { en = "Leave the building now, then call 911.", es = "Salga del edificio y llame al 911." },
      text = { to = "on_call", body = "GAS LEAK" } },
      { id = "flood", severity = "urgent", say = { en = "Close the main valve." }, transfer = "office",
        text = { to = "on_call", body = "FLOOD" } },
      { id = "complaint", severity = "normal", text = { to = "office", body = "COMPLAINT" } } },
  }
  for key, value in pairs(more or {}) do
    def[key] = value
  end
  return def
end

local function payload(more)
  local p = { call = CALL, rule = "gas-leak", severity = "life", source = "rule", words = "I smell gas in the kitchen",
    from = CALLER, to = OURS }
  for key, value in pairs(more or {}) do
    p[key] = value
  end
  return p
end

local tickets

---A letter that comes so many ms after the beginning.
local function at(ms, kind, body, is_question)
  tickets = tickets + (is_question and 1 or 0)
  table.insert(host.letters, { at = ms, kind = kind, body = body, ticket = is_question and tickets or nil })
  return tickets
end

local function resume(ms, status) return at(ms, "resume", { DialCallStatus = status }, true) end
local function accept(ms, number, digits) return at(ms, "accept", { To = number, Digits = digits }, true) end
local function text(ms, number, body)
  return at(ms, "text", { from = number, body = body, code = body:sub(1, 1) == "1" and 1 or 0, several = false })
end

local function decoded(form)
  local fields = {}
  for key, value in form:gmatch "([^&=]+)=([^&]*)" do
    fields[key] = value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
  end
  return fields
end

local function requests(which)
  local list = {}
  for _, r in ipairs(host.twilio_requests) do
    if r.method .. " " .. r.path == which then
      list[#list + 1] = decoded(r.form)
    end
  end
  return list
end

local function texted()
  local list = {}
  for i, form in ipairs(requests(TEXT)) do
    list[i] = form.To .. " " .. form.Body:match "^[^\n]*"
  end
  return list
end

local function last(type, state)
  for i = #host.facts, 1, -1 do
    if host.facts[i].type == type and (not state or host.facts[i].state == state) then
      return host.facts[i]
    end
  end
end

local function states()
  local list = {}
  for _, fact in ipairs(host.facts) do
    if fact.type == "triage" then
      list[#list + 1] = fact.state .. (fact.by and " by " .. fact.by or "")
    end
  end
  return list
end

local function run(p, def)
  emergency.run(payload(p), agent(def))
end

describe("an emergency of life", function()
  before_each(function()
    host.reset()
    tickets = 0
    host.twilio_replies = { [UPDATE] = {}, [TEXT] = { status = 201 }, [RING] = { status = 201 } }
  end)

  it("says the words, dials the first person and texts them at the same time", function()
    text(1000, FIRST, "1")
    resume(1500, "no-answer")
    run()
    local twiml = requests(UPDATE)[1].Twiml
    assert.matches('<Say language="en%-US">Leave the building now, then call 911%. Please stay on the line', twiml)
    assert.matches('<Dial timeout="20" action="https://calls%.example%.com/twilio/resume" method="POST">'
      .. '<Number url="https://calls%.example%.com/twilio/accept" method="POST">%+13125550188</Number></Dial>', twiml)
    assert.equal("+13125550188 GAS LEAK", texted()[1])
    assert.matches("\nReply 1 to take it%.$", requests(TEXT)[1].Body)
    assert.same({ "begun on_call 1" }, host.line_events)
  end)

  it("is on the disk before anybody is asked", function()
    local barriers
    host.twilio_replies[UPDATE] = setmetatable({}, { __index = function(_, key)
      barriers = barriers or key == "status" and host.barriers or nil
    end })
    text(0, FIRST, "1")
    resume(0, "no-answer")
    run()
    assert.equal(1, barriers)
  end)

  it("goes on when the disk takes nothing", function()
    host.not_durable = "the disk is full"
    text(0, FIRST, "1")
    resume(0, "no-answer")
    run()
    assert.equal(1, #requests(UPDATE))
    assert.equal("triage.not_kept", host.log_lines[1].event)
  end)

  it("is handled by who picks up and presses 1", function()
    local asked = accept(5000, FIRST)
    local pressed = accept(9000, FIRST, "1")
    run()
    assert.matches("Emergency call for Northside Plumbing: gas leak%. Press 1 to take it%.", host.answers[asked].text)
    assert.matches("<Response></Response>", host.answers[pressed].text)
    assert.same({ "handled by on_call 1" }, states())
    assert.same({}, host.alarms)
  end)

  it("takes a voicemail for nobody: it cannot press 1", function()
    accept(5000, FIRST)
    local after_voicemail = resume(16000, "completed")
    accept(20000, SECOND, "1")
    run()
    assert.matches("Nobody is picking up%. Please stay on the line, I am trying the next person%.",
      host.answers[after_voicemail].text)
    assert.matches("%+13125550189</Number></Dial>", host.answers[after_voicemail].text)
    assert.same({ "handled by on_call 2" }, states())
  end)

  it("goes to the next person at once, then to all, then back to the agent, who knows", function()
    resume(20000, "no-answer")
    local all = resume(40000, "busy")
    local back = resume(60000, "no-answer")
    text(70000, SECOND, "1")
    run()
    assert.matches("trying everybody at once.*%+13125550188</Number><Number.*%+13125550189</Number></Dial>",
      host.answers[all].text)
    assert.equal("agent", host.answers[back].how)
    assert.matches("The caller has an emergency %(gas%-leak%).*Nobody of our people picked up yet.*"
      .. "Do not say that help is on its way.*Leave the building now", host.answers[back].text)
    assert.same({ "critical" }, { host.alarms[1].severity })
    assert.matches("on_call 2 has taken it and knows", host.instructions[1])
  end)

  it("texts the next person after a minute without an answer, then all of them", function()
    resume(20000, "no-answer")
    resume(40000, "no-answer")
    resume(60000, "no-answer")
    text(150000, FIRST, "1")
    run()
    assert.same({ FIRST .. " GAS LEAK", SECOND .. " GAS LEAK", FIRST .. " GAS LEAK", SECOND .. " GAS LEAK",
      FIRST .. " You took it: gas-leak, caller +13125550142.", SECOND .. " gas-leak: taken by on_call 1." }, texted())
    assert.same({ "handled by on_call 1" }, states())
    assert.equal(1, #host.alarms_over)
  end)

  it("is abandoned only after everything was tried, with an alarm long before", function()
    resume(20000, "no-answer")
    resume(40000, "no-answer")
    resume(60000, "no-answer")
    run()
    assert.same({ "abandoned" }, states())
    assert.matches("gas%-leak: nobody confirmed it", host.alarms[2].text)
    assert.equal(2 + 2 + 5 * 2, #texted())
    assert.is_true(host.now_ms() >= 3 * 60000 + 6 * 300000)
  end)

  it("goes on at once when somebody says no", function()
    text(5000, FIRST, "no, I am abroad")
    text(6000, SECOND, "ok")
    resume(20000, "no-answer")
    run()
    assert.equal(SECOND .. " GAS LEAK", texted()[2])
    assert.same({ "handled by on_call 2" }, states())
  end)

  it("texts the next person at once when the carrier could not deliver, and waits again after that", function()
    at(5000, "undelivered", { id = CALL .. ".gas-leak.0.1", error_code = "30006" })
    at(5500, "undelivered", { id = "of-another-process" })
    at(30000, "text", { from = SECOND, body = "1", code = 1 })
    resume(31000, "no-answer")
    run()
    assert.same({ FIRST .. " GAS LEAK", SECOND .. " GAS LEAK" }, { texted()[1], texted()[2] })
    assert.equal("not delivered: 30006", last("triage_step", "failed").detail)
    assert.matches("/twilio/status%?text=" .. CALL .. "%.gas%-leak%.0%.1&errand=0%.1$",
      requests(TEXT)[1].StatusCallback)
    assert.equal(2 + 2, #texted())
  end)

  it("hears from the database what another node was told: not delivered, taken by a key, taken by a text", function()
    function host.query(sql)
      return sql:find("from texts", 1, true) and host.now_ms() < 9000
        and { { CALL .. ".gas-leak.0.1", "30006" } }
        or host.now_ms() > 20000 and { { "handled", "+13125550189" } } or {}
    end
    local ticket = at(40000, "resume", { DialCallStatus = "completed", DialBridged = "true" }, true)
    run()
    host.query = nil
    assert.equal("not delivered: 30006", last("triage_step", "failed").detail)
    assert.same({ FIRST .. " GAS LEAK", SECOND .. " GAS LEAK" }, { texted()[1], texted()[2] })
    assert.equal("hang_up", host.answers[ticket].how)
    assert.is_nil(last("triage", "abandoned"))
  end)

  it("counts what its texts cost, and does not ask whether they may be sent", function()
    host.database_down = "no connection"
    text(1000, FIRST, "1")
    resume(1500, "no-answer")
    run()
    local sent
    for _, fact in ipairs(host.facts) do
      sent = sent or fact.type == "text" and fact
    end
    assert.same({ 1, "emergency", "out", CALL }, { sent.segments, sent.kind, sent.direction, sent.call })
    assert.same({}, host.queries)
  end)

  it("explains once what to answer", function()
    text(1000, FIRST, "which house?")
    text(2000, FIRST, "hello?")
    text(3000, FIRST, "Yes!")
    resume(20000, "no-answer")
    run()
    assert.same({ FIRST .. " GAS LEAK", FIRST .. " Reply 1 to take gas-leak.",
      FIRST .. " You took it: gas-leak, caller +13125550142." }, texted())
  end)

  it("tells who picks up too late that it is taken", function()
    text(3000, SECOND, "1")
    host.expected[SECOND] = 1
    text(4000, FIRST, "1")
    local late = accept(5000, SECOND)
    resume(6000, "no-answer")
    run()
    assert.matches("It is taken already, by on_call 1%.", host.answers[late].text)
    assert.equal("agent", host.answers[late + 1].how)
  end)

  it("puts through who took it by text and then picks up", function()
    text(1000, FIRST, "1")
    local asked, pressed = accept(4000, FIRST), accept(6000, FIRST, "1")
    local over = resume(9000, "completed")
    run()
    assert.matches("Press 1 to take it", host.answers[asked].text)
    assert.matches("<Response></Response>", host.answers[pressed].text, 1, true)
    assert.is_nil(host.answers[over]) -- nothing is left to follow
    assert.same({ "handled by on_call 1" }, states())
  end)

  it("keeps texting when the caller hung up, and lets phones ring", function()
    at(3000, "ended", { reason = "caller_hangup" })
    text(70000, SECOND, "1")
    run()
    assert.equal(1, #requests(UPDATE))
    assert.same({ SECOND }, { requests(RING)[1].To })
    assert.matches("Emergency at Northside Plumbing%. You have a text about it", requests(RING)[1].Twiml)
    assert.same({ "handled by on_call 2" }, states())
  end)

  it("dials the rule's people when the model dies before the transfer", function()
    host.line_is_free = false
    at(3000, "ended", { reason = "provider_failed" })
    text(4000, FIRST, "1")
    run()
    local twiml = requests(UPDATE)[1].Twiml
    assert.matches('<Number url="https://calls.example.com/twilio/accept%?errand=[^"]+" method="POST">'
      .. "%+13125550188</Number>", twiml)
    assert.matches("I cannot reach anybody right now", twiml)
  end)

  it("lets whoever picks up have the caller when this process goes, which nobody can ask then", function()
    host.line_is_free = false
    at(3000, "ended", { reason = "shutdown" })
    text(4000, FIRST, "1")
    run()
    assert.matches("<Number>%+13125550188</Number><Number>%+13125550189</Number></Dial>", requests(UPDATE)[1].Twiml)
  end)

  it("speaks itself and raises the alarm at once when Twilio cannot be asked", function()
    host.twilio_replies = nil
    run()
    assert.same({ "Leave the building now, then call 911. If you are in danger, leave and call the emergency "
      .. "services." }, host.said)
    assert.matches("Twilio cannot be asked", host.alarms[1].text)
    assert.same({ "abandoned" }, states())
  end)

  it("speaks itself when Twilio refuses, and the call goes on", function()
    host.twilio_replies[UPDATE] = { status = 400, body = '{"code":21205,"message":"no"}' }
    text(1000, FIRST, "1")
    run()
    assert.equal(1, #host.said)
    assert.matches("^refused Twilio answered 400: no$", host.line_events[2])
    assert.equal("failed", last("triage_step", "failed").state)
    assert.equal(1, #host.alarms)
  end)

  it("asks again when Twilio stumbles for a second", function()
    host.twilio_replies[UPDATE] = { { status = 429 }, { status = 503 }, {} }
    host.twilio_replies["GET Calls.json"] = { body = '{"calls":[]}' }
    accept(5000, FIRST, "1")
    run()
    assert.equal(3, #requests(UPDATE))
    assert.same({ "begun on_call 1" }, host.line_events)
    assert.same({ "handled by on_call 1" }, states())
    assert.same({}, host.alarms)
  end)

  it("says that nobody knows when the answer to the transfer was lost", function()
    host.twilio_replies[UPDATE] = { lost = true }
    text(60000, FIRST, "1")
    run()
    assert.matches(", unknown$", host.line_events[2])
    assert.equal(1, #host.said)
  end)

  it("speaks the caller's language, or all of them when it cannot tell", function()
    text(0, FIRST, "1")
    resume(0, "no-answer")
    run { words = "huele a gas en mi casa" }
    assert.matches('<Say language="es%-MX">Salga del edificio', requests(UPDATE)[1].Twiml)
    assert.is_nil(requests(UPDATE)[1].Twiml:find("Leave the building", 1, true))
  end)

  it("says it in every language when it cannot tell which one the caller speaks", function()
    text(0, FIRST, "1")
    resume(0, "no-answer")
    run { words = "gas!" }
    assert.matches("Leave the building.*Salga del edificio", requests(UPDATE)[1].Twiml)
  end)

  it("asks whoever there is when the rule names nobody", function()
    text(0, FIRST, "1")
    resume(0, "no-answer")
    run({ rule = "reported", words = "a man collapsed" }, { emergencies = {} })
    assert.equal(FIRST .. " EMERGENCY reported, caller +13125550142: a man collapsed", texted()[1])
    assert.matches("%+13125550188</Number></Dial>", requests(UPDATE)[1].Twiml)
  end)

  it("has an alarm when there is nobody at all", function()
    run({}, { people = {} })
    assert.matches("the agent has no people", host.alarms[1].text)
    assert.equal(1, #host.said)
  end)

  it("begins with the texts again after the node was restarted, and its steps go on", function()
    text(1000, FIRST, "1")
    run { resumed = true, ended = true, steps = 4 }
    assert.equal(0, #requests(UPDATE))
    assert.matches("still open when this process began", host.alarms[1].text)
    assert.is_true(last("triage_step").step > 4)
    assert.same({ "handled by on_call 1" }, states())
  end)

  it("of a call that this node has taken over rings people, and the agent tells the caller who took it", function()
    text(1000, FIRST, "1")
    run { resumed = true, steps = 4 }
    assert.equal(0, #requests(UPDATE))
    assert.equal(FIRST, requests(RING)[1].To)
    assert.matches("on_call 1 has taken it", host.instructions[1])
  end)

  it("goes on with the node that has taken the call, and only there", function()
    at(3000, "ended", { reason = "claimed" })
    run()
    assert.is_true(host.now_ms() < 10000)
    assert.same({ FIRST .. " GAS LEAK" }, texted())
    assert.same({}, states())
  end)

  it("hears from the database that another node had the answer", function()
    function host.query() return { { host.now_ms() > 30000 and "handled" or "open", "on_call 2" } } end
    resume(20000, "no-answer")
    resume(25000, "no-answer")
    resume(28000, "no-answer")
    run()
    host.query = nil
    assert.same({}, states())
    assert.equal(FIRST .. " gas-leak: taken by on_call 2.", texted()[2])
  end)

  it("takes a database that is down for not knowing", function()
    function host.query() return nil, "no connection", "down" end
    text(31000, FIRST, "1")
    resume(32000, "no-answer")
    run()
    host.query = nil
    assert.same({ "handled by on_call 1" }, states())
  end)
end)

describe("less than life", function()
  before_each(function()
    host.reset()
    tickets = 0
    host.twilio_replies = { [UPDATE] = {}, [TEXT] = { status = 201 } }
  end)

  it("transfers the ordinary way when urgent, and texts everybody at once", function()
    text(5000, SECOND, "1")
    local over = resume(20000, "no-answer")
    run { rule = "flood", severity = "urgent" }
    assert.matches("Close the main valve.*<Number[^>]*>%+13125550101</Number></Dial>", requests(UPDATE)[1].Twiml)
    assert.equal(1, #requests(UPDATE))
    assert.same({ FIRST .. " FLOOD", SECOND .. " FLOOD" }, { texted()[1], texted()[2] })
    assert.same({ "handled by on_call 2" }, states())
    assert.equal("agent", host.answers[over].how) -- the call's own script goes on with the caller
  end)

  it("asks for a 1 when urgent, too: a voicemail does not have the caller", function()
    local asked = accept(4000, "+13125550101")
    local taken = accept(6000, "+13125550101", "1")
    run { rule = "flood", severity = "urgent" }
    assert.matches('<Number url="https://calls.example.com/twilio/accept" method="POST">%+13125550101</Number>',
      requests(UPDATE)[1].Twiml)
    assert.matches("Press 1 to take it", host.answers[asked].text)
    assert.matches("<Response></Response>", host.answers[taken].text)
    assert.same({ "handled by office" }, states())
  end)

  it("warns at once when nobody takes something urgent and nobody else was told", function()
    resume(20000, "no-answer")
    local began = host.now_ms()
    run({ rule = "leak", severity = "urgent" }, { emergencies = { { id = "leak", severity = "urgent",
      transfer = "office" } } })
    assert.same({ "abandoned" }, states())
    assert.is_true(host.now_ms() - began < 30000)
  end)

  it("connects who picks up, although nobody knew whether they would be rung", function()
    host.twilio_replies[UPDATE] = { lost = true }
    local other = accept(3000, FIRST) -- whom the agent transfers to meanwhile
    local asked, pressed = accept(5000, "+13125550101"), accept(8000, "+13125550101", "1")
    run { rule = "flood", severity = "urgent" }
    assert.equal("agent", host.answers[other].how)
    assert.matches("Press 1 to take it", host.answers[asked].text)
    assert.matches("<Response></Response>", host.answers[pressed].text)
    assert.same({ "handled by office" }, states())
  end)

  it("leaves later transfers of the agent to the agent", function()
    resume(20000, "no-answer")
    local asked, over = accept(40000, FIRST), resume(50000, "busy")
    run { rule = "flood", severity = "urgent" }
    assert.same({ "agent", "agent" }, { host.answers[asked].how, host.answers[over].how })
  end)

  it("warns when nobody confirms something urgent", function()
    resume(20000, "busy")
    run { rule = "flood", severity = "urgent" }
    assert.same({ "abandoned" }, states())
    assert.equal("warning", host.alarms[1].severity)
  end)

  it("is recorded, and not handled, when nobody was told", function()
    local only = { emergencies = { { id = "leak", severity = "urgent", say = { en = "Close the valve." } } } }
    run({ rule = "leak", severity = "urgent" }, only)
    assert.same({ "recorded" }, states())
    run({ rule = "leak", severity = "normal" }, only)
    host.twilio_replies[TEXT] = { status = 400 }
    run { rule = "complaint", severity = "normal" }
    assert.same({ "recorded", "recorded", "recorded" }, states())
    assert.is_nil(last("triage", "recorded").by)
  end)

  it("only tells when normal", function()
    run { rule = "complaint", severity = "normal" }
    assert.same({ "+13125550101 COMPLAINT" }, texted())
    assert.same({ "handled by office" }, states())
    assert.same({}, host.said)
  end)
end)
