-- SPDX-License-Identifier: Apache-2.0
-- GPT-Live's first session breaks while nobody speaks: the next one goes on.
return {
  name = "session-breaks", from = "+13125550192", to = "+13125550291", max = "60s",
  caller = {
    { after = "agent", say = "My name is Ann, wait a moment please." },
    { wait = "6s" },
    { say = "Can I bring my dog on the ferry?" },
    { after = "agent", hangup = true },
  },
  model = {
    { hears = "My name is Ann, wait a moment please.", says = "Sure." },
    { hears = "Can I bring my dog on the ferry?", says = "Dogs travel for free on this ferry." },
  },
  expect = { ended_by = "caller", heard = { "Dogs travel for free" } },
}
