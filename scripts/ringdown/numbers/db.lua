-- SPDX-License-Identifier: Apache-2.0
-- numbers.db: questions to the database, whose answers are JSON. What it does not do is raised, with words.
local host = require "ringdown.host"
local json = require "ringdown.json"
local sqlstate = require "ringdown.sqlstate"

local M = {}

---Somebody else was there first: what a unique index says no to.
M.TAKEN = "23505"

---@param sql string whose first column is JSON, or null
---@param params any[]?
---@param may_be_taken boolean? then a unique index may say no
---@return any value nil: null, or no row
---@return any code M.TAKEN
function M.ask(sql, params, may_be_taken)
  local rows, why, code = host.query(sql, params or {})
  if not rows and may_be_taken and code == M.TAKEN then
    return nil, code
  elseif not rows then
    error(sqlstate.complaint(why, code, ": nothing more is changed"), 0)
  end
  return rows[1] and rows[1][1] and json.decode(rows[1][1]) or nil
end

local PART = 100 -- a question may not be longer than 256 KiB

---A long list in parts.
---@param list table[]
---@return fun(): table[]?
function M.parts(list)
  local from = 1
  return function()
    if from > #list then
      return nil
    end
    local part = require("ringdown.json").array(table.move(list, from, math.min(from + PART - 1, #list), 1, {}))
    from = from + PART
    return part
  end
end

---Is it there at all?
---@return boolean
---@return string? why
function M.is_there()
  local rows, why = host.query("select 1", {})
  return rows ~= nil, why
end

return M
