-- SPDX-License-Identifier: Apache-2.0
-- api.calls_read: a call as the database has it; calls_search finds them. Whoever sees the calls of some agents only
-- does not learn that there are others: those are 404. Whoever sees no numbers and words does not search by them
-- either: front.lua refuses it.
local db = require "ringdown.api.db"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"

local M = {}

-- A row `c` of calls as the schema Call; `k` is its cost.
M.columns = [[jsonb_build_object('call', c.call, 'agent', c.agent, 'version', c.version, 'from', c.from_number,
  'to', c.to_number, 'started_at', c.started_at, 'ended_at', c.ended_at, 'direction', c.direction, 'node', c.node,
  'state', c.state, 'system', c.system, 'reason', c.reason, 'fix', c.fix, 'model', c.model, 'status', c.status,
  'outcome', c.ended_reason, 'missed', c.missed, 'failed_over_to', c.failed_over_to, 'duration_s', c.duration_s,
  'first_audio_ms', c.first_audio_ms, 'turns', c.turns, 'barge_ins', c.barge_ins, 'tool_calls', c.tool_calls,
  'errors', c.errors, 'cost_micro_usd', k.micro_usd, 'cost_reason', k.reason, 'imported', coalesce(c.imported, false),
  'erased', c.erased_at is not null,
  'emergencies', (select count(*) from triage_matches m where m.call = c.call and m.state <> 'recorded'))]]

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
