-- SPDX-License-Identifier: Apache-2.0
-- budget: how much a call's tools may do. A model in a loop is told so, in words it can act on.
local M = {}

local PER_MINUTE, MINUTE_MS = 40, 60000
local TOOL_TIME_MS = 600000 -- of a whole call

---@class ringdown.budget
local budget = {}
budget.__index = budget

---@return ringdown.budget
function M.new()
  return setmetatable({ times = {}, spent_ms = 0 }, budget)
end

---One more tool call, that may take so long?
---@param now_ms integer
---@param timeout_ms integer
---@return string? refusal nil: go ahead
function budget:take(now_ms, timeout_ms)
  local times = self.times
  while times[1] and times[1] <= now_ms - MINUTE_MS do
    table.remove(times, 1)
  end
  if #times >= PER_MINUTE then
    return "Too many tools were used in the last minute; speak with the caller, and try again in a while."
  elseif self.spent_ms >= TOOL_TIME_MS then
    return "Tools have been used for too long in this call; go on without them, and offer a call back."
  end
  times[#times + 1] = now_ms
  self.spent_ms = self.spent_ms + timeout_ms
end

---It is done, sooner. What breaks or is late stays charged with its whole time.
---@param timeout_ms integer
---@param took_ms integer
function budget:give_back(timeout_ms, took_ms)
  self.spent_ms = self.spent_ms - math.max(0, timeout_ms - took_ms)
end

return M
