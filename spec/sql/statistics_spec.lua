-- SPDX-License-Identifier: Apache-2.0
-- The hours of statistics against the calls themselves: counted again here, in another language, from what the tables
-- of calls say, after facts came late, twice and in any order.
local events = require "spec.support.events"
local histogram = require "ringdown.stats.histogram"
local pg = require "spec.support.postgres"
local time = require "ringdown.time"

local SUMS = { "calls", "failed_over", "talk_ms", "turns", "barge_ins", "errors", "transfers_asked",
  "transfers_answered", "emergencies", "emergencies_life", "emergencies_handled", "near_misses", "bookings", "tools",
  "tools_failed", "tools_open", "micro_usd", "unknown_costs" }

-- What Lua knows of a call's outcome: the words of docs/statistics.md, not of the SQL.
local function outcome_of(c)
  local broke = { provider_failed = true, script_failed = true, carrier_lost = true, node_lost = true, refused = true,
    shutdown = true }
  local never = { busy = true, failed = true, ["no-answer"] = true, canceled = true }
  if c.missed or not c.ended and never[c.status] then
    return "missed"
  elseif c.system == "fallback" then
    return "fallback"
  elseif c.ended and broke[c.ended_reason] then
    return "failed"
  elseif #c.triage > 0 then
    return "emergency"
  elseif c.transfers_answered > 0 or c.ended_reason == "transferred" then
    return "transferred"
  elseif c.transfers_asked > 0 then
    return "not_taken"
  end
  return "contained"
end

local raw_sql = [[select c.call, extract(epoch from c.started_at)::bigint as at, c.agent,
    coalesce(c.site, 'default') as site, coalesce(c.system, 'none') as system, c.reason as why, c.ended_reason,
    c.missed, c.status, c.ended_at is not null as ended,
    c.is_test, c.imported, c.duration_ms, c.duration_s, c.turns, c.barge_ins, c.errors, c.transfers_asked,
    c.transfers_answered, c.first_audio_ms, c.failed_over_to, k.micro_usd,
    coalesce((select json_agg(json_build_object('state', state, 'severity', severity, 'took_s',
      extract(epoch from handled_at - matched_at)::bigint)) from triage_matches m where m.call = c.call
      and state <> 'recorded'), '[]') as triage,
    (select count(*) from near_misses n where n.call = c.call) as near_misses,
    (select count(*) from appointments b where b.call = c.call) as bookings,
    coalesce((select json_agg(json_build_object('open', answered_at is null, 'failed', failed, 'took_ms',
      extract(epoch from answered_at - asked_at) * 1000)) from tool_calls t where t.call = c.call), '[]') as tools,
    coalesce((select json_agg(first_audio_ms) from turns t where t.call = c.call and first_audio_ms is not null), '[]')
      as waited
  from calls c left join call_costs k using (call)]]

-- The calls of each hour, added up, less the hour itself: where they differ.
local calls_sql = [[select * from (
    select hour, local_hour, agent, site, system, outcome, reason, kind, sum(calls) as calls,
      sum(failed_over) as failed_over,
      sum(talk_ms) as talk_ms, sum(bookings) as bookings, sum(emergencies) as emergencies, sum(micro_usd) as micro_usd,
      sum(unknown_costs) as unknown, sum(part) as part, sum(m) as model, sum(c) as carrier, sum(b) as billed,
      sum(r) as reported, sum(e) as estimated
    from (
      select hour, local_hour, agent, site, system, outcome, reason, kind, calls, failed_over, talk_ms, bookings,
        emergencies, micro_usd, unknown_costs, unknown_part_micro_usd as part, model_micro_usd as m,
        carrier_micro_usd as c, billed_micro_usd as b, reported_micro_usd as r, estimated_micro_usd as e
      from statistics_hourly
      union all
      select hour, local_hour, agent, site, system, outcome, reason, kind, -1, -failed_over::integer, -talk_ms,
        -bookings,
        -emergencies, -coalesce(micro_usd, 0), -(micro_usd is null)::integer,
        case when micro_usd is null then -known_part_micro_usd else 0 end, -model_micro_usd, -carrier_micro_usd,
        -billed_micro_usd, -reported_micro_usd, -estimated_micro_usd from calls_counted) x
    group by 1, 2, 3, 4, 5, 6, 7, 8) d
  where (calls, failed_over, talk_ms, bookings, emergencies, micro_usd, unknown, part, model, carrier, billed, reported,
    estimated) <> (0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)]]

local function add(row, what, n)
  row[what] = row[what] + (n or 0)
end

local function add_wait(row, what, n)
  if n then
    local b = histogram.bucket(n)
    row[what] = row[what] or {}
    row[what][b] = (row[what][b] or 0) + 1
  end
end

local function recounted(url, zones)
  local rows = {}
  for _, c in ipairs(pg.query(url, raw_sql)) do
    local ended = { completed = true, busy = true, failed = true, ["no-answer"] = true, canceled = true }
    if c.ended or ended[c.status] then
      local at = time.at(zones[c.agent] or "UTC", c.at)
      local reason = c.missed or c.system == "fallback" and c.why or c.ended_reason or c.status or "unknown"
      local key = table.concat({ c.at // 3600 * 3600, at.date .. " " .. at.time:sub(1, 2), c.agent, c.site, c.system,
        outcome_of(c), reason, c.is_test and "test" or c.imported and "imported" or "real" }, "|")
      local row = rows[key]
      if not row then
        row = {}
        for _, name in ipairs(SUMS) do
          row[name] = 0
        end
        rows[key] = row
      end
      add(row, "calls", 1)
      add(row, "failed_over", c.failed_over_to and 1)
      add(row, "talk_ms", c.duration_ms or (c.duration_s or 0) * 1000)
      for _, name in ipairs { "turns", "barge_ins", "errors", "transfers_asked", "transfers_answered", "near_misses",
        "bookings", "micro_usd" } do
        add(row, name, c[name])
      end
      add(row, "unknown_costs", not c.micro_usd and 1)
      for _, m in ipairs(c.triage) do
        add(row, "emergencies", 1)
        add(row, "emergencies_life", m.severity == "life" and 1)
        add(row, "emergencies_handled", m.state == "handled" and 1)
        add_wait(row, "handled", m.state == "handled" and m.took_s)
      end
      for _, t in ipairs(c.tools) do
        add(row, "tools", 1)
        add(row, "tools_failed", t.failed == true and 1)
        add(row, "tools_open", t.open and 1)
        add_wait(row, "tool", not t.open and math.tointeger(t.took_ms))
      end
      add_wait(row, "first_audio", c.first_audio_ms)
      for _, ms in ipairs(c.waited) do
        add_wait(row, "turn", ms)
      end
    end
  end
  return rows
end

local function counted(url)
  local rows = {}
  for _, r in ipairs(pg.query(url, [[select *, extract(epoch from hour)::bigint as at,
      to_char(local_hour, 'YYYY-MM-DD HH24') as clock from statistics_hourly]])) do
    local row = {}
    for _, name in ipairs(SUMS) do
      row[name] = r[name]
    end
    for _, what in ipairs { "first_audio", "turn", "tool", "handled" } do
      for i, bucket in ipairs(r[what .. "_at"] or {}) do
        row[what] = row[what] or {}
        row[what][bucket] = r[what .. "_n"][i]
      end
    end
    rows[table.concat({ r.at, r.clock, r.agent, r.site, r.system, r.outcome, r.reason, r.kind }, "|")] = row
  end
  return rows
end

describe("statistics", function()
  local url

  before_each(function()
    url = pg.database()
  end)

  local function roll(at_most)
    return pg.query(url, ("select statistics_roll(%d) as said"):format(at_most or 500))[1].said
  end

  -- What is put together is what it is put together from.
  local function coarse_adds_up()
    local asks = {}
    for by in ("total hour weekday week_hour day agent site system outcome reason"):gmatch "%S+" do
      for _, more in ipairs { "", [[, "agent": "night-desk"]], [[, "site": "uptown"]] } do
        for _, range in ipairs { { "2026-10-31", "2026-11-02" }, { "2026-10-25", "2026-11-02" }, -- a week, whole
          { "2026-10-26", "2026-11-15" }, { "2026-09-30", "2026-12-24" } } do
          asks[#asks + 1] = ([['{"by": "%s", "kinds": ["real", "test"], "local_from": "%s", "local_to": "%s"%s}']])
            :format(by, range[1], range[2], more)
        end
      end
    end
    local ask = ("select jsonb_agg(stats_range(a) order by i) as said from unnest(array[%s]::jsonb[]) "
      .. "with ordinality u (a, i)"):format(table.concat(asks, ", "))
    local said = pg.query(url, ask)[1].said
    pg.run(url, [[alter function statistics_grain(jsonb) rename to statistics_grain_itself;
      create function statistics_grain(ask jsonb) returns text language sql immutable return 'all']])
    local from_all = pg.query(url, ask)[1].said
    pg.run(url, [[drop function statistics_grain(jsonb);
      alter function statistics_grain_itself(jsonb) rename to statistics_grain]])
    for n, text in ipairs(asks) do
      assert.same(from_all[n], said[n], text)
      assert.is_true(text:find "night" ~= nil or text:find "uptown" ~= nil or #said[n] > 0)
    end
  end

  local function same_as_raw(zones)
    assert.same(recounted(url, zones or {}), counted(url))
    assert.same({}, pg.query(url, calls_sql))
  end

  -- 2026-11-01 05:00Z: in Chicago it is 00:00, and an hour later 01:00 comes twice.
  local DST = 1793509200

  -- A call of random facts, as the journal of its node brings them.
  local function random_call(n, r)
    local started = DST + r(-3, 12) * 3600 + r(0, 3599)
    local c = events.call(n, { started_us = started * 1000000, common = {
      agent = r(1, 3) == 1 and "night-desk" or "northside-plumbing", from = "+1312555" .. (1000 + r(1, 9)),
      to = "+1312555010" .. r(0, 2) } })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
    if r(1, 6) > 1 then
      c:add("opened", { site = r(1, 2) == 1 and { id = "loop" } or nil })
    end
    local system = ({ "openai", "openai", "openai", "fallback", "vapi" })[r(1, 5)]
    c:add("decision", { system = system, reason = system == "fallback" and "full" or "split",
      model = "gpt-realtime-2.1" })
    for i = 1, r(0, 3) do
      local id = "call_" .. i
      c:add("tool", { id = id, name = "eta", arguments = "{}", done = false }, r(10, 500))
      if r(1, 5) > 1 then
        c:add("tool", { id = id, name = "eta", done = true,
          output = r(1, 4) == 1 and '{"failed":true}' or '{"minutes":5}' }, r(10, 9000))
      end
    end
    for i = 1, r(0, 3) do
      c:add("turn", { seq = i, role = "agent", text = "yes", at_ms = 9000 * i, caller_stopped_ms = 9000 * i - 800,
        first_audio_ms = r(1, 4) > 1 and r(200, 4000) or nil })
    end
    if system == "openai" then
      c:add("usage", { kind = "response", model = r(1, 9) == 1 and "gpt-unheard-of" or "gpt-realtime-2.1",
        complete = true, raw = events.usage })
    end
    if r(1, 5) == 1 then
      c:add("transfer", { whom = "office", state = "asked" })
      c:add("transfer", { whom = "office", state = r(1, 2) == 1 and "answered" or "failed" }, 9000)
    end
    if r(1, 6) == 1 then
      c:add("triage", { rule = "gas", severity = r(1, 2) == 1 and "life" or "urgent", source = "rule", state = "open",
        words = "I smell gas" })
      if r(1, 2) == 1 then
        c:add("triage", { rule = "gas", state = "handled", by = "office" }, r(1, 300) * 1000)
      end
    elseif r(1, 8) == 1 then
      c:add("near_miss", { rule = "gas", why = "unless", words = "gas bill" })
    end
    if r(1, 8) == 1 then
      c:add("missed", { why = "gave_up" })
    end
    if system == "openai" and r(1, 12) > 1 then
      c:add("ended", { reason = ({ "caller_hangup", "agent_hangup", "transferred", "provider_failed" })[r(1, 5)],
        duration_ms = r(0, 5000000), first_audio_ms = r(0, 4000), turns = r(0, 9), barge_ins = r(0, 3),
        errors = r(0, 1) }, r(1, 5000) * 1000)
    end
    if r(1, 10) > 1 then
      c:add("webhook", { kind = "status", status = r(1, 9) == 1 and "no-answer" or "completed",
        duration_s = r(0, 4000) })
    end
    return c
  end

  local function ended_call(n, o)
    local c = events.call(n, o)
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
    c:add("decision", { system = "openai", reason = "split" })
    c:add("ended", { reason = "caller_hangup", duration_ms = 60000, first_audio_ms = 400, turns = 4 })
    return c
  end

  local function shuffled(list, r)
    for i = #list, 2, -1 do
      local j = r(1, i)
      list[i], list[j] = list[j], list[i]
    end
    return list
  end

  it("are what a count of the calls gives, after facts that came late, twice and in any order", function()
    local seed = os.time()
    math.randomseed(seed)
    finally(function() print("seed " .. seed) end)
    local r = math.random
    pg.run(url, [[insert into sites (agent, site) values ('northside-plumbing', 'uptown');
      insert into phone_numbers (number, agent, site) values ('+13125550101', 'northside-plumbing', 'uptown');
      insert into numbers_seen (number, carrier_id, goes_to, texts_to, fields, seen_at)
        select '+13125551001', 'PN1', 'ringdown', 'nobody', '{}', now()]])
    local all = {}
    for n = 1, 90 do
      for _, e in ipairs(random_call(n, r).list) do
        all[#all + 1] = e
      end
    end
    for i = 1, 2 do -- one in each of the two hours from 01:00
      ended_call(900 + i, { started_us = (DST + i * 3600 + 60) * 1000000, list = all })
    end
    shuffled(all, r)
    local at = 1
    while at <= #all do
      local n = r(1, 120)
      events.ingest(url, table.move(all, at, math.min(at + n - 1, #all), 1, {}))
      if r(1, 3) == 1 then
        roll(r(1, 20))
      end
      at = at + n - r(0, 10) -- some of it again
      if n < 12 then
        at = at + 12
      end
    end
    events.ingest(url, all)
    pg.run(url, [[insert into agents (agent, version, first_seen_at, updated_at)
      values ('northside-plumbing', 'v1', now(), now()), ('night-desk', 'v1', now(), now()) on conflict do nothing]])
    while roll().left > 0 do end
    same_as_raw()
    assert.equal(0, roll().hours)

    -- The zones become known; then visits are booked late, a price is corrected, callers are erased.
    local zones = { ["northside-plumbing"] = "America/Chicago", ["night-desk"] = "Asia/Kolkata" }
    pg.run(url, ("select agents_zones('%s')"):format(require("ringdown.json").encode(zones)))
    while roll(7).left > 0 do end
    same_as_raw(zones)
    local marked = pg.query(url, "select count(*) as n from statistics_hourly")[1].n
    assert.is_true(marked > 20)
    pg.run(url, [[insert into appointments (agent, resource, during, call)
      select 'northside-plumbing', 'van', tstzrange(started_at, started_at + interval '1 second'), min(call) from calls
        group by started_at order by started_at limit 20;
      update rates set micro_usd_per_million = micro_usd_per_million * 2 where what = 'twilio_voice';
      select call_cost(call) from calls where call like '%3' or call like '%a';
      select erase_caller('+13125551002', null), erase_caller('+13125551001', null)]])
    while roll(7).left > 0 do end
    same_as_raw(zones)
    coarse_adds_up()
    assert.same({ { n = 0 } }, pg.query(url, "select count(*) as n from statistics_weeks where not ready"))
    assert.is_true(pg.query(url, [[select count(*) as n from statistics_coarse where grain = 'hour_week']])[1].n > 3)
    local hours = pg.query(url, [[select count(distinct hour) as n, count(distinct local_hour) as clock
      from statistics_hourly where agent = 'northside-plumbing'
        and local_hour = '2026-11-01 01:00']])
    assert.same({ { n = 2, clock = 1 } }, hours) -- 01:00 twice
  end)

  it("count a call of which nobody told why it ended, nor how", function()
    local c = events.call(1)
    c:add("decision", { system = "openai", reason = "split" })
    c:add("ended", { duration_ms = 60000 })
    events.ingest(url, c.list)
    events.ingest(url, ended_call(2).list)
    roll()
    same_as_raw()
    assert.same({ { reason = "caller_hangup", calls = 1 }, { reason = "unknown", calls = 1 } },
      pg.query(url, "select reason, calls from statistics_hourly order by reason"))
    assert.same({}, pg.query(url, "select hour from statistics_dirty"))
  end)

  it("count only hours in which something changed", function()
    local list = {}
    for n = 1, 5 do
      ended_call(n, { started_us = events.began_us + n * 3600 * 1000000, list = list })
    end
    events.ingest(url, list)
    assert.same({ hours = 5, kept = 0, left = 0 }, roll())
    local late = events.call(3, { started_us = events.began_us + 3 * 3600 * 1000000 })
    late.seq = 9
    late:add("webhook", { kind = "status", status = "completed", duration_s = 61 })
    events.ingest(url, late.list)
    assert.same({ hours = 1, kept = 0, left = 0 }, roll())
    same_as_raw()
  end)

  it("have a call in the hour in which it began, also when that turns out to be an earlier one", function()
    local c = ended_call(1)
    local webhook = table.remove(c.list, 1)
    for _, e in ipairs(c.list) do
      e.started_us, e.at_us = e.started_us + 3600 * 1000000, e.at_us + 3600 * 1000000
    end
    events.ingest(url, c.list)
    roll()
    events.ingest(url, { webhook })
    assert.equal(2, roll().hours)
    same_as_raw()
    assert.equal(1, #pg.query(url, "select * from statistics_hourly"))
  end)

  it("count calls of a time before there were statistics, by the facts that are there of them", function()
    local c = events.call(1)
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
    c:add("opened", { site = { id = "uptown" } })
    c:add("decision", { system = "openai", reason = "split" })
    for i, output in ipairs { '{"failed":true}', "{}" } do
      c:add("tool", { id = "t" .. i, name = "eta", arguments = "{}", done = false })
      c:add("tool", { id = "t" .. i, name = "eta", output = output, done = true })
    end
    c:add("transfer", { whom = "office", state = "asked" })
    c:add("transfer", { whom = "office", state = "answered" })
    c:add("ended", { reason = "caller_hangup", duration_ms = 60000 })
    events.ingest(url, c.list)
    roll()
    local counted_now = counted(url)
    pg.run(url, "update calls set site = null, transfers_asked = 0, transfers_answered = 0")
    pg.run(url, "update tool_calls set failed = null")
    for _, m in ipairs(pg.migrations()) do
      if m.name == "before_statistics" then
        local file = assert(io.open(m.path))
        pg.run(url, file:read "a")
        file:close()
      end
    end
    roll()
    assert.same(counted_now, counted(url))
    same_as_raw()
    assert.same({ { site = "uptown", transfers_answered = 1 } },
      pg.query(url, "select site, transfers_answered from statistics_hourly"))
  end)

  it("outlive the calls that they count", function()
    events.ingest(url, ended_call(1).list)
    roll()
    local before = counted(url)
    pg.run(url, "select maintain(now() + interval '40 months')")
    assert.same({}, pg.query(url, "select * from calls"))
    pg.run(url, "select mark_hour('2026-11-25 09:46:40Z')")
    assert.same({ hours = 0, kept = 1, left = 0 },
      pg.query(url, "select statistics_roll(9, now() + interval '40 months') as said")[1].said)
    assert.same(before, counted(url))
  end)

  it("tell our own tests and calls of a time before from real ones", function()
    pg.run(url, [[insert into numbers_seen (number, carrier_id, goes_to, texts_to, fields, seen_at)
        select '+13125550177', 'PN1', 'ringdown', 'nobody', '{}', now()]])
    events.ingest(url, ended_call(1).list)
    events.ingest(url, ended_call(2, { common = { from = "+13125550177" } }).list)
    local n = events.node "n1"
    n:add("vapi", { call = events.call(3).stream, vapi_id = "v3", imported = true, agent = "northside-plumbing",
      created_at = "2026-11-25T09:46:40Z", status = "ended", ended_reason = "customer-ended-call", seen_by = "poll",
      cost = 0.1 })
    events.ingest(url, n.list)
    roll()
    assert.same({ { kind = "imported", n = 1 }, { kind = "real", n = 1 }, { kind = "test", n = 1 } },
      pg.query(url, "select kind, sum(calls) as n from statistics_hourly group by kind order by kind"))
    assert.equal(1, pg.query(url, "select stats_range('{}') as said")[1].said[1].calls)
    local all = pg.query(url, [[select stats_range('{"kinds": ["real", "test", "imported"]}') as said]])
    assert.equal(3, all[1].said[1].calls)
  end)

  it("have waits whose percentiles are off by a sixteenth at most", function()
    for _, n in ipairs { 0, 1, 7, 8, 9, 15, 16, 17, 100, 399, 400, 1000, 4095, 4096, 65535, 134217727 } do
      local bucket = pg.query(url, ("select bucket_of(%d) as b"):format(n))[1].b
      assert.equal(histogram.bucket(n), bucket)
      local low, high = histogram.bounds(bucket)
      assert.is_true(low <= n and n <= high, ("%d is in %d..%d"):format(n, low, high))
      assert.is_true(math.abs(histogram.middle(bucket) - n) <= n / 16, tostring(n))
    end
  end)
end)
