-- SPDX-License-Identifier: Apache-2.0
-- What scripts/instructions opens: an agent with a tool, an argument and a rule, small enough to load under valgrind.
local agent, tool = require "ringdown.agent", require "ringdown.tool"

local hours = tool {
  name = "hours", about = "When we are open.", effect = "read",
  args = { day = { type = "string", about = "A day of the week." } },
  run = function(_, args)
    return { day = args.day, open = "9 to 5" }
  end,
}

return agent {
  name = "counted", numbers = { "+13125550100" },
  greeting = "Good day, this is the workshop.", prompt = "You answer the telephone of a workshop. Be brief.",
  tools = { hours },
}
