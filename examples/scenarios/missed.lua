-- SPDX-License-Identifier: Apache-2.0
-- A missed call: somebody gives up while they are still being greeted, and gets a text.
return {
  name = "missed", from = "+13125550146", to = "+13125550100", max = "30s",
  caller = { { during = "agent", at = "2500ms", hangup = true } },
  model = {},
  expect = { ended_by = "caller", heard = { "automated assistant" } },
}
