-- SPDX-License-Identifier: Apache-2.0
-- rollout.watch: the operation `guards`: looks at every rollout that runs, once a minute on the node that leads, and
-- does what its guards say: goes back, holds, says that it is ready, goes on where the plan lets it.
--
-- Two that look at the same time: each change is made from the version that was looked at, so one of them is made.
-- One agent whose evidence cannot be had keeps no other from being looked at.
local guards = require "ringdown.rollout.guards"
local host = require "ringdown.host"
local json = require "ringdown.json"
local plan = require "ringdown.rollout.plan"
local states = require "ringdown.rollout.states"
local store = require "ringdown.rollout.store"

local M = {}

local WHOLE = 10000

local watched_sql = [[select coalesce(jsonb_agg(jsonb_build_object('agent', agent, 'state', state, 'reason', reason,
    'updated_by', updated_by, 'watched',
    state in ('running', 'paused', 'rolled_back') and mode = 'split' and not kill and percent_bp > 0)
    order by agent), '[]')::text from rollout_now where $1::text is null or agent = $1]]

---@param e table as rollout.store has it
---@return table verdict
function M.judge(e)
  local wants = plan.wants(e.record)
  local canary = e.arms.openai or { calls = 0, n = 0, callers = 0, metrics = {} }
  canary.emergencies = e.emergencies
  local is_last = e.record.percent_bp >= WHOLE
  return guards.evaluate({ percent_bp = e.record.percent_bp, bake_s = wants.bake_s, baked_s = e.baked_s,
    min_canary = wants.min_canary, min_baseline = wants.min_baseline, canary = canary,
    baseline = not is_last and e.arms.vapi or nil, usual = e.usual }, e.last and e.last.look)
end

local function reason_of(verdict)
  for _, f in ipairs(verdict.findings) do
    if f.verdict == verdict.verdict then
      return f.text, f.guard
    end
  end
  return verdict.verdict, verdict.verdict
end

---What the audit has of a verdict: the numbers of each guard.
---@param verdict table
---@return table
function M.evidence_of(verdict)
  local numbers = {}
  for _, f in ipairs(verdict.findings) do
    if f.numbers then
      numbers[f.guard] = f.numbers
    end
  end
  return numbers
end

-- What the verdict asks for, as a command; nil: nothing.
local function wanted(record, verdict)
  if verdict.verdict == "rollback" then
    return "rollback"
  elseif record.state ~= "running" then
    return nil
  elseif verdict.verdict == "hold" then
    return "hold"
  elseif verdict.verdict == "ready" and record.auto_advance then
    return "advance"
  end
end

local function tell_people(agent, what, text)
  if what == "rollback" then
    host.alarm("critical", "rollout.rolled_back", agent, text)
  elseif what == "hold" then
    host.alarm("critical", "rollout.held", agent, text)
  end
end

-- Does it; the record as it is then, when it was done.
---@return table?
local function act(e, verdict, what)
  local record = e.record
  local text, guard = reason_of(verdict)
  local next_one = states.apply(record, { command = what, who = states.GUARDS, guard = guard, ready = true })
  if not next_one then
    return nil -- the last step is a person's
  end
  local made = store.change(next_one, record.version, { who = states.GUARDS, reason = text, what = what,
    evidence = M.evidence_of(verdict) })
  if not made then
    return nil
  end
  tell_people(record.agent, what, ("%s: %s"):format(record.agent, text))
  return next_one
end

local what_of = { paused = "hold", rolled_back = "rollback" }

-- An alarm is about the state that a rollout is in: whoever brings it into another has seen it. What the guards did is
-- told again by whoever leads now: the node that did it may be gone.
---@param record { agent: string, state: string, updated_by: string?, reason: string? }
---@param is_ready boolean?
local function calm(record, is_ready)
  if record.updated_by == states.GUARDS and what_of[record.state] then
    tell_people(record.agent, what_of[record.state], ("%s: %s"):format(record.agent, record.reason or "its guards"))
  end
  if record.state ~= "paused" then
    host.alarm_over("rollout.held", record.agent)
  end
  if record.state ~= "rolled_back" then
    host.alarm_over("rollout.rolled_back", record.agent)
  end
  if is_ready and record.state == "running" then
    host.alarm("warning", "rollout.ready", record.agent, record.agent .. ": every guard passes, and its time is over")
  else
    host.alarm_over("rollout.ready", record.agent)
  end
end

local function look(agent)
  local e = store.evidence(agent)
  if not e then
    return nil
  end
  local record, verdict = e.record, M.judge(e)
  local what = wanted(record, verdict)
  local next_one = what and act(e, verdict, what)
  local done = next_one ~= nil
  calm(next_one or record, verdict.verdict == "ready" and not done)
  store.check_put { agent = agent, version = record.version, stage = record.stage, since = record.since,
    baked_s = e.baked_s, verdict = verdict.verdict, canary = e.arms.openai and e.arms.openai.n or 0,
    baseline = e.arms.vapi and e.arms.vapi.n or 0, look = verdict.look, findings = json.array(verdict.findings),
    action = done and what or nil }
  return { agent = agent, verdict = verdict.verdict, action = done and what or nil,
    why = done and reason_of(verdict) or nil }
end

local function look_safely(agent)
  local ok, result = pcall(look, agent)
  if not ok then
    host.alarm("warning", "rollout.not_judged", agent, ("%s: %s"):format(agent, tostring(result)))
    return nil
  elseif result then
    host.alarm_over("rollout.not_judged", agent)
  end
  return result
end

---@param payload { agent: string? } nil: all
---@return table result
function M.run(payload, tell)
  local records, why, code = store.ask(watched_sql, { payload.agent or false })
  if code then
    tell { note = "the database is away: " .. tostring(why) }
    return { looked_at = json.array {} }
  end
  local seen = json.array {}
  for _, record in ipairs(records or {}) do
    if host.stopping() then
      break
    elseif record.watched then
      seen[#seen + 1] = look_safely(record.agent)
    else
      calm(record)
      host.alarm_over("rollout.not_judged", record.agent)
    end
  end
  return { looked_at = seen }
end

return M
