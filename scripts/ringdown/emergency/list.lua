-- SPDX-License-Identifier: Apache-2.0
-- emergency.list: emergencies as whoever looks afterwards wants them: what was said, which rule, what was done step by
-- step, who took it; one of them confirmed from a desk; and what only sounded like one, to be marked by a person.
local db = require "ringdown.numbers.db"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local ROW = [[jsonb_build_object('call', m.call, 'rule', m.rule, 'agent', c.agent, 'severity', m.severity,
  'source', m.source, 'words', m.words, 'state', m.state, 'matched_at', m.matched_at, 'handled_at', m.handled_at,
  'handled_by', m.handled_by, 'at_desk', is_at_desk(m.handled_by), 'reopened_at', m.reopened_at,
  'seconds', round(extract(epoch from m.handled_at - m.matched_at)),
  'from', c.from_number, 'to', c.to_number, 'steps', coalesce((select jsonb_agg(jsonb_build_object('step', s.step,
    'kind', s.kind, 'target', s.target, 'state', s.state, 'at', s.at, 'detail', s.detail) order by s.at, s.step)
    from triage_steps s where (s.call, s.rule) = (m.call, m.rule)), '[]'))]]

local function names(list)
  return list and json.encode(json.array(list)) or false
end

---Newest first.
---@param o { agents: string[]?, state: string?, severity: string?, since: string?, after: string[]?, limit: integer }
---  after: matched_at, call and rule
---@return table[]
function M.page(o)
  local after = o.after or {}
  return db.ask(([[select coalesce(jsonb_agg(%s order by m.matched_at desc, m.call desc, m.rule desc), '[]')::text
      from (select m.* from triage_matches m
        where ($1::jsonb is null or (select agent from calls c where c.call = m.call)
            = any(array(select jsonb_array_elements_text($1::jsonb))))
          and ($2::text is null or m.state = $2) and ($3::text is null or m.severity = $3)
          and ($4::timestamptz is null or m.matched_at >= $4::timestamptz)
          and ($5::timestamptz is null or (m.matched_at, m.call, m.rule) < ($5::timestamptz, $6, $7))
        order by m.matched_at desc, m.call desc, m.rule desc limit $8::integer) m join calls c using (call)]])
    :format(ROW), { names(o.agents), o.state or false, o.severity or false, o.since or false, after[1] or false,
      after[2] or false, after[3] or false, o.limit })
end

---@return table?
function M.one(call, rule)
  return db.ask(("select (%s)::text from triage_matches m join calls c using (call) where m.call = $1 and m.rule = $2")
    :format(ROW), { call, rule })
end

---Somebody took it. Whoever follows it up sees that and tells the others.
---@return { changed: boolean, handled_by: string, handled_at: string }? nil: there is none
function M.confirm(call, rule)
  local said = db.ask("select triage_confirm($1, $2, $3)::text", { call, rule, host.who() })
  if said and said.changed then
    host.alarm_over("emergency.unanswered", call)
  end
  return said
end

---That somebody at a desk had taken it was a mistake: it is as it was before. Of one about life that is not a day old,
---the people are asked anew, by the node that leads.
---@return { changed: boolean?, state: string?, asked_anew: boolean?, at_desk: boolean?, handled_by: string? }? nil:
---  there is none
function M.unconfirm(call, rule)
  return db.ask("select triage_unconfirm($1, $2, $3)::text", { call, rule, host.who() })
end

---What only sounded like one, newest first.
---@param o { agents: string[]?, verdict: string?, after: string[]?, limit: integer } verdict "none": nobody marked it;
---  after: at, call, rule and why
---@return table[]
function M.near_misses(o)
  local after = o.after or {}
  return db.ask([[select coalesce(jsonb_agg(jsonb_build_object('call', n.call, 'rule', n.rule, 'why', n.why,
        'words', n.words, 'at', n.at, 'verdict', n.verdict, 'agent', c.agent, 'from', c.from_number)
      order by n.at desc, n.call desc, n.rule desc, n.why desc), '[]')::text
    from (select n.* from near_misses n where ($1::jsonb is null or (select agent from calls c where c.call = n.call)
        = any(array(select jsonb_array_elements_text($1::jsonb))))
        and ($2::text is null or coalesce(n.verdict, 'none') = $2)
        and ($3::timestamptz is null or (n.at, n.call, n.rule, n.why) < ($3::timestamptz, $4, $5, $6))
      order by n.at desc, n.call desc, n.rule desc, n.why desc limit $7::integer) n join calls c using (call)]],
    { names(o.agents), o.verdict or false, after[1] or false, after[2] or false, after[3] or false, after[4] or false,
      o.limit })
end

---@return string? agent whose call it is
function M.agent_of(call)
  return db.ask("select to_json(agent)::text from calls where call = $1", { call })
end

---@param verdict "was"|"was_not"|nil nil: nobody has said
---@return boolean? changed nil: there is none
function M.mark(call, rule, why, verdict)
  return db.ask("select jsonb_build_object('changed', near_miss_mark($1, $2, $3, $4, $5))::text",
    { call, rule, why, verdict or false, host.who() }).changed
end

return M
