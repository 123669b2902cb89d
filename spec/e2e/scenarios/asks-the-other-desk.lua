-- SPDX-License-Identifier: Apache-2.0
-- A question to an assistant at Vapi, an answer, a goodbye.
return {
  name = "asks-the-other-desk", from = "+13125550151", to = "+13125550100", max = "40s",
  caller = {
    { after = "agent", say = "What time is breakfast?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "What time is breakfast?", says = "Breakfast is from seven to ten." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = { barge_ins = 0, heard = { "from seven to ten", "You are welcome" }, verbs = { "Redirect", "Connect" } },
}
