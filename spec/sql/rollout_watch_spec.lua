-- SPDX-License-Identifier: Apache-2.0
-- What the operations of a rollout do to a real database: the library as it is, its questions asked through psql.
local command = require "ringdown.rollout.command"
local force = require "ringdown.rollout.force"
local host = require "ringdown.fake.host"
local json = require "ringdown.json"
local override = require "ringdown.rollout.override"
local pg = require "spec.support.postgres"
local store = require "ringdown.rollout.store"
local sweep = require "ringdown.rollout.sweep"
local undo = require "ringdown.rollout.undo"
local watch = require "ringdown.rollout.watch"

local SHOWN = { openai = true, vapi = { assistant = "a", route = "redirect" }, emergencies = {} }

local function agent(name, more)
  local shown = json.copy(SHOWN)
  for key, value in pairs(more or {}) do
    shown[key] = value
  end
  return { name = name, shown = json.encode(shown), numbers = {} }
end

describe("a rollout in the database", function()
  local url, real_query, down

  before_each(function()
    host.reset()
    url, down = pg.database(), nil
    host.known_agents = { agent "sales" }
    real_query = host.query
    -- Each question of the library is one column of text.
    rawset(host, "query", function(sql, params)
      if down then
        return nil, down, "down"
      end
      local text = sql:gsub("%$(%d+)", function(i)
        local value = params[tonumber(i)]
        return value == false and "null" or pg.literal(tostring(value))
      end)
      local rows = pg.query(url, text)
      for i, row in ipairs(rows) do
        rows[i] = { select(2, next(row)) or false }
      end
      return rows
    end)
  end)

  after_each(function()
    rawset(host, "query", real_query)
  end)

  local lines
  local function tell(value)
    lines[#lines + 1] = value.text or value.note
  end

  local function rollout(payload)
    lines = {}
    payload.agent = payload.agent or "sales"
    local ok, result = pcall(command.run, payload, tell)
    return ok and result, not ok and result or table.concat(lines, "\n")
  end

  local function record()
    return pg.query(url, "select * from rollout_now where agent = 'sales'")[1]
  end

  -- So many calls that are over, of different callers.
  local function calls(arm, n, bad)
    pg.run(url, ([[insert into calls (call, started_at, agent, from_number, system, routed_first, first_reason,
        route_reason, percent_bp, ended_at, ended_reason, duration_ms, first_audio_ms)
      select 'CA%s' || i || '_' || (select count(*) from calls), now(), 'sales', '+1' || (3125550000 + i), '%s', '%s',
        'split', 'split', 2500, now(), case when i <= %d then 'provider_failed' else 'caller_hangup' end, 60000, 400
      from generate_series(1, %d) i]]):format(arm, arm, arm, bad, n))
    if arm == "vapi" then
      pg.run(url, [[insert into vapi_calls (call, vapi_id, status, ended_reason, ended_class, started_at, ended_at,
          seen_by, told_at)
        select call, call, 'ended', 'customer-ended-call', 'ok', now() - interval '1 minute', now(), 'poll', now()
        from calls where system = 'vapi' on conflict do nothing]])
    end
  end

  local function at_25()
    rollout { verb = "plan", stages = "25,50,100", bake = "60s", min = "50" }
    return assert(rollout { verb = "start" })
  end

  it("is begun by a person, at the share it has in its plan", function()
    local _, text = rollout { verb = "plan", stages = "25,50,100" }
    assert.matches("this plan has not begun", text)
    local result = at_25()
    assert.same({ "running", 2500, "25" }, { result.state, result.percent_bp, result.stage })
    assert.matches("goes to OpenAI for 25 %% of callers", result.next_call)
  end)

  it("goes back to nobody before it has begun, with and without a plan", function()
    assert.same({ "rolled_back", 0 }, { rollout({ verb = "rollback" }).state, record().percent_bp })
    pg.run(url, "truncate rollouts")
    rollout { verb = "plan", stages = "25,50,100" }
    local result, text = rollout { verb = "rollback" }
    assert.same({ "rolled_back", 0 }, { result.state, record().percent_bp })
    assert.matches("goes to Vapi, whoever calls", text)
  end)

  it("says what it would mean for those who called last week", function()
    calls("vapi", 40, 0)
    at_25()
    local _, text = rollout { verb = "status" }
    local n = tonumber(text:match "25 %% of callers: (%d+) of the 40 who called within the last week")
    assert.is_true(n > 3 and n < 18, text)
  end)

  it("is taken back by its guards when the canary goes bad, and somebody is told", function()
    at_25()
    calls("vapi", 60, 0)
    calls("openai", 20, 0)
    assert.same({}, { watch.run({}, tell).looked_at[1].action })
    calls("openai", 9, 9)
    local seen = watch.run({}, tell).looked_at[1]
    assert.same({ "rollback", "rollback" }, { seen.verdict, seen.action })
    local now = record()
    assert.same({ "rolled_back", 0, "auto:guards" }, { now.state, now.percent_bp, now.updated_by })
    assert.same({ "critical", "rollout.rolled_back", "sales" }, { host.alarms[1].severity, host.alarms[1].kind,
      host.alarms[1].subject })
    local row = pg.query(url, "select * from audit order by id desc limit 1")[1]
    assert.matches("9 of %d+ calls in a row failed", json.encode(row.after))
    assert.equal("rollback", pg.query(url, "select action from rollout_checks order by id desc limit 1")[1].action)
    local words = host.alarms[1].text
    host.alarms, host.alarms_open = {}, {} -- another node leads
    assert.same({}, watch.run({}, tell).looked_at)
    assert.same({ "rollout.rolled_back", words }, { host.alarms_open[1].kind, host.alarms_open[1].text })
    assert.is_false((rollout { verb = "start", reason = "mended" }))
    assert.equal("running", rollout({ verb = "start", reason = "mended", force = true }).state)
  end)

  it("is held at once for an emergency that nobody took", function()
    at_25()
    calls("openai", 1, 0)
    pg.run(url, [[insert into triage_matches (call, rule, severity, matched_at, state)
      select call, 'gas', 'life', now() - interval '6 minutes', 'open' from calls]])
    assert.equal("hold", watch.run({}, tell).looked_at[1].action)
    assert.same({ "paused", 2500, "emergency" }, { record().state, record().percent_bp, record().held_for })
    assert.is_false((rollout { verb = "start" }))
    assert.is_nil(watch.run({}, tell).looked_at[1].action)
  end)

  it("is ready after its calls and its time, and goes on by itself where it may", function()
    at_25()
    calls("vapi", 150, 0)
    calls("openai", 50, 0)
    assert.equal("pass", watch.run({}, tell).looked_at[1].verdict)
    local ok, why = rollout { verb = "advance" }
    assert.is_false(ok)
    assert.matches("its guards do not say ready %(pass%)", why)
    pg.run(url, "update rollout_checks set last_at = last_at - interval '61 seconds'")
    assert.equal("ready", watch.run({}, tell).looked_at[1].verdict)
    assert.equal("rollout.ready", host.alarms[#host.alarms].kind)
    assert(rollout { verb = "plan", auto_advance = true })
    assert.equal("advance", watch.run({}, tell).looked_at[1].action)
    assert.equal(5000, record().percent_bp)
  end)

  it("has no alarm open that is about a state it is in no more", function()
    local open = {}
    local raise, over = host.alarm, host.alarm_over
    finally(function() host.alarm, host.alarm_over = raise, over end)
    host.alarm = function(_, kind) open[kind] = true end
    host.alarm_over = function(kind) open[kind] = nil end
    at_25()
    local function after(payload)
      open = { ["rollout.ready"] = true, ["rollout.held"] = true, ["rollout.rolled_back"] = true,
        ["rollout.not_judged"] = true }
      if payload.system then
        force.run(payload, tell)
      else
        assert(rollout(payload))
      end
      watch.run({}, tell)
      return require("ringdown.sorted").keys(open)
    end
    assert.same({}, after { system = "vapi", agent = "sales" })
    assert.same({}, after { system = "off", agent = "sales" })
    assert.same({ "rollout.held" }, after { verb = "hold" })
    assert.same({}, after { verb = "start" })
    assert.same({ "rollout.rolled_back" }, after { verb = "rollback" })
    assert.same({}, after { verb = "start", reason = "mended", force = true })
    for _ = 1, 2 do
      rollout { verb = "advance", force = true, reason = "x" }
    end
    assert.same({}, after { verb = "advance", force = true, reason = "x" })
    assert.equal("done", record().state)
  end)

  it("asks a share between two stages for as much as the larger one, before it is ready", function()
    pg.run(url, [[select rollout_put('sales', 0, '{"percent_bp": 1000, "state": "running"}', 'ringdown')]])
    assert.equal("insufficient", watch.run({}, tell).looked_at[1].verdict)
    local _, text = rollout { verb = "status" }
    assert.matches("0 of 50 calls", text)
    assert.is_false((rollout { verb = "advance" }))
    assert.equal(2500, rollout({ verb = "advance", force = true, reason = "few callers" }).percent_bp)
  end)

  it("counts, and not the share that the agent's file began it with", function()
    at_25()
    host.known_agents = { agent("sales", { routing = { openai_bp = 500 } }) }
    local _, text = rollout { verb = "status" }
    assert.matches("file      says 5 %%, the rollout 25 %%: the rollout is what counts", text)
  end)

  it("is changed from the version that was looked at, or not at all", function()
    at_25()
    local ok, why = rollout { verb = "hold", if_version = 1 }
    assert.is_false(ok)
    assert.matches("version 1 is not the newest. Now: sales is running in stage '25' at 25 %%, version 2", why)
    assert.equal("paused", rollout({ verb = "hold", if_version = 2 }).state)
    local wrong
    ok, wrong = rollout { verb = "plan", stages = "25,150,100" }
    assert.is_true(ok.usage)
    assert.matches("'150' is no percentage: .* Now: sales is paused in stage '25' at 25 %%, version 3", wrong)
    assert.is_true(rollout({ verb = "fly" }).usage)
    local refused = pg.query(url, "select who, after from audit where what = 'rollout.refused' order by id")
    assert.equal(2, #refused)
    assert.equal("somebody", refused[1].who)
  end)

  it("may have hours, which a plan sets and takes away", function()
    at_25()
    local result, text = rollout { verb = "plan", schedule = "closed mon_fri 08:00-17:00 America/Chicago" }
    local hours = { when = "closed", hours = { mon_fri = "08:00-17:00" }, zone = "America/Chicago" }
    assert.same({ hours, hours }, { result.schedule, record().schedule })
    assert.matches("OpenAI only outside of mon_fri 08:00%-17:00 America/Chicago; else Vapi", text)
    assert.same({ "running", 2500 }, { record().state, record().percent_bp })
    assert.matches("hours     OpenAI only outside of", select(2, rollout { verb = "status" }))
    assert.is_true(rollout({ verb = "plan", schedule = "at night" }).usage)
    rollout { verb = "hold" }
    assert.same(hours, record().schedule)
    assert.is_nil(rollout({ verb = "plan", schedule = "none" }).schedule)
    assert.is_falsy(store.record("sales").schedule)
  end)

  it("has in the audit what it was forced past", function()
    at_25()
    calls("openai", 3, 1)
    rollout { verb = "advance", force = true, reason = "a quiet week" }
    local after = json.encode(pg.query(url, "select after from audit where what = 'rollout.advance'")[1].after)
    assert.matches("insufficient", after)
    assert.matches("evidence", after)
  end)

  it("is not for agents that have one system, or emergencies that Vapi would not see", function()
    host.known_agents = { agent("sales", { vapi = false }) }
    assert.matches("has no vapi table", select(2, rollout { verb = "start" }))
    host.known_agents = { agent("sales", { emergencies = { { id = "gas", severity = "life" } } }) }
    assert.matches("nobody here would know of emergencies about life of sales %(gas%): no call there shows yet whether",
      select(2, rollout { verb = "start" }))
    local bridged = { assistant = "a", route = "bridge" }
    host.known_agents = { agent("sales", { emergencies = { { id = "gas", severity = "life" } }, vapi = bridged }) }
    assert(rollout { verb = "start" })
    pg.run(url, "delete from rollouts")
    local accepted = { assistant = "a", no_triage = "accepted" }
    host.known_agents = { agent("sales", { emergencies = { { id = "gas", severity = "life" } }, vapi = accepted }) }
    assert(rollout { verb = "start" })
    assert.matches("did you mean 'sales'%?", select(2, rollout { verb = "start", agent = "sale" }))
  end)

  it("gives way to the force switch, which asks about emergencies and nothing else", function()
    at_25()
    lines = {}
    force.run({ system = "vapi" }, tell)
    assert.matches("goes to Vapi, like those of all agents", select(2, rollout { verb = "status" }))
    force.run({ system = "off" }, tell)
    force.run({ system = "vapi", agent = "sales" }, tell)
    assert.same({ true, "killed" }, { record().kill, record().state })
    force.run({ system = "off", agent = "sales" }, tell)
    assert.same({ false, "running" }, { record().kill, record().state })
    host.known_agents = { agent("sales", { emergencies = { { id = "gas", severity = "life" } } }) }
    assert.has_error(function()
      force.run({ system = "vapi" }, tell)
    end)
    force.run({ system = "vapi", yes = true }, tell)
    local row = pg.query(url, "select * from force_now")[1]
    assert.equal("vapi", row.system)
    assert.matches("although on Vapi nobody here would know of emergencies", row.reason)
  end)

  it("says what is so of emergencies on Vapi, by the transcripts that came from there", function()
    host.known_agents = { agent("sales", { emergencies = { { id = "gas", severity = "life" } } }) }
    local function calls_there(n, heard, more)
      pg.run(url, "select ensure_partitions_for(now() - interval '1 hour')")
      for i = 1, n do
        pg.run(url, ([[with c as (insert into calls (call, started_at, agent, system, imported) values
          ('CA' || md5(random()::text), now() - interval '1 hour', 'sales', 'vapi', %s) returning call)
          , there as (insert into vapi_calls (call, vapi_id, route, status, words, seen_by, told_at, heard_at)
          select call, call, '%s', 'ended', 4, 'webhook', now(), %s from c)
          insert into turns (call, epoch, seq, started_at, at, turn, role, heard)
          select call, 1, 1, now() - interval '1 hour', now(), 1, '%s', 'Hello' from c]]):format(tostring(more
            and more.imported or false), more and more.route or "redirect", i <= heard and "now()" or "null",
            more and more.only or "caller"))
      end
    end
    local function start()
      return select(2, rollout { verb = "start" })
    end
    calls_there(9, 9, { imported = true })
    calls_there(9, 9, { route = "bridge" })
    calls_there(9, 0, { only = "agent", route = "bypass" }) -- who says nothing cannot be heard
    assert.matches("no call there shows yet", start())
    calls_there(4, 0)
    assert.matches("sends no transcripts: none came in the last 4 calls there; have transcripts sent", start())
    calls_there(6, 6)
    assert.matches("transcripts came in 6 of the last 10 calls there", start())
    pg.run(url, "update vapi_calls set heard_at = now() where heard_at is null and words > 0 and call in "
      .. "(select call from calls where agent = 'sales') and ctid <> (select min(ctid) from vapi_calls "
      .. "where heard_at is null and route = 'redirect')")
    assert.matches("On Vapi, too, what callers of sales say is searched for gas: transcripts came in 9 of the last 10",
      start())
    lines = {}
    force.run({ system = "vapi" }, tell)
    assert.matches("^On Vapi, too", lines[1])
    down = "nobody answers"
    assert.has_error(function()
      force.run({ system = "vapi" }, tell)
    end)
    assert(pcall(force.run, { system = "vapi", yes = true }, tell))
  end)

  it("is undone as it was shown, and that again", function()
    at_25()
    rollout { verb = "rollback" }
    lines = {}
    local last = undo.run({ show = true }, tell).last
    assert.matches("The last change: sales rolled_back at 0 %%.* Undone, it is: running at 25 %%", lines[1])
    undo.run({ shown = last, reason = "by mistake", force = true }, tell)
    assert.same({ "running", 2500 }, { record().state, record().percent_bp })
    undo.run({ show = true }, tell) -- somebody else looks, and agrees to nothing
    assert.has_error(function()
      undo.run({ shown = last }, tell)
    end, "something was changed meanwhile; look again")
    undo.run({}, tell)
    assert.same({ "rolled_back", 0 }, { record().state, record().percent_bp })
    force.run({ system = "vapi" }, tell)
    undo.run({}, tell)
    assert.equal("off", pg.query(url, "select system from force_now")[1].system)
  end)

  it("is not said to be undone when it was not: the database went away, or somebody was faster", function()
    lines = {}
    force.run({ system = "vapi" }, tell)
    local query, before = host.query, nil
    rawset(host, "query", function(sql, ...)
      if sql:find("force_put", 1, true) then
        rawset(host, "query", query)
        if before then
          before()
        else
          return nil, "no route", "down"
        end
      end
      return query(sql, ...)
    end)
    local failing = host.query
    local ok, why = pcall(undo.run, {}, tell)
    assert.is_false(ok)
    assert.matches("no route", why)
    before = function() force.run({ system = "openai" }, function() end) end
    rawset(host, "query", failing)
    ok, why = pcall(undo.run, {}, tell)
    assert.is_false(ok)
    assert.matches("somebody else was faster", why)
    assert.equal("openai", pg.query(url, "select system from force_now")[1].system)
    for _, line in ipairs(lines) do
      assert.no.matches("Nothing is forced any more", line)
    end
  end)

  it("is no leap by undo: without a plan all callers meet OpenAI", function()
    rollout { verb = "plan", stages = "pilot,25,50,100" }
    rollout { verb = "start" }
    lines = {}
    undo.run({ show = true }, tell)
    assert.matches("^Then: The next call of sales goes to OpenAI, whoever calls%. That is what the agent's file says",
      lines[2])
    local ok, why = pcall(undo.run, {}, tell)
    assert.is_false(ok)
    assert.matches("without a plan 100 %% of the callers of sales meet OpenAI, and now 0 %%; ringdown rollout rollback",
      why)
    assert.equal("pilot", record().state)
    undo.run({ force = true, reason = "as it was" }, tell)
    assert.equal("draft", record().state)
  end)

  it("does not go forward by undo sooner than by start", function()
    at_25()
    rollout { verb = "rollback" }
    for _, payload in ipairs { {}, { reason = "a wish" }, { force = true } } do
      local ok, why = pcall(undo.run, payload, tell)
      assert.is_false(ok)
      assert.matches("it was rolled back.* Now: sales is rolled_back", why)
    end
    force.run({ system = "vapi", agent = "sales" }, tell)
    undo.run({}, tell) -- of the force: that is no step forward
    assert.same({ "rolled_back", false }, { record().state, record().kill })
    assert.equal(3, #pg.query(url, "select from audit where what = 'rollout.refused'"))
    undo.run({}, tell)
    undo.run({}, tell)
    assert.same({ "rolled_back", false }, { record().state, record().kill })
    undo.run({}, tell)
    force.run({ system = "off", agent = "sales" }, tell)
    assert.equal("rolled_back", record().state)
  end)

  it("is taken back at this machine while the database is away, and there once it is back", function()
    at_25()
    down = "no route"
    local result, text = rollout { verb = "rollback", reason = "outage" }
    assert.same({ true, 0 }, { result.override, result.percent_bp })
    assert.matches("ordered at this machine alone", text)
    assert.is_false((rollout { verb = "hold" }))
    force.run({ system = "vapi" }, tell)
    local order = override.read()
    assert.same({ 2, "vapi", 0, "outage", "somebody" }, { order.version, order.force, order.agents.sales.rollback,
      order.agents.sales.rollback_by.reason, order.who })
    assert.is_true(sweep.run({}, tell).waits)
    down = nil
    assert.same({ "force", "sales" }, sweep.run({}, tell).written)
    assert.is_nil(host.kept(override.FILE))
    assert.same({ "rolled_back", 0, "somebody" }, { record().state, record().percent_bp, record().updated_by })
    assert.matches("^local override by somebody at 20.*: outage", record().reason or "")
    assert.equal("vapi", pg.query(url, "select system from force_now")[1].system)
  end)

  it("is not forced any more at this machine after off, and a rollback that was ordered there stands", function()
    at_25()
    down = "no route"
    force.run({ system = "openai", agent = "sales" }, tell)
    assert.equal("openai", override.read().agents.sales.force)
    rollout { verb = "rollback", reason = "outage" }
    assert.same({ nil, 0 }, { override.read().agents.sales.force, override.read().agents.sales.rollback })
    force.run({ system = "openai", agent = "sales" }, tell)
    lines = {}
    force.run({ system = "off", agent = "sales" }, tell)
    assert.matches("The rollback that was ordered here stands: at most 0 %%", lines[2])
    assert.same({ "off", 0 }, { override.read().agents.sales.force, override.read().agents.sales.rollback })
    local ok, why = rollout { verb = "rollback", to = "50" }
    assert.is_false(ok)
    assert.matches("50 %% is not less: a rollback of sales to 0 %%", why)
    down = nil
    assert.same({ "sales" }, sweep.run({}, tell).written)
    assert.same({ "split", "rolled_back", 0 }, { record().mode, record().state, record().percent_bp })
    assert.is_nil(host.kept(override.FILE))
  end)

  it("is not raised by a rollback that was ordered at this machine", function()
    at_25()
    down = "no route"
    rollout { verb = "rollback", to = "50" }
    down = nil
    assert.same({}, sweep.run({}, tell).written)
    assert.same({ "running", 2500, "split" }, { record().state, record().percent_bp, record().mode })
    assert.is_nil(host.kept(override.FILE))
  end)

  it("gets an order of this machine also when others are faster, or keeps it there", function()
    at_25()
    down = "no route"
    rollout { verb = "rollback", reason = "outage" }
    down = nil
    local change, losses = store.change, 2
    finally(function() store.change = change end)
    store.change = function(...)
      losses = losses - 1
      return losses < 0 and change(...) or nil
    end
    assert.same({ "sales" }, sweep.run({}, tell).written)
    assert.equal("rolled_back", record().state)
    assert(rollout { verb = "start", reason = "mended", force = true })
    down = "no route"
    host.files[override.FILE] = nil
    rollout { verb = "rollback", reason = "outage" }
    down, losses = nil, 1000
    local kept = host.kept(override.FILE)
    assert.is_true(sweep.run({}, tell).waits)
    assert.equal(kept, host.kept(override.FILE))
  end)

  it("is not what somebody ordered at a machine before others said otherwise, and that is an alarm", function()
    at_25()
    force.run({ system = "off" }, tell)
    host.keep(override.FILE, json.encode { version = 3, who = "op", at = "2020-01-01T09:00:00Z", force = "vapi",
      force_by = { who = "op", at = "2020-01-01T09:00:00Z" },
      agents = { sales = { rollback = 0, rollback_by = { who = "op", at = "2020-01-01T09:00:00Z" } } } })
    assert.same({}, sweep.run({}, tell).written)
    assert.same({ "running", 2500 }, { record().state, record().percent_bp })
    assert.equal("off", pg.query(url, "select system from force_now")[1].system)
    assert.same({ "routing.override_stale", "*" }, { host.alarms[1].kind, host.alarms[1].subject })
    assert.matches("rollback %-%-agent sales %-%-to 0, ordered here by op .*: somebody ordered at", host.alarms[2].text)
    assert.is_nil(host.kept(override.FILE))
  end)
end)
