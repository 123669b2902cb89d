-- SPDX-License-Identifier: Apache-2.0
-- A question, an answer, a goodbye; the network does not end the call by itself.
return {
  name = "left-on-the-line", from = "+13125550173", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", say = "Is the swimming pool open today? And thank you, that is all." },
  },
  model = {
    { hears = "Is the swimming pool open today? And thank you, that is all.",
      says = "It is open until nine. Goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", tools = { "end_call" }, heard = { "open until nine" } },
}
