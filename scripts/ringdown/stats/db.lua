-- SPDX-License-Identifier: Apache-2.0
-- stats.db: questions whose answer is one JSON value. There are no statistics without the database, so one that is
-- away is raised, with what to do.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sqlstate = require "ringdown.sqlstate"

local M = {}

local ANSWER_MS = 20000

---@param sql string whose first column is JSON, or null
---@param params any[]?
---@param answer_ms integer? how long it may take
---@return any value nil: null, or no row
function M.must(sql, params, answer_ms)
  local rows, why, code = host.query(sql, params or {}, answer_ms or ANSWER_MS)
  if not rows then
    error(sqlstate.complaint(why, code, ", and this needs it"), 0)
  end
  local text = rows[1] and rows[1][1]
  return text and json.decode(text) or nil
end

return M
