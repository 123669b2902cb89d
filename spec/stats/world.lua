-- SPDX-License-Identifier: Apache-2.0
-- The library's questions to a real database, asked through psql: what an operation of statistics runs on.
local asking = require "spec.support.asking"
local host = require "ringdown.fake.host"
local pg = require "spec.support.postgres"

local world = {}

local real_query, ask

---@return string url of a fresh database that the library is asked in
function world.open()
  host.reset()
  local url = pg.database()
  real_query = real_query or host.query
  ask = asking.open(url)
  rawset(host, "query", function(sql, params)
    return ask(sql, params)
  end)
  return url
end

function world.close()
  rawset(host, "query", real_query)
  ask.close()
end

---Runs an operation; its lines as one text, its result, or false and what it raised.
function world.run(module, payload)
  local lines = {}
  local ok, result = pcall(require(module).run, payload, function(told)
    lines[#lines + 1] = told.text or told.note and "note: " .. told.note
  end)
  return ok and result, not ok and tostring(result) or table.concat(lines, "\n"), lines
end

return world
