-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local CALLER, OURS, HASH = "+13125550142", "+13125550100", ("ab"):rep(32)

describe("texts", function()
  local url, n

  before_each(function()
    url, n = pg.database(), 0
  end)

  local function value(sql)
    return pg.query(url, ("select (%s) as value"):format(sql))[1].value
  end

  local function asked(o, at)
    n = n + 1
    local ask = { id = "t" .. n, agent = "northside-plumbing", from = OURS, to = CALLER, senders = { OURS },
      hash = HASH,
      template = "booked", kind = "tool", body = "words " .. n, segments = 1, window_s = 14400, caller_day = 5,
      agent_day = 500, reply_hour = 5, swarm_calls = 10, swarm_texts = 20 }
    for key, given in pairs(o or {}) do
      ask[key] = given
    end
    return value(("may_text(%s::jsonb, timestamptz '2026-11-25 12:00Z' + interval '%s')")
      :format(pg.literal(json.encode(ask)), at or "0"))
  end

  local function text(id)
    return pg.query(url, ("select * from texts where id = %s"):format(pg.literal(id)))[1]
  end

  local function tell(body, after_ms)
    local s = events.node "n1"
    s.epoch = s.epoch + n * 1000000
    n = n + 1
    body.agent = body.agent or "northside-plumbing"
    s:add("text", body, after_ms)
    assert.same({ kept = 1 }, events.outcomes(url, s.list))
  end

  it("may be sent, and then have their row: the journal's facts find it", function()
    assert.is_nil(asked { id = "x" })
    assert.same({ "queued", "words 1", CALLER }, { text("x").status, text("x").body, text("x").to_number })
    tell { id = "x", direction = "out", from = OURS, to = CALLER, status = "sent", sid = "SM1", segments = 2 }
    assert.same({ "sent", "SM1", 2 }, { text("x").status, text("x").carrier_id, text("x").segments })
    assert.equal("asked", asked { id = "x" })
  end)

  it("do not leave a number at which an answer would not reach us; the agent's people get theirs", function()
    local sql = [[insert into numbers_seen values ('%s', 'PN1', null, '{}', 'ringdown', '%s', null, null, null, now())
      on conflict (number) do update set texts_to = excluded.texts_to]]
    pg.run(url, sql:format(OURS, "vapi"))
    assert.equal("unheard", asked())
    assert.is_nil(asked { person = true, people_day = 500, person_hour = 30 })
    pg.run(url, sql:format(OURS, "ringdown"))
    assert.is_nil(asked { kind = "missed" })
  end)

  it("are not sent twice with the same words, nor past a cap", function()
    assert.is_nil(asked { body = "hello" })
    assert.equal("repeated", asked { body = "hello" })
    assert.is_nil(asked({ body = "hello" }, "5 hours"))
    for _ = 1, 3 do
      assert.is_nil(asked({}, "5 hours"))
    end
    assert.equal("caller_cap", asked({}, "6 hours"))
    assert.equal("agent_cap", asked({ to = "+13125550143", agent_day = 5 }, "6 hours"))
    assert.is_nil(asked({}, "2 days"))
  end)

  it("go to the agent's people whatever the callers' caps say, and have caps of their own", function()
    for _ = 1, 2 do
      assert.is_nil(asked { person = true, body = "a message", caller_day = 1, person_hour = 2 })
    end
    assert.equal("person_hour", asked { person = true, person_hour = 2 })
    assert.is_nil(asked { person = true, person_hour = 2, kind = "emergency" })
    assert.is_nil(asked({ person = true, person_hour = 2, people_day = 4 }, "61 minutes"))
    assert.equal("people_day", asked({ person = true, to = "+13125550189", people_day = 4 }, "61 minutes"))
    assert.is_nil(asked({ person = true, to = "+13125550189", people_day = 4, kind = "drill" }, "61 minutes"))
  end)

  it("answer a missed call once in a while", function()
    assert.is_nil(asked { kind = "missed", template = "missed" })
    assert.equal("recent", asked({ kind = "missed" }, "3 hours"))
    assert.is_nil(asked({ kind = "missed" }, "5 hours"))
  end)

  it("do not tell somebody who got through that he was missed", function()
    local missed_us = events.began_us
    local later = events.call(2, { started_us = missed_us + 60000000 })
    later:add("webhook", { kind = "voice", status = "ringing" })
    later:add("state", { state = "live" })
    events.ingest(url, later.list)
    assert.equal("answered", asked { kind = "missed", since_us = missed_us })
    later.list = {}
    later:add("ended", { reason = "caller_hangup", opening_heard = false })
    events.ingest(url, later.list)
    assert.is_nil(asked { kind = "missed", since_us = missed_us })
    later.list = {}
    later:add("ended", { reason = "caller_hangup", opening_heard = true })
    events.ingest(url, later.list)
    assert.equal("answered", asked { kind = "missed", since_us = missed_us, window_s = 0 })
  end)

  it("stop at five answers an hour, so that two machines cannot talk for ever", function()
    for _ = 1, 5 do
      assert.is_nil(asked { kind = "reply", caller_day = 50 })
    end
    assert.equal("loop", asked { kind = "reply", caller_day = 50 })
    assert.is_nil(asked({ kind = "reply", caller_day = 50 }, "61 minutes"))
  end)

  it("do not answer a swarm of callers from one block of numbers", function()
    local list = {}
    for i = 1, 11 do
      local c = events.call(i, { list = list, started_us = 1795607700000000 + i, -- 11:55
        common = { from = ("+1312555%04d"):format(i) } })
      c:add("webhook", { kind = "voice", status = "ringing" })
    end
    events.ingest(url, list)
    assert.equal("swarm", asked { kind = "missed" })
    assert.is_nil(asked { kind = "missed", to = "+17735550199" })
    assert.is_nil(asked({ kind = "missed" }, "20 minutes"))
  end)

  it("do not go to many people of one block of numbers in an hour", function()
    for i = 1, 20 do
      assert.is_nil(asked { to = ("+1312555%04d"):format(i) })
    end
    assert.equal("swarm", asked {})
    assert.is_nil(asked { to = "+17735550199" })
  end)

  it("that were refused are in `why` with the reason, and count for nothing", function()
    local call = events.call(3)
    call:add("webhook", { kind = "voice", status = "ringing" })
    for i = 1, 21 do
      call:add("text", { id = "r" .. i, direction = "out", from = OURS, to = ("+1312555%04d"):format(i),
        kind = "tool", template = "booked", status = "canceled", error_code = "opted_out" })
    end
    events.ingest(url, call.list)
    local why = json.decode(value(("why('%s')::text"):format(call.stream)))
    assert.equal(21, #why.texts)
    assert.same({ "canceled", "opted_out", "booked" },
      { why.texts[1].status, why.texts[1].error_code, why.texts[1].template })
    assert.is_nil(asked()) -- no swarm was texted
    pg.query(url, ("select call_cost('%s')"):format(call.stream))
    assert.same({}, pg.query(url, ("select item from call_cost_lines where call = '%s' and item = 'texts'")
      :format(call.stream)))
  end)

  describe("opting out", function()
    local function says(opt, at_ms)
      tell({ id = "SM" .. n, direction = "in", from = CALLER, to = OURS, status = "received", body = opt, hash = HASH,
        opt = opt }, at_ms)
    end

    it("counts for all numbers of the business, and for no other business", function()
      says "out"
      assert.equal("opted_out", asked { from = "+13125550107", senders = { OURS, "+13125550107" } })
      assert.is_nil(asked { agent = "brightsmile", senders = { "+13125550300" } })
      assert.is_nil(asked { hash = ("cd"):rep(32) })
    end)

    it("is what was said last, in whatever order it comes", function()
      says("in", 3000)
      says("out", 2000)
      assert.is_nil(asked {})
      says("out", 4000)
      assert.equal("opted_out", asked {})
      says("yes", 3500)
      assert.equal("opted_out", asked {})
      says("yes", 5000)
      assert.is_nil(asked {})
    end)

    it("is learnt from the carrier as well", function()
      tell { id = "x", direction = "out", from = OURS, to = CALLER, status = "failed", error_code = "21610",
        hash = HASH }
      assert.equal("opted_out", asked {})
      assert.equal("carrier", value "select source from opt_outs")
    end)

    it("outlives the caller being forgotten", function()
      says "out"
      value(("erase_caller('%s', '\\x%s')"):format(CALLER, HASH))
      assert.equal("opted_out", asked {})
      assert.equal("0", value "select count(*)::text from texts where body is not null or from_number = '+13125550142'")
      assert.equal("0", value "select count(*)::text from call_events where body::text like '%5550142%'")
    end)
  end)

  it("never go again to a number that cannot read them", function()
    assert.is_nil(asked { id = "x" })
    tell { id = "x", status = "undelivered", error_code = "30006" }
    assert.equal("landline", asked {})
  end)

  it("are delivered for good, whatever a late callback says", function()
    tell({ id = "x", status = "delivered" }, 3000)
    tell({ id = "x", direction = "out", from = OURS, to = CALLER, status = "queued", body = "Hi" }, 1000)
    tell({ id = "x", status = "sent" }, 2000)
    assert.same({ "delivered", "Hi", CALLER }, { text("x").status, text("x").body, text("x").to_number })
  end)

  describe("that wait for the morning", function()
    local function scheduled(id, o)
      local ask = { id = id, kind = "missed", template = "missed", due_at = 1795622400 } -- 16:00
      for key, given in pairs(o or {}) do
        ask[key] = given
      end
      assert.is_nil(asked(ask))
    end

    local function due(at, agents)
      return pg.query(url, ("select id, about ->> 'body' as body from take_due_texts('{%s}', timestamptz '%s')")
        :format(agents or "northside-plumbing", at))
    end

    it("are taken once, by a node that has the agent, and not before", function()
      scheduled("x", { body = "sorry" })
      assert.same({}, due "2026-11-25 15:59Z")
      assert.same({}, due("2026-11-25 16:01Z", "brightsmile"))
      assert.same({ { id = "x", body = "sorry" } }, due "2026-11-25 16:01Z")
      assert.same({}, due "2026-11-25 16:02Z")
      assert.equal("queued", text("x").status)
    end)

    it("are called off when they are no use any more", function()
      scheduled "late"
      assert.same({}, due "2026-11-26 05:00Z")
      assert.same({ "canceled", "late" }, { text("late").status, text("late").error_code })
      scheduled("x", { window_s = 0 })
      assert.equal(1, #due "2026-11-25 16:01Z")
      tell { id = "SM1", direction = "in", from = CALLER, to = OURS, hash = HASH, opt = "out" }
      assert.equal("opted_out", asked { id = "x", due = true })
      assert.equal("canceled", text("x").status)
    end)

    it("can be put off again", function()
      scheduled "x"
      due "2026-11-25 16:01Z"
      pg.run(url, "select put_text_off('x', timestamptz '2026-11-25 17:00Z')")
      assert.same({}, due "2026-11-25 16:30Z")
      assert.equal(1, #due "2026-11-25 17:01Z")
    end)

    describe("because nobody could be asked about them", function()
      local function put_off(id, o)
        local body = { id = id, direction = "out", from = OURS, to = CALLER, kind = "missed", template = "missed",
          body = "sorry", segments = 1, status = "scheduled", error_code = "down", held_by = "us",
          due_at = 1795608000 } -- 12:00
        for key, given in pairs(o or {}) do
          body[key] = given
        end
        tell(body)
      end

      it("are asked about when they are due, and go out once", function()
        put_off "a"
        put_off "b" -- a second call of the same caller
        assert.equal(2, #due "2026-11-25 12:01Z")
        assert.is_nil(asked({ id = "a", kind = "missed", due = true }, "1 minute"))
        assert.equal("recent", asked({ id = "b", kind = "missed", due = true }, "1 minute"))
        assert.same({ "queued", "sorry" }, { text("a").status, text("a").body })
        assert.is_nil(text("a").error_code)
        assert.same({ "canceled", "recent" }, { text("b").status, text("b").error_code })
        assert.same({}, due "2026-11-25 12:30Z")
      end)

      it("count caps and swarms then", function()
        for _ = 1, 5 do
          assert.is_nil(asked {})
        end
        put_off "a"
        assert.equal(1, #due "2026-11-25 12:01Z")
        assert.equal("caller_cap", asked({ id = "a", kind = "missed", due = true }, "1 minute"))
      end)

      it("are ours to put off when the answer got lost, and only then", function()
        assert.is_nil(asked { id = "a", kind = "missed", held_by = "us", body = "sorry" })
        put_off("a", { held_by = "another node" })
        assert.same({}, due "2026-11-25 12:01Z")
        assert.is_nil(text("a").error_code)
        put_off "a"
        assert.same({ { id = "a", body = "sorry" } }, due "2026-11-25 12:01Z")
        put_off "a" -- told again: whoever has it now sends it
        assert.same({}, due "2026-11-25 12:02Z")
        put_off("a", { due = true, due_at = 1795608300 }) -- unless it was away again
        assert.same({}, due "2026-11-25 12:02Z")
        assert.equal(1, #due "2026-11-25 12:06Z")
      end)
    end)

    it("are forgotten with the caller", function()
      scheduled "x"
      value(("erase_caller('%s', '\\x%s')"):format(CALLER, HASH))
      assert.same({}, due "2026-11-25 16:01Z")
      assert.equal("canceled", text("x").status)
    end)
  end)

  it("that came go to their agent once", function()
    local ask = pg.literal(json.encode { id = "SM1", agent = "northside-plumbing", from = CALLER, to = OURS,
      senders = { OURS }, hash = HASH })
    local take = ("select first_time, opted_out from take_text_in(%s::jsonb)"):format(ask)
    assert.same({ first_time = true, opted_out = false }, pg.query(url, take)[1])
    assert.same({ first_time = false, opted_out = false }, pg.query(url, take)[1])
    tell { id = "SM1", direction = "in", from = CALLER, to = OURS, status = "received", body = "Hi" }
    assert.same({ "in", "Hi", "received" }, { text("SM1").direction, text("SM1").body, text("SM1").status })
  end)

  it("belong to the call they are about, and do not change whose call it is", function()
    local c = events.call(1)
    c:add("text", { id = "x", direction = "out", from = OURS, to = CALLER, status = "queued" })
    c:add("webhook", { kind = "voice", status = "ringing" })
    c:add("missed", { why = "gave_up" })
    events.ingest(url, c.list)
    local call = pg.query(url, "select * from calls")[1]
    assert.same({ CALLER, OURS, "gave_up" }, { call.from_number, call.to_number, call.missed })
    tell { id = "y", call = c.stream, direction = "out", from = OURS, to = CALLER, status = "queued" }
    assert.equal(c.stream, text("y").call)
  end)

  it("lose their words in time, also those of no call", function()
    local node = events.node "n1"
    node:add("agent_version", { agent = "northside-plumbing", version = "v7", keep_transcripts_s = 86400 })
    node:add("text", { id = "SM1", agent = "northside-plumbing", direction = "in", from = CALLER, to = OURS,
      body = "Hi" })
    events.ingest(url, node.list)
    pg.query(url, "select * from maintain('2026-11-26 09:00Z')")
    assert.equal("Hi", text("SM1").body)
    pg.query(url, "select * from maintain('2026-11-26 12:00Z')")
    assert.is_nil(text("SM1").body)
    assert.equal("0", value "select count(*)::text from call_events where body ? 'body'")
    pg.query(url, "select * from maintain('2029-01-01 00:00Z')")
    assert.is_nil(text "SM1")
  end)
end)
