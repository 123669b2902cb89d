-- SPDX-License-Identifier: Apache-2.0
-- Smells gas, and says it while the agent is still speaking. A voicemail answers first, then who presses 1.
return {
  name = "smells-gas", from = "+13125550181", to = "+13125550261", max = "90s",
  caller = {
    { after = "agent", say = "Hi, how much is a new tap?" },
    { during = "agent", at = "1500ms", say = "Oh no, I smell gas in the kitchen." },
    { wait = "40s" },
  },
  model = {
    { hears = "Hi, how much is a new tap?",
      says = "A new tap is between eighty and two hundred dollars, and putting it in takes about an hour." },
    { hears = "Oh no, I smell gas in the kitchen.", says = "Please tell me more about your kitchen." },
  },
  people = {
    ["+13125550188"] = { answers = "voicemail", after = "1s" },
    ["+13125550189"] = { answers = "human", after = "1s", presses = "1", talks = "3s" },
  },
  expect = { verbs = { "Connect", "Say", "Dial", "Say", "Dial", "Hangup" } },
}
