-- SPDX-License-Identifier: Apache-2.0
-- emergency.left_open: emergencies of life that a process left open are gone on with, each by one process. When a node
-- has begun: those of its own process before, once the database is up; not those of calls that this one has adopted,
-- which bring theirs with them. When it leads: those of nodes that died.
local host = require "ringdown.host"

local M = {}

local LOOK_MS, LOOKS = 5000, 720 -- an hour

---@param p { node: string, process: string, before_us: integer? } who looks; nil: it leads
---@param def table the agent
function M.run(p, def)
  for _ = 1, LOOKS do
    local rows = host.query("select order_json from take_left_open($1, $2, $3::bigint, "
      .. "to_timestamp($4::double precision / 1e6))",
      { def.name, p.node, p.process, p.before_us and tostring(p.before_us) or false }, LOOK_MS)
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
