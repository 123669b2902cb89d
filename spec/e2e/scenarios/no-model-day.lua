-- SPDX-License-Identifier: Apache-2.0
-- The model is gone before it says a word: the network apologises and connects to a person.
return {
  name = "no-model-day", from = "+13125550152", to = "+13125550201", max = "40s",
  caller = { { wait = "40s" } },
  expect = {
    ended_by = "fallback", verbs = { "Connect", "Redirect", "Say", "Dial", "Hangup" },
    heard = { "We are sorry, our assistant is not available. We are connecting you to a colleague." },
  },
}
