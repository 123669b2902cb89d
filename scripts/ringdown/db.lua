-- SPDX-License-Identifier: Apache-2.0
-- db: SQL for agents: the tables that `needs.tables` declares, and nothing else in the database.
--
--   local db = require "ringdown.db"
--   local row = db.one("select price from price_list where what = $1", args.what)
--
-- Values always go as parameters ($1, $2…), never into the text. At most 500 rows and 1 MiB, 2 seconds. What goes
-- wrong raises, so that the tool's `failed` sentence is told and nobody takes an outage for "no such row".
local host = require "ringdown.host"
local json = require "ringdown.json"

local M = {}

local statements = { select = true, insert = true, update = true, delete = true, with = true, values = true }

local INTEGERS = { [20] = true, [21] = true, [23] = true }
local FLOATS, JSONS = { [700] = true, [701] = true }, { [114] = true, [3802] = true }
local BOOLEAN = 16

local function value_of(text, kind)
  if text == false then
    return nil
  elseif INTEGERS[kind] then
    return math.tointeger(tonumber(text))
  elseif FLOATS[kind] then
    return tonumber(text)
  elseif kind == BOOLEAN then
    return text == "t"
  elseif JSONS[kind] then
    return (json.decode(text))
  end
  return text
end

local function parameter(value, i)
  if type(value) == "table" then
    local text, why = json.encode(value)
    if not text then
      error(("parameter %d: %s"):format(i, why), 4)
    end
    return text
  elseif value == nil then
    return false
  elseif value == false then
    return "false"
  elseif type(value) == "number" or type(value) == "string" or value == true then
    return value
  end
  error(("parameter %d is a %s; allowed: text, number, true, false, nil, table"):format(i, type(value)), 4)
end

local function ask(sql, ...)
  if type(sql) ~= "string" then
    error("the first argument must be SQL as a text", 3)
  end
  local word = sql:gsub("%-%-[^\n]*", " "):match("^[%s(]*(%a+)")
  if not word or not statements[word:lower()] then
    error("db runs select, insert, update, delete and with; nothing else", 3)
  end
  local params = {}
  for i = 1, select("#", ...) do
    params[i] = parameter((select(i, ...)), i)
  end
  local rows, columns, n = host.db(sql, params)
  if not rows then
    local why, code = columns, n
    local is = code == "down" and "is down" or code == "busy" and "is busy" or ("refused (%s)"):format(tostring(code))
    error(("the database %s: %s"):format(is, tostring(why)), 3)
  end
  return rows, columns, n
end

local function row_of(cells, columns)
  local row = {}
  for i, column in ipairs(columns) do
    row[column[1]] = value_of(cells[i], column[2])
  end
  return row
end

---The first row as a table by column, or nil when there is none. Columns that are null are absent; whole numbers,
---numbers, booleans and JSON come as such, everything else (numeric, dates) as text.
---@param sql string with $1, $2… for the parameters
---@param ... string|number|boolean|table|nil parameters; a table goes as JSON
---@return table<string, any>? row
function M.one(sql, ...)
  local rows, columns = ask(sql, ...)
  return rows[1] and row_of(rows[1], columns) or nil
end

---All rows, each a table by column; an empty list when there are none.
---@param sql string with $1, $2… for the parameters
---@param ... string|number|boolean|table|nil parameters
---@return table<string, any>[] rows
function M.all(sql, ...)
  local rows, columns = ask(sql, ...)
  local out = json.array {}
  for i, cells in ipairs(rows) do
    out[i] = row_of(cells, columns)
  end
  return out
end

---Runs a statement for its effect; use it in tools with effect = "write".
---@param sql string with $1, $2… for the parameters
---@param ... string|number|boolean|table|nil parameters
---@return integer rows how many were changed
function M.exec(sql, ...)
  local _, _, n = ask(sql, ...)
  return n
end

return M
