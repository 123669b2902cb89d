-- SPDX-License-Identifier: Apache-2.0
-- emergency.elsewhere: one of an agent's people answers a text, and the emergency it is about is followed up on another
-- node, or by nobody any more. The database knows what the sender was asked; the node that follows it up looks there.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@param def table the agent
---@param from string
---@param body string
---@return boolean taken it was such an answer
function M.confirm(def, from, body)
  if not body:match "^%s*1%s*$" and not body:lower():match "^%s*1%W" then
    return false
  end
  local rows = host.query("select call, rule from triage_asked($1, $2)", { def.name, from }, 5000)
  local row = rows and rows[1]
  if not row then
    return false
  end
  local by = from
  for name, numbers in pairs(def.people) do
    for _, number in ipairs(type(numbers) == "table" and numbers or { numbers }) do
      by = number == from and name or by
    end
  end
  host.fact("triage", json.encode { call = row[1], rule = row[2], state = "handled", by = by })
  return true
end

return M
