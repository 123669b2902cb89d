-- SPDX-License-Identifier: Apache-2.0
-- numbers.list: numbers as the database has them, page by page, each with who answers it; one of them with its past;
-- and what was done about numbers, run by run. Twilio is not asked.
local agents = require "ringdown.numbers.agents"
local db = require "ringdown.numbers.db"
local json = require "ringdown.json"

local M = {}

local row_sql = [[jsonb_strip_nulls(to_jsonb(n)) || jsonb_build_object('version', number_version(n.number))]]

local page_sql = [[select coalesce(jsonb_agg(]] .. row_sql .. [[ order by n.number), '[]')::text
  from (select * from numbers_shown
    where ($1::text is null or number > $1)
      and ($2::jsonb is null or agent = any(array(select jsonb_array_elements_text($2::jsonb)))
        or agent is null and ($4::boolean or number = any(array(select jsonb_array_elements_text($3::jsonb)))))
      and ($5::text is null or goes_to = $5)
      and ($6::boolean is null or (drift is not null) = $6::boolean)
    order by number limit $7::integer) n]]

local one_sql = [[select (]] .. row_sql .. [[ || jsonb_build_object('snapshots', coalesce((
    select jsonb_agg(jsonb_strip_nulls(to_jsonb(s)) order by s.id desc)
      from (select * from number_snapshots where number = n.number order by id desc limit 10) s), '[]')))::text
  from numbers_shown n where number = $1]]

-- Who answers it, as a call finds out.
local function with_agent(one, all)
  all.assigned[one.number] = one.agent and { agent = one.agent, site = one.site or "default" } or nil
  local agent, why, site = all:of(one.number)
  one.assigned = one.agent ~= nil
  one.agent, one.site, one.nobody_because = agent and agent.name or one.agent, site or one.site, why
  return one
end

-- Of these agents, without an assignment: the numbers of their files; all that nobody has, where there is one agent.
local function of_files(all, names)
  local list, wanted = json.array {}, {}
  for _, name in ipairs(names) do
    wanted[name] = true
  end
  for number, agent in pairs(all.by_number) do
    list[#list + 1] = wanted[agent.name] and number or nil
  end
  return list, all.only ~= nil and wanted[all.only.name] == true
end

---@param o { agents: string[]?, goes_to: string?, drift: boolean?, after: string?, limit: integer }
---@return table[]
function M.page(o)
  local all, numbers, any = agents.files(), nil, false
  if o.agents then
    numbers, any = of_files(all, o.agents)
  end
  local rows = db.ask(page_sql, { o.after or false, o.agents and json.encode(json.array(o.agents)) or false,
    numbers and json.encode(numbers) or false, any and "true" or "false", o.goes_to or false,
    o.drift ~= nil and tostring(o.drift) or false, o.limit })
  for _, one in ipairs(rows) do
    with_agent(one, all)
  end
  return rows
end

---@param number string
---@return table? nil: nobody knows it
function M.one(number)
  local one = db.ask(one_sql, { number })
  local all = agents.files()
  if not one and all.by_number[number] then -- of an agent's file alone
    one = { number = number, goes_to = "unknown", snapshots = json.array {},
      version = db.ask("select to_json(number_version($1))::text", { number }) }
  end
  return one and with_agent(one, all)
end

---Those that an agent answers.
---@param name string
---@return string[]
function M.of_agent(name)
  local all, list = agents.load(), json.array {}
  for number in pairs(all:numbers()) do
    local agent = all:of(number)
    list[#list + 1] = agent and agent.name == name and number or nil
  end
  table.sort(list)
  return list
end

local run_sql = [[jsonb_strip_nulls(to_jsonb(r) - 'held_by') || jsonb_build_object('run', r.run::text, 'counts',
    (select coalesce(jsonb_object_agg(state, n), '{}') from (select state, count(*) as n from bulk_items i
      where i.run = r.run group by state) s))]]

---Newest first.
---@param o { before: string?, limit: integer }
function M.runs(o)
  return db.ask([[select coalesce(jsonb_agg(]] .. run_sql .. [[ order by r.run desc), '[]')::text
    from (select * from bulk_runs where $1::bigint is null or run < $1::bigint order by run desc
      limit $2::integer) r]], { o.before or false, o.limit })
end

---A run with its numbers; of a long one those that are not as wished.
---@param run string
function M.run_of(run)
  return db.ask([[select (]] .. run_sql .. [[ || jsonb_build_object('items', (select coalesce(jsonb_agg(
      jsonb_strip_nulls(jsonb_build_object('number', number, 'state', state, 'goes_to', goes_to, 'why', why,
        'updated_at', updated_at)) order by place), '[]') from (select * from bulk_items i where i.run = r.run
          order by i.state = 'verified', place limit 200) i)))::text
    from bulk_runs r where run = $1::bigint]], { run })
end

return M
