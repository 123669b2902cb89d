-- SPDX-License-Identifier: Apache-2.0
-- Somebody who waits until a person takes the call.
return {
  name = "is-transferred", from = "+13125550172", to = "+13125550201", max = "60s",
  caller = { { after = "agent", wait = "55s" } },
  expect = { ended_by = "transfer", verbs = { "Connect", "Dial", "Hangup" } },
}
