-- SPDX-License-Identifier: Apache-2.0
-- Whatever the caller says, it never stops thinking about it.
local agent = require "ringdown.agent"

return agent {
  name = "spinning-top",
  numbers = { "+13125550208" },
  greeting = "Spinning top, hello.",
  prompt = "You spin.",
  on = {
    utterance = function()
      while true do end
    end,
  },
}
