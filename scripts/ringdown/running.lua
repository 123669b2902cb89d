-- SPDX-License-Identifier: Apache-2.0
-- running: may a piece of work still be going on? It has come to its end, or its time is over.
--
-- A task that breaks or is given up closes nothing in a live call (its stack is kept for the traceback): what it had
-- begun is taken for running until its time is over.
local host = require "ringdown.host"

local M = {}

local mark = { __close = function(self)
  self.over = true
end }

---@class ringdown.running
---@field until_ms integer it has no longer than that
---@field over boolean

---@param time_ms integer how long it may take
---@return ringdown.running
function M.begin(time_ms)
  return setmetatable({ until_ms = host.now_ms() + time_ms, over = false }, mark)
end

---@param one ringdown.running?
---@return boolean
function M.is(one)
  return one ~= nil and not one.over and host.now_ms() < one.until_ms
end

return M
