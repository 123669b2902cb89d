-- SPDX-License-Identifier: Apache-2.0
-- A booking: the agent looks what is free, books what the caller picks, and hangs up after the goodbye.
return {
  name = "booking", from = "+13125550142", to = "+13125550100", max = "60s",
  caller = {
    { after = "agent", say = "Hi, can a plumber come tomorrow morning?" },
    { after = "agent", say = "Nine is good." },
    { after = "agent", say = "No thank you, that was everything. Goodbye." },
  },
  model = {
    { hears = "Hi, can a plumber come tomorrow morning?",
      tool = { name = "check_availability", arguments = { day = "tomorrow", part = "morning" } },
      then_says = "We have eight, nine and ten." },
    { hears = "Nine is good.",
      tool = { name = "book_appointment", arguments = { day = "tomorrow", time = "09:00", name = "Ann Lee" } },
      then_says = "You are booked for tomorrow at nine. Anything else?" },
    { hears = "No thank you, that was everything. Goodbye.",
      says = "Thank you for calling, and goodbye.", tool = { name = "end_call" } },
  },
  expect = {
    ended_by = "agent", barge_ins = 0, tools = { "check_availability", "book_appointment", "end_call" },
    heard = { "booked for tomorrow at nine", "goodbye" },
  },
}
