-- SPDX-License-Identifier: Apache-2.0
-- Smells gas, and nobody picks up: comes back to the agent, who stays.
return {
  name = "smells-gas-alone", from = "+13125550182", to = "+13125550262", max = "60s",
  caller = {
    { after = "agent", say = "Hello, I smell gas in the cellar." },
    { wait = "31s" },
    { hangup = true },
  },
  model = { { hears = "Hello, I smell gas in the cellar.", says = "One moment." } },
  people = {
    ["+13125550186"] = { answers = "busy" },
    ["+13125550187"] = { answers = "no-answer", after = "1s" },
  },
  expect = { ended_by = "caller", verbs = { "Connect", "Say", "Dial", "Say", "Dial", "Say", "Dial", "Connect" } },
}
