-- SPDX-License-Identifier: Apache-2.0
-- Every tool fails in its own way, and the conversation goes on.
return {
  name = "broken-tools", from = "+13125550164", to = "+13125550207", max = "60s",
  caller = {
    { after = "agent", say = "Open the drawer, please." },
    { after = "agent", say = "Then put the kettle on." },
    { after = "agent", say = "Is there a helicopter?" },
    { after = "agent", say = "Saw me a very long board." },
    { after = "agent", say = "That is all, see you next Monday." },
  },
  model = {
    { hears = "Open the drawer, please.", tool = { name = "open_drawer" },
      then_says = "I am afraid it is stuck." },
    { hears = "Then put the kettle on.", tool = { name = "boil_water" },
      then_says = "That takes a while." },
    { hears = "Is there a helicopter?", tool = { name = "fly_helicopter" },
      then_says = "No, we have none." },
    { hears = "Saw me a very long board.",
      tool = { name = "saw_board", arguments = { length = "two miles", colour = "red" } },
      then_says = "How long exactly?" },
    { hears = "That is all, see you next Monday.", says = "See you on Monday.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0,
    tools = { "open_drawer", "boil_water", "fly_helicopter", "saw_board", "end_call" },
    heard = { "it is stuck", "takes a while", "we have none", "How long exactly", "See you on Monday" },
    verbs = { "Connect", "Redirect", "Hangup" },
  },
}
