-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

-- Everything that ingest writes, as text that can be compared; what tells the time of writing is left out.
local function tables(url)
  return pg.run(url, [[
    select 'call', to_jsonb(c) from calls c order by call;
    select 'event', to_jsonb(e) - 'kept_at' from call_events e order by stream, epoch, seq;
    select 'turn', to_jsonb(t) from turns t order by call, epoch, seq;
    select 'tool', to_jsonb(t) from tool_calls t order by call, id;
    select 'usage', to_jsonb(u) from usage u order by call, epoch, seq;
    select 'recording', to_jsonb(r) from recordings r order by node, path;
    select 'text', to_jsonb(t) from texts t order by id;
    select 'cost', to_jsonb(k) - 'computed_at' from call_costs k order by call;
    select 'line', to_jsonb(l) from call_cost_lines l order by call, line;
    select 'node', to_jsonb(n) from nodes n order by node;
    select 'agent', to_jsonb(a) from agents a order by agent;
    select 'version', to_jsonb(v) from agent_versions v order by agent, version;
    select 'alert', to_jsonb(a) - 'id' from alerts a order by node, kind, subject, opened_at;
    select 'audit', to_jsonb(a) - 'id' from audit a order by at, node, what]])
end

local function shuffle(list)
  for i = #list, 2, -1 do
    local j = math.random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

-- The first line in which two texts differ; nil when they are the same.
local function difference(expected, got)
  local lines = got:gmatch "[^\n]*"
  for line in expected:gmatch "[^\n]*" do
    local other = lines()
    if line ~= other then
      return "expected " .. line .. "\n     got " .. tostring(other)
    end
  end
  return lines()
end

describe("ingest", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function one(sql)
    return pg.query(url, sql)[1]
  end

  it("keeps a call's events and what they say", function()
    local c = events.conversation(1)
    assert.same({ kept = #c.list }, events.outcomes(url, c.list))
    local call = one "select * from calls"
    assert.same({ "ended", "completed", 14, "openai", "v7", "n1", "caller_hangup", 12000 },
      { call.state, call.status, call.duration_s, call.system, call.version, call.node, call.ended_reason,
        call.duration_ms })
    assert.equal("2026-11-25T09:46:40+00:00", call.started_at)
    assert.same({ heard = "Somebody can be", said = "Somebody can be there in 35 minutes" },
      one "select heard, said from turns where turn = 3")
    assert.same({ arguments = '{"zip":"60614"}', output = '{"minutes":35}', ms = 1000 },
      one [[select arguments, output, extract(epoch from answered_at - asked_at) * 1000 as ms from tool_calls]])
    assert.same({ status = "delivered" }, one "select status from texts")
    assert.same({ node = "n1" }, one "select node from recordings")
  end)

  it("says which of a batch is which, in the batch's own numbers", function()
    local c = events.call(1)
    local first, second = c:add("state", { state = "live" }), c:add("dtmf", { digit = "*" })
    events.ingest(url, { second })
    local rows = events.ingest(url, { second, first, first })
    assert.same({ { ordinal = 1, outcome = "duplicate" }, { ordinal = 2, outcome = "kept" },
      { ordinal = 3, outcome = "duplicate" } }, rows)
  end)

  it("finds the same key with other content, and uses nothing of it", function()
    local c = events.call(1)
    local live = c:add("state", { state = "live" })
    events.ingest(url, { live })
    live.body.state = "ended"
    local row = events.ingest(url, { live })[1]
    assert.equal("conflict", row.outcome)
    assert.matches("epoch %d+, seq 1 is kept already as another event of type state", row.reason)
    assert.same({ state = "live" }, one "select state from calls")
    live.body.state, live.type = "live", "turn"
    assert.equal("conflict", events.ingest(url, { live })[1].outcome)
  end)

  it("makes the same tables from any order, any batches and any repetition", function()
    local all = {}
    for n = 1, 5 do
      for _, e in ipairs(events.conversation(n, { started_us = events.began_us + n * 1000000 }).list) do
        all[#all + 1] = e
      end
    end
    local resumed = events.conversation(6):resume()
    resumed:add("state", { state = "connecting" })
    resumed:add("turn", { seq = 4, role = "agent", text = "Sorry, I am back" })
    resumed:add("ended", { reason = "agent_hangup", duration_ms = 5000, turns = 1, first_audio_ms = 200 })
    for _, e in ipairs(resumed.list) do
      all[#all + 1] = e
    end
    events.ingest(url, all)
    local expected = tables(url)
    assert.matches("agent_hangup", expected)

    math.randomseed(7)
    for _ = 1, 6 do
      local again, other = shuffle { table.unpack(all) }, pg.database()
      for i = 1, #all // 3 do
        table.insert(again, math.random(#again), all[i])
      end
      local batches = {}
      while #again > 0 do
        local batch = {}
        for _ = 1, math.min(#again, math.random(60)) do
          batch[#batch + 1] = table.remove(again)
        end
        batches[#batches + 1] = events.sql(batch) .. ";"
      end
      pg.run(other, table.concat(batches, "\n"))
      assert.is_nil(difference(expected, tables(other)))
    end
  end)

  it("never lets a call go back from its end", function()
    local c = events.call(1)
    local ringing = c:add("webhook", { kind = "voice", status = "ringing" })
    local live = c:add("state", { state = "live" })
    local ended = c:add("ended", { reason = "caller_hangup" })
    local done = c:add("webhook", { kind = "status", status = "completed", duration_s = 3 })
    for _, e in ipairs { done, ended, live, ringing } do
      events.ingest(url, { e })
    end
    assert.same({ state = "ended", status = "completed" }, one "select state, status from calls")
  end)

  it("takes no seconds for a length only once the call is over", function()
    local c = events.call(1)
    local ringing = c:add("webhook", { kind = "voice", status = "ringing", duration_s = 0 })
    local canceled = c:add("webhook", { kind = "status", status = "canceled", duration_s = 0 })
    events.ingest(url, { ringing })
    assert.same({}, one "select duration_s from calls")
    events.ingest(url, { canceled })
    assert.same({ duration_s = 0 }, one "select duration_s from calls")
  end)

  it("leaves out a carrier's word that it does not know", function()
    local c = events.call(1)
    c:add("webhook", { kind = "status", status = "teleported" })
    c:add("text", { id = "SM1", to = "+13125550142", status = "evaporated" })
    assert.same({ kept = 2 }, events.outcomes(url, c.list))
    assert.same({ call = true, text = true },
      one "select c.status is null as call, t.status is null as text from calls c, texts t")
  end)

  it("keeps what it does not understand, and a body that was cut", function()
    local c = events.call(1)
    c:add("telepathy", { strength = 3 })
    local cut = c:add "turn"
    cut.body = { cut = true, bytes = 90000, head = '{"role":"cal' }
    assert.same({ kept = 2 }, events.outcomes(url, c.list))
    assert.same({ events = 2, turns = 0, calls = 1 }, one [[select (select count(*) from call_events) as events,
      (select count(*) from turns) as turns, (select count(*) from calls) as calls]])
  end)

  it("raises for what breaks a constraint, and undoes the batch", function()
    local c = events.call(1)
    c:add("state", { state = "live" })
    c:add("turn", { role = "ghost", text = "boo" })
    local ok, words, state = pg.try(url, events.sql(c.list))
    assert.is_false(ok)
    assert.matches("turns_role_check", words)
    assert.equal("23514", state)
    assert.same({ n = 0 }, one "select count(*) as n from call_events")
    assert.same({ kept = 1 }, events.outcomes(url, { c.list[1] }))
  end)

  it("takes hostile words as words", function()
    local from = ("x"):rep(500) .. "\27[2J"
    local c = events.call(1, { common = { from = from, agent = "a'); drop table calls; --" } })
    c:add("tool", { id = ("i"):rep(900), name = ("n"):rep(900), arguments = "{{{ no json \\", done = false })
    c:add("decision", { system = "openai", reason = ("r"):rep(9000) })
    c:add("usage", { kind = "response", model = "m", complete = true,
      usage = { text_in = -5, text_in_cached = 1e300, audio_in = "many", seconds = 1e9 } })
    c:add("ended", { reason = "x", duration_ms = "soon", turns = {} })
    assert.same({ kept = 4 }, events.outcomes(url, c.list))
    assert.same({ n = 128, id = 128, name = 128 }, one [[select length(from_number) as n, length(t.id) as id,
      length(t.name) as name from calls join tool_calls t using (call)]])
    assert.same({ text_in = 0, text_cached = 0, audio_in = 0, seconds = 86400 },
      one "select text_in, text_cached, audio_in, seconds from usage")
  end)

  it("makes the month that an old call needs", function()
    local c = events.call(1, { started_us = 1711929600000000 - 1 }) -- the last µs of March 2024
    c:add("turn", { seq = 1, role = "caller", text = "hello" })
    assert.same({ kept = 1 }, events.outcomes(url, c.list))
    assert.same({ n = 1 }, one "select count(*) as n from turns_202403")
    assert.same({ n = 1 }, one "select count(*) as n from call_events_202403")
  end)

  it("refuses a date that no call can have, and says why", function()
    for _, started_us in ipairs { 0, 32503680000000000 } do
      local c = events.call(1, { started_us = started_us, epoch = 1 })
      c:add("turn", { role = "caller", text = "hello" })
      local ok, words, state = pg.try(url, events.sql(c.list))
      assert.is_false(ok)
      assert.matches("set that machine's clock", words)
      assert.equal("22008", state)
    end
  end)

  it("has no default partition that could hide anything", function()
    assert.same({ n = 0 }, one "select count(*) as n from pg_partitioned_table where partdefid <> 0")
  end)

  it("takes two months in one batch from two shippers at the same time", function()
    local files = {}
    for shipper = 1, 2 do
      local list = {}
      for month = 1, 6 do
        local c = events.call(shipper * 100 + month, { started_us = events.began_us - month * 2700000000000 })
        c:add("turn", { role = "caller", text = "hello" })
        list[#list + 1] = c.list[1]
      end
      files[shipper] = os.tmpname()
      local file = assert(io.open(files[shipper], "w"))
      file:write(events.sql(list), ";")
      file:close()
    end
    local command = ("psql -XqAt -v ON_ERROR_STOP=1 -d '%s' -f %s"):format(url, "%s")
    local pipe = io.popen(("(%s & %s & wait) 2>&1"):format(command:format(files[1]), command:format(files[2])))
    local text = pipe:read "a"
    pipe:close()
    os.remove(files[1])
    os.remove(files[2])
    assert.equal(12, select(2, text:gsub("kept", "")), text)
  end)

  describe("of a node", function()
    it("knows which nodes run", function()
      local n = events.node "n1"
      n:add("node_started", { node = "n1", version = "0.1.0", host = "alpha", pid = 77 })
      events.ingest(url, n.list)
      assert.same({ node = "n1", pid = 77, host = "alpha", version = "0.1.0" },
        one "select node, pid, host, version from nodes where stopped_at is null")
      n:add("node_stopped", { node = "n1" })
      events.ingest(url, n.list)
      assert.same({ stopped = true }, one "select stopped_at is not null as stopped from nodes")
      local again = events.node "n1"
      again.started_us, again.epoch = n.started_us + 60000000, n.epoch + 60000000
      again:add("node_started", { node = "n1", version = "0.2.0", host = "alpha", pid = 78 })
      events.ingest(url, again.list)
      assert.same({ pid = 78, stopped = false }, one "select pid, stopped_at is not null as stopped from nodes")
    end)

    it("knows agents and their versions, the newest last", function()
      local n = events.node "n1"
      local old = n:add("agent_version", { agent = "a", version = "v1", keep_transcripts_s = 86400, recording = false })
      local new = n:add("agent_version", { agent = "a", version = "v2", keep_transcripts_s = 3600, recording = true })
      events.ingest(url, { new })
      events.ingest(url, { old })
      assert.same({ version = "v2", keep = "01:00:00", recording = true },
        one "select version, keep_transcripts as keep, recording from agents")
      assert.same({ { version = "v1" }, { version = "v2" } },
        pg.query(url, "select version from agent_versions order by 1"))
    end)

    it("opens an alert once, counts it, closes it, and opens another", function()
      local n = events.node "n1"
      local function alarm(open, count)
        n:add("alarm", { kind = "journal.disk", subject = "", severity = "critical", text = "full", fix = "free some",
          open = open, count = count })
      end
      alarm(true, 1)
      alarm(true, 2)
      alarm(false, 2)
      alarm(true, 1)
      events.ingest(url, n.list)
      events.ingest(url, n.list)
      assert.same({ { count = 2, open = false }, { count = 1, open = true } },
        pg.query(url, "select count, closed_at is null as open from alerts order by id"))
      assert.is_false((pg.try(url, [[insert into alerts (node, kind, severity, text, opened_at, last_at)
        values ('n1', 'journal.disk', 'critical', 'x', now(), now())]])))
    end)

    it("closes what a process had open that is gone, also when its words come late", function()
      local n = events.node "n1"
      local open = { kind = "database.down", subject = "", severity = "critical", text = "away", open = true }
      n:add("node_started", { node = "n1", pid = 1 })
      n:add("alarm", open)
      local late = n:add("alarm", { kind = "zombie", subject = "", severity = "warning", text = "x", open = true })
      table.remove(n.list)
      local again = events.stream("node/n1", { started_us = n.started_us + 60000000 })
      again:add("node_started", { node = "n1", pid = 2 })
      again:add("alarm", { kind = "journal.disk", subject = "", severity = "critical", text = "full", open = true })
      events.ingest(url, n.list)
      events.ingest(url, again.list)
      events.ingest(url, { late })
      assert.same({ { kind = "database.down", open = false }, { kind = "journal.disk", open = true },
        { kind = "zombie", open = false } },
        pg.query(url, "select kind, closed_at is null as open from alerts order by kind"))
    end)

    it("learns from one node how a call ended that another has", function()
      local c, n = events.call(1), events.node "n2"
      n:add("webhook", { call = c.stream, kind = "status", status = "completed", duration_s = 61,
        from = "+13125550142", to = "+13125550100" })
      c:add("decision", { system = "vapi", reason = "vip" })
      events.ingest(url, n.list)
      events.ingest(url, c.list)
      assert.same({ status = "completed", duration_s = 61, system = "vapi", agent = "northside-plumbing",
        started_at = "2026-11-25T09:46:40+00:00" },
        one "select status, duration_s, system, agent, started_at from calls")
    end)

    it("writes the audit, which nobody edits", function()
      local n = events.node "n1"
      n:add("audit", { who = "alice", what = "rollout.promote", subject = "sales", before = { percent_bp = 0 },
        after = { percent_bp = 2500 } })
      events.ingest(url, n.list)
      assert.same({ who = "alice", percent = 2500 },
        one "select who, (after ->> 'percent_bp')::int as percent from audit")
      for _, sql in ipairs { "update audit set who = 'bob'", "delete from audit", "truncate audit" } do
        local ok, words = pg.try(url, sql)
        assert.is_false(ok)
        assert.matches("append%-only", words)
      end
    end)
  end)

  -- How fast: spec/analytics/ingest.lua.
  it("takes batches of many calls, and each event once", function()
    local list, n = {}, 0
    for c = 1, 11 do
      for _, e in ipairs(events.conversation(c).list) do
        list[#list + 1] = e
      end
    end
    for _ = 1, 2 do
      assert.same({ [n == 0 and "kept" or "duplicate"] = #list }, events.outcomes(url, shuffle(list)))
      n = pg.query(url, "select count(*) as n from call_events")[1].n
      assert.equal(#list, n)
    end
  end)
end)
