-- SPDX-License-Identifier: Apache-2.0
-- stats.behind: the calls behind an aggregate of statistics and costs, the dearest first. Every group and sum names the
-- filter that lists its calls; they were counted in the same moment as it (calls_counted), so they add up to it, to the
-- micro-dollar. With `item` or `basis` amounts are that part of each call, and calls without any are left out.
local db = require "ringdown.stats.db"
local json = require "ringdown.json"
local period = require "ringdown.stats.period"
local read = require "ringdown.stats.read"
local sorted = require "ringdown.sorted"

local M = {}

M.MOST = 200
M.items, M.bases = read.items, read.bases

local ANSWER_MS = 8000

-- Conditions of their own: what is not asked for does not keep the planner from an index.
local conditions = {
  agent = "x.agent = %s", site = "x.site = %s", system = "x.system = %s", outcome = "x.outcome = %s",
  agents = "x.agent = any(array(select jsonb_array_elements_text(%s::jsonb)))",
  kinds = "x.kind = any(array(select jsonb_array_elements_text(%s::jsonb)))",
  reason = "x.outcome || ': ' || x.reason = %s",
  hour = "extract(hour from x.local_hour) = %s::integer", weekday = "extract(isodow from x.local_hour) = %s::integer",
  from = "x.hour >= %s::timestamptz", to = "x.hour < %s::timestamptz",
  local_from = "x.hour >= %s::date - interval '1 day' and x.local_hour >= %s::date",
  local_to = "x.hour < %s::date + interval '1 day' and x.local_hour < %s::date",
  day = "x.hour >= %s::date - interval '1 day' and x.hour < %s::date + interval '2 days' "
    .. "and x.local_hour::date = %s::date",
}
local choices = {
  unknown = { [true] = "coalesce(x.micro_usd, -1) = -1", [false] = "coalesce(x.micro_usd, -1) >= 0" },
  compared = { [true] = "x.outcome <> 'missed' and not x.failed_over and x.system in ('openai', 'vapi')" },
}

---@class ringdown.stats.behind
---@field agents string[]? the ones that may be seen; nil: all
---@field since string? as ringdown.stats.period; or local_from, local_to, from, to, as a group's filter says
---@field hour integer? of the day
---@field weekday integer? 1 is Monday
---@field day string? "2026-11-02"
---@field outcome string?
---@field reason string? "contained: caller_hangup"
---@field unknown boolean? only those whose cost is (not) known
---@field compared boolean? only those that a comparison counts
---@field item string? one of M.items
---@field basis string? one of M.bases
---@field after string[]? { amount, started_at, call } of the last one before
---@field limit integer?

local function where(ask, when, amount)
  local list, params = {}, {}
  local function add(condition, value)
    params[#params + 1] = value
    list[#list + 1] = (condition:gsub("%%s", "$" .. #params))
  end
  local all = { kinds = json.encode(json.array(read.kinds(ask))), agents = ask.agents
    and json.encode(json.array(ask.agents)) }
  for _, from in ipairs { when, ask } do
    for name, value in pairs(from) do
      all[name] = all[name] or value
    end
  end
  for _, name in ipairs(sorted.keys(all)) do
    if conditions[name] then
      add(conditions[name], all[name])
    elseif choices[name] and choices[name][all[name]] then
      list[#list + 1] = choices[name][all[name]]
    end
  end
  if ask.item or ask.basis then
    list[#list + 1] = amount .. " <> 0"
  end
  if ask.after then
    params[#params + 1], params[#params + 2], params[#params + 3] = ask.after[1], ask.after[2], ask.after[3]
    list[#list + 1] = ("(%s, x.started_at, x.call) < ($%d::bigint, $%d::timestamptz, $%d)"):format(amount, #params - 2,
      #params - 1, #params)
  end
  return table.concat(list, " and "), params
end

---Which time is meant: what a filter says, else `since` and `until`.
local function period_of(ask)
  if ask.from or ask.to or ask.local_from or ask.local_to or ask.day and not ask.since then
    return { from = ask.from, to = ask.to, local_from = ask.local_from, local_to = ask.local_to,
      text = period.words(ask) }
  end
  return period.of(ask.since or "30d", ask["until"], read.zone(ask))
end

---One page.
---@param ask ringdown.stats.behind
---@return table[] calls each with `amount_micro_usd`: its cost or the part of it that was asked for; none: not known
---@return table period
function M.calls(ask)
  local when = period_of(ask)
  local part = ask.item or ask.basis
  local amount = part and "x." .. period.one_of(ask.item and "item" or "basis", part, ask.item and M.items or M.bases)
    .. "_micro_usd" or "coalesce(x.micro_usd, -1)"
  local conditions_text, params = where(ask, when, amount)
  local sql = ([[select coalesce(jsonb_agg(jsonb_build_object('call', x.call, 'started_at', x.started_at, 'agent',
    x.agent,
      'site', x.site, 'system', x.system, 'outcome', x.outcome, 'talk_ms', x.talk_ms, 'micro_usd', x.micro_usd,
      'known_part_micro_usd', x.known_part_micro_usd, 'amount_micro_usd', nullif(%s, -1), 'reason', k.reason)
      order by %s desc, x.started_at desc, x.call desc), '[]')::text
    from (select x.* from calls_counted x where %s order by %s desc, x.started_at desc, x.call desc limit %d) x
    left join call_costs k using (call)]]):format(amount, amount, conditions_text, amount, ask.limit or M.MOST)
  return json.array(db.must(sql, params, ANSWER_MS)), when
end

---What `after` of the next page is.
---@param call table
---@return string[]
function M.key(call)
  return { tostring(call.amount_micro_usd or -1), call.started_at, call.call }
end

return M
