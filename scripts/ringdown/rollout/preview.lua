-- SPDX-License-Identifier: Apache-2.0
-- rollout.preview: who would change sides: of the callers of the last week, those that meet another system at another
-- share or with another salt. Nothing is changed. Named numbers stay where their list has them.
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

---@param record table
---@param callers string[] of the last week
---@param to string a stage or a share; "" stays as it is
---@param salt string? another one
---@return table? moves from_bp, to_bp, callers, to_openai, to_vapi: lists of numbers
---@return string? why not
function M.moves(record, callers, to, salt)
  local bp, why = record.percent_bp, nil
  if to ~= "" then
    bp, why = share_of(record, to)
  end
  if not bp then
    return nil, why
  end
  local named = set_of(record.allow)
  for number in pairs(set_of(record.deny)) do
    named[number] = true
  end
  local seed, next_seed = rollout.seed(record.agent, record.salt), rollout.seed(record.agent, salt or record.salt)
  local share = record.state == "draft" and 0 or record.percent_bp
  local moves = { from_bp = share, to_bp = bp, callers = #callers, to_openai = {}, to_vapi = {} }
  for _, number in ipairs(callers) do
    local before = rollout.is_on(rollout.bucket(seed, number), share)
    local after = rollout.is_on(rollout.bucket(next_seed, number), bp)
    local list = not named[number] and before ~= after and (after and moves.to_openai or moves.to_vapi)
    if list then
      list[#list + 1] = number
    end
  end
  return moves
end

return M
