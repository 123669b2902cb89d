-- SPDX-License-Identifier: Apache-2.0
-- The model is gone before it says a word; the caller hears that there is somebody, and that is enough.
return {
  name = "no-model", from = "+13125550167", to = "+13125550202", max = "40s",
  caller = { { during = "agent", at = "600ms", hangup = true } },
  expect = { ended_by = "caller", verbs = { "Connect", "Redirect", "Say" } },
}
