-- SPDX-License-Identifier: Apache-2.0
-- The model's server refuses us in the middle of a call: another session would be refused as well.
return {
  name = "model-fails", from = "+13125550155", to = "+13125550201", max = "40s",
  caller = { { after = "agent", say = "Is the swimming pool open today?" } },
  model = {
    { hears = "Is the swimming pool open today?", fault = "3000",
      says = "The pool is open from six in the morning until ten at night, every day of the week." },
  },
  expect = { ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Dial", "Hangup" } },
}
