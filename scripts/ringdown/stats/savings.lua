-- SPDX-License-Identifier: Apache-2.0
-- stats.savings: what OpenAI has saved against Vapi in some time, and what it would save each month if it had all
-- calls.
--
--   so far    what the calls on OpenAI would have cost on Vapi, by what a minute cost there lately, less what they cost
--   at 100 %  all calls of that time, on either system: a minute on Vapi less a minute on OpenAI; for 30 days
--
-- Each agent for itself, then together. Prices and how certain they are come from stats.today (the last 1,000 calls of
-- each system, 90 days). Calls whose cost is not known are left out, and told; an agent of which a price is not known
-- is told with the reason, and is in no sum. It may be less than nothing.
local db = require "ringdown.stats.db"
local json = require "ringdown.json"
local period = require "ringdown.stats.period"
local read = require "ringdown.stats.read"
local today = require "ringdown.stats.today"

local M = {}

local Z, MONTH_DAYS = 1.96, 30

-- By agent and system: calls, those of known cost, these' micro-dollars and minutes, and everybody's minutes.
local sql = [[select coalesce(jsonb_agg(to_jsonb(s) order by agent, system), '[]')::text from (
  select agent, system, count(*) as calls, count(micro_usd) as known, coalesce(sum(micro_usd), 0) as x,
    coalesce(sum(talk_ms) filter (where micro_usd is not null), 0) / 60000.0 as m, sum(talk_ms) / 60000.0 as all_m
  from calls_counted where system in ('openai', 'vapi') and kind = 'real' and outcome <> 'missed'
    and hour >= coalesce($1::timestamptz, $2::date - interval '1 day')
    and hour < coalesce($3::timestamptz, $4::date + interval '1 day')
    and ($2::date is null or local_hour >= $2::date) and ($4::date is null or local_hour < $4::date)
    and ($5::text is null or agent = $5)
    and ($6::jsonb is null or agent = any(array(select jsonb_array_elements_text($6::jsonb))))
  group by agent, system) s]]

local function amount(value, variance)
  local half = Z * math.sqrt(variance)
  return { micro_usd = math.floor(value + 0.5), low_micro_usd = math.floor(value - half + 0.5),
    high_micro_usd = math.floor(value + half + 0.5) }
end

---Of one agent. Pure.
---@param openai table? its row
---@param vapi table?
---@param seen_openai ringdown.stats.seen?
---@param seen_vapi ringdown.stats.seen?
---@param days integer
---@return table so_far
---@return table at_all
function M.weigh(openai, vapi, seen_openai, seen_vapi, days)
  openai, vapi = openai or { calls = 0, known = 0, x = 0, m = 0, all_m = 0 }, vapi or { calls = 0, all_m = 0 }
  local there, there_variance, there_spread = today.price(seen_vapi)
  local here, here_variance = today.price(seen_openai)
  local so_far, at_all = { calls = openai.known, left_out = openai.calls - openai.known },
    { calls = openai.calls + vapi.calls }
  if openai.known == 0 then
    so_far.reason = "no call of known cost was on OpenAI"
  elseif not there then
    so_far.reason = "of Vapi, " .. there_variance
  else
    so_far.variance = openai.m ^ 2 * there_variance + openai.known * there_spread
    so_far.value = there * openai.m - openai.x
  end
  if not there or not here then
    at_all.reason = there and "of OpenAI, " .. here_variance or "of Vapi, " .. there_variance
  else
    local minutes = (openai.all_m + vapi.all_m) * MONTH_DAYS / days
    at_all.value, at_all.variance = (there - here) * minutes, minutes ^ 2 * (there_variance + here_variance)
  end
  return so_far, at_all
end

local function told(part)
  local out = part.value and amount(part.value, part.variance) or {}
  out.calls, out.left_out, out.reason = part.calls, part.left_out, part.reason
  return out
end

-- All agents of which it is known; nil, when it is of none.
local function together(list, name)
  local sum = { calls = 0, value = 0, variance = 0 }
  local n, unknown = 0, {}
  for _, one in ipairs(list) do
    local part = one[name]
    if part.value then
      n, sum.calls = n + 1, sum.calls + part.calls
      sum.value, sum.variance = sum.value + part.value, sum.variance + part.variance
    else
      unknown[#unknown + 1] = one.agent
    end
  end
  if n == 0 then
    sum.value, sum.reason = nil, #list == 0 and "there were no calls" or list[1][name].reason
  elseif #unknown > 0 then
    sum.reason = "without " .. table.concat(unknown, ", ", 1, math.min(#unknown, 5))
  end
  return told(sum)
end

---@param ask { agent: string?, agents: string[]?, since: string?, until: string? }
---@return table answer
function M.read(ask)
  local zone = read.zone(ask)
  local when = period.of(ask.since or "30d", ask["until"], zone)
  local by, names = {}, {}
  for _, row in ipairs(db.must(sql, { when.from or false, when.local_from or false, when.to or false,
    when.local_to or false, ask.agent or false, ask.agents and json.encode(json.array(ask.agents)) or false })) do
    if not by[row.agent] then
      by[row.agent] = {}
      names[#names + 1] = row.agent
    end
    by[row.agent][row.system] = row
  end
  local openai, vapi, list, agents = today.evidence(names, "openai"), today.evidence(names, "vapi"), {}, json.array {}
  for i, name in ipairs(names) do
    local rows = by[name]
    local so_far, at_all = M.weigh(rows.openai, rows.vapi, openai[name], vapi[name], when.days)
    list[i] = { agent = name, so_far = so_far, at_all = at_all }
    local n = (rows.openai and rows.openai.calls or 0) + (rows.vapi and rows.vapi.calls or 0)
    agents[i] = { agent = name, share = rows.openai and rows.openai.calls / n or 0, so_far = told(so_far),
      at_all = told(at_all) }
  end
  return { period = when, zone = zone, agent = ask.agent, so_far = together(list, "so_far"),
    at_all = together(list, "at_all"), agents = agents }
end

return M
