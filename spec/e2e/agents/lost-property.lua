-- SPDX-License-Identifier: Apache-2.0
-- Asks for a model of which no connection is kept warm: each call has to dial.
local agent, tools = require "ringdown.agent", require "ringdown.tools"

return agent {
  name = "lost-property",
  numbers = { "+13125550203" },
  openai = { model = "gpt-realtime-2.1-mini" },
  greeting = "Lost property, good morning.",
  prompt = "You look for what guests have lost.",
  tools = { tools.end_call },
}
