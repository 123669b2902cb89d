-- SPDX-License-Identifier: Apache-2.0
-- vapi.heard: the errand `vapi_heard`: a caller on Vapi said something, and triage hears it. The agent's hooks do not:
-- they belong to calls of our own. That words come at all is a fact of the call, once: it tells whether anybody here
-- would know of an emergency on Vapi.
local desk = require "ringdown.vapi.desk"
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@param p table
function M.run(p)
  if type(p.words) == "string" and p.words ~= "" then
    desk.hear(p, p.words)
    if host.first(p.call .. " heard") then
      host.fact("vapi", json.encode { vapi_id = p.vapi_id, seen_by = "webhook", heard = true })
    end
  end
end

return M
