-- SPDX-License-Identifier: Apache-2.0
local host = require "ringdown.fake.host"
package.loaded["ringdown.host"] = package.loaded["ringdown.host"] or host

local drill = require "ringdown.emergency.drill"
local errand = require "ringdown.errand"
local json = require "ringdown.json"

local TEXT, RING = "POST Messages.json", "POST Calls.json"
local OURS, FIRST, SECOND, OFFICE = "+13125550100", "+13125550188", "+13125550189", "+13125550101"

local function agent(more)
  local def = {
    name = "northside-plumbing", numbers = { OURS }, languages = { "en" },
    people = { on_call = { FIRST, SECOND }, office = { OFFICE } },
    emergencies = {
      { id = "gas-leak", severity = "life", transfer = "on_call", text = { to = "on_call", body = "GAS LEAK" } },
      { id = "carbon-monoxide", severity = "life", transfer = "office", text = { to = "on_call" } },
      { id = "flood", severity = "urgent", text = { to = "on_call" } },
      { id = "complaint", severity = "normal" },
    },
  }
  for key, value in pairs(more or {}) do
    def[key] = value
  end
  return def
end

local function letter(ms, kind, body, ticket)
  table.insert(host.letters, { at = ms, kind = kind, body = body, ticket = ticket })
end

local function answers(ms, number, body)
  letter(ms, "text", { from = number, body = body, code = body:sub(1, 1) == "1" and 1 or 0 })
end

local function run(rule, more)
  errand.run(agent(more), "drill", json.encode { drill = "d1", rule = rule or "gas-leak", who = "somebody" })
end

local function field(form, name)
  local value = form:match("%f[%w]" .. name .. "=([^&]*)")
  return value and value:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end)
end

local function sent(which, name)
  local list = {}
  for _, r in ipairs(host.twilio_requests) do
    if r.method .. " " .. r.path == which then
      list[#list + 1] = field(r.form, "To") .. " " .. field(r.form, name)
    end
  end
  return list
end

local function facts(type)
  local list = {}
  for _, fact in ipairs(host.facts) do
    if fact.type == type then
      list[#list + 1] = fact
    end
  end
  return list
end

local function told()
  local list = {}
  for i, fact in ipairs(facts "drill") do
    list[i] = ("%d %s %s %s"):format(fact.after_ms // 1000, fact.kind or "over", fact.name or "-", fact.state)
  end
  return list
end

describe("a drill", function()
  before_each(function()
    host.reset()
    host.twilio_replies = { [TEXT] = { status = 201 }, [RING] = { status = 201 } }
  end)

  it("texts and rings the first person, and is over when they answer 1", function()
    answers(12000, FIRST, "1")
    run()
    assert.same({ "0 text on_call 1 asked", "0 phone on_call 1 asked", "12 text on_call 1 confirmed",
      "12 over on_call 1 confirmed" }, told())
    assert.same({
      FIRST .. " DRILL, nothing has happened. gas leak at Northside Plumbing: reply 1 to say that you got it.",
      FIRST .. " DRILL: thank you, that was all." }, sent(TEXT, "Body"))
    assert.matches("This is a drill%. Nothing has happened", sent(RING, "Twiml")[1])
  end)

  it("is over when somebody presses 1, who is thanked, and the others are told", function()
    letter(65000, "accept", { To = SECOND, Digits = "1" }, 7)
    run()
    assert.same({ "60 text on_call 2 asked", "60 phone on_call 2 asked", "65 phone on_call 2 confirmed",
      "65 over on_call 2 confirmed" }, { table.unpack(told(), 3) })
    assert.matches("This was a drill%. Thank you%.</Say><Hangup/>", host.answers[7].text)
    assert.equal(FIRST .. " DRILL: over, on_call 2 has answered.", sent(TEXT, "Body")[3])
    assert.matches('action="https://calls%.example%.com/twilio/accept%?errand=0%.1"', sent(RING, "Twiml")[1])
  end)

  it("goes to all of them after a minute each, and ends unanswered after another", function()
    run()
    local list = told()
    assert.equal("180 over - unanswered", list[#list])
    assert.equal(2 + 2, #sent(TEXT, "Body"))
  end)

  it("sees an answer that went to another node, within seconds", function()
    local query = host.query
    function host.query(sql, params)
      if not sql:find("from texts where direction = 'in'", 1, true) then
        return {}
      end
      assert.same({ "northside-plumbing", "{" .. FIRST .. "}" }, { params[1], params[2] })
      return host.now_ms() > 20000 and { { FIRST, "what?" }, { FIRST, " 1" } } or {}
    end
    run()
    host.query = query
    local list = told()
    assert.equal("25 text on_call 1 confirmed", list[#list - 1])
    assert.equal("25 over on_call 1 confirmed", list[#list])
    assert.equal(FIRST .. " DRILL: thank you, that was all.", sent(TEXT, "Body")[2])
  end)

  it("goes on at once when the carrier could not deliver the text", function()
    letter(5000, "undelivered", { id = "drill-d1.1", error_code = "30006" })
    answers(8000, SECOND, "1")
    run()
    assert.equal("5 text on_call 1 failed", told()[3])
    assert.equal("5 text on_call 2 asked", told()[4])
  end)

  it("is no emergency: nothing is counted, nobody is alarmed, and who wanted it is in the audit", function()
    run()
    assert.same({}, facts "triage")
    assert.same({}, facts "triage_step")
    assert.same({}, host.alarms)
    local audit = facts("audit")[1]
    assert.same({ "somebody", "drill_over", "northside-plumbing gas-leak", "unanswered", 180 },
      { audit.who, audit.what, audit.subject, audit.after.state, audit.after.seconds })
    assert.equal("drill", facts("text")[1].kind)
    assert.equal("+1********88", facts("drill")[1].number)
  end)

  it("speaks the agent's language", function()
    answers(1000, FIRST, "1")
    run("gas-leak", { languages = { "es", "en" } })
    assert.matches("SIMULACRO", sent(TEXT, "Body")[1])
    assert.matches('<Say language="es%-MX">Esto es un simulacro', sent(RING, "Twiml")[1])
  end)

  it("reaches whom a rule only hands the caller to, after those it texts", function()
    run "carbon-monoxide"
    assert.matches(OFFICE, sent(RING, "Twiml")[3], 1, true)
  end)

  it("asks everybody at once where no life is at stake", function()
    answers(30000, SECOND, "yes")
    run "flood"
    assert.same({ "0 text on_call 1 asked", "0 phone on_call 1 asked", "0 text on_call 2 asked",
      "0 phone on_call 2 asked" }, { table.unpack(told(), 1, 4) })
    assert.equal("30 over on_call 2 confirmed", told()[6])
  end)

  it("says that a rule reaches nobody", function()
    run "complaint"
    assert.same({ "0 over - failed" }, told())
    assert.matches("the rule reaches nobody", facts("drill")[1].detail)
  end)

  it("calls from a number that was assigned when the file has none", function()
    table.insert(host.query_handlers, { part = "from phone_numbers", answer = { { "+13125550107" } } })
    answers(0, FIRST, "1")
    run("gas-leak", { numbers = {} })
    assert.equal(FIRST .. " +13125550107", sent(TEXT, "From")[1])
  end)

  it("is soon over when Twilio cannot be asked, and says at each step why", function()
    host.twilio_replies = nil
    run()
    local last = told()[#told()]
    assert.equal("0 over - unanswered", last)
    assert.matches("Twilio cannot be asked", facts("drill")[1].detail)
  end)

  it("has a plan before it begins, with masked numbers", function()
    local def = agent()
    local plan = drill.plan(def, def.emergencies[1])
    assert.equal(180, plan.over_s)
    assert.same({ after_s = 60, people = { { name = "on_call 2", number = "+1********89" } } }, plan.rungs[2])
    assert.equal(120, plan.rungs[3].after_s)
    assert.equal(2, #plan.rungs[3].people)
    assert.equal(1, #drill.plan(def, def.emergencies[3]).rungs)
  end)
end)

describe("an answer to an emergency of another node", function()
  local def, asked

  before_each(function()
    host.reset()
    def = agent { on = {} }
    asked = { { "CA1", "gas-leak", 1 } }
    table.insert(host.query_handlers, { part = "triage_asked", answer = function(params)
      return params[1] == def.name and params[2] == SECOND and asked or {}
    end })
    table.insert(host.query_handlers, { part = "take_text_in", answer = { { true, false } } })
  end)

  local function comes(from, body)
    errand.run(def, "text_in", json.encode { id = "SM1", from = from, to = OURS, body = body, media = 0 })
    return facts "triage"
  end

  it("is found by what its sender was asked", function()
    assert.same({ { type = "triage", call = "CA1", rule = "gas-leak", state = "handled", by = "on_call" } },
      comes(SECOND, "1, on my way"))
  end)

  it("may be a word where there was one question, and another digit where there were several", function()
    assert.equal("gas-leak", comes(SECOND, "Yes!")[1].rule)
    asked[2] = { "CA2", "flood", 2 }
    assert.equal(1, #comes(SECOND, "ok")) -- which of them?
    assert.equal("flood", comes(SECOND, "2")[2].rule)
  end)

  it("is not lost while the database is away, for one of our people", function()
    host.database_down = "no connection"
    local sleep = host.sleep
    function host.sleep(ms)
      host.database_down = host.now_ms() < 60000 and host.database_down or nil
      return sleep(ms)
    end
    local answered = comes(SECOND, "1")
    host.sleep = sleep
    assert.equal("CA1", answered[1].call)
    assert.is_true(host.now_ms() >= 60000)
  end)

  it("is an ordinary text from anybody else, and when it is no 1", function()
    assert.same({}, comes(FIRST, "1"))
    assert.same({}, comes(SECOND, "10 o'clock?"))
    assert.same({}, comes(SECOND, "who is this?"))
  end)

  it("is no answer for the database when somebody here waits for it", function()
    host.expected[SECOND] = 1
    assert.same({}, comes(SECOND, "1"))
    assert.same({}, host.queries)
  end)
end)
