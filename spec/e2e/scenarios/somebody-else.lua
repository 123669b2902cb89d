-- SPDX-License-Identifier: Apache-2.0
-- A caller who stays a while and leaves, so that the network is there for longer than another call.
return {
  name = "somebody-else", from = "+13125550172", to = "+13125550201", max = "60s",
  caller = { { wait = "32s" }, { hangup = true } },
  expect = { ended_by = "caller" },
}
