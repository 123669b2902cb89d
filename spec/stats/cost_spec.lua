-- SPDX-License-Identifier: Apache-2.0
local compare = require "ringdown.stats.compare"
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.stats.world"

local BEGAN = events.began_us // 1000000

describe("the bill", function()
  local url

  before_each(function()
    url = world.open()
    host.set_unix(1795795200) -- 2026-11-27 16:00Z
    host.known_agents = { { name = "northside-plumbing", numbers = {}, shown = json.encode {
      time_zone = "America/Chicago", openai = true } } }
  end)

  after_each(world.close)

  local function call(n, o)
    local c = events.call(n, { started_us = (BEGAN + (o.later_s or 0)) * 1000000 })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1", trial = o.trial }, 0)
    c:add("decision", { system = o.system or "openai", reason = "split", model = "gpt-realtime-2.1" })
    c:add("state", { state = "live" })
    for _ = 1, o.answers or 1 do
      c:add("usage", { kind = "response", model = o.model or "gpt-realtime-2.1", complete = true, raw = events.usage })
    end
    c:add("usage", { kind = "transcription", model = "gpt-transcribe", complete = true,
      raw = { type = "duration", seconds = o.heard_s or 2.4 }, usage = { seconds = o.heard_s or 2.4 } })
    if o.transferred then
      c:add("transfer", { whom = "office", state = "asked" })
      c:add("transfer", { whom = "office", state = "answered" })
      if o.transferred ~= "untold" then
        for _ = 1, 2 do -- the carrier says it twice
          c:add("webhook", { kind = "resume", status = "in-progress", dial_sid = "CAleg" .. n, dial_s = o.transferred })
        end
      end
    end
    if o.system ~= "vapi" then
      c:add("ended", { reason = "caller_hangup", duration_ms = o.ms or 61000, first_audio_ms = 400 })
    end
    c:add("webhook", { kind = "status", status = "completed", duration_s = o.s or 62 })
    events.ingest(url, c.list)
    return c.stream
  end

  local function lines(sid)
    local by = {}
    for _, l in ipairs(pg.query(url, ("select * from call_cost_lines where call = '%s'"):format(sid))) do
      by[l.item] = (by[l.item] or 0) + (l.micro_usd or 0)
      by[l.item .. " basis"], by[l.item .. " reason"] = l.basis, l.reason
    end
    return by
  end

  it("has a line of its own for what we spend on trying ourselves", function()
    call(1, {})
    call(2, { trial = "synthetic" })
    call(3, { trial = "call" })
    local result, text = world.run("ringdown.stats.costs", { verb = "range", since = "2026-11-01" })
    assert.equal(1, result.total.cost.known_calls)
    assert.same({ 1, 0 }, { result.synthetic.calls, result.synthetic.unknown_calls })
    assert.is_true(result.synthetic.micro_usd > 0)
    assert.matches("trying ourselves", text)
  end)

  it("adds up in whole micro-dollars: lines to the call, calls to the day, days to the month", function()
    math.randomseed(20261127)
    for n = 1, 40 do
      call(n, { later_s = math.random(0, 2 * 86400), answers = math.random(0, 7), heard_s = math.random() * 30,
        model = math.random(6) == 1 and "gpt-unheard-of" or nil, s = math.random(0, 400),
        transferred = math.random(5) == 1 and math.random(1, 200) or nil })
    end
    for _, c in ipairs(pg.query(url, [[select k.call, k.micro_usd, sum(l.micro_usd) as lines from call_costs k
        join call_cost_lines l using (call) group by k.call having k.micro_usd is not null]])) do
      assert.equal(c.micro_usd, c.lines, c.call)
    end
    local ask = { verb = "range", by = "day", agent = "northside-plumbing", since = "4d" }
    local month = world.run("ringdown.stats.costs", ask)
    local raw = pg.query(url, [[select sum(micro_usd) as known, count(*) filter (where micro_usd is null) as unknown,
      (select sum(l.micro_usd) from call_cost_lines l join call_costs k using (call) where k.micro_usd is null) as part,
      (select sum(l.micro_usd) from call_cost_lines l) as lines from call_costs]])[1]
    local cost = month.total.cost
    assert.same({ raw.known, raw.unknown, raw.part },
      { cost.micro_usd, cost.unknown_calls, cost.unknown_part_micro_usd })
    assert.is_true(raw.unknown > 0)
    local days, items, bases = 0, 0, 0
    for _, group in ipairs(month.groups) do
      days = days + group.cost.micro_usd
      local day = world.run("ringdown.stats.costs", { verb = "range", agent = "northside-plumbing",
        since = group.key, ["until"] = group.key })
      assert.equal(group.cost.micro_usd, day.total.cost.micro_usd)
    end
    for _, n in pairs(cost.items) do
      items = items + n
    end
    for _, n in pairs(cost.bases) do
      bases = bases + n
    end
    assert.same({ raw.known, raw.lines, raw.lines, raw.known + raw.part },
      { days, items, bases, cost.micro_usd + cost.unknown_part_micro_usd })
    local behind = world.run("ringdown.stats.costs", { verb = "calls", agent = "northside-plumbing" })
    local sum = 0
    for _, c in ipairs(behind.calls) do
      sum = sum + (c.micro_usd or 0)
    end
    assert.equal(raw.known, sum)
    assert.equal(raw.unknown, #world.run("ringdown.stats.costs", { verb = "calls", unknown = true }).calls)
  end)

  -- All pages of the calls behind an aggregate, and what they add up to.
  local function behind_all(filter)
    local behind = require "ringdown.stats.behind"
    local seen, sum, known_part, n = {}, 0, 0, 0
    local ask = { limit = 7 }
    for name, value in pairs(filter) do
      ask[name] = value
    end
    repeat
      local list = behind.calls(ask)
      for _, c in ipairs(list) do
        assert.is_nil(seen[c.call], "twice: " .. c.call)
        seen[c.call] = true
        sum, n, known_part = sum + (c.amount_micro_usd or 0), n + 1, known_part + (c.micro_usd and 0 or
          c.known_part_micro_usd)
      end
      ask.after = list[1] and behind.key(list[#list])
    until #list < ask.limit
    return { calls = n, micro_usd = sum, unknown_part = known_part }
  end

  local function with(filter, more)
    local out = {}
    for _, t in ipairs { filter, more } do
      for name, value in pairs(t) do
        out[name] = value
      end
    end
    return out
  end

  local function opens(group, at, parts)
    local cost = group.cost
    assert.same({ calls = group.calls, micro_usd = cost.micro_usd, unknown_part = cost.unknown_part_micro_usd },
      behind_all(group.filter), at)
    for _, what in ipairs(parts and { "item", "basis" } or {}) do
      for name, micro_usd in pairs(cost[what == "item" and "items" or "bases"]) do
        assert.equal(micro_usd, behind_all(with(group.filter, { [what] = name })).micro_usd, at .. " " .. name)
      end
    end
    assert.equal(cost.unknown_calls, behind_all(with(group.filter, { unknown = true })).calls, at)
    assert.equal(cost.known_calls, behind_all(with(group.filter, { unknown = false })).calls, at)
  end

  it("opens for each of its dollars the calls behind it, which add up to it", function()
    math.randomseed(20261128)
    pg.run(url, [[insert into agents (agent, version, first_seen_at, updated_at)
        values ('northside-plumbing', 'v1', now(), now());
      insert into sites (agent, site, time_zone) values ('northside-plumbing', 'uptown', 'Asia/Kolkata');
      insert into phone_numbers (number, agent, site) values ('+13125550101', 'northside-plumbing', 'uptown')]])
    for n = 1, 24 do
      local sid = call(n, { later_s = math.random(0, 2 * 86400), answers = math.random(0, 3), s = math.random(0, 400),
        model = math.random(5) == 1 and "gpt-unheard-of" or nil, system = math.random(4) == 1 and "vapi" or nil,
        transferred = math.random(5) == 1 and math.random(1, 200) or nil })
      pg.run(url, ("update calls set site = '%s', missed = %s, failed_over_to = %s where call = '%s'"):format(
        n % 3 == 0 and "uptown" or "default", n % 9 == 0 and "'gave_up'" or "null", n % 11 == 0 and "'vapi'" or "null",
        sid))
    end
    require("ringdown.stats.roll").run()
    local read = require "ringdown.stats.read"
    for _, ask in ipairs { { since = "5d" }, { since = "5d", agent = "northside-plumbing", site = "uptown" },
      { since = "72h", system = "openai" } } do
      local total = read.range(ask)
      assert.is_true(total.total.calls > 2 and total.total.cost.unknown_calls > 0)
      opens(total.total, "all", true)
      for _, by in ipairs(ask.since == "5d" and not ask.site and read.by or { "weekday" }) do
        for _, group in ipairs(read.range(with(ask, { by = by })).groups) do
          if group.calls > 0 then
            opens(group, by .. " " .. group.key, by == "system")
          end
        end
      end
    end
    local compared = require("ringdown.stats.costs").compare { agent = "northside-plumbing", since = "5d" }
    for _, system in ipairs { "openai", "vapi" } do
      local one = compared.calls[system]
      assert.same({ one.calls, one.micro_usd }, { behind_all(one.filter).calls, behind_all(one.filter).micro_usd })
    end
  end)

  it("has the leg to a person once, however often the carrier tells of it", function()
    assert.same(28000, lines(call(1, { transferred = 61 })).transfer)
    assert.equal("reported", lines(call(2, { transferred = 1 }))["transfer basis"])
  end)

  it("does not know what a person cost whose leg nobody told of, and says so", function()
    local sid = call(1, { transferred = "untold" })
    assert.matches("a person took the call, and nobody told for how long", lines(sid)["transfer reason"])
    assert.is_nil(pg.query(url, "select micro_usd from call_costs")[1].micro_usd)
  end)

  it("has a share of our machines only where somebody said what they cost", function()
    assert.is_nil(lines(call(1, {})).hosting)
    world.run("ringdown.stats.costs", { verb = "rates", words = { "set", "hosting", "minute", "0.002" },
      from = "2026-01-01", recost = true })
    local by = lines(call(2, { ms = 30000 }))
    assert.same({ 1000, "estimated" }, { by.hosting, by["hosting basis"] })
    assert.equal(2033, lines(events.call(1).stream).hosting) -- 61 s, reckoned anew
  end)

  it("tells what each answer of the model cost, which is what the call says", function()
    local sid = call(1, { answers = 3 })
    local turns = world.run("ringdown.stats.costs", { verb = "turns", words = { sid } }).turns
    local sum = 0
    for _, turn in ipairs(turns) do
      sum = sum + turn.micro_usd_exact
    end
    assert.equal(4, #turns)
    assert.equal(3 * 7205.6 + 180, sum)
    assert.equal(lines(sid).model + lines(sid).transcription, math.floor(sum + 0.5))
  end)

  it("keeps what it was when a price changes, from a day on", function()
    local sid = call(1, {})
    local before = lines(sid).carrier
    local result, text = world.run("ringdown.stats.costs", { verb = "rates", words = { "set", "twilio_voice", "minute",
      "0.01" } })
    assert.matches("twilio_voice: $0.01 for each minute", text, 1, true)
    assert.matches("keeps its price", text)
    assert.equal(10000000000, result.rate.micro_usd_per_million)
    pg.run(url, ("select call_cost('%s')"):format(sid))
    assert.equal(before, lines(sid).carrier)
    local row = pg.query(url, "select * from audit where what = 'rate.set'")[1]
    assert.same({ "somebody", "twilio_voice minute", 8500000000, 10000000000 }, { row.who, row.subject,
      row.before.micro_usd_per_million, row.after.micro_usd_per_million })
  end)

  it("keeps what it was when a price begins today", function()
    local sid = call(1, {})
    local before = lines(sid).carrier
    local today = os.date "!%Y-%m-%d"
    local result = world.run("ringdown.stats.costs", { verb = "rates", words = { "set", "twilio_voice", "minute",
      "0.01" }, from = today })
    assert.equal(10000000000, result.rate.micro_usd_per_million)
    pg.run(url, ("select call_cost('%s')"):format(sid))
    assert.equal(before, lines(sid).carrier)
  end)

  it("is reckoned anew by a price of the past only when that is asked for", function()
    local sid = call(1, {})
    local payload = { verb = "rates", words = { "set", "twilio_voice", "minute", "0.01" }, from = "2026-11-01" }
    local ok, why = world.run("ringdown.stats.costs", payload)
    assert.is_false(ok)
    assert.matches("reckoned already; .* %-%-recost", why)
    payload.recost = true
    local result, text = world.run("ringdown.stats.costs", payload)
    assert.same({ calls = 1, changed_micro_usd = 3000 }, result.again)
    assert.matches("1 calls were reckoned anew: $0.0030 in all", text, 1, true)
    assert.equal(20000, lines(sid).carrier)
    local rates = pg.query(url, "select * from rates where what = 'twilio_voice' order by valid_from")
    assert.equal(rates[2].valid_from, rates[1].valid_to)
  end)

  it("refuses prices that are none, with what is one", function()
    for wrong, words in pairs {
      ["nothing that has a price; did you mean 'sms'"] = { "set", "sm", "segment", "1" },
      ["did you mean 'minute'"] = { "set", "twilio_voice", "minutes", "1" },
      ["is no price"] = { "set", "twilio_voice", "minute", "-1" },
      ["that of a model"] = { "set", "openai", "audio_in", "32" },
      ["has no models"] = { "set", "sms", "x", "segment", "1" },
      ["not possible here"] = { "drop" },
    } do
      local ok, why = world.run("ringdown.stats.costs", { verb = "rates", words = words })
      assert.is_false(ok)
      assert.matches(wrong, why, 1, true)
    end
    local ok, why = world.run("ringdown.stats.costs", { verb = "compere" })
    assert.is_false(ok)
    assert.matches("did you mean 'compare'", why)
  end)

  it("compares both systems over the same mix, and names the calls behind each dollar", function()
    pg.run(url, [[insert into agents (agent, version, first_seen_at, updated_at)
      values ('northside-plumbing', 'v1', now(), now())]])
    -- Vapi has short calls by day and OpenAI long ones as well: unweighed, OpenAI would look dearer for each call.
    pg.run(url, ("set session_replication_role = replica;" .. [[
      insert into calls (call, started_at, agent, system, reason, status, duration_s, ended_at, ended_reason,
          duration_ms)
        select 'CA' || s || n, to_timestamp(%d) + n * interval '1 minute', 'northside-plumbing', s, 'split',
          'completed', d, to_timestamp(%d), 'caller_hangup', d * 1000
        from (select s, n, case when s = 'openai' and n %% 2 = 0 then 200 else 100 end + n %% 5 as d
          from unnest(array['openai', 'vapi']) s, generate_series(1, 80) n) g;
      insert into call_costs (call, micro_usd, micro_usd_exact) select call, m, m from (select call,
        (duration_s * case system when 'openai' then 1500 else 2000 end + length(call) * 10)::bigint as m
        from calls) x;
      insert into statistics_dirty (hour) select distinct date_trunc('hour', started_at, 'UTC') from calls]])
      :format(BEGAN, BEGAN))
    local result, text = world.run("ringdown.stats.costs", { verb = "compare" })
    local ours = result.calls.openai
    assert.same({ 80, 40, 40 }, { ours.calls, ours.compared, ours.left_out })
    local d = result.measures.per_minute.difference
    assert.is_true(d.certain and d.high < 0, json.encode(d))
    assert.is_true(math.abs(d.value + 30000) < 300)
    assert.is_true(result.measures.per_call.difference.value < 0)
    assert.matches("A minute costs $0.0300 less on OpenAI", text, 1, true)
    assert.matches("nothing like them on the other system: 40 on OpenAI", text)
    assert.equal("there are none", result.measures.per_booking.openai.why)
    assert.same({ "northside-plumbing", "vapi" }, { result.calls.vapi.filter.agent, result.calls.vapi.filter.system })
  end)
end)

describe("a comparison", function()
  local function row(system, band, list)
    local r = { system = system, week_band = "weekday 6", length_band = band, calls = #list, unknown = 0, n = #list,
      x = 0, m = 0, b = 0, xx = 0, mm = 0, bb = 0, xm = 0, xb = 0, contained = 0, transferred = 0, failed = 0,
      booked = 0 }
    for _, c in ipairs(list) do
      local x, m, b = c.x, c.m, c.b or 0
      r.x, r.m, r.b, r.xx, r.mm, r.bb = r.x + x, r.m + m, r.b + b, r.xx + x * x, r.mm + m * m, r.bb + b * b
      r.xm, r.xb, r.contained, r.booked = r.xm + x * m, r.xb + x * b, r.contained + (c.c or 0), r.booked + b
    end
    return r
  end

  it("says in words that there are too few calls, and gives no interval", function()
    local few = { { x = 100, m = 1 }, { x = 120, m = 1 }, { x = 90, m = 1 } }
    local said = compare.weigh { changed = 0, strata = { row("openai", "a", few), row("vapi", "a", few) } }
    local m = said.measures.per_minute
    assert.matches("3 are too few to say how certain that is; 30 would do", m.openai.why)
    assert.same({}, { m.openai.low, m.difference })
    assert.equal("there are none", compare.weigh({ changed = 0, strata = {} }).measures.per_call.vapi.why)
  end)

  it("is right in about 95 of 100 samples", function()
    math.randomseed(42)
    local inside = { per_minute = 0, per_booking = 0, difference = 0 }
    local function sample(price, n)
      local list = {}
      for i = 1, n do
        local m = 1 + math.random() * 3
        list[i] = { m = m, x = m * price + 3000 * math.random(), b = math.random() < 0.4 and 1 or 0 }
      end
      return list
    end
    for _ = 1, 400 do
      local said = compare.weigh { changed = 0, strata = {
        row("openai", "a", sample(20000, 60)), row("openai", "b", sample(20000, 30)),
        row("vapi", "a", sample(26000, 20)), row("vapi", "b", sample(26000, 90)) } }
      local minute, booking = said.measures.per_minute, said.measures.per_booking
      local function has(one, value)
        return one.low <= value and value <= one.high and 1 or 0
      end
      inside.per_minute = inside.per_minute + has(minute.openai, 20000 + 1500 / 2.5)
      inside.per_booking = inside.per_booking + has(booking.openai, (50000 + 1500) / 0.4)
      inside.difference = inside.difference + has(minute.difference, -6000)
    end
    for name, n in pairs(inside) do
      assert.is_true(n / 400 > 0.91 and n / 400 < 0.985, ("%s: %d of 400"):format(name, n))
    end
  end)
end)
