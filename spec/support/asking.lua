-- SPDX-License-Identifier: Apache-2.0
-- host.query() for specs, by a real PostgreSQL: one psql for all questions. Each answer is one column of text without
-- line breaks, which JSON is.
--
--   local ask = asking.open(url)      ask(sql, { params… }) -> { { text | false }, … } | nil, why, SQLSTATE
--   ask.close()
local pg = require "spec.support.postgres"

local M = {}

local PIPE_BYTES = 32768

local function literal(value)
  return (value == false or value == nil) and "null" or pg.literal(tostring(value))
end

local function rows_of(text)
  local rows, last = {}, nil
  for line in text:gmatch "([^\n]*)\n" do
    rows[#rows + 1], last = last and { last ~= "" and last or false }, line
  end
  local failed, state, why = (last or ""):match "^(%w+) (%w+) (.*)$"
  if failed ~= "false" then
    return nil, why or "psql ended", state or "down"
  end
  return rows
end

---@param url string
function M.open(url)
  local fifo = os.tmpname()
  os.remove(fifo)
  assert(os.execute("mkfifo " .. fifo))
  local psql = assert(io.popen(("psql -X -q -A -t -d '%s' >/dev/null 2>&1"):format(url), "w"))

  local function ask(_, sql, params)
    sql = sql:gsub("%$(%d+)", function(n)
      return literal(params and params[tonumber(n)])
    end)
    local long = #sql > PIPE_BYTES and os.tmpname()
    if long then -- psql waits for us to read, and would not read on
      local file = assert(io.open(long, "w"))
      file:write(sql, ";\n")
      file:close()
      sql = "\\i " .. long
    end
    psql:write("\\o ", fifo, "\n", sql, long and "" or ";", "\n\\qecho :ERROR :SQLSTATE :LAST_ERROR_MESSAGE\n\\o\n")
    psql:flush()
    local pipe = assert(io.open(fifo))
    local text = pipe:read "a"
    pipe:close()
    if long then
      os.remove(long)
    end
    return rows_of(text)
  end

  local function close()
    psql:close()
    os.remove(fifo)
  end

  return setmetatable({ close = close }, { __call = ask })
end

return M
