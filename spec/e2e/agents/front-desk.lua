-- SPDX-License-Identifier: Apache-2.0
-- A short greeting, one way to end, and a person for when the model is gone.
local agent, tools = require "ringdown.agent", require "ringdown.tools"

return agent {
  name = "front-desk",
  numbers = { "+13125550201" },
  people = { office = "+13125550188" },
  greeting = "Front desk, good morning.",
  prompt = "You are the front desk of a small hotel.",
  tools = { tools.end_call },
}
