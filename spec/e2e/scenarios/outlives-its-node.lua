-- SPDX-License-Identifier: Apache-2.0
-- A caller whose node leaves before they do: a pause, and the conversation goes on with another one.
return {
  name = "outlives-its-node", from = "+13125550174", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", wait = "14s" },
    { after = "agent", say = "Never mind, bye bye." },
  },
  model = {
    { hears = "Never mind, bye bye.", says = "Thank you for calling, goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", heard = { "Thank you for calling, goodbye." },
    verbs = { "Connect", "Redirect", "Connect", "Redirect", "Hangup" },
  },
}
