-- SPDX-License-Identifier: Apache-2.0
-- A loop that never ends.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local unruly = tool {
  name = "unruly", about = "Misbehaves.", effect = "read",
  run = function()
    while true do end
  end,
}

return agent {
  name = "endless", numbers = { "+13125550901" }, greeting = "Good day.", prompt = "Help.", tools = { unruly },
}
