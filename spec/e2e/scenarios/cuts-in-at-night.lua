-- SPDX-License-Identifier: Apache-2.0
-- Cuts into a long answer, and it is over.
return {
  name = "cuts-in-at-night", from = "+13125550143", to = "+13125550202", max = "60s",
  caller = {
    { after = "agent", say = "What does the house offer?" },
    { during = "agent", at = "2000ms", say = "That is enough, good night." },
  },
  model = {
    { hears = "What does the house offer?",
      says = "Quiet rooms, warm beds, a garden, a sauna, a library, two bars, a terrace, and breakfast until noon." },
    { hears = "That is enough, good night.", says = "Sleep well.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", barge_ins = 1, tools = { "end_call" }, heard = { "Sleep well" } },
}
