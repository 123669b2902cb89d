-- SPDX-License-Identifier: Apache-2.0
-- api.live_read: all calls in progress, on every node, for a screen that is looked at: emergencies first, then the
-- longest. Those of the node that answers are its memory; what was said last and who is in an emergency comes from the
-- database, where the other nodes' calls are as these told last. With the database away, the node tells its own.
local acts = require "ringdown.api.calls_act"
local db = require "ringdown.api.db"
local host = require "ringdown.host"
local json = require "ringdown.json"
local page = require "ringdown.api.page"
local problem = require "ringdown.api.problem"

local M = {}

M.MOST = 1000

-- The calls that are named, and a page of those that are elsewhere, each with its last words and the emergency that
-- matters most. `rank` 0: one that nobody has yet; 1: one that somebody had; 2: none.
local sql = [[with away as (select c.call collate "C" as call, extract(epoch from c.started_at)::bigint as began,
      case when c.had_emergency is not true then 2 when exists (select from triage_matches m where m.call = c.call
        and m.state = 'open') then 0 else 1 end as rank
    from calls c where c.state in ('connecting', 'live', 'leaving') and c.started_at > now() - interval '1 day'
      and ($1::text[] is null or c.agent = any($1::text[])) and c.call <> all($2::text[])),
  page as (select call from away where $4::integer is null or (rank, began, call) > ($4::integer, $5::bigint, $6::text)
    order by rank, began, call limit $3::integer),
  c as (select * from calls where call = any($2::text[])
    union all select * from calls where call in (select call from page))
  select jsonb_build_object('away', (select count(*) from away), 'items', coalesce(jsonb_agg(jsonb_build_object(
    'call', c.call, 'began', extract(epoch from c.started_at)::bigint, 'agent', c.agent, 'from', c.from_number,
    'to', c.to_number, 'state', c.state, 'system', coalesce(c.failed_over_to, c.system), 'node', c.node, 'started_at',
    c.started_at,
    'seconds', greatest(extract(epoch from now() - c.started_at), 0)::integer, 'version', c.version,
    'emergency', (select jsonb_build_object('rule', m.rule, 'severity', m.severity, 'state', m.state, 'since',
      m.matched_at) from triage_matches m where m.call = c.call and m.state <> 'recorded'
      order by m.state = 'open' desc, m.matched_at desc limit 1),
    'last_words', (select jsonb_build_object('role', t.role, 'text', t.heard, 'at', t.at, 'turn', t.turn) from turns t
      where t.call = c.call and t.started_at between c.started_at - interval '1 day' and c.started_at + interval '1 day'
      order by t.epoch desc, t.seq desc limit 1))), '[]'))::text from c]]

local function asked(r, sids, after)
  after = after or {}
  local known, given = pcall(db.ask, sql, { db.array(r.agents), db.array(sids), r.query.limit + 1, after[1] or false,
    after[2] or false, after[3] or false })
  if known then
    return given
  elseif problem.is(given) and given.status == 503 then
    return nil, given.detail or given.title
  end
  error(given, 0)
end

-- The node knows better who, where and for how long; the database what was said, and when it began.
local function joined(here, known, now)
  local by, items = {}, json.array {}
  for _, call in ipairs(here) do
    by[call.call] = call
    call.here = true
    call.began = now - call.seconds
    items[#items + 1] = call
  end
  for _, call in ipairs(known or {}) do
    local own = by[call.call]
    if own then
      for _, name in ipairs { "emergency", "last_words", "started_at", "node", "version", "began" } do
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

local function key_of(call)
  return { rank(call), call.began, call.call }
end

local function before(a, b)
  for i = 1, 3 do
    if a[i] ~= b[i] then
      return a[i] < b[i]
    end
  end
  return false
end

-- Those behind `after`, in the order of the screen.
local function ordered(items, after)
  local from = after and { math.tointeger(tonumber(after[1])), math.tointeger(tonumber(after[2])), after[3] }
  local list = json.array {}
  for _, call in ipairs(items) do
    if not from or before(from, key_of(call)) then
      list[#list + 1] = call
    end
  end
  table.sort(list, function(a, b)
    return before(key_of(a), key_of(b))
  end)
  return list
end

local function page_of(r)
  local after = page.read(r.query.cursor, { "text", "text", "text" })
  if after and not (after[1]:match "^[012]$" and after[2]:match "^%d+$" and #after[2] < 16) then
    problem(400, "cursor", "This is no cursor of this list", { detail = "`cursor` is `next` of the answer before",
      fix = "leave it out to begin anew" })
  end
  return after
end

function M.run(r)
  local after, here, sids = page_of(r), acts.here(r), {}
  for i, call in ipairs(here) do
    sids[i] = call.call
  end
  local known, why = asked(r, sids, after)
  local at_ms = host.unix_ms and math.floor(host.unix_ms()) or os.time() * 1000
  local answer = page.answer(ordered(joined(here, known and known.items, at_ms // 1000), after), r.query.limit, key_of)
  answer.at_unix_ms, answer.elsewhere_reason = at_ms, why
  answer.calls = #here + (known and known.away or 0)
  answer.left_out = answer.calls - #answer.items
  return 200, answer
end

return M
