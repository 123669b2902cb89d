-- SPDX-License-Identifier: Apache-2.0
-- The database of ringdown.fake.host.
local M = require "ringdown.fake.host_base"

M.on_reset(function()
  ---What was asked, newest last: { sql, params }. Set database_down to a text: it does not answer.
  M.queries, M.database_down = {}, nil
  ---{ part, answer }: the newest whose part stands in the SQL answers. It is a list of rows, or a
  ---function (params) that returns one, or nil, why, SQLSTATE.
  M.query_handlers = {}
  M.db_handlers = {} -- the same for the agent's own SQL, its rows by column
end)

-- As text, as PostgreSQL would send it.
local function cell(value)
  if value == true then
    return "t"
  end
  return value ~= false and value ~= nil and tostring(value) or false
end

local function as_rows(list)
  local rows = {}
  for i, row in ipairs(list) do
    rows[i] = {}
    for column = 1, row.n or #row do
      rows[i][column] = cell(row[column])
    end
  end
  return rows
end

local function answer_of(sql, params)
  for i = #M.query_handlers, 1, -1 do
    local handler = M.query_handlers[i]
    if sql:find(handler.part, 1, true) then
      if type(handler.answer) == "function" then
        return handler.answer(params)
      end
      return handler.answer
    end
  end
  local rows = require("ringdown.fake.texts").answer(sql, params)
  if rows then
    return rows
  end
  return require("ringdown.fake.database").answer(sql, params)
end

local function kind_of(value)
  if math.type(value) == "integer" then
    return 20
  elseif type(value) == "number" then
    return 701
  end
  return type(value) == "boolean" and 16 or type(value) == "table" and 3802 or 25
end

local function text_of(value)
  if type(value) == "table" then
    return (require("ringdown.json").encode(value))
  elseif value == false then
    return "f"
  end
  return cell(value)
end

-- Columns sorted by name, because a table has no order.
local function as_table(list)
  local columns, seen, rows = {}, {}, {}
  for _, row in ipairs(list) do
    for name, value in pairs(row) do
      if not seen[name] then
        seen[name] = true
        columns[#columns + 1] = { name, kind_of(value) }
      end
    end
  end
  table.sort(columns, function(a, b)
    return a[1] < b[1]
  end)
  for i, row in ipairs(list) do
    rows[i] = {}
    for column, about in ipairs(columns) do
      rows[i][column] = row[about[1]] ~= nil and text_of(row[about[1]])
    end
  end
  return rows, columns, #list
end

---The agent's own SQL: rows, columns as { name, type }, how many; or nil, why, code.
function M.db(sql, params)
  M.queries[#M.queries + 1] = { sql = sql, params = params }
  local known = M.recorded and M.recorded("db", sql, params)
  if known then
    return table.unpack(known, 1, 3)
  end
  if M.database_down then
    return nil, M.database_down, "down"
  end
  for i = #M.db_handlers, 1, -1 do
    local handler = M.db_handlers[i]
    if sql:find(handler.part, 1, true) then
      local rows, why, code = handler.answer, nil, nil
      if type(rows) == "function" then
        rows, why, code = rows(params)
      end
      if not rows then
        return nil, why, code
      end
      return as_table(rows)
    end
  end
  return nil, "tell the answer by fake.db: " .. sql, "0A000"
end

---Rows as lists of texts, false for null; or nil, why, "down" or SQLSTATE.
function M.query(sql, params)
  M.queries[#M.queries + 1] = { sql = sql, params = params }
  local known = M.recorded and M.recorded("query", sql, params)
  if known then
    return table.unpack(known, 1, 3)
  end
  if M.database_down then
    return nil, M.database_down, "down"
  end
  local rows, why, code = answer_of(sql, params)
  if not rows then
    return nil, why, code
  end
  return as_rows(rows)
end

return M
