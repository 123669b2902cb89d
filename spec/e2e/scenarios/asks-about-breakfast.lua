-- SPDX-License-Identifier: Apache-2.0
-- A question whose answer somebody whispers to the model in time.
return {
  name = "asks-about-breakfast", from = "+13125550171", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", at = "6s", say = "Can I still have breakfast today?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "Can I still have breakfast today?", says = "Of course, until ten." },
    { hears = "Can I still have breakfast today?", told = "kitchen is closed",
      says = "I am sorry, the kitchen is closed today." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", heard = { "the kitchen is closed today" }, verbs = { "Connect", "Redirect", "Hangup" },
  },
}
