-- SPDX-License-Identifier: Apache-2.0
-- emergency.left_open: a node has begun. Emergencies of life that its process before left open are gone on with, once
-- the database is up; not those of calls that this one has adopted, which bring theirs with them.
local host = require "ringdown.host"

local M = {}

local LOOK_MS, LOOKS = 5000, 720 -- an hour

---@param p { node: string, before_us: integer }
---@param def table the agent
function M.run(p, def)
  for _ = 1, LOOKS do
    local rows = host.query("select o.order_json from triage_left_open($1, now()) o join calls c "
      .. "on c.call = o.order_json::json ->> 'call' and c.started_at < to_timestamp($2::double precision / 1e6) "
      .. "where o.agent = $3 and not exists (select from adoptions a where a.call = c.call "
      .. "and a.at >= to_timestamp($2::double precision / 1e6))", { p.node, tostring(p.before_us), def.name }, LOOK_MS)
    if rows then
      for _, row in ipairs(rows) do
        host.errand("emergency", row[1])
      end
      return
    end
    host.wait(LOOK_MS)
  end
end

return M
