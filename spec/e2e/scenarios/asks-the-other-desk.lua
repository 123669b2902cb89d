-- SPDX-License-Identifier: Apache-2.0
-- A question to an assistant at Vapi, an answer, a goodbye.
return {
  name = "asks-the-other-desk", from = "+13125550151", to = "+13125550100", max = "40s",
  caller = {
    { after = "agent", say = "Until when is breakfast served?" },
    { after = "agent", say = "That was all I wanted to know, bye bye." },
  },
  model = {
    { hears = "Until when is breakfast served?", says = "Breakfast is from seven to ten." },
    { hears = "That was all I wanted to know, bye bye.", says = "You are welcome, goodbye.",
      tool = { name = "end_call" } },
  },
  expect = { barge_ins = 0, heard = { "from seven to ten", "You are welcome" }, verbs = { "Redirect", "Connect" } },
}
