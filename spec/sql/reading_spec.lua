-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

describe("asking", function()
  local url, c

  before_each(function()
    url = pg.database()
    c = events.conversation(1)
    local n = events.node "n1"
    n:add("alarm", { kind = "provider.down", subject = "", severity = "critical", text = "no model", fix = "wait",
      open = true, count = 1 })
    for _, e in ipairs(n.list) do
      c.list[#c.list + 1] = e
    end
    events.ingest(url, c.list)
  end)

  local function why(which)
    return cjson.decode(pg.run(url, "select why(" .. pg.literal(which) .. ")"))
  end

  local function each(list, member)
    local out = {}
    for i, item in ipairs(list) do
      out[i] = item[member]
    end
    return out
  end

  describe("why a call went as it did", function()
    it("tells it in order", function()
      local w = why(c.stream)
      assert.is_true(w.found)
      assert.same({ "ringing", "completed" }, each(w.webhooks, "status"))
      assert.same({ "split" }, each(w.decisions, "reason"))
      assert.same({ "connecting", "live", "closing", "ended" }, each(w.states, "state"))
      assert.same({ 300, 12000, 1000 }, { w.states[1].ms, w.states[2].ms, w.states[3].ms })
      assert.same({ "provider.rate_limited" }, each(w.errors, "code"))
      assert.same({ "provider.down" }, each(w.alarms, "kind"))
      assert.same({ "plumber_eta" }, each(w.tools, "name"))
      assert.equal(1000, w.tools[1].ms)
      assert.equal(28406, w.cost.micro_usd)
      assert.equal(8, #w.cost.lines)
      assert.equal("caller_hangup", w.call.ended_reason)
      assert.equal("webhook", w.last_events[#w.last_events].type)
      assert.equal(19, #w.last_events)
    end)

    it("says once that it ended", function()
      local twice = events.call(2)
      twice:add("state", { state = "live" })
      twice:add("state", { state = "ended" })
      twice:add("ended", { reason = "caller_hangup" })
      events.ingest(url, twice.list)
      assert.same({ "live", "ended" }, each(why(twice.stream).states, "state"))
    end)

    it("says when nobody knows the call", function()
      assert.same({ found = false, kind = "call", call = "CAnobody" }, why "CAnobody")
    end)
  end)

  it("tells of a number how it is assigned and who called", function()
    pg.run(url, [[insert into phone_numbers (number, agent, goes_to)
      values ('+13125550100', 'northside-plumbing', 'ringdown')]])
    local ours, theirs, nobodys = why "+13125550100", why "+13125550142", why "+13125559999"
    assert.same({ "ringdown", "default" }, { ours.assignment.goes_to, ours.assignment.site })
    assert.same({ c.stream }, each(ours.calls, "call"))
    assert.equal(cjson.null, theirs.assignment)
    assert.same({ c.stream }, each(theirs.calls, "call"))
    assert.is_false(nobodys.found)
  end)

  describe("who said something", function()
    local function search(arguments)
      return each(pg.query(url, "select * from search_turns(" .. arguments .. ")"), "heard")
    end

    it("finds words of both sides, and those that were said and not heard", function()
      assert.same({ "My boiler is leaking" }, search "'boiler leaking'")
      assert.same({ "Somebody can be" }, search "'minutes'")
      assert.same({}, search "'boiler minutes'")
      assert.same({ "Somebody can be", "My boiler is leaking" }, search "'boiler or minutes'")
    end)

    it("finds only of that agent, since that time, and so many", function()
      assert.same({}, search "'boiler', null, 'dentist'")
      assert.same({ "My boiler is leaking" }, search "'boiler', '2026-11-25 09:46:43Z', 'northside-plumbing'")
      assert.same({}, search "'boiler', '2026-11-25 09:46:44Z'")
      assert.same({ "Somebody can be" }, search "'boiler or minutes', null, null, 1")
      assert.same({ "Somebody can be" }, search "'boiler or minutes', null, null, -5")
    end)

    it("does not stumble over what people type", function()
      for _, text in ipairs { "''", "'\"'", "'a & | ! ('", "'-'", "repeat('x ', 100000)" } do
        assert.same({}, search(text))
      end
    end)
  end)

  it("sums up days", function()
    assert.same({ { day = "2026-11-25", calls = 1, callers = 1, ended = 1, seconds = 12, barge_ins = 1,
      first_audio_p95_ms = 310 } }, pg.query(url,
      "select day, calls, callers, ended, seconds, barge_ins, first_audio_p95_ms from calls_daily"))
    assert.same({ { micro_usd = 7205.6 } }, pg.query(url,
      "select sum(micro_usd_exact) as micro_usd from costs_daily where item = 'model' and unknown_lines = 0"))
  end)
end)
