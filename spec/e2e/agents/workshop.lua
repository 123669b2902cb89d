-- SPDX-License-Identifier: Apache-2.0
-- Tools that fail in every way a tool can fail.
local agent, tool, tools = require "ringdown.agent", require "ringdown.tool", require "ringdown.tools"

local open_drawer = tool {
  name = "open_drawer", about = "Opens a drawer.", effect = "write", failed = "Say that the drawer is stuck.",
  run = function() error "the handle came off" end,
}

local boil_water = tool {
  name = "boil_water", about = "Boils water.", effect = "read", timeout = "10ms",
  failed = "Say that the kettle is slow.",
  run = function()
    local n = 0
    for i = 1, 20000000 do
      n = n + i % 7
    end
    return { hot = n > 0 }
  end,
}

local saw_board = tool {
  name = "saw_board", about = "Saws a board.", effect = "write",
  args = { length = { type = "integer", about = "length in inches", min = 1, max = 96 } },
  run = function(_, args) return { sawed = args.length } end,
}

return agent {
  name = "workshop",
  numbers = { "+13125550207" },
  greeting = "Workshop, what do you need?",
  prompt = "You run a workshop.",
  tools = { open_drawer, boil_water, saw_board, tools.end_call },
}
