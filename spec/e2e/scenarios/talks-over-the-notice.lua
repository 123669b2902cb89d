-- SPDX-License-Identifier: Apache-2.0
-- The caller speaks before the agent has said that it is a machine and that the call is recorded.
return {
  name = "talks-over-the-notice", from = "+13125550171", to = "+13125550100", max = "60s",
  caller = {
    { during = "agent", at = "500ms", say = "Hello, is there anybody listening to me?" },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "Hello, is there anybody listening to me?", says = "Yes, I am here, and I am listening." },
  },
  expect = { ended_by = "caller", barge_ins = 1, heard = { "Yes, I am here" } },
}
