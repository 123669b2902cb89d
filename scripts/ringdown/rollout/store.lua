-- SPDX-License-Identifier: Apache-2.0
-- rollout.store: records, evidence and the force switch in the database. Answers are JSON. A database that refuses is
-- raised with its words; one that is away is nil, why, "down", because force and rollback go on without it.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sqlstate = require "ringdown.sqlstate"

local M = {}

local answer_ms = 10000
local HURRY_MS = 1500 -- more than the command's own limits (cli/operate_database.c)

local away -- what must() heard last

---For what works without a database: one that does not answer soon is away.
function M.hurry()
  answer_ms = HURRY_MS
end

-- Nobody is there, or somebody who can do nothing for us now. Busy is as good as that for what works without.
local function is_away(code)
  local kind = sqlstate.kind(code)
  return kind == "away" or kind == "busy"
end

---@param sql string whose first column is JSON, or null
---@param params any[]?
---@return any value nil: null, or no row
---@return string? why
---@return string? code "down"
---@return string? said as the database has it
local function ask(sql, params)
  local rows, why, code = host.query(sql, params or {}, answer_ms)
  if rows then
    local text = rows[1] and rows[1][1]
    return text and json.decode(text) or nil
  elseif is_away(code) then
    return nil, why, "down", code
  end
  error("the database refused it: " .. tostring(why), 0)
end
M.ask = ask

---Raises also when the database is away.
function M.must(sql, params)
  local value, why, code, said = ask(sql, params)
  if code then
    away = why
    error(sqlstate.complaint(why, said, ", and this needs it. ringdown force and ringdown rollout rollback work "
      .. "without it"), 0)
  end
  return value
end

---What f returns, or nil, why, "down" when the database went away on its way: then nobody knows whether it was done.
---@param f fun(...): any
function M.attempt(f, ...)
  away = nil
  local done = table.pack(pcall(f, ...))
  if done[1] then
    return table.unpack(done, 2, done.n)
  elseif away then
    return nil, away, "down"
  end
  error(done[2], 0)
end

local function as_lists(record)
  if type(record) == "table" then
    for _, name in ipairs { "allow", "deny", "stages" } do
      record[name] = json.array(record[name] or {})
    end
  end
  return record
end

---The newest version of an agent's plan.
function M.record(agent)
  local record, why, code = ask("select to_jsonb(r)::text from rollout_now r where agent = $1", { agent })
  return as_lists(record), why, code
end

---The same, for whoever makes a change of it: raises when the database is away.
function M.newest(agent)
  return as_lists(M.must("select to_jsonb(r)::text from rollout_now r where agent = $1", { agent }))
end

---All of them, without their lists.
function M.records()
  return M.must([[select coalesce(jsonb_agg(to_jsonb(r) - array['allow', 'deny'] order by agent), '[]')::text
    from rollout_now r]])
end

-- The words about lists only count them.
local function of_size(n)
  local list = json.array {}
  for i = 1, n do
    list[i] = ""
  end
  return list
end

---All of them, with lists of the right length in which nobody is named: for whoever shows them all.
function M.summaries()
  local records = M.must([[select coalesce(jsonb_agg(to_jsonb(r) || jsonb_build_object('allow', cardinality(allow),
    'deny', cardinality(deny)) order by agent), '[]')::text from rollout_now r]])
  for _, record in ipairs(records) do
    record.allow, record.deny = of_size(record.allow), of_size(record.deny)
    as_lists(record)
  end
  return records
end

---@return { record: table, arms: table, usual: table, emergencies: table, baked_s: integer, last: table? }?
function M.evidence(agent)
  local e = M.must("select rollout_evidence($1)::text", { agent })
  if e then
    as_lists(e.record)
  end
  return e
end

-- Without the lists that stay as they are: they are long, and whoever goes back has no time to carry them.
local function carried(record, o)
  local plan = {}
  for key, value in pairs(as_lists(record)) do
    plan[key] = value
  end
  for _, name in ipairs { "allow", "deny" } do
    if not (o.changes and o.changes[name]) then
      plan[name] = nil
    end
  end
  plan.lists_of = o.lists_of
  return json.encode(plan)
end

---@param record table the next one
---@param from integer the version it was made from
---@param o { who: string, reason: string?, what: string, evidence: table?, changes: table?, lists_of: integer? }
---  changes: with allow or deny where those change; lists_of: the version whose they are again
---@return integer? version nil: somebody else was faster
function M.change(record, from, o)
  return M.must("select to_jsonb(rollout_change($1, $2::integer, $3::jsonb, $4, $5, $6, $7::jsonb))::text",
    { record.agent, tostring(from), carried(record, o), o.who, o.reason or false, o.what,
      o.evidence and json.encode(o.evidence) or false })
end

---Never raises: that it was refused is said to whoever asked, whatever becomes of the audit.
function M.refused(agent, who, what, why)
  pcall(host.query, "select rollout_refused($1, $2, $3, $4)", { agent, who, what, why }, answer_ms)
end

function M.force()
  return ask "select to_jsonb(f)::text from force_now f"
end

---@param seen integer? only from this version
---@return integer? version nil without a code: somebody else was faster
function M.force_put(system, who, reason, seen)
  if seen then
    return ask("select to_jsonb(force_put($1, $2, $3, $4::integer))::text", { system, who, reason or false, seen })
  end
  return ask("select to_jsonb(force_put($1, $2, $3))::text", { system, who, reason or false })
end

---As force_put(), for what needs the database: raises without it.
---@return integer? version nil: somebody else was faster
function M.force_put_seen(system, who, reason, seen)
  return M.must("select to_jsonb(force_put($1, $2, $3, $4::integer))::text", { system, who, reason or false, seen })
end

-- What a sweep wrote was ordered when it says, not when it was written.
local ordered_sql = [[select to_jsonb(o)::text from (
  select who, coalesce(substring(reason from
      '^local override by .*? at (20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ)')::timestamptz, at) as at
    from (select updated_by as who, updated_at as at, reason from rollouts where agent = $1
        and updated_by not like 'auto:%' and updated_by <> 'ringdown'
      union all select who, at, reason from forces where $1::text is null) said) o
  where at >= $2::timestamptz + interval '1 second' order by at desc limit 1]]

---Who ordered something else after that moment: a person, of this agent, or with nil, by the force switch.
---@param agent string?
---@param at string? nil: nobody knows when, so nothing is later
---@return { who: string, at: string }?
---@return string? why
---@return string? code
function M.ordered_since(agent, at)
  if not at then
    return nil
  end
  return ask(ordered_sql, { agent or false, at })
end

---@param check table
function M.check_put(check)
  M.must("select to_jsonb(rollout_check_put($1::jsonb))::text", { json.encode(check) })
end

---Who called within so many days, 20,000 at most: for whoever asks who would move.
---@return string[]
function M.callers_of(agent, days)
  return M.must([[select to_jsonb(array(select from_number::text from calls where agent = $1 and not is_test
      and started_at > now() - make_interval(days => $2::integer) and from_number ~ '^\+' group by 1
      order by 1 limit 20000))::text]], { agent, tostring(days) })
end

---Who called within a week; nobody when the database is away: it only makes a sentence more exact.
---@return string[]
function M.callers(agent)
  return (ask("select to_jsonb(rollout_callers($1))::text", { agent })) or {}
end

return M
