-- SPDX-License-Identifier: Apache-2.0
-- How many events a second PostgreSQL takes of the journals: 2,000, with scripts/test --only journal-speed.
--
--   lua5.4 spec/analytics/ingest.lua [ATLEAST]
package.path = "./?.lua;scripts/?.lua;scripts/?/init.lua;" .. package.path
local events = require "spec.support.events"
local pg = require "spec.support.postgres"

local at_least = tonumber(arg[1]) or 2000
local url = pg.database()

-- Of the server's own time, the best of three: what else the machine does is not asked.
local told = "\\! cut -d' ' -f14,15 /proc/$BACKEND/stat\n"
local script = { "select pg_backend_pid() as pid \\gset\n\\setenv BACKEND :pid\n", told }
local n
for round = 1, 3 do
  n = 0
  for b = 1, 5 do
    local list = {}
    for c = 1, 11 do
      for _, e in ipairs(events.conversation(round * 1000 + b * 100 + c).list) do
        list[#list + 1] = e
      end
    end
    script[#script + 1], n = "select '' from (" .. events.sql(list) .. ") kept where outcome <> 'kept';", n + #list
  end
  script[#script + 1] = told
end

local best, before = 0, nil
for user, system in pg.run(url, table.concat(script, "\n")):gmatch "(%d+) (%d+)" do
  local ticks = user + system
  best = before and math.max(best, n / ((ticks - before) / 100)) or 0
  before = ticks
end
pg.stop()
print(("%.0f events a second; at least %d were asked for"):format(best, at_least))
os.exit(best >= at_least)
