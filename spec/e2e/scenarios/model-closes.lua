-- SPDX-License-Identifier: Apache-2.0
-- The model closes in the middle of an answer, for a fault of its own: another session goes on with it.
return {
  name = "model-closes", from = "+13125550159", to = "+13125550202", max = "40s",
  caller = {
    { after = "agent", say = "Do you have a room with two beds?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "Do you have a room with two beds?", fault = "1011",
      says = "Yes, there is one on the second floor, with a view of the lake, and a very quiet one above the garden." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "You are welcome" } },
}
