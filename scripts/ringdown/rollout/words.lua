-- SPDX-License-Identifier: Apache-2.0
-- rollout.words: what a rollout means, for people: what happens to the next call, how far a stage is.
local plan = require "ringdown.rollout.plan"
local rollout = require "ringdown.rollout"

local M = {}

local DAY = 86400

local systems = { openai = "OpenAI", vapi = "Vapi" }
function M.system(name)
  return systems[name] or tostring(name)
end

---How many of these callers meet OpenAI at such a share.
---@param record table
---@param callers string[]
---@param percent_bp integer
---@return integer
function M.share_of(record, callers, percent_bp)
  local seed, n = rollout.seed(record.agent, record.salt), 0
  for _, number in ipairs(callers) do
    n = n + (rollout.is_on(rollout.bucket(seed, number), percent_bp) and 1 or 0)
  end
  return n
end

local function s_of(n)
  return n == 1 and "" or "s", n == 1 and "s" or ""
end

local function lists(record)
  local text = ""
  if #(record.allow or {}) > 0 then
    text = text .. (" %d named number%s always meet%s OpenAI."):format(#record.allow, s_of(#record.allow))
  end
  if #(record.deny or {}) > 0 then
    text = text .. (" %d named number%s always meet%s Vapi."):format(#record.deny, s_of(#record.deny))
  end
  return text
end

-- Nothing goes before the share.
local function is_everybody(record, own)
  return not own and not record.schedule and #(record.allow or {}) == 0 and #(record.deny or {}) == 0
end

local function split(record, callers, everybody)
  if record.percent_bp == 0 then
    return everybody and "to Vapi, whoever calls." or "to Vapi."
  elseif record.percent_bp >= rollout.WHOLE then
    return everybody and "to OpenAI, whoever calls." or "to OpenAI."
  elseif record.unit == "call" then
    return ("to OpenAI with a chance of %s, else to Vapi."):format(plan.show(record.percent_bp))
  elseif not callers or #callers == 0 then
    return ("to OpenAI for %s of callers, for the others to Vapi; who they are does not change."):format(
      plan.show(record.percent_bp))
  end
  return ("to OpenAI for %s of callers: %d of the %d who called within the last week; the others meet Vapi."):format(
    plan.show(record.percent_bp), M.share_of(record, callers, record.percent_bp), #callers)
end

-- What goes before the share.
local function exceptions(record, own)
  local text = lists(record)
  if own then
    text = text .. " The agent's own routing function is asked before that; where it says something, that counts."
  end
  if record.schedule then
    text = text .. " Outside of its schedule they meet Vapi."
  end
  return text
end

local function nobody(record, own)
  local whom = {}
  whom[#whom + 1] = #(record.allow or {}) > 0 and "the named numbers" or nil
  whom[#whom + 1] = own and "those whom the agent's own routing function picks" or nil
  return ("to Vapi, whoever calls%s: it was rolled back."):format(whom[1] and ", also " .. table.concat(whom, " and ")
    or "")
end

-- No plan is in force: the agent's file counts, and where that says nothing, all calls go to OpenAI.
local function of_file(record, o)
  local begins = "this plan has not begun (ringdown rollout start)"
  local bp = require("ringdown.rollout.agents").share_without(o.agent)
  if not bp then
    return ("where the agent's file says: %s."):format(begins)
  end
  local as_file = { agent = record.agent, percent_bp = bp, unit = "caller" }
  return ("%s That is what the agent's file says: %s."):format(split(as_file, o.callers, true), begins)
end

---What happens to the next call of this agent.
---@param record table
---@param o { force: table?, callers: string[]?, agent: ringdown.rollout.agent? }
---@return string
function M.next_call(record, o)
  local head = ("The next call of %s goes "):format(record.agent)
  local force = o.force and o.force.system
  if force == "openai" or force == "vapi" then
    return ("%sto %s, like those of all agents that can: the force switch is on (ringdown force off)."):format(head,
      M.system(force))
  elseif record.kill or record.state == "killed" then
    return ("%sto Vapi: it is forced there (ringdown force off --agent %s)."):format(head, record.agent)
  elseif record.mode ~= "split" then
    return ("%sto %s: it is forced there (ringdown force off --agent %s)."):format(head, M.system(record.mode),
      record.agent)
  elseif record.state == "draft" then
    return head .. of_file(record, o)
  end
  local own = o.agent and o.agent.own
  if record.state == "rolled_back" and record.percent_bp == 0 then
    return head .. nobody(record, own)
  end
  return head .. split(record, o.callers, is_everybody(record, own)) .. exceptions(record, own)
end

---The agent's file begins with another share than the rollout has now.
---@param record table
---@param file_bp integer?
---@return string? line
function M.differs(record, file_bp)
  if not file_bp or file_bp == record.percent_bp or record.state == "draft" then
    return nil
  end
  return ("  file      says %s, the rollout %s: the rollout is what counts"):format(plan.show(file_bp),
    plan.show(record.percent_bp))
end

local function time(seconds)
  if seconds >= 2 * DAY then
    return ("%.1f days"):format(seconds / DAY)
  elseif seconds >= 7200 then
    return ("%.1f hours"):format(seconds / 3600)
  end
  local minutes = math.ceil(seconds / 60)
  return ("%d minute%s"):format(minutes, minutes == 1 and "" or "s")
end
M.time = time

-- When there will be so many calls, if they go on coming as they did.
local function eta(have, want, seconds)
  if have >= want then
    return ""
  elseif have == 0 or seconds < 60 then
    return ", none so far"
  end
  return (", about %s more"):format(time(seconds * (want - have) / have))
end

---How far a stage is.
---@param e table evidence
---@return string[] lines
function M.progress(e)
  local record, lines = e.record, {}
  if record.state ~= "running" and record.state ~= "paused" or record.percent_bp == 0 then
    return lines
  end
  local wants = plan.wants(record)
  local canary, baseline = e.arms.openai or {}, e.arms.vapi or {}
  local watched = math.max(e.baked_s or 0, 1)
  lines[1] = ("  time      %s of %s"):format(time(e.baked_s or 0), time(wants.bake_s or 0))
  lines[2] = ("  OpenAI    %d of %d calls%s"):format(canary.n or 0, wants.min_canary,
    eta(canary.n or 0, wants.min_canary, watched))
  if record.percent_bp < rollout.WHOLE then
    lines[3] = ("  Vapi      %d of %d calls%s"):format(baseline.n or 0, wants.min_baseline,
      eta(baseline.n or 0, wants.min_baseline, watched))
  end
  return lines
end

local verdicts = {
  rollback = "must go back", hold = "must be held", failing = "something fails; the next twenty calls decide",
  insufficient = "too few calls to say", inconclusive = "not sure yet", pass = "good so far; its time is not over",
  ready = "ready for the next stage: ringdown rollout advance",
}

---@param verdict { verdict: string, findings: table[] }
---@return string[] lines
function M.verdict(verdict)
  local lines = { "  guards    " .. (verdicts[verdict.verdict] or verdict.verdict) }
  for _, f in ipairs(verdict.findings) do
    lines[#lines + 1] = ("    %-12s %s"):format(f.verdict, f.text)
  end
  return lines
end

---@param record table
---@return string[] lines
function M.stages(record)
  local at = plan.at(record)
  local lines = {}
  for i, stage in ipairs(plan.stages(record)) do
    local baseline = (stage.min_baseline or 0) > 0 and (", %d on Vapi"):format(stage.min_baseline) or ""
    local wants = stage.bake_s and ("at least %s, %d calls on OpenAI%s"):format(time(stage.bake_s),
      stage.min_canary or 0, baseline) or "for named numbers only"
    lines[i] = ("  %s %-8s %-6s %s"):format(i == at and record.state ~= "draft" and ">" or " ", stage.name,
      plan.show(stage.percent_bp), wants)
  end
  return lines
end

return M
