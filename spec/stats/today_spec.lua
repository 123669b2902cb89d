-- SPDX-License-Identifier: Apache-2.0
-- One day in one sentence: its numbers are those of the calls, and each part opens just these.
local api = require "spec.api.world"
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local today = require "ringdown.stats.today"
local pg = require "spec.support.postgres"
local roll = require "ringdown.stats.roll"

local NOW = 1795795200 -- 2026-11-27 16:00Z, Friday 10 am in Chicago
local DAY = 86400

describe("today in words", function()
  local function day(over)
    local t = { day = "2026-11-27", so_far = true, calls = 86, answered = 84, missed = 2, missed_texted = 2,
      missed_waiting = 0, fallback = 0, bookings = 11, emergencies = { all = 1, confirmed = 1, open = 0, abandoned = 0,
        slowest_s = 48 }, cost = { micro_usd = 31200000, known_calls = 86, unknown_calls = 0 },
      on_vapi = { calls = 84, minutes = 200, micro_usd = 58400000, half_micro_usd = 6100000 } }
    for name, value in pairs(over or {}) do
      t[name] = value
    end
    return (today.words(t))
  end

  it("says what an owner asks", function()
    assert.equal("84 answered, 2 missed (both texted), 11 bookings, 1 emergency (confirmed in 48 s), $31.20; "
      .. "on Vapi it would be $58 ± 6", day())
  end)

  it("hides nothing that went wrong", function()
    assert.matches("5 missed (3 of them texted, 1 when texts may go out again)", day { missed = 5, missed_texted = 3,
      missed_waiting = 1 }, 1, true)
    assert.matches("1 missed (not texted)", day { missed = 1, missed_texted = 0 }, 1, true)
    assert.matches("3 heard the fallback", day { fallback = 3 }, 1, true)
    assert.matches("1 emergency (NOBODY TOOK IT)", day { emergencies = { all = 1, confirmed = 0, open = 0,
      abandoned = 1 } }, 1, true)
    assert.matches("1 emergency (NOBODY HAS CONFIRMED IT YET)", day { emergencies = { all = 1, confirmed = 0, open = 1,
      abandoned = 0 } }, 1, true)
    assert.matches("3 emergencies (1 NOT CONFIRMED)", day { emergencies = { all = 3, confirmed = 2, open = 1,
      abandoned = 0, slowest_s = 9 } }, 1, true)
  end)

  it("says what is not known, and why", function()
    assert.matches("$31.20, and 2 calls whose cost is not known yet", day { cost = { micro_usd = 31200000,
      known_calls = 84, unknown_calls = 2 } }, 1, true)
    assert.matches("what it cost is not known yet", day { cost = { known_calls = 0, unknown_calls = 86 } }, 1, true)
    assert.matches("on Vapi it would be: not known (it had no call", day { on_vapi = { calls = 84, minutes = 1,
      reason = "it had no call of known cost in 90 days" } }, 1, true)
    local none = { all = 0, confirmed = 0, open = 0, abandoned = 0 }
    assert.equal("Nobody has called yet.", day { calls = 0, emergencies = none })
    assert.equal("Nobody called.", day { calls = 0, emergencies = none, so_far = false })
  end)

  it("reckons Vapi's price by its own calls, and says how certain that is", function()
    local seen = { n = 0, x = 0, m = 0, xx = 0, xm = 0, mm = 0 }
    math.randomseed(7)
    for _ = 1, 400 do
      local m = math.random(1, 8)
      local x = 100000 * m + math.random(-20000, 20000)
      seen.n, seen.x, seen.m = seen.n + 1, seen.x + x, seen.m + m
      seen.xx, seen.xm, seen.mm = seen.xx + x * x, seen.xm + x * m, seen.mm + m * m
    end
    local value, variance = today.on_vapi(seen, 80, 200)
    assert.is_true(math.abs(value - 20000000) < 4 * math.sqrt(variance))
    assert.is_true(math.sqrt(variance) < 500000)
    assert.is_nil((today.on_vapi({ n = 29, x = 1, m = 1, xx = 1, xm = 1, mm = 1 }, 1, 1)))
    assert.matches("it had no call", select(2, today.on_vapi(nil, 1, 1)))
  end)
end)

describe("today", function()
  local function call(n, o)
    local c = events.call(n, { started_us = (NOW + (o.at_s or -3600)) * 1000000, common = { agent = o.agent } })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1" }, 0)
    c:add("decision", { system = o.system or "openai", reason = "split", model = "gpt-realtime-2.1" })
    if o.missed then
      c:add("missed", { why = "gave_up" })
      c:add("text", { id = "SM" .. n, kind = "missed", from = "+13125550100", to = "+13125550142", segments = 1,
        status = o.missed })
    else
      c:add("state", { state = "live" })
      c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = true, raw = events.usage })
    end
    if o.emergency then
      c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "gas" }, 0)
      c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "handled", by = "ann" }, 48000)
    end
    c:add("ended", { reason = o.missed and "gave_up" or "caller_hangup", duration_ms = o.missed and 0 or 60000,
      first_audio_ms = not o.missed and 400 or nil })
    c:add("webhook", { kind = "status", status = "completed", duration_s = 61 })
    return c
  end

  setup(function()
    api.begin { seed = function(url)
      pg.run(url, "insert into agents (agent, version, keep_transcripts, keep_recordings, recording, first_seen_at, "
        .. "updated_at, time_zone) values ('northside-plumbing', '1', '30 days', '30 days', false, now(), now(), "
        .. "'America/Chicago'), ('dentist', '1', '30 days', '30 days', false, now(), now(), 'America/New_York')")
      for n, o in ipairs { {}, { emergency = true }, { missed = "delivered" }, { missed = "failed" },
        { at_s = -11 * 3600 }, -- yesterday, 11 pm in Chicago, and today in New York
        { agent = "dentist", at_s = -11 * 3600 }, { at_s = -7 * DAY - 3600 }, { at_s = -7 * DAY + 4 * 3600 } } do
        events.ingest(url, call(n, o).list)
      end
      pg.run(url, "insert into customers (agent, number, name) values ('northside-plumbing', '+13125550142', 'M');"
        .. "insert into appointments (agent, resource, during, customer, call) values ('northside-plumbing', 't', "
        .. "tstzrange('2026-12-02 15:00Z', '2026-12-02 16:00Z'), 1, '" .. ("CA%032x"):format(1) .. "')")
    end }
    roll.run()
  end)
  teardown(api.finish)
  before_each(function()
    api.fresh()
    host.set_unix(NOW)
  end)

  local function read(target, o)
    local status, value = api.ask("GET", target, o)
    assert.equal(200, status, json.encode(value))
    return value
  end

  it("has the numbers of the calls of that day, by the agent's clock", function()
    local t = read "/today?agent=northside-plumbing"
    assert.same({ "2026-11-27", "America/Chicago", true }, { t.day, t.zone, t.so_far })
    assert.same({ 4, 2, 2, 1, 1 }, { t.calls, t.answered, t.missed, t.missed_texted, t.bookings })
    assert.same({ 1, 1, 48 }, { t.emergencies.all, t.emergencies.confirmed, t.emergencies.slowest_s })
    assert.equal("gas-leak", t.emergencies.items[1].rule)
    assert.matches("^2 answered, 2 missed %(1 of them texted%), 1 booking, 1 emergency %(confirmed in 48 s%), ",
      t.sentence)
    assert.matches("on Vapi it would be: not known (of northside-plumbing, it had no call", t.sentence, 1, true)
    assert.same({ "2026-11-20", 2, 1 }, { t.before.day, t.before.calls, t.before.by_now.calls })
    assert.equal(1, read("/today?day=yesterday&agent=northside-plumbing").calls)
  end)

  it("tells an emergency of the first call of a day while that call goes on", function()
    local c = events.call(77, { started_us = (NOW - 60) * 1000000, common = { agent = "night-desk" } })
    c:add("state", { state = "live" })
    c:add("triage", { rule = "gas-leak", severity = "life", source = "rule", state = "open", words = "gas" })
    events.ingest(api.url, c.list)
    finally(function()
      pg.run(api.url, ("delete from calls where call = '%s'"):format(c.stream))
    end)
    local t = read "/today?agent=night-desk"
    assert.matches("1 emergency (NOBODY HAS CONFIRMED IT YET)", t.sentence, 1, true)
    for _, part in ipairs(t.parts) do
      if part.name == "emergencies" then
        assert.same({ "/emergencies", { state = "open", agent = "night-desk" } }, { part.opens.list, part.opens.query })
      end
    end
  end)

  it("is by the clock in the west where clocks differ, which is said; and each call counts by its own", function()
    local t = read "/today"
    assert.equal("America/Chicago", t.zone)
    assert.matches("different clocks.*America/Chicago says", t.zone_note)
    assert.equal(5, t.calls)
  end)

  it("opens with each part just the calls that it counts", function()
    local counts = { answered = 2, missed = 2, bookings = 1, emergencies = 1, cost = 4, vapi = 4 }
    local t = read "/today?agent=northside-plumbing"
    for _, part in ipairs(t.parts) do
      if assert(counts[part.name], part.name) then
        local query = {}
        for name, value in pairs(part.opens.query) do
          query[#query + 1] = name .. "=" .. tostring(value)
        end
        local list = read(part.opens.list .. "?" .. table.concat(query, "&"))
        assert.equal(counts[part.name], #(list.items or list.calls), part.name)
        counts[part.name] = nil
      end
    end
    assert.same({}, counts)
  end)

  it("says what Vapi would cost once it had calls enough, and that costs less or more", function()
    pg.run(api.url, [[insert into calls (call, started_at, agent, system, duration_ms, state, ended_at, from_number,
        ended_reason)
      select 'CA' || lpad(to_hex(1000 + n), 32, '0'), '2026-11-20 12:00Z'::timestamptz + n * interval '1 minute',
        'northside-plumbing', 'vapi', 60000 + n * 1000, 'ended', '2026-11-20 13:00Z', '+13125550177', 'done'
        from generate_series(1, 40) n;
      insert into call_costs (call, micro_usd, micro_usd_exact)
        select 'CA' || lpad(to_hex(1000 + n), 32, '0'),
        x, x
        from generate_series(1, 40) n, lateral (select (60000 + n * 1000) * 5 / 3 + n % 7 * 1000) p (x)]])
    roll.run()
    local v = read("/today?agent=northside-plumbing").on_vapi
    assert.same({ 40, 4 - 2 }, { v.n, math.floor(v.minutes + 0.5) })
    assert.is_true(v.micro_usd > 190000 and v.micro_usd < 220000, v.micro_usd)
    assert.is_true(v.low_micro_usd < v.micro_usd and v.high_micro_usd > v.micro_usd)
  end)

  it("is the same sentence at the terminal", function()
    local lines = {}
    today.print({ agent = "northside-plumbing" }, function(told) lines[#lines + 1] = told.text end)
    assert.equal("northside-plumbing, Friday, November 27 (America/Chicago)", lines[1])
    assert.equal("  " .. read("/today?agent=northside-plumbing").sentence, lines[2])
  end)

  it("is refused for days that are none, are yet to come, or are of somebody else's agent", function()
    for _, wrong in ipairs { "2026-13-45", "soon", "2026-11-28" } do
      assert.equal(422, (api.ask("GET", "/today?day=" .. wrong)), wrong)
    end
    local token = api.token { role = "viewer", agents = { "dentist" } }
    assert.equal(404, (api.ask("GET", "/today?agent=northside-plumbing", { token = token })))
    assert.equal(1, read("/today?day=yesterday", { token = token }).calls + read("/today", { token = token }).calls)
  end)
end)
