-- SPDX-License-Identifier: Apache-2.0
-- Somebody who only wants to hear who answers.
return {
  name = "hears-and-hangs-up", from = "+13125550168", to = "+13125550221", max = "20s",
  caller = { { during = "agent", at = "300ms", hangup = true } },
  expect = { ended_by = "caller" },
}
