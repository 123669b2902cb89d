-- SPDX-License-Identifier: Apache-2.0
-- Nobody is there at night: when the model is gone, the caller hears an apology.
local agent, tools = require "ringdown.agent", require "ringdown.tools"

return agent {
  name = "night-desk",
  numbers = { "+13125550202" },
  greeting = "Front desk, good evening.",
  prompt = "You are the front desk of a small hotel, at night.",
  tools = { tools.end_call },
}
