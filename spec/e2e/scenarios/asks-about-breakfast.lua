-- SPDX-License-Identifier: Apache-2.0
-- A question whose answer somebody whispers to the model in time.
return {
  name = "asks-about-breakfast", from = "+13125550171", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", at = "6s", say = "What time is breakfast?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "What time is breakfast?", says = "Breakfast is from seven to ten." },
    { hears = "What time is breakfast?", told = "kitchen is closed",
      says = "I am sorry, the kitchen is closed today." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", heard = { "the kitchen is closed today" }, verbs = { "Connect", "Redirect", "Hangup" },
  },
}
