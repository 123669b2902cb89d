-- SPDX-License-Identifier: Apache-2.0
-- Smells gas. Nobody hears their phone, but one of the people reads the text and answers 1.
return {
  name = "smells-gas-texts", from = "+13125550183", to = "+13125550263", max = "60s",
  caller = {
    { after = "agent", say = "Hello, I smell gas in the hall." },
    { wait = "14s" },
    { hangup = true },
  },
  model = { { hears = "Hello, I smell gas in the hall.", says = "One moment." } },
  people = {
    ["+13125550184"] = { answers = "no-answer", after = "4s", text = 30006 },
    ["+13125550185"] = { answers = "no-answer", after = "4s", replies = { { "1, on my way", after = "500ms" } } },
  },
  expect = { ended_by = "caller", verbs = { "Connect", "Say", "Dial", "Connect" } },
}
