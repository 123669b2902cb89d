-- SPDX-License-Identifier: Apache-2.0
-- Each of many calls at once works for a while.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local unruly = tool {
  name = "unruly", about = "Misbehaves.", effect = "read",
  run = function()
    local sum = 0
    for i = 1, 3000000 do
      sum = sum + i % 7
    end
    return { sum = sum }
  end,
}

return agent {
  name = "storm", numbers = { "+13125550905" }, greeting = "Good day.", prompt = "Help.", tools = { unruly },
}
