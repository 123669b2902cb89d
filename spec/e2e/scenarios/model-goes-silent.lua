-- SPDX-License-Identifier: Apache-2.0
-- The model stays connected and never answers.
return {
  name = "model-goes-silent", from = "+13125550157", to = "+13125550201", max = "40s",
  caller = { { after = "agent", say = "Where can I park my car?" } },
  model = {
    { hears = "Where can I park my car?", fault = "silent",
      says = "Behind the house." },
  },
  expect = { ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Dial", "Hangup" } },
}
