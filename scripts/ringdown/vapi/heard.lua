-- SPDX-License-Identifier: Apache-2.0
-- vapi.heard: the errand `vapi_heard`: a caller on Vapi said something, and triage hears it. The agent's hooks do not:
-- they belong to calls of our own.
local desk = require "ringdown.vapi.desk"

local M = {}

---@param p table
function M.run(p)
  if type(p.words) == "string" and p.words ~= "" then
    desk.hear(p, p.words)
  end
end

return M
