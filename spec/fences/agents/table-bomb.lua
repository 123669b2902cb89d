-- SPDX-License-Identifier: Apache-2.0
-- A table that grows at its front, where each step moves all the others.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local unruly = tool {
  name = "unruly", about = "Misbehaves.", effect = "read",
  run = function()
    local list = {}
    while true do
      table.insert(list, 1, {})
    end
  end,
}

return agent {
  name = "table-bomb", numbers = { "+13125550904" }, greeting = "Good day.", prompt = "Help.", tools = { unruly },
}
