-- SPDX-License-Identifier: Apache-2.0
-- Has cost what a call may cost: the agent says so and hangs up.
return {
  name = "costs-too-much", from = "+13125550168", to = "+13125550222", max = "50s",
  caller = { { wait = "50s" } },
  expect = {
    ended_by = "agent", heard = { "Time is up, goodbye." }, verbs = { "Connect", "Redirect", "Hangup" },
  },
}
