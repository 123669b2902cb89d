-- SPDX-License-Identifier: Apache-2.0
-- api.db: questions of the admin API to the database, as Ringdown itself. Each is one statement, so that a change
-- and its row in the audit are made together; its first column is JSON. What the database says is told as a problem:
-- away or busy is 503, a value that it does not take is 422 (shapes catch nearly all of them before), all else is
-- our mistake. Parameters are texts and numbers; false is null, so a truth is written "true" or "false".
local host = require "ringdown.host"
local json = require "ringdown.json"
local problem = require "ringdown.api.problem"
local sqlstate = require "ringdown.sqlstate"

local M = {}

local ANSWER_MS = 8000 -- a request has ten seconds

local function refuse(why, code)
  problem.of_database(sqlstate.kind(code), why)
  error(("the database refused it: %s (%s)"):format(why, code), 0)
end

---@param sql string
---@param params any[]?
---@param expected string? an SQLSTATE that is an answer
---@return string[][]? rows nil: the expected one
---@return string? why
function M.rows(sql, params, expected)
  local rows, why, code = host.query(sql, params or {}, ANSWER_MS)
  if not rows then
    if code == expected then
      return nil, why
    end
    refuse(tostring(why), tostring(code))
  end
  return rows
end

---The first column of the first row, decoded; nil: null, or no row, or the expected SQLSTATE.
---@param sql string
---@param params any[]?
---@param expected string?
---@return any value
---@return string? why the expected SQLSTATE
function M.ask(sql, params, expected)
  local rows, why = M.rows(sql, params, expected)
  local text = rows and rows[1] and rows[1][1]
  return text and json.decode(text) or nil, why
end

---A list of texts as an array of PostgreSQL; nil is null.
---@param list string[]?
---@return string|false
function M.array(list)
  if not list then
    return false
  end
  local parts = {}
  for i, item in ipairs(list) do
    parts[i] = '"' .. item:gsub('[\\"]', "\\%0") .. '"'
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

return M
