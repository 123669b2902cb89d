-- SPDX-License-Identifier: Apache-2.0
-- The agent's script never comes back from what the caller said.
return {
  name = "endless-thought", from = "+13125550165", to = "+13125550208", max = "40s",
  caller = {
    { after = "agent", say = "Think about the number of all numbers." },
    { wait = "30s" },
  },
  model = {
    { hears = "Think about the number of all numbers.", says = "That is a difficult one, let me think about it." },
  },
  expect = { ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Say", "Hangup" } },
}
