-- SPDX-License-Identifier: Apache-2.0
-- The model's key is refused while it should answer: Vapi hears the question again, answers, and goes on.
return {
  name = "model-is-thrown-out", from = "+13125550172", to = "+13125550232", max = "60s",
  caller = {
    { after = "agent", say = "What does a ticket for the ferry cost?" },
    { after = "agent", say = "Many thanks for your help, farewell." },
  },
  model = {
    { hears = "What does a ticket for the ferry cost?", fault = "3000", says = "It costs nine dollars." },
    { hears = "Many thanks for your help, farewell.", says = "Have a good trip.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", heard = { "It costs nine dollars", "Have a good trip" } },
}
