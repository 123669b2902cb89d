-- SPDX-License-Identifier: Apache-2.0
-- demo.command: the operation `demo`: makes a new database one for a demo, and fills it with a month of calls that
-- never were. What is made up goes nowhere else: only into a database that was marked before the first call came, as
-- long as none has come, and once.
--
--   mark   this database is for a demo, for ever; refused where there are calls, customers or numbers
--   seed   the month (demo.month) by the way of all facts, `ingest`; then visits, the rollout's history, alerts. The
--          leader counts its hours within a minute or two, as all others
local db = require "ringdown.stats.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local month = require "ringdown.demo.month"
local nearest = require "ringdown.nearest"
local time = require "ringdown.time"

local M = {}

local BATCH, PATIENCE_MS = 400, 60000
local DAY_S = 86400

local verbs = {}

function verbs.mark(_, tell)
  local made = db.must("select to_json(demo_mark($1))::text", { host.who() })
  tell { text = made and "This database is for a demo from now on." or "This database is for a demo already." }
  return { marked = true, changed = made or false }
end

-- Those of the node: Vapi's words come to it when the call has left.
local function node_stream(state)
  local us, seq = (state.now - (state.days + 1) * DAY_S) * 1000000, 0
  return function(type, body, at_us)
    seq = seq + 1
    return { stream = "node/" .. month.node, started_us = us, epoch = us, seq = seq, at_us = at_us or us, type = type,
      body = body }
  end
end

local function ingest(events)
  if #events > 0 then
    db.must("select to_json(count(*))::text from ingest($1::jsonb)", { json.encode(events) }, PATIENCE_MS)
  end
end

local function agent_versions(state, of_node)
  local events = json.array {}
  for _, agent in ipairs { "northside-plumbing", "brightsmile-dental" } do
    for i, ago in ipairs { state.days + 1, 20 } do
      events[#events + 1] = of_node("agent_version", { agent = agent, version = ("de30%012x"):format(5 + i),
        keep_transcripts_s = 90 * DAY_S, keep_recordings_s = 30 * DAY_S, recording = true, notice = { ai = true } },
        (state.now - ago * DAY_S) * 1000000)
    end
  end
  return events
end

local function seed_calls(state, tell)
  local of_node, visits = node_stream(state), json.array {}
  local events = agent_versions(state, of_node)
  for ago = state.days - 1, 0, -1 do
    for _, call in ipairs(month.day(state, ago)) do
      table.move(call.events, 1, #call.events, #events + 1, events)
      for _, fact in ipairs(call.rest or {}) do
        events[#events + 1] = of_node(fact.type, fact.body, call.us + (call.ms + 5000) * 1000)
      end
      visits[#visits + 1] = call.visit
      if #events >= BATCH then
        ingest(events)
        events = json.array {}
      end
    end
    tell { progress = ("%d of %d days"):format(state.days - ago, state.days) }
  end
  ingest(events)
  return visits
end

-- ── what is no fact of a call ───────────────────────────────────────────────────────────────────

local visits_sql = [[with v as (select * from jsonb_to_recordset($1::jsonb) as v (agent text, resource text, date text,
    hour integer, minutes integer, number text, name text, service text, call text, at_us bigint)),
  made as (insert into appointments (agent, resource, during, customer, call, service, status, created_at, updated_at)
    select v.agent, v.resource, tstzrange(b.at, b.at + make_interval(mins => v.minutes)), customer_of(v.agent, v.number,
      v.name), v.call, v.service, case when hashtext(v.call) % 17 = 0 then 'cancelled' else 'booked' end,
      time_of_us(v.at_us), time_of_us(v.at_us)
    from v, lateral (select (v.date::date + make_interval(hours => v.hour)) at time zone $2 as at) b returning 1)
  select to_json(count(*))::text from made]]

local function seed_visits(visits)
  for first = 1, #visits, BATCH do
    db.must(visits_sql, { json.encode(json.array { table.unpack(visits, first, math.min(#visits, first + BATCH - 1)) }),
      month.zone }, PATIENCE_MS)
  end
end

local function moment(unix)
  local at = time.at("UTC", unix)
  return ("%sT%s:00Z"):format(at.date, at.time)
end

local rollout_sql = [[with s as (select * from jsonb_to_recordset($1::jsonb) as s (n integer, at timestamptz,
    bp integer, name text, state text, what text, who text, reason text)),
  made as (insert into rollouts (agent, version, percent_bp, stage, state, stages, since, updated_by, updated_at,
      reason)
    select 'northside-plumbing', n, bp, name, state, $2::jsonb, at, who, at, coalesce(reason, 'demo data') from s),
  told as (insert into audit (at, who, what, subject, before, after)
    select at, who, 'rollout.' || what, 'northside-plumbing', case when n > 1 then jsonb_build_object('version', n - 1,
      'percent_bp', lag(bp) over (order by n)) end, jsonb_build_object('version', n, 'percent_bp', bp, 'stage', name,
      'state', state, 'reason', coalesce(reason, 'demo data')) from s)
  select to_json(count(*))::text from s]]

-- The last version is a plan that nobody has started: then the agent's file says where calls go.
local function seed_rollout(state)
  local list = json.array {}
  local function put(ago, stage)
    list[#list + 1] = { n = #list + 1, bp = stage.bp,
      at = moment(math.floor(time.unix_of(month.zone, state.today .. " 09:00") - ago * DAY_S)), name = stage.name,
      state = stage.state, what = stage.what, who = stage.who, reason = stage.reason }
  end
  put(state.days + 1, { bp = 0, state = "draft", what = "plan", who = "ann" })
  for _, stage in ipairs(month.stages) do
    put(stage.days, stage)
  end
  put(0.5, { bp = 0, state = "draft", what = "plan", who = "ann", reason = "demo data: what comes next is yours" })
  db.must(rollout_sql, { json.encode(list), json.encode(json.array(require("ringdown.rollout.plan").default)) })
end

-- What fired in that month and is over: { days ago, rule, severity, minutes, labels, text, fix }.
local alerts = {
  { 22, "guard_breach", "page", 34, { agent = "northside-plumbing" },
    "rollout of northside-plumbing was taken back: 5 of 61 calls on OpenAI failed",
    "ringdown rollout check --agent northside-plumbing" },
  { 17, "provider_down", "page", 11, { provider = "openai" }, "OpenAI did not take 4 of 6 calls",
    "ringdown status; calls go to Vapi meanwhile" },
  { 9, "drift", "ticket", 190, { number = "+13125550120" }, "a number goes elsewhere than we made it go",
    "ringdown numbers drift" },
  { 3, "cost_per_hour", "ticket", 61, { agent = "brightsmile-dental" }, "an hour cost $9.40, and $8.00 is the limit",
    "ringdown cost calls --agent brightsmile-dental --since 24h" },
}

local alerts_sql = [[insert into alert_states (rule, fingerprint, labels, severity, state, text, fix, began_at,
    fired_at, resolved_at, seen_at, told_at, told)
  select rule, encode(sha256(convert_to('demo ' || rule, 'UTF8')), 'hex'), labels, severity, 'resolved', text, fix,
    at, at, over, over, over, 'resolved'
  from jsonb_to_recordset($1::jsonb) as a (rule text, labels jsonb, severity text, minutes integer, at timestamptz,
    text text, fix text), lateral (select at + make_interval(mins => minutes) as over) o returning to_json(1)::text]]

local function seed_alerts(state)
  local list = json.array {}
  for i, a in ipairs(alerts) do
    list[i] = { rule = a[2], severity = a[3], minutes = a[4], labels = a[5], text = a[6], fix = a[7],
      at = moment(state.now - a[1] * DAY_S) }
    list[i].labels.demo = "true"
  end
  db.must(alerts_sql, { json.encode(list) })
end

-- ── all of it ───────────────────────────────────────────────────────────────────────────────────

function verbs.seed(payload, tell)
  local mark = db.must "select to_jsonb(d)::text from demo_database d"
  if not mark then
    error("this is no demo's database, and made-up calls go nowhere else; ringdown demo mark makes one of a database "
      .. "that is new", 0)
  elseif mark.seeded_at then
    error(("it was filled %s already; a new demo needs a new database"):format(mark.seeded_at:sub(1, 16)), 0)
  elseif db.must "select to_json(exists (select from calls))::text" then
    error("calls came to this database since it was marked, and made-up ones do not get among them; a new demo needs a "
      .. "new database", 0)
  end
  local state = month.begin { seed = payload.seed, calls = payload.calls, days = 30 }
  if not db.must("update demo_database set seed = $1::bigint, seeded_at = now() where seeded_at is null "
    .. "returning to_json(1)::text", { tostring(payload.seed or 1) }) then
    error("somebody fills it just now", 0)
  end
  seed_rollout(state)
  local visits = seed_calls(state, tell)
  seed_visits(visits)
  seed_alerts(state)
  tell { text = ("%d calls of %d days that never were, with %d visits; all of it is demo data."):format(state.n,
    state.days, #visits) }
  return { calls = state.n, visits = #visits }
end

---@param payload { verb: string, seed: integer?, calls: integer? }
function M.run(payload, tell)
  local verb = verbs[payload.verb]
  if not verb then
    error(("'%s' is nothing to do; %s"):format(tostring(payload.verb):sub(1, 40), nearest.hint(payload.verb,
      { "mark", "seed" })), 0)
  end
  return verb(payload, tell)
end

return M
