-- SPDX-License-Identifier: Apache-2.0
-- The shortest conversation: a goodbye, and one back.
return {
  name = "one-goodbye", from = "+13125550151", to = "+13125550201", max = "60s",
  caller = { { after = "agent", say = "Never mind, good night." } },
  model = { { hears = "Never mind, good night.", says = "Good night.", tool = { name = "end_call" } } },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "end_call" }, heard = { "Good night" },
    verbs = { "Connect", "Redirect", "Hangup" },
  },
}
