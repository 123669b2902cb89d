-- SPDX-License-Identifier: Apache-2.0
-- rollout.preview: who would change sides: of the callers of the last week, those that meet another system at another
-- share or with another salt. Nothing is changed. Named numbers stay where their list has them; but what is forced now
-- is forced for them as well, and then they come back to their list's side.
local agents = require "ringdown.rollout.agents"
local plan = require "ringdown.rollout.plan"
local rollout = require "ringdown.rollout"

local M = {}

local function set_of(list)
  local set = {}
  for _, number in ipairs(list or {}) do
    set[number] = true
  end
  return set
end

-- A stage's name, or a share as people write it.
local function share_of(record, to)
  for _, stage in ipairs(plan.stages(record)) do
    if stage.name == to then
      return stage.percent_bp
    end
  end
  return plan.percent(to)
end

-- What callers meet now, whatever is planned: basis points; nil: the agent's own function says, or its file does not
-- load.
local function share_now(record, o)
  local force = o.force and o.force.system
  local system = (force == "openai" or force == "vapi") and force
    or (record.kill or record.state == "killed") and "vapi"
    or record.mode ~= "split" and record.mode
  if system then
    return system == "openai" and 10000 or 0, true
  elseif record.state == "draft" then
    return agents.share_without(o.agent), false
  end
  return record.percent_bp, record.state == "rolled_back" -- whoever calls then, the named numbers as well
end

---@param record table
---@param callers string[] of the last week
---@param to string a stage or a share; "" stays as it is
---@param salt string? another one
---@param o { force: table?, agent: ringdown.rollout.agent? }
---@return table? moves from_bp, to_bp, callers, to_openai, to_vapi: lists of numbers
---@return string? why not
function M.moves(record, callers, to, salt, o)
  local now, is_forced = share_now(record, o)
  local bp, why = now, nil
  if not now then
    return nil, "where callers go now cannot be said: the agent's own function decides, or its file does not load"
  elseif to ~= "" then
    bp, why = share_of(record, to)
  end
  if not bp then
    return nil, why
  end
  local allow, deny = set_of(record.allow), set_of(record.deny)
  local seed, next_seed = rollout.seed(record.agent, record.salt), rollout.seed(record.agent, salt or record.salt)
  local moves = { from_bp = now, to_bp = bp, callers = #callers, to_openai = {}, to_vapi = {} }
  for _, number in ipairs(callers) do
    local before = rollout.is_on(rollout.bucket(seed, number), now)
    local after = rollout.is_on(rollout.bucket(next_seed, number), bp)
    if (allow[number] or deny[number]) and is_forced and to ~= "" then
      after = not deny[number]
    elseif allow[number] or deny[number] then
      after = before
    end
    local list = before ~= after and (after and moves.to_openai or moves.to_vapi)
    if list then
      list[#list + 1] = number
    end
  end
  return moves
end

return M
