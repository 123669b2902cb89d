-- SPDX-License-Identifier: Apache-2.0
-- operations.timed: what the node shall do by itself, and how often: its runtime asks once, at the start.
local operations = require "ringdown.operations"

local M = {}

---@return table<string, ringdown.operations.timed>
function M.run()
  return operations.timed
end

return M
