-- SPDX-License-Identifier: Apache-2.0
-- The same where nobody can be connected to: an apology.
return {
  name = "no-model-night", from = "+13125550153", to = "+13125550202", max = "40s",
  caller = { { wait = "40s" } },
  expect = {
    ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Say", "Hangup" },
    heard = { "We are sorry, something went wrong on our side.",
      "We are sorry, nobody can take your call right now. Please call again later." },
  },
}
