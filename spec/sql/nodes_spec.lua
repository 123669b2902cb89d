-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"

local CALL = ("CA%032x"):format(1)
local MIDNIGHT = events.began_us - events.began_us % 1000000

describe("nodes on one database", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  -- SQL for a moment so many seconds after the calls of these specs began.
  local function at(s)
    return ("time_of_us(%d)"):format(MIDNIGHT + math.floor(s * 1000000))
  end

  local function ask(sql)
    local got = pg.query(url, ("select (%s)::text as a"):format(sql))[1].a
    local value = got and json.decode(got)
    return value == nil and got or value
  end

  -- One process tells of itself: its node, when it began, what it runs.
  local function beat(node, s, o)
    local told = { node = node, epoch = MIDNIGHT - 1000000, version = "0.1.0", pid = 7, calls = 1, draining = false,
      agents = ("a"):rep(64) }
    for name, value in pairs(o or {}) do
      told[name] = value
    end
    return ask(("node_beat(%s, %s)"):format(pg.literal(json.encode(told)), at(s)))
  end

  local function taken(n, o)
    local c = events.call(n or 1)
    c:add("webhook", { kind = "voice", status = "in-progress", direction = "inbound", node = "a", account = "AC1",
      process = o and o.process or MIDNIGHT - 1000000 }, 0)
    c:add("decision", { system = "openai", reason = "default" }, 5)
    c:add("state", { state = "live" }, 300)
    return c
  end

  local function close(s, o)
    local word = { call = CALL, by = "b" }
    for name, value in pairs(o) do
      word[name] = value
    end
    return ask(("close_call(%s, %s)"):format(pg.literal(json.encode(word)), at(s)))
  end

  local function call_row(columns)
    return pg.query(url, ("select %s from calls where call = '%s'"):format(columns, CALL))[1]
  end

  local function shown(s)
    local by = {}
    for _, p in ipairs(ask(("nodes_shown(%s)"):format(at(s)))) do
      by[p.node .. (p.process == MIDNIGHT - 1000000 and "" or "'")] = p
    end
    return by
  end

  it("are live, draining, stopped or lost, each process for itself", function()
    beat("a", 0)
    beat("b", 0, { draining = true })
    beat("b", 50, { epoch = MIDNIGHT })
    local node = events.node "c"
    node.epoch = MIDNIGHT - 1000000
    beat("c", 0)
    events.outcomes(url, { node:add("node_stopped", { node = "c" }) })
    local now = shown(55)
    assert.same({ "live", "draining", "live", "stopped" },
      { now.a.state, now.b.state, now["b'"].state, now.c.state })
    assert.same({ "lost", "lost", "live" }, { shown(70).a.state, shown(70).b.state, shown(70)["b'"].state })
  end)

  it("have one leader, and another one 15 seconds after it died; who drains leads no more", function()
    assert.is_true(beat("a", 0).leader)
    assert.is_false(beat("b", 1).leader)
    assert.is_true(beat("a", 5).leader)
    assert.is_false(beat("b", 19).leader)
    assert.is_true(beat("b", 21).leader)
    assert.is_false(beat("a", 22).leader)
    assert.is_false(beat("b", 23, { draining = true }).leader)
    assert.is_true(beat("a", 37).leader)
  end)

  it("differ when they run other agents for half a minute, until they are equal again", function()
    beat("a", 0)
    assert.is_nil(beat("a", 10).differ)
    beat("b", 10, { agents = ("b"):rep(64) })
    assert.is_nil(tostring(beat("a", 20).differ):match "b")
    assert.equal("a aaaaaaaaaaaa, b bbbbbbbbbbbb", beat("a", 45).differ)
    beat("b", 46, { agents = ("b"):rep(64), draining = true }) -- the old process of a deploy may have old agents
    assert.is_nil(tostring(beat("a", 47).differ):match "b")
    beat("b", 48)
    assert.is_nil(tostring(beat("a", 90).differ):match "b")
  end)

  it("are told of when they die, and not when somebody of their name came back", function()
    beat("b", 0)
    beat("a", 0)
    assert.same({}, beat("a", 50).died)
    assert.equal("b", beat("a", 61).died[1].node)
    beat("b", 62, { epoch = MIDNIGHT })
    assert.same({}, beat("a", 63).died)
  end)

  describe("one of which died with calls", function()
    local c

    before_each(function()
      beat("a", 0)
      beat("b", 0)
      c = taken()
      events.outcomes(url, c.list)
    end)

    it("have the leader ask the carrier about them, once a minute each, and not before it is sure", function()
      beat("b", 30)
      assert.same({}, beat("b", 59).lost)
      assert.same({ CALL }, beat("b", 62).lost)
      assert.same({}, beat("b", 65).lost)
      assert.same({ CALL }, beat("b", 123).lost)
    end)

    it("ask about no call of a process that drains beside a new one", function()
      beat("a", 40, { draining = true })
      beat("a", 40, { epoch = MIDNIGHT })
      assert.same({}, beat("b", 62).lost)
      assert.same({ CALL }, beat("a", 110, { epoch = MIDNIGHT }).lost) -- the new one never had it
    end)

    it("ask about no call that an older release may have, which does not tell of itself", function()
      local older = events.call(2)
      local node = events.stream("node/a", { started_us = MIDNIGHT + 30000000 })
      events.outcomes(url, { node:add("node_started", { node = "a", version = "0.0.9" }, 0) })
      older:add("webhook", { kind = "voice", status = "in-progress", direction = "inbound", node = "a" }, 40000)
      older:add("decision", { system = "openai", reason = "default" }, 5)
      events.outcomes(url, older.list)
      assert.same({ CALL }, beat("b", 62).lost)
    end)

    it("close by the carrier's word and time", function()
      assert.equal("moved", close(50, { status = "completed" })) -- it is not gone yet
      assert.equal("open", close(70, { status = "in-progress" }))
      assert.equal("closed", close(70, { status = "completed", duration_s = 21,
        ended_at = "Wed, 25 Nov 2026 09:47:01 +0000" }))
      assert.same({ "ended", "node_lost", "completed", 21, "2026-11-25T09:47:01+00:00" }, (function(r)
        return { r.state, r.ended_reason, r.status, r.duration_s, r.ended_at }
      end)(call_row "state, ended_reason, status, duration_s, ended_at"))
      assert.equal("moved", close(71, { status = "completed" }))
      assert.same({ { type = "closed" } }, pg.query(url, "select type from call_events where type = 'closed'"))
    end)

    it("close as unknown what the carrier never heard of, at its last fact", function()
      assert.equal("closed", close(70, { unknown = true, ended_at = "the day after" }))
      local row = call_row "state, status, round(extract(epoch from ended_at - started_at) * 1000)::int as ms"
      assert.same({ state = "ended", status = "in-progress", ms = 305 }, row)
    end)

    it("close without asking what the carrier told another node", function()
      local node = events.node "b"
      events.outcomes(url, { node:add("webhook",
        { kind = "status", status = "completed", duration_s = 9, call = CALL }) })
      assert.same({}, beat("b", 62).lost)
      local row = call_row "state, ended_reason, round(extract(epoch from ended_at - started_at))::int as s"
      assert.same({ state = "ended", ended_reason = "node_lost", s = 9 }, row)
    end)

    it("close what the carrier says is over, when its owner is alive and has been told for two minutes", function()
      local node = events.node "b"
      events.outcomes(url, { node:add("webhook", { kind = "status", status = "completed", call = CALL }) })
      for s = 10, 135, 5 do
        beat("a", s)
        beat("b", s)
        if s == 125 then
          assert.equal("live", call_row "state".state)
        end
      end
      assert.same({ state = "ended", ended_reason = "not_had" }, call_row "state, ended_reason")
    end)

    it("never close a call that somebody took over", function()
      local got = ask(("adopt_call('{\"call\":\"%s\",\"node\":\"b\",\"process\":%d,\"cause\":\"node_lost\"}', %s)")
        :format(CALL, MIDNIGHT - 1000000, at(5)))
      assert.equal("node_lost", got.cause)
      beat("b", 50)
      assert.same({}, beat("b", 70).lost)
      assert.equal("moved", close(70, { status = "completed" }))
    end)

    it("keep what the dead one brings later, once, and open nothing again", function()
      close(70, { status = "completed", duration_s = 21 })
      local late = { c:add("turn", { seq = 1, role = "caller", text = "Hello?" }), c:add("state", { state = "live" }) }
      assert.same({ kept = 2 }, events.outcomes(url, late))
      assert.equal("ended", call_row "state".state)
      late = { late[1], late[2], c:add("ended", { reason = "caller_hangup", turns = 1, duration_ms = 2000 }) }
      assert.same({ duplicate = 2, kept = 1 }, events.outcomes(url, late))
      assert.same({ duplicate = 3 }, events.outcomes(url, late))
      local row = call_row "state, ended_reason, turns, duration_ms"
      assert.same({ state = "ended", ended_reason = "caller_hangup", turns = 1, duration_ms = 2000 }, row)
      assert.equal(1, #pg.query(url, "select 1 from turns"))
      assert.equal("ended", ask(("adopt_call('{\"call\":\"%s\",\"node\":\"c\",\"cause\":\"node_lost\"}')")
        :format(CALL)).refused)
    end)

    it("say that it drained when it said goodbye", function()
      events.outcomes(url, { c:add("ended", { reason = "node_drained" }) })
      assert.equal("node_drained", ask(("adopt_call('{\"call\":\"%s\",\"node\":\"b\",\"cause\":\"node_lost\"}')")
        :format(CALL)).cause)
    end)

    describe("in an emergency", function()
      local function left(node, s, before)
        return pg.query(url, ("select * from take_left_open('northside-plumbing', '%s', %d, %s, %s)"):format(node,
          before and MIDNIGHT + before * 1000000 or MIDNIGHT - 1000000, before and at(before) or "null", at(s)))
      end

      before_each(function()
        events.outcomes(url, { c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open",
          words = "I smell gas" }) })
      end)

      it("have the leader follow it up, once", function()
        assert.same({}, beat("b", 30).left_open)
        assert.same({ "northside-plumbing" }, beat("b", 62).left_open)
        local row = left("b", 62)[1].order_json
        assert.matches("gas%-leak", type(row) == "table" and row.rule or row)
        assert.same({}, beat("b", 66).left_open)
        assert.equal(0, #left("b", 66))
      end)

      it("leave it to the node that came back at once, and take it from that one when it died, too", function()
        beat("a", 20, { epoch = MIDNIGHT + 20000000 })
        assert.equal(1, #left("a", 20, 20))
        assert.equal(0, #left("a", 21, 20))
        assert.same({}, beat("a", 60, { epoch = MIDNIGHT + 20000000 }).left_open)
        assert.same({ "northside-plumbing" }, beat("b", 122).left_open)
      end)

      it("let who was rung for the caller take it through any node", function()
        local function accepted(o)
          local told = { call = CALL, to = "+13125550188", node = "b" }
          for name, value in pairs(o or {}) do
            told[name] = value
          end
          return ask(("accept_elsewhere(%s, %s)"):format(pg.literal(json.encode(told)), at(20)))
        end
        events.outcomes(url, { c:add("triage_step", { rule = "gas-leak", step = 1, kind = "transfer",
          target = "+13125550188", state = "asked" }) })
        assert.same({ answer = "screen",
          words = "Emergency call for Northside Plumbing: gas leak. Press 1 to take it." }, accepted())
        assert.equal("hang_up", accepted({ digits = "5" }).answer)
        assert.equal("bridge", accepted({ digits = "1" }).answer)
        local row = pg.query(url, "select state, handled_by from triage_matches")[1]
        assert.same({ state = "handled", handled_by = "+13125550188" }, row)
        assert.equal("hang_up", accepted({ digits = "5" }).answer)
        assert.equal("hang_up", accepted({ call = ("CA%032x"):format(9), digits = "1" }).answer)
        assert.same({ { state = "asked" }, { state = "refused" }, { state = "confirmed" }, { state = "refused" } },
          pg.query(url, "select state from triage_steps order by step"))
      end)

      it("leave it alone once it is handled", function()
        events.outcomes(url, { c:add("triage", { rule = "gas-leak", severity = "life", state = "handled", by = "x" }) })
        assert.same({}, beat("b", 62).left_open)
      end)

      it("have the leader ask people anew when a confirmation was taken back, once, whoever has the call", function()
        local function desk(what, s)
          return ask(("triage_%s('%s', 'gas-leak', 'token ann (operator)', %s)"):format(what, CALL, at(s)))
        end
        assert.is_true(desk("confirm", 10).changed)
        assert.same({}, beat("a", 11).left_open)
        assert.same({ true, "open", true }, { desk("unconfirm", 12).changed,
          pg.query(url, "select state from triage_matches")[1].state, beat("a", 13).leader })
        assert.same({ "northside-plumbing" }, beat("a", 14).left_open)
        assert.equal(1, #left("a", 15))
        assert.same({}, beat("a", 16).left_open)
        assert.equal(0, #left("a", 16))
        desk("confirm", 20)
        desk("unconfirm", 21)
        assert.same({ "northside-plumbing" }, beat("a", 22).left_open)
      end)

      it("stay with whoever answered while somebody confirmed at a desk, which is then not taken back", function()
        local function desk(what, s)
          return ask(("triage_%s('%s', 'gas-leak', 'token ann (operator)', %s)"):format(what, CALL, at(s)))
        end
        assert.is_true(desk("confirm", 10).changed)
        events.outcomes(url, { c:add("triage", { rule = "gas-leak", severity = "life", state = "handled", by = "dana" },
          60000) })
        assert.same({ false, "dana" }, { desk("unconfirm", 62).at_desk, desk("unconfirm", 62).handled_by })
        assert.same({ { state = "handled", handled_by = "dana" } },
          pg.query(url, "select state, handled_by from triage_matches"))
        assert.same({}, beat("a", 63).left_open)
      end)
    end)
  end)
end)
