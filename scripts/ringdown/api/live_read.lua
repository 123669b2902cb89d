-- SPDX-License-Identifier: Apache-2.0
-- api.live_read: all calls in progress, on every node, for a screen that is looked at: emergencies first, then the
-- longest. Those of the node that answers are its memory; what was said last and who is in an emergency comes from the
-- database, where the other nodes' calls are as these told last. With the database away, the node tells its own.
local acts = require "ringdown.api.calls_act"
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"

local M = {}

local MOST = 1000

-- Last words, emergencies that nobody has yet, and counts, of calls that are named and of those that are elsewhere.
local sql = [[with c as (select * from calls where call = any($2::text[])
    union all select * from (select * from calls c where c.state in ('connecting', 'live', 'leaving')
      and c.started_at > now() - interval '1 day' and ($1::text[] is null or c.agent = any($1::text[]))
      and c.call <> all($2::text[]) order by c.had_emergency desc, c.started_at limit $3::integer) away)
  select coalesce(jsonb_agg(jsonb_build_object('call', c.call, 'agent', c.agent, 'from', c.from_number,
    'to', c.to_number, 'state', c.state, 'system', coalesce(c.failed_over_to, c.system), 'node', c.node, 'started_at',
    c.started_at,
    'seconds', greatest(extract(epoch from now() - c.started_at), 0)::integer, 'version', c.version,
    'emergency', (select jsonb_build_object('rule', m.rule, 'severity', m.severity, 'state', m.state, 'since',
      m.matched_at) from triage_matches m where m.call = c.call and m.state <> 'recorded'
      order by m.state = 'open' desc, m.matched_at desc limit 1),
    'last_words', (select jsonb_build_object('role', t.role, 'text', t.heard, 'at', t.at, 'turn', t.turn) from turns t
      where t.call = c.call and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
      order by t.epoch desc, t.seq desc limit 1))), '[]')::text from c]]

local function asked(r, sids)
  local known, given = pcall(db.ask, sql, { db.array(r.agents), db.array(sids), MOST })
  if known then
    return given
  elseif problem.is(given) and given.status == 503 then
    return nil, given.detail or given.title
  end
  error(given, 0)
end

-- The node knows better who, where and for how long; the database what was said.
local function joined(here, known)
  local by, items = {}, json.array {}
  for _, call in ipairs(here) do
    by[call.call] = call
    call.here = true
    items[#items + 1] = call
  end
  for _, call in ipairs(known or {}) do
    local own = by[call.call]
    if own then
      for _, name in ipairs { "emergency", "last_words", "started_at", "node", "version" } do
        own[name] = call[name]
      end
    else
      call.here = false
      items[#items + 1] = call
    end
  end
  return items
end

local function rank(call)
  local e = call.emergency
  return not e and 2 or e.state == "open" and 0 or 1
end

local function before(a, b)
  local one, other = rank(a), rank(b)
  if one ~= other then
    return one < other
  elseif a.seconds ~= b.seconds then
    return a.seconds > b.seconds
  end
  return a.call < b.call
end

function M.run(r)
  local here, sids = acts.here(r), {}
  for i, call in ipairs(here) do
    sids[i] = call.call
  end
  local known, why = asked(r, sids)
  local items = joined(here, known)
  table.sort(items, before)
  local left = #items - MOST
  for i = #items, MOST + 1, -1 do
    items[i] = nil
  end
  left = math.max(left, 0)
  return 200, { at_unix_ms = host.unix_ms and math.floor(host.unix_ms()) or nil, items = items, calls = #items + left,
    left_out = left, elsewhere_reason = why }
end

return M
