-- SPDX-License-Identifier: Apache-2.0
-- The model asks for tools that are not there, or with arguments that make no sense.
return {
  name = "wrong-tools", from = "+13125550169", to = "+13125550207", max = "60s",
  caller = {
    { after = "agent", say = "Is there a helicopter?" },
    { after = "agent", say = "Saw me a very long board." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Is there a helicopter?", tool = { name = "fly_helicopter" }, then_says = "No, we have none." },
    { hears = "Saw me a very long board.",
      tool = { name = "saw_board", arguments = { length = "two miles", colour = "red" } },
      then_says = "How long exactly?" },
  },
  expect = {
    ended_by = "caller", barge_ins = 0, tools = { "fly_helicopter", "saw_board" }, heard = { "How long exactly?" },
  },
}
