-- SPDX-License-Identifier: Apache-2.0
-- texts.threads: texts as people read them: what an agent and one number wrote to each other, newest first; and what
-- became of one text.
local db = require "ringdown.numbers.db"
local json = require "ringdown.json"

local M = {}

local ROW = [[jsonb_build_object('id', t.id, 'agent', t.agent, 'number', text_party(t), 'ours', text_ours(t),
  'direction', t.direction, 'body', t.body, 'kind', t.kind, 'template', t.template, 'status', t.status,
  'error_code', t.error_code, 'segments', t.segments, 'call', t.call, 'to_people', t.person, 'due_at', t.due_at,
  'created_at', t.created_at, 'updated_at', t.updated_at)]]

local function names(list)
  return list and json.encode(json.array(list)) or false
end

---The last text of each.
---@param o { agents: string[]?, after: string[]?, limit: integer } after: created_at and id
---@return table[]
function M.list(o)
  local after = o.after or {}
  return db.ask(([[select coalesce(jsonb_agg(%s order by t.created_at desc, t.id desc), '[]')::text
      from text_threads(case when $1::jsonb is not null then array(select jsonb_array_elements_text($1::jsonb)) end,
        $2::timestamptz, $3, $4::integer) t]]):format(ROW),
    { names(o.agents), after[1] or false, after[2] or false, o.limit })
end

---All texts with one number.
---@param number string
---@param o { agents: string[]?, after: string[]?, limit: integer }
---@return table[]
function M.one(number, o)
  local after = o.after or {}
  return db.ask(([[select coalesce(jsonb_agg(%s order by t.created_at desc, t.id desc), '[]')::text
      from (select * from texts t where text_party(t) = $1
        and ($2::jsonb is null or agent = any(array(select jsonb_array_elements_text($2::jsonb))))
        and ($3::timestamptz is null or (created_at, id) < ($3::timestamptz, $4))
        order by created_at desc, id desc limit $5::integer) t]]):format(ROW),
    { number, names(o.agents), after[1] or false, after[2] or false, o.limit })
end

---@param id string ours or the carrier's
---@param of_agents string[]?
---@return table?
function M.text(id, of_agents)
  return db.ask(([[select (%s)::text from texts t where (id = $1 or carrier_id = $1)
      and ($2::jsonb is null or agent = any(array(select jsonb_array_elements_text($2::jsonb)))) limit 1]]):format(ROW),
    { id, names(of_agents) })
end

return M
