-- SPDX-License-Identifier: Apache-2.0
-- Smells gas, and says it while GPT-Live is still speaking; who is on call answers at once.
return {
  name = "smells-gas-live", from = "+13125550193", to = "+13125550292", max = "60s",
  caller = {
    { after = "agent", say = "Hi, how much is a new tap?" },
    { during = "agent", at = "1500ms", say = "Oh no, I smell gas in the kitchen." },
    { wait = "30s" },
  },
  model = {
    { hears = "Hi, how much is a new tap?",
      says = "A new tap is between eighty and two hundred dollars, and putting it in takes about an hour." },
    { hears = "Oh no, I smell gas in the kitchen.", says = "Please tell me more about your kitchen." },
  },
  people = { ["+13125550188"] = { answers = "human", after = "1s", presses = "1", talks = "2s" } },
  expect = { verbs = { "Connect", "Say", "Dial", "Hangup" } },
}
