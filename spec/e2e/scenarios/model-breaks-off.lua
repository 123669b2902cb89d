-- SPDX-License-Identifier: Apache-2.0
-- The connection to the model breaks in the middle of an answer: another one goes on with the sentence.
return {
  name = "model-breaks-off", from = "+13125550154", to = "+13125550202", max = "40s",
  caller = {
    { after = "agent", say = "Do you have a room with two beds?" },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = "Do you have a room with two beds?", fault = "drop-answer",
      says = "Yes, there is one on the second floor, with a view of the lake, and a very quiet one above the garden." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "You are welcome" } },
}
