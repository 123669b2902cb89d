-- SPDX-License-Identifier: Apache-2.0
-- host.query for specs that need a real PostgreSQL: one psql, asked one question after the other.
--
--   local q = questions.open(url)     the fake host's query goes there from now on
--   q:rows(sql)                    -> rows, each a list of texts, false for null
--   q.away = "why"                    the database is away
--   q:close()
local fake = require "ringdown.fake.host"
local pg = require "spec.support.postgres"

local M = {}
local Questions = {}
Questions.__index = Questions

local LONG = 32768
local NULL, FIELD, RECORD = "\1", "\2", "\3"

local function literal(value)
  return (value == false or value == nil) and "null" or pg.literal(tostring(value))
end

function Questions:rows(sql, params)
  sql = sql:gsub("%$(%d+)", function(n)
    return literal((params or {})[tonumber(n)])
  end)
  if #sql > LONG then -- more than a pipe holds: psql waits for us before it reads on
    local file = assert(io.open(self.fifo .. ".sql", "w"))
    file:write(sql, ";")
    file:close()
    sql = "\\i " .. self.fifo .. ".sql"
  else
    sql = sql .. ";"
  end
  self.psql:write("\\o ", self.fifo, "\n", sql, "\n\\qecho :ERROR :SQLSTATE :LAST_ERROR_MESSAGE\n\\o\n")
  self.psql:flush()
  local pipe = assert(io.open(self.fifo))
  local text = pipe:read "a"
  pipe:close()
  local body, failed, state, why = text:match "^(.-)(%w+) (%w+) ([^\n]*)\n$"
  if failed == "true" then
    return nil, why, state
  end
  local rows = {}
  if body == "" then
    return rows
  end
  for record in (body:sub(1, -2) .. RECORD):gmatch("([^\3]*)\3") do
    local row = {}
    for field in (record .. FIELD):gmatch("([^\2]*)\2") do
      row[#row + 1] = field ~= NULL and field or false
    end
    rows[#rows + 1] = row
  end
  return rows
end

function M.open(url)
  local q = setmetatable({ fifo = os.tmpname() }, Questions)
  os.remove(q.fifo)
  assert(os.execute("mkfifo " .. q.fifo))
  q.psql = assert(io.popen(("psql -X -q -A -t -F '%s' -R '%s' -P null='%s' -d '%s' >/dev/null 2>&1")
    :format(FIELD, RECORD, NULL, url), "w"))
  q.real = fake.query
  fake.query = function(sql, params)
    if q.away then
      return nil, q.away, "down"
    end
    return q:rows(sql, params)
  end
  return q
end

function Questions:close()
  fake.query = self.real
  self.psql:close()
  os.remove(self.fifo)
  os.remove(self.fifo .. ".sql")
end

return M
