-- SPDX-License-Identifier: Apache-2.0
local cjson = require "cjson"
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

describe("keeping", function()
  local url, now

  before_each(function()
    url, now = pg.database(), "timestamptz '2026-11-26 12:00Z'"
  end)

  local function one(sql)
    return pg.query(url, sql)[1]
  end

  local function maintain(at)
    return pg.query(url, ("select * from maintain(%s)"):format(at or now))
  end

  local function partitions(of)
    local names = {}
    for i, row in ipairs(pg.query(url, ([[select c.relname as name from pg_inherits join pg_class c on c.oid = inhrelid
      where inhparent = '%s'::regclass order by 1]]):format(of))) do
      names[i] = row.name
    end
    return names
  end

  local function agent(o)
    local n = events.node "n1"
    n:add("agent_version", { agent = "northside-plumbing", version = "v7", keep_transcripts_s = o.transcripts,
      keep_recordings_s = o.recordings, recording = true })
    events.ingest(url, n.list)
  end

  describe("months", function()
    it("has this one and the next two, however often it is asked", function()
      maintain()
      maintain()
      for _, of in ipairs { "call_events", "turns", "tool_calls", "usage" } do
        local names = table.concat(partitions(of), " ")
        for _, month in ipairs { "202611", "202612", "202701" } do
          assert.matches(of .. "_" .. month, names)
        end
      end
    end)

    it("goes on at the end of a year, and on the last day of a long month", function()
      maintain "timestamptz '2026-12-31 23:59Z'"
      local names = table.concat(partitions "turns", " ")
      assert.matches("turns_202612.* turns_202701.* turns_202702", names)
    end)

    it("drops what is older than the retention, and only that", function()
      local old = events.conversation(1, { started_us = 1735689600000000 }) -- 1 January 2025
      local recent = events.conversation(2, { started_us = 1764547200000000 }) -- 1 December 2025
      events.ingest(url, old.list)
      events.ingest(url, recent.list)
      maintain()
      assert.same({ turns = 3, usage = 2, calls = 2 }, one [[select (select count(*) from turns) as turns,
        (select count(*) from usage) as usage, (select count(*) from calls) as calls]])
      assert.is_nil(table.concat(partitions "turns", " "):match "202501")
      maintain "timestamptz '2027-03-01 00:00Z'"
      assert.same({ turns = 0, usage = 1, calls = 1, costs = 1 }, one [[select (select count(*) from turns) as turns,
        (select count(*) from usage) as usage, (select count(*) from calls) as calls,
        (select count(*) from call_costs) as costs]])
    end)

    it("follows what the operator says", function()
      events.ingest(url, events.conversation(1, { started_us = 1764547200000000 }).list)
      pg.run(url, "update retention set keep = '2 months' where what = 'turns'")
      maintain()
      assert.same({ turns = 0, events = 19 }, one [[select (select count(*) from turns) as turns,
        (select count(*) from call_events) as events]])
      assert.is_false((pg.try(url, "update retention set keep = '0'")))
    end)
  end)

  describe("words of an agent that forgets sooner", function()
    it("blanks them and nothing else", function()
      agent { transcripts = 3600 }
      events.ingest(url, events.conversation(1).list)
      maintain()
      assert.same({ n = 3, heard = "", words = "" }, one [[select count(*) as n, string_agg(heard, '') as heard,
        string_agg(words::text, '') as words from turns]])
      assert.same({ n = 0 }, one [[select count(*) as n from call_events
        where body::text ~* '(boiler|leaking|minutes|60614)']])
      assert.same({ n = 1, cost = 28406, from_number = "+13125550142" }, one [[select count(name) as n,
        min(micro_usd) as cost, min(from_number) as from_number from tool_calls join call_costs using (call)
        join calls using (call) where arguments is null and output is null]])
    end)

    it("keeps the notice, which is evidence", function()
      agent { transcripts = 3600 }
      events.ingest(url, events.conversation(1).list)
      maintain()
      assert.same({ text = "You are speaking with an AI. This call is recorded." },
        one "select body ->> 'text' as text from call_events where type = 'notice'")
    end)

    it("leaves those that are young enough, and those of others", function()
      agent { transcripts = 86400 * 30 }
      events.ingest(url, events.conversation(1).list)
      events.ingest(url, events.conversation(2, { common = { agent = "dentist" } }).list)
      maintain()
      assert.same({ n = 6 }, one "select count(*) as n from turns where heard <> ''")
    end)

    it("blanks what a node told of the call, too", function()
      agent { transcripts = 3600 }
      local c, n = events.conversation(1), events.node "n9"
      n:add("turn", { call = c.stream, role = "caller", text = "one more boiler" })
      events.ingest(url, c.list)
      events.ingest(url, n.list)
      maintain()
      assert.same({ n = 0 }, one "select count(*) as n from call_events where body::text ~ 'boiler'")
    end)

    it("stays blank when the journal repeats an event or brings one late", function()
      agent { transcripts = 3600 }
      local c = events.conversation(1)
      events.ingest(url, c.list)
      maintain()
      local late = c:add("turn", { seq = 4, role = "caller", text = "the boiler again" })
      assert.same({ duplicate = 19, kept = 1 }, events.outcomes(url, c.list))
      assert.equal("turn", late.type)
      assert.same({ n = 0 }, one "select count(*) as n from call_events where body::text ~ 'boiler'")
      assert.same({ n = 4 }, one "select count(*) as n from turns where heard = ''")
    end)
  end)

  it("names recordings that must go, until their node says that they are gone", function()
    agent { recordings = 3600 }
    events.ingest(url, events.conversation(1).list)
    local path = "recordings/2026/11/25/" .. events.call(1).stream .. "-1795600000000000.wav"
    assert.same({}, maintain "timestamptz '2026-11-25 10:00Z'")
    maintain()
    assert.same({ { node = "n1", path = path } }, maintain())
    assert.same({ { node = "n1", path = path } }, pg.query(url, "select * from recordings_due('n1')"))
    assert.same({}, pg.query(url, "select * from recordings_due('n2')"))
    pg.run(url, ("select recording_gone('n1', '%s')"):format(path))
    assert.same({}, maintain())
  end)

  it("forgets what tools answered on Vapi after two days, also when no other call writes", function()
    pg.run(url, ([[insert into vapi_writes (call, key, at, output) values
      ('CAold', repeat('a', 64), %s - interval '49 hours', 'Ann'), ('CAnew', repeat('a', 64), %s, 'Bob')]]):format(
      now, now))
    maintain()
    assert.same({ { call = "CAnew" } }, pg.query(url, "select call from vapi_writes"))
  end)

  describe("erase this caller", function()
    local caller, other = "+13125550142", "+131255501429"

    local function theirs_of_ann()
      local call = events.conversation(1)
      call:add("near_miss", { rule = "gas-leak", why = "negated", words = "Ann says it is no gas" })
      call:add("vars", { vars = { name = "Ann" } })
      call:add("opened", { schema = 1, form = { CallerName = "Ann" } })
      return call
    end

    before_each(function()
      local own = theirs_of_ann()
      events.ingest(url, own.list)
      local theirs = events.conversation(2, { common = { from = other } })
      theirs:add("transfer", { to = caller, state = "asked", why = "asked for " .. caller .. " or " .. other })
      events.ingest(url, theirs.list)
      local n = events.node "n2"
      n:add("webhook", { call = "CAunknown", kind = "status", status = "completed", from = caller,
        to = "+13125550100" })
      n:add("audit", { who = "alice", what = "rollout.allow_add", subject = caller, after = { allow = { caller } } })
      events.ingest(url, n.list)
      pg.run(url, ([[
        insert into customers (agent, number, name, email, notes) values ('a', '%s', 'Ann', 'ann@x.org', 'barks');
        insert into customers (agent, number, name) values ('a', '%s', 'Bob');
        insert into appointments (agent, resource, during, customer, notes)
          select 'a', 'sam', '[2026-12-01 09:00+00, 2026-12-01 10:00+00)', id, 'key under mat' from customers
          where name = 'Ann';
        insert into texts (id, direction, from_number, to_number, body, created_at, updated_at)
          values ('SMin', 'in', '%s', '+13125550100', 'it is Ann', now(), now());
        insert into opt_outs (number_hash, source) values (sha256('ann'), 'stop');
        insert into vapi_writes (call, key, output) values ('%s', repeat('a', 64), 'booked for Ann'),
          ('%s', repeat('b', 64), 'called back %s');
        select rollout_put('sales', 0, '{"allow": ["%s"]}', 'alice')]]):format(caller, other, caller, own.stream,
        theirs.stream, caller, caller))
    end)

    local function erase()
      return cjson.decode(pg.run(url, ("select erase_caller('%s', sha256('ann'), 'alice')"):format(caller)))
    end

    -- Every table there is, but rollouts: whose plans list the number is told instead.
    local function everything()
      local asked = {}
      for i, row in ipairs(pg.query(url, [[select c.relname as name from pg_class c where c.relkind in ('r', 'p')
        and c.relnamespace = 'public'::regnamespace and not c.relispartition and c.relname <> 'rollouts']])) do
        asked[i] = ("select to_jsonb(x) from %s x"):format(row.name)
      end
      return pg.run(url, table.concat(asked, ";"))
    end

    it("leaves no trace of number, name or words", function()
      erase()
      local left = everything():gsub("%+131255501429", "")
      for _, trace in ipairs { "+13125550142", "Ann", "ann@x.org", "barks", "under mat" } do
        assert.is_nil(left:find(trace, 1, true), trace)
      end
      assert.same({ n = 0 }, one(([[select count(*) as n from call_events where stream = '%s'
        and body::text ~* '(boiler|60614|slow down|312)']]):format(events.call(1).stream)))
    end)

    it("leaves others alone, a longer number that begins alike too", function()
      erase()
      assert.same({ from_number = other }, one(("select from_number from calls where call = '%s'"):format(
        events.call(2).stream)))
      assert.same({ why = "asked for erased or " .. other }, one [[select body ->> 'why' as why from call_events
        where type = 'transfer']])
      assert.same({ n = 3 }, one "select count(*) as n from turns where heard <> ''")
      assert.same({ name = "Bob" }, one "select name from customers where number is not null")
    end)

    it("tells what it did, what must be deleted, and what stays", function()
      local told = erase()
      assert.same({ calls = 2, call_events = 27, turns = 3, tool_calls = 1, texts = 3, triage_matches = 0,
        appointments = 1, customers = 1, store = 0, api_requests = 0, audit = 1, opt_outs_kept = 1,
        still_listed = { "sales" },
        recordings = { { node = "n1",
          path = "recordings/2026/11/25/" .. events.call(1).stream .. "-1795600000000000.wav" } } }, told)
      assert.same({ who = "alice", n = 1 }, one [[select min(who) as who, count(*) as n from audit
        where what = 'erase_caller']])
      assert.same({ n = 1 }, one "select count(*) as n from opt_outs")
    end)

    it("keeps what is no person: times, counts, money", function()
      erase()
      assert.same({ state = "ended", turns = 3, cost = 28406 }, one(([[select state, turns, micro_usd as cost
        from calls join call_costs using (call) where call = '%s']]):format(events.call(1).stream)))
    end)

    it("holds against what the journal brings later", function()
      erase()
      local again = theirs_of_ann()
      again:add("turn", { seq = 9, role = "caller", text = "it is Ann again" })
      assert.same({ duplicate = 22, kept = 1 }, events.outcomes(url, again.list))
      local n = events.node "n3"
      n:add("webhook", { call = again.stream, kind = "status", status = "completed", from = caller, to = caller })
      events.ingest(url, n.list)
      local left = everything():gsub("%+131255501429", "")
      assert.is_nil(left:find(caller, 1, true))
      assert.is_nil(left:find("Ann", 1, true))
    end)

    it("keeps when a call ended, what it cost and where its recording is, if the caller still talked", function()
      local call = events.conversation(3)
      local later = {}
      while #call.list > 4 do
        table.insert(later, 1, table.remove(call.list))
      end
      events.ingest(url, call.list)
      erase()
      events.ingest(url, later)
      assert.same({ state = "ended", from_number = "erased", cost = 28406 }, one(([[select state, from_number,
        micro_usd as cost from calls join call_costs using (call) where call = '%s']]):format(call.stream)))
      assert.same({ n = 0 }, one(("select count(*) as n from turns where heard <> '' and call = '%s'"):format(
        call.stream)))
      local path = "recordings/2026/11/25/" .. call.stream .. "-1795600000000000.wav"
      assert.same({ n = 1 }, one(("select count(*) as n from recordings_due('n1') where path = '%s'"):format(path)))
    end)

    it("knows of a call that goes on that it wrote, and not what", function()
      local call = events.conversation(3)
      while #call.list > 4 do
        table.remove(call.list)
      end
      events.ingest(url, call.list)
      pg.run(url, ("insert into vapi_writes (call, key, output) values ('%s', repeat('c', 64), 'Ann')"):format(
        call.stream))
      erase()
      assert.same({ mine = false }, one(("select mine, known from vapi_write_begin('%s', repeat('c', 64))"):format(
        call.stream)))
    end)

    it("may be asked again", function()
      erase()
      local told = erase()
      assert.same({ 0, 0, 0, 1 }, { told.calls, told.turns, told.customers, told.opt_outs_kept })
    end)

    it("refuses what is no number", function()
      for _, word in ipairs { "anonymous", "3125550142", "", "+1 312", ".*" } do
        local ok, words = pg.try(url, ("select erase_caller('%s', null)"):format(word))
        assert.is_false(ok)
        assert.matches("written as %+13125550142", words)
      end
    end)
  end)
end)
