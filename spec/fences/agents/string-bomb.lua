-- SPDX-License-Identifier: Apache-2.0
-- A text that doubles until there is no memory for it.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local unruly = tool {
  name = "unruly", about = "Misbehaves.", effect = "read",
  run = function()
    local text = "x"
    while true do
      text = text .. text
    end
  end,
}

return agent {
  name = "string-bomb", numbers = { "+13125550902" }, greeting = "Good day.", prompt = "Help.", tools = { unruly },
}
