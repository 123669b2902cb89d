-- SPDX-License-Identifier: Apache-2.0
-- What most calls do while others misbehave: a small tool now and then.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local steady = tool {
  name = "steady", about = "Adds up a few numbers.", effect = "read",
  run = function()
    local sum = 0
    for i = 1, 1000 do
      sum = sum + i
    end
    return { sum = sum }
  end,
}

return agent {
  name = "steady", numbers = { "+13125550100" },
  greeting = "Good day.", prompt = "Help.", tools = { steady },
  on = { utterance = function(call) call:log "heard" end },
}
