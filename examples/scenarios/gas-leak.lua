-- SPDX-License-Identifier: Apache-2.0
-- An emergency: the caller cuts in and smells gas. They are told to leave and dialled through to who is on call, who
-- has had a text meanwhile and answered it.
return {
  name = "gas-leak", from = "+13125550145", to = "+13125550100", max = "60s",
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
    ["+13125550188"] = { answers = "human", after = "4s", presses = "1", talks = "3s",
      replies = { { "1", after = "1s" } } },
  },
  expect = { barge_ins = 1, verbs = { "Connect", "Say", "Dial", "Hangup" } },
}
