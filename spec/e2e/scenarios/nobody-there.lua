-- SPDX-License-Identifier: Apache-2.0
-- A silent caller is asked once, then the agent says goodbye.
return {
  name = "nobody-there", from = "+13125550162", to = "+13125550205", max = "40s",
  caller = { { wait = "40s" } },
  expect = {
    ended_by = "agent", heard = { "Hello, who is there?", "Is anybody there?", "Nobody is there, so goodbye." },
    verbs = { "Connect", "Redirect", "Hangup" },
  },
}
