-- SPDX-License-Identifier: Apache-2.0
-- takes: 25 s
-- Texts through a whole node, Twilio's API and PostgreSQL: sent, refused, answered, delivered.
local node = require "spec.e2e.support.node"
local pg = require "spec.support.postgres"
local proc = require "spec.e2e.support.proc"

local OURS, CALLER, MISSED, STOPPED, WRITER =
  "+13125550230", "+13125550231", "+13125550232", "+13125550233", "+13125550234"

-- A quiet minute half a day from now, so that the story may be told at any time.
local far = (tonumber(os.date "!%H") - 6 + 12) % 24
local agent = ([[
local agent, tools = require "ringdown.agent", require "ringdown.tools"
return agent {
  name = "text-desk", numbers = { "%s" }, time_zone = "America/Chicago", greeting = "Text desk.", prompt = "Be brief.",
  tools = { tools.send_sms { templates = { "booked" } } },
  sms = { booked = "See you at nine.", missed = "Sorry we missed you.", help = "Call us.", quiet = "%02d:00-%02d:01" },
  on = { sms = function(call, text) call:reply("You wrote: " .. text.body) end },
}]]):format(OURS, far, far)

describe("texts", function()
  local n, placed, ok, reports, events

  local function sent_to(number)
    local list = {}
    for _, event in ipairs(events) do
      if event.ev == "text.created" and event.to == number then
        list[#list + 1] = event.body
      end
    end
    return list
  end

  local function ring_off(from)
    local form = node.voice_form { From = from, To = OURS }
    assert.equal(200, n:post_signed("/twilio/voice", form).status)
    form.CallStatus = "no-answer"
    assert.equal(200, n:post_signed("/twilio/status", form).status)
  end

  local function row(sql)
    return pg.query(n.database, sql)[1]
  end

  local function eventually(what, sql)
    assert.is_truthy(proc.wait_for(function()
      return row(sql) ~= nil
    end, 20), what)
  end

  setup(function()
    n = node.start { agents = { ["text-desk.lua"] = agent } }
    eventually("the database is ours", "select from phone_numbers right join (select 1) x on true")
    placed = n:place { scenarios = { "gets-a-text" }, rest_fault = "text-429", linger = 8 }
    assert(placed:wait_event("text.created", function(e) return e.to == CALLER end))
    ring_off(MISSED)
    assert.equal(200, n:text { from = STOPPED, to = OURS, body = "Stop." }.status)
    assert.matches("Call us", n:text { from = STOPPED, to = OURS, body = "HELP" }.body)
    assert.matches("<Response/>", n:text({ from = WRITER, to = OURS, body = "Hello?" }).body, 1, true)
    assert(placed:wait_event("text.created", function(e) return e.to == MISSED end))
    ring_off(MISSED)
    eventually("STOP is kept", "select from opt_outs where opted_in_at is null")
    ring_off(STOPPED)
    assert(placed:wait_event("text.created", function(e) return e.to == WRITER end))
    eventually("it is delivered", ("select from texts where to_number = '%s' and status = 'delivered'"):format(CALLER))
    ok, reports, events = placed:wait()
    n:wait_shipped()
  end)

  teardown(function()
    assert.equal(0, n:stop())
  end)

  it("are sent when the model picks one, also when Twilio has no time at first", function()
    assert.is_true(ok, reports.text)
    assert.same({ "See you at nine." }, sent_to(CALLER))
    local refused = 0
    for _, event in ipairs(events) do
      refused = refused + (event.ev == "rest.request" and event.fault == "429" and 1 or 0)
    end
    assert.equal(1, refused)
  end)

  it("are in the database, from the queue to the telephone", function()
    local texts = pg.query(n.database, ("select * from texts where to_number = '%s'"):format(CALLER))
    local text = texts[1]
    assert.equal(1, #texts, require("cjson").encode(texts))
    assert.same({ "delivered", "booked", "tool", OURS, 1 },
      { text.status, text.template, text.kind, text.from_number, text.segments })
    assert.matches("^SM", text.carrier_id)
    assert.equal(reports[1].call, text.call)
  end)

  it("answer a missed call once, not twice", function()
    assert.same({ "Sorry we missed you." }, sent_to(MISSED))
    local calls = pg.query(n.database, ("select missed from calls where from_number = '%s'"):format(MISSED))
    assert.same({ { missed = "not_answered" }, { missed = "not_answered" } }, calls)
  end)

  it("do not go to somebody who said STOP", function()
    assert.same({}, sent_to(STOPPED))
    local call = row(("select call, missed from calls where from_number = '%s'"):format(STOPPED))
    assert.equal("not_answered", call.missed)
    assert.matches("text      to %" .. STOPPED .. " %(missed%): not sent, opted_out", (n:ringdown("why", call.call)))
  end)

  it("that come in reach the agent, and its answer goes back", function()
    assert.same({ "You wrote: Hello?" }, sent_to(WRITER))
    local text = row(("select * from texts where from_number = '%s'"):format(WRITER))
    assert.same({ "in", "Hello?", "received", "text-desk" }, { text.direction, text.body, text.status, text.agent })
  end)

  it("leave no complaints behind", function()
    assert.same({}, n:complaints())
  end)
end)
