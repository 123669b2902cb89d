-- SPDX-License-Identifier: Apache-2.0
-- A short greeting, one way to end, and people: for when the model is gone, and for who asks for them.
local agent, tools = require "ringdown.agent", require "ringdown.tools"

return agent {
  name = "front-desk",
  numbers = { "+13125550201" },
  people = { office = "+13125550188", manager = "+13125550189" },
  greeting = "Front desk, good morning.",
  prompt = "You are the front desk of a small hotel.",
  tools = { tools.end_call, tools.transfer_call },
}
