-- SPDX-License-Identifier: Apache-2.0
-- The longest time is over: the agent says so and hangs up.
return {
  name = "talks-too-long", from = "+13125550163", to = "+13125550206", max = "40s",
  caller = { { wait = "40s" } },
  expect = {
    ended_by = "agent", heard = { "Time is up, goodbye." }, verbs = { "Connect", "Redirect", "Hangup" },
  },
}
