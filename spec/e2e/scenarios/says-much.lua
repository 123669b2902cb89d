-- SPDX-License-Identifier: Apache-2.0
-- A caller with much to say, in one go.
local wish = "Good evening, I would like a quiet room with two beds for the third of March, on the second floor "
  .. "or above, with breakfast, and a place for my car."

return {
  name = "says-much", from = "+13125550157", to = "+13125550202", max = "50s",
  caller = {
    { after = "agent", say = wish },
    { after = "agent", say = "Thank you very much, bye bye." },
  },
  model = {
    { hears = wish, says = "The quiet room with the car place is yours." },
    { hears = "Thank you very much, bye bye.", says = "You are welcome, goodbye.", tool = { name = "end_call" } },
  },
  expect = { ended_by = "agent", barge_ins = 0, tools = { "end_call" }, heard = { "is yours", "You are welcome" } },
}
