-- SPDX-License-Identifier: Apache-2.0
-- Patterns that backtrack for as long as they may, again and again.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local unruly = tool {
  name = "unruly", about = "Misbehaves.", effect = "read",
  run = function()
    for _ = 1, 1000 do
      pcall(string.find, ("a"):rep(60), (".-"):rep(7) .. "b")
    end
  end,
}

return agent {
  name = "pattern", numbers = { "+13125550903" }, greeting = "Good day.", prompt = "Help.", tools = { unruly },
}
