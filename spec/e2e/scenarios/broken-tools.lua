-- SPDX-License-Identifier: Apache-2.0
-- Tools that raise or are slow: the conversation goes on.
return {
  name = "broken-tools", from = "+13125550164", to = "+13125550207", max = "60s",
  caller = {
    { after = "agent", say = "Open the drawer, please." },
    { after = "agent", say = "Then put the kettle on." },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Open the drawer, please.", tool = { name = "open_drawer" }, then_says = "I am afraid it is stuck." },
    { hears = "Then put the kettle on.", tool = { name = "boil_water" }, then_says = "That takes a while." },
  },
  expect = {
    ended_by = "caller", barge_ins = 0, tools = { "open_drawer", "boil_water" }, heard = { "takes a while" },
  },
}
