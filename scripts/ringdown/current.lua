-- SPDX-License-Identifier: Apache-2.0
-- current: which agent this VM is, and which call it has now. A VM has one of each; specs have many calls, so
-- a session says which one it is whenever it is entered.
local M = {}

---@type table the agent, as the call's site makes it
M.def = nil
---@type ringdown.call
M.call = nil

---@param session ringdown.session
function M.enter(session)
  M.def, M.call = session.def, session.call
end

return M
