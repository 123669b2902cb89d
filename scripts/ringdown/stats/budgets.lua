-- SPDX-License-Identifier: Apache-2.0
-- stats.budgets: the operation `budgets`: what calls have cost today against what they may. The node that leads looks
-- every few seconds; all nodes follow what it found (gateway/budget.c): at the cap new calls hear the fallback, a call
-- that has cost what it may is ended as one that has been as long as it may. Never one with an open emergency.
local db = require "ringdown.stats.db"
local draw = require "ringdown.stats.draw"
local host = require "ringdown.host"
local json = require "ringdown.json"
local judge = require "ringdown.health.judge"

local M = {}

local ALL = "*"

-- What agents' files say, in micro-dollars.
local function of_files()
  local files = {}
  for _, one in ipairs((host.agents())) do
    local budget = (json.decode(one.shown or "{}") or {}).budget
    if budget then
      files[one.name] = { day = budget.day and math.floor(budget.day * 1000000 + 0.5),
        call = budget.call and math.floor(budget.call * 1000000 + 0.5) }
    end
  end
  return files
end

local function words(s)
  return ("%s: %s of %s are spent today"):format(s.agent == ALL and "all agents" or s.agent,
    draw.usd(s.spent_micro_usd), draw.usd(s.cap_micro_usd))
end

-- An alarm for each that is near or over, and none for others, nor for those that have no cap any more.
local function tell_people(states)
  local capped = {}
  for _, s in ipairs(states) do
    capped[s.agent] = true
    if s.state == "over" then
      host.alarm("critical", "cost.over_cap", s.agent, words(s)
        .. "; new calls hear the fallback until the day is over")
      host.alarm_over("cost.near_cap", s.agent)
    elseif s.state == "near" then
      host.alarm("warning", "cost.near_cap", s.agent, words(s))
      host.alarm_over("cost.over_cap", s.agent)
    else
      host.alarm_over("cost.near_cap", s.agent)
      host.alarm_over("cost.over_cap", s.agent)
    end
  end
  judge.forget("cost.near_cap", capped)
  judge.forget("cost.over_cap", capped)
end

-- The same of calls that go on.
local function tell_dear_calls(calls)
  local there = {}
  for _, c in ipairs(calls) do
    there[c.call] = true
    host.alarm("warning", "cost.call_near_cap", c.call, ("%s: a call has cost %s of the %s that one may; then it ends")
      :format(c.agent, draw.usd(c.spent_micro_usd), draw.usd(c.cap_micro_usd)))
  end
  judge.forget("cost.call_near_cap", there)
end

---@return table[] states
function M.look()
  return json.array(db.must("select budget_look($1::jsonb)::text", { json.encode(of_files()) }))
end

---The operation of the node that leads.
function M.run()
  local states = M.look()
  tell_people(states)
  tell_dear_calls(db.must("select budget_calls_near($1::jsonb)::text", { json.encode(of_files()) }))
  return { states = states }
end

-- ── what may be spent ───────────────────────────────────────────────────────────────────────────

local caps_sql = [[select coalesce(jsonb_agg(jsonb_build_object('agent', nullif(k.agent, '*'), 'day_micro_usd', k.day,
    'call_micro_usd', k.each_call, 'version', budget_seen(k.agent), 'set_by', b.who, 'set_at', b.at,
    'spent_micro_usd', s.spent_micro_usd, 'unknown_calls', s.unknown_calls, 'state', s.state, 'until', s.until,
    'looked_at', s.at)
    order by k.agent <> '*', k.agent), '[]')::text
  from budget_caps($1::jsonb) k left join budgets b on b.agent = k.agent
    left join budget_states s on s.agent = k.agent and s.until > now()
  where $2::jsonb is null or k.agent = any(array(select jsonb_array_elements_text($2::jsonb)))]]

---What each agent may cost, who set it (nobody: its file), and what is spent today, as the leader saw it last.
---@param agents string[]? the ones that may be seen; nil: all
---@return table[]
function M.caps(agents)
  return json.array(db.must(caps_sql, { json.encode(of_files()), agents and json.encode(json.array(agents)) or false }))
end

---@param agent string? nil: all together
---@param day integer? micro-dollars; neither: what its file says holds
---@param call integer?
---@param who string
---@param o { version: string?, dry_run: boolean? }? version: only from this one, as M.seen() says
---@return { changed: boolean?, was: table?, stale: boolean? } was: what was set here
function M.put(agent, day, call, who, o)
  o = o or {}
  return db.must("select budget_put($1, $2::bigint, $3::bigint, $4, $5, $6::boolean)::text", { agent or ALL,
    day or false, call or false, who, o.version or false, tostring(o.dry_run == true) })
end

---What is set of an agent here, as a version of it; "0": nothing.
---@param agent string? nil: all together
---@return string
function M.seen(agent)
  return db.must("select to_json(budget_seen($1))::text", { agent or ALL })
end

-- ── what people set ─────────────────────────────────────────────────────────────────────────────

local function micro_of(option, text)
  if not text then
    return nil
  end
  local dollars = text:match "^%$?(%d+%.?%d?%d?)$"
  local micro = dollars and math.floor(tonumber(dollars) * 1000000 + 0.5)
  if not micro or micro < 1 or micro > 1000000000000 then
    error(("--%s '%s' is no amount; write dollars like 25 or 2.50"):format(option, tostring(text):sub(1, 40)), 0)
  end
  return micro
end

local function whom(word)
  if not word then
    error("whose? an agent, or all: ringdown cost caps set all --day 100", 0)
  elseif word == "all" or word == ALL then
    return ALL
  end
  return require("ringdown.rollout.agents").one(word).name
end

local actions = {}

function actions.set(payload, tell)
  local agent = whom(payload.words[2])
  local day, call = micro_of("day", payload.day), micro_of("call", payload.call)
  if not day and not call then
    error("how much? --day DOLLARS, --call DOLLARS", 0)
  end
  M.put(agent, day, call, host.who())
  tell { text = ("%s: %s%s%s. At 80 %% somebody is told; then new calls hear the fallback, and nobody's call with an "
    .. "emergency is ended."):format(agent == ALL and "all agents together" or agent,
    day and draw.usd(day) .. " a day" or "", day and call and ", " or "", call and draw.usd(call) .. " a call" or "") }
end

function actions.clear(payload, tell)
  local agent = whom(payload.words[2])
  M.put(agent, nil, nil, host.who())
  tell { text = ("%s: nothing is set here any more; what the file of an agent says holds."):format(
    agent == ALL and "all agents together" or agent) }
end

---`ringdown cost caps`, caps set, caps clear.
---@return table result
function M.command(payload, tell)
  local word = payload.words[1]
  if word then
    local action = actions[word] or error(("'%s' is not possible here; %s"):format(word:sub(1, 40),
      require("ringdown.nearest").hint(word, { "set", "clear" })), 0)
    action(payload, tell)
  end
  local states = M.look()
  if #states == 0 and not word then
    tell { text = "No agent has a cap; ringdown cost caps set AGENT --day DOLLARS, or budget = { day = 25 } in its "
      .. "file" }
  end
  for _, s in ipairs(states) do
    tell { text = ("%-24s %10s of %-10s %5.1f %%  %s%s"):format(s.agent == ALL and "all agents" or s.agent,
      draw.usd(s.spent_micro_usd), draw.usd(s.cap_micro_usd), s.spent_micro_usd / s.cap_micro_usd * 100, s.state,
      s.unknown_calls > 0 and (", and what %d calls cost is not all known"):format(s.unknown_calls) or "") }
  end
  return { caps = states }
end

return M
