-- SPDX-License-Identifier: Apache-2.0
-- numbers.db: questions to the database, whose answers are JSON. What it does not do is raised, with words.
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

---@param sql string whose first column is JSON, or null
---@param params any[]?
---@return any value nil: null, or no row
function M.ask(sql, params)
  local rows, why, code = host.query(sql, params or {})
  if not rows then
    error(code == "down" and ("the database is away (%s): nothing more is changed; ringdown db status tells why")
      :format(why) or ("the database refused it: %s"):format(why), 0)
  end
  return rows[1] and rows[1][1] and json.decode(rows[1][1]) or nil
end

---Is it there at all?
---@return boolean
---@return string? why
function M.is_there()
  local rows, why = host.query("select 1", {})
  return rows ~= nil, why
end

return M
