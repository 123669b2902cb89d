-- SPDX-License-Identifier: Apache-2.0
local events = require "spec.support.events"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local pg = require "spec.support.postgres"
local world = require "spec.stats.world"

describe("a budget", function()
  local url, now_us

  before_each(function()
    url = world.open()
    now_us = math.tointeger(pg.query(url, "select (extract(epoch from now()) * 1000000)::bigint as t")[1].t)
    host.known_agents = { { name = "northside-plumbing", numbers = {}, shown = json.encode { openai = true,
      time_zone = "America/Chicago", budget = { day = 0.05, call = 0.02 } } } }
  end)

  after_each(world.close)

  -- A call that began now; 15706 micro-dollars for each minute that it was.
  local function call(n, o)
    o = o or {}
    local c = events.call(n, { started_us = o.started_us or now_us })
    c:add("webhook", { kind = "voice", status = "ringing", node = "n1", trial = o.trial }, 0)
    c:add("decision", { system = "openai", reason = "split" }, 0)
    c:add("state", { state = "live" }, 0)
    for _ = 1, o.answers or 1 do
      c:add("usage", { kind = "response", model = "gpt-realtime-2.1", complete = true, raw = events.usage }, 0)
    end
    if o.emergency then
      c:add("triage", { rule = "gas", severity = "life", source = "rule", state = "open", words = "gas" }, 0)
    end
    if not o.goes_on then
      c:add("ended", { reason = "caller_hangup", duration_ms = 0 }, 0)
      c:add("webhook", { kind = "status", status = "completed", duration_s = 60 }, 0)
    end
    events.ingest(url, c.list)
  end

  local function state_of(agent)
    local states = world.run("ringdown.stats.budgets", {}).states
    for _, s in ipairs(states) do
      if s.agent == agent then
        return s
      end
    end
  end

  local function version()
    return pg.query(url, "select version from budget_version")[1].version
  end

  it("is not touched by the calls with which we try ourselves, in hours that are counted or not", function()
    local hours_ago = now_us - 3600000000
    call(1)
    call(2, { trial = "synthetic" })
    call(3, { trial = "synthetic", started_us = hours_ago })
    call(4, { started_us = hours_ago })
    local function spent(since)
      return pg.query(url, ("select * from budget_spent('*', date_trunc('hour', now()) - interval '%s', now())"):format(
        since))[1]
    end
    assert.same({ micro_usd = 2 * 15706, unknown_calls = 0 }, spent "3 hours")
    world.run("ringdown.stats.roll", {})
    assert.same({ micro_usd = 2 * 15706, unknown_calls = 0 }, spent "3 hours")
    assert.is_true(pg.query(url, "select count(*) as n from calls_counted")[1].n > 0)
  end)

  it("of an agent's file is near at four fifths and over at the whole, and people are told once each", function()
    call(1)
    local state = state_of "northside-plumbing"
    assert.same({ "ok", 15706 }, { state.state, state.spent_micro_usd })
    assert.same({}, host.alarms)
    call(2)
    call(3, { answers = 2 }) -- 54,324 in all
    assert.equal("over", state_of("northside-plumbing").state)
    local alarm = host.alarms[#host.alarms]
    assert.same({ "critical", "cost.over_cap", "northside-plumbing" }, { alarm.severity, alarm.kind, alarm.subject })
    assert.matches("$0.05 of $0.05 are spent today", alarm.text:gsub("%$0%.0%d+", "$0.05"), 1, true)
    pg.run(url, "update call_costs set micro_usd = 13000, micro_usd_exact = 13000")
    assert.equal("ok", state_of("northside-plumbing").state)
    pg.run(url, "update call_costs set micro_usd = 14000, micro_usd_exact = 14000")
    assert.equal("near", state_of("northside-plumbing").state)
    assert.equal("cost.near_cap", host.alarms[#host.alarms].kind)
  end)

  it("counts calls that go on, and what is known of those whose cost is not", function()
    call(1, { goes_on = true, answers = 3 })
    assert.same({ 21616, 1 }, { state_of("northside-plumbing").spent_micro_usd,
      state_of("northside-plumbing").unknown_calls })
  end)

  it("is reckoned from hours that are counted, and is the same as call by call", function()
    local HOUR_US = 3600000000
    local as_of = "time_of_us(" .. events.began_us + 3 * HOUR_US .. ")"
    pg.run(url, "insert into agents (agent, version, first_seen_at, updated_at, time_zone) values "
      .. "('northside-plumbing', 'v', now(), now(), 'Asia/Kolkata') on conflict (agent) do update set time_zone = "
      .. "excluded.time_zone") -- its day begins in the middle of an hour
    for n = 1, 12 do
      call(n, { started_us = events.began_us - 17 * HOUR_US + n * 5000000000, goes_on = n % 5 == 0, answers = n % 3 })
    end
    local function both()
      local row = pg.query(url, ([[select s.micro_usd as a, s.unknown_calls as n, (select coalesce(sum(x.micro_usd), 0)
            from calls c, call_spent(c) x where c.started_at >= d.since) as b,
          (select count(*) from calls c, call_spent(c) x where c.started_at >= d.since and not x.is_known) as m
        from (select date_trunc('day', %s, 'Asia/Kolkata') as since) d,
          budget_spent('northside-plumbing', d.since, %s) s,
          budget_spent('*', d.since, %s) o where (o.micro_usd, o.unknown_calls) = (s.micro_usd, s.unknown_calls)]])
        :format(as_of, as_of, as_of))[1]
      assert.is_true(tonumber(row.b) > 0)
      assert.same({ tonumber(row.b), tonumber(row.m) }, { tonumber(row.a), tonumber(row.n) })
      return tonumber(row.a)
    end
    both() -- nothing is counted yet
    pg.run(url, "select statistics_roll(200, " .. as_of .. ")")
    local sum = both()
    call(20, { started_us = events.began_us - 2 * HOUR_US }) -- late
    assert.is_true(both() > sum)
    pg.run(url, "select statistics_roll(200, " .. as_of .. ")")
    assert.is_true(both() > sum)
    pg.run(url, "delete from call_costs where call = '" .. events.call(20).stream .. "'; insert into call_costs (call, "
      .. "micro_usd, micro_usd_exact) values ('" .. events.call(20).stream .. "', 5000000, 5000000)") -- the bill
    assert.is_true(both() > sum + 4000000)
  end)

  it("tells nodes only of what they must do something about", function()
    local before = version()
    call(1)
    state_of("northside-plumbing")
    assert.equal(before, version())
    call(2)
    call(3, { answers = 2 })
    state_of("northside-plumbing")
    assert.equal(before + 1, version())
    state_of("northside-plumbing")
    assert.equal(before + 1, version())
  end)

  it("ends a call that has cost what a call may, and never one with an open emergency", function()
    call(1, { goes_on = true, answers = 2 })
    call(2, { goes_on = true, answers = 3 })
    call(3, { goes_on = true, answers = 3, emergency = true })
    world.run("ringdown.stats.budgets", {})
    assert.same({ { call = events.call(2).stream } }, pg.query(url, "select call from budget_calls"))
  end)

  it("of a call is near at four fifths, and that is over with the call", function()
    call(1, { goes_on = true, answers = 2 }) -- 14,411 of 20,000
    world.run("ringdown.stats.budgets", {})
    assert.same({}, host.open_alarms())
    pg.run(url, "select budget_put('northside-plumbing', null, 18000, 'ann')")
    world.run("ringdown.stats.budgets", {})
    local alarm = host.open_alarms()[1]
    assert.same({ "warning", "cost.call_near_cap", events.call(1).stream }, { alarm.severity, alarm.kind,
      alarm.subject })
    assert.matches("northside%-plumbing: a call has cost %$0%.0144 of the %$0%.0180 that one may", alarm.text)
    pg.run(url, "update calls set state = 'ended', ended_at = now()")
    world.run("ringdown.stats.budgets", {})
    assert.same({}, host.open_alarms())
  end)

  it("is set by a person for one or for all, who is named, and goes before the file", function()
    local result, text = world.run("ringdown.stats.costs", { verb = "caps", words = { "set", "northside-plumbing" },
      day = "25", call = "2.50" })
    assert.matches("northside%-plumbing: $25.00 a day, $2.50 a call", text)
    assert.equal(25000000, result.caps[1].cap_micro_usd)
    world.run("ringdown.stats.costs", { verb = "caps", words = { "set", "all" }, day = "0.01" })
    call(1)
    assert.same({ "over", "ok" }, { state_of("*").state, state_of("northside-plumbing").state })
    assert.equal("cost.over_cap", host.open_alarms()[1].kind)
    world.run("ringdown.stats.costs", { verb = "caps", words = { "clear", "all" } })
    assert.is_nil(state_of("*"))
    assert.same({}, host.open_alarms())
    assert.same({ "northside-plumbing", "*", "*" }, (function()
      local list = {}
      for i, row in ipairs(pg.query(url, "select subject from audit where what = 'budget.set' order by id")) do
        list[i] = row.subject
      end
      return list
    end)())
  end)

  it("refuses amounts that are none", function()
    for wrong, payload in pairs {
      ["is no amount"] = { words = { "set", "all" }, day = "-1" }, ["how much"] = { words = { "set", "all" } },
      ["whose"] = { words = { "set" }, day = "1" }, ["did you mean 'clear'"] = { words = { "cler" } },
    } do
      payload.verb = "caps"
      local ok, why = world.run("ringdown.stats.costs", payload)
      assert.is_false(ok)
      assert.matches(wrong, why, 1, true)
    end
  end)
end)
