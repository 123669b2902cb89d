-- SPDX-License-Identifier: Apache-2.0
-- api.calls_read: calls as the database has them. Whoever sees the calls of some agents only does not learn that there
-- are others: those are 404. Whoever sees no numbers and words does not search by them either: front.lua refuses it.
local db = require "ringdown.api.db"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"
local sorted = require "ringdown.sorted"

local M = {}

-- A row `c` of calls as the schema Call; `k` is its cost.
M.columns = [[jsonb_build_object('call', c.call, 'agent', c.agent, 'version', c.version, 'from', c.from_number,
  'to', c.to_number, 'started_at', c.started_at, 'ended_at', c.ended_at, 'direction', c.direction, 'node', c.node,
  'state', c.state, 'system', c.system, 'reason', c.reason, 'fix', c.fix, 'model', c.model, 'status', c.status,
  'outcome', c.ended_reason, 'missed', c.missed, 'failed_over_to', c.failed_over_to, 'duration_s', c.duration_s,
  'first_audio_ms', c.first_audio_ms, 'turns', c.turns, 'barge_ins', c.barge_ins, 'tool_calls', c.tool_calls,
  'errors', c.errors, 'cost_micro_usd', k.micro_usd, 'cost_reason', k.reason, 'imported', coalesce(c.imported, false),
  'erased', c.erased_at is not null,
  'emergencies', (select count(*) from triage_matches m where m.call = c.call))]]

local local_day = "(c.started_at at time zone zone_or_utc(coalesce((select s.time_zone from sites s where "
  .. "s.agent = c.agent and s.site = c.site), (select a.time_zone from agents a where a.agent = c.agent))::text))::date"

-- How a call came out, as statistics have it (calls_measured), without all else that they count.
local result = "call_is_over(c) and call_outcome(c, (select v.ended_class from vapi_calls v where v.call = c.call), "
  .. "(select v.ended_reason from vapi_calls v where v.call = c.call), (select count(*) from triage_matches m "
  .. "where m.call = c.call and m.state <> 'recorded'))"

-- What a search asks for, each as a condition of its own: those that are not asked for would keep the planner from
-- an index.
local conditions = {
  site = "coalesce(c.site, 'default') = %s",
  local_from = "c.started_at >= %s::date - interval '1 day' and " .. local_day .. " >= %s::date",
  local_to = "c.started_at < %s::date + interval '1 day' and " .. local_day .. " < %s::date",
  agent = "c.agent = %s",
  number = "%s in (c.from_number, c.to_number)",
  system = "c.system = %s",
  outcome = "c.ended_reason = %s",
  since = "c.started_at >= %s::timestamptz",
  ["until"] = "c.started_at < %s::timestamptz",
  text = "c.call in (select t.call from turns t where t.words @@ websearch_to_tsquery('simple', %s))",
}
local choices = {
  booked = { [true] = "c.call in (select b.call from appointments b)",
    [false] = "not exists (select from appointments b where b.call = c.call)" },
  kind = { real = "not c.is_test and not c.imported", test = "c.is_test", imported = "c.imported and not c.is_test" },
  result = { answered = result .. " in ('contained', 'transferred', 'not_taken', 'emergency', 'failed')",
    missed = "(c.missed is not null or c.ended_at is null) and " .. result .. " = 'missed'",
    contained = result .. " = 'contained'", transferred = result .. " = 'transferred'",
    not_taken = result .. " = 'not_taken'", emergency = result .. " = 'emergency'", failed = result .. " = 'failed'",
    fallback = "c.system = 'fallback' and " .. result .. " = 'fallback'" },
  state = { live = "c.state is distinct from 'ended'", ended = "c.state = 'ended'" },
  emergency = { [true] = "c.call in (select m.call from triage_matches m)",
    [false] = "not exists (select from triage_matches m where m.call = c.call)" },
  failed = { [true] = "c.errors > 0", [false] = "c.errors = 0" },
}

local function search_sql(q, agents, key)
  local list, params = {}, {}
  local function add(condition, ...)
    local places = {}
    for i, value in ipairs { ... } do
      params[#params + 1] = value
      places[i] = "$" .. #params
    end
    places[2] = places[2] or places[1] -- said twice
    list[#list + 1] = condition:format(table.unpack(places))
  end
  if agents then
    add("c.agent = any(%s::text[])", db.array(agents))
  end
  for _, name in ipairs(sorted.keys(q)) do
    if conditions[name] then
      add(conditions[name], q[name])
    elseif choices[name] then
      add(choices[name][q[name]])
    end
  end
  if key then
    add("(c.started_at, c.call) < (%s::timestamptz, %s)", key[1], key[2])
  end
  local where = #list > 0 and " where " .. table.concat(list, " and ") or ""
  return "select coalesce(jsonb_agg(" .. M.columns .. " order by c.started_at desc, c.call desc), '[]')::text "
    .. "from (select * from calls c" .. where
    .. (" order by c.started_at desc, c.call desc limit %d) c "):format(q.limit + 1)
    .. "left join call_costs k on k.call = c.call", params
end

function M.search(r)
  local q = r.query
  local rows = db.ask(search_sql(q, r.agents, page.read(q.cursor, { "time", "text" })))
  return 200, page.answer(rows, q.limit, function(row)
    return { row.started_at, row.call }
  end)
end

function M.unknown(call)
  problem(404, "no-such-call", "There is no such call", { detail = call .. " is not known here",
    fix = "GET /api/v1/calls lists them" })
end

---What one question about a call `c` answers; 404 where the call is none of theirs.
---@param r table
---@param sql string
---@param more any[]? parameters from $3 on
---@return any
local function of_call(r, sql, more)
  local params = { r.params.call, db.array(r.agents) }
  for i, value in ipairs(more or {}) do
    params[i + 2] = value
  end
  local answer = db.ask("select (" .. sql .. ")::text from calls c left join call_costs k on k.call = c.call "
    .. "where c.call = $1 and ($2::text[] is null or c.agent = any($2::text[]))", params)
  if answer == nil then
    M.unknown(r.params.call)
  end
  return answer
end

M.of_call = of_call

function M.one(r)
  return 200, of_call(r, M.columns .. " || jsonb_build_object('waits', call_waits(c.call))")
end

---The call's agent, state and node; nil: it is none of theirs, or there is none.
function M.state_of(r, call)
  return db.ask([[select jsonb_build_object('agent', c.agent, 'state', c.state, 'node', c.node)::text from calls c
    where c.call = $1 and ($2::text[] is null or c.agent = any($2::text[]))]], { call, db.array(r.agents) })
end

local function in_pieces(r, sql)
  local key = page.read(r.query.cursor, { "id", "id" }) or { "0", "0" }
  local rows = of_call(r, sql, { key[1], key[2], r.query.limit + 1 })
  return 200, page.answer(rows, r.query.limit, function(row)
    return { row.epoch, row.seq }
  end)
end

function M.timeline(r)
  return in_pieces(r, [[select coalesce(jsonb_agg(jsonb_build_object('at', at, 'epoch', epoch::text, 'seq', seq::text,
    'type', type, 'body', body - array['call', 'agent']) order by l.epoch, l.seq), '[]')
    from (select * from call_events e where e.stream = c.call
      and (e.epoch, e.seq) > ($3::bigint, $4::bigint)
      order by e.epoch, e.seq limit $5::integer) l]])
end

function M.transcript(r)
  return in_pieces(r, [[select coalesce(jsonb_agg(jsonb_build_object('at', at, 'epoch', epoch::text, 'seq', seq::text,
    'role', role, 'heard', heard, 'said', said, 'interrupted', interrupted, 'withheld', withheld, 'turn', turn,
    'caller_stopped_at', caller_stopped_at, 'first_text_ms', first_text_ms, 'first_audio_ms', first_audio_ms,
    'tool_ms', tool_ms)
    order by l.epoch, l.seq), '[]') from (select * from turns t where t.call = c.call
      and (t.epoch, t.seq) > ($3::bigint, $4::bigint) order by t.epoch, t.seq limit $5::integer) l]])
end

function M.tools(r)
  return 200, { items = of_call(r, [[select coalesce(jsonb_agg(jsonb_build_object('id', id, 'name', name,
    'asked_at', asked_at, 'answered_at', answered_at, 'ms', round(extract(epoch from answered_at - asked_at) * 1000),
    'arguments', arguments, 'output', output) order by coalesce(asked_at, answered_at), id), '[]')
    from tool_calls t where t.call = c.call]]) }
end

local function usd(micro)
  return micro and ("%.4f"):format(micro / 1e6) or nil
end

function M.cost(r)
  local cost = of_call(r, [[coalesce(why_cost(c.call), '{"reason": "nobody has computed it yet", "lines": []}')
    || jsonb_build_object('turns', cost_by_turn(c.call), 'system', c.system)]])
  cost.usd = usd(cost.micro_usd)
  for _, turn in ipairs(cost.turns) do
    turn.usd = usd(turn.micro_usd_exact)
  end
  if cost.system == "vapi" then
    cost.turns_reason = "Vapi bills calls, not turns"
  end
  return 200, cost
end

function M.why(r)
  return 200, of_call(r, "why(c.call)")
end

---Calls that other nodes have, as they told last.
function M.elsewhere(r, here)
  return json.array(db.ask("select coalesce(jsonb_agg(" .. M.columns .. [[ order by c.started_at desc), '[]')::text
    from calls c left join call_costs k on k.call = c.call
    where c.state in ('connecting', 'live', 'leaving') and c.started_at > now() - interval '1 day'
      and ($1::text[] is null or c.agent = any($1::text[])) and c.call <> all($2::text[])]],
    { db.array(r.agents), db.array(here) }))
end

return M
