-- SPDX-License-Identifier: Apache-2.0
-- Is transferred, and nobody takes the call: neither there nor where the fallback dials.
return {
  name = "is-not-answered", from = "+13125550173", to = "+13125550201", max = "60s", dial = "busy",
  caller = { { after = "agent", wait = "55s" } },
  expect = {
    ended_by = "fallback", verbs = { "Connect", "Dial", "Say", "Dial", "Say", "Hangup" },
  },
}
