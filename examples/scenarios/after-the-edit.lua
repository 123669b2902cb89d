-- SPDX-License-Identifier: Apache-2.0
-- A caller who hears the greeting that scripts/demo has just written into the agent's file.
return {
  name = "after-the-edit", from = "+13125550147", to = "+13125550100", max = "30s",
  caller = { { after = "agent", say = "Nothing, wrong number. Goodbye." } },
  model = {
    { hears = "Nothing, wrong number. Goodbye.", says = "No harm done, goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", tools = { "end_call" }, heard = { "what is broken", "goodbye" } },
}
