-- SPDX-License-Identifier: Apache-2.0
-- Wants a person, who does not answer, and goes on with the agent; the second time they are there.
return {
  name = "asks-for-a-person", from = "+13125550175", to = "+13125550201", max = "60s",
  caller = {
    { after = "agent", say = "Can I speak to a person please?" },
    { wait = "3s" },
    { after = "agent", say = "Then try the manager." },
    { after = "agent", wait = "30s" },
  },
  model = {
    { hears = "Can I speak to a person please?", says = "I am connecting you with the office.",
      tool = { name = "transfer_call", arguments = { to = "office" } } },
    { hears = "Then try the manager.", says = "One moment, I am connecting you with the manager.",
      tool = { name = "transfer_call", arguments = { to = "manager" } } },
  },
  people = {
    ["+13125550188"] = { answers = "no-answer", after = "1s" },
    ["+13125550189"] = { answers = "human", talks = "2s" },
  },
  expect = {
    ended_by = "transfer",
    heard = { "connecting you with the office", "nobody is picking up at the moment",
      "connecting you with the manager" },
    verbs = { "Connect", "Dial", "Connect", "Dial", "Hangup" },
  },
}
