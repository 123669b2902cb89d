-- SPDX-License-Identifier: Apache-2.0
-- A question, an answer, a goodbye.
return {
  name = "small-talk", from = "+13125550151", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", say = "What time is breakfast?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "What time is breakfast?", says = "Breakfast is from seven to ten." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "end_call" }, heard = { "from seven to ten", "You are welcome" },
    verbs = { "Connect", "Redirect", "Hangup" },
  },
}
