-- SPDX-License-Identifier: Apache-2.0
-- Is transferred by an operator; nobody takes the call, so that the agent has them back.
return {
  name = "is-not-answered", from = "+13125550173", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", wait = "8s" },
    { after = "agent", say = "Never mind, bye bye." },
  },
  model = {
    { hears = "Never mind, bye bye.", says = "Thank you for calling, goodbye.", tool = { name = "end_call" } },
  },
  people = { ["+13125550177"] = { answers = "busy" } },
  expect = {
    ended_by = "agent", heard = { "nobody is picking up at the moment" },
    verbs = { "Connect", "Dial", "Connect", "Redirect", "Hangup" },
  },
}
