-- SPDX-License-Identifier: Apache-2.0
-- Somebody who says nothing and waits.
return {
  name = "holds-the-line", from = "+13125550174", to = "+13125550201", max = "60s",
  caller = { { after = "agent", wait = "55s" } },
  expect = { ended_by = "agent", verbs = { "Connect", "Redirect", "Hangup" } },
}
