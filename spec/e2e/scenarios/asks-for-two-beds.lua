-- SPDX-License-Identifier: Apache-2.0
-- One wish that takes some seconds to say, and it is done.
local wish = "I would like a quiet room with two beds for the third of March, with breakfast."

return {
  name = "asks-for-two-beds", from = "+13125550157", to = "+13125550202", max = "50s",
  caller = { { after = "agent", say = wish } },
  model = { { hears = wish, says = "It is yours, good night.", tool = { name = "end_call" } } },
  expect = { ended_by = "agent", barge_ins = 0, tools = { "end_call" }, heard = { "It is yours" } },
}
