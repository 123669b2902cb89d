-- SPDX-License-Identifier: Apache-2.0
-- A recorded human voice, a question and a goodbye: nothing is booked, the agent ends the call.
local prompt = "/usr/share/asterisk/sounds/en_US_f_Allison/tt-somethingwrong.wav"

return {
  name = "question-and-goodbye", from = "+13125550144", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", play = prompt },
    { after = "agent", say = "How much is an emergency on a Sunday?" },
    { after = "agent", say = "Good to know. I will call you again. Bye." },
  },
  model = {
    { hears = "Something is terribly wrong.", hears_file = prompt,
      says = "I am sorry to hear that. Please tell me how I can help." },
    { hears = "How much is an emergency on a Sunday?",
      says = "An emergency on a Sunday costs one hundred and forty dollars." },
    { hears = "Good to know. I will call you again. Bye.",
      says = "Any time. Take care, and goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "end_call" },
    heard = { "sorry to hear that", "one hundred and forty dollars", "Take care" },
  },
}
