-- SPDX-License-Identifier: Apache-2.0
-- Takes longer to decide where a call goes than a caller can wait.
local agent = require "ringdown.agent"

return agent {
  name = "sleeper",
  numbers = { "+13125550209" },
  greeting = "Nobody will hear this.",
  prompt = "You sleep.",
  routing = function()
    while true do end
  end,
}
