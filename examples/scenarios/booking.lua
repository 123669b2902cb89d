-- SPDX-License-Identifier: Apache-2.0
-- A booking: the agent calls its tool, says what it booked, and hangs up after the goodbye.
return {
  name = "booking", from = "+13125550142", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Hi, can a plumber come tomorrow at nine?" },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "Hi, can a plumber come tomorrow at nine?",
      tool = { name = "book_visit", arguments = { day = "tomorrow", time = "09:00" } },
      then_says = "You are booked for tomorrow at nine. Can I do anything else for you?" },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "book_visit", "end_call" },
    heard = { "booked for tomorrow at nine", "goodbye" },
  },
}
