-- SPDX-License-Identifier: Apache-2.0
-- The connection to the model breaks before an answer.
return {
  name = "model-drops", from = "+13125550156", to = "+13125550202", max = "40s",
  caller = { { after = "agent", say = "Could somebody carry my luggage?" } },
  model = {
    { hears = "Could somebody carry my luggage?", fault = "drop",
      says = "Certainly, somebody is coming." },
  },
  expect = { ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Say", "Hangup" } },
}
